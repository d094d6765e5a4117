"""Screening: Morris elementary effects of the parameters on the reported quantities, over the priors."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from SALib.analyze import morris as analysis
from SALib.sample import morris as sampling

from calibration.fitting.priors import Priors, read_priors
from calibration.fitting.simulator import Design, RunProgress, run_library
from calibration.fitting.targets import Targets, read_targets

if TYPE_CHECKING:
    from calibration.fitting.fit import StageProgress

#: Levels of the grid of elementary effects, and trajectories through it.
LEVELS, TRAJECTORIES = 6, 12


def screen_all(folder: Path, *, scale: float, seed: int, workers: int, on_run: StageProgress) -> pd.DataFrame:
    """Screen all parameters in ``priors.toml`` against all figures of role fit."""
    priors = read_priors()
    return screen(
        priors,
        read_targets(),
        folder,
        trajectories=TRAJECTORIES,
        scale=scale,
        seed=seed,
        workers=workers,
        on_run=lambda done, all_: on_run("screening", done, all_),
    )


def morris_design(names: tuple[str, ...], trajectories: int, seed: int) -> tuple[dict, np.ndarray]:
    """Morris trajectories through the unit cube.

    Returns:
        The problem in SALib's format, and the points, float64 (trajectories x (names + 1), names).
    """
    problem = {"num_vars": len(names), "names": list(names), "bounds": [[0.0, 1.0]] * len(names)}
    return problem, sampling.sample(problem, trajectories, num_levels=LEVELS, seed=seed)


def elementary_effects(
    problem: dict, cube: np.ndarray, values: np.ndarray, seed: int, resamples: int = 2
) -> pd.DataFrame:
    """Elementary effects on one output, scaled to the whole range of each factor.

    Args:
        problem, cube: from `morris_design`. values: float64 (points,). resamples: of the bootstrap.

    Returns:
        One row per factor: mu_star (mean of the absolute effects), its 95 % interval low and high, and sigma.
    """
    result = analysis.analyze(problem, cube, values, num_levels=LEVELS, num_resamples=resamples, seed=seed)
    mu_star, half = np.asarray(result["mu_star"]), np.asarray(result["mu_star_conf"])
    columns = {"mu_star": mu_star, "mu_star_low": mu_star - half, "mu_star_high": mu_star + half}
    return pd.DataFrame(columns | {"sigma": np.asarray(result["sigma"])}, index=problem["names"])


def screen(
    priors: Priors,
    targets: Targets,
    folder: Path,
    *,
    trajectories: int,
    scale: float,
    seed: int,
    workers: int = 1,
    on_run: RunProgress = lambda done, points: None,
) -> pd.DataFrame:
    """Mean absolute elementary effect of each parameter on each figure, relative to the figure's uncertainty.

    An effect of 1 means: moving the parameter over its whole prior moves the figure by one standard deviation of its
    uncertainty in the likelihood (discrepancy and rounding). All runs share one seed.

    Returns:
        One row per parameter, one column per target, and `largest`, by which the rows are sorted.
    """
    problem, cube = morris_design(priors.names, trajectories, seed)
    # One seed throughout, so that an effect comes from the parameter and not from random draws.
    design = Design.of(priors.names, priors.values(cube), scale, np.full(len(cube), seed))
    outcomes = targets.transform(run_library(design, design.library(folder, "screening"), workers, on_run))
    columns = {}
    for index, name in enumerate(targets.ids):
        # A run without any review has no pass rate: the median of the other runs replaces it.
        values = np.where(np.isfinite(outcomes[:, index]), outcomes[:, index], np.nanmedian(outcomes[:, index]))
        columns[name] = elementary_effects(problem, cube, values, seed)["mu_star"] / targets.uncertainty[index]
    table = pd.DataFrame(columns, index=list(priors.names))
    table.insert(0, "largest", table.max(axis=1))
    return table.sort_values("largest", ascending=False)
