"""How unevenly little giants are spread over county-level units.

At scale 1 the measures are those of the counts. A thinned population shows only a part of
each county's little giants, which would overstate concentration; the unseen part is filled
in by its expectation under a Gamma-Poisson model: county c holds on average E_c little giants
given its firms and research and what the run shows of its province and type, with a spread of
shape `SHAPE`, and n_c of them were seen.
"""

from __future__ import annotations

import math

import numpy as np

from sim.numerics.jit import kernel

#: Shape of the Gamma spread of county rates around their expectation; about what the counts of a
#: run at scale 1 show.
SHAPE = 20.0
#: Simulated little giants of a province's counties or districts at which they weigh as much as the prior.
_PRIOR_WEIGHT = 10.0
#: Mean unseen little giants of a county up to which E[x ln x] is summed, and most terms of the sum.
_SUMMED_BELOW, _EXACT_UP_TO = 10.0, 80
#: Most little giants of a county that the distribution covers.
_MOST = 2000


def expected_shares(weight: np.ndarray, place: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """Expected share of the nation's little giants by county-level unit, float64 (units,).

    The prior shares are moved, place by place, towards what the run shows, so that policy which moves
    little giants between provinces or to the counties moves the expectation too.

    Args:
        weight: float64 (units,), prior shares, sum 1.
        place: int (units,), province and county type of each unit. seen: int (places,), simulated little giants.
    """
    prior = np.bincount(place, weight, minlength=len(seen)) * seen.sum()
    shares = weight * ((seen + _PRIOR_WEIGHT) / (prior + _PRIOR_WEIGHT))[place]
    return shares / shares.sum()


def _unseen(seen: np.ndarray, expected: np.ndarray, scale: float) -> tuple[np.ndarray, np.ndarray]:
    """Negative binomial of the unseen little giants: size r and failure share q by county."""
    size = SHAPE + seen
    rate = SHAPE / np.maximum(expected, 1e-9) + scale
    return size, (1.0 - scale) / (rate + 1.0 - scale)


def counties_with(seen: np.ndarray, expected: np.ndarray, scale: float) -> float:
    """Expected number of county-level units with at least one little giant at 1:1.

    Args:
        seen: int (units,), simulated little giants. expected: float64 (units,), E_c at 1:1.
        scale: share of the population that is simulated.
    """
    if scale >= 1.0:
        return float(np.count_nonzero(seen))
    size, q = _unseen(seen, expected, scale)
    return float(np.where(seen > 0, 1.0, 1.0 - (1.0 - q) ** size).sum())


def theil(seen: np.ndarray, expected: np.ndarray, scale: float) -> float:
    """Theil index (nats) over all county-level units: 0 if spread evenly, ln(units) if all in one.

    Arguments as in `counties_with`; 0 if there is no little giant.
    """
    if seen.sum() == 0:
        return 0.0
    if scale >= 1.0:
        mean_x = seen.astype(np.float64)
        mean_xlogx = np.where(seen > 0, mean_x * np.log(np.maximum(mean_x, 1.0)), 0.0)
    else:
        mean_x, mean_xlogx = _completed_moments(seen, expected, scale)
    total = mean_x.sum()
    return float(mean_xlogx.sum() / total - np.log(total / len(seen)))


def _completed_moments(seen, expected, scale):
    """E[x] and E[x ln x] of the counts x = seen + unseen, by county."""
    size, q = _unseen(seen, expected, scale)
    mean_unseen = size * q / (1.0 - q)
    mean = seen + mean_unseen
    # Large counts: second-order expansion; small ones: the sum over the distribution.
    variance = mean_unseen / (1.0 - q)
    expansion = mean * np.log(np.maximum(mean, 1e-12)) + 0.5 * variance / np.maximum(mean, 1e-12)
    small = np.flatnonzero(mean_unseen < _SUMMED_BELOW)
    _sum_small(small, seen, size, q, np.empty(int(seen.max()) + _EXACT_UP_TO), expansion)
    return mean, expansion


@kernel
def _sum_small(counties, seen, size, q, logs, expected_xlogx):
    """Write E[x ln x] of x = seen + unseen for `counties`, summed over the distribution of the unseen.

    logs: float64 (most x + 1,), working memory for ln x, which all counties need.
    """
    for x in range(logs.size):
        logs[x] = math.log(max(x, 1.0))
    for c in counties:
        weight = (1.0 - q[c]) ** size[c]
        total, covered, k = 0.0, 0.0, 0
        while covered < 1.0 - 1e-12 and k < _EXACT_UP_TO:
            x = seen[c] + k
            total += weight * x * logs[x]
            covered += weight
            weight *= (k + size[c]) / (k + 1.0) * q[c]
            k += 1
        expected_xlogx[c] = total


def gini(seen: np.ndarray, expected: np.ndarray, scale: float) -> float:
    """Gini coefficient over all county-level units: 0 if spread evenly, near 1 if all in one.

    From the distribution function F of the counts over units, completed for the unseen part:
    G = Σ_x F(x) (1 − F(x)) / mean. Arguments as in `counties_with`; 0 if there is no little giant.
    """
    if seen.sum() == 0:
        return 0.0
    if scale >= 1.0:
        density = np.bincount(seen).astype(np.float64)
    else:
        size, q = _unseen(seen, expected, scale)
        density = np.zeros(_MOST)
        _add_negative_binomials(seen, size, q, density)
    density /= len(seen)
    below = np.cumsum(density)
    mean = (density * np.arange(len(density))).sum()
    return float((below * (1.0 - below)).sum() / mean)


@kernel
def _add_negative_binomials(seen, size, q, density):
    """Add to density[x] the chance of x = seen + unseen of every county."""
    for c in range(seen.size):
        weight = (1.0 - q[c]) ** size[c]
        k = 0
        covered = 0.0
        while seen[c] + k < density.size and covered < 1.0 - 1e-9:
            density[seen[c] + k] += weight
            covered += weight
            weight *= (k + size[c]) / (k + 1.0) * q[c]
            k += 1
