"""The likelihood of the reported figures and the posterior sample of the parameters.

A figure is an interval [low, high] of its transformed quantity z. According to the model, z is normal around
the emulated expectation m(u) with standard deviation s = hypot(d, e), d the discrepancy and e the emulator's error,
so that

    L(u) = Π P(low ≤ z ≤ high) = Π Φ((high − m(u)) / s) − Φ((low − m(u)) / s),

and the density of z if a figure is a single number. Discrepancies of figures of one series are correlated by ρ
(`ALIKE`): they share an error η, over which the product of the series is integrated by Gauss-Hermite quadrature,

    L(u) = ∫ Π P(low ≤ z ≤ high | m(u) + √ρ d η, s = hypot(√(1 − ρ) d, e)) φ(η) dη.

The prior is uniform over the unit cube (see `calibration.fitting.priors`). emcee draws from the posterior
(Foreman-Mackey et al. 2013).
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace

import emcee
import numpy as np
from scipy.optimize import minimize
from scipy.special import log_ndtr, logsumexp, ndtr, ndtri
from scipy.stats import qmc
from threadpoolctl import threadpool_limits

from calibration.fitting.emulator import Emulator
from calibration.fitting.targets import Targets

#: Correlation of the discrepancies of one series (assumed: half of what is missed in one year is missed in all).
ALIKE = 0.5
#: Nodes and log weights of the normal distribution; more than enough for a shared error of a few standard deviations.
_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(21)
_LOG_WEIGHTS = np.log(_WEIGHTS / _WEIGHTS.sum())
#: Walkers per parameter, candidate starting points per walker, and the share of a chain dropped as burn-in.
WALKERS, START_POINTS, BURN_IN = 3, 32, 0.4
#: Step of differences by an expected figure, on its transformed scale.
_STEP = 1e-5
#: Relative precision of a search for the most likely point: 0.0001 of a log likelihood of -100.
_PRECISION = 1e-6
#: Replaces minus infinity, which a sampler could not distinguish from an error.
_LOWEST = -1e12


@dataclass(frozen=True)
class Likelihood:
    """Log likelihood at points of the unit cube.

    Attributes:
        low, high: float64 (targets,), transformed intervals; equal for single numbers, infinite where one-sided.
        discrepancy: float64 (targets,), the model's own error. series: int64 (targets,), the series of each figure.
        used: bool (targets,), whether a figure is used.
        noise: float64 (targets,), a further independent error. power: 1, or less to flatten the likelihood.
    """

    emulator: Emulator
    low: np.ndarray
    high: np.ndarray
    discrepancy: np.ndarray
    series: np.ndarray
    used: np.ndarray
    noise: np.ndarray | float = 0.0
    power: float = 1.0

    @classmethod
    def of(cls, emulator: Emulator, targets: Targets) -> Likelihood:
        """The likelihood of all targets."""
        used = np.ones(len(targets.ids), dtype=bool)
        return cls(emulator, targets.low, targets.high, targets.discrepancy, targets.series, used)

    def flattened(self, power: float) -> Likelihood:
        """The same likelihood raised to a power below 1."""
        return replace(self, power=power)

    def without(self, target: int) -> Likelihood:
        """The same likelihood without one target."""
        used = self.used.copy()
        used[target] = False
        return replace(self, used=used)

    @property
    def spread(self) -> np.ndarray:
        """Standard deviation s of each quantity around the emulated expectation, float64 (targets,)."""
        return np.sqrt(self.discrepancy**2 + self._independent)

    @property
    def _independent(self) -> np.ndarray:
        """Variance of the errors that no two figures share, float64 (targets,)."""
        return self.emulator.error**2 + self.noise**2

    @property
    def covariance(self) -> np.ndarray:
        """Covariance of the quantities around the emulated expectation, float64 (targets, targets)."""
        return own_covariance(self.discrepancy, self.series) + np.diag(self._independent)

    def discrepancies(self, rng: np.random.Generator, count: int) -> np.ndarray:
        """Draws of the model's own error, float64 (count, targets)."""
        shared, own = rng.normal(size=(2, count, len(self.series)))
        return self.discrepancy * (np.sqrt(ALIKE) * shared[:, self.series] + np.sqrt(1.0 - ALIKE) * own)

    def __call__(self, cube: np.ndarray) -> np.ndarray:
        """Log likelihood at points (points, parameters) of the cube: float64 (points,)."""
        return self.of_expected(self.emulator(cube))

    def of_expected(self, expected: np.ndarray) -> np.ndarray:
        """Log likelihood given emulated figures `expected` (points, targets): float64 (points,)."""
        total = np.zeros(len(expected))
        for series in np.unique(self.series[self.used]):
            total += self._of_series(expected, self.used & (self.series == series))
        # NaN arises so far out in a tail that both ends are infinitely unlikely.
        return np.maximum(np.nan_to_num(self.power * total, nan=_LOWEST), _LOWEST)

    def slope(self, point: np.ndarray) -> np.ndarray:
        """Derivative of the log likelihood at one point of the cube, float64 (parameters,)."""
        expected = self.emulator(point[None, :])
        steps = _STEP * np.eye(expected.shape[1])
        by_figure = (self.of_expected(expected + steps) - self.of_expected(expected - steps)) / (2.0 * _STEP)
        return by_figure @ self.emulator.slopes(point)

    def _of_series(self, expected: np.ndarray, members: np.ndarray) -> np.ndarray:
        """Log likelihood of the figures of one series, those in `members`, bool (targets,): float64 (points,)."""
        shared = np.sqrt(ALIKE) if members.sum() > 1 else 0.0
        discrepancy = self.discrepancy[members]
        spread = np.sqrt(self._independent[members] + (1.0 - shared**2) * discrepancy**2)
        low, high = self.low[members], self.high[members]
        # float64 (nodes, points, members); one node is enough for a figure alone.
        nodes, weights = (_NODES, _LOG_WEIGHTS) if shared else (np.zeros(1), np.zeros(1))
        centres = expected[:, members] + nodes[:, None, None] * shared * discrepancy
        above, below = (high - centres) / spread, (low - centres) / spread
        terms = np.where(low == high, -0.5 * above**2, _log_between(below, above)).sum(axis=-1)
        return logsumexp(terms + weights[:, None], axis=0)


def own_covariance(discrepancy: np.ndarray, series: np.ndarray) -> np.ndarray:
    """Covariance of the model's own error, float64 (targets, targets).

    Args:
        discrepancy: float64 (targets,), its standard deviation. series: int64 (targets,), the series of each figure.
    """
    alike = ALIKE * (series[:, None] == series) + (1.0 - ALIKE) * np.eye(len(series))
    return np.outer(discrepancy, discrepancy) * alike


def _log_between(below: np.ndarray, above: np.ndarray) -> np.ndarray:
    """log(Φ(above) − Φ(below)), precise in both tails."""
    flip = below > 0  # the right tail is the mirror of the left
    upper, lower = np.where(flip, -below, above), np.where(flip, -above, below)
    with np.errstate(divide="ignore", invalid="ignore"):
        larger, smaller = log_ndtr(upper), log_ndtr(lower)
        return larger + np.log(-np.expm1(np.minimum(smaller - larger, -1e-12)))


@dataclass(frozen=True)
class Sample:
    """Parameter draws from a posterior.

    Attributes:
        cube: float64 (draws, parameters), in the box. autocorrelation: autocorrelation time of the chains in steps, the
            largest over the parameters. acceptance: share of accepted moves.
    """

    cube: np.ndarray
    autocorrelation: float
    acceptance: float


def sample(
    likelihood: Callable[[np.ndarray], np.ndarray], box: np.ndarray, draws: int, seed: int, steps: int
) -> Sample:
    """Draw from the posterior: likelihood times a uniform prior over a box.

    The chains move in z; the normal distribution function of z is the position in the box. So there is no edge at which
    proposals are lost.

    Args:
        box: float64 (parameters, 2), a region of the unit cube. draws: number of draws, evenly thinned from the chains.
        steps: of each walker; the first BURN_IN of them are dropped.
    """
    dimension = len(box)
    walkers = WALKERS * dimension
    rng = np.random.default_rng(seed)

    def point_of(z: np.ndarray) -> np.ndarray:
        return box[:, 0] + (box[:, 1] - box[:, 0]) * ndtr(z)

    def log_posterior(z: np.ndarray) -> np.ndarray:
        return likelihood(point_of(z)) - 0.5 * (z**2).sum(axis=1)

    candidates = ndtri(latin_hypercube(np.tile([0.01, 0.99], (dimension, 1)), START_POINTS * walkers, seed))
    start = candidates[np.argsort(-log_posterior(candidates), kind="stable")[:walkers]]
    moves = [(emcee.moves.DEMove(), 0.7), (emcee.moves.DESnookerMove(), 0.1), (emcee.moves.StretchMove(), 0.2)]
    sampler = emcee.EnsembleSampler(walkers, dimension, log_posterior, moves=moves, vectorize=True)
    sampler.random_state = np.random.RandomState(int(rng.integers(2**31))).get_state()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        sampler.run_mcmc(start, steps)
        autocorrelation = float(np.max(sampler.get_autocorr_time(discard=int(BURN_IN * steps), tol=0)))
    chain = point_of(sampler.get_chain(discard=int(BURN_IN * steps), flat=True))
    chosen = np.linspace(0, len(chain) - 1, draws).astype(np.int64)
    return Sample(rng.permutation(chain[chosen]), autocorrelation, float(sampler.acceptance_fraction.mean()))


def latin_hypercube(box: np.ndarray, points: int, seed: int) -> np.ndarray:
    """Latin hypercube of points over a box, float64 (points, parameters)."""
    cube = qmc.LatinHypercube(len(box), rng=np.random.default_rng(seed)).random(points)
    return box[:, 0] + cube * (box[:, 1] - box[:, 0])


def best_point(
    likelihood: Likelihood, box: np.ndarray, start: np.ndarray, fixed: dict[int, float] | None = None
) -> tuple[np.ndarray, float]:
    """The most likely point of the box and its log likelihood.

    Args:
        start: float64 (parameters,). fixed: values of fixed coordinates, by parameter number.
    """
    fixed = fixed or {}
    free = np.array([index for index in range(len(box)) if index not in fixed])
    point = np.clip(start, box[:, 0], box[:, 1])
    for index, value in fixed.items():
        point[index] = value

    def loss(coordinates: np.ndarray) -> tuple[float, np.ndarray]:
        at = point.copy()
        at[free] = coordinates
        return -float(likelihood(at[None, :])[0]), -likelihood.slope(at)[free]

    # Profiles run in several processes: with more threads each, these would wait for one another.
    with threadpool_limits(1):
        result = minimize(
            loss, point[free], jac=True, method="L-BFGS-B", bounds=box[free], options={"ftol": _PRECISION}
        )
    point[free] = result.x
    return point, -float(result.fun)
