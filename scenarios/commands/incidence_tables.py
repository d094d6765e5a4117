"""The tables printed by ``srdi incidence``, with notes that explain them."""

from __future__ import annotations

import math

import pandas as pd
from rich.console import Console

from scenarios.analysis.incidence import ALL, NATION, NOT_BOOKED, PAID, Incidence
from scenarios.commands.run_tables import SIZE_NOTE, variation_note
from scenarios.display.formatting import format_number, unit_name
from scenarios.display.screen import Cells, print_table, say

_HEADS = (
    *(">Baseline", ">Scenario", ">Change", ">10–90 % of pairs", ">per 1,000\nfirms", ">per 1,000\nemployees"),
    *(">Share of\nnation, %", ">of change,\n%"),
)


def print_incidence(found: Incidence, console: Console) -> None:
    """Print gains and losses by place for each scenario and quantity, their concentration, public money, and notes."""
    rows = found.rows
    for (quarter, scenario), own in rows[rows["scenario"] != found.baseline].groupby(
        ["quarter", "scenario"], sort=False
    ):
        before = rows[(rows["quarter"] == quarter) & (rows["scenario"] == found.baseline)]
        versus = f"{scenario} against {found.baseline}"
        first_by, now_by = (found.by_place(name, quarter) for name in (found.baseline, scenario))
        for quantity, now in now_by.items():
            first, unit = first_by[quantity], now[NATION]["level"]["unit"]
            what = quantity if unit == quantity else f"{quantity}, {unit_name(unit)},"
            title = f"{versus}: {what} by {found.by} ({quarter})"
            if quantity == PAID:
                title = f"{versus}: public money, {unit_name(unit)} paid up to {quarter}, by {found.by}"
            print_table(_places(title, first, now, unit, found.by), console)
            say(console, _gains_and_losses(now, unit))
            console.print()
        print_table(_concentration(f"{versus}: concentration ({quarter})", first_by, now_by), console)
        console.print()
        what = "by lever" if found.money_is_placed else NOT_BOOKED.format(by=found.by.replace("_", " "))
        print_table(_money(f"{versus}: public money, {what}, bn yuan up to {quarter}", before, own), console)
        label = own[own["measure"] == "change"].iloc[0]
        studies = f" ({label.studies})" if label.studies else ""
        say(console, f"Changes rest on what is {label.label}{studies}.")
        console.print()
    for sentence in _notes(found):
        say(console, sentence, "dim")


def _change(row: pd.Series, unit: str) -> str:
    """A change; ? marks one whose band contains zero or that has no band. None at all in any pair is certain."""
    sure = row["low"] > 0.0 or row["high"] < 0.0 or row["low"] == row["high"]
    return format_number(row["value"], unit, signed=True) + ("  " if sure else " ?")


def _range(row: pd.Series, unit: str) -> str:
    if math.isnan(row["low"]):
        return "–"
    return " … ".join(format_number(end, unit, signed=True) for end in (row["low"], row["high"]))


def _percent(row: pd.Series | None) -> str:
    return "–" if row is None or math.isnan(row["value"]) else f"{100.0 * row['value']:.1f}".replace("-", "−")


def _places(title: str, before: dict, now: dict, unit: str, by: str) -> Cells:
    texts = []
    for place, row in now.items():
        texts.append(
            (
                place,
                format_number(before[place]["level"]["value"], unit),
                format_number(row["level"]["value"], unit),
                _change(row["change"], unit),
                _range(row["change"], unit),
                *(format_number(row[f"change_per_1000_{what}"]["value"], signed=True) for what in _BASES),
                _percent(before[place].get("share_of_nation")),
                _percent(row.get("share_of_change")),
            )
        )
    return Cells(title, (by.replace("_", " ").capitalize(), *_HEADS), texts)


_BASES = ("firms", "employees")


def _gains_and_losses(now: dict[str, dict[str, pd.Series]], unit: str) -> str:
    nation = now[NATION]
    changes = [row["change"] for place, row in now.items() if place != NATION]
    gain, lose = sum(row["low"] > 0.0 for row in changes), sum(row["high"] < 0.0 for row in changes)
    gains, losses = (format_number(nation[name]["value"], unit, signed=True) for name in ("gains", "losses"))
    return (
        f"Gains {gains}, losses {losses} {unit_name(unit)}: sums over what gains and what loses in the mean. Of "
        f"{len(changes)}, {gain} clearly gain and {lose} clearly lose."
    )


def _concentration(title: str, before: dict[str, dict], own: dict[str, dict]) -> Cells:
    heads = (
        *(">Gini,\nbaseline", ">scenario", ">Change", ">10–90 % of pairs", ">Gini of\ngains", ">of losses"),
        *(">Theil,\nbaseline", ">scenario"),
    )
    texts = []
    for quantity in own:
        first, now = before[quantity][NATION], own[quantity][NATION]
        texts.append(
            (
                quantity,
                *(format_number(row["gini"]["value"]) for row in (first, now)),
                _change(now["gini_change"], ""),
                _range(now["gini_change"], ""),
                *(format_number(now[name]["value"]) for name in ("gini_gains", "gini_losses")),
                *(format_number(row["theil"]["value"]) for row in (first, now)),
            )
        )
    return Cells(title, ("Quantity", *heads), texts)


def _money(title: str, before: pd.DataFrame, own: pd.DataFrame) -> Cells:
    first, now = (
        {(row["kind"], row["lever"], row["measure"]): row for _, row in frame.iterrows() if row["lever"]}
        for frame in (rows[(rows["quantity"] == PAID) & (rows["place"] == NATION)] for rows in (before, own))
    )
    texts = []
    for kind, lever in sorted(dict.fromkeys(key[:2] for key in now), key=lambda key: key[0] == ALL):  # the sum last
        change = now[kind, lever, "change"]
        texts.append(
            (
                kind,
                "" if (kind, lever) == (ALL, ALL) else lever,
                *(format_number(row[kind, lever, "level"]["value"], "yuan") for row in (first, now)),
                _change(change, "yuan"),
                _range(change, "yuan"),
                *(format_number(now[kind, lever, f"change_per_1000_{what}"]["value"], signed=True) for what in _BASES),
            )
        )
    return Cells(title, ("Kind", "Lever", *_HEADS[:-2]), texts)


def _notes(found: Incidence) -> list[str]:
    pairs = f"{found.pairs} pairs" if found.pairs > 1 else "1 pair"
    sentences = [
        f"Changes: mean over {pairs} of a scenario and the baseline {found.baseline!r} with the same draws, and 10 to "
        f"90 % of the pairs, which {variation_note(found.parameters_vary)}; ? marks a range that contains zero or is "
        "missing.",
        "Per 1,000 firms and employees: of the same row in the baseline, in firms, persons or yuan. Share of the "
        "nation: in the baseline; share of the change: only if the nation's change has one sign in all pairs.",
        "Gini (0: all rows have the same, 1: one row has all) and Theil index (nats) over the rows, which count alike "
        "whatever their size. Gini of gains and of losses: in single pairs, where luck makes it higher than that of "
        "the mean.",
        "Public money is what was paid since the start: levers, tax relief on reported R&D, awards for titles. "
        + _where(found),
    ]
    if found.by == "tier":
        sentences.append("By tier a firm that wins or loses a title moves from one row to another.")
    if found.by == "size":
        sentences.append(
            f"{found.pairs} of {found.available} pairs were run again, because results hold no sizes of firms. A firm "
            f"that grows or shrinks moves from one row to another. {SIZE_NOTE}"
        )
    if found.pairs == 1:
        sentences.append("There is only one pair, so no range. Run more --replicates.")
    return sentences


def _where(found: Incidence) -> str:
    if not found.money_is_placed:
        return f"Results do not hold it by {found.by.replace('_', ' ')}, so it is not divided here."
    return (
        "It is booked where the recipient is: the firm, the cluster, the leader (in urban districts of its home "
        "province), the manufacturers of a pilot city."
    )
