"""Stylised facts, measured on a run of the model and compared with their references.

Measures take arrays and do not depend on the model; they return NaN if there are too few firms. Nothing is fitted here:
a fact that does not hold is reported as not holding.
"""

from __future__ import annotations

import math
import tomllib
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import SimpleNamespace
from typing import Any

import numpy as np
import powerlaw
from scipy.stats import gennorm

from sim.calendar import START
from sim.firms.columns import LISTED
from sim.firms.network import supplier_counts
from sim.ladder.fields import fields_of
from sim.model import SRDIModel
from sim.policy import Policy, find_policy
from sim.tiers import Tier

#: Reported figures of certified firms refer to this year end (or to the last year end of a shorter run).
REPORTED_YEAR = 2022
#: Firms below this employment are left out of growth rates, which a single person would change too much, and of the
#: comparison with certified firms.
COUNTED_EMPLOYMENT = 20
#: Employment from which the tail of the size distribution is fitted.
TAIL_EMPLOYMENT = 200
#: Number of leading cities in the measure of concentration of little giants.
FIRST_CITIES = 30
#: Fewest observations in a size class, and fewest in a fitted tail (Clauset, Shalizi and Newman 2009).
MIN_CLASS, MIN_TAIL = 30, 50
#: Width of the bins on each side of a threshold, in logs of R&D intensity.
BIN = 0.1

#: Firms near a threshold of R&D intensity report between these multiples of it.
NEAR = (2.0 / 3.0, 2.5)

#: Columns of active firms that the measures of a cross-section need.
COLUMNS = (
    *("employment", "revenue", "productivity", "age", "county", "tier", "customer"),
    *("rd_last_year", "relabelled", "flags"),
)


@dataclass(frozen=True)
class Fact:
    """A stylised fact: its value in the model and its reference.

    Attributes:
        id, description: name and what is measured, with its unit if any.
        value: in the model; NaN with too few firms.
        reference_low, reference_high: bounds for the value; None where one side is open.
        reference: in words. source: of the reference.
    """

    id: str
    description: str
    value: float
    reference_low: float | None
    reference_high: float | None
    reference: str
    source: str

    @property
    def holds(self) -> bool:
        """Whether the value lies between the bounds; false for NaN."""
        low = -math.inf if self.reference_low is None else self.reference_low
        high = math.inf if self.reference_high is None else self.reference_high
        return low < self.value < high

    def record(self) -> dict:
        """The fact as plain values; None where it could not be measured, because JSON has no NaN."""

        def plain(value):
            return None if value is None or math.isnan(value) else value

        return {
            "id": self.id,
            "description": self.description,
            "value": plain(self.value),
            "reference": self.reference,
            "low": plain(self.reference_low),
            "high": plain(self.reference_high),
            "holds": self.holds,
        }


@dataclass(frozen=True)
class Observations:
    """Data of a run from which the facts are measured.

    Attributes:
        size, growth: float64 (n,), employment at a year's start and its log change over the year, of firms
            with COUNTED_EMPLOYMENT or more that survive it; all years of the run.
        age, closed: float64 and bool (m,), age in years at a year's start and whether the firm closed in the year.
        reported: columns of the active firms at the end of REPORTED_YEAR or of a shorter run.
        end: columns of the active firms at the end of the run.
        county_province, county_city: int16 (units,). city_weight: float64 (cities,), the expected share of a
            city in little giants, by its firms and research.
        rd_threshold: R&D over revenue required by the SRDI tier.
    """

    size: np.ndarray
    growth: np.ndarray
    age: np.ndarray
    closed: np.ndarray
    reported: SimpleNamespace
    end: SimpleNamespace
    county_province: np.ndarray
    county_city: np.ndarray
    city_weight: np.ndarray
    rd_threshold: float


# --- measures


def rescaled_growth(size: np.ndarray, growth: np.ndarray) -> np.ndarray:
    """Growth rates minus the median of their size class, over its standard deviation: float64 (n,).

    Each class spans a doubling of employment; classes with fewer than MIN_CLASS firms are left out.
    """
    rates = [(growth[inside] - np.median(growth[inside])) / growth[inside].std() for inside in _size_classes(size)]
    return np.concatenate(rates) if rates else np.empty(0)


def growth_shape(size: np.ndarray, growth: np.ndarray) -> float:
    """Subbotin (exponential-power) shape of rescaled growth rates: 1 is Laplace, 2 is normal."""
    rescaled = rescaled_growth(size, growth)
    return float(gennorm.fit(rescaled, floc=0.0)[0]) if len(rescaled) else math.nan


def growth_sd_slope(size: np.ndarray, growth: np.ndarray) -> float:
    """Slope of the log standard deviation of growth on log size, over size classes weighted by their firms."""
    classes = _size_classes(size)
    if len(classes) < 3:
        return math.nan
    log_size = [np.log(size[inside]).mean() for inside in classes]
    log_sd = [np.log(growth[inside].std()) for inside in classes]
    return float(np.polyfit(log_size, log_sd, 1, w=np.sqrt([inside.sum() for inside in classes]))[0])


def _size_classes(size: np.ndarray) -> list[np.ndarray]:
    """Members, bool (n,), of each size class with MIN_CLASS or more; each class spans a doubling of size."""
    number = np.floor(np.log2(size / COUNTED_EMPLOYMENT)).astype(int)
    classes = [number == value for value in np.unique(number)]
    return [inside for inside in classes if inside.sum() >= MIN_CLASS]


def _fit_power_law(data: np.ndarray, **arguments: Any) -> powerlaw.Fit:
    # The library's default range ends at an exponent of 3, which would make a thin tail look heavy.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return powerlaw.Fit(data, parameter_ranges={"alpha": [1.0, 50.0]}, verbose=0, **arguments)


def size_tail(employment: np.ndarray) -> float:
    """Exponent of P(employment > x) ~ x^-a from TAIL_EMPLOYMENT on, by maximum likelihood."""
    if (employment >= TAIL_EMPLOYMENT).sum() < MIN_TAIL:
        return math.nan
    fit = _fit_power_law(employment.astype(np.float64), xmin=float(TAIL_EMPLOYMENT))
    return float(fit.power_law.alpha) - 1.0


def closing_ratio(age: np.ndarray, closed: np.ndarray, young: float = 3.0, old: float = 10.0) -> float:
    """Closing rate of firms younger than `young` years over that of firms older than `old`."""
    in_young, in_old = closed[age < young], closed[age > old]
    if not len(in_young) or not in_old.any():
        return math.nan
    return float(in_young.mean() / in_old.mean())


def suppliers_per_customer(customer: np.ndarray) -> np.ndarray:
    """Number of suppliers of each firm that is a main customer, int64 (customers,).

    Chain leaders are left out. Each represents one real firm at every scale, while its suppliers are sampled with the
    population, so their counts are on another scale than those of sampled firms.

    Args:
        customer: int (firms,), the column `customer`: slot of a firm where it is 0 or more.
    """
    return supplier_counts(customer[customer >= 0])


@dataclass(frozen=True)
class TailFit:
    """A fitted tail: density exponent, the count from which it was fitted, and the normalised
    log-likelihood ratio of the power law over an exponential (positive favours the power law)."""

    exponent: float
    start: float
    ratio: float


def supplier_tail(suppliers: np.ndarray) -> TailFit:
    """Power law of supplier counts, its start by the smallest Kolmogorov-Smirnov distance.

    The start is chosen where at least MIN_TAIL customers are left (Clauset, Shalizi and Newman 2009).
    """
    latest = np.sort(suppliers)[-MIN_TAIL] if len(suppliers) >= MIN_TAIL else 0
    if latest < 3:  # too few starts to choose from
        return TailFit(math.nan, math.nan, math.nan)
    fit = _fit_power_law(suppliers, discrete=True, xmin=(1, latest + 1))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ratio, _ = fit.distribution_compare("power_law", "exponential", normalized_ratio=True)
    return TailFit(float(fit.power_law.alpha), float(fit.xmin), float(ratio))


def share_in_first(counts: np.ndarray, weight: np.ndarray, first: int = FIRST_CITIES) -> float:
    """Share of `counts` (cities,) in the `first` cities ranked by `weight` (cities,).

    In a sampled population, ranking cities by their own counts would overstate concentration, because cities with
    high counts by chance would come first. The expected weight contains no noise.
    """
    chosen = np.argsort(-weight, kind="stable")[:first]
    return float(counts[chosen].sum() / counts.sum()) if counts.sum() else math.nan


def ratio_to_province(value: np.ndarray, province: np.ndarray, chosen: np.ndarray, compared: np.ndarray) -> float:
    """Mean value of the chosen firms over the mean of the comparison firms in their provinces.

    Args:
        value: float (firms,). province: int (firms,). chosen, compared: bool (firms,).
    """
    provinces = int(province.max()) + 1
    sums = np.bincount(province[compared], value[compared].astype(np.float64), minlength=provinces)
    means = sums / np.maximum(np.bincount(province[compared], minlength=provinces), 1)
    expected = means[province[chosen]].sum()
    return float(value[chosen].sum(dtype=np.float64) / expected) if expected else math.nan


def step_at(intensity: np.ndarray, threshold: float, width: float = BIN) -> float:
    """Firms in the log bin just above a threshold of R&D intensity over those in the bin just below."""
    distance = np.log(intensity[intensity > 0].astype(np.float64) / threshold)
    below = ((distance >= -width) & (distance < 0)).sum()
    return float(((distance >= 0) & (distance < width)).sum() / below) if below else math.nan


def relabelled_share(intensity: np.ndarray, revenue: np.ndarray, relabelled: np.ndarray, threshold: float) -> float:
    """Relabelled spending over all R&D that firms near a threshold report.

    Args:
        intensity: reported R&D over revenue (firms,). revenue: yuan per year (firms,).
        relabelled: share of reported R&D that is relabelled (firms,). threshold: of R&D over revenue.
    """
    near = (intensity >= NEAR[0] * threshold) & (intensity < NEAR[1] * threshold)
    reported = intensity[near].astype(np.float64) * revenue[near]
    return float((reported * relabelled[near]).sum() / reported.sum()) if reported.any() else math.nan


# --- the model


def without_threshold(policy: Policy) -> Policy:
    """The policy without the required R&D intensity of SRDI SMEs and of little giants with large revenue.

    Nor do firms work towards the score's bands of R&D intensity, the first of which begins at the SRDI threshold.
    """
    rules = policy.rules
    tiers = {
        name: getattr(rules, name).model_copy(update={"rd_intensity_min": 0.0}) for name in ("srdi", "little_giant")
    }
    feedbacks = policy.model.model_copy(update={"points": False})
    return policy.model_copy(update={"rules": rules.model_copy(update=tiers), "model": feedbacks})


def observe(policy: Policy, scale: float, seed: int, until: int) -> Observations:
    """Run the model and record the data that the measures need."""
    model = SRDIModel(policy, scale=scale, rng=seed, until=until)
    columns = model.firms.columns
    sizes, growths, ages, closings = [], [], [], []
    before = columns.employment.copy(), columns.age.copy()
    revenue = RevenueByYear(model)
    reported = end = cross_section(model, revenue.before)
    while model.running:
        model.step()
        revenue.record()
        if model.quarter.number != START.number:
            continue
        employment, age = before
        active = employment > 0
        # After a closure the slot may hold a new firm; the same firm is exactly four quarters older.
        stayed = active & (columns.employment > 0) & (columns.age == age + 4)
        counted = stayed & (employment >= COUNTED_EMPLOYMENT)
        sizes.append(employment[counted].astype(np.float64))
        growths.append(np.log(columns.employment[counted].astype(np.float64) / employment[counted]))
        ages.append(age[active] / 4.0)
        closings.append(~stayed[active])
        before = columns.employment.copy(), columns.age.copy()
        end = cross_section(model, revenue.before)
        if model.quarter.year <= REPORTED_YEAR:
            reported = end
    geography = model.geography
    observations = Observations(
        size=np.concatenate(sizes),
        growth=np.concatenate(growths),
        age=np.concatenate(ages),
        closed=np.concatenate(closings),
        reported=reported,
        end=end,
        county_province=geography.county_province,
        county_city=geography.county_city,
        city_weight=np.bincount(geography.county_city, model.county_giant_weight),
        rd_threshold=policy.rules.srdi.rd_intensity_min,
    )
    model.close()
    return observations


def observe_both(
    scale: float, seed: int, until: int, on_run: Callable[[int, int], None] = lambda done, all_: None
) -> tuple[Observations, Observations]:
    """Two runs of the reported policy, with and without R&D thresholds, on the same random draws.

    on_run: called with the numbers of finished and of all runs, at the start and after each.
    """
    policy = find_policy("baseline")
    on_run(0, 2)
    reported = observe(policy, scale, seed, until)
    on_run(1, 2)
    no_threshold = observe(without_threshold(policy), scale, seed, until)
    on_run(2, 2)
    return reported, no_threshold


def applicants(firms: SimpleNamespace) -> np.ndarray:
    """Reported R&D intensity of firms with R&D and without an SRDI certificate."""
    return firms.rd_last_year[(firms.tier < 2) & (firms.rd_last_year > 0)]


class RevenueByYear:
    """Revenue of every slot in the year before the current one: reports of certified firms give that of the last year.

    Attributes:
        before: yuan, float64 (slots,); 0 in the first year of a run.
    """

    def __init__(self, model: SRDIModel) -> None:
        self._model = model
        self.before = np.zeros(len(model.firms.columns.revenue))
        self._current = self.before.copy()

    def record(self) -> None:
        """Add the quarter that the model has just finished."""
        if self._model.quarter.number == 1:
            self.before, self._current = self._current, np.zeros_like(self._current)
        self._current += 0.25 * self._model.firms.columns.revenue


def cross_section(model: SRDIModel, revenue_before: np.ndarray) -> SimpleNamespace:
    """COLUMNS of the active firms, what assessors see of little giants, and the R&D threshold of the SRDI tier.

    revenue_before: float64 (slots,), from `RevenueByYear`; the active firms' part becomes a column.
    """
    columns = model.firms.columns
    giants = np.flatnonzero((columns.employment > 0) & (columns.tier == 3))
    return SimpleNamespace(
        **{name: model.firms.get(name) for name in COLUMNS},
        revenue_before=revenue_before[columns.employment > 0],
        giants=fields_of(columns, model.inputs, giants),
        rd_threshold=model.rules.srdi.rd_intensity_min,
    )


def reported_measures(firms: SimpleNamespace, county_city: np.ndarray, city_weight: np.ndarray) -> dict[str, float]:
    """Measures of single firms by their id in ``facts.toml``: location, age (years), money (yuan per year), shares.

    Args:
        firms: from `cross_section`.
        county_city: int16 (units,). city_weight: float64 (cities,), as in `Observations`.
    """
    seen = firms.giants
    giants = firms.tier == Tier.little_giant
    cities = np.bincount(county_city[firms.county[giants]], minlength=len(city_weight))
    srdi = firms.tier >= Tier.srdi
    return {
        "giants_concentrated": share_in_first(cities, city_weight),
        "certified_age": _mean(seen["niche_years"]),
        "certified_old": _mean((seen["niche_years"] > 10.0).astype(np.float64)),
        "certified_margin": _mean(seen["net_margin"]),
        "certified_rd_staff": _mean(seen["rd_staff_share"]),
        "certified_revenue": _mean(firms.revenue_before[giants]),
        "certified_rd": _mean(seen["rd_intensity"]),
        "certified_patents": _mean(seen["class1_ip"]),
        "certified_employees": _mean(firms.employment[giants]),
        "certified_listed": _mean((firms.flags[giants] & LISTED).astype(np.float64)),
        "srdi_revenue": _mean(firms.revenue[srdi]),
        "srdi_employees": _mean(firms.employment[srdi]),
        "srdi_rd": _mean(firms.rd_last_year[srdi]),
        "relabelled_share": relabelled_share(firms.rd_last_year, firms.revenue, firms.relabelled, firms.rd_threshold),
    }


def facts_of(baseline: Observations, no_threshold: Observations) -> list[Fact]:
    """The facts of a run; `no_threshold` is the same run without R&D thresholds."""
    firms = baseline.reported
    giant, counted = firms.tier == 3, firms.employment >= COUNTED_EMPLOYMENT
    province = baseline.county_province[firms.county]
    suppliers = supplier_tail(suppliers_per_customer(baseline.end.customer))
    step_without = step_at(applicants(no_threshold.end), baseline.rd_threshold)
    values = {
        "growth_tent": growth_shape(baseline.size, baseline.growth),
        "growth_variance_size": growth_sd_slope(baseline.size, baseline.growth),
        "size_tail": size_tail(baseline.end.employment),
        "exit_age": closing_ratio(baseline.age, baseline.closed),
        "supplier_tail": suppliers.exponent,
        "supplier_tail_heavy": suppliers.ratio,
        **reported_measures(firms, baseline.county_city, baseline.city_weight),
        "certified_larger": ratio_to_province(firms.employment, province, giant, counted),
        "certified_rd_ratio": ratio_to_province(firms.rd_last_year, province, giant, counted),
        "bunching": step_at(applicants(baseline.end), baseline.rd_threshold),
        "bunching_without": step_without,
    }
    measured_bounds = {"bunching": step_without}
    return [
        Fact(
            id=row["id"],
            description=row["description"],
            value=values[row["id"]],
            reference_low=measured_bounds.get(row["id"], row.get("low")),
            reference_high=row.get("high"),
            reference=row["reference"],
            source=row["source"],
        )
        for row in references()
    ]


def measure_facts(scale: float = 0.02, seed: int = 1, until: int = 2024) -> list[Fact]:
    """The stylised facts under the reported policy, measured on two runs of the model.

    Args:
        scale: share of the real population that is simulated. seed: of the runs. until: last year of the runs.

    Raises:
        ValueError: the scale or year is not allowed.
    """
    return facts_of(*observe_both(scale, seed, until))


@cache
def references() -> tuple[dict, ...]:
    """The rows of ``calibration/facts.toml``, in file order."""
    text = files("calibration").joinpath("facts.toml").read_text(encoding="utf-8")
    return tuple(tomllib.loads(text)["fact"])


def _mean(values: np.ndarray) -> float:
    return float(values.mean(dtype=np.float64)) if len(values) else math.nan
