"""Forecasts without a model, from the reported figures alone: the benchmark for the model's forecasts.

They are distributions too, so that intervals and scores are comparable.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
from scipy.stats import norm, t

from calibration.forecasting.lists import KNOWN, SRDI, Count, known_counts, known_lists
from calibration.forecasting.quantities import BY_PROVINCE, Asked, known_by, reported_as
from scenarios.analysis.reported import Quantity, ReportedFigure, reported_figures

#: Names of the forecasts, and the probabilities of the quantiles that represent one: equally spaced, median included.
NAIVE = ("last_value", "linear_trend")
LEVELS = (np.arange(999) + 0.5) / 999


@dataclass(frozen=True, eq=False)
class Naive:
    """Forecasts of a quantity at a date without a model.

    Attributes:
        samples: for each name in `NAIVE`, float64 (n,) in the unit of the quantity: the quantiles at `LEVELS`, a single
            value for a point forecast, NaN without any reported figure.
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


#: Without any reported figure.
_NOTHING = Naive({name: np.array([math.nan]) for name in NAIVE})


def naive_forecasts(quantity: Quantity, last: date = KNOWN) -> Naive:
    """Forecasts from the figures reported up to `last` alone.

    last_value is a random walk on the log scale from the last figure; linear_trend is the least-squares line through
    all figures with its prediction interval. Both stay within the bounds of the quantity. The little giants of a
    province or region are its last share in the lists times the national forecast. SRDI SMEs of a province have the
    counts of the ledger as figures, those of a region none.
    """
    place = quantity.place if isinstance(quantity, Asked) else quantity.province
    if place and quantity.quantity in BY_PROVINCE:
        share = list_share(place, last)
        whole = Asked(quantity=quantity.quantity, date=quantity.date, whole_year=quantity.whole_year)
        nation = naive_forecasts(whole, last)
        return Naive({name: share * sample for name, sample in nation.samples.items()})
    series = (reported_as(quantity), quantity.province, quantity.since_start)
    figures: list[ReportedFigure] | list[Count]
    if quantity.quantity == SRDI and place:
        figures = [count for count in known_counts(last) if count.place == place]
    else:
        figures = [f for f in _reported_until(last) if (f.quantity, f.province, f.since_start) == series]
    if not figures:
        return _NOTHING
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
    positive = gaps > 0.0
    if not positive.any():
        return values[-1:]
    variance = np.mean(np.diff(np.log(values))[positive] ** 2 / gaps[positive])
    return values[-1] * np.exp(norm.ppf(LEVELS) * math.sqrt(variance * max(ahead, 0.0)))


def _linear_trend(years: np.ndarray, values: np.ndarray, ahead: float) -> np.ndarray:
    """Quantiles, float64 (n,), of a new value around the least-squares line; with two figures, the point on it.

    Args: as for `_last_value`.
    """
    if len(values) == 1:
        return values
    line = np.polyfit(years, values, 1)
    middle, freedom = np.polyval(line, ahead), len(values) - 2
    if not freedom:
        return np.array([middle])
    residuals, deviations = values - np.polyval(line, years), years - years.mean()
    leverage = 1.0 / len(values) + (ahead - years.mean()) ** 2 / np.sum(deviations**2)
    spread = math.sqrt(np.sum(residuals**2) / freedom * (1.0 + leverage))
    return middle + spread * t.ppf(LEVELS, freedom)


def list_share(place: str, last: date = KNOWN) -> float:
    """Share of a province or region in the little giants of its lists reported up to `last`; NaN without any.

    The lists used do not overlap: the latest list of several batches, and those of single batches after it.
    """
    lists = [listed for listed in known_lists(last) if listed.place == place]
    several = sorted((listed for listed in lists if len(listed.years) > 1), key=lambda listed: max(listed.years))[-1:]
    until = max((max(listed.years) for listed in several), default=0)
    single = {listed.years: listed for listed in lists if len(listed.years) == 1 and listed.years[0] > until}
    used = [*several, *single.values()]
    if not used:
        return math.nan
    return sum(listed.count for listed in used) / sum(listed.weights(last).sum() for listed in used)


def _reported_until(last: date) -> list[ReportedFigure]:
    """Figures reported up to a day, sorted by date."""
    return sorted((f for f in reported_figures() if known_by(f, last)), key=lambda figure: figure.date)
