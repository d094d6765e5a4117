"""Means of paired differences and ratios of two such means, with the intervals of ``srdi compare``."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from scenarios.analysis.comparison import pairs_shape
from scenarios.analysis.intervals import mean_interval, ratio_interval
from viz.words.language import Words


@dataclass(frozen=True)
class Estimate:
    """A mean, or a ratio of means, with its 95 % interval; the ends are NaN with only one pair."""

    mean: float
    low: float
    high: float

    @property
    def known(self) -> bool:
        """Whether there is an interval."""
        return math.isfinite(self.low) and math.isfinite(self.high)

    @property
    def clear(self) -> bool:
        """Whether the interval excludes zero."""
        return self.known and (self.low > 0.0 or self.high < 0.0)


def verdict(words: Words, difference: Estimate) -> str:
    """A difference in words: higher, lower, or why neither can be stated."""
    if difference.clear:
        return words("verdict.higher" if difference.mean > 0.0 else "verdict.lower")
    if not difference.known:
        return words("verdict.one_run")
    return words("verdict.same" if difference.low == difference.high == 0.0 else "verdict.unclear")


def mean_of(differences: pd.Series) -> Estimate:
    """Mean of paired differences with its interval.

    Args:
        differences: scenario - baseline, float64, indexed by (draw, replicate).
    """
    interval = mean_interval(_matrix(differences))
    return Estimate(float(differences.mean()), interval.low, interval.high)


def ratio_of(costs: pd.Series, gains: pd.Series) -> Estimate:
    """Mean difference in cost over mean difference in gain, with its interval; the interval of the gain must exclude
    zero.

    Args:
        costs, gains: paired differences of the same runs, indexed as in `mean_of`.
    """
    interval = ratio_interval(_matrix(costs), _matrix(gains))
    return Estimate(float(costs.mean() / gains.mean()), interval.low, interval.high)


def _matrix(differences: pd.Series) -> np.ndarray:
    """Differences as float64 (draws, replicates), or in one row if not every draw has every replicate."""
    ordered = differences.sort_index()
    return ordered.to_numpy(dtype=np.float64).reshape(pairs_shape(ordered.index))
