"""Series and effects of an answer, for charts and key numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from scenarios.analysis.bands import ENDS
from scenarios.analysis.cash import first_used_up, used_up_quarters
from scenarios.analysis.metrics import CUMULATIVE, GENUINE
from viz.live.runner import Run
from viz.live.session import Answer
from viz.shared.compared import quarter_of
from viz.shared.doubt import effect_factor, effects_of, fan_of
from viz.shared.estimates import Estimate, estimate
from viz.shared.units import PER_QUARTER, unit_of, unit_per_quarter


def national(run: Run, quantity: str) -> np.ndarray:
    """A national quantity by quarter: float64 (quarters,).

    Args:
        quantity: column of `national`, or a figure derived from it (see `scenarios.analysis.metrics`).
    """
    table = run.tables["national"]
    if quantity in CUMULATIVE:
        return np.cumsum(table[CUMULATIVE[quantity]])
    if quantity in GENUINE:
        share, stock = GENUINE[quantity]
        return np.round(table[share] * table[stock], 6)
    return table[quantity]


def days(run: Run) -> list[date]:
    """Last days of the quarters."""
    return list(run.tables["national"]["quarter"].astype(object))


def yearly(run: Run, quantity: str) -> np.ndarray:
    """As `national`, but flows are summed over four quarters; NaN for the first three."""
    values = national(run, quantity)
    return four_quarters(values) if unit_per_quarter(quantity).endswith(PER_QUARTER) else values


def quarters(run: Run) -> list[str]:
    """Labels of the quarters, such as 2024Q1."""
    return [quarter_label(day) for day in days(run)]


def quarter_label(day: date) -> str:
    """Label of the quarter that contains a day."""
    return str(quarter_of(day))


def best_runs(answer: Answer) -> tuple[tuple[Run, ...], tuple[Run, ...]]:
    """Runs of the policy and of the baseline: the ensemble if available, else the central runs."""
    return (answer.runs, answer.baselines) if answer.runs else ((answer.central,), (answer.central_baseline,))


@dataclass(frozen=True, eq=False)
class Course:
    """A quantity over time; float64 (quarters,) each.

    Attributes:
        policy, baseline: the means over the ensemble if available, else the central runs.
        fan: of the policy, by quantile of `viz.shared.doubt.QUANTILES`, 0.5 being its line; None without an ensemble.
        effects: policy - baseline, the mean over the pairs, and the ends of its 90 % interval (NaN for one pair); None
            where it was not asked for.
    """

    policy: np.ndarray
    baseline: np.ndarray
    fan: dict[float, np.ndarray] | None
    effects: tuple[np.ndarray, np.ndarray, np.ndarray] | None = None


def course(answer: Answer, quantity: str) -> Course:
    """A national quantity under the policy and in the baseline, flows as sums over four quarters."""
    return course_of(answer, lambda run: yearly(run, quantity), quantity, unit_of(quantity))


def course_of(
    answer: Answer, value: Callable[[Run], np.ndarray], quantity: str, unit: str, *, province: bool = False
) -> Course:
    """The series `value` of a run, float64 (quarters,), under the policy and in the baseline.

    Args:
        quantity, unit, province: of the series, which decide on the model's own error (`viz.shared.doubt.fan_of`).
    """
    policy, baseline = (np.stack([value(run) for run in runs]) for runs in best_runs(answer))
    dates = days(answer.central)
    fan = fan_of(policy, quantity, unit, dates, answer.weight, province=province) if answer.runs else None
    effects = effects_of(policy - baseline, baseline, quantity, unit, dates, province=province)
    return Course(policy.mean(axis=0), baseline.mean(axis=0), fan, effects)


def four_quarters(values: np.ndarray) -> np.ndarray:
    """Rolling sums over four quarters, float64 (quarters, ...); NaN for the first three."""
    sums = np.full_like(values, np.nan)
    sums[3:] = values[3:] + values[2:-1] + values[1:-2] + values[:-3]
    return sums


@dataclass(frozen=True)
class Effect:
    """A quantity in a quarter.

    Attributes:
        value, baseline: mean over the ensemble, or of the central runs.
        low, high: 90 % band of the value; baseline_low, baseline_high: of the baseline; NaN for one pair.
        difference: mean paired difference with its 90 % interval (NaN for one pair). pairs: number of pairs.
        factor: the model's own error of the difference (`viz.shared.doubt.effect_factor`).
    """

    value: float
    low: float
    high: float
    baseline: float
    baseline_low: float
    baseline_high: float
    difference: Estimate
    factor: float
    pairs: int


def effect(answer: Answer, quantity: str, at: int = -1) -> Effect:
    """A national quantity, policy against baseline; flows are summed over four quarters.

    Args:
        at: position of the quarter, by default the last.
    """
    policy, baseline = (np.array([yearly(run, quantity)[at] for run in runs]) for runs in best_runs(answer))
    unit, end = unit_of(quantity), days(answer.central)[at]

    def ends(values: np.ndarray) -> tuple[float, float]:
        fan = fan_of(values[:, None], quantity, unit, [end], answer.weight, quantiles=ENDS)
        return float(fan[ENDS[0]][0]), float(fan[ENDS[1]][0])

    (low, high), (baseline_low, baseline_high) = ends(policy), ends(baseline)
    factor = effect_factor(quantity, unit, end, float(baseline.mean()))
    return Effect(
        value=float(policy.mean()),
        low=low,
        high=high,
        baseline=float(baseline.mean()),
        baseline_low=baseline_low,
        baseline_high=baseline_high,
        difference=estimate((policy - baseline)[None, :], factor),
        factor=factor,
        pairs=len(policy),
    )


def spending_by_lever(runs: Sequence[Run]) -> tuple[list[str], dict[str, np.ndarray]]:
    """Public spending by year and lever, yuan, mean over runs: years, and float64 (years,) per lever with spending.

    Of a part (see `viz.live.parts`), years that are not whole are NaN.
    """
    table = runs[0].tables["spending"]
    through_levers = table["kind"] == "lever"
    names = list(dict.fromkeys(table["lever"][through_levers].tolist()))
    spent = (run.tables["spending"]["spending_yuan"][through_levers].reshape(-1, len(names)) for run in runs)
    # The first quarter is the initial state, without spending.
    money = np.mean(list(spent), axis=0)[1:]
    by_year = money.reshape(-1, 4, len(names)).sum(axis=1)
    first = int(quarters(runs[0])[1][:4])
    years = [str(first + index) for index in range(len(by_year))]
    return years, {name: by_year[:, index] for index, name in enumerate(names) if (money[:, index] > 0.0).any()}


@dataclass(frozen=True)
class Budget:
    """Money of the levers up to a quarter, yuan, mean over runs: spent, and budgeted over their whole windows."""

    spent: float
    budgeted: float


def budget(answer: Answer, at: int = -1) -> Budget:
    """What the levers of a policy have spent up to a quarter, and the sum of their budgets.

    Args:
        at: position of the quarter, by default the last.
    """
    runs, _ = best_runs(answer)
    table = runs[0].tables["spending"]
    through_levers = table["kind"] == "lever"
    rows = len(runs[0].tables["national"]["quarter"])

    def by_quarter(run: Run, column: str) -> np.ndarray:
        return run.tables["spending"][column][through_levers].reshape(rows, -1).sum(axis=1)

    spent = np.mean([np.cumsum(by_quarter(run, "spending_yuan"))[at] for run in runs])
    return Budget(float(spent), float(np.mean([by_quarter(run, "budget_yuan")[at] for run in runs])))


@dataclass(frozen=True)
class Spent:
    """Money of one lever, yuan, mean over runs.

    Attributes:
        spent: up to a quarter. budget: of its whole window; 0 if it has none.
        used_up, low, high: quarter in which the budget is used up, such as 2025Q4, or ``not used up``: median over the
            runs and its 10 and 90 %; low and high are NaN for one run.
    """

    spent: float
    budget: float
    used_up: str
    low: str | float
    high: str | float


def spent_by_lever(answer: Answer, at: int = -1) -> dict[str, Spent]:
    """What each lever has spent up to a quarter, and when its budget is used up; levers without money are left out.

    Args:
        answer: a whole one. at: position of the quarter, by default the last.
    """
    runs, _ = best_runs(answer)
    dates = [quarter_of(day) for day in days(runs[0])]
    table = runs[0].tables["spending"]
    through_levers = table["kind"] == "lever"
    names = table["lever"][through_levers].reshape(len(dates), -1)[0].tolist()

    def money(column: str) -> np.ndarray:
        """Float64 (runs, quarters, levers)."""
        return np.stack([run.tables["spending"][column][through_levers].reshape(len(dates), -1) for run in runs])

    paid = np.cumsum(money("spending_yuan"), axis=1)[:, at].mean(axis=0)
    committed, budget = money("committed_yuan"), money("budget_yuan")
    found = {}
    for place, name in enumerate(names):
        own = budget[:, :, place]
        if paid[place] > 0.0 or own.any():
            when = used_up_quarters(first_used_up(committed[:, :, place], own), dates)
            found[name] = Spent(
                float(paid[place]), float(own[:, -1].mean()), str(when["value"]), when["low"], when["high"]
            )
    return found


def by_key(run: Run, table: str, key: str, column: str) -> tuple[list, np.ndarray]:
    """A column of a table with rows by quarter and key: the keys, and float64 (quarters, keys)."""
    rows = run.tables[table]
    keys = list(dict.fromkeys(rows[key].tolist()))
    return keys, rows[column].reshape(-1, len(keys))
