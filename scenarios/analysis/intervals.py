"""Bootstrap intervals of paired differences and their ratios, and the variance reduction by pairing.

Pairs form a matrix (draws, replicates). If every parameter draw was run with every replicate, pairs in a row share
their parameters and pairs in a column share their random draws. Rows and columns are therefore resampled separately,
which is conservative (Owen 2007, "The pigeonhole bootstrap", Annals of Applied Statistics 1(2)). Otherwise the matrix
has one row, and single pairs are resampled.

With few pairs, a bootstrap interval of a mean is too narrow: with 6 pairs it covers the true mean in 86 % of cases, not
95 %. The confidence level is therefore raised until the interval, for normal differences, is as wide as Student's t
(Hesterberg 2015, "What Teachers Should Know About the Bootstrap", The American Statistician 69(4)). With fewer pairs
even that is too narrow, and the interval of a mean is Student's t itself.

SciPy's statistics take half a second to import, so only the functions that need them do: ``srdi run`` and the page
import this module.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

CONFIDENCE = 0.95
#: Quantiles of single runs between which a band lies.
BAND = (0.1, 0.9)
#: Fewest pairs for a bootstrap interval; with fewer it is too narrow (with 4 it covers the mean in 87 % of cases).
MIN_PAIRS = 6
_RESAMPLES = 9999
#: All intervals use the same resamples, so that a row does not depend on the other rows.
_SEED = 1
#: Numbers in memory at once while resampling.
_BATCH_NUMBERS = 4_000_000

#: Method of an interval, or the reason why there was nothing to resample.
BCA, STUDENT, PERCENTILE, AGREE, SINGLE = "BCa", "Student's t", "percentile", "all pairs agree", "one pair"


@dataclass(frozen=True)
class Interval:
    """A 95 % interval.

    Attributes:
        low, high: ends, NaN if there is only one pair.
        method: BCa (bias-corrected and accelerated bootstrap), Student's t (fewer than MIN_PAIRS pairs), percentile
            (bootstrap, if BCa is undefined), all pairs agree (both ends are the common value), or one pair.
    """

    low: float
    high: float
    method: str


def mean_interval(differences: np.ndarray) -> Interval:
    """Interval of the mean of paired differences, float64 (draws, replicates)."""
    if differences.size > 1 and np.ptp(differences) == 0.0:
        return Interval(float(differences.flat[0]), float(differences.flat[0]), AGREE)
    if 1 < min(size for size in (*differences.shape, math.inf) if size > 1) < MIN_PAIRS:
        return _student(differences)
    return _bootstrap(differences.shape, lambda cells: differences[cells].mean((-2, -1)))


def ratio_interval(costs: np.ndarray, gains: np.ndarray) -> Interval:
    """Interval of mean cost over mean gain, each float64 (draws, replicates); cost and gain are resampled together."""
    if costs.size > 1 and np.ptp(costs) == np.ptp(gains) == 0.0:
        ratio = float(costs.flat[0] / gains.flat[0])
        return Interval(ratio, ratio, AGREE)
    return _bootstrap(costs.shape, lambda cells: costs[cells].mean((-2, -1)) / gains[cells].mean((-2, -1)))


def _student(differences: np.ndarray) -> Interval:
    """Student's t from the means of rows and columns, with the degrees of freedom of the smaller dimension.

    The variances of both dimensions are added (Cameron, Gelbach and Miller 2011, without the term that would narrow
    it).
    """
    from scipy import stats

    means = [differences.mean(axis=1 - axis) for axis in (0, 1) if differences.shape[axis] > 1]
    error = math.sqrt(sum(np.var(mean, ddof=1) / len(mean) for mean in means))
    half = stats.t.ppf(0.5 + CONFIDENCE / 2, min(map(len, means)) - 1) * error
    return Interval(float(differences.mean() - half), float(differences.mean() + half), STUDENT)


def _bootstrap(shape: tuple[int, int], statistic_of: Callable[[tuple[np.ndarray, np.ndarray]], np.ndarray]) -> Interval:
    """Interval of ``statistic_of(cells)``; `cells` indexes the resampled rows and columns."""
    from scipy import stats

    samples = tuple(np.arange(size) for size in shape if size > 1)
    if not samples:
        return Interval(math.nan, math.nan, SINGLE)

    def statistic(*resampled, axis):
        indices = iter(resampled)
        rows, columns = (next(indices) if size > 1 else np.zeros(1, np.intp) for size in shape)
        return statistic_of((rows[..., :, None], columns[..., None, :]))

    level = _expanded_level(min(map(len, samples)))
    settings = {"vectorized": True, "confidence_level": level, "rng": np.random.default_rng(_SEED)}
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        # If BCa is undefined, SciPy warns and returns NaN, which is handled below.
        warnings.simplefilter("ignore", stats.DegenerateDataWarning)
        batch = max(1, _BATCH_NUMBERS // math.prod(shape))
        result = stats.bootstrap(samples, statistic, n_resamples=_RESAMPLES, batch=batch, method="BCa", **settings)
        method = BCA
        if np.isnan(result.confidence_interval).any():
            method = PERCENTILE
            result = stats.bootstrap(
                samples, statistic, n_resamples=0, bootstrap_result=result, method="percentile", **settings
            )
    low, high = map(float, result.confidence_interval)
    return Interval(low, high, method)


def _expanded_level(size: int) -> float:
    """Level at which a bootstrap over `size` units covers a mean with probability `CONFIDENCE` (Hesterberg 2015)."""
    from scipy import stats

    quantile = stats.t.ppf(0.5 + CONFIDENCE / 2, size - 1) * math.sqrt(size / (size - 1))
    return float(1.0 - 2.0 * stats.norm.sf(quantile))


def band(values: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean over the runs and the band that holds the middle four fifths of them; a single run has no band.

    Args:
        values: float64 (runs, ...).

    Returns:
        Mean, 10 % quantile and 90 % quantile, each without the first axis.
    """
    mean = values.mean(axis=0)
    if len(values) < 2:
        return mean, np.full_like(mean, np.nan), np.full_like(mean, np.nan)
    low, high = np.quantile(values, BAND, axis=0)
    return mean, low, high


def band_columns(values: np.ndarray) -> dict[str, float]:
    """The `band` of one number, float64 (runs,), by the names of its columns: value (the mean), low and high."""
    return dict(zip(("value", "low", "high"), map(float, band(values)), strict=True))


def variance_reduction(changed: np.ndarray, unchanged: np.ndarray) -> float:
    """How many times more replicates an unpaired comparison needs for an interval of the same width.

    The variance of the difference between independent runs, divided by that between paired runs:
    (var(changed) + var(unchanged)) / var(changed - unchanged). Each is the mean variance over replicates within a draw.

    Args:
        changed, unchanged: float64 (draws, replicates).

    Returns:
        NaN if a draw has only one replicate or all differences are equal.
    """
    if changed.shape[1] < 2:
        return math.nan
    first, second, spread = (np.var(v, axis=1, ddof=1).mean() for v in (changed, unchanged, changed - unchanged))
    return float((first + second) / spread) if spread > 0.0 else math.nan


def student_interval(values: np.ndarray, axis: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean over an axis and the ends of its 95 % interval by Student's t; the ends of a single value are NaN."""
    from scipy import stats

    count = values.shape[axis]
    mean = values.mean(axis=axis)
    if count < 2:
        return mean, np.full_like(mean, np.nan), np.full_like(mean, np.nan)
    half = stats.t.ppf(0.5 + CONFIDENCE / 2, count - 1) * stats.sem(values, axis=axis)
    return mean, mean - half, mean + half


def share_interval(wins: np.ndarray) -> tuple[float, float, float]:
    """Share of the runs in which something holds, and the ends of its 95 % interval by Wilson (1927).

    The interval is that of runs drawn independently: it tells how far chance alone may move the share.

    Args:
        wins: bool (runs,), at least one.
    """
    from scipy import stats

    count = int(np.count_nonzero(wins))
    interval = stats.binomtest(count, len(wins)).proportion_ci(CONFIDENCE, method="wilson")
    return count / len(wins), float(interval.low), float(interval.high)
