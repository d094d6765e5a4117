"""The tables printed by ``srdi value``, with notes that explain them."""

from __future__ import annotations

import math
from collections.abc import Mapping

import pandas as pd
from rich.console import Console

from scenarios.analysis.value import NOT_COUNTED, WAGE_YEAR, Value
from scenarios.commands.run_tables import variation_note
from scenarios.display.formatting import format_number, unit_name
from scenarios.display.screen import Cells, print_table, say

_PARTS = {
    "revenue_yuan": "revenue, net of displacement",
    "job_years": "work (not discounted)",
    "research_yuan": "R&D",
    "value_added_yuan": "value added",
    "labour_yuan": "− labour from other uses",
    "research_moved_yuan": "− R&D from other uses",
    "gain_yuan": "= gain",
    "tax_back_yuan": "  of which tax that flows back",
    "public_cost_yuan": "public cost",
    "cost_lever_yuan": "  of which levers",
    "cost_tax_yuan": "  of which tax relief on R&D",
    "cost_title_yuan": "  of which awards for titles",
}


def print_value(found: Value, console: Console) -> None:
    """Print parts, net benefit and ratios of each scenario, the chances of each pair of scenarios, and notes."""
    rows = found.rows
    for scenario in found.scenarios:
        own = rows[(rows["scenario"] == scenario) & (rows["other"] == found.baseline)]
        versus = f"{scenario} against {found.baseline}"
        title = f"{versus}: parts up to {found.until}, yuan of {found.assumptions.present}"
        print_table(_parts(title, own), console)
        console.print()
        print_table(_worth(f"{versus}: worth", own), console)
        for sentence in _without_number(own):
            say(console, sentence)
        label = own[own["quantity"] == "public_cost_yuan"].iloc[0]
        studies = f" ({label.studies})" if label.studies else ""
        say(
            console,
            f"Revenue, work, R&D and public cost rest on what is {label.label}{studies}; all other rows also on the "
            "assumptions below, and so on what is assumed.",
        )
        console.print()
    if len(found.scenarios) > 1:
        print_table(_ranks(found), console)
        notes = rows.loc[(rows["quantity"] == "beats_per_yuan_share") & (rows["note"] != ""), "note"].unique()
        for note in notes:
            say(console, f"–: {note}.")
        console.print()
    for sentence in found.caveats:
        say(console, f"Careful: {sentence}")
    for sentence in _notes(found):
        say(console, sentence, "dim")


def _signed(row: pd.Series) -> tuple[str, str]:
    """A difference and its band; ? marks one whose band contains zero or that has none."""
    if math.isnan(row["value"]):
        return "–", "–"
    sure = row["low"] > 0.0 or row["high"] < 0.0 or row["low"] == row["high"]
    text = format_number(row["value"], row["unit"], signed=True) + ("  " if sure else " ?")
    if math.isnan(row["low"]):
        return text, "–"
    return text, " … ".join(format_number(row[end], row["unit"], signed=True) for end in ("low", "high"))


def _parts(title: str, rows: pd.DataFrame) -> Cells:
    found = {row["quantity"]: row for _, row in rows.iterrows()}
    texts = [
        (word, unit_name(found[name]["unit"]), *_signed(found[name])) for name, word in _PARTS.items() if name in found
    ]
    return Cells(title, ("Part", "Unit", ">Mean", ">10–90 % of pairs"), texts)


def _worth(title: str, rows: pd.DataFrame) -> Cells:
    heads = (
        *("Cost of funds", ">Net benefit,\nbn yuan", ">10–90 % of pairs", ">Benefit-\ncost ratio", ">10–90 %"),
        *(">Net benefit\nabove zero in", ">MVPF", ">10–90 %"),
    )
    mvpf = rows[rows["quantity"] == "mvpf"].iloc[0]
    texts = []
    for cost, at in rows.dropna(subset=["cost_of_funds"]).groupby("cost_of_funds", sort=False):
        found = {row["quantity"]: row for _, row in at.iterrows()}
        texts.append(
            (
                f"{cost:g}",
                *_signed(found["net_benefit_yuan"]),
                *_plain(found["benefit_cost"]),
                _percent(found["positive_share"]["value"]),
                *_plain(mvpf),
            )
        )
    return Cells(title, heads, texts)


def _plain(row: pd.Series | Mapping) -> tuple[str, str]:
    """A ratio and its band, with two decimals."""
    middle, low, high = (f"{row[name]:,.2f}".replace("-", "−") for name in ("value", "low", "high"))
    return (
        "–" if math.isnan(row["value"]) else middle,
        "–" if math.isnan(row["low"]) else f"{low} … {high}",
    )


def _without_number(rows: pd.DataFrame) -> list[str]:
    """Why a ratio or its range is missing."""
    words = {"benefit_cost": "Benefit-cost ratio", "mvpf": "MVPF"}
    missing = rows[rows["quantity"].isin(words) & (rows["note"] != "")].drop_duplicates(["quantity", "note"])
    return [f"{words[row['quantity']]}: {row['note']}." for _, row in missing.iterrows()]


def _percent(share: float) -> str:
    return "–" if math.isnan(share) else f"{100.0 * share:.0f} %"


def _ranks(found: Value) -> Cells:
    ranks = found.rows[found.rows["quantity"].isin(("beats_share", "beats_per_yuan_share"))]
    heads = ("Scenario", "Beats", ">per yuan in", *(f">in all, at {each:g}, in" for each in found.cost_of_funds))
    texts = []
    for (scenario, other), own in ranks.groupby(["scenario", "other"], sort=False):
        in_all = own[own["quantity"] == "beats_share"].set_index("cost_of_funds")["value"]
        per_yuan = own.loc[own["quantity"] == "beats_per_yuan_share", "value"].iloc[0]
        shares = (per_yuan, *(in_all[each] for each in found.cost_of_funds))
        texts.append((str(scenario), str(other), *map(_percent, shares)))
    return Cells(
        "Equal money: share of the pairs in which the net benefit of one is above that of another", heads, texts
    )


def _notes(found: Value) -> list[str]:
    pairs = f"{found.pairs} pairs" if found.pairs > 1 else "1 pair"
    given = found.assumptions
    sentences = [
        f"Not counted: {'; '.join(NOT_COUNTED)}.",
        "Net of displacement: what rivals in the same niche and sector lose is taken off, at the strengths of the run. "
        "With sector_displacement at 1, its default, a sector keeps of a rise of what it could sell only the share it "
        "sells abroad. Losses of foreign rivals are not taken off.",
        f"Assumed: discount rate {given.discount_rate:g} a year; value added {given.value_added_share:g} of revenue; "
        f"wage {given.wage:,.0f} yuan a year in {WAGE_YEAR}, growing by {given.wage_growth:g} a year; "
        f"{given.labour_moved:g} of the work and {given.research_moved:g} of the R&D added come from other uses; "
        f"{given.tax_share:g} of the gain flows back as tax. srdi value --help says where these come from.",
        "Gain: value added less labour and R&D from other uses, before tax. Net benefit: gain less (1 + cost of funds) "
        "times public cost. Benefit-cost ratio: gain over that cost. MVPF: gain after tax over public cost less tax "
        "that flows back; worth it if above 1 + cost of funds. Up to a tenth of R&D staff counts as work and as R&D.",
        f"Means over {pairs} of a scenario and the baseline {found.baseline!r} with the same draws, and 10 to 90 % of "
        f"the pairs, which {variation_note(found.parameters_vary)}; ? marks a range that contains zero or is missing. "
        "Ratios are those of the means. Per yuan: net benefit over public cost. A tie counts for neither.",
    ]
    if found.pairs == 1:
        sentences.append("There is only one pair, so no range, and chances are 0 or 100 %. Run more --replicates.")
    return sentences
