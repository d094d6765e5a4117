"""The tables printed by ``srdi decompose``, with notes that explain them."""

from __future__ import annotations

import math

import pandas as pd
from rich.console import Console

from scenarios.analysis.decomposition import FEW, MOST_EXACT, TOGETHER, WHOLE, Decomposition
from scenarios.analysis.metrics import Metric
from scenarios.commands.run_tables import variation_note
from scenarios.display.formatting import format_number, unit_name
from scenarios.display.screen import Cells, print_table, say

_BAND = ">10–90 %"


def print_decomposition(found: Decomposition, console: Console) -> None:
    """Print what the parts do, by quantity and quarter; with three or more also what pairs do together; and notes."""
    for quarter in found.quarters:
        for metric in found.quantities:
            print_table(_parts(found, metric, quarter), console)
            console.print()
            if found.exact and len(found.parts) > 2:
                print_table(_pairs(found, metric, quarter), console)
                console.print()
    for sentence in _notes(found):
        say(console, sentence, "dim")


def signed_band(row: pd.Series, unit: str) -> tuple[str, str]:
    """A mean difference and its band; ? marks one whose band contains zero or is missing."""
    sure = row["low"] > 0.0 or row["high"] < 0.0 or row["low"] == row["high"]
    text = format_number(row["value"], unit, signed=True) + ("  " if sure else " ?")
    if math.isnan(row["low"]):
        return text, "–"
    return text, " … ".join(format_number(row[end], unit, signed=True) for end in ("low", "high"))


def error_text(row: pd.Series, unit: str) -> str:
    """A Monte Carlo standard error."""
    return "–" if math.isnan(row["error"]) else "±" + format_number(row["error"], unit, signed=True).lstrip("+")


def _parts(found: Decomposition, metric: Metric, quarter: str) -> Cells:
    measures = found.measures(metric.name, quarter)
    level = measures["level"].loc[found.baseline, "value"]
    whole = measures["whole"].loc[WHOLE]
    before, after = (format_number(value, metric.unit) for value in (level, level + whole["value"]))
    title = f"{metric.name}, {unit_name(metric.unit)} ({quarter}): {before} in {found.baseline}, {after} in "
    heads = ("Part", "Rests on", ">Alone", _BAND, ">Error", ">Left out last", _BAND)
    shares = (">Shapley", _BAND, ">Error") if found.exact else ()
    texts: list[tuple[str, ...]] = []
    for part in found.parts:
        alone, last = (measures[name].loc[part] for name in ("alone", "last"))
        cells: tuple[str, ...] = (
            part,
            alone["label"],
            *signed_band(alone, metric.unit),
            error_text(alone, metric.unit),
        )
        cells += signed_band(last, metric.unit)
        if found.exact:
            share = measures["shapley"].loc[part]
            cells += (*signed_band(share, metric.unit), error_text(share, metric.unit))
        texts.append(cells)
    together = measures["together"].loc[TOGETHER]
    for name, row in ((TOGETHER, together), (f"= {WHOLE}", whole)):
        of_whole = name != TOGETHER and found.exact
        cells = (name, str(row["label"]), *signed_band(row, metric.unit), error_text(row, metric.unit), "", "")
        if found.exact:
            cells += (*signed_band(row, metric.unit), error_text(row, metric.unit)) if of_whole else ("", "", "")
        texts.append(cells)
    return Cells(title + found.scenario, (*heads, *shares), texts)


def _pairs(found: Decomposition, metric: Metric, quarter: str) -> Cells:
    measures = found.measures(metric.name, quarter)
    texts = [
        (str(part), *signed_band(row, metric.unit), error_text(row, metric.unit))
        for measure in ("pair", "rest")
        for part, row in measures[measure].iterrows()
    ]
    return Cells(f"{metric.name}: what parts do together ({quarter})", ("Parts", ">Together", _BAND, ">Error"), texts)


def _notes(found: Decomposition) -> list[str]:
    pairs = f"{found.pairs} pairs" if found.pairs > 1 else "1 pair"
    sentences = [
        f"Means over {pairs} of runs with the same draws, as differences from {found.baseline!r}, 10 to 90 % of "
        f"the pairs, which {variation_note(found.parameters_vary)}; ? marks a range that contains zero or is missing. "
        "Error: Monte Carlo standard error of the mean, which falls with the number of pairs.",
        "Alone: the baseline with this part only. Left out last: the whole less all but this part. Together: the whole "
        "less all parts alone; above zero they strengthen each other, below zero they do in part the same. The parts "
        "alone and together add up to the whole.",
    ]
    if found.exact:
        sentences.append(
            "Shapley: the mean of what a part adds over all orders of putting the parts in force. The values add up to "
            "the whole; what two do together goes in halves to each."
        )
    else:
        more = ", or allow more --runs" if len(found.parts) <= MOST_EXACT else ""
        sentences.append(
            f"No Shapley values: {len(found.parts)} parts have {2 ** len(found.parts):,} subsets. Join parts (--group) "
            f"until there are {FEW}{more}."
        )
    if found.pairs == 1:
        sentences.append("There is only one pair, so no range and no error. Run more --replicates.")
    return [*sentences, *(f"{metric.name}: {metric.description}." for metric in found.quantities)]
