"""Where the doubt about an effect comes from: the strength of levers, the fitted parameters, or luck.

Let D(s, φ, ω) be the effect in a pair of runs with strengths s, fitted parameters φ and random draws ω, all drawn
independently of each other, and V its variance. Luck is what is left when all parameters are known,

    V_ω = E Var[D | s, φ],

and strengths and fitted parameters divide the rest by their Shapley effects: each takes its own part, Var E[D | s] or
Var E[D | φ], and half of what they do together (Owen 2014, SIAM/ASA Journal on Uncertainty Quantification 2). The three
shares add up to 1.

Two pairs that share s and nothing else have the covariance Var E[D | s], two that share φ have Var E[D | φ], and the
squared difference of two that share both is 2 V_ω on average. So beside the n pairs of an ensemble stand n others with
luck of their own: for half of the draws D(s_i, φ_{i+1}), which share their strengths with one pair and their fitted
parameters with another, and for the others D(s_i, φ_i) again. Twice the runs are enough, whatever the number of
parameters (as in McKay 1995, NUREG/CR-6311; Mara and Joseph 2008, Journal of Statistical Computation and Simulation
78).

The estimates are noisy. Those outside 0 to 1 are moved to the nearer end, so that a share of nothing comes out above it
on average.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

#: Standard errors by which a share must exceed 0 (one-sided, 5 %).
CLEAR = 1.645
#: Fewest pairs of an ensemble beside which others are run: two draws are crossed, and two run again.
FEWEST = 4


@dataclass(frozen=True)
class Share:
    """A share of a variance: the estimate and its standard error."""

    value: float
    error: float

    @property
    def clear(self) -> bool:
        """Whether it lies above what noise alone gives."""
        return bool(self.value > CLEAR * self.error)


@dataclass(frozen=True)
class Shares:
    """Shares of the variance of an effect: of strengths of levers, of fitted parameters, and of random draws."""

    strength: Share
    fitted: Share
    luck: Share


def levels(values: np.ndarray) -> np.ndarray:
    """Number of the distinct row that each row of values (runs, parameters) is: int64 (runs,)."""
    if not values.shape[1]:
        return np.zeros(len(values), dtype=np.int64)
    return np.unique(values, axis=0, return_inverse=True)[1].ravel()


def variance_shares(effects: np.ndarray, strengths: np.ndarray, fitted: np.ndarray) -> Shares | None:
    """Shares of the variance of an effect.

    Covariances are mean products of pairs that share something, less the mean product of those that share nothing
    (such moments are unbiased: Gao and Owen 2017, Electronic Journal of Statistics 11). Standard errors are those of a
    correlation of nothing within n pairs, 1 / √(n - 1), the largest that a correlation has (Fisher 1925), and of a
    variance.

    Args:
        effects: float64 (pairs,). strengths, fitted: int64 (pairs,), numbers of the draws of each pair (`levels`).

    Returns:
        None if the effects do not vary, or too few share something.
    """
    same_strengths, same_fitted = (np.equal.outer(numbers, numbers) for numbers in (strengths, fitted))
    later = np.triu(np.ones_like(same_fitted), k=1).astype(bool)
    by_strengths, by_fitted = later & same_strengths & ~same_fitted, later & same_fitted & ~same_strengths
    by_both, apart = later & same_strengths & same_fitted, later & ~same_strengths & ~same_fitted
    if np.ptp(effects) == 0.0 or min(mask.sum() for mask in (by_strengths, by_fitted, by_both, apart)) < 2:
        return None
    deviations = effects - effects.mean()
    products = np.multiply.outer(deviations, deviations)
    without = products[apart].mean()
    variance = products.diagonal().mean() - without
    if variance <= 0.0:
        return None
    alone, fit_alone = ((products[mask].mean() - without) / variance for mask in (by_strengths, by_fitted))
    left = 0.5 * (np.subtract.outer(effects, effects)[by_both] ** 2).mean() / variance
    luck = Share(float(min(left, 1.0)), float(left * math.sqrt(2.0 / by_both.sum())))
    known = 1.0 - luck.value
    together = known - alone - fit_alone
    strength = float(np.clip(alone + 0.5 * together, 0.0, known))
    noise = (1.0 / math.sqrt(mask.sum() - 1) for mask in (by_strengths, by_fitted))
    error = 0.5 * math.hypot(*noise, luck.error)
    return Shares(Share(strength, error), Share(known - strength, error), luck)
