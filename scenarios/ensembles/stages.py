"""Commands that run several ensembles: one directory, with a results directory for each ensemble."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from scenarios.ensembles.ensemble import run_ensemble
from scenarios.ensembles.lock import is_empty, lock_directory
from scenarios.ensembles.request import EnsembleOptions, ensemble_target
from scenarios.errors import InputError
from scenarios.files.schema import RunDefaults, Scenario, run_defaults
from scenarios.records.results import Results


def run_settings(ensemble: EnsembleOptions, base: Scenario) -> RunDefaults:
    """Replicates, scale, seed and last year as given, otherwise those of the base.

    Raises:
        ScenarioError: a value is out of range.
    """
    return run_defaults(base, **{name: getattr(ensemble, name) for name in RunDefaults.model_fields})


@contextlib.contextmanager
def working_directory(out: Path, resume: bool, mark: str) -> Iterator[Path]:
    """The directory, created if needed and locked against other processes.

    Args:
        mark: file or folder that identifies a directory of the command; without it, the directory is not resumed.

    Raises:
        InputError: the directory is not empty and `resume` is not set, it does not belong to the command, it cannot be
            created, or another process works in it.
    """
    with lock_directory(out):
        if not is_empty(out) and not resume:
            raise InputError(
                f"{out} already exists and is not empty; add resume=True (--resume) to continue, "
                "or choose a new directory"
            )
        if not is_empty(out) and not (out / mark).exists():
            raise InputError(f"{out} cannot be resumed: it is not empty and has no {mark}")
        yield out


@dataclass(frozen=True)
class Stages:
    """Runs ensembles into a directory; each continues where an earlier call of the same stopped.

    Attributes:
        ensemble: options of the command. settings: its replicates, scale, seed and last year. out: directory.
    """

    ensemble: EnsembleOptions
    settings: RunDefaults
    out: Path

    def run(self, scenarios: list[Scenario], folder: str, *, offset: int = 0, replicates: int | None = None) -> Results:
        """Run scenarios into a folder of the directory.

        Args:
            offset: replicates run before; seeds and parameter draws continue after theirs.
            replicates: number of replicates, if not that of the command.
        """
        run_values = self.settings.model_dump() | {"seed": self.settings.seed + offset}
        if replicates:
            run_values["replicates"] = replicates
        draws = self.ensemble.parameter_draws
        with ensemble_target(self.out / folder) as target:
            settings = {**self.ensemble.arguments, **run_values, **target, "resume": True}
            return run_ensemble(scenarios, **settings | {"draws": draws.after(offset) if draws else None})
