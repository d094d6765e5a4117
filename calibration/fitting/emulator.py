"""Emulator: the expected result of a run as a function of its parameters, learned from runs.

Each target y (log or log-odds scale) is a Gaussian process over the unit cube with a squared-exponential kernel, one
length scale per parameter, and white noise for simulation noise. Length scales and noise are those of maximum
likelihood. A sampler needs the expectation millions of times, so a compiled loop evaluates it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numba
import numpy as np
from scipy.linalg import LinAlgError, cho_solve, cholesky
from scipy.optimize import minimize
from scipy.spatial.distance import cdist
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, Kernel, WhiteKernel
from sklearn.linear_model import RidgeCV
from sklearn.preprocessing import PolynomialFeatures
from threadpoolctl import threadpool_limits

from scenarios.ensembles.processes import call_each
from sim.numerics.elementary import exp
from sim.numerics.jit import KEPT

#: Runs from which the length scales are learned.
SCALE_RUNS = 400
#: Runs whose kernels are computed together.
BLOCK = 128
#: Bounds of the length scales; the cube has edges of length 1.
LENGTHS = (0.15, 30.0)
#: Added to the diagonal, as scikit-learn does.
JITTER = 1e-10


@dataclass(frozen=True)
class Emulator:
    """Gaussian processes of all targets.

    Attributes:
        points: float64 (parameters, runs). lengths: float64 (targets, parameters).
        weights: float64 (targets, runs), 0 where a run did not produce the target.
        middle, amplitude: float64 (targets,), mean and scale of y.
        noise: float64 (targets,), estimated standard deviation of simulation noise in one run.
        residual: float64 (targets,), leave-one-out root mean square error over the last `error_runs` runs.
        explained: float64 (targets,), leave-one-out share of variance explained, over all runs.
        error: float64 (targets,), standard deviation of the emulated expectation around the true one: the residual
            beyond simulation noise, and no less than the standard error of the process itself in that region.
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
        sums = np.empty((len(cube), len(self.middle)))
        _kernel_sums(cube, self.points, self.lengths**-2.0, self.weights, sums)
        return self.middle + self.amplitude * sums

    def slopes(self, point: np.ndarray) -> np.ndarray:
        """Derivatives of the targets at one point of the cube, float64 (targets, parameters)."""
        apart = point[:, None] - self.points
        sharpness = self.lengths**-2.0
        kernels = self.weights * np.exp(-0.5 * (sharpness @ apart**2))
        return -self.amplitude[:, None] * sharpness * (kernels @ apart.T)


@numba.njit(cache=KEPT, parallel=True)
def _kernel_sums(cube, points, sharpness, weights, sums):
    """Weighted sum of kernels at each point of `cube` for each target, into `sums`; `points` is (parameters, runs).

    Runs are processed in blocks, so that distances stay in the processor's first cache and a matrix product scales
    them.
    """
    for point in numba.prange(cube.shape[0]):
        squared = np.zeros((points.shape[0], BLOCK))
        kernels = np.empty((weights.shape[0], BLOCK))
        sums[point] = 0.0
        for first in range(0, points.shape[1], BLOCK):
            runs = min(BLOCK, points.shape[1] - first)
            for parameter in range(points.shape[0]):
                at = cube[point, parameter]
                for run in range(runs):
                    squared[parameter, run] = (points[parameter, first + run] - at) ** 2
            np.dot(sharpness, squared, kernels)
            for target in range(weights.shape[0]):
                for run in range(runs):
                    kernels[target, run] = exp(-0.5 * kernels[target, run])
                total = 0.0
                for run in range(runs):
                    total += weights[target, first + run] * kernels[target, run]
                sums[point, target] += total


def fit_emulator(
    cube: np.ndarray, outcomes: np.ndarray, seed: int, error_runs: int | None = None, workers: int = 1
) -> Emulator:
    """Learn the targets from runs.

    Args:
        cube: float64 (runs, parameters), points of the unit cube. All are used: where a process has no runs it reverts
            to the overall mean, which without the wide first runs would look like a good fit.
        outcomes: float64 (runs, targets), transformed; NaN where a run did not produce a target.
        seed: of the choice of runs from which length scales are learned.
        error_runs: the error is estimated on this many last runs, which cover the region of interest. None: on all.
        workers: processes; results do not depend on their number.
    """
    jobs = [(cube, column, seed, error_runs or len(cube)) for column in outcomes.T]
    fitted = dict(call_each(_fit_target, jobs, workers))
    columns = {key: np.array([fitted[target][key] for target in range(len(jobs))]) for key in fitted[0]}
    return Emulator(points=np.ascontiguousarray(cube.T, dtype=np.float64), **columns)


def _fit_target(cube: np.ndarray, outcome: np.ndarray, seed: int, error_runs: int) -> dict:
    """The attributes of `Emulator` for one target."""
    valid = np.flatnonzero(np.isfinite(outcome))
    y = outcome[valid]
    scale = y.std() or 1.0
    # With more threads, the sums in linear algebra and so all later results would depend on the machine.
    with threadpool_limits(1):
        process = fit_process(cube[valid], (y - y.mean()) / scale, seed)
        # Leave-one-out in closed form (Rasmussen and Williams 2006, section 5.4.2).
        precision = cho_solve((process.L_, True), np.eye(len(valid))).diagonal()
    smooth, noise = process.kernel_.k1, process.kernel_.k2.noise_level
    weights = np.zeros(len(outcome))
    weights[valid] = smooth.k1.constant_value * process.alpha_
    squared_errors, variances = (process.alpha_ / precision) ** 2, 1.0 / precision
    last = valid >= len(outcome) - error_runs
    excess = max(squared_errors[last].mean() - noise, variances[last].mean() - noise, 0.0)
    return {
        "lengths": smooth.k2.length_scale,
        "weights": weights,
        "middle": y.mean(),
        "amplitude": scale,
        "noise": scale * math.sqrt(noise),
        "error": scale * math.sqrt(excess),
        "residual": scale * math.sqrt(squared_errors[last].mean()),
        "explained": 1.0 - squared_errors.mean(),
    }


def fit_process(cube: np.ndarray, y: np.ndarray, seed: int) -> GaussianProcessRegressor:
    """A Gaussian process of standardised outcomes: scales learned from SCALE_RUNS runs, conditioned on all runs."""
    chosen = np.random.default_rng(seed).permutation(len(cube))[:SCALE_RUNS]
    kernel = first_kernel(cube.shape[1])
    # A length scale at its bound means that the target does not depend on that parameter.
    search = minimize(
        misfit, kernel.theta, (cube[chosen], y[chosen]), method="L-BFGS-B", jac=True, bounds=kernel.bounds
    )
    return GaussianProcessRegressor(kernel.clone_with_theta(search.x), optimizer=None).fit(cube, y)


def first_kernel(parameters: int) -> Kernel:
    """Where the search starts: nearly all variance is noise, lest the noise of a dozen firms is taken for structure."""
    smooth = ConstantKernel(0.2, (0.1, 1e3)) * RBF(np.full(parameters, 2.0), LENGTHS)
    return smooth + WhiteKernel(0.9, (1e-6, 2.0))


def misfit(theta: np.ndarray, cube: np.ndarray, y: np.ndarray) -> tuple[float, np.ndarray]:
    """Negative log marginal likelihood of a process and its gradient (Rasmussen and Williams 2006, section 5.4.1).

    scikit-learn's own stores the derivative of each pair of runs by each length scale. The squared distances are sums
    of products, so matrix products give the same gradient; `benchmarks.emulator` times both.

    Args:
        theta: float64 (parameters + 2,), logs of the variance, the length scales and the noise.
        cube, y: float64 (runs, parameters) and (runs,).
    """
    variance, lengths, noise = np.exp(theta[0]), np.exp(theta[1:-1]), np.exp(theta[-1])
    scaled = cube / lengths
    smooth = variance * np.exp(-0.5 * cdist(scaled, scaled, "sqeuclidean"))
    try:
        factor = cholesky(smooth + (noise + JITTER) * np.eye(len(y)), lower=True)
    except LinAlgError:
        return np.inf, np.zeros_like(theta)
    alpha = cho_solve((factor, True), y)
    loss = 0.5 * y @ alpha + np.log(factor.diagonal()).sum() + 0.5 * len(y) * math.log(2.0 * math.pi)
    slope = cho_solve((factor, True), np.eye(len(y))) - np.outer(alpha, alpha)
    by_pair = slope * smooth
    by_length = by_pair.sum(axis=1) @ scaled**2 - np.einsum("ik,ik->k", scaled, by_pair @ scaled)
    return loss, np.concatenate([[0.5 * by_pair.sum()], by_length, [0.5 * noise * slope.trace()]])


def compare_with_polynomial(cube: np.ndarray, outcomes: np.ndarray, seed: int, workers: int = 1) -> np.ndarray:
    """Error of the process over that of a quadratic ridge regression, on runs unseen by both: float64 (targets,).

    Both are trained on three quarters of the runs. Below 1, the process is better.
    """
    order = np.random.default_rng(seed).permutation(len(cube))
    training, test = order[len(order) // 4 :], order[: len(order) // 4]
    emulator = fit_emulator(cube[training], outcomes[training], seed, workers=workers)
    expected = emulator(cube[test])
    features = PolynomialFeatures(2)
    table = features.fit_transform(2.0 * cube - 1.0)
    ratios = np.empty(outcomes.shape[1])
    for target in range(outcomes.shape[1]):
        runs = training[np.isfinite(outcomes[training, target])]
        valid = np.isfinite(outcomes[test, target])
        ridge = RidgeCV(np.logspace(-3.0, 3.0, 13)).fit(table[runs], outcomes[runs, target])
        truth = outcomes[test[valid], target]
        ridge_errors = ridge.predict(table[test[valid]]) - truth
        ratios[target] = np.sqrt(np.mean((expected[valid, target] - truth) ** 2) / np.mean(ridge_errors**2))
    return ratios
