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
        for quantity in found.quantities:
            first, now = (_by_place(frame[frame["quantity"] == quantity]) for frame in (before, own))
            unit = now[NATION]["level"]["unit"]
            what = quantity if unit == quantity else f"{quantity}, {unit_name(unit)},"
            title = f"{versus}: {what} by {found.by} ({quarter})"
            print_table(_places(title, first, now, unit, found.by), console)
            say(console, _gains_and_losses(now, unit))
            console.print()
        print_table(_concentration(f"{versus}: concentration ({quarter})", before, own, found), console)
        console.print()
        print_table(_money(f"{versus}: public money, {NOT_BOOKED}, bn yuan up to {quarter}", before, own), console)
        label = own[own["measure"] == "change"].iloc[0]
        studies = f" ({label.studies})" if label.studies else ""
        say(console, f"Changes rest on what is {label.label}{studies}.")
        console.print()
    for sentence in _notes(found):
        say(console, sentence, "dim")


def _by_place(rows: pd.DataFrame) -> dict[str, dict[str, pd.Series]]:
    """Rows by place and measure, in their order."""
    found: dict[str, dict[str, pd.Series]] = {}
    for _, row in rows.iterrows():
        found.setdefault(row["place"], {})[row["measure"]] = row
    return found


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


def _concentration(title: str, before: pd.DataFrame, own: pd.DataFrame, found: Incidence) -> Cells:
    heads = (
        *(">Gini,\nbaseline", ">scenario", ">Change", ">10–90 % of pairs", ">Gini of\ngains", ">of losses"),
        *(">Theil,\nbaseline", ">scenario"),
    )
    texts = []
    for quantity in found.quantities:
        parts = (frame[frame["quantity"] == quantity] for frame in (before, own))
        first, now = (_by_place(part)[NATION] for part in parts)
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
        {(row["kind"], row["lever"], row["measure"]): row for _, row in frame[frame["quantity"] == PAID].iterrows()}
        for frame in (before, own)
    )
    texts = []
    for kind, lever in dict.fromkeys(key[:2] for key in now):
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
        "Public money is not booked by place: results hold it by kind and lever for the nation (paid since the start: "
        "levers, tax relief on reported R&D, awards for titles), and it is not divided here.",
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
