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


def mean_of(differences: pd.Series) -> Estimate:
    """Mean paired difference with its 95 % interval by Student's t.

    Runs of one parameter draw share its parameters, so where draws are crossed with replicates the interval over the
    means of the draws is taken if it is wider than that over all pairs.

    Args:
        differences: scenario - baseline, float64, indexed by (draw, replicate).
    """
    return _widest(float(differences.mean()), [_ends_of_mean(sample) for (sample,) in _samples(differences)])


def ratio_of(costs: pd.Series, gains: pd.Series) -> Estimate:
    """Mean difference in cost over mean difference in gain, with the 95 % interval of Fieller (1954).

    That interval is finite where, and only where, the interval of the mean gain excludes zero. Crossed draws are
    treated as by `mean_of`.

    Args:
        costs, gains: paired differences of the same runs, as `mean_of` takes them.

    Returns:
        The ratio; its ends are NaN where the interval is not finite.
    """
    mean_gain = float(gains.mean())
    ratio = float(costs.mean()) / mean_gain if mean_gain else math.nan
    return _widest(ratio, [_ends_of_ratio(*sample) for sample in _samples(costs, gains)])


def _samples(*differences: pd.Series) -> list[tuple[np.ndarray, ...]]:
    """The same differences as samples: all pairs, and the means of the draws where there are several."""
    by_draw = [values.groupby(level="draw").mean() for values in differences]
    samples = [differences, by_draw] if 1 < len(by_draw[0]) < len(differences[0]) else [differences]
    return [tuple(values.to_numpy(dtype=np.float64) for values in sample) for sample in samples]


def _widest(middle: float, intervals: list[tuple[float, float]]) -> Estimate:
    """An estimate with the ends that lie farthest out; without any if one interval is not known."""
    low, high = zip(*intervals, strict=True)
    known = all(map(math.isfinite, (*low, *high)))
    return Estimate(middle, min(low) if known else math.nan, max(high) if known else math.nan)


def _ends_of_mean(sample: np.ndarray) -> tuple[float, float]:
    if len(sample) < 2:
        return math.nan, math.nan
    half = _quantile(len(sample)) * float(sample.std(ddof=1)) / math.sqrt(len(sample))
    mean = float(sample.mean())
    return mean - half, mean + half


def _ends_of_ratio(cost: np.ndarray, gain: np.ndarray) -> tuple[float, float]:
    """Roots of the quadratic whose solutions are the ratios that a t-test does not reject."""
    if not Estimate(0.0, *_ends_of_mean(gain)).clear:
        return math.nan, math.nan
    mean_cost, mean_gain = float(cost.mean()), float(gain.mean())
    spread = np.cov(cost, gain, ddof=1) / len(cost) * _quantile(len(cost)) ** 2
    a = mean_gain**2 - spread[1, 1]
    b = mean_cost * mean_gain - spread[0, 1]
    c = mean_cost**2 - spread[0, 0]
    root = math.sqrt(max(b * b - a * c, 0.0))
    return (b - root) / a, (b + root) / a


def _quantile(size: int) -> float:
    return float(stats.t.ppf(0.5 + CONFIDENCE / 2.0, size - 1))
