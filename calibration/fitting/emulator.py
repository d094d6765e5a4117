"""Emulator: the expected result of a run as a function of its parameters, learned from runs.

Each target y (log or log-odds scale) is a linear function on the unit cube plus a Gaussian process with a
squared-exponential kernel, one length scale per parameter, and white noise for simulation noise. Length scales and
noise are maximum a posteriori, on runs of the region of interest: by likelihood alone, with some fifty length scales to
choose from, the noise of runs was taken for structure. A sampler needs the expectation millions of times, so a compiled
loop evaluates it.
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
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, DotProduct, Kernel, WhiteKernel
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
#: Priors of a length scale and of the variance of noise over that of the runs: median and sd of the log. Most
#: parameters hardly bend a target, and no target is free of noise.
LENGTH_PRIOR, NOISE_PRIOR = (4.0, 0.7), (0.2, 1.0)
#: The middle of the cube, from which the linear part is taken.
MIDDLE = 0.5
#: Added to the diagonal, as scikit-learn does.
JITTER = 1e-10


@dataclass(frozen=True)
class Emulator:
    """Linear functions and Gaussian processes of all targets.

    Attributes:
        points: float64 (parameters, runs). lengths: float64 (targets, parameters).
        weights: float64 (targets, runs), 0 where a run did not produce the target.
        linear: float64 (targets, parameters), coefficients of the linear part.
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
    linear: np.ndarray
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
        return self.middle + self.amplitude * (sums + (cube - MIDDLE) @ self.linear.T)

    def slopes(self, point: np.ndarray) -> np.ndarray:
        """Derivatives of the targets at one point of the cube, float64 (targets, parameters)."""
        apart = point[:, None] - self.points
        sharpness = self.lengths**-2.0
        kernels = self.weights * np.exp(-0.5 * (sharpness @ apart**2))
        return self.amplitude[:, None] * (self.linear - sharpness * (kernels @ apart.T))


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
            to the linear part, which without the wide first runs could look like a good fit.
        outcomes: float64 (runs, targets), transformed; NaN where a run did not produce a target.
        seed: of the choice of runs from which length scales are learned.
        error_runs: length scales, noise and error are of this many last runs, which cover the region of interest.
            None: of all.
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
    last = valid >= len(outcome) - error_runs
    # With more threads, the sums in linear algebra and so all later results would depend on the machine.
    with threadpool_limits(1):
        process = fit_process(cube[valid], (y - y.mean()) / scale, seed, last)
        # Leave-one-out in closed form (Rasmussen and Williams 2006, section 5.4.2).
        precision = cho_solve((process.L_, True), np.eye(len(valid))).diagonal()
    smooth, linear, noise = process.kernel_.k1.k1, process.kernel_.k1.k2, process.kernel_.k2.noise_level
    weights = np.zeros(len(outcome))
    weights[valid] = smooth.k1.constant_value * process.alpha_
    squared_errors, variances = (process.alpha_ / precision) ** 2, 1.0 / precision
    excess = max(squared_errors[last].mean() - noise, variances[last].mean() - noise, 0.0)
    return {
        "lengths": smooth.k2.length_scale,
        "weights": weights,
        "linear": linear.k1.constant_value * (process.alpha_ @ process.X_train_),
        "middle": y.mean(),
        "amplitude": scale,
        "noise": scale * math.sqrt(noise),
        "error": scale * math.sqrt(excess),
        "residual": scale * math.sqrt(squared_errors[last].mean()),
        "explained": 1.0 - squared_errors.mean(),
    }


def fit_process(cube: np.ndarray, y: np.ndarray, seed: int, near: np.ndarray) -> GaussianProcessRegressor:
    """A Gaussian process of standardised outcomes, conditioned on all runs.

    Its scales are learned from SCALE_RUNS of the runs of interest, `near`, bool (runs,): elsewhere outcomes vary more.
    """
    chosen = np.random.default_rng(seed).permutation(np.flatnonzero(near))[:SCALE_RUNS]
    points, kernel = cube - MIDDLE, first_kernel(cube.shape[1])
    # A length scale far above 1 means that the target depends on that parameter linearly, if at all.
    search = minimize(
        loss, kernel.theta, (points[chosen], y[chosen]), method="L-BFGS-B", jac=True, bounds=kernel.bounds
    )
    return GaussianProcessRegressor(kernel.clone_with_theta(search.x), optimizer=None).fit(points, y)


def first_kernel(parameters: int) -> Kernel:
    """Where the search starts: half of the variance is noise. From noise alone it misses targets that bend."""
    smooth = ConstantKernel(0.5, (1e-3, 1e3)) * RBF(np.full(parameters, LENGTH_PRIOR[0]), LENGTHS)
    linear = ConstantKernel(0.05, (1e-5, 1e3)) * DotProduct(0.0, "fixed")
    return smooth + linear + WhiteKernel(0.5, (1e-6, 2.0))


def loss(theta: np.ndarray, points: np.ndarray, y: np.ndarray) -> tuple[float, np.ndarray]:
    """Negative log posterior density of a process's scales, up to a constant, and its gradient.

    `misfit` less the log density of the priors.

    Args:
        theta, points, y: as in `misfit`.
    """
    value, slope = misfit(theta, points, y)
    for scales, (median, log_sd) in ((slice(1, -2), LENGTH_PRIOR), (slice(-1, None), NOISE_PRIOR)):
        deviations = (theta[scales] - math.log(median)) / log_sd
        value += 0.5 * float(deviations @ deviations)
        slope[scales] += deviations / log_sd
    return value, slope


def misfit(theta: np.ndarray, points: np.ndarray, y: np.ndarray) -> tuple[float, np.ndarray]:
    """Negative log marginal likelihood of a process and its gradient (Rasmussen and Williams 2006, section 5.4.1).

    scikit-learn's own stores the derivative of each pair of runs by each length scale. The squared distances are sums
    of products, so matrix products give the same gradient; `benchmarks.emulator` times both.

    Args:
        theta: float64 (parameters + 3,), logs of the variance, the length scales, the linear part and the noise.
        points, y: float64 (runs, parameters), from the middle of the cube, and (runs,).
    """
    variance, lengths, linear, noise = np.exp(theta[0]), np.exp(theta[1:-2]), np.exp(theta[-2]), np.exp(theta[-1])
    scaled = points / lengths
    smooth = variance * np.exp(-0.5 * cdist(scaled, scaled, "sqeuclidean"))
    straight = linear * (points @ points.T)
    try:
        factor = cholesky(smooth + straight + (noise + JITTER) * np.eye(len(y)), lower=True)
    except LinAlgError:
        return np.inf, np.zeros_like(theta)
    alpha = cho_solve((factor, True), y)
    value = 0.5 * y @ alpha + np.log(factor.diagonal()).sum() + 0.5 * len(y) * math.log(2.0 * math.pi)
    slope = cho_solve((factor, True), np.eye(len(y))) - np.outer(alpha, alpha)
    by_pair = slope * smooth
    by_length = by_pair.sum(axis=1) @ scaled**2 - np.einsum("ik,ik->k", scaled, by_pair @ scaled)
    by_linear, by_noise = 0.5 * (slope * straight).sum(), 0.5 * noise * slope.trace()
    return value, np.concatenate([[0.5 * by_pair.sum()], by_length, [by_linear, by_noise]])


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
