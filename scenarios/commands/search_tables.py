"""The tables ``srdi sweep`` and ``srdi optimize`` print."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from rich.console import Console

from scenarios.analysis.intervals import student_interval
from scenarios.analysis.outcomes import Outcome
from scenarios.display.formatting import format_number, unit_name
from scenarios.display.screen import Cells, print_table, say
from scenarios.search.optimize import Problem, Trials
from scenarios.search.paired import ParetoSet

#: Most rows of a sweep on the screen.
_ROWS = 60
_SPENDING = f">Spending, {unit_name('yuan')}"


def _heads(values: pd.DataFrame) -> list[str]:
    """Heads of factors: numbers to the right, while names and lists of them may fold."""
    return [f"{'>' if all(map(_is_number, values[key])) else ''}{key.partition('.')[2]}" for key in values]


def _is_number(value: object) -> bool:
    return isinstance(value, int | float | np.number) and not isinstance(value, bool)


def value_text(value: object) -> str:
    """A factor's value in a cell."""
    return format_number(float(value)) if _is_number(value) else str(value)  # type: ignore[arg-type]


def print_sweep(table: pd.DataFrame, outcomes: tuple[Outcome, ...], runs: int, console: Console) -> None:
    """Print the table of `scenarios.search.sweep.sweep_table`; `runs` is how many each point has."""
    keys = [key for group, key in table.columns if group == "factor"]
    heads = [f">{outcome.text} ({unit_name(outcome.unit)})" for outcome in outcomes]
    rows = []
    for name, row in table.head(_ROWS).iterrows():
        cells = []
        for outcome in outcomes:
            quantiles = (row[outcome.text, part] for part in ("median", "p05", "p95"))
            median, low, high = (format_number(value, outcome.unit) for value in quantiles)
            cells.append(f"{median} [{low}, {high}]")
        rows.append((str(name), *(value_text(row["factor", key]) for key in keys), *cells))
    print_table(Cells("Points of the design", ("Point", *_heads(table["factor"]), *heads), rows), console)
    if len(table) > _ROWS:
        say(console, f"… and {len(table) - _ROWS} more points; --json and --out give all")
    say(
        console,
        "; ".join(f"{outcome.text}: {outcome.when}" for outcome in outcomes)
        + f". Median and 5–95 % over {runs} runs a point; points share their seeds.",
        "dim",
    )


def print_trials(trials: Trials, problem: Problem, goals: tuple[Outcome, ...], name: str, console: Console) -> None:
    """Print the Pareto set of the trials so far, as the search has seen it."""
    means, lows, highs = student_interval(trials.found.goals, axis=1)
    heads = [f">{goal.text}, {unit_name(goal.unit)}" for goal in goals]
    rows = []
    for place in trials.pareto(problem).tolist():
        spreads = zip(means[place], lows[place], highs[place], strict=True)
        cells = [_spread(spread, goal.unit) for spread, goal in zip(spreads, goals, strict=True)]
        rows.append((f"{name}-{place + 1:04d}", *cells, format_number(trials.found.spending[place].mean(), "yuan")))
    title = "Pareto set of the trials so far: differences to the base"
    print_table(Cells(title, ("Point", *heads, _SPENDING), rows), console)


def print_pareto(found: ParetoSet, goals: tuple[Outcome, ...], console: Console) -> None:
    """Print the Pareto set: its settings, its goals in the search and on new seeds, and what to make of them."""
    problem, table = found.problem, found.table()
    marked = [f"{name} *" if place == found.best else name for place, name in enumerate(found.names)]
    keys = [factor.key for factor in problem.factors]
    rows: list[tuple[str, ...]] = []
    for name, (_, row) in zip(marked, table.iterrows(), strict=True):
        remarks = [] if row["within_budget"] else ["over the budget on new seeds"]
        remarks += [] if row["efficient"] else ["dominated on new seeds"]
        settings = (value_text(row[key]) for key in keys)
        rows.append((name, *settings, format_number(row["spending_yuan_again"], "yuan"), ", ".join(remarks)))
    heads = ("Point", *_heads(table[keys]), _SPENDING, "Remarks")
    print_table(Cells("Pareto set: settings (* best)", heads, rows), console)
    console.print()
    rows = []
    for name, (_, row) in zip(marked, table.iterrows(), strict=True):
        cells = [
            "\n".join(
                _spread([row[f"{goal.text}{part}{end}"] for end in ("", "_low", "_high")], goal.unit)
                for part in ("", "_again")
            )
            for goal in goals
        ]
        rows.append((name, *cells))
    title = "Differences to the base, means with 95 % intervals: in the search, on new seeds"
    ways = [f">{goal.text} ({way}), {unit_name(goal.unit)}" for goal, way in zip(goals, _ways(problem), strict=True)]
    print_table(Cells(title, ("Point", *ways), rows), console)
    flattery = "; ".join(
        f"{goal.text} {format_number(value, goal.unit, signed=True)} ({unit_name(goal.unit)})"
        for goal, value in zip(goals, found.optimism, strict=True)
    )
    say(
        console,
        "The search chose these points for what they gave on its own seeds; on new ones they do worse by, on average "
        f"(+ worse): {flattery}. * best: the point nearest to the ideal one, which has the best of every goal, "
        "each goal scaled to 0…1 over the points, on the new seeds.",
        "dim",
    )
    if found.draws_repeated:
        say(
            console,
            f"{found.draws_repeated} of the {found.again.goals.shape[1]} parameter draws on the new seeds are those of "
            "the search, for want of others: a point chosen for what these gave does not fall back there.",
            "dim",
        )


def _ways(problem: Problem) -> list[str]:
    return ["max" if sign > 0 else "min" for sign in problem.signs]


def _spread(mean_and_ends: Sequence[float], unit: str) -> str:
    """A mean with its interval, if there is one."""
    mean, *ends = (format_number(value, unit, signed=True) for value in mean_and_ends)
    return mean if np.isnan(mean_and_ends).any() else f"{mean} [{', '.join(ends)}]"
