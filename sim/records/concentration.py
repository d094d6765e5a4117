"""How unevenly little giants are spread over county-level units.

At scale 1 the measures are those of the counts. A thinned population shows only a part of
each county's little giants, which would overstate concentration; the unseen part is filled
in by its expectation under a Gamma-Poisson model: county c holds on average E_c little giants
given its firms and research and what the run shows of its province and type, with a spread of
shape `SHAPE`, and n_c of them were seen.
"""

from __future__ import annotations

import numpy as np

from sim.numerics import elementary
from sim.numerics.arrays import log
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


class Spread:
    """Little giants by county-level unit at 1:1, completed for those that are not simulated.

    Args:
        seen: int (units,), simulated little giants. expected: float64 (units,), E_c at 1:1.
        scale: share of the population that is simulated.
    """

    def __init__(self, seen: np.ndarray, expected: np.ndarray, scale: float) -> None:
        self._seen = seen
        if scale >= 1.0:
            self._mean = seen.astype(np.float64)
            self._mean_xlogx = np.where(seen > 0, self._mean * log(np.maximum(self._mean, 1.0)), 0.0)
            self._density = np.bincount(seen).astype(np.float64)
            self._none = (seen == 0).astype(np.float64)
        else:
            self._complete(expected, scale)

    def _complete(self, expected: np.ndarray, scale: float) -> None:
        """The unseen ones follow a negative binomial of size r and failure share q by county."""
        seen = self._seen
        size = SHAPE + seen
        rate = SHAPE / np.maximum(expected, 1e-9) + scale
        q = (1.0 - scale) / (rate + 1.0 - scale)
        mean_unseen = size * q / (1.0 - q)
        self._mean = mean = seen + mean_unseen
        # E[x ln x]. Large counts: second-order expansion; small ones: the sum over the distribution.
        few = mean_unseen < _SUMMED_BELOW
        self._mean_xlogx, large = np.empty(len(seen)), ~few
        variance = mean_unseen[large] / (1.0 - q[large])
        self._mean_xlogx[large] = mean[large] * log(mean[large]) + 0.5 * variance / mean[large]
        self._density, self._none = np.zeros(_MOST), np.empty(len(seen))
        logs = np.empty(int(seen.max()) + _EXACT_UP_TO)
        _add_negative_binomials(seen, (size, q, few), logs, self._none, self._mean_xlogx, self._density)

    def counties_with(self, among: np.ndarray) -> float:
        """Expected number of units with at least one little giant, of those marked: bool (units,)."""
        return float(np.where(self._seen[among] > 0, 1.0, 1.0 - self._none[among]).sum())

    def theil(self) -> float:
        """Theil index (nats) over all units: 0 if spread evenly, ln(units) if all in one; 0 without little giants."""
        if self._seen.sum() == 0:
            return 0.0
        total = self._mean.sum()
        return float(self._mean_xlogx.sum() / total - log(total / len(self._seen)))

    def gini(self) -> float:
        """Gini coefficient over all units: 0 if spread evenly, near 1 if all in one; 0 without little giants.

        From the distribution function F of the counts over units: G = Σ_x F(x) (1 − F(x)) / mean.
        """
        if self._seen.sum() == 0:
            return 0.0
        density = self._density / len(self._seen)
        below = np.cumsum(density)
        mean = (density * np.arange(len(density))).sum()
        return float((below * (1.0 - below)).sum() / mean)


@kernel
def _add_negative_binomials(seen, unseen, logs, none, mean_xlogx, density):
    """Go through the distribution of x = seen + unseen of every county.

    Writes the chance of no unseen one to `none` and E[x ln x] of counties with few to `mean_xlogx`; adds the chance of
    each x to `density`.

    Args:
        unseen: size and failure share, float64 (units,), and whether they are few, bool (units,).
        logs: float64 (most x + 1,), working memory for ln x, which all counties need.
    """
    size, q, few = unseen
    for x in range(logs.size):
        logs[x] = elementary.log(max(x, 1.0))
    for c in range(seen.size):
        none[c] = weight = elementary.exp(size[c] * elementary.log(1.0 - q[c]))
        total, covered, k, x = 0.0, 0.0, 0, seen[c]
        while True:
            summed = few[c] and covered < 1.0 - 1e-12 and k < _EXACT_UP_TO
            counted = covered < 1.0 - 1e-9 and x < density.size
            if not (summed or counted):
                break
            if summed:
                total += weight * x * logs[x]
            if counted:
                density[x] += weight
            covered += weight
            weight *= (k + size[c]) / (k + 1.0) * q[c]
            k += 1
            x += 1
        if few[c]:
            mean_xlogx[c] = total
