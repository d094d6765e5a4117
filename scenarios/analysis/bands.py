"""Bands of levels and intervals of effects: luck, fitted and evidence doubt from the runs, and the model's own error.

Every run of an ensemble has its own random draws and, with parameter draws, its own parameters, so its runs differ by
luck and by what is not known of the parameters. A band says where the truth may lie, not how well the mean of the runs
is known: it does not shrink as runs are added. From n runs with standard deviation s, on the scale of the model's own
error σ (`scenarios.analysis.model_error`), the quantile p is

    g(mean) + sign(p - 1/2) √(t² s² (1 + 1/n) + z² σ²),

with t the quantile of Student's t with n - 1 degrees of freedom (a further run, seen from n others), z the normal one.
Where every draw of the parameters is run with every replicate, n is the smaller number of the two.

**Luck and scale.** One simulated firm stands for w = 1 / scale real ones, so a count N of certificates has in one run a
luck of about w / N (the variance of its log: counting firms at random, Poisson). That is what the emulator of the fit
finds too (little giants, end of 2023, at scale 0.05: 0.045 against √(20 / 11,460) = 0.042). Bands of such counts are
brought to the luck of another scale, by taking (w - w') / N from the variance: in the nation to that of the packaged
validation, so that all pages agree; in a province to single firms, as the validation does. Nothing is taken from other
quantities, and nothing from paired differences, whose luck is not known without further runs: at a small scale these
are too wide rather than too narrow.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from scenarios.analysis.intervals import Interval, mean_interval
from scenarios.analysis.model_error import BOUNDS, INDEX, INDEX_START

#: Ends of the band of a level and of the interval of an effect.
ENDS = (0.05, 0.95)


@dataclass(frozen=True)
class Luck:
    """Luck of counts in runs, and the one that bands are to have.

    Attributes:
        weight: real firms that a simulated one stands for in the runs. shown: in the run whose luck is shown.
    """

    weight: float
    shown: float


def level_quantiles(
    values: np.ndarray,
    quantiles: tuple[float, ...],
    sigma: np.ndarray,
    unit: str,
    *,
    luck: Luck | None = None,
    units: int | None = None,
) -> list[np.ndarray]:
    """Quantiles of a level, each without the first axis of the values; NaN at a single run, except for the middle.

    Args:
        values: float64 (runs, ...), of one unit, as declared in the results. sigma: standard deviation of the model's
            own error, of a shape that fits that of the values without their first axis.
        luck: for counts of firms that are certified at random; None for all others.
        units: number of independent runs; by default all. Where every draw is run with every replicate, the smaller of
            the two numbers.

    Returns:
        One array per quantile. The quantile 0.5 is the mean over the runs, which is the line of every chart.
    """
    from scipy.special import ndtri, stdtrit

    runs, mean = units or len(values), values.mean(axis=0)
    centre, spread, back = _scaled(values, mean, unit)
    if luck is not None and luck.weight > luck.shown:
        spread = _with_luck(spread, mean, luck)
    if unit == INDEX:
        sigma = sigma * np.abs(centre - np.log(INDEX_START))
    found = []
    for quantile in quantiles:
        if quantile == 0.5:
            found.append(mean)
            continue
        if runs < 2:
            found.append(np.full_like(mean, np.nan))
            continue
        t, z = stdtrit(runs - 1, quantile), ndtri(quantile)
        half = np.hypot(t * spread * np.sqrt(1.0 + 1.0 / runs), z * sigma)
        found.append(back(centre + np.copysign(half, z)))
    return found


def _scaled(
    values: np.ndarray, mean: np.ndarray, unit: str
) -> tuple[np.ndarray, np.ndarray, Callable[[np.ndarray], np.ndarray]]:
    """Mean and standard deviation of runs on the scale of the model's own error, and the way back from it.

    A mean at a bound stays there. Where single runs lie at a bound, the deviation is that of the distribution on the
    scale that has the mean and variance of the runs, or near it.
    """
    spread = values.std(axis=0, ddof=1) if len(values) > 1 else np.zeros_like(mean)
    if unit in BOUNDS:
        low, high = BOUNDS[unit]
        share = (mean - low) / (high - low)
        inside = (share > 0.0) & (share < 1.0)
        held = np.where(inside, share, 0.5)
        centre = np.log(held) - np.log1p(-held)
        deviation = np.where(inside, spread / (high - low) / (held * (1.0 - held)), 0.0)
        return centre, deviation, lambda z: np.where(inside, low + (high - low) / (1.0 + np.exp(-z)), mean)
    above = mean > 0.0
    held = np.where(above, mean, 1.0)
    deviation = np.where(above, np.sqrt(np.log1p((spread / held) ** 2)), 0.0)
    return np.log(held), deviation, lambda z: np.where(above, np.exp(z), mean)


def _with_luck(spread: np.ndarray, mean: np.ndarray, luck: Luck) -> np.ndarray:
    """The deviation of log counts in runs with another luck, at least that luck itself; never more than it was."""
    count = np.where(mean > 0.0, mean, np.inf)
    variance = np.maximum(spread**2 - (luck.weight - luck.shown) / count, luck.shown / count)
    return np.minimum(spread, np.sqrt(variance))


def effect_ends(mean: np.ndarray, spread: np.ndarray, runs: int, factor: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Ends of the 90 % interval of effects, each as `mean`; NaN with a single pair.

    The effect in a further pair, times a factor that is lognormal around 1. The factor cannot change the sign, so the
    interval contains 0 exactly if that of a further pair does.

    Args:
        mean, spread: mean and standard deviation of paired differences, float64 (...). runs: number of pairs.
        factor: standard deviation of the log of the factor (`effect_error`), of a shape that fits.
    """
    from scipy.special import ndtri, stdtrit

    if runs < 2:
        return np.full_like(mean, np.nan), np.full_like(mean, np.nan)
    half = stdtrit(runs - 1, ENDS[1]) * spread * np.sqrt(1.0 + 1.0 / runs)
    reach = ndtri(ENDS[1]) * factor
    size = np.abs(mean)
    far = size + np.hypot(half, np.expm1(reach) * size)
    near = size - half
    with np.errstate(divide="ignore", invalid="ignore"):
        same_sign = size * np.exp(-np.hypot(np.log(size / near), reach))
    beyond = size - np.hypot(half, np.expm1(-reach) * size)
    closest = np.where(near > 0.0, same_sign, beyond)
    low, high = np.where(mean < 0.0, -far, closest), np.where(mean < 0.0, -closest, far)
    return low, high


@dataclass(frozen=True)
class Effect:
    """A mean paired difference and what is known of the effect.

    Attributes:
        mean: over the pairs. low, high: 90 % interval of the effect; NaN with one pair.
        of_mean: 95 % interval of the mean alone, which narrows as pairs are added.
    """

    mean: float
    low: float
    high: float
    of_mean: Interval


def effect_of(differences: np.ndarray, factor: float = 0.0) -> Effect:
    """The effect in paired differences, float64 (draws, replicates).

    Args:
        factor: standard deviation of the log of the factor of the model's own error.
    """
    mean = np.asarray(differences.mean())
    spread = np.asarray(differences.std(ddof=1) if differences.size > 1 else np.nan)
    low, high = effect_ends(mean, spread, independent(differences), np.asarray(factor))
    return Effect(float(mean), float(low), float(high), mean_interval(differences))


def independent(pairs: np.ndarray) -> int:
    """Number of independent pairs in a matrix (draws, replicates): the smaller dimension, ignoring one that is 1."""
    return min((size for size in pairs.shape if size > 1), default=1)


def ratio_ends(costs: np.ndarray, gains: np.ndarray, factor: float = 0.0) -> tuple[float, float]:
    """Ends of the 90 % interval of cost per gain, from pairs, float64 (draws, replicates), with means that are not 0.

    On the log scale, from the deviations of both from their means (the delta method), with the factor of the gain.
    """
    from scipy.special import ndtri, stdtrit

    units = independent(costs)
    if units < 2:
        return math.nan, math.nan
    deviations = costs / costs.mean() - gains / gains.mean()
    half = stdtrit(units - 1, ENDS[1]) * deviations.std(ddof=1) * np.sqrt(1.0 + 1.0 / units)
    reach = np.hypot(half, ndtri(ENDS[1]) * factor)
    ratio = costs.mean() / gains.mean()
    low, high = sorted((ratio * np.exp(-reach), ratio * np.exp(reach)))
    return float(low), float(high)
