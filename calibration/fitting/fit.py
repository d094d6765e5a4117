"""The fit: waves of runs, an emulator of each figure, a posterior sample.

The first wave covers the priors. Each later wave runs draws from the current posterior, flattened less in each wave,
so that the emulator is accurate where the posterior lies and also covers its surroundings. All seeds are fixed and all
runs are stored in a folder: an interrupted fit resumes there, and a repeated fit gives the same numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from calibration.fitting.emulator import Emulator, fit_emulator
from calibration.fitting.posterior import Likelihood, Sample, best_point, latin_hypercube, sample
from calibration.fitting.priors import Priors
from calibration.fitting.simulator import Design, run_library, seeds_from
from calibration.fitting.targets import Targets
from scenarios.errors import InputError

#: Powers that flatten the posterior before each later wave, and the margin of a box beyond its draws.
POWERS, MARGIN = (0.3, 0.6, 1.0, 1.0, 1.0), 0.05
#: Draws beyond these quantiles do not widen a box.
EDGES = (0.01, 0.99)

#: Share of the steps of the final chains that is enough to choose the runs of a wave.
SKETCH = 1 / 3
#: A figure that fewer than this share of the runs produce cannot be emulated.
FEWEST = 0.5

#: Called with a stage, its finished runs and all its runs.
StageProgress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Settings:
    """Size and seeds of a fit.

    Attributes:
        scale: share of the population. seed: of designs and chains, and the first seed of the runs.
        first, later: runs in the first and in each later wave.
        draws: parameter draws kept from the posterior. steps: of each walker.
    """

    scale: float = 0.05
    seed: int = 1
    first: int = 600
    later: int = 400
    draws: int = 1000
    steps: int = 3000


@dataclass(frozen=True)
class Fit:
    """Result of a fit.

    Attributes:
        priors, targets: of the free parameters and the figures of role fit. settings: of the fit.
        box: float64 (parameters, 2), the region of the unit cube around the last waves, where the posterior is sampled.
        cube, outcomes: float64 (runs, parameters) and (runs, targets), all runs, first wave first.
        emulator: of the figures, trained on all runs; its scales and its error are of the last two waves.
        likelihood: uses that emulator. sample: parameter draws from the posterior.
        best: float64 (parameters,), the most likely point of the cube. workers: number of processes used.
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
        """Emulator of the first two waves, which cover the whole cube, for posteriors wider than the final one."""
        first = self.settings.first + self.settings.later
        return fit_emulator(self.cube[:first], self.outcomes[:first], self.settings.seed, workers=self.workers)


def fit(
    priors: Priors,
    targets: Targets,
    folder: Path,
    settings: Settings = Settings(),
    *,
    workers: int = 1,
    on_run: StageProgress = lambda stage, done, runs: None,
    simulate_runs: Callable[..., np.ndarray] = run_library,
) -> Fit:
    """Fit the free parameters to the targets.

    Args:
        folder: of the runs; created if missing. workers: processes.
        on_run: called with the stage, its finished runs and all its runs.
        simulate_runs: `run_library`, or another simulator in tests.

    Raises:
        InputError: at this scale, most runs do not produce one of the figures.
    """
    folder.mkdir(parents=True, exist_ok=True)
    box = np.tile([0.0, 1.0], (len(priors.names), 1))

    def runs_of(name: str, cube: np.ndarray, before: int) -> np.ndarray:
        seeds = seeds_from(settings.seed + before, len(cube))
        design = Design.of(priors.names, priors.values(cube), settings.scale, seeds)
        path = design.library(folder, name)
        return targets.transform(simulate_runs(design, path, workers, lambda done, runs: on_run(name, done, runs)))

    cube = latin_hypercube(box, settings.first, settings.seed)
    outcomes = runs_of("wave-1", cube, 0)
    for figure, produced in zip(targets.figures, np.isfinite(outcomes).sum(axis=0), strict=True):
        if produced < FEWEST * len(cube):
            raise InputError(
                f"scale {settings.scale:g} is too small: "
                f"only {produced} of {len(cube)} runs produced figure {figure.id}"
            )
    emulator = fit_emulator(cube, outcomes, settings.seed, workers=workers)
    for wave, power in enumerate(POWERS, start=2):
        seed = settings.seed + 1000 * wave
        flat = Likelihood.of(emulator, targets).flattened(power)
        new = sample(flat, box, settings.later, seed, round(SKETCH * settings.steps)).cube
        outcomes = np.concatenate([outcomes, runs_of(f"wave-{wave}", new, len(cube))])
        cube = np.concatenate([cube, new])
        # The last two waves lie around the posterior, where the emulator must be accurate.
        emulator = fit_emulator(cube, outcomes, settings.seed, 2 * settings.later, workers)
    box = _box_around(cube[settings.first + settings.later :])
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


def _box_around(draws: np.ndarray) -> np.ndarray:
    """The region of the cube around draws (draws, parameters): float64 (parameters, 2)."""
    low, high = np.quantile(draws, EDGES, axis=0)
    return np.column_stack([np.clip(low - MARGIN, 0.0, 1.0), np.clip(high + MARGIN, 0.0, 1.0)])
