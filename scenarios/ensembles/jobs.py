"""One run of the model as a job: plain values in, packed tables out, identical on every machine."""

from __future__ import annotations

import hashlib
import json
import platform
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from scenarios.ensembles.plan import differences
from scenarios.errors import InputError
from scenarios.files.schema import build
from scenarios.imports import many_imports
from sim.parameters import parameter_table

if TYPE_CHECKING:
    from sim.model import SRDIModel

_PACKAGES = ("srdi", "mesa", "numba", "numpy", "pandas", "pyarrow")


class RunFailed(Exception):
    """A run of the model or the writing of its results failed; the message names scenario, draw and replicate."""


@dataclass(frozen=True)
class Job:
    """One run of the model: everything a worker needs, in plain values.

    Attributes:
        scenario: as resolved. position: its index among the scenarios.
        draw: number of the parameter draw, 0 for the scenario's own parameters. draw_values: values of the draw.
        replicate, seed, scale, until, threads, firms_panel: as in `scenarios.run_ensemble`.
        model: checksum of the model's code and data. versions: of Python and the packages that results depend on.
    """

    scenario: dict
    position: int
    draw: int
    replicate: int
    seed: int
    scale: float
    until: int
    threads: int
    firms_panel: int
    draw_values: dict[str, float]
    model: str
    versions: dict[str, str]

    @property
    def name(self) -> str:
        """Name of the scenario."""
        return self.scenario["name"]

    @property
    def file_name(self) -> str:
        """Name of the file of the finished run."""
        return f"{self.position:05d}-{self.name}-{self.draw:05d}-{self.replicate:05d}.zip"

    def __str__(self) -> str:
        draw = f", draw {self.draw}" if self.draw else ""
        return f"scenario {self.name}{draw}, replicate {self.replicate}"


def run_job(job: Job) -> bytes:
    """Run one job; returns its tables, packed (see `scenarios.ensembles.packing`).

    Raises:
        InputError: this machine has another version of the model than the machine that sent the job.
    """
    with many_imports():
        from scenarios.ensembles.packing import pack
        from scenarios.records.storage import to_arrow

    model = model_of(job)
    try:
        model.run_model()
        tables = model.tables()
    finally:
        model.close()
    identifiers = {"scenario": job.name, "draw": job.draw, "replicate": job.replicate, "seed": job.seed}
    return pack({name: to_arrow(name, tables[name], identifiers) for name in tables})


def model_of(job: Job) -> SRDIModel:
    """The model of a job at the start of its run.

    Raises:
        InputError: as in `run_job`.
    """
    with many_imports():
        from sim.model import SRDIModel

    if job.model != model_checksum():
        raise InputError("a worker has another version of the model installed than this machine")
    if changed := next(differences(job.versions, versions()), None):
        raise InputError(f"a worker has other packages than this machine: {changed}")
    policy = build(job.scenario, job.name).policy
    # Parameters set by the scenario are not drawn.
    policy = policy.model_copy(update={"parameters": job.draw_values | policy.parameters})
    return SRDIModel(
        policy,
        scale=job.scale,
        rng=job.seed,
        until=job.until,
        threads=job.threads,
        firms_panel=job.firms_panel,
    )


@cache
def versions() -> dict[str, str]:
    """Versions of Python and of the packages that a run and its file depend on."""
    return {"python": platform.python_version(), **{name: version(name) for name in _PACKAGES}}


@cache
def model_checksum() -> str:
    """SHA-256 of the model's source code and reference data, which determine a run together with its settings."""
    return hashlib.sha256(_code_and_data()).hexdigest()


@cache
def model_digest(free: tuple[str, ...] = ()) -> str:
    """SHA-256 of the model's code, reference data and baseline scenario, without the values of the free parameters.

    What was fitted or learned with a model carries it, so that it can be told when the model has changed since.
    """
    digest = hashlib.sha256(files("scenarios").joinpath("catalogue/baseline.toml").read_bytes())
    digest.update(_code_and_data(without="parameters.toml"))
    fixed = {name: entry.value for name, entry in parameter_table().items() if name not in free}
    digest.update(json.dumps(fixed).encode())
    return digest.hexdigest()


def _code_and_data(without: str = "") -> bytes:
    """Names and contents of the files of the package `sim`, but for those of one name."""
    package = Path(str(files("sim")))
    paths = sorted(path for path in (*package.rglob("*.py"), *package.rglob("*.toml")) if path.name != without)
    return b"".join(path.relative_to(package).as_posix().encode() + path.read_bytes() for path in paths)
