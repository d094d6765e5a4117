"""The fit: waves of runs, an emulator of each figure, a posterior sample.

The first wave covers the priors. Each later wave runs draws of the posterior so far, flattened less and less, so
that the emulator is sharp where the posterior lies and knows its surroundings. Everything is drawn from fixed
seeds and kept in a folder: a fit that was interrupted goes on where it stopped, and a repeated fit gives the
same numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from calibration.fitting.emulator import Emulator, fit_emulator
from calibration.fitting.posterior import Likelihood, Sample, best_point, sample, spread_over
from calibration.fitting.priors import Priors
from calibration.fitting.simulator import Design, run_library, seeds_from
from calibration.fitting.targets import Targets
from scenarios.errors import InputError

#: How far the posterior is flattened before each later wave, and how far a box reaches beyond its draws.
POWERS, MARGIN = (0.3, 0.6, 1.0, 1.0, 1.0), 0.05
#: Draws beyond these quantiles do not widen a box.
EDGES = (0.01, 0.99)

#: A figure that fewer than this share of the runs produce cannot be learned.
FEWEST = 0.5

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Settings:
    """What a fit costs and repeats.

    Attributes:
        scale: share of the population. seed: of designs and chains; runs take seeds from it on.
        first, later: runs of the first and of each later wave.
        draws: kept of the posterior. steps: of each walker.
    """

    scale: float = 0.05
    seed: int = 1
    first: int = 600
    later: int = 400
    draws: int = 1000
    steps: int = 3000


@dataclass(frozen=True)
class Fit:
    """What was learned.

    Attributes:
        priors, targets: of the free parameters and the figures of role fit. settings: as asked.
        box: float64 (parameters, 2), the part of the unit cube about the last waves, where the posterior is sampled.
        cube, outcomes: float64 (runs, parameters) and (runs, targets), all runs, first wave first.
        emulator: of the figures, learned from all runs and judged by the last two waves. likelihood: by that emulator.
        sample: posterior draws. best: float64 (parameters,), the most likely point of the cube.
        workers: processes that made it.
    """

    priors: Priors
    targets: Targets
    settings: Settings
    box: np.ndarray
    cube: np.ndarray
    outcomes: np.ndarray
    emulator: Emulator
    likelihood: Likelihood
    sample: Sample
    best: np.ndarray
    workers: int = 1

    @cached_property
    def wide_emulator(self) -> Emulator:
        """The emulator of the first two waves: over all of the cube, for posteriors wider than the final one."""
        first = self.settings.first + self.settings.later
        return fit_emulator(self.cube[:first], self.outcomes[:first], self.settings.seed, workers=self.workers)


def fit(
    priors: Priors,
    targets: Targets,
    folder: Path,
    settings: Settings = Settings(),
    *,
    workers: int = 1,
    on_run: Progress = lambda stage, done, runs: None,
    simulate_runs: Callable[..., np.ndarray] = run_library,
) -> Fit:
    """Fit the free parameters to the targets.

    Args:
        folder: of the runs; made if it is not there. workers: processes.
        on_run: called with the stage, its finished runs and all of them.
        simulate_runs: as `run_library`; another simulator for tests.

    Raises:
        InputError: at this scale most runs do not produce a figure.
    """
    folder.mkdir(parents=True, exist_ok=True)
    box = np.tile([0.0, 1.0], (len(priors.names), 1))

    def runs_of(name: str, cube: np.ndarray, before: int) -> np.ndarray:
        seeds = seeds_from(settings.seed + before, len(cube))
        design = Design.of(priors.names, priors.values(cube), settings.scale, seeds)
        path = design.library(folder, name)
        return targets.transform(simulate_runs(design, path, workers, lambda done, runs: on_run(name, done, runs)))

    cube = spread_over(box, settings.first, settings.seed)
    outcomes = runs_of("wave-1", cube, 0)
    for figure, some in zip(targets.figures, np.isfinite(outcomes).sum(axis=0), strict=True):
        if some < FEWEST * len(cube):
            raise InputError(
                f"scale {settings.scale:g} is too small: figure {figure.id} came out of only {some} of {len(cube)} runs"
            )
    emulator = fit_emulator(cube, outcomes, settings.seed, workers=workers)
    for wave, power in enumerate(POWERS, start=2):
        seed = settings.seed + 1000 * wave
        flat = Likelihood.of(emulator, targets).flattened(power)
        drawn = sample(flat, box, settings.later, seed, settings.steps).cube
        outcomes = np.concatenate([outcomes, runs_of(f"wave-{wave}", drawn, len(cube))])
        cube = np.concatenate([cube, drawn])
        # The last two waves stand about the posterior: there the emulator must be right.
        emulator = fit_emulator(cube, outcomes, settings.seed, 2 * settings.later, workers)
    box = _around(cube[settings.first + settings.later :])
    likelihood = Likelihood.of(emulator, targets)
    draws = sample(likelihood, box, settings.draws, settings.seed, settings.steps)
    best, _ = best_point(likelihood, box, draws.cube[np.argmax(likelihood(draws.cube))])
    return Fit(
        priors=priors,
        targets=targets,
        settings=settings,
        box=box,
        cube=cube,
        outcomes=outcomes,
        emulator=emulator,
        likelihood=likelihood,
        sample=draws,
        best=best,
        workers=workers,
    )


def _around(drawn: np.ndarray) -> np.ndarray:
    """The part of the cube about some draws (draws, parameters): float64 (parameters, 2)."""
    low, high = np.quantile(drawn, EDGES, axis=0)
    return np.column_stack([np.clip(low - MARGIN, 0.0, 1.0), np.clip(high + MARGIN, 0.0, 1.0)])
