"""Forecasts with their doubt, and their score once figures are realised.

A forecast is the sample of what runs with posterior draws say of a quantity at a date. Each draw is moved by
a model error of its own, normal on the log scale (log-odds for shares) with variance d² + D² h + F²: d is the
quantity's discrepancy in ``targets.toml``, h the years after the cut-off, D (`DRIFT`) how far policy and economy
wander from the model in a year, and F (`DISCRETION`), of flows alone, the discretion in a single year's batch.
The same error stands behind the hindcast of `calibration.diagnostics`, where it can be seen to be wide enough or not.

Provinces recommend firms by habits that the model does not have. What their reported figures show of that is
taken over: the log ratio of reported to simulated figures of a province, shrunk to 0 as a normal mean with
prior variance d² and an error of `LIST_ERROR` a figure, moves its forecasts; all provinces together stay at
the national forecast.
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

from scenarios.errors import InputError, nearest
from scenarios.loading import parse_toml, read_text
from scenarios.reported import CUT_OFF, REVIEW_PASS_RATE, Quantity, reported_figures, simulated
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
#: National columns that are flows: a figure of them is that of the year so far.
FLOWS = (
    "little_giants_granted",
    "little_giants_renewed",
    "little_giants_lapsed",
    "little_giants_reviewed",
    "applications",
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
            return self._of_provinces(quantity.date)[:, province_names().index(quantity.province)]
        values = simulated(self.tables, quantity).to_numpy(dtype=np.float64)
        error = self._errors(name_of(quantity), len(values)) * model_error(quantity)
        return with_error(values, error, is_share(quantity))

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
        """What reported figures say of each province beside the model.

        Returns:
            Index province; columns level (expected log of reported over simulated), sd (its standard deviation) and
            figures (how many it rests on).
        """
        ratios: dict[str, list[float]] = {province: [] for province in province_names()}
        for figure in reported_figures():
            if figure.province and figure.middle > 0:
                mean = simulated(self.tables, figure).mean()
                if mean > 0:
                    ratios[figure.province].append(math.log(figure.middle / mean))
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
        """Draws of all provinces at a date, float64 (draws, provinces); they add up to the national forecast."""
        if day not in self._province_cache:
            names = province_names()
            asked = [Quantity(quantity=BY_PROVINCE, date=day, province=name) for name in names]
            values = np.column_stack([simulated(self.tables, one).to_numpy(dtype=np.float64) for one in asked])
            levels = self.province_levels
            for place, (name, one) in enumerate(zip(names, asked, strict=True)):
                spread = model_error(one, discrepancy=levels.loc[name, "sd"])
                error = self._errors(name_of(one), len(values)) * spread
                values[:, place] *= np.exp(levels.loc[name, "level"] + error)
            whole = self.draws(Quantity(quantity=BY_PROVINCE, date=day))
            self._province_cache[day] = values * (whole / np.maximum(values.sum(axis=1), 1.0))[:, None]
        return self._province_cache[day]

    def _errors(self, name: str, count: int) -> np.ndarray:
        """Standard normal errors, float64 (count,): the same at all dates, since an error wanders and does not jump."""
        return np.random.default_rng([self.seed, *name.encode()]).normal(size=count)


def with_error(values: np.ndarray, error: np.ndarray, share: bool) -> np.ndarray:
    """Values moved by an error on the log scale, on the log-odds scale for shares; 0 and 1 stay."""
    if not share:
        return values * np.exp(error)
    return values * np.exp(error) / (1.0 - values + values * np.exp(error))


def model_error(quantity: Quantity, since: date = CUT_OFF, discrepancy: float | None = None) -> float:
    """Standard deviation of the model error of a forecast made at `since`, log or log-odds scale.

    Args:
        discrepancy: that of the quantity; by default that of its reported figures.
    """
    known = discrepancy_of(quantity) if discrepancy is None else discrepancy
    years = max((quantity.quarter_end.date() - since).days / 365.25, 0.0)
    flow = DISCRETION if quantity.whole_year and not is_share(quantity) else 0.0
    return math.hypot(known, DRIFTS.get(quantity.quantity, DRIFT) * math.sqrt(years), flow)


def discrepancy_of(quantity: Quantity) -> float:
    """Model error of a national quantity: the largest of the reported figures on it."""
    asked = [f for f in reported_figures() if f.quantity == quantity.quantity and not f.province]
    return max((figure.discrepancy for figure in asked), default=0.0) or OTHER_DISCREPANCY


def _province_discrepancy() -> float:
    return max(figure.discrepancy for figure in reported_figures() if figure.province)


def is_share(quantity: Quantity) -> bool:
    """Whether a national quantity lies between 0 and 1, so that its errors are those of its log-odds."""
    units = {column.name: column.unit for column in NATIONAL}
    return quantity.quantity == REVIEW_PASS_RATE or units.get(quantity.quantity) in ("share", "0-1")


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
    found = []
    for number, row in enumerate(rows, start=1):
        where = f"{path}: actual {number}"
        try:
            actual = Actual.model_validate(row)
            if actual.asked.quarter_end.date() > last:
                raise InputError(f"date is {actual.date}; the forecast ends on {last}")
        except ValidationError as error:
            fault = error.errors()[0]
            key = ".".join(map(str, fault["loc"]))
            if fault["type"] == "extra_forbidden":
                allowed = list(Actual.model_fields)
                raise InputError(
                    f"{where}: unknown key {key}{nearest(key, allowed)} (allowed: {', '.join(allowed)})"
                ) from None
            if fault["type"] == "missing":
                raise InputError(f"{where}: {key} is missing") from None
            message = fault["msg"].removeprefix("Value error, ")
            found_there = f"{key} is {fault['input']!r}: " if key else ""
            raise InputError(f"{where}: {found_there}{message}") from None
        except InputError as error:
            raise InputError(f"{where}: {error}") from None
        found.append(actual)
    return tuple(found)


@dataclass(frozen=True)
class Naive:
    """What a forecaster without a model would say of a quantity at a date; NaN without any reported figure."""

    last_value: float
    linear_trend: float


def naive_forecasts(quantity: Quantity, last: date = date.max) -> Naive:
    """The last value reported up to `last`, and the least-squares line through all (that value if it is alone)."""
    figures = [
        figure
        for figure in reported_figures()
        if figure.date <= last
        and (figure.quantity, figure.province, figure.since_start)
        == (quantity.quantity, quantity.province, quantity.since_start)
    ]
    if not figures:
        return Naive(math.nan, math.nan)
    figures.sort(key=lambda figure: figure.date)
    days = np.array([figure.date.toordinal() for figure in figures], dtype=np.float64)
    values = np.array([figure.middle for figure in figures])
    trend = values[-1]
    if len(figures) > 1:
        line = np.polyfit((days - days[-1]) / 365.25, values, 1)
        trend = np.polyval(line, (quantity.quarter_end.date().toordinal() - days[-1]) / 365.25)
    return Naive(float(values[-1]), float(np.clip(trend, 0.0, 1.0 if is_share(quantity) else np.inf)))


def score(forecaster: Forecaster, actuals: tuple[Actual, ...]) -> pd.DataFrame:
    """Each realised figure beside its forecast and two naive ones.

    Returns:
        Columns quantity, date, low, high (realised), q05 … q95, inside_50, inside_90 (whether the realised interval
        meets the forecast's), and for the model, last_value and linear_trend: crps_… (continuous ranked probability
        score, unit of the quantity; of a naive forecast, a single number, it is the absolute error) and
        error_… (median over middle of the realised interval, less 1).
    """
    from scoringrules import crps_ensemble

    table = forecaster.table([actual.asked for actual in actuals])
    rows = []
    for actual, row in zip(actuals, table.to_dict("records"), strict=True):
        draws = forecaster.draws(actual.asked)
        draws = draws[np.isfinite(draws)]
        naive = naive_forecasts(actual.asked)
        row |= {"low": actual.low, "high": actual.high, "source": actual.source}
        for level, low, high in ((50, "q25", "q75"), (90, "q05", "q95")):
            row[f"inside_{level}"] = bool(row[low] <= actual.high and actual.low <= row[high])
        row["crps_model"] = float(crps_ensemble(actual.middle, draws)) if len(draws) else math.nan
        row["error_model"] = _relative(row["q50"], actual.middle)
        for name in ("last_value", "linear_trend"):
            value = getattr(naive, name)
            row[name] = value
            row[f"inside_{name}"] = bool(actual.low <= value <= actual.high)
            row[f"crps_{name}"] = abs(value - actual.middle)
            row[f"error_{name}"] = _relative(value, actual.middle)
        rows.append(row)
    return pd.DataFrame(rows)


def _relative(value: float, actual: float) -> float:
    return value / actual - 1.0 if actual else math.nan


def score_summary(scored: pd.DataFrame) -> dict:
    """One line over all realised figures.

    Returns:
        figures; coverage_50, coverage_90; and for model, last_value and linear_trend: relative_crps (mean of the score
        over the realised value) and absolute_error (mean of the absolute relative error), over the figures for which
        all three say something; compared: how many those are.
    """
    forecasters = ("model", "last_value", "linear_trend")
    together = scored.dropna(subset=[f"crps_{name}" for name in forecasters])
    middle = (together["low"] + together["high"]) / 2.0
    return {
        "figures": len(scored),
        "coverage_50": float(scored["inside_50"].mean()),
        "coverage_90": float(scored["inside_90"].mean()),
        "compared": len(together),
        **{
            name: {
                "relative_crps": float((together[f"crps_{name}"] / middle).mean()),
                "absolute_error": float(together[f"error_{name}"].abs().mean()),
            }
            for name in forecasters
        },
    }
