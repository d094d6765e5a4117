"""Regional results: measures of provinces over time, their clusters, counties against urban districts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import pandas as pd

from scenarios.analysis.bands import ENDS
from sim.parameters import parameter_record
from sim.records.outputs import PROVINCE
from sim.world.geography import Geography, build_geography, county_type_names
from viz.live.measures import Course, best_runs, by_key, course_of, days, four_quarters
from viz.live.runner import Run
from viz.live.session import Answer
from viz.shared.doubt import effects_of, fan_of
from viz.shared.province_squares import LAYOUT
from viz.shared.units import PER_QUARTER, yearly

#: Columns that are flows, although their unit does not show it.
_FLOWS = ("little_giants_granted", "little_giants_renewed", "little_giants_lapsed")
_TEN_THOUSAND = 10_000.0
#: Smaller numbers are printed without scaling.
_SCALED_FROM = 1e5


@dataclass(frozen=True)
class Measure:
    """A measure of a province: a column of the province table, or one over another.

    Attributes:
        column, per: of the province table; `per` is empty for the column itself.
        unit: of the measure, in the form of the results' units.
        times: factor of the quotient.
        summed: whether the column is summed over the last four quarters.
    """

    column: str
    unit: str
    per: str = ""
    times: float = 1.0
    summed: bool = False

    @property
    def ratio(self) -> bool:
        """Whether it is one column over another, and therefore not additive over provinces."""
        return bool(self.per)


def _plain() -> dict[str, Measure]:
    """One measure per numeric column of the province table."""
    return {
        output.name: Measure(
            output.name,
            yearly(output.unit),
            summed=output.name in _FLOWS or output.unit.endswith(PER_QUARTER),
        )
        for output in PROVINCE
        if output.dtype == "float64"
    }


#: Measures that the map can show, by name.
MEASURES: dict[str, Measure] = {
    **_plain(),
    "little_giants_per_10000": Measure("little_giants", "per 10,000 firms", "firms", _TEN_THOUSAND),
    "srdi_smes_per_10000": Measure("srdi_smes", "per 10,000 firms", "firms", _TEN_THOUSAND),
    "innovative_smes_per_10000": Measure("innovative_smes", "per 10,000 firms", "firms", _TEN_THOUSAND),
    "digital_supported_per_10000": Measure("digital_supported", "per 10,000 firms", "firms", _TEN_THOUSAND),
    "rd_over_revenue": Measure("rd_true_yuan", "share", "revenue_yuan"),
    "rd_firms_share": Measure("rd_firms", "share", "firms"),
    "little_giant_share_of_srdi": Measure("little_giants", "share", "srdi_smes"),
    "employment_per_firm": Measure("employment", "persons per firm", "firms"),
    "revenue_per_firm": Measure("revenue_yuan", "yuan per firm and year", "firms", summed=True),
    "revenue_per_employee": Measure("revenue_yuan", "yuan per employee and year", "employment", summed=True),
}


def provincial(run: Run, measure: Measure) -> np.ndarray:
    """A measure by quarter: float64 (quarters, provinces + 1), provinces as in LAYOUT, the nation last.

    NaN for sums before the fourth quarter, and where the denominator is 0.
    """
    values = _with_nation(run, measure.column)
    if measure.summed:
        values = four_quarters(values)
    if not measure.ratio:
        return values
    return _over(measure.times * values, _with_nation(run, measure.per))


def _over(values: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """Quotient of two arrays, NaN where the denominator is 0."""
    return np.divide(values, whole, out=np.full_like(values, np.nan), where=whole != 0.0)


def _with_nation(run: Run, column: str) -> np.ndarray:
    names, values = by_key(run, "province", "province", column)
    values = values[:, [names.index(name) for name in LAYOUT]]
    return np.column_stack([values, values.sum(axis=1)])


@dataclass(frozen=True, eq=False)
class Provinces:
    """A measure of all provinces under a policy; float64 (quarters, provinces + 1), the nation last.

    Attributes:
        level: mean over runs. level_low, level_high: its 90 % band, NaN for one run.
        difference: to the baseline, mean over pairs. low, high: its 90 % interval, NaN for one pair.
        pairs: number of pairs.
    """

    level: np.ndarray
    level_low: np.ndarray
    level_high: np.ndarray
    difference: np.ndarray
    low: np.ndarray
    high: np.ndarray
    pairs: int

    @property
    def levels(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The level and the ends of its band."""
        return self.level, self.level_low, self.level_high

    @property
    def differences(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The difference and the ends of its interval."""
        return self.difference, self.low, self.high

    @property
    def unclear(self) -> np.ndarray:
        """Whether the interval of the difference includes zero, unless all pairs have the same difference.

        bool (quarters, provinces + 1); false without an interval.
        """
        return (self.low <= 0.0) & (self.high >= 0.0) & (self.low < self.high)


def provinces(answer: Answer, measure: Measure) -> Provinces:
    """A measure of all provinces under the policy and relative to the baseline."""
    policy, baseline = (np.stack([provincial(run, measure) for run in runs]) for runs in best_runs(answer))
    dates, levels, changes = days(answer.central), [], []
    for part, province in ((np.s_[..., :-1], True), (np.s_[..., -1:], False)):
        shown = (measure.column, measure.unit, dates)
        # A quotient is no count, so it keeps the luck it has.
        weight = 1.0 if measure.ratio else answer.weight
        levels.append(fan_of(policy[part], *shown, weight, province=province, quantiles=ENDS))
        changes.append(effects_of((policy - baseline)[part], baseline[part], *shown, province=province))
    level_low, level_high = (np.concatenate([level[end] for level in levels], axis=-1) for end in ENDS)
    difference, low, high = (np.concatenate(each, axis=-1) for each in zip(*changes, strict=True))
    return Provinces(policy.mean(axis=0), level_low, level_high, difference, low, high, len(policy))


def province_course(answer: Answer, province: str, measure: Measure) -> Course:
    """A measure of one province over time."""
    column = list(LAYOUT).index(province)
    return course_of(
        replace(answer, weight=1.0) if measure.ratio else answer,
        lambda run: provincial(run, measure)[:, column],
        measure.column,
        measure.unit,
        province=True,
    )


def county_type_course(answer: Answer, county_type: str, column: str, per: str = "") -> Course:
    """A column of the table by county type over time, for one of COUNTY_TYPES; per 10,000 of `per` if given."""

    def value(run: Run) -> np.ndarray:
        names, values = by_key(run, "county_type", "county_type", column)
        if per:
            whole = by_key(run, "county_type", "county_type", per)[1]
            values = _over(_TEN_THOUSAND * values, whole)
        return values[:, names.index(county_type)]

    return course_of(answer, value, column, "per 10,000 firms" if per else "firms")


@cache
def geography() -> Geography:
    """The county-level units, the same in every run."""
    return build_geography(parameter_record())


def clusters_at(run: Run, year: int) -> pd.DataFrame:
    """The recognised clusters at the end of a year: columns of the cluster table, with year and county type.

    Returns:
        One row per cluster, indexed by its number, in the order of the table; empty if none was recognised by then.
        recognised is the year, int64; county_type one of COUNTY_TYPES.
    """
    table = run.tables["cluster"]
    chosen = table["quarter"].astype("datetime64[Y]").astype(int) + 1970 == year
    frame = pd.DataFrame({name: values[chosen] for name, values in table.items() if name != "quarter"})
    urban = geography().county_is_urban[frame["county"].to_numpy(dtype=np.int64)]
    frame["recognised"] = frame["recognised"].dt.year.astype(np.int64)
    frame["county_type"] = county_type_names(urban)
    return frame.set_index("cluster")


def last_year_end(label: str) -> int:
    """The last year that has ended by a quarter such as 2024Q1."""
    year, number = int(label[:4]), int(label[-1])
    return year if number == 4 else year - 1


def scale_of(largest: float, unit: str, scales: Sequence[tuple[float, str]]) -> tuple[float, str]:
    """Divisor that makes the numbers of a map fit their squares, and the key of the word for it.

    Args:
        largest: largest number. scales: from large to small, each with its key. Shares are always in per cent.
    """
    if unit == "share":
        return 0.01, "share"
    if largest < _SCALED_FROM:
        return 1.0, "one"
    return next(((scale, key) for scale, key in scales if largest >= 10.0 * scale), (1.0, "one"))
