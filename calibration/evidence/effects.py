"""The effects that the model gives for the rows of a file: curves of the parameters, learned from a library of runs."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from importlib.resources import files
from pathlib import Path

import numpy as np

from calibration.evidence.curves import Curve, identity, learn
from calibration.evidence.design import Arm, arms_of, priors_of, run_experiment
from calibration.evidence.rows import Evidence
from calibration.evidence.trials import obstacle
from calibration.fitting.library import Library, RunProgress
from scenarios.ensembles.jobs import model_digest
from sim.parameters import parameter_table

#: Modules of this package whose code determines the runs.
_CODE = ("baseline", "design", "niches", "outcomes", "pairs", "trials")


@dataclass(frozen=True)
class Settings:
    """Size and seed of the study.

    Attributes:
        scale: share of the population. seed: of all runs, which share their random draws, and of the draws.
        baselines: pairs of baselines, from which it is learned how strengths move the reported figures.
    """

    scale: float = 0.02
    seed: int = 1
    baselines: int = 200


@dataclass(frozen=True)
class Design:
    """All runs of a study.

    Attributes:
        arms: trials with their rows. points: by arm, float64 (runs, parameters), parameter values of its runs.
        settings: of the study.
    """

    arms: tuple[Arm, ...]
    points: tuple[np.ndarray, ...]
    settings: Settings

    @classmethod
    def of(cls, evidence: Evidence, taken: tuple[str, ...], settings: Settings) -> Design:
        """The runs for a file.

        Args:
            taken: parameters drawn by the fit to the reported figures.
        """
        arms = arms_of(evidence, taken)
        points = tuple(arm.values(priors_of(arm.names, evidence), settings.seed) for arm in arms)
        return cls(arms, points, settings)

    def library(self, folder: Path) -> Library:
        """The file of the runs in a folder; other rows, settings, code or data have another one."""
        digest = hashlib.sha256(model_digest().encode())
        digest.update(files("calibration").joinpath("firms/response.py").read_bytes())
        for name in _CODE:
            digest.update(files("calibration").joinpath(f"evidence/{name}.py").read_bytes())
        digest.update(json.dumps(asdict(self.settings)).encode())
        for arm, points in zip(self.arms, self.points, strict=True):
            rows = [row.model_dump(mode="json") for row in arm.rows]
            digest.update(json.dumps([arm.trial.name, arm.names, rows]).encode())
            digest.update(np.ascontiguousarray(points).tobytes())
        lengths = tuple(2 * len(arm.rows) for arm in self.arms for _ in range(arm.points))
        name = f"pairs-{digest.hexdigest()[:12]}.jsonl"
        return Library(folder / name, digest.hexdigest(), lengths, self.settings.scale)

    def curves(self, library: Library, workers: int, on_run: RunProgress) -> dict[str, Curve]:
        """Make the missing runs and learn the curve of each row that is run, by id.

        Rows of which too few runs gave an effect have none.
        """
        jobs = [
            (arm.trial, arm.rows, dict(zip(arm.names, map(float, point), strict=True)), *self._scale_and_seed)
            for arm, points in zip(self.arms, self.points, strict=True)
            for point in points
        ]
        found = iter(library.run(run_experiment, jobs, workers, on_run))
        curves = {}
        for arm, points in zip(self.arms, self.points, strict=True):
            effects = np.array([next(found) for _ in points]).reshape(len(points), len(arm.rows), 2)
            centre = np.array([_centre(name) for name in arm.names])
            for index, row in enumerate(arm.rows):
                curve = learn(arm.names, centre, points, effects[:, index])
                if curve is not None:
                    curves[row.id] = curve
        return curves

    @property
    def _scale_and_seed(self) -> tuple[float, int]:
        return self.settings.scale, self.settings.seed


def direct_curves(evidence: Evidence) -> dict[str, Curve]:
    """Curves of the rows that give a parameter itself, by id."""
    return {
        row.id: identity(row.parameter, _centre(row.parameter))
        for row in evidence.estimates
        if row.experiment == "direct" and not obstacle(row) and row.parameter in parameter_table()
    }


def _centre(name: str) -> float:
    """The value by which a parameter is divided in a curve: its default, 1 if that is not above 0."""
    value = parameter_table()[name].value
    return value if value > 0.0 else 1.0
