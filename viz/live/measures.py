"""Series and effects of an answer, for charts and key numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from scenarios.analysis.intervals import mean_interval
from scenarios.analysis.metrics import CUMULATIVE, GENUINE
from viz.live.runner import Run
from viz.live.session import Answer
from viz.shared.compared import QUANTILES, quarter_of
from viz.shared.estimates import Estimate
from viz.shared.units import PER_QUARTER, unit_per_quarter


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


def yearly(run: Run, quantity: str) -> np.ndarray:
    """As `national`, but flows are summed over four quarters; NaN for the first three."""
    values = national(run, quantity)
    return four_quarters(values) if unit_per_quarter(quantity).endswith(PER_QUARTER) else values


def quarters(run: Run) -> list[str]:
    """Labels of the quarters, such as 2024Q1."""
    return [quarter_label(day) for day in run.tables["national"]["quarter"].astype(object)]


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
        policy, baseline: the medians of the ensemble if available, else the central runs.
        fan: by quantile of `viz.shared.compared.QUANTILES` over the policy's runs, or None.
    """

    policy: np.ndarray
    baseline: np.ndarray
    fan: dict[float, np.ndarray] | None


def course(answer: Answer, quantity: str) -> Course:
    """A national quantity under the policy and in the baseline, flows as sums over four quarters."""
    return course_of(answer, lambda run: yearly(run, quantity))


def course_of(answer: Answer, value: Callable[[Run], np.ndarray]) -> Course:
    """The series `value` of a run, float64 (quarters,), under the policy and in the baseline."""
    if not answer.runs:
        return Course(value(answer.central), value(answer.central_baseline), None)
    policy, baseline = (np.stack([value(run) for run in runs]) for runs in (answer.runs, answer.baselines))
    fan = dict(zip(QUANTILES, np.quantile(policy, QUANTILES, axis=0), strict=True))
    return Course(fan[0.5], np.median(baseline, axis=0), fan)


@dataclass(frozen=True, eq=False)
class Change:
    """A difference from the baseline over time; float64 (quarters,) each.

    Attributes:
        mean: over the pairs. fan: by quantile of `viz.shared.compared.QUANTILES` over the pairs, or None.
    """

    mean: np.ndarray
    fan: dict[float, np.ndarray] | None


def change_of(answer: Answer, value: Callable[[Run], np.ndarray]) -> Change:
    """The series `value` of a run, float64 (quarters,): policy - baseline, pair by pair."""
    differences = np.stack([value(run) - value(beside) for run, beside in zip(*best_runs(answer), strict=True)])
    fan = dict(zip(QUANTILES, np.quantile(differences, QUANTILES, axis=0), strict=True)) if answer.runs else None
    return Change(differences.mean(axis=0), fan)


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
        difference: mean paired difference with its 95 % interval (NaN for one pair). pairs: number of pairs.
    """

    value: float
    baseline: float
    difference: Estimate
    pairs: int


def effect(answer: Answer, quantity: str, at: int = -1) -> Effect:
    """A national quantity, policy against baseline; flows are summed over four quarters.

    Args:
        at: position of the quarter, by default the last.
    """
    policy, baseline = (np.array([yearly(run, quantity)[at] for run in runs]) for runs in best_runs(answer))
    return Effect(
        value=float(policy.mean()),
        baseline=float(baseline.mean()),
        difference=mean_difference(policy - baseline),
        pairs=len(policy),
    )


def mean_difference(differences: np.ndarray) -> Estimate:
    """Mean of paired differences, float64 (pairs,), with its 95 % interval."""
    interval = mean_interval(differences[None, :])
    return Estimate(float(differences.mean()), interval.low, interval.high)


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


def by_key(run: Run, table: str, key: str, column: str) -> tuple[list, np.ndarray]:
    """A column of a table with rows by quarter and key: the keys, and float64 (quarters, keys)."""
    rows = run.tables[table]
    keys = list(dict.fromkeys(rows[key].tolist()))
    return keys, rows[column].reshape(-1, len(keys))
