"""Shares of the provinces in the batches of little giants, from the lists known at a day.

The log share of each of the 31 provinces follows a Gaussian random walk over the yearly batches: provinces change how
many firms they recommend, and quotas change. A step has the variance s² + 1/n, with n the firms of the province in the
batch, since the share of a small province also moves by single firms. Lists observe the shares of one batch, the sums
over several, or those of a region, with an error of `LIST_ERROR` and half a firm: editions of one list differ. Recent
lists weigh most for the next batch, because every batch in between adds a step.

For a given s, `scipy.optimize.least_squares` finds the most likely walk, and its Jacobian gives the normal (Laplace)
approximation of the posterior. s has a wide log-normal prior; its posterior is the marginal likelihood of that
approximation on a grid, so that draws contain the doubt about s. Shares add up to 1, which a normal distribution of
logs does not respect: an unknown small province would take firms from a large one that is known. Each draw of the
approximation is therefore moved to the solution of the same least squares with randomly shifted residuals (randomise,
then optimise: Bardsley, Solonen, Haario and Laine 2014), which meets the lists. Nothing comes from the model.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date

import numpy as np
from scipy.linalg import solve_triangular
from scipy.optimize import least_squares
from scipy.special import log_softmax

from calibration.forecasting.lists import KNOWN, Listed, known_batches, known_lists
from sim.reference import province_names

#: Standard deviation of the log of a reported count of firms. Editions of one list differ by 0 to 3 % (709 and 710 for
#: Jiangsu, 260 and 262 for Shanghai, 473 and 475 for Hubei), others by more.
LIST_ERROR = 0.02
#: Values of s, the standard deviation of a step, and the median and log standard deviation of its prior; assumed.
STEPS, STEP, STEP_DOUBT = np.geomspace(0.1, 0.8, 7), 0.2, 0.7
#: Standard deviation of the log share in the first batch around equal shares: little information.
FIRST = 1.5
#: Passes in which the expected firms of each province and batch are updated; evaluations for the most likely walk and
#: for one draw, at most.
PASSES, BEST_EVALUATIONS, EVALUATIONS = 3, 200, 12


@dataclass(frozen=True, eq=False)
class Shares:
    """Posterior of the shares of provinces in the known batches.

    Attributes:
        years: of the known batches. problem: the lists and sizes of the batches.
        steps, weights: float64 (values,), values of s and their posterior probabilities.
        spreads: float64 (values, batches, provinces), standard deviation of each step of the walk.
        means: float64 (values, batches, provinces), most likely log shares.
        factors: float64 (values, n, n), Cholesky factors of the precision of the n = batches x provinces log shares.
    """

    years: tuple[int, ...]
    problem: Problem
    steps: np.ndarray
    weights: np.ndarray
    spreads: np.ndarray
    means: np.ndarray
    factors: np.ndarray

    def draws(self, count: int, later: int, rng: np.random.Generator) -> np.ndarray:
        """Draws of the shares in the known batches and in `later` more, of the size of the last.

        Returns:
            float64 (count, batches + later, provinces); sums to 1 over the provinces.
        """
        chosen = rng.choice(len(self.steps), size=count, p=self.weights)
        walks = [np.stack([self._draw(value, rng) for value in chosen])]
        for _ in range(later):
            last = walks[-1][:, -1:, :]
            spread = np.hypot(self.steps[chosen][:, None, None], _luck(np.exp(last) * self.problem.sizes[-1]))
            # Half the variance is taken off, so that the expected firms of a province stay the same.
            walks.append(log_softmax(last + spread * rng.normal(size=last.shape) - 0.5 * spread**2, axis=2))
        return np.exp(np.concatenate(walks, axis=1))

    def _draw(self, value: int, rng: np.random.Generator) -> np.ndarray:
        """Log shares in the known batches for one value of s, float64 (batches, provinces)."""
        mean, spread = self.means[value], self.spreads[value]
        start = mean.ravel() + solve_triangular(self.factors[value].T, rng.normal(size=mean.size))
        shift = rng.normal(size=mean.size + len(self.problem.logs))
        return self.problem.solve(start.reshape(mean.shape), spread, shift, EVALUATIONS)[0]


def fit_shares(last: date = KNOWN) -> Shares:
    """The shares known at a day, from the lists in ``calibration/ledger.toml``."""
    batches = known_batches(last)
    lists = known_lists(last)
    return shares_of(
        tuple(batches),
        np.array([batch.size for batch in batches.values()]),
        lists,
        [listed.weights(last) for listed in lists],
    )


def shares_of(
    years: tuple[int, ...], sizes: np.ndarray, lists: tuple[Listed, ...], weights: list[np.ndarray]
) -> Shares:
    """The posterior of the shares.

    Args:
        years, sizes: of the batches, sizes float64 (batches,). lists: reports on them.
        weights: for each report, the firms of its batches that it counts in the whole country, float64 (its years,).
    """
    provinces = len(province_names())
    design = np.zeros((len(lists), len(years), provinces))
    for row, (listed, counted) in enumerate(zip(lists, weights, strict=True)):
        for year, firms in zip(listed.years, counted, strict=True):
            design[row, years.index(year), list(listed.provinces)] = firms
    counts = np.array([listed.count for listed in lists])
    grain = np.array([max(listed.high - listed.low, 1.0) / 2.0 for listed in lists])
    # A count of 0 is read as half a firm, with an error as large as that.
    counts = np.maximum(counts, 0.5)
    problem = Problem(sizes, design.reshape(len(lists), -1), np.log(counts), np.hypot(LIST_ERROR, grain / counts))
    log_shares = np.full((len(years), provinces), -math.log(provinces))
    evidence, spreads, means, factors = [], [], [], []
    for step in STEPS:
        for _ in range(PASSES):
            spread = np.hypot(step, _luck(np.exp(log_shares) * sizes[:, None]))
            spread[0] = FIRST
            log_shares, factor, log_evidence = problem.solve(log_shares, spread)
        spreads.append(spread)
        means.append(log_shares)
        factors.append(factor)
        evidence.append(log_evidence - 0.5 * (math.log(step / STEP) / STEP_DOUBT) ** 2)
    # The grid is even on the log scale, so that its points count alike.
    probabilities = np.exp(np.array(evidence) - max(evidence))
    weights_of_steps = probabilities / probabilities.sum()
    return Shares(years, problem, STEPS, weights_of_steps, np.array(spreads), np.array(means), np.array(factors))


def _luck(firms: np.ndarray) -> np.ndarray:
    """Standard deviation of the log of a count of so many expected firms, at least half a one."""
    return 1.0 / np.sqrt(np.maximum(firms, 0.5))


@dataclass(frozen=True, eq=False)
class Problem:
    """Least squares for the log shares.

    Attributes:
        sizes: float64 (batches,). design: float64 (lists, batches x provinces), firms counted by each list.
        logs, errors: float64 (lists,), log of the firms reported and its standard deviation.
    """

    sizes: np.ndarray
    design: np.ndarray
    logs: np.ndarray
    errors: np.ndarray

    def solve(
        self, start: np.ndarray, spread: np.ndarray, shift: np.ndarray | float = 0.0, most: int = BEST_EVALUATIONS
    ) -> tuple[np.ndarray, np.ndarray, float]:
        """Most likely log shares, Cholesky factor of their precision, and log of the marginal likelihood.

        Args:
            start: float64 (batches, provinces). spread: of the same shape, of the step to each batch.
            shift: of the residuals, float64 (residuals,). most: evaluations.
        """
        found = least_squares(
            lambda flat: self._residuals(flat, spread) - shift,
            start.ravel(),
            lambda flat: self._slopes(flat, spread),
            method="lm",
            max_nfev=most,
        )
        factor = np.linalg.cholesky(found.jac.T @ found.jac)
        log_evidence = -found.cost - np.log(spread).sum() - np.log(self.errors).sum() - np.log(np.diag(factor)).sum()
        return log_softmax(found.x.reshape(start.shape), axis=1), factor, float(log_evidence)

    def _residuals(self, flat: np.ndarray, spread: np.ndarray) -> np.ndarray:
        """Steps and deviations from the lists, in their standard deviations."""
        log_shares = flat.reshape(spread.shape)
        first = log_shares[:1] + math.log(spread.shape[1])
        walk = np.concatenate([first, np.diff(log_shares, axis=0)]) / spread
        expected = self.design @ np.exp(log_softmax(log_shares, axis=1)).ravel()
        return np.concatenate([walk.ravel(), (np.log(expected) - self.logs) / self.errors])

    def _slopes(self, flat: np.ndarray, spread: np.ndarray) -> np.ndarray:
        """Derivatives of `_residuals`, float64 (residuals, batches x provinces)."""
        batches, provinces = spread.shape
        size = batches * provinces
        walk = (np.eye(size) - np.eye(size, k=-provinces)) / spread.ravel()[:, None]
        shares = np.exp(log_softmax(flat.reshape(spread.shape), axis=1))
        firms = self.design * shares.ravel()
        of_batch = firms.reshape(-1, batches, provinces).sum(axis=2)
        firms -= (of_batch[:, :, None] * shares).reshape(len(firms), -1)
        expected = of_batch.sum(axis=1)
        return np.concatenate([walk, firms / (expected * self.errors)[:, None]])
