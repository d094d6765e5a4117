"""Runs again what a results directory says it holds, and compares the bits."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scenarios.ensembles.ensemble import run_ensemble
from scenarios.ensembles.jobs import model_checksum
from scenarios.ensembles.plan import differences
from scenarios.errors import InputError
from scenarios.files.schema import build
from scenarios.records.layout import DRAWS
from scenarios.records.results import Results


@dataclass(frozen=True)
class Rerun:
    """What a rerun found.

    Attributes:
        same, other: names of the files that have the same bits, and those that have not.
        changed: what differs from the first run besides, such as versions, in words.
    """

    same: tuple[str, ...]
    other: tuple[str, ...]
    changed: tuple[str, ...]


def rerun(results: Results, out: Path, **options: Any) -> Rerun:
    """Run an ensemble again from its manifest alone.

    Args:
        results: of the first run. out: new directory. options: as `run_ensemble` takes them: workers, scheduler, ….

    Raises:
        InputError: the manifest names what this version does not know.
    """
    manifest = results.manifest
    draws = None
    if manifest["parameter_draws"]:
        from scenarios.ensembles.draws import read_draws

        draws = read_draws(str(results.path / DRAWS))
    scenarios = [build(values, f"{results.path}: scenario {values['name']}") for values in manifest["scenarios"]]
    names = ("replicates", "scale", "seed", "until", "firms_panel", "crossed_draws")
    settings = {name: manifest[name] for name in names}
    again = run_ensemble(scenarios, out=out, draws=draws, factors=manifest.get("factors", ()), **settings, **options)
    if set(again.manifest["files"]) != set(manifest["files"]):
        raise InputError(f"{results.path} has other tables than this version writes")
    same = tuple(name for name, digest in manifest["files"].items() if again.manifest["files"][name] == digest)
    changed = [f"versions.{text}" for text in differences(manifest["versions"], again.manifest["versions"])]
    if manifest["model"] != model_checksum():
        changed.append("the model's code or data")
    return Rerun(same, tuple(name for name in manifest["files"] if name not in same), tuple(changed))
