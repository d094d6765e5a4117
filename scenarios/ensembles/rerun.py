"""Repeats the runs of a results directory and compares the files bit by bit."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scenarios.ensembles.ensemble import run_ensemble
from scenarios.ensembles.jobs import Job, model_checksum, versions
from scenarios.ensembles.plan import differences
from scenarios.errors import InputError
from scenarios.files.schema import build
from scenarios.records.layout import PARAMETER_DRAWS_FILE
from scenarios.records.results import Results

if TYPE_CHECKING:
    from scenarios.ensembles.parameter_draws import ParameterDraws


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
    draws = _draws(results)
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


def jobs_again(
    results: Results,
    scenarios: Sequence[str],
    pairs: Iterable[tuple[int, int]],
    threads: int = 1,
    draws: ParameterDraws | None = None,
) -> list[list[Job]]:
    """The runs of some pairs of a results directory as jobs: for each pair, those of the scenarios in their order.

    They repeat the runs bit by bit as long as the model and its packages are the same; no panel is recorded.

    Args:
        scenarios: names. pairs: parameter draw and replicate of each.
        draws: of results in memory; None means those in the directory, if there are any.
    """
    manifest, draws = results.manifest, draws or _draws(results)
    by_name = {values["name"]: (position, values) for position, values in enumerate(manifest["scenarios"])}
    shared = {"scale": manifest["scale"], "until": manifest["until"], "threads": threads, "firms_panel": 0}
    shared |= {"model": model_checksum(), "versions": versions()}
    return [
        [
            Job(
                scenario=by_name[name][1],
                position=by_name[name][0],
                draw=draw,
                replicate=replicate,
                seed=manifest["seed"] + replicate,
                draw_values=draws.parameters(draw) if draws and draw else {},
                **shared,
            )
            for name in scenarios
        ]
        for draw, replicate in pairs
    ]


def _draws(results: Results) -> ParameterDraws | None:
    """The parameter draws of a results directory; None if its runs have the scenarios' own values."""
    if not results.manifest["parameter_draws"]:
        return None
    from scenarios.ensembles.parameter_draws import read_parameter_draws

    return read_parameter_draws(str(results.path / PARAMETER_DRAWS_FILE))
