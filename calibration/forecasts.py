"""Forecasts with their doubt, and their score once figures are realised.

A forecast is the sample of what runs with posterior draws say of a quantity at a date. Each draw is moved by
a model error of its own, normal on the log scale (log-odds for shares) with variance d² + D² h + F²: d is the
quantity's discrepancy in ``targets.toml``, h the years after the cut-off, D (`DRIFT`) how far policy and economy
wander from the model in a year, and F (`DISCRETION`), of certificates alone, the discretion in a single year's batch.
The same error, F apart, stands behind the hindcast of `calibration.diagnostics`, where it can be seen to be wide
enough or not.

Provinces recommend firms by habits that the model does not have. What their reported lists show of that is taken
over: the log ratio of a province's reported share of a list to the simulated one, shrunk to 0 as a normal mean with
prior variance d² and an error of `LIST_ERROR` a list, moves its forecasts; what is expected of all provinces
together stays at the national forecast. A run at a small scale counts a province in large steps, with luck that the
country does not have: a province is expected to hold its share in all runs together, and luck is that of counting
firms one by one (Poisson).

Naive forecasts have a distribution too, so that intervals and scores mean the same for all.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from scipy.stats import norm, t

from scenarios.errors import InputError, first_fault, nearest
from scenarios.loading import parse_toml, read_text
from scenarios.reported import CUT_OFF, REVIEW_PASS_RATE, Quantity, ReportedFigure, reported_figures, simulated
from sim.outputs import NATIONAL
from sim.reference import province_names

#: Year ends of the published forecasts.
YEARS = (2024, 2025, 2026, 2030)
#: Quantities of the published forecasts: national ones, and one by province.
PUBLISHED = (
    "srdi_smes",
    "little_giants",
    "little_giants_granted",
    REVIEW_PASS_RATE,
    "manufacturing_share_of_little_giants",
    "county_share_of_little_giants",
)
BY_PROVINCE = "little_giants"
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
#: Flows of certificates, which batches and reviews make.
CERTIFICATES = (
    "little_giants_granted",
    "little_giants_renewed",
    "little_giants_lapsed",
    "little_giants_reviewed",
    "applications",
)
#: National columns that are flows: a figure of them is that of the year so far. The unit of counts does not tell.
FLOWS = (
    *CERTIFICATES,
    *("births", "deaths"),
    *(column.name for column in NATIONAL if column.unit.endswith("per quarter")),
)
#: Standard deviation by which a quantity leaves the model in the first year, log scale; assumed. A year's batch is a
#: quarter to a third of the stock of little giants, so its discretion moves that stock by less than it moves the batch.
DRIFT, DRIFTS = 0.1, {"little_giants": 0.06}
#: Standard deviation of a single year's flow, log scale: of the three batches after the pilots, 2,930, 4,357 and
#: 3,671, about a straight line of their logs.
DISCRETION = 0.23
#: Standard deviation of the log ratio of one province's figure to its lasting level. Assumed: lists of single years
#: follow quotas that change.
LIST_ERROR = 0.3
#: Model error of quantities that no reported figure has one for.
OTHER_DISCREPANCY = 0.1
#: Forecasts without a model, and the quantiles that stand for one: equally spaced, the median among them.
NAIVE = ("last_value", "linear_trend")
LEVELS = (np.arange(999) + 0.5) / 999
#: Quantities that lists by province are reported of: the stock, and grants of a year or of all years so far.
LISTED = (BY_PROVINCE, "little_giants_granted")


def quantity_of(name: str, day: date) -> Quantity:
    """The quantity called `name`: a national column, review_pass_rate, or little_giants.PROVINCE.

    Raises:
        InputError: an unknown name, with the nearest known one.
    """
    column, dot, province = name.partition(".")
    known = [
        *(column.name for column in NATIONAL[1:]),
        REVIEW_PASS_RATE,
        *(f"{BY_PROVINCE}.{p}" for p in province_names()),
    ]
    if name not in known:
        allowed = f"a national column, {REVIEW_PASS_RATE} or {BY_PROVINCE}.PROVINCE"
        raise InputError(f"unknown quantity {name!r}{nearest(name, known)} (allowed: {allowed}: {', '.join(known)})")
    return Quantity(quantity=column, date=day, whole_year=column in FLOWS, province=province if dot else "")


def name_of(quantity: Quantity) -> str:
    """The name that `quantity_of` reads."""
    return f"{quantity.quantity}.{quantity.province}" if quantity.province else quantity.quantity


def published() -> list[Quantity]:
    """Quantities and dates of the published forecasts."""
    names = [*PUBLISHED, *(f"{BY_PROVINCE}.{province}" for province in province_names())]
    return [quantity_of(name, date(year, 12, 31)) for name in names for year in YEARS]


@dataclass(frozen=True)
class Forecaster:
    """Forecasts from the results of runs with posterior draws, one replicate a draw.

    Attributes:
        tables: national, tier and, for provinces, province. seed: of the model error.
    """

    tables: Mapping[str, pd.DataFrame]
    seed: int

    def draws(self, quantity: Quantity) -> np.ndarray:
        """A sample of a quantity, float64 (draws,), model error included; NaN where a run says nothing of it."""
        if quantity.province:
            day = quantity.quarter_end.date()
            return self._of_provinces(day)[:, province_names().index(quantity.province)]
        values = simulated(self.tables, quantity).to_numpy(dtype=np.float64)
        error = self._errors(name_of(quantity), len(values)) * model_error(quantity)
        return with_error(values, error, quantity.is_share)

    def table(self, quantities: list[Quantity]) -> pd.DataFrame:
        """Quantiles of forecasts: columns quantity, date, unit, q05, q25, q50, q75, q95, draws."""
        units = {column.name: column.unit for column in NATIONAL} | {REVIEW_PASS_RATE: "share"}
        rows = []
        for quantity in quantities:
            draws = self.draws(quantity)
            draws = draws[np.isfinite(draws)]
            levels = np.quantile(draws, QUANTILES) if len(draws) else np.full(len(QUANTILES), np.nan)
            unit = units[quantity.quantity].removesuffix(" per quarter") + (" a year" if quantity.whole_year else "")
            rows.append(
                {
                    "quantity": name_of(quantity),
                    "date": quantity.quarter_end.date().isoformat(),
                    "unit": unit,
                    **{f"q{round(100 * level):02d}": float(v) for level, v in zip(QUANTILES, levels, strict=True)},
                    "draws": len(draws),
                }
            )
        return pd.DataFrame(rows)

    @cached_property
    def province_levels(self) -> pd.DataFrame:
        """What reported lists say of each province's share beside the model.

        Returns:
            Index province; columns level (expected log of the reported share of a list over the simulated one), sd
            (its standard deviation) and figures (how many it rests on).
        """
        ratios: dict[str, list[float]] = {province: [] for province in province_names()}
        for figure in reported_figures():
            if figure.province and figure.middle > 0:
                whole = simulated(self.tables, figure.model_copy(update={"province": ""})).mean()
                share = simulated(self.tables, figure).mean() / whole if whole > 0 else 0.0
                if share > 0:
                    reported = figure.middle / _listed_in_the_nation(figure)
                    ratios[figure.province].append(math.log(reported / share))
        prior = _province_discrepancy()
        rows = {}
        for province, found in ratios.items():
            precision = prior**-2 + len(found) * LIST_ERROR**-2
            level = sum(found) * LIST_ERROR**-2 / precision
            rows[province] = {"level": level, "sd": precision**-0.5, "figures": len(found)}
        return pd.DataFrame(rows).T

    @cached_property
    def _province_cache(self) -> dict[date, np.ndarray]:
        return {}

    def _of_provinces(self, day: date) -> np.ndarray:
        """Draws of all provinces at a quarter end, float64 (draws, provinces), whole firms.

        Expected values add up to the national forecast, draw by draw; the luck around them is independent between
        provinces and dates, of a generator seeded by the quarter end.
        """
        if day not in self._province_cache:
            names = province_names()
            asked = [Quantity(quantity=BY_PROVINCE, date=day, province=name) for name in names]
            counts = np.column_stack([simulated(self.tables, one).to_numpy(dtype=np.float64) for one in asked])
            # Draws are exchangeable, and their parameters hardly move shares of provinces beside the errors below.
            shares = counts.sum(axis=0) / max(counts.sum(), 1.0)
            whole = self.draws(Quantity(quantity=BY_PROVINCE, date=day))
            weights = np.tile(shares, (len(whole), 1))
            levels = self.province_levels
            for place, (name, one) in enumerate(zip(names, asked, strict=True)):
                spread = model_error(one, discrepancy=levels.loc[name, "sd"])
                error = self._errors(name_of(one), len(whole)) * spread
                weights[:, place] *= np.exp(levels.loc[name, "level"] + error)
            together = np.maximum(weights.sum(axis=1), np.finfo(np.float64).tiny)
            luck = np.random.default_rng([self.seed, *f"luck of provinces, {day}".encode()])
            self._province_cache[day] = luck.poisson(weights * (whole / together)[:, None]).astype(np.float64)
        return self._province_cache[day]

    def _errors(self, name: str, count: int) -> np.ndarray:
        """Standard normal errors, float64 (count,): the same at all dates, since an error wanders and does not jump."""
        return np.random.default_rng([self.seed, *name.encode()]).normal(size=count)


def with_error(values: np.ndarray, error: np.ndarray, share: bool) -> np.ndarray:
    """Values moved by an error on the log scale, on the log-odds scale for shares; 0 and 1 stay."""
    if not share:
        return values * np.exp(error)
    return values * np.exp(error) / (1.0 - values + values * np.exp(error))


def model_error(quantity: Quantity, discrepancy: float | None = None) -> float:
    """Standard deviation of the model error of a forecast made at the cut-off, log or log-odds scale.

    Args:
        discrepancy: that of the quantity; by default that of its reported figures.
    """
    flow = DISCRETION if quantity.whole_year and quantity.quantity in CERTIFICATES else 0.0
    return math.hypot(wandering(quantity, discrepancy=discrepancy), flow)


def wandering(quantity: Quantity, since: date = CUT_OFF, discrepancy: float | None = None) -> float:
    """As `model_error`, of a forecast made at `since` and without the discretion of a single year's batch."""
    known = discrepancy_of(quantity) if discrepancy is None else discrepancy
    years = max((quantity.quarter_end.date() - since).days / 365.25, 0.0)
    return math.hypot(known, DRIFTS.get(quantity.quantity, DRIFT) * math.sqrt(years))


def discrepancy_of(quantity: Quantity) -> float:
    """Model error of a national quantity: the largest of the reported figures on it."""
    asked = [f for f in reported_figures() if f.quantity == quantity.quantity and not f.province]
    return max((figure.discrepancy for figure in asked), default=0.0) or OTHER_DISCREPANCY


def _province_discrepancy() -> float:
    return max(figure.discrepancy for figure in reported_figures() if figure.province)


# --- realised figures


class Actual(BaseModel):
    """One realised figure: the rounding interval of a quantity at a date after the cut-off."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    quantity: str
    date: date
    low: float
    high: float
    source: str = Field(min_length=1)

    @model_validator(mode="after")
    def _consistent(self):
        if self.low > self.high:
            raise ValueError(f"low is {self.low:g}, above high, {self.high:g}")
        if not self.date > CUT_OFF:
            raise ValueError(f"date is {self.date}; forecasts begin after {CUT_OFF}")
        share = self.asked.is_share
        for key, value in (("low", self.low), ("high", self.high)):
            if value < 0.0 or (share and value > 1.0):
                allowed = "is a share, between 0 and 1" if share else "cannot be below 0"
                raise ValueError(f"{key} is {value:g}; {self.quantity} {allowed}")
        return self

    @cached_property
    def asked(self) -> Quantity:
        """What a run is asked for."""
        return quantity_of(self.quantity, self.date)

    @property
    def middle(self) -> float:
        """Middle of the rounding interval."""
        return (self.low + self.high) / 2.0


def read_actuals(path: str | Path, last: date) -> tuple[Actual, ...]:
    """Realised figures of a TOML file with one [[actual]] each.

    Args:
        last: end of the forecast; a later figure is refused.

    Raises:
        InputError: one sentence with the file, the figure, the key, what was found and what is allowed.
    """
    rows = parse_toml(read_text(Path(path)), str(path)).get("actual")
    if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
        raise InputError(f"{path}: there is no [[actual]]")
    found: dict[tuple, Actual] = {}
    for number, row in enumerate(rows, start=1):
        where = f"{path}: actual {number}"
        actual = _actual(row, where, last)
        key = (actual.quantity, actual.asked.quarter_end.date())
        if key in found:
            raise InputError(f"{where}: {key[0]} of the quarter that ends on {key[1]} is given twice; once is allowed")
        found[key] = actual
    return tuple(found.values())


def _actual(row: dict, where: str, last: date) -> Actual:
    try:
        actual = Actual.model_validate(row)
        if actual.asked.quarter_end.date() > last:
            raise InputError(f"date is {actual.date}; the forecast ends on {last}")
        return actual
    except ValidationError as error:
        raise InputError(f"{where}: {first_fault(error, lambda path: list(Actual.model_fields))}") from None
    except InputError as error:
        raise InputError(f"{where}: {error}") from None


# --- forecasts without a model


@dataclass(frozen=True, eq=False)
class Naive:
    """What a forecaster without a model would say of a quantity at a date.

    Attributes:
        samples: of each name in `NAIVE`, float64 (n,) in the unit of the quantity: the quantiles `LEVELS` of its
            distribution, a single value for a point, NaN without any reported figure.
    """

    samples: Mapping[str, np.ndarray]

    @property
    def last_value(self) -> float:
        """Median of that forecast; NaN without any reported figure."""
        return float(np.median(self.samples["last_value"]))

    @property
    def linear_trend(self) -> float:
        """Median of that forecast; NaN without any reported figure."""
        return float(np.median(self.samples["linear_trend"]))


def naive_forecasts(quantity: Quantity, last: date = date.max) -> Naive:
    """Forecasts from the figures reported up to `last` alone.

    last_value is a random walk on the log scale from the last figure, linear_trend the least-squares line through all
    figures with its prediction interval; both within the bounds of the quantity. Little giants of a province are its
    share in the reported lists times the forecast of the nation.
    """
    if quantity.province and quantity.quantity == BY_PROVINCE:
        share = list_share(quantity.province, last)
        nation = naive_forecasts(Quantity(quantity=BY_PROVINCE, date=quantity.date), last)
        return Naive({name: share * sample for name, sample in nation.samples.items()})
    asked = (quantity.quantity, quantity.province, quantity.since_start)
    figures = [f for f in _reported_until(last) if (f.quantity, f.province, f.since_start) == asked]
    if not figures:
        return Naive({name: np.array([math.nan]) for name in NAIVE})
    days = np.array([figure.date.toordinal() for figure in figures], dtype=np.float64)
    years = (days - days[-1]) / 365.25
    ahead = (quantity.quarter_end.date().toordinal() - days[-1]) / 365.25
    values = np.array([figure.middle for figure in figures])
    highest = 1.0 if quantity.is_share else np.inf
    samples = (_last_value(years, values, ahead), _linear_trend(years, values, ahead))
    return Naive({name: np.clip(each, 0.0, highest) for name, each in zip(NAIVE, samples, strict=True)})


def _last_value(years: np.ndarray, values: np.ndarray, ahead: float) -> np.ndarray:
    """Quantiles, float64 (n,), of a random walk on the log scale `ahead` years after the last figure.

    Args:
        years: of the figures, float64 (figures,), ascending, 0 at the last. values: the figures, above 0.
    """
    gaps = np.diff(years)
    apart = gaps > 0.0
    if not apart.any():
        return values[-1:]
    variance = np.mean(np.diff(np.log(values))[apart] ** 2 / gaps[apart])
    return values[-1] * np.exp(norm.ppf(LEVELS) * math.sqrt(variance * max(ahead, 0.0)))


def _linear_trend(years: np.ndarray, values: np.ndarray, ahead: float) -> np.ndarray:
    """Quantiles, float64 (n,), of a new value about the least-squares line; a point on it with two figures.

    Args: as for `_last_value`.
    """
    if len(values) == 1:
        return values
    line = np.polyfit(years, values, 1)
    middle, free = np.polyval(line, ahead), len(values) - 2
    if not free:
        return np.array([middle])
    residuals, around = values - np.polyval(line, years), years - years.mean()
    leverage = 1.0 / len(values) + (ahead - years.mean()) ** 2 / np.sum(around**2)
    spread = math.sqrt(np.sum(residuals**2) / free * (1.0 + leverage))
    return middle + spread * t.ppf(LEVELS, free)


def list_share(province: str, last: date = date.max) -> float:
    """Share of a province in the little giants of all lists reported of it up to `last`; NaN without any.

    Lists do not overlap: the latest one of all certificates so far, and single years' lists after it.
    """
    lists = [f for f in _reported_until(last) if f.province == province and f.quantity in LISTED]
    so_far = [figure for figure in lists if not figure.whole_year][-1:]
    since = [f for f in lists if f.whole_year and not (so_far and f.date.year <= so_far[0].date.year)]
    used = so_far + since
    if not used:
        return math.nan
    return sum(figure.middle for figure in used) / sum(_listed_in_the_nation(figure) for figure in used)


def _listed_in_the_nation(figure: ReportedFigure) -> float:
    """Firms on the whole list of which a province's figure is a part.

    A list of the stock is reported of every province; of the others only some provinces are known, but the nation's
    grants are.
    """
    same = [f for f in reported_figures() if f.quantity == figure.quantity]
    if figure.quantity == BY_PROVINCE:
        return sum(f.middle for f in same if f.province and f.date == figure.date)
    first = date.min if figure.since_start else figure.date
    return sum(f.middle for f in same if not f.province and f.whole_year and first <= f.date <= figure.date)


def _reported_until(last: date) -> list[ReportedFigure]:
    """Reported figures by date."""
    return sorted((f for f in reported_figures() if f.date <= last), key=lambda figure: figure.date)


# --- score


def score(forecaster: Forecaster, actuals: tuple[Actual, ...]) -> pd.DataFrame:
    """Each realised figure beside its forecast and two naive ones.

    Returns:
        Columns quantity, date, unit, q05 … q95, draws, low, high, source (realised); of the model inside_50, inside_90
        (whether the realised interval meets the forecast's), crps_model (continuous ranked probability score, unit of
        the quantity) and error_model (median over middle of the realised interval, less 1); and the same of the naive
        forecasts: for NAME of last_value and linear_trend NAME (median), inside_50_NAME, inside_90_NAME, crps_NAME and
        error_NAME. NaN, and None of inside_…, where there is no forecast; NaN errors where the realised figure is 0.
    """
    table = forecaster.table([actual.asked for actual in actuals])
    rows = []
    for actual, row in zip(actuals, table.to_dict("records"), strict=True):
        row |= {"low": actual.low, "high": actual.high, "source": actual.source}
        judged = _judged(forecaster.draws(actual.asked), actual)
        row |= {"inside_50": judged["inside_50"], "inside_90": judged["inside_90"]}
        row |= {"crps_model": judged["crps"], "error_model": judged["error"]}
        naive = naive_forecasts(actual.asked)
        for name in NAIVE:
            row[name] = getattr(naive, name)
            row |= {f"{key}_{name}": value for key, value in _judged(naive.samples[name], actual).items()}
        rows.append(row)
    return pd.DataFrame(rows)


def _judged(sample: np.ndarray, actual: Actual) -> dict[str, bool | float | None]:
    """inside_50, inside_90, crps and error of a sample, float64 (n,), which may hold NaN."""
    from scoringrules import crps_ensemble

    sample = sample[np.isfinite(sample)]
    if not len(sample):
        return {"inside_50": None, "inside_90": None, "crps": math.nan, "error": math.nan}
    q05, q25, q50, q75, q95 = np.quantile(sample, QUANTILES)
    return {
        "inside_50": bool(q25 <= actual.high and actual.low <= q75),
        "inside_90": bool(q05 <= actual.high and actual.low <= q95),
        "crps": float(crps_ensemble(actual.middle, sample)),
        "error": float(q50) / actual.middle - 1.0 if actual.middle else math.nan,
    }


def score_summary(scored: pd.DataFrame) -> dict:
    """One line over all realised figures, and the same for the nation and for provinces.

    Returns:
        figures; coverage_50, coverage_90 of the model over all figures; and for model, last_value and linear_trend:
        coverage_50, coverage_90, relative_crps (mean of the score over the realised value) and absolute_error (mean of
        the absolute relative error), over the figures for which all three say something; compared: how many those are.
        national, provinces: the same keys over these figures alone, if there are any. What cannot be computed is None.
    """
    of_province = scored["quantity"].str.contains(".", regex=False)
    parts = {"national": scored[~of_province], "provinces": scored[of_province]}
    return _summary(scored) | {name: _summary(part) for name, part in parts.items() if len(part)}


def _summary(scored: pd.DataFrame) -> dict:
    together = scored.dropna(subset=[f"crps_{name}" for name in ("model", *NAIVE)])
    middle = ((together["low"] + together["high"]) / 2.0).replace(0.0, math.nan)
    return {
        "figures": len(scored),
        **_coverage(scored, ""),
        "compared": len(together),
        **{
            name: {
                **_coverage(together, suffix),
                "relative_crps": _mean(together[f"crps_{name}"] / middle),
                "absolute_error": _mean(together[f"error_{name}"].abs()),
            }
            for name, suffix in (("model", ""), *((name, f"_{name}") for name in NAIVE))
        },
    }


def _coverage(scored: pd.DataFrame, suffix: str) -> dict[str, float | None]:
    return {f"coverage_{level}": _mean(scored[f"inside_{level}{suffix}"]) for level in (50, 90)}


def _mean(column: pd.Series) -> float | None:
    """Mean of what there is; None if there is nothing."""
    known = column.dropna().to_numpy(dtype=np.float64)
    return float(known.mean()) if len(known) else None
