"""The scenarios of a results directory compared with one of them, run by run."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from scenarios.analysis.comparison import pairs_shape
from scenarios.analysis.metrics import CUMULATIVE_COST, with_derived
from scenarios.analysis.reported import ReportedFigure, reported_figures
from scenarios.errors import InputError, nearest
from scenarios.records.results import Results
from sim.calendar import Quarter
from sim.records.outputs import QUARTER
from viz.shared.doubt import QUANTILES, effect_factor, effects_of, fan_of
from viz.shared.estimates import Estimate, mean_of
from viz.shared.prices import Price, price_of
from viz.shared.units import PER_QUARTER, unit_per_quarter

#: Columns of tables of estimates.
_COLUMNS = ("mean", "low", "high")
#: The default scenario with which others are compared.
BASELINE = "baseline"


def quarter_of(day: date) -> Quarter:
    """The quarter that contains a day."""
    return Quarter(day.year, (day.month + 2) // 3)


def reported_of(quantity: str, last: pd.Timestamp) -> list[ReportedFigure]:
    """The reported national figures of a quantity up to a date."""
    return [
        figure
        for figure in reported_figures()
        if figure.quantity == quantity
        and not (figure.province or figure.whole_year or figure.since_start)
        and figure.quarter_end <= last
    ]


@dataclass(frozen=True)
class End:
    """A quantity at the end of the run.

    Attributes:
        mean: over runs. low, high: ends of its 90 % band, NaN for a single run. difference: to the baseline; 0 for the
            baseline.
    """

    mean: float
    low: float
    high: float
    difference: Estimate


class Compared:
    """Results relative to a baseline.

    Attributes:
        results: of the runs. baseline: name of the scenario with which others are compared.
        names, others: the scenarios compared, the baseline first; these except the baseline. All if not said otherwise.
        last: last day of the runs.
    """

    def __init__(self, results: Results, baseline: str | None = None, others: Sequence[str] | None = None) -> None:
        names = [scenario["name"] for scenario in results.manifest["scenarios"]]
        if baseline is None:
            baseline = BASELINE if BASELINE in names else names[0]
        if baseline not in names:
            hint = nearest(baseline, names)
            raise InputError(
                f"{results.path} contains no scenario {baseline!r}{hint} (it contains: {', '.join(names)})"
            )
        self.results = results
        self.baseline = baseline
        self.others = [name for name in names if name != baseline] if others is None else list(others)
        self.names = [baseline, *self.others]
        self.last = results.national[QUARTER.name].max()
        self._national = with_derived(results.national)
        self._runs: dict[tuple[str, str], pd.DataFrame] = {}

    @property
    def firms_each(self) -> float:
        """Real firms that a simulated one stands for."""
        return 1.0 / self.results.manifest["scale"]

    @property
    def runs_each(self) -> int:
        """Runs of each scenario: pairs of parameter draw and replicate."""
        return self.runs(self.baseline, "firms").shape[1]

    @property
    def units(self) -> int:
        """Number of independent units for intervals: the smaller of draws and replicates, ignoring one that is 1."""
        shape = pairs_shape(self.runs(self.baseline, "firms").columns)
        return min((size for size in shape if size > 1), default=1)

    def runs(self, scenario: str, quantity: str) -> pd.DataFrame:
        """A quantity in all runs of a scenario: one column per (draw, replicate), one row per quarter end.

        Quarterly flows are summed over each full year, with rows at year ends.
        """
        key = (scenario, quantity)
        if key not in self._runs:
            self._runs[key] = self._pivot(scenario, quantity)
        return self._runs[key]

    def fan(self, scenario: str, quantity: str) -> pd.DataFrame:
        """Line and bands by date (`viz.shared.doubt.fan_of`): one column for each of QUANTILES; 0.5 is the line."""
        return self._fan(self.runs(scenario, quantity), quantity)

    def _fan(self, runs: pd.DataFrame, quantity: str) -> pd.DataFrame:
        shown = (quantity, unit_per_quarter(quantity), _days(runs), self.firms_each)
        fan = fan_of(_by_run(runs), *shown, units=self.units)
        # A single run is drawn as a line without bands.
        return pd.DataFrame(fan, index=runs.index).bfill(axis=1).ffill(axis=1)

    def differences(self, scenario: str, quantity: str) -> pd.DataFrame:
        """Scenario - baseline of the same (draw, replicate), shaped as `runs`."""
        return self.runs(scenario, quantity) - self.runs(self.baseline, quantity)

    def effects(self, scenario: str, quantity: str) -> pd.DataFrame:
        """Mean paired difference to the baseline by date and the ends of its 90 % interval: columns mean, low, high."""
        before = self.runs(self.baseline, quantity)
        found = effects_of(
            _by_run(self.differences(scenario, quantity)),
            _by_run(before),
            quantity,
            unit_per_quarter(quantity),
            _days(before),
            units=self.units,
        )
        return pd.DataFrame(dict(zip(_COLUMNS, found, strict=True)), index=before.index)

    def end(self, scenario: str, quantity: str) -> End:
        """A quantity at the end of the run."""
        fan = self._fan(self.runs(scenario, quantity).iloc[-1:], quantity)
        low, *_, high = fan.iloc[0] if self.runs_each > 1 else (math.nan, math.nan)
        own = scenario == self.baseline
        difference = Estimate(0.0, 0.0, 0.0) if own else self.difference(scenario, quantity)
        return End(float(fan[0.5].iloc[0]), float(low), float(high), difference)

    def difference(self, scenario: str, quantity: str) -> Estimate:
        """Difference of a scenario to the baseline at the end of the run."""
        return mean_of(self.differences(scenario, quantity).iloc[-1], self.factor(quantity))

    def price(self, scenario: str, quantity: str) -> Price:
        """Public cost of a scenario per additional unit of a quantity at the end of the run."""
        costs, gains = (self.differences(scenario, each).iloc[-1] for each in (CUMULATIVE_COST, quantity))
        return price_of(costs, gains, self.factor(quantity))

    def factor(self, quantity: str) -> float:
        """Model's own error of effects on a quantity at the end (`viz.shared.doubt.effect_factor`)."""
        before = self.runs(self.baseline, quantity).iloc[-1]
        return effect_factor(quantity, unit_per_quarter(quantity), self.last.date(), float(before.mean()))

    def province_levels(self, scenario: str, column: str) -> pd.DataFrame:
        """A column of the province table at the end: its line and 90 % band, columns mean, low, high, by province."""
        runs = self.provinces(scenario, column)
        fan = fan_of(
            _by_run(runs)[:, None, :],
            column,
            unit_per_quarter(column),
            [self.last.date()],
            self.firms_each,
            province=True,
            units=self.units,
        )
        ends = (fan[quantile][0] for quantile in (0.5, QUANTILES[0], QUANTILES[-1]))
        return pd.DataFrame(dict(zip(_COLUMNS, ends, strict=True)), index=runs.index)

    def province_effects(self, scenario: str, column: str) -> pd.DataFrame:
        """Differences of a column of the province table at the end, as `effects`, by province."""
        before = self.provinces(self.baseline, column)
        changes = self.provinces(scenario, column).loc[before.index] - before
        found = effects_of(
            _by_run(changes)[:, None, :],
            _by_run(before)[:, None, :],
            column,
            unit_per_quarter(column),
            [self.last.date()],
            province=True,
            units=self.units,
        )
        return pd.DataFrame({name: each[0] for name, each in zip(_COLUMNS, found, strict=True)}, index=before.index)

    def provinces(self, scenario: str, column: str) -> pd.DataFrame:
        """A column of the province table at the end of the run: one row per province, one column per run."""
        table = self.results.province
        rows = table[(table["scenario"] == scenario) & (table[QUARTER.name] == self.last)]
        return rows.pivot(index="province", columns=["draw", "replicate"], values=column)

    def spending(self, scenario: str) -> pd.Series:
        """Public spending over the whole run by lever, yuan, mean over runs; levers without spending are left out."""
        table = self.results.spending
        rows = table[(table["scenario"] == scenario) & (table["kind"] == "lever")]
        spent = rows.groupby("lever", observed=True)["spending_yuan"].sum() / self.runs_each
        return spent[spent > 0.0]

    def _pivot(self, scenario: str, quantity: str) -> pd.DataFrame:
        rows = self._national[self._national["scenario"] == scenario]
        values = rows.pivot(index=QUARTER.name, columns=["draw", "replicate"], values=quantity)
        return _by_year(values) if unit_per_quarter(quantity).endswith(PER_QUARTER) else values


def _by_run(values: pd.DataFrame) -> np.ndarray:
    """Values with one column per run as float64 (runs, rows)."""
    return values.to_numpy(np.float64).T


def _days(runs: pd.DataFrame) -> list[date]:
    return [day.date() for day in runs.index]


def _by_year(values: pd.DataFrame) -> pd.DataFrame:
    """Sums over full years, dated by their last day; the first year has one quarter and is left out."""
    years = values.resample("YE")
    return years.sum()[years.size() == 4]
