"""Forecasts without a model, from the reported figures alone: what the model's have to beat.

They have a distribution too, so that intervals and scores mean the same for all.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
from scipy.stats import norm, t

from scenarios.analysis.reported import Quantity, ReportedFigure, reported_figures

#: The quantity that is forecast by province.
BY_PROVINCE = "little_giants"
#: Names of the forecasts, and the quantiles that stand for one: equally spaced, the median among them.
NAIVE = ("last_value", "linear_trend")
LEVELS = (np.arange(999) + 0.5) / 999
#: Quantities that lists by province are reported of: the stock, and grants of a year or of all years so far.
LISTED = (BY_PROVINCE, "little_giants_granted")


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
    return sum(figure.middle for figure in used) / sum(listed_in_the_nation(figure) for figure in used)


def listed_in_the_nation(figure: ReportedFigure) -> float:
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
