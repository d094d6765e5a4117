"""The tables ``srdi compare`` prints, and below them what they hold in plain words."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import pandas as pd
from rich.console import Console

from scenarios.analysis.comparison import NOT_PRICED, Comparison
from scenarios.analysis.intervals import AGREE, ENOUGH, PERCENTILE, SINGLE
from scenarios.analysis.metrics import Metric
from scenarios.analysis.regret import BAD
from scenarios.display.formatting import format_number, unit_name
from scenarios.display.screen import Cells, print_table, say


def print_comparison(found: Comparison, titles: dict[str, str], regret: Iterable[Metric], console: Console) -> None:
    """Print differences and costs by scenario, regret of some metrics, and what the numbers mean.

    Args:
        titles: titles of the scenarios by name. regret: the metrics whose regret is printed.
    """
    regret = tuple(regret)
    several = found.rows["directory"].nunique() > 1
    for (directory, quarter, scenario), rows in found.rows.groupby(["directory", "quarter", "scenario"], sort=False):
        name = f"{scenario}: {titles[scenario]}" if titles.get(scenario) else scenario
        title = f"{name} ({quarter}{f', {directory}' if several else ''})"
        print_table(_differences(title, rows, found.drawn), console)
        for sentence in _costs(rows):
            say(console, sentence)
        console.print()
    for metric in regret:
        for quarter in found.quarters:
            print_table(_regret(found.regret, metric, quarter), console)
            console.print()
    for sentence in _words(found, bool(regret)):
        say(console, sentence, "dim")


def _range(low: float, high: float, unit: str) -> str:
    ends = (format_number(end, unit, signed=True) for end in (low, high))
    return "–" if math.isnan(low) else " … ".join(ends)


def _differences(title: str, rows: pd.DataFrame, drawn: bool) -> Cells:
    heads = ("Figure", "Unit", ">Baseline", ">Scenario", ">Difference", ">95 % interval", ">Million yuan each", ">Runs")
    # Single pairs tell more than their mean only where they differ in parameters.
    texts = [(*_difference(row), *([_range(row.p05, row.p95, row.unit)] if drawn else [])) for row in rows.itertuples()]
    return Cells(title, (*heads, *([">90 % of pairs"] if drawn else [])), texts)


def _difference(row: Any) -> tuple[str, ...]:
    certain = row.low > 0.0 or row.high < 0.0 or row.interval == AGREE
    return (
        row.metric,
        unit_name(row.unit),
        format_number(row.baseline_mean, row.unit),
        format_number(row.scenario_mean, row.unit),
        format_number(row.difference, row.unit, signed=True) + ("  " if certain else " ?"),
        _range(row.low, row.high, row.unit),
        _price(row),
        _times(row.variance_reduction),
    )


def _times(factor: float) -> str:
    """How many times as many runs; beyond a thousand the number says no more."""
    return "–" if math.isnan(factor) else f"× {format_number(factor)}" if factor < 1000 else "over × 1,000"


def _price(row: Any) -> str:
    if math.isnan(row.cost_per_unit_yuan):
        return "–"
    price, low, high = (
        format_number(value / 1e6)
        for value in (row.cost_per_unit_yuan, row.cost_per_unit_low_yuan, row.cost_per_unit_high_yuan)
    )
    return f"{price} ({low} … {high})"


def _costs(rows: pd.DataFrame) -> list[str]:
    """What the scenario costs more or less, and why counts have no price that have none."""
    first = rows.iloc[0]
    interval = (
        ""
        if math.isnan(first.cost_low_yuan)
        else f" (95 %: {_range(first.cost_low_yuan, first.cost_high_yuan, 'yuan')})"
    )
    amount = f"{format_number(first.cost_yuan, 'yuan', signed=True)} {unit_name('yuan')}"
    sentences = [f"Additional public money since the start: {amount}{interval}."]
    without = rows[(rows["cost_note"] != "") & (rows["cost_note"] != NOT_PRICED)]
    for note, group in without.groupby("cost_note", sort=False):
        sentences.append(f"No price of {', '.join(group['metric'])}: {note}.")
    return sentences


def _regret(regret: pd.DataFrame, metric: Metric, quarter: str) -> Cells:
    rows = regret[(regret["metric"] == metric.name) & (regret["quarter"] == quarter)]
    return Cells(
        f"Regret in {metric.name}, {unit_name(metric.unit)} ({quarter}; {rows['states'].iloc[0]} states of the world; "
        f"{'less' if metric.less_is_better else 'more'} is better)",
        (
            "Policy",
            ">Mean",
            ">90 % quantile",
            ">Largest",
            ">Best in",
            ">Better than baseline in",
            f">Difference at worst {_percent(BAD)}",
        ),
        [
            (
                row.scenario,
                *(format_number(value, metric.unit) for value in (row.regret_mean, row.regret_p90, row.regret_max)),
                _percent(row.best_share),
                _percent(row.better_share),
                format_number(row.bad_difference, metric.unit, signed=True),
            )
            for row in rows.sort_values("regret_mean", kind="stable").itertuples()
        ],
    )


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _words(found: Comparison, regret: bool) -> list[str]:
    """What is paired, what the intervals hold, and what the columns mean, of regret too if it was printed."""
    shared = "parameters and random draws" if found.drawn else "random draws (common random numbers)"
    sentences = [
        f"Pairs: the baseline {found.baseline!r} and the scenario are run with the same {shared}; the difference of a "
        "pair is the effect of the policy. Difference: mean over the pairs; ? marks one whose 95 % interval contains "
        "zero. Per cent: differences in percentage points.",
        "Runs: how many times more replicates unpaired runs would need for an equally narrow interval.",
        "Million yuan each: additional public money since the start per additional firm (or other unit), "
        "where both differences are clearly above zero.",
        _held(found),
    ]
    if regret:
        sentences.append(
            "Regret: the shortfall of a policy against the best one in the same state of the world. States are the "
            "parameter draws and replicates of all directories, with equal weights; ties count as best for each."
        )
    methods = set(found.rows["interval"])
    if SINGLE in methods:
        sentences.append("There is only one pair, so no interval. Run more --replicates.")
    elif found.units < ENOUGH:
        sentences.append(
            f"With {found.units} replicates or draws, intervals of differences are Student's t; bootstrap intervals of "
            f"prices are too narrow. {ENOUGH} or more are better."
        )
    if PERCENTILE in methods:
        sentences.append("Where BCa bootstrap intervals are not defined, percentile intervals are used.")
    return [*sentences, *(f"{metric.name}: {metric.description}." for metric in found.metrics)]


def _held(found: Comparison) -> str:
    if found.drawn:
        return (
            "Pairs differ in parameters and in random draws: the range of 90 % of pairs reflects both. The 95 % "
            "interval is that of their mean and narrows with the number of draws and replicates."
        )
    return (
        "Pairs differ in random draws only: no interval here reflects parameter uncertainty (srdi run --params "
        "posterior does). "
        "The 95 % interval is that of the mean and narrows with the number of replicates."
    )
