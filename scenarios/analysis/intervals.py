"""Bootstrap intervals of paired differences and of their ratios, and what pairing saves.

Pairs stand in a matrix (draws, replicates). Where every draw was run with every replicate, pairs in a row share
their parameters and pairs in a column their luck, so rows and columns are resampled each for themselves, which
errs on the wide side (Owen 2007, "The pigeonhole bootstrap", Annals of Applied Statistics 1(2)). Otherwise
the matrix has one row, and single pairs are resampled.

With few pairs a bootstrap interval of a mean is too narrow: of 6 pairs it holds the true mean in 86 % of cases, not
95 %. The bootstrap is therefore asked for the wider level at which, for normal differences, it is as wide as
Student's t (Hesterberg 2015, "What Teachers Should Know About the Bootstrap", The American Statistician 69(4)). Of
fewer pairs no resample reaches far enough; there the interval of a mean is Student's t itself.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import stats

CONFIDENCE = 0.95
#: With fewer pairs a bootstrap interval is too narrow (with 4 it holds the mean in 87 % of cases).
ENOUGH = 6
_RESAMPLES = 9999
#: The same resamples for every interval, so that a row does not depend on the rows beside it.
_SEED = 1
#: Numbers held at once while resampling: bounds memory.
_HELD = 4_000_000

#: How an interval was found; what stands for it where the bootstrap has nothing to resample.
BCA, STUDENT, PERCENTILE, AGREE, SINGLE = "BCa", "Student's t", "percentile", "all pairs agree", "one pair"


@dataclass(frozen=True)
class Interval:
    """A 95 % interval.

    Attributes:
        low, high: ends, NaN if there is one pair only.
        method: BCa (bias-corrected and accelerated bootstrap), Student's t (of fewer than ENOUGH pairs), percentile
            (bootstrap, where BCa is not defined), all pairs agree (both ends are the common value), or one pair.
    """

    low: float
    high: float
    method: str


def mean_interval(differences: np.ndarray) -> Interval:
    """Interval of the mean of paired differences, float64 (draws, replicates)."""
    if differences.size > 1 and np.ptp(differences) == 0.0:
        return Interval(float(differences.flat[0]), float(differences.flat[0]), AGREE)
    if 1 < min(size for size in (*differences.shape, math.inf) if size > 1) < ENOUGH:
        return _student(differences)
    return _bootstrap(differences.shape, lambda cells: differences[cells].mean((-2, -1)))


def ratio_interval(costs: np.ndarray, gains: np.ndarray) -> Interval:
    """Interval of mean cost over mean gain, each float64 (draws, replicates); a pair is resampled with both."""
    if costs.size > 1 and np.ptp(costs) == np.ptp(gains) == 0.0:
        ratio = float(costs.flat[0] / gains.flat[0])
        return Interval(ratio, ratio, AGREE)
    return _bootstrap(costs.shape, lambda cells: costs[cells].mean((-2, -1)) / gains[cells].mean((-2, -1)))


def _student(differences: np.ndarray) -> Interval:
    """Student's t from the means of rows and of columns, with the degrees of freedom of the fewer ones.

    Mean squares of both ways add up (Cameron, Gelbach and Miller 2011, without the term that would make it narrower).
    """
    means = [differences.mean(axis=1 - axis) for axis in (0, 1) if differences.shape[axis] > 1]
    error = math.sqrt(sum(np.var(mean, ddof=1) / len(mean) for mean in means))
    half = stats.t.ppf(0.5 + CONFIDENCE / 2, min(map(len, means)) - 1) * error
    return Interval(float(differences.mean() - half), float(differences.mean() + half), STUDENT)


def _bootstrap(shape: tuple[int, int], statistic_of: Callable[[tuple[np.ndarray, np.ndarray]], np.ndarray]) -> Interval:
    """Interval of ``statistic_of(cells)``, where `cells` indexes resampled rows and columns."""
    samples = tuple(np.arange(size) for size in shape if size > 1)
    if not samples:
        return Interval(math.nan, math.nan, SINGLE)

    def statistic(*chosen, axis):
        taken = iter(chosen)
        rows, columns = (next(taken) if size > 1 else np.zeros(1, np.intp) for size in shape)
        return statistic_of((rows[..., :, None], columns[..., None, :]))

    level = _expanded_level(min(map(len, samples)))
    settings = {"vectorized": True, "confidence_level": level, "rng": np.random.default_rng(_SEED)}
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        # Where BCa is not defined scipy warns and returns NaN, which is answered below.
        warnings.simplefilter("ignore", stats.DegenerateDataWarning)
        batch = max(1, _HELD // math.prod(shape))
        found = stats.bootstrap(samples, statistic, n_resamples=_RESAMPLES, batch=batch, method="BCa", **settings)
        method = BCA
        if np.isnan(found.confidence_interval).any():
            method = PERCENTILE
            found = stats.bootstrap(
                samples, statistic, n_resamples=0, bootstrap_result=found, method="percentile", **settings
            )
    low, high = map(float, found.confidence_interval)
    return Interval(low, high, method)


def _expanded_level(size: int) -> float:
    """Level at which a bootstrap over so many units holds a mean as often as `CONFIDENCE` says (Hesterberg 2015)."""
    quantile = stats.t.ppf(0.5 + CONFIDENCE / 2, size - 1) * math.sqrt(size / (size - 1))
    return float(1.0 - 2.0 * stats.norm.sf(quantile))


def variance_reduction(changed: np.ndarray, unchanged: np.ndarray) -> float:
    """How many times more replicates a comparison with seeds of their own needs for an interval as narrow.

    The variance of the difference of two independent runs over that of a pair:
    (var(changed) + var(unchanged)) / var(changed - unchanged), each the mean variance of luck within a draw.

    Args:
        changed, unchanged: float64 (draws, replicates).

    Returns:
        NaN if a draw has one replicate, or all differences are equal.
    """
    if changed.shape[1] < 2:
        return math.nan
    first, second, spread = (np.var(v, axis=1, ddof=1).mean() for v in (changed, unchanged, changed - unchanged))
    return float((first + second) / spread) if spread > 0.0 else math.nan


def student_interval(values: np.ndarray, axis: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean over an axis, and the ends of its 95 % interval by Student's t; NaN ends for a single value."""
    count = values.shape[axis]
    mean = values.mean(axis=axis)
    if count < 2:
        return mean, np.full_like(mean, np.nan), np.full_like(mean, np.nan)
    half = stats.t.ppf(0.5 + CONFIDENCE / 2, count - 1) * stats.sem(values, axis=axis)
    return mean, mean - half, mean + half
