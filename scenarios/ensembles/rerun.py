"""Repeats the runs of a results directory and compares the files bit by bit."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scenarios.ensembles.ensemble import run_ensemble
from scenarios.ensembles.jobs import model_checksum
from scenarios.ensembles.plan import differences
from scenarios.errors import InputError
from scenarios.files.schema import build
from scenarios.records.layout import PARAMETER_DRAWS_FILE
from scenarios.records.results import Results


@dataclass(frozen=True)
class Rerun:
    """The result of a rerun.

    Attributes:
        same, other: names of the files that are bit-identical, and of those that are not.
        changed: other differences from the first run, such as versions, in words.
    """

    same: tuple[str, ...]
    other: tuple[str, ...]
    changed: tuple[str, ...]


def rerun(results: Results, out: Path, **options: Any) -> Rerun:
    """Run an ensemble again from its manifest alone.

    Args:
        results: of the first run. out: new directory. options: of `run_ensemble`, such as workers and scheduler.

    Raises:
        InputError: the manifest has settings or tables that this version does not know.
    """
    manifest = results.manifest
    draws = None
    if manifest["parameter_draws"]:
        from scenarios.ensembles.parameter_draws import read_parameter_draws

        draws = read_parameter_draws(str(results.path / PARAMETER_DRAWS_FILE))
    scenarios = [build(values, f"{results.path}: scenario {values['name']}") for values in manifest["scenarios"]]
    names = ("replicates", "scale", "seed", "until", "firms_panel", "crossed_draws")
    settings = {name: manifest[name] for name in names}
    second = run_ensemble(scenarios, out=out, draws=draws, factors=manifest.get("factors", ()), **settings, **options)
    if set(second.manifest["files"]) != set(manifest["files"]):
        raise InputError(f"{results.path} has other tables than this version writes")
    same = tuple(name for name, digest in manifest["files"].items() if second.manifest["files"][name] == digest)
    changed = [f"versions.{text}" for text in differences(manifest["versions"], second.manifest["versions"])]
    if manifest["model"] != model_checksum():
        changed.append("the model's code or data")
    return Rerun(same, tuple(name for name in manifest["files"] if name not in same), tuple(changed))
