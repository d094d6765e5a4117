"""The tables printed by ``srdi sweep`` and ``srdi optimize``."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from rich.console import Console

from scenarios.analysis.intervals import student_interval
from scenarios.analysis.outcomes import Outcome
from scenarios.display.formatting import format_number, unit_name
from scenarios.display.screen import Cells, print_table, say
from scenarios.search.evaluation import ParetoSet
from scenarios.search.optimize import Problem, Trials

#: Largest number of rows of a sweep that are printed.
_ROWS = 60
#: Public cost in full, as a difference like the goals, and beside it the money that the budget limits.
_MONEY = (f">Public cost over the base, {unit_name('yuan')}", f">Spending through levers, {unit_name('yuan')}")


def _heads(values: pd.DataFrame) -> list[str]:
    """Headings of factors: numbers are right-aligned; names and lists of names may wrap."""
    return [f"{'>' if all(map(_is_number, values[key])) else ''}{key.partition('.')[2]}" for key in values]


def _is_number(value: object) -> bool:
    return isinstance(value, int | float | np.number) and not isinstance(value, bool)


def value_text(value: object) -> str:
    """A factor's value in a cell."""
    return format_number(float(value)) if _is_number(value) else str(value)  # type: ignore[arg-type]


def print_sweep(table: pd.DataFrame, outcomes: tuple[Outcome, ...], runs: int, console: Console) -> None:
    """Print the table of `scenarios.search.sweep.sweep_table`; `runs` is the number of runs per point."""
    keys = [key for group, key in table.columns if group == "factor"]
    heads = [f">{outcome.text} ({unit_name(outcome.unit)})" for outcome in outcomes]
    rows = []
    for name, row in table.head(_ROWS).iterrows():
        cells = []
        for outcome in outcomes:
            quantiles = (row[outcome.text, statistic] for statistic in ("median", "p05", "p95"))
            median, low, high = (format_number(value, outcome.unit) for value in quantiles)
            cells.append(f"{median} [{low}, {high}]")
        rows.append((str(name), *(value_text(row["factor", key]) for key in keys), *cells))
    print_table(Cells("Points of the design", ("Point", *_heads(table["factor"]), *heads), rows), console)
    if len(table) > _ROWS:
        say(console, f"… and {len(table) - _ROWS} more points; use --json or --out for all")
    say(
        console,
        "; ".join(f"{outcome.text}: {outcome.when}" for outcome in outcomes)
        + f". Median and 5–95 % over {runs} runs per point; all points share their seeds.",
        "dim",
    )


def print_trials(trials: Trials, problem: Problem, goals: tuple[Outcome, ...], name: str, console: Console) -> None:
    """Print the Pareto set of the trials so far, with the results of the search."""
    means, lows, highs = student_interval(trials.evaluation.goals, axis=1)
    heads = [f">{goal.text}, {unit_name(goal.unit)}" for goal in goals]
    rows = []
    for index in trials.pareto(problem).tolist():
        spreads = zip(means[index], lows[index], highs[index], strict=True)
        cells = [_spread(spread, goal.unit) for spread, goal in zip(spreads, goals, strict=True)]
        found = trials.evaluation
        rows.append(
            (f"{name}-{index + 1:04d}", *cells, *_money(found.cost[index].mean(), found.spending[index].mean()))
        )
    title = "Pareto set of the trials so far: differences from the base"
    print_table(Cells(title, ("Point", *heads, *_MONEY), rows), console)


def print_pareto(pareto: ParetoSet, goals: tuple[Outcome, ...], console: Console) -> None:
    """Print the Pareto set: its settings, its goals in the search and on new seeds, and notes on their meaning."""
    problem, table = pareto.problem, pareto.table()
    marked = [f"{name} *" if index == pareto.best else name for index, name in enumerate(pareto.names)]
    keys = [factor.key for factor in problem.factors]
    rows: list[tuple[str, ...]] = []
    for name, (_, row) in zip(marked, table.iterrows(), strict=True):
        remarks = [] if row["within_budget"] else ["over the budget on new seeds"]
        remarks += [] if row["efficient"] else ["dominated on new seeds"]
        settings = (value_text(row[key]) for key in keys)
        money = _money(row["cost_yuan_again"], row["spending_yuan_again"])
        rows.append((name, *settings, *money, ", ".join(remarks)))
    heads = ("Point", *_heads(table[keys]), *_MONEY, "Remarks")
    print_table(Cells("Pareto set: settings (* best)", heads, rows), console)
    console.print()
    rows = []
    for name, (_, row) in zip(marked, table.iterrows(), strict=True):
        cells = [
            "\n".join(
                _spread([row[f"{goal.text}{suffix}{end}"] for end in ("", "_low", "_high")], goal.unit)
                for suffix in ("", "_again")
            )
            for goal in goals
        ]
        rows.append((name, *cells))
    title = "Differences from the base, means with 95 % intervals: in the search, on new seeds"
    goal_heads = [
        f">{goal.text} ({direction}), {unit_name(goal.unit)}"
        for goal, direction in zip(goals, _directions(problem), strict=True)
    ]
    print_table(Cells(title, ("Point", *goal_heads), rows), console)
    optimism = "; ".join(
        f"{goal.text} {format_number(value, goal.unit, signed=True)} ({unit_name(goal.unit)})"
        for goal, value in zip(goals, pareto.optimism, strict=True)
    )
    say(
        console,
        "The search selected these points for their results on its own seeds. On new seeds they are worse, on average "
        f"by (+ is worse): {optimism}. * best: on the new seeds, the point nearest to the ideal point, which has the "
        "best value of every goal; each goal is scaled to 0…1 over the points.",
        "dim",
    )
    if pareto.repeated_draws:
        say(
            console,
            f"{pareto.repeated_draws} of the {pareto.on_new_seeds.goals.shape[1]} parameter draws on the new seeds are "
            "those of the search, because there are no others: the advantage of a point on these draws remains.",
            "dim",
        )


def _money(cost: float, spending: float) -> tuple[str, str]:
    """Cells of the columns `_MONEY`."""
    return format_number(cost, "yuan", signed=True), format_number(spending, "yuan")


def _directions(problem: Problem) -> list[str]:
    return ["max" if sign > 0 else "min" for sign in problem.signs]


def _spread(mean_and_ends: Sequence[float], unit: str) -> str:
    """A mean, with its interval if there is one."""
    mean, *ends = (format_number(value, unit, signed=True) for value in mean_and_ends)
    return mean if np.isnan(mean_and_ends).any() else f"{mean} [{', '.join(ends)}]"
