"""The drivers of each output: elementary effects (Morris), then variance shares (Sobol) of the factors that matter.

All points of both designs share their seeds, so only factors move an output. The simulation noise left out in this way
is measured separately, by evaluating the centre of the design with other seeds. If a factor only changes which firms
succeed by chance, its total index can be as high as the noise share of the variance, without any effect on the
expectation. With common seeds most noise cancels, so that share is an upper bound of this error.

Only `ModelRuns` depends on the model: the function that evaluates points of the unit cube is an argument.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from SALib.analyze import sobol as analysis
from SALib.sample import sobol as sampling
from scipy import stats

from calibration.fitting.priors import Priors
from calibration.fitting.screening import elementary_effects, morris_design
from scenarios.analysis.intervals import CONFIDENCE
from scenarios.analysis.outcomes import Outcome, measure
from scenarios.ensembles.stages import Stages
from scenarios.errors import InputError
from scenarios.files.schema import Scenario
from scenarios.search.design import MAX_POINTS, Factor, Value, points_over

#: Bootstrap resamples of an interval.
_RESAMPLES = 500
#: Coordinate of a fixed factor: the middle of a range, the median of a prior.
_CENTRE = 0.5

#: Folder of the first runs: the centre with other seeds.
FIRST_STAGE = "centre"
#: Points of the unit cube (points, factors) and the stage's name to outputs, float64 (points, outputs).
Evaluate = Callable[[np.ndarray, str], np.ndarray]


@dataclass(frozen=True)
class Space:
    """The space of a sensitivity analysis: factors from a file, and parameters with priors.

    Attributes:
        factors: the first coordinates. priors: of parameters that no factor sets; the remaining coordinates.
    """

    factors: tuple[Factor, ...]
    priors: Priors

    @cached_property
    def keys(self) -> tuple[str, ...]:
        """Dotted keys, the order of coordinates."""
        return (*(factor.key for factor in self.factors), *(f"parameters.{name}" for name in self.priors.names))

    def points(self, cube: np.ndarray) -> list[dict[str, Value]]:
        """Values by key at points of the unit cube (points, factors)."""
        split = len(self.factors)
        parameters = self.priors.values(cube[:, split:]) if self.priors.names else np.empty((len(cube), 0))
        return [
            dict(zip(self.keys, [*map(Factor.value_at, self.factors, row[:split]), *map(float, values)], strict=True))
            for row, values in zip(cube, parameters, strict=True)
        ]


def space_of(factors: tuple[Factor, ...], priors: Priors | None = None) -> Space:
    """The space of the factors and of the priors, if any, of all parameters that no factor sets.

    Raises:
        InputError: there are fewer than two coordinates.
    """
    keys = {factor.key for factor in factors}
    by_name = priors.by_name if priors else {}
    space = Space(factors, Priors({name: prior for name, prior in by_name.items() if f"parameters.{name}" not in keys}))
    if len(space.keys) < 2:
        raise InputError(f"a sensitivity analysis needs at least two factors; there are {len(space.keys)}")
    return space


@dataclass(frozen=True)
class ModelRuns:
    """Evaluates points of the unit cube by runs of the model.

    Attributes:
        base: scenario that every point changes. space: meaning of the coordinates. outcomes: measured outputs.
        stages: make the runs.
    """

    base: Scenario
    space: Space
    outcomes: tuple[Outcome, ...]
    stages: Stages

    def __call__(self, cube: np.ndarray, stage: str) -> np.ndarray:
        """Outputs at each point, means over the replicates: float64 (points, outputs)."""
        scenarios = points_over(self.base, self.space.points(cube), stage)
        values = measure(self.stages.run(scenarios, stage).national, self.outcomes)
        return values.groupby("scenario", observed=True).mean().loc[[s.name for s in scenarios]].to_numpy()

    def noise(self, repeats: int) -> np.ndarray:
        """Outputs at the centre, evaluated repeatedly with different seeds: float64 (repeats, outputs)."""
        centre = points_over(self.base, self.space.points(np.full((1, len(self.space.keys)), _CENTRE)), "centre")
        each = self.stages.settings.replicates
        values = measure(self.stages.run(centre, FIRST_STAGE, replicates=repeats * each).national, self.outcomes)
        return values.groupby(values.index.get_level_values("replicate") // each).mean().to_numpy()


@dataclass(frozen=True)
class Sensitivity:
    """Result of a sensitivity analysis.

    Attributes:
        effects: rows output, factor: mu_star (mean absolute effect of the factor's whole range, in the output's unit)
            with low and high, sigma (spread of the effects: interaction and curvature), and relative (mu_star
            over the output's standard deviation in the Morris design).
        kept: factors with variance shares, strongest first; the others stayed at the centre.
        indices: rows output, factor: s1 and st (first-order and total share of the variance) with low and high.
        variance: variance of each output over the Saltelli design, in its unit squared.
        noise: rows output; share, low, high: variance between evaluations of the centre over the variance.
    """

    effects: pd.DataFrame
    kept: tuple[str, ...]
    indices: pd.DataFrame
    variance: pd.Series
    noise: pd.DataFrame

    def table(self) -> pd.DataFrame:
        """Effects and indices side by side, and whether the total index lies above noise (`above_noise`)."""
        rows = self.effects.join(self.indices)
        share = self.noise["share"].reindex(rows.index.get_level_values("output")).to_numpy()
        above = [None if np.isnan(low) else bool(low > noise) for low, noise in zip(rows["st_low"], share, strict=True)]
        return rows.assign(above_noise=above)


def runs_needed(factors: int, trajectories: int, samples: int, keep: int) -> tuple[int, int]:
    """Points of the Morris design and of the Saltelli design.

    Raises:
        InputError: one of them is too large.
    """
    counts = trajectories * (factors + 1), samples * (min(keep, factors) + 2)
    for count, way in zip(
        counts, ("trajectories (--trajectories)", "samples (--samples) or keep (--keep)"), strict=True
    ):
        if count > MAX_POINTS:
            raise InputError(f"the design has {count:,} points; at most {MAX_POINTS:,} are allowed: lower {way}")
    return counts


def run_sensitivity(
    base: Scenario,
    space: Space,
    outcomes: tuple[Outcome, ...],
    stages: Stages,
    *,
    trajectories: int,
    samples: int,
    keep: int,
    repeats: int,
    seed: int,
) -> Sensitivity:
    """Run the model at the points of both designs and at the centre with other seeds, and analyse the outputs.

    Args:
        base: scenario that every point changes. space: the factors. outcomes: measured outputs. stages: make the runs,
            and resume interrupted ones.
        trajectories, samples, keep, seed: as in `analyse`. repeats: evaluations of the centre, 2 or more.
    """
    runs = ModelRuns(base, space, outcomes, stages)
    names = tuple(outcome.text for outcome in outcomes)
    noise = runs.noise(repeats)
    return analyse(space.keys, names, runs, noise, trajectories=trajectories, samples=samples, keep=keep, seed=seed)


def analyse(
    keys: tuple[str, ...],
    outputs: tuple[str, ...],
    evaluate: Evaluate,
    noise: np.ndarray,
    *,
    trajectories: int,
    samples: int,
    keep: int,
    seed: int,
) -> Sensitivity:
    """Screen the factors, then estimate the variance shares of the strongest.

    Args:
        noise: float64 (repeats, outputs), the centre evaluated with different seeds.
        trajectories: of the Morris design. samples: of the Saltelli design, a power of two.
        keep: number of factors kept, by largest relative effect on any output. seed: of both designs.
    """
    problem, cube = morris_design(keys, trajectories, seed)
    effects = _effects(problem, cube, evaluate(cube, "morris"), outputs, seed)
    order = effects["relative"].groupby("factor", sort=False).max().sort_values(ascending=False, kind="stable")
    kept = tuple(order.index[:keep])
    columns = [keys.index(key) for key in kept]
    kept_problem = {"num_vars": len(kept), "names": list(kept), "bounds": [[0.0, 1.0]] * len(kept)}
    # With seed 0, SALib would make a random design.
    design = sampling.sample(kept_problem, samples, calc_second_order=False, seed=seed + 1)
    points = np.full((len(design), len(keys)), _CENTRE)
    points[:, columns] = design
    values = evaluate(points, "sobol")
    indices = pd.concat({name: _indices(kept_problem, values[:, index], seed) for index, name in enumerate(outputs)})
    indices.index.names = ["output", "factor"]
    variance = pd.Series(_independent(values, samples).var(axis=0, ddof=1), list(outputs))
    return Sensitivity(effects, kept, indices, variance, _noise_share(noise, variance))


def _effects(problem: dict, cube: np.ndarray, values: np.ndarray, outputs: tuple[str, ...], seed: int) -> pd.DataFrame:
    by_output = {}
    for index, name in enumerate(outputs):
        effects = elementary_effects(problem, cube, values[:, index], seed, resamples=_RESAMPLES)
        spread = values[:, index].std()
        by_output[name] = effects.assign(relative=effects["mu_star"] / spread if spread > 0 else 0.0)
    return pd.concat(by_output, names=["output", "factor"])


def _indices(problem: dict, values: np.ndarray, seed: int) -> pd.DataFrame:
    """First-order and total indices of one output with bootstrap intervals; NaN if the output does not vary."""
    columns = ("s1", "s1_low", "s1_high", "st", "st_low", "st_high")
    if np.ptp(values) == 0:
        return pd.DataFrame(np.nan, index=problem["names"], columns=list(columns))
    result = analysis.analyze(
        problem, values, calc_second_order=False, num_resamples=_RESAMPLES, conf_level=CONFIDENCE, seed=seed + 1
    )
    estimates = []
    for name in ("S1", "ST"):
        mean, half = np.asarray(result[name]), np.asarray(result[f"{name}_conf"])
        estimates += [mean, mean - half, mean + half]
    return pd.DataFrame(dict(zip(columns, estimates, strict=True)), index=problem["names"])


def _independent(values: np.ndarray, samples: int) -> np.ndarray:
    """The rows of the two independent matrices of a Saltelli design: the first and the last row of each block."""
    blocks = values.reshape(samples, -1, values.shape[1])
    return np.concatenate([blocks[:, 0], blocks[:, -1]])


def _noise_share(noise: np.ndarray, variance: pd.Series) -> pd.DataFrame:
    """Variance due to noise over the variance of the design, with the interval of a normal sample's variance."""
    freedom = len(noise) - 1
    share = noise.var(axis=0, ddof=1) / variance.where(variance > 0).to_numpy()
    low, high = (freedom / stats.chi2.ppf(0.5 + side * CONFIDENCE / 2, freedom) for side in (1, -1))
    return pd.DataFrame({"share": share, "low": share * low, "high": share * high}, index=variance.index)
