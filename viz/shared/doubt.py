"""Bands of levels and intervals of effects on page and in reports, by quantity and date.

The formulas are in `scenarios.analysis.bands` and `scenarios.analysis.model_error`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import numpy as np

from scenarios.analysis.bands import ENDS, Luck, effect_ends, level_quantiles
from scenarios.analysis.metrics import GENUINE
from scenarios.analysis.model_error import effect_error, level_error
from viz.shared.calibrated import packaged_validation

#: Quantiles of a fan: the ends of its 90 % and 50 % bands, and its line.
QUANTILES = (ENDS[0], 0.25, 0.5, 0.75, ENDS[1])
#: Stocks of certificates: firms that are certified at random, so that their luck is that of counting firms.
COUNTS = ("innovative_smes", "srdi_smes", "little_giants", *GENUINE)


def fan_of(
    values: np.ndarray,
    quantity: str,
    unit: str,
    days: Sequence[date],
    weight: float,
    *,
    province: bool = False,
    quantiles: tuple[float, ...] = QUANTILES,
    units: int | None = None,
) -> dict[float, np.ndarray]:
    """Quantiles of a level by date, with luck, the doubt of the parameter draws and the model's own error.

    Args:
        values: float64 (runs, dates) or (runs, dates, places). quantity: as in `level_error`. unit: as in the results.
        weight: real firms that a simulated one stands for; 1 for a quantity to be left with the luck it has.
        province: the values are those of provinces. units: as in `level_quantiles`.

    Returns:
        float64 (dates, ...) by quantile; 0.5 is the mean over the runs. NaN for the others with a single run.
    """
    sigma = _fitting(level_error(quantity, days, province=province), values)
    luck = None
    if quantity in COUNTS:
        luck = Luck(weight, 1.0 if province else 1.0 / packaged_validation().results["scale"])
    found = level_quantiles(values, quantiles, sigma, unit, luck=luck, units=units)
    return dict(zip(quantiles, found, strict=True))


def effects_of(
    differences: np.ndarray,
    baseline: np.ndarray,
    quantity: str,
    unit: str,
    days: Sequence[date],
    *,
    province: bool = False,
    units: int | None = None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean paired difference by date and the ends of its 90 % interval, each float64 (dates, ...).

    Args:
        differences: float64 (pairs, dates, ...). baseline: its level in each, of the same shape. The rest as in
            `fan_of`.
    """
    factor = effect_error(
        quantity, unit, baseline.mean(axis=0), _fitting(level_error(quantity, days, province=province), differences)
    )
    runs, mean = len(differences), differences.mean(axis=0)
    spread = differences.std(axis=0, ddof=1) if runs > 1 else np.full_like(mean, np.nan)
    return mean, *effect_ends(mean, spread, units or runs, factor)


def effect_factor(quantity: str, unit: str, day: date, level: float) -> float:
    """Standard deviation of the log of the factor by which an effect on a national level may differ from the model's.

    Args:
        level: of the baseline at that day.
    """
    return float(effect_error(quantity, unit, np.array([level]), level_error(quantity, [day]))[0])


def _fitting(sigma: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Errors by date in a shape that fits values (runs, dates, ...) without their first axis."""
    return sigma.reshape(-1, *([1] * (values.ndim - 2)))
