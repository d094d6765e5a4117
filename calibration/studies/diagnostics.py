"""Diagnostics of a fit: what the figures determine, and whether intervals are reliable; see also `hindcasts`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from arviz_stats.base import array_stats

from calibration.evidence.sampling import resample
from calibration.fitting.fit import Fit
from calibration.fitting.posterior import Likelihood, best_point, sample
from calibration.fitting.simulator import TEST_SEEDS, Design, RunProgress, run_library, seeds_from
from scenarios.ensembles.processes import call_each
from sim.parameters import parameter_table

#: A parameter counts as learned if the figures remove at least this share of its prior variance.
LEARNED = 0.25
#: Variance of a uniform coordinate of the cube.
PRIOR_VARIANCE = 1.0 / 12.0
#: Fall of twice the log likelihood that bounds a 90 % profile interval (chi-squared, one degree).
PROFILE_FALL = 2.706
#: When many posteriors are sampled: steps of a walker, and parameter draws kept from each.
SHORT_STEPS, SHORT_DRAWS = 1000, 500
#: Shape of the Pareto distribution of weights up to which weighted draws are reliable (Vehtari et al. 2024).
WEIGHABLE = 0.7
#: The prior of simulation-based calibration is the likelihood to this power: wide, but within the emulator's region.
FLAT = 0.5


def parameter_summary(fit: Fit) -> pd.DataFrame:
    """Prior and posterior of each free parameter, one row each.

    Returns:
        Columns parameter, unit, prior_05/50/95, posterior_05/50/95, best (most likely), contraction (share of the
        prior variance that the figures remove, on the prior's own probability scale), verdict (learned, assumed).
    """
    levels = np.array([0.05, 0.5, 0.95])
    prior = fit.priors.values(np.tile(levels[:, None], (1, len(fit.priors.names))))
    posterior = np.quantile(fit.priors.values(fit.sample.cube), levels, axis=0)
    contraction = 1.0 - fit.sample.cube.var(axis=0) / PRIOR_VARIANCE
    table = pd.DataFrame({"parameter": fit.priors.names})
    table["unit"] = [parameter_table()[name].unit for name in fit.priors.names]
    for label, values in (("prior", prior), ("posterior", posterior)):
        for level, row in zip(("05", "50", "95"), values, strict=True):
            table[f"{label}_{level}"] = row
    table["best"] = fit.priors.values(fit.best[None, :])[0]
    table["contraction"] = contraction
    table["verdict"] = np.where(contraction >= LEARNED, "learned", "assumed")
    return table


@dataclass(frozen=True)
class Information:
    """Which directions of parameter space the figures identify, at the most likely point.

    Attributes:
        eigenvalues: float64 (parameters,), of the Fisher information of the figures on the cube, largest first,
            over the precision of the uniform prior: above 1, the figures are more informative than the prior.
        directions: float64 (parameters, parameters), one direction per row, in cube coordinates.
    """

    eigenvalues: np.ndarray
    directions: np.ndarray

    @property
    def identified(self) -> int:
        """Number of directions in which the figures are more informative than the prior."""
        return int((self.eigenvalues > 1.0).sum())


def information(fit: Fit) -> Information:
    """Jᵀ C⁻¹ J of the emulated figures, J their slopes and C their covariance (see `Likelihood`)."""
    # An interval wider than its figure's spread says little about values inside it, so its width counts as uncertainty.
    covariance = fit.likelihood.covariance + np.diag(fit.targets.rounding**2)
    slopes = fit.emulator.slopes(fit.best)
    values, vectors = np.linalg.eigh(slopes.T @ np.linalg.solve(covariance, slopes))
    return Information(np.maximum(values[::-1], 0.0) * PRIOR_VARIANCE, vectors[:, ::-1].T)


def profiles(fit: Fit, points: int = 15, workers: int = 1) -> pd.DataFrame:
    """Profile likelihood of each parameter over the box, at `points` points and the most likely one.

    Returns:
        Columns parameter, value (in its unit), fall (twice the fall of the log likelihood from its best value, all
        other parameters re-optimised).
    """
    _, best = best_point(fit.likelihood, fit.box, fit.best)
    jobs = [(fit, index, best, points) for index in range(len(fit.priors.names))]
    by_index = dict(call_each(_profile, jobs, workers))
    table = pd.concat([by_index[index] for index in sorted(by_index)], ignore_index=True)
    # The best point comes from a search as well; a profile may find a slightly better one.
    table["fall"] -= min(table["fall"].min(), 0.0)
    return table


def _profile(fit: Fit, index: int, best: float, points: int) -> pd.DataFrame:
    """The profile of one parameter; `best` is the log likelihood of the most likely point."""
    low, high = fit.box[index]
    grid = np.unique([*np.linspace(low, high, points), fit.best[index]])
    # From the best point outwards, so that each search starts near the neighbouring solution.
    start = int(np.searchsorted(grid, fit.best[index]))
    falls = np.empty(len(grid))
    for side in (range(start, len(grid)), range(start - 1, -1, -1)):
        point = fit.best
        for step in side:
            point, value = best_point(fit.likelihood, fit.box, point, {index: grid[step]})
            falls[step] = 2.0 * (best - value)
    cube = np.tile(fit.best, (len(grid), 1))
    cube[:, index] = grid
    return pd.DataFrame(
        {"parameter": fit.priors.names[index], "value": fit.priors.values(cube)[:, index], "fall": falls}
    )


def profile_intervals(table: pd.DataFrame) -> pd.DataFrame:
    """90 % interval of each profile: columns parameter, low, high, and open (true if it ends at the box)."""
    rows = []
    for name, profile in table.groupby("parameter", sort=False):
        inside = profile["value"][profile["fall"] <= PROFILE_FALL]
        open_end = profile["fall"].iloc[0] <= PROFILE_FALL or profile["fall"].iloc[-1] <= PROFILE_FALL
        rows.append({"parameter": name, "low": inside.min(), "high": inside.max(), "open": bool(open_end)})
    return pd.DataFrame(rows)


@dataclass(frozen=True)
class Coverage:
    """Simulation-based calibration: how often posterior intervals contain the parameters that made the figures.

    Attributes:
        repeats: synthetic sets of figures. ranks: float64 (repeats, parameters), share of parameter draws below the
            true value.
    """

    repeats: int
    ranks: np.ndarray

    def of(self, level: float, parameters: np.ndarray | slice = slice(None)) -> float:
        """Share of true values inside the central interval of a level, over all or some parameters."""
        return float((np.abs(self.ranks[:, parameters] - 0.5) <= level / 2.0).mean())


def coverage_on_emulator(
    fit: Fit, repeats: int, workers: int = 1, on_repeat: RunProgress = lambda done, all_: None
) -> Coverage:
    """Coverage with figures made by the emulator itself, a test of the sampler."""
    truth = _true_parameters(fit, repeats, fit.settings.seed + 11)
    expected = fit.emulator(truth)
    expected += np.random.default_rng(fit.settings.seed + 14).normal(size=expected.shape) * fit.emulator.error
    return _coverage(fit, fit.likelihood, truth, expected, workers, on_repeat)


def coverage_on_model(
    fit: Fit,
    repeats: int,
    folder: Path,
    workers: int = 1,
    on_repeat: RunProgress = lambda done, all_: None,
    simulate: Callable[..., np.ndarray] = run_library,
) -> Coverage:
    """Coverage with figures made by runs of the model, a test of the emulator.

    These figures contain the simulation noise of one run at the fit's scale, so the likelihood includes it here.
    """
    truth = _true_parameters(fit, repeats, fit.settings.seed + 12)
    seeds = seeds_from(fit.settings.seed + 2 * TEST_SEEDS, repeats)
    design = Design.of(fit.priors.names, fit.priors.values(truth), fit.settings.scale, seeds)
    outcomes = fit.targets.transform(simulate(design, design.library(folder, "coverage"), workers))
    # A run without a review has no pass rate: the emulated expectation replaces it.
    outcomes = np.where(np.isfinite(outcomes), outcomes, fit.emulator(truth))
    noisy = replace(fit.likelihood, noise=fit.emulator.noise)
    return _coverage(fit, noisy, truth, outcomes, workers, on_repeat)


def _true_parameters(fit: Fit, repeats: int, seed: int) -> np.ndarray:
    """Parameters drawn from the flattened likelihood, the prior of these tests: float64 (repeats, parameters)."""
    flat = fit.likelihood.flattened(FLAT)
    return sample(flat, fit.box, repeats, seed, fit.settings.steps).cube


def _coverage(
    fit: Fit, likelihood: Likelihood, truth: np.ndarray, outcomes: np.ndarray, workers: int, on_repeat: RunProgress
) -> Coverage:
    """Ranks of `truth` in the posteriors of figures made from `outcomes` with model error and rounding."""
    rng = np.random.default_rng(fit.settings.seed + 13)
    values = outcomes + fit.likelihood.discrepancies(rng, len(outcomes))
    two_sided = np.isfinite(likelihood.high - likelihood.low)
    width = np.where(two_sided, likelihood.high, 0.0) - np.where(two_sided, likelihood.low, 0.0)
    # The true value lies anywhere in its rounding interval.
    low = np.where(np.isfinite(likelihood.low), values - width * rng.random(values.shape), -np.inf)
    high = np.where(two_sided, low + width, np.where(np.isfinite(likelihood.high), values, np.inf))
    prior = fit.likelihood.flattened(FLAT)
    jobs = [
        SyntheticPosterior(prior, replace(likelihood, low=low[index], high=high[index])) for index in range(len(truth))
    ]
    ranks = np.empty_like(truth)
    on_repeat(0, len(jobs))
    for done, (index, draws) in enumerate(_sample_each(jobs, fit, fit.box, workers), start=1):
        ranks[index] = (draws < truth[index]).mean(axis=0)
        on_repeat(done, len(jobs))
    return Coverage(len(truth), ranks)


@dataclass(frozen=True)
class SyntheticPosterior:
    """Log of a prior, itself a flattened likelihood, times the likelihood of synthetic figures."""

    prior: Likelihood
    figures: Likelihood

    def __call__(self, cube: np.ndarray) -> np.ndarray:
        """Sum of both at points of the cube (points, parameters): float64 (points,)."""
        expected = self.prior.emulator(cube)
        return self.prior.of_expected(expected) + self.figures.of_expected(expected)


def _whole_cube(fit: Fit) -> np.ndarray:
    """Bounds of the whole cube, float64 (parameters, 2)."""
    return np.tile([0.0, 1.0], (len(fit.priors.names), 1))


def leave_one_out(fit: Fit, workers: int = 1, on_repeat: RunProgress = lambda done, all_: None) -> pd.DataFrame:
    """Each figure as predicted from all others.

    The posterior without a figure is the posterior with weights, smoothed by a Pareto distribution (Vehtari et al.
    2024). Where that distribution's shape k shows that a figure moves the posterior too far for that, the posterior
    without it is sampled, with the emulator of the first waves over the whole prior cube.

    Returns:
        Columns id, low, high (reported), without_05/50/95 and with_50 (emulated expectation, natural units), score
        (distance of the reported interval from the median without it, in standard deviations of that prediction),
        pareto_k (the shape; at most `WEIGHABLE` where the posterior was weighted).
    """
    fitted = fit.emulator(fit.sample.cube)
    with_all = fit.likelihood.of_expected(fitted)
    indices = range(len(fit.targets.ids))
    # The log likelihood of each figure given the others; the weights are its inverse.
    own = np.array([with_all - fit.likelihood.without(index).of_expected(fitted) for index in indices])
    smoothed, shapes = array_stats.psislw(own)
    rng = np.random.default_rng(fit.settings.seed + 15)
    chosen = {index: resample(smoothed[index], SHORT_DRAWS, rng)[0] for index in indices if shapes[index] <= WEIGHABLE}
    expected = {index: fitted[draws, index] for index, draws in chosen.items()}
    rest = [index for index in indices if index not in expected]
    on_repeat(0, len(rest))
    if rest:
        wide = Likelihood.of(fit.wide_emulator, fit.targets)
        jobs = [wide.without(index) for index in rest]
        for done, (job, draws) in enumerate(_sample_each(jobs, fit, _whole_cube(fit), workers), start=1):
            expected[rest[job]] = wide.emulator(draws)[:, rest[job]]
            on_repeat(done, len(rest))
    rows = [
        _left_out(fit, index, expected[index], fitted[:, index]) | {"pareto_k": float(shapes[index])}
        for index in indices
    ]
    return pd.DataFrame(rows)


def _left_out(fit: Fit, index: int, without: np.ndarray, with_all: np.ndarray) -> dict:
    """A row of `leave_one_out`, from draws of one emulated figure without it and with all figures."""
    low, high = fit.targets.low[index], fit.targets.high[index]
    middle = np.median(without)
    deviation = np.hypot(without.std(), fit.likelihood.spread[index])
    natural = fit.targets.only(np.arange(len(fit.targets.ids)) == index).natural
    return {
        "id": fit.targets.ids[index],
        "low": fit.targets.figures[index].low,
        "high": fit.targets.figures[index].high,
        **{f"without_{q:02d}": float(natural(np.quantile(without, q / 100))[0]) for q in (5, 50, 95)},
        "with_50": float(natural(np.median(with_all))[0]),
        "score": float((np.clip(middle, low, high) - middle) / deviation),
    }


def _sample_each(
    jobs: Sequence[Callable[[np.ndarray], np.ndarray]], fit: Fit, box: np.ndarray, workers: int
) -> Iterator[tuple[int, np.ndarray]]:
    """Index of each posterior over a box, and draws from it, float64 (SHORT_DRAWS, parameters), as they finish."""
    arguments = [(job, box, SHORT_DRAWS, fit.settings.seed, SHORT_STEPS) for job in jobs]
    for index, posterior in call_each(sample, arguments, workers):
        yield index, posterior.cube
