"""The mean of paired differences with its interval, and the ratio of two such means."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Estimate:
    """A mean, or a ratio of means, with its 95 % interval; the ends are NaN where there is one pair only."""

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


def independent(differences: pd.Series) -> pd.Series:
    """Differences that are independent of each other: the mean of each parameter draw, or each replicate as it is.

    Replicates with one draw share its parameters, so where there are several draws they are the sample.

    Args:
        differences: scenario - baseline, float64, indexed by (draw, replicate).
    """
    by_draw = differences.groupby(level="draw").mean()
    return by_draw if len(by_draw) > 1 else differences


def mean_of(differences: pd.Series) -> Estimate:
    """Mean paired difference with its 95 % interval by Student's t.

    Args:
        differences: as `independent` takes them.
    """
    sample = independent(differences).to_numpy(dtype=np.float64)
    mean = float(sample.mean())
    if len(sample) < 2:
        return Estimate(mean, math.nan, math.nan)
    half = _quantile(len(sample)) * float(sample.std(ddof=1)) / math.sqrt(len(sample))
    return Estimate(mean, mean - half, mean + half)


def ratio_of(costs: pd.Series, gains: pd.Series) -> Estimate:
    """Mean difference in cost over mean difference in gain, with the 95 % interval of Fieller (1954).

    That interval is finite where, and only where, the interval of the mean gain excludes zero.

    Args:
        costs, gains: paired differences of the same runs, as `independent` takes them.

    Returns:
        The ratio; its ends are NaN where the interval is not finite.
    """
    cost, gain = (independent(values).to_numpy(dtype=np.float64) for values in (costs, gains))
    mean_cost, mean_gain = float(cost.mean()), float(gain.mean())
    ratio = mean_cost / mean_gain if mean_gain else math.nan
    if not mean_of(gains).clear:
        return Estimate(ratio, math.nan, math.nan)
    spread = np.cov(cost, gain, ddof=1) / len(cost) * _quantile(len(cost)) ** 2
    a = mean_gain**2 - spread[1, 1]
    b = mean_cost * mean_gain - spread[0, 1]
    c = mean_cost**2 - spread[0, 0]
    root = math.sqrt(max(b * b - a * c, 0.0))
    return Estimate(ratio, (b - root) / a, (b + root) / a)


def _quantile(size: int) -> float:
    return float(stats.t.ppf(0.5 + CONFIDENCE / 2.0, size - 1))
