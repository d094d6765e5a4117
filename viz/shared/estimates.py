"""Effects and prices with the intervals of ``srdi compare``, and what they say in words."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from scenarios.analysis.bands import effect_of, ratio_ends
from scenarios.analysis.comparison import pairs_shape
from scenarios.display.formatting import supported
from viz.words.language import Words


@dataclass(frozen=True)
class Estimate:
    """A mean paired difference, or a ratio of two, with the 90 % interval of what it may be in truth.

    Attributes:
        mean: over the pairs. low, high: the interval (`scenarios.analysis.bands`); NaN with one pair.
        mean_low, mean_high: 95 % interval of the mean alone; NaN with one pair, and of a ratio.
    """

    mean: float
    low: float
    high: float
    mean_low: float = math.nan
    mean_high: float = math.nan

    @property
    def known(self) -> bool:
        """Whether there is an interval."""
        return math.isfinite(self.low) and math.isfinite(self.high)

    @property
    def clear(self) -> bool:
        """Whether the interval excludes zero."""
        return self.known and (self.low > 0.0 or self.high < 0.0)

    @property
    def likely(self) -> bool:
        """Whether the mean over the pairs, at least, is clearly not zero."""
        return self.clear or self.mean_low > 0.0 or self.mean_high < 0.0


def direction(difference: Estimate, unit: str = "") -> str:
    """Where a difference points: higher, lower, likely_higher, likely_lower, or same, unclear or one_run.

    It never says more than the numbers beside it, which are rounded: a difference that is rounded to nothing is not
    clear.

    Args:
        unit: of the difference.
    """
    if not difference.known:
        return "one_run"
    if difference.low == difference.high == 0.0:
        return "same"
    shown = supported(difference.mean, difference.low, difference.high, unit)
    sign = "higher" if difference.mean > 0.0 else "lower"
    if shown.clear:
        return sign
    return f"likely_{sign}" if difference.likely and shown.value else "unclear"


def verdict(words: Words, difference: Estimate, unit: str = "") -> str:
    """A difference in words: higher, lower, probably either, or why neither can be stated (`direction`).

    Args:
        unit: of the difference.
    """
    return words(f"verdict.{direction(difference, unit)}")


def mean_of(differences: pd.Series, factor: float = 0.0) -> Estimate:
    """Mean of paired differences with its intervals.

    Args:
        differences: scenario - baseline, float64, indexed by (draw, replicate).
        factor: of the model's own error (`scenarios.analysis.model_error.effect_error`).
    """
    return estimate(_matrix(differences), factor)


def estimate(differences: np.ndarray, factor: float = 0.0) -> Estimate:
    """As `mean_of`, from float64 (draws, replicates)."""
    found = effect_of(differences, factor)
    return Estimate(found.mean, found.low, found.high, found.of_mean.low, found.of_mean.high)


def ratio_of(costs: pd.Series, gains: pd.Series, factor: float = 0.0) -> Estimate:
    """Mean difference in cost over mean difference in gain, with its interval; both means must not be zero.

    Args:
        costs, gains: paired differences of the same runs, indexed as in `mean_of`. factor: of the gain, as there.
    """
    low, high = ratio_ends(_matrix(costs), _matrix(gains), factor)
    return Estimate(float(costs.mean() / gains.mean()), low, high)


def _matrix(differences: pd.Series) -> np.ndarray:
    """Differences as float64 (draws, replicates), or in one row if not every draw has every replicate."""
    ordered = differences.sort_index()
    return ordered.to_numpy(dtype=np.float64).reshape(pairs_shape(ordered.index))
