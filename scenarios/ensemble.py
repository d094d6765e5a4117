"""Runs scenarios as an ensemble of replicates, over worker processes, into a results directory."""

from __future__ import annotations

import os
import platform
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from scenarios.errors import InputError, ScenarioError
from scenarios.processes import compile_once, in_processes
from scenarios.schema import Scenario, build
from sim.outputs import OPTIONAL_TABLES, TABLES

if TYPE_CHECKING:
    from scenarios.draws import Draws
    from scenarios.results import Results

_PACKAGES = ("srdi", "mesa", "numba", "numpy", "pandas", "pyarrow")
_ATTEMPTS = 2
_DRAFT = ".draft-"


class RunFailed(Exception):
    """A run of the model failed; names the scenario and the replicate."""


@dataclass(frozen=True)
class Job:
    """One run of the model: everything a worker needs, in plain values."""

    scenario: dict
    position: int
    replicate: int
    seed: int
    scale: float
    until: int
    threads: int
    firms_panel: int
    folder: str
    draw: int
    drawn: dict[str, float]

    @property
    def name(self) -> str:
        """Name of the scenario."""
        return self.scenario["name"]

    @property
    def target(self) -> Path:
        """Directory of the finished run."""
        return Path(self.folder) / f"{self.position:04d}-{self.name}-{self.draw:04d}-{self.replicate:05d}"


def run_job(job: Job) -> None:
    """Run one job and store its tables.

    The tables are written into a draft directory that is renamed when it is complete, so a run
    is there whole or not at all.
    """
    from scenarios.storage import to_arrow, write_parquet
    from sim.model import SRDIModel

    policy = build(job.scenario, job.name).policy
    # What a scenario sets itself is not drawn.
    policy = policy.model_copy(update={"parameters": job.drawn | policy.parameters})
    model = SRDIModel(
        policy,
        scale=job.scale,
        rng=job.seed,
        until=job.until,
        threads=job.threads,
        firms_panel=job.firms_panel,
    )
    try:
        model.run_model()
        tables = model.tables()
    finally:
        model.close()
    identifiers = {"scenario": job.name, "draw": job.draw, "replicate": job.replicate, "seed": job.seed}
    draft = Path(tempfile.mkdtemp(prefix=_DRAFT, dir=job.folder))
    try:
        for name in tables:
            write_parquet(to_arrow(name, tables[name], identifiers), draft / f"{name}.parquet")
        os.replace(draft, job.target)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def run_ensemble(
    scenarios: list[Scenario],
    *,
    out: str | Path,
    replicates: int | None = None,
    scale: float | None = None,
    seed: int | None = None,
    until: int | None = None,
    workers: int | None = None,
    threads: int = 1,
    firms_panel: int = 0,
    draws: Draws | None = None,
    on_start: Callable[[int], None] = lambda runs: None,
    on_run: Callable[[], None] = lambda: None,
) -> Results:
    """Run every scenario with every replicate and write one results directory.

    Replicate r has seed + r in every scenario, so scenarios share all luck and their differences
    are the policy. What is written does not depend on `workers` or `threads`.

    Args:
        scenarios: scenarios with different names.
        out: directory to create; it must not exist, or be empty.
        replicates, scale, seed, until: None takes the first scenario's own default.
        workers: worker processes; None takes one per core, no more than there are runs.
        threads: threads of each worker.
        firms_panel: firms each run follows one by one in the table `firms`; 0 for none.
        draws: parameter values; replicate r of every scenario takes draw r + 1. None: the scenarios' own.
        on_start, on_run: called with the number of runs, and after each finished run.

    Returns:
        The results, read back from `out`.

    Raises:
        InputError: duplicate names, or a directory that cannot be used; nothing is left behind.
        RunFailed: a run failed; finished runs are kept in ``out/runs``.
    """
    _check_scenarios(scenarios)
    settings = _settings(scenarios, replicates, scale, seed, until) | {"firms_panel": firms_panel}
    out = Path(out)
    existed = out.exists()
    runs = _prepare(out)
    seeds = [settings["seed"] + replicate for replicate in range(settings["replicates"])]
    jobs = [
        Job(
            scenario=scenario.model_dump(by_alias=True, mode="json"),
            position=position,
            replicate=replicate,
            seed=seed,
            scale=settings["scale"],
            until=settings["until"],
            threads=threads,
            firms_panel=firms_panel,
            folder=str(runs),
            draw=replicate % len(draws) + 1 if draws else 0,
            drawn=draws.parameters(replicate + 1) if draws else {},
        )
        for position, scenario in enumerate(scenarios)
        for replicate, seed in enumerate(seeds)
    ]
    started = datetime.now(UTC)
    clock = time.perf_counter()
    on_start(len(jobs))
    try:
        for _ in _execute(jobs, workers or min(os.cpu_count() or 1, len(jobs))):
            on_run()
    except BaseException:
        for draft in runs.glob(f"{_DRAFT}*"):
            shutil.rmtree(draft, ignore_errors=True)
        if not any(runs.iterdir()):
            shutil.rmtree(runs if existed else out)
        raise
    from scenarios.results import load_results

    _merge(jobs, out)
    _write_manifest(out, scenarios, settings, seeds, draws, started, time.perf_counter() - clock)
    shutil.rmtree(runs)
    return load_results(out)


def _check_scenarios(scenarios: list[Scenario]) -> None:
    if not scenarios:
        raise ScenarioError("no scenario was given")
    names = [scenario.name for scenario in scenarios]
    for name in names:
        if names.count(name) > 1:
            raise ScenarioError(f"scenario name {name!r} is given {names.count(name)} times; each may be given once")


def _settings(scenarios, replicates, scale, seed, until) -> dict:
    """The ensemble's settings: what was asked for, else the first scenario's defaults, validated."""
    asked = {"replicates": replicates, "scale": scale, "seed": seed, "until": until}
    values = scenarios[0].run.model_dump() | {key: value for key, value in asked.items() if value is not None}
    return build({"name": "run", "run": values}, "run settings").run.model_dump()


def _prepare(out: Path) -> Path:
    """Create the results directory with its folder of runs; refuses one that holds anything."""
    try:
        if out.exists() and (not out.is_dir() or any(out.iterdir())):
            raise InputError(f"{out} already exists and is not empty; name a new directory")
        created = not out.exists()
        out.mkdir(parents=True, exist_ok=True)
        runs = out / "runs"
        try:
            runs.mkdir()
        except OSError:
            if created:
                out.rmdir()
            raise
    except OSError as error:
        raise InputError(f"{out} cannot be written: {error.strerror or error}") from None
    return runs


def _execute(jobs: list[Job], workers: int) -> Iterator[None]:
    """Run the jobs; yields once for each as it finishes."""
    compile_once()
    if workers <= 1 or len(jobs) == 1:
        for job in jobs:
            yield _named(job, partial(run_job, job))
        return
    waiting = jobs
    for _ in range(_ATTEMPTS):
        try:
            yield from _in_processes(waiting, workers)
            return
        except BrokenProcessPool:
            # A worker died (out of memory, killed): what it had not finished is run once more.
            waiting = [job for job in waiting if not job.target.exists()]
            if not waiting:
                return
    raise RunFailed("worker processes died twice; fewer --workers or a smaller --scale may help")


def _in_processes(jobs: list[Job], workers: int) -> Iterator[None]:
    def load_pandas() -> None:
        import scenarios.results  # noqa: F401

    for place, future in in_processes(run_job, [(job,) for job in jobs], workers, load_pandas):
        yield _named(jobs[place], future.result)


def _named(job: Job, call: Callable[[], None]) -> None:
    """Call, and name the run if it fails."""
    try:
        call()
    except BrokenProcessPool:
        raise
    except Exception as error:
        raise RunFailed(
            f"scenario {job.name}, replicate {job.replicate} failed: {type(error).__name__}: {error}"
        ) from error


def _tables(firms_panel: int) -> tuple[str, ...]:
    """Names of the tables a run writes."""
    return (*TABLES, *OPTIONAL_TABLES) if firms_panel else tuple(TABLES)


def _merge(jobs: list[Job], out: Path) -> None:
    """Join the runs' tables in the order of the jobs and write one Parquet file a table."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    from scenarios.storage import write_parquet

    for name in _tables(jobs[0].firms_panel):
        parts = [pq.read_table(job.target / f"{name}.parquet") for job in jobs]
        write_parquet(pa.concat_tables(parts).unify_dictionaries().combine_chunks(), out / f"{name}.parquet")


def _write_manifest(
    out: Path, scenarios, settings: dict, seeds: list[int], draws: Draws | None, started: datetime, seconds: float
) -> None:
    import pyarrow.parquet as pq

    from scenarios.results import FORMAT, FORMAT_VERSION, MANIFEST
    from scenarios.storage import checksum, write_json
    from sim.calendar import START, Quarter
    from sim.parameters import parameter_table

    at_start = pq.read_table(out / "national.parquet", columns=["firms"])["firms"][0].as_py()
    defaults = {name: parameter.value for name, parameter in parameter_table().items()}
    manifest = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "scenarios": [
            scenario.model_dump(by_alias=True, mode="json") | {"parameters": defaults | scenario.parameters}
            for scenario in scenarios
        ],
        **settings,
        "draws": min(len(draws), len(seeds)) if draws else 1,
        "parameter_draws": {"source": draws.source, "checksum": draws.checksum, "names": draws.names}
        if draws
        else None,
        "seeds": seeds,
        "first_quarter": str(START),
        "last_quarter": str(Quarter(settings["until"], 4)),
        "firms_at_start": round(at_start * settings["scale"]),
        "started": started.isoformat(timespec="seconds"),
        "seconds": round(seconds, 3),
        "versions": {"python": platform.python_version(), **{name: version(name) for name in _PACKAGES}},
        "host": {"system": platform.system(), "machine": platform.machine(), "cores": os.cpu_count()},
        "files": {f"{name}.parquet": checksum(out / f"{name}.parquet") for name in _tables(settings["firms_panel"])},
    }
    write_json(manifest, out / MANIFEST)
