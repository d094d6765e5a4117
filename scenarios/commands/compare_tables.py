"""The tables printed by ``srdi compare``, with notes that explain them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import pandas as pd
from rich.console import Console

from scenarios.analysis.comparison import COST_OF_FUNDS, NOT_PRICED, Comparison
from scenarios.analysis.intervals import AGREE, MIN_PAIRS, PERCENTILE, SINGLE
from scenarios.analysis.metrics import Metric
from scenarios.analysis.regret import WORST_SHARE
from scenarios.display.formatting import format_estimate, format_number, supported, unit_name
from scenarios.display.screen import Cells, print_table, say
from scenarios.ensembles.default_draws import default_draws


def print_comparison(
    comparison: Comparison,
    titles: dict[str, str],
    regret: Iterable[Metric],
    console: Console,
    cost_of_funds: Sequence[float] = COST_OF_FUNDS,
) -> None:
    """Print differences and costs by scenario, regret of some metrics, and notes on their meaning.

    Args:
        titles: titles of the scenarios by name. regret: metrics whose regret is printed.
        cost_of_funds: marginal costs of public funds at which prices are printed.
    """
    regret = tuple(regret)
    several_directories = comparison.rows["directory"].nunique() > 1
    for (directory, quarter, scenario), rows in comparison.rows.groupby(
        ["directory", "quarter", "scenario"], sort=False
    ):
        name = f"{scenario}: {titles[scenario]}" if titles.get(scenario) else scenario
        title = f"{name} ({quarter}{f', {directory}' if several_directories else ''})"
        print_table(_differences(title, rows, cost_of_funds), console)
        for sentence in (*_costs(rows), _rests_on(rows)):
            say(console, sentence)
        console.print()
    for metric in regret:
        for quarter in comparison.quarters:
            print_table(_regret(comparison.regret, metric, quarter), console)
            console.print()
    for sentence in _notes(comparison, bool(regret)):
        say(console, sentence, "dim")


def _range(low: float, high: float, unit: str) -> str:
    ends = (format_number(end, unit, signed=True) for end in (low, high))
    return "–" if math.isnan(low) else " … ".join(ends)


def _differences(title: str, rows: pd.DataFrame, cost_of_funds: Sequence[float]) -> Cells:
    heads = ("Metric", "Unit", ">Baseline", ">Scenario", ">Difference", ">90 % interval", ">95 % of the mean", ">Runs")
    prices = tuple(">Million yuan each" + (f"\nat {each:g}" if each else "") for each in cost_of_funds)
    texts = [(*_difference(row), *(_price(row, each) for each in cost_of_funds)) for row in rows.itertuples()]
    return Cells(title, (*heads, *prices), texts)


def _difference(row: Any) -> tuple[str, ...]:
    shown = supported(row.difference, row.effect_low, row.effect_high, row.unit)
    likely = row.low > 0.0 or row.high < 0.0
    mark = "  " if shown.clear or row.interval == AGREE else " ~" if likely and shown.value else " ?"
    difference, interval = format_estimate(row.difference, row.effect_low, row.effect_high, row.unit, signed=True)
    return (
        row.metric,
        unit_name(row.unit),
        format_number(row.baseline_mean, row.unit),
        format_number(row.scenario_mean, row.unit),
        difference + mark,
        interval,
        _range(row.low, row.high, row.unit),
        _factor_text(row.variance_reduction),
    )


def _factor_text(factor: float) -> str:
    """The variance reduction as text; above a thousand its exact value does not matter."""
    return "–" if math.isnan(factor) else f"× {format_number(factor)}" if factor < 1000 else "over × 1,000"


def _price(row: Any, cost_of_funds: float) -> str:
    """Public cost per unit at a marginal cost of public funds; its interval is given at 0 alone."""
    if math.isnan(row.cost_per_unit_yuan):
        return "–"
    price, interval = format_estimate(
        *(
            (1.0 + cost_of_funds) * value / 1e6
            for value in (row.cost_per_unit_yuan, row.cost_per_unit_low_yuan, row.cost_per_unit_high_yuan)
        )
    )
    return price if cost_of_funds else f"{price} ({interval})"


def _costs(rows: pd.DataFrame) -> list[str]:
    """The additional cost of the scenario, and why some counts have no price."""
    first = rows.iloc[0]
    interval = (
        ""
        if math.isnan(first.cost_low_yuan)
        else f" (95 %: {_range(first.cost_low_yuan, first.cost_high_yuan, 'yuan')})"
    )
    total, levers, tax, titles = (
        format_number(yuan, "yuan", signed=True)
        for yuan in (first.cost_yuan, first.cost_lever_yuan, first.cost_tax_yuan, first.cost_title_yuan)
    )
    sentences = [
        f"Additional public cost since the start: {total} {unit_name('yuan')}{interval}, of which levers {levers}, "
        f"tax relief on R&D {tax}, awards for titles {titles}."
    ]
    unpriced = rows[(rows["cost_note"] != "") & (rows["cost_note"] != NOT_PRICED)]
    for note, group in unpriced.groupby("cost_note", sort=False):
        sentences.append(f"No price for {', '.join(group['metric'])}: {note}.")
    return sentences


def _rests_on(rows: pd.DataFrame) -> str:
    """What the differences of a scenario rest on, with the studies."""
    first = rows.iloc[0]
    meaning = {
        "measured": "reported figures",
        "fitted": "the fit to reported figures",
        "evidence": f"published evidence ({first.studies})",
        "assumed": "assumed strengths: trust sign and order more than size",
    }
    return f"What differs rests on {meaning[first.label]} [{first.label}]."


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
            f">Difference at worst {_percent(WORST_SHARE)}",
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


def _notes(comparison: Comparison, regret: bool) -> list[str]:
    """Notes on pairs, intervals and columns, and on regret if it was printed."""
    shared = "parameters and random draws" if comparison.parameters_vary else "random draws (common random numbers)"
    sentences = [
        f"Pairs: the baseline {comparison.baseline!r} and the scenario are run with the same {shared}; the "
        "difference of a pair is the effect of the policy. Difference: mean over the pairs, rounded to what its "
        "interval supports. Its 90 % interval is that of the effect, with the model's own error, and does not shrink "
        "as runs are added. ~ marks a difference whose interval contains zero while its mean is clear, ? one that is "
        "not clear. Per cent: differences in percentage points.",
        "Runs: how many times more replicates unpaired runs would need for an equally narrow interval.",
        "Million yuan each: additional public cost since the start (levers, tax relief on R&D, awards for titles) per "
        "additional firm or other unit, where both differences are clearly above zero; also at a marginal cost of "
        "public funds, what raising a yuan of taxes costs beyond that yuan.",
        _interval_note(comparison),
    ]
    if regret:
        sentences.append(
            "Regret: the shortfall of a policy against the best one in the same state of the world. States are the "
            "parameter draws and replicates of all directories, with equal weights; ties count as best for each."
        )
    methods = set(comparison.rows["interval"])
    if SINGLE in methods:
        sentences.append("There is only one pair, so no interval. Run more --replicates.")
    elif comparison.units < MIN_PAIRS:
        sentences.append(
            f"With {comparison.units} replicates or parameter draws, intervals of the mean are Student's t and all "
            f"are wide. {MIN_PAIRS} or more are better."
        )
    if PERCENTILE in methods:
        sentences.append("Where BCa bootstrap intervals are not defined, percentile intervals are used.")
    return [*sentences, *(f"{metric.name}: {metric.description}." for metric in comparison.metrics)]


def _interval_note(comparison: Comparison) -> str:
    if comparison.parameters_vary:
        return (
            "Pairs differ in parameters and in random draws: the 90 % interval contains both. The 95 % interval of "
            "the mean narrows with the number of draws and replicates."
        )
    return (
        "Pairs differ in random draws only: no interval here reflects parameter uncertainty (srdi run --params "
        f"{default_draws().name} does). "
        "The 95 % interval of the mean narrows with the number of replicates."
    )
