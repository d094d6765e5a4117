"""Emulator: what a run would report as a function of its parameters, learned from runs.

Each target y (log or log-odds scale) is a Gaussian process over the unit cube with a squared-exponential kernel, one
length scale a parameter, and white noise for the luck of a run. scikit-learn learns the scales by maximum likelihood;
the expectation, which a sampler asks for millions of times, is evaluated by a compiled loop.
"""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass

import numba
import numpy as np
from scipy.linalg import cho_solve
from sklearn.exceptions import ConvergenceWarning
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, WhiteKernel
from sklearn.linear_model import RidgeCV
from sklearn.preprocessing import PolynomialFeatures
from threadpoolctl import threadpool_limits

from scenarios.ensembles.processes import call_each
from sim.elementary import exp
from sim.jit import KEPT

#: Runs from which the length scales are learned.
SCALE_RUNS = 400
#: Runs whose kernels are computed together.
BLOCK = 128
#: Length scales that may be learned; the cube has edges of 1.
LENGTHS = (0.15, 30.0)


@dataclass(frozen=True)
class Emulator:
    """Gaussian processes of all targets.

    Attributes:
        points: float64 (parameters, runs). lengths: float64 (targets, parameters).
        weights: float64 (targets, runs), 0 where a run did not produce the target.
        middle, amplitude: float64 (targets,), constant part and scale of y.
        noise: float64 (targets,), standard deviation of the luck of a run, as learned.
        residual: float64 (targets,), root mean square error over the judged runs, each left out. explained: share of
            variance explained so, over all runs.
        error: float64 (targets,), standard deviation of the emulated expectation about the true one: what the
            residual holds beyond the luck of a run, and no less than the process itself claims there.
    """

    points: np.ndarray
    lengths: np.ndarray
    weights: np.ndarray
    middle: np.ndarray
    amplitude: np.ndarray
    noise: np.ndarray
    error: np.ndarray
    residual: np.ndarray
    explained: np.ndarray

    def __call__(self, cube: np.ndarray) -> np.ndarray:
        """Expected targets at points of the unit cube (points, parameters): float64 (points, targets)."""
        cube = np.ascontiguousarray(np.atleast_2d(cube), dtype=np.float64)
        found = np.empty((len(cube), len(self.middle)))
        _expect(cube, self.points, self.lengths**-2.0, self.weights, found)
        return self.middle + self.amplitude * found

    def slopes(self, point: np.ndarray, step: float = 1e-4) -> np.ndarray:
        """Derivatives of the targets at one point by central differences, float64 (targets, parameters)."""
        steps = step * np.eye(len(point))
        return ((self(point + steps) - self(point - steps)) / (2.0 * step)).T


@numba.njit(cache=KEPT, parallel=True)
def _expect(cube, points, sharpness, weights, found):
    """Sum of kernels at each point of `cube`, for each target, into `found`; `points` is (parameters, runs).

    Block by block of runs, so that distances stay in the processor's first cache and a matrix product weighs them.
    """
    for point in numba.prange(cube.shape[0]):
        squared = np.zeros((points.shape[0], BLOCK))
        apart = np.empty((weights.shape[0], BLOCK))
        found[point] = 0.0
        for first in range(0, points.shape[1], BLOCK):
            runs = min(BLOCK, points.shape[1] - first)
            for parameter in range(points.shape[0]):
                at = cube[point, parameter]
                for run in range(runs):
                    squared[parameter, run] = (points[parameter, first + run] - at) ** 2
            np.dot(sharpness, squared, apart)
            for target in range(weights.shape[0]):
                for run in range(runs):
                    apart[target, run] = exp(-0.5 * apart[target, run])
                total = 0.0
                for run in range(runs):
                    total += weights[target, first + run] * apart[target, run]
                found[point, target] += total


def fit_emulator(
    cube: np.ndarray, outcomes: np.ndarray, seed: int, judged: int | None = None, workers: int = 1
) -> Emulator:
    """Learn the targets from runs.

    Args:
        cube: float64 (runs, parameters), points of the unit cube. All are used: where a process has seen no run it
            returns to the mean of all, and if the wide first runs were left out that would look like a good fit.
        outcomes: float64 (runs, targets), transformed; NaN where a run did not produce a target.
        seed: of the choice of runs from which length scales are learned.
        judged: how many runs, the last, the error is judged by: those of the region it is for. None: all.
        workers: processes; the numbers do not depend on them.
    """
    jobs = [(cube, column, seed, judged or len(cube)) for column in outcomes.T]
    found = dict(call_each(_fit_target, jobs, workers))
    columns = {key: np.array([found[target][key] for target in range(len(jobs))]) for key in found[0]}
    return Emulator(points=np.ascontiguousarray(cube.T, dtype=np.float64), **columns)


def _fit_target(cube: np.ndarray, outcome: np.ndarray, seed: int, judged: int) -> dict:
    """What `Emulator` holds of one target."""
    some = np.flatnonzero(np.isfinite(outcome))
    y = outcome[some]
    scale = y.std() or 1.0
    # With more threads the sums of linear algebra, and so all draws, would depend on the machine.
    with threadpool_limits(1):
        process = fit_process(cube[some], (y - y.mean()) / scale, seed)
        # Each run left out, in closed form (Rasmussen and Williams 2006, section 5.4.2).
        precision = cho_solve((process.L_, True), np.eye(len(some))).diagonal()
    smooth, luck = process.kernel_.k1, process.kernel_.k2.noise_level
    weights = np.zeros(len(outcome))
    weights[some] = smooth.k1.constant_value * process.alpha_
    missed, claimed = (process.alpha_ / precision) ** 2, 1.0 / precision
    about = some >= len(outcome) - judged
    beyond = max(missed[about].mean() - luck, claimed[about].mean() - luck, 0.0)
    return {
        "lengths": smooth.k2.length_scale,
        "weights": weights,
        "middle": y.mean(),
        "amplitude": scale,
        "noise": scale * math.sqrt(luck),
        "error": scale * math.sqrt(beyond),
        "residual": scale * math.sqrt(missed[about].mean()),
        "explained": 1.0 - missed.mean(),
    }


def fit_process(cube: np.ndarray, y: np.ndarray, seed: int) -> GaussianProcessRegressor:
    """A Gaussian process of standardised outcomes: scales learned from SCALE_RUNS runs, held by all."""
    chosen = np.random.default_rng(seed).permutation(len(cube))[:SCALE_RUNS]
    # The search starts from all luck: started from none, it takes the luck of a dozen firms for structure.
    smooth = ConstantKernel(0.2, (0.1, 1e3)) * RBF(np.full(cube.shape[1], 2.0), LENGTHS)
    kernel = smooth + WhiteKernel(0.9, (1e-6, 2.0))
    with warnings.catch_warnings():
        # A length scale at its bound: the target does not depend on that parameter.
        warnings.simplefilter("ignore", ConvergenceWarning)
        learned = GaussianProcessRegressor(kernel).fit(cube[chosen], y[chosen])
    return GaussianProcessRegressor(learned.kernel_, optimizer=None).fit(cube, y)


def compare_with_polynomial(cube: np.ndarray, outcomes: np.ndarray, seed: int, workers: int = 1) -> np.ndarray:
    """Error of the process over that of a quadratic ridge regression, on runs neither has seen: float64 (targets,).

    Both learn from three quarters of the runs. Below 1 the process is better.
    """
    order = np.random.default_rng(seed).permutation(len(cube))
    learned, held = order[len(order) // 4 :], order[: len(order) // 4]
    emulator = fit_emulator(cube[learned], outcomes[learned], seed, workers=workers)
    expected = emulator(cube[held])
    features = PolynomialFeatures(2)
    table = features.fit_transform(2.0 * cube - 1.0)
    ratios = np.empty(outcomes.shape[1])
    for target in range(outcomes.shape[1]):
        runs = learned[np.isfinite(outcomes[learned, target])]
        test = np.isfinite(outcomes[held, target])
        ridge = RidgeCV(np.logspace(-3.0, 3.0, 13)).fit(table[runs], outcomes[runs, target])
        truth = outcomes[held[test], target]
        missed = ridge.predict(table[held[test]]) - truth
        ratios[target] = np.sqrt(np.mean((expected[test, target] - truth) ** 2) / np.mean(missed**2))
    return ratios
