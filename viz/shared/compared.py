"""The scenarios of a results directory compared with one of them, run by run."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import pandas as pd

from scenarios.analysis.comparison import pairs_shape
from scenarios.analysis.metrics import with_derived
from scenarios.analysis.reported import ReportedFigure, reported_figures
from scenarios.errors import InputError, nearest
from scenarios.records.results import Results
from sim.calendar import Quarter
from sim.records.outputs import QUARTER
from viz.shared.estimates import Estimate, mean_of
from viz.shared.units import PER_QUARTER, unit_per_quarter

#: The default scenario with which others are compared.
BASELINE = "baseline"
#: Quantiles of a fan: the ends of its 90 % and 50 % bands, and the median.
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


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
        mean: over runs. low, high: 5 % and 95 % quantile of runs. difference: mean paired difference to the baseline; 0
            for the baseline.
    """

    mean: float
    low: float
    high: float
    difference: Estimate


class Compared:
    """Results relative to a baseline.

    Attributes:
        results: of the runs. baseline: name of the scenario with which others are compared.
        names, others: all scenarios, the baseline first; all except the baseline.
        last: last day of the runs.
    """

    def __init__(self, results: Results, baseline: str | None = None) -> None:
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
        self.others = [name for name in names if name != baseline]
        self.names = [baseline, *self.others]
        self.last = results.national[QUARTER.name].max()
        self._national = with_derived(results.national)
        self._runs: dict[tuple[str, str], pd.DataFrame] = {}

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
        """Quantiles over runs by date: one column for each of QUANTILES."""
        return self.runs(scenario, quantity).quantile(QUANTILES, axis=1).T

    def differences(self, scenario: str, quantity: str) -> pd.DataFrame:
        """Scenario - baseline of the same (draw, replicate), shaped as `runs`."""
        return self.runs(scenario, quantity) - self.runs(self.baseline, quantity)

    def end(self, scenario: str, quantity: str) -> End:
        """A quantity at the end of the run."""
        values = self.runs(scenario, quantity).iloc[-1]
        own = scenario == self.baseline
        difference = Estimate(0.0, 0.0, 0.0) if own else mean_of(self.differences(scenario, quantity).iloc[-1])
        return End(float(values.mean()), float(values.quantile(0.05)), float(values.quantile(0.95)), difference)

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


def _by_year(values: pd.DataFrame) -> pd.DataFrame:
    """Sums over full years, dated by their last day; the first year has one quarter and is left out."""
    years = values.resample("YE")
    return years.sum()[years.size() == 4]
