"""Commands that take several ensembles: one directory for all of them, in it a results directory for each."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from scenarios.ensembles.ensemble import run_ensemble
from scenarios.ensembles.lock import holds_nothing, only_one
from scenarios.ensembles.request import EnsembleOptions, ensemble_target
from scenarios.errors import InputError
from scenarios.files.schema import RunDefaults, Scenario, run_defaults
from scenarios.records.results import Results


def run_settings(ensemble: EnsembleOptions, base: Scenario) -> RunDefaults:
    """Replicates, scale, seed and last year as asked for, else the base's own.

    Raises:
        ScenarioError: one of them is out of its range.
    """
    return run_defaults(base, **{name: getattr(ensemble, name) for name in RunDefaults.model_fields})


@contextlib.contextmanager
def working_directory(out: Path, resume: bool, mark: str) -> Iterator[Path]:
    """The directory, made if it is not there, and kept from other processes.

    Args:
        mark: file or folder by which a directory of the command is known, without which it is not gone on with.

    Raises:
        InputError: it holds something and is not to be resumed, or is none of the command's, or cannot be made, or
            another process works in it.
    """
    with only_one(out):
        if not holds_nothing(out) and not resume:
            raise InputError(
                f"{out} already exists and is not empty; add resume=True (--resume) to go on, or name a new directory"
            )
        if not holds_nothing(out) and not (out / mark).exists():
            raise InputError(f"{out} cannot be resumed: it is not empty and holds no {mark}")
        yield out


@dataclass(frozen=True)
class Stages:
    """Runs ensembles into a directory, each of which goes on where an earlier call of the same stopped.

    Attributes:
        ensemble: options of the command. settings: its replicates, scale, seed and last year. out: directory.
    """

    ensemble: EnsembleOptions
    settings: RunDefaults
    out: Path

    def run(self, scenarios: list[Scenario], folder: str, *, later: int = 0, replicates: int | None = None) -> Results:
        """Run scenarios into a folder of the directory.

        Args:
            later: replicates that were run before: seeds, and parameter draws if there are any, go on after theirs.
            replicates: other than the command's.
        """
        chosen = self.settings.model_dump() | {"seed": self.settings.seed + later}
        if replicates:
            chosen["replicates"] = replicates
        draws = self.ensemble.parameter_draws
        with ensemble_target(self.out / folder) as target:
            settings = {**self.ensemble.arguments, **chosen, **target, "resume": True}
            return run_ensemble(scenarios, **settings | {"draws": draws.after(later) if draws else None})
