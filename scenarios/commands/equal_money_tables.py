"""The tables printed by ``srdi equal-money``, with notes that explain them."""

from __future__ import annotations

import math
from itertools import combinations

import pandas as pd
from rich.console import Console

from scenarios.analysis.equal_money import EqualMoney
from scenarios.analysis.metrics import Metric
from scenarios.commands.decompose_tables import error_text, signed_band
from scenarios.commands.run_tables import variation_note
from scenarios.display.formatting import format_number, unit_name
from scenarios.display.screen import Cells, print_table, say


def print_equal_money(found: EqualMoney, console: Console) -> None:
    """Print what each policy costs and does at the same cost, the chances that one is better, and notes."""
    print_table(_policies(found), console)
    for _, row in found.policies.iterrows():
        say(console, f"{row['scenario']}, × {row['factor']:.4g}: {row['settings']}.")
        if row["unscaled"]:
            say(console, f"{row['scenario']} also differs in what is not scaled: {row['unscaled']}.")
    for sentence in _warnings(found):
        say(console, sentence)
    console.print()
    for quarter in found.quarters:
        print_table(_effects(found, quarter), console)
        console.print()
        print_table(_chances(found, quarter), console)
        missing = found.chances.loc[(found.chances["quarter"] == quarter) & (found.chances["note"] != ""), "note"]
        for note in missing.unique():
            say(console, f"–: {note}.")
        console.print()
    for sentence in _notes(found):
        say(console, sentence, "dim")


def _policies(found: EqualMoney) -> Cells:
    texts = []
    for _, row in found.policies.iterrows():
        ends = ("low", "high", "error")
        cost = pd.Series({"value": row["cost_yuan"], **{end: row[f"cost_{end}_yuan"] for end in ends}})
        texts.append(
            (
                row["scenario"],
                row["label"],
                format_number(row["cost_given_yuan"], "yuan", signed=True),
                f"{row['factor']:.4g}",
                *signed_band(cost, "yuan"),
                error_text(cost, "yuan"),
                f"{100.0 * row['off']:+.1f}".replace("-", "−"),
                str(row["tried"]),
            )
        )
    heads = (
        *("Policy", "Rests on", ">Cost as given,\nbn yuan", ">Factor", ">Cost at it,\nbn yuan", ">10–90 % of pairs"),
        *(">Error", ">Off, %", ">Factors\ntried"),
    )
    wanted = format_number(found.cost_yuan, "yuan")
    return Cells(f"Public cost over {found.baseline!r}, brought to {wanted} {unit_name('yuan')}", heads, texts)


def _warnings(found: EqualMoney) -> list[str]:
    missed = found.policies.loc[~found.policies["within"], "scenario"]
    if missed.empty:
        return []
    return [
        f"Not within {100.0 * found.tolerance:g} % of the cost wanted: {', '.join(missed)}. With few simulated firms, "
        f"cost moves in steps (here one stands for {found.firms:,.0f}), and some settings are whole numbers: use a "
        "larger --scale, more --replicates, or a larger --tolerance."
    ]


def _metrics(found: EqualMoney) -> dict[str, Metric]:
    return {metric.name: metric for metric in found.quantities}


def _effects(found: EqualMoney, quarter: str) -> Cells:
    own = found.rows[found.rows["quarter"] == quarter]
    texts = []
    for metric in found.quantities:
        for _, row in own[own["quantity"] == metric.name].iterrows():
            texts.append(
                (
                    metric.name,
                    row["scenario"],
                    unit_name(metric.unit),
                    *signed_band(row, metric.unit),
                    error_text(row, metric.unit),
                    format_number(row["per_billion_yuan"], metric.unit, signed=True),
                )
            )
    heads = ("Quantity", "Policy", "Unit", ">Difference", ">10–90 % of pairs", ">Error", ">per bn yuan")
    return Cells(f"Differences from {found.baseline!r} at the same cost ({quarter})", heads, texts)


def _chances(found: EqualMoney, quarter: str) -> Cells:
    own = found.chances[found.chances["quarter"] == quarter]
    by = own.set_index(["quantity", "scenario", "other", "measure"]).sort_index()
    texts = []
    for metric in found.quantities:
        for one, other in combinations(found.policies["scenario"], 2):
            cells = [metric.name, one, other]
            for measure in ("in_all", "per_yuan"):
                first, second = by.loc[(metric.name, one, other, measure)], by.loc[(metric.name, other, one, measure)]
                cells += [*_chance(first), *_chance(second)]
            texts.append(tuple(cells))
    heads = (
        *("Quantity", "A", "B", ">A beats B\nin all", ">95 %", ">B beats A\nin all", ">95 %"),
        *(">A beats B\nper yuan", ">95 %", ">B beats A\nper yuan", ">95 %"),
    )
    return Cells(f"Equal money: share of the pairs in which one policy is better ({quarter})", heads, texts)


def _chance(row: pd.Series) -> tuple[str, str]:
    if math.isnan(row["value"]):
        return "–", "–"
    return f"{100.0 * row['value']:.0f} %", f"{100.0 * row['low']:.0f}–{100.0 * row['high']:.0f} %"


def _notes(found: EqualMoney) -> list[str]:
    less = [metric.name for metric in found.quantities if metric.less_is_better]
    sentences = [
        f"Means over {found.pairs} pairs of runs with the same draws, as differences from {found.baseline!r}, and 10 "
        f"to 90 % of the pairs, which {variation_note(found.parameters_vary)}; ? marks a range that contains zero or "
        "is missing. Error: Monte Carlo standard error of the mean.",
        "Cost: full public cost over the run (levers, tax relief on R&D, awards for titles). What a policy adds to the "
        "baseline is scaled: budgets, and amounts, numbers and intensities in which levers of both differ. The means "
        "are brought to the same cost; single pairs still differ in it.",
        "Better: "
        + (f"less of {', '.join(less)}, more of all else. " if less else "more. ")
        + "Per yuan: difference over the pair's own cost up to the quarter. A tie counts for neither. 95 %: Wilson's "
        "interval for so many pairs.",
    ]
    if found.pairs == 1:
        sentences.append("There is only one pair, so no range, and chances are 0 or 100 %. Run more --replicates.")
    return [*sentences, *(f"{metric.name}: {metric.description}." for metric in found.quantities)]
