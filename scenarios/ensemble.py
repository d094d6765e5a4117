"""Runs scenarios as an ensemble over parameter draws and replicates, here or on a cluster, into a results directory.

Each finished run is one file in ``out/runs``, written whole or not at all; ``out/runs/plan.json`` says what was asked.
An ensemble that was interrupted, at whatever moment, goes on from there (`resume`) and ends with the same bits.
"""

from __future__ import annotations

import contextlib
import os
import platform
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Future
from concurrent.futures.process import BrokenProcessPool
from datetime import UTC, datetime
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from scenarios.errors import InputError, ScenarioError
from scenarios.jobs import Job, model_checksum, run_job
from scenarios.plan import RUNS, differences, read_plan
from scenarios.processes import compile_once, in_processes, on_cluster
from scenarios.schema import Scenario, build
from sim.outputs import OPTIONAL_TABLES, TABLES
from sim.reference import read_data

if TYPE_CHECKING:
    from scenarios.draws import Draws
    from scenarios.results import Results

_PACKAGES = ("srdi", "mesa", "numba", "numpy", "pandas", "pyarrow")
_ATTEMPTS = 2
#: Runs whose rows make one row group of a table: bounds the memory of joining them.
_ROW_GROUP = 64
#: Bytes a simulated firm takes at the peak of a run, as `srdi bench` measures it with some to spare; of a worker's own.
_FIRM_BYTES, _WORKER_BYTES = 200, 350_000_000


class RunFailed(Exception):
    """A run of the model, or the writing of what it gave, failed; names the scenario, draw and replicate."""


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
    scheduler: str | None = None,
    resume: bool = False,
    firms_panel: int = 0,
    draws: Draws | None = None,
    crossed_draws: int | None = None,
    on_start: Callable[[int], None] = lambda runs: None,
    on_run: Callable[[], None] = lambda: None,
) -> Results:
    """Run every scenario with every replicate and write one results directory.

    Replicate r has seed + r in every scenario, so scenarios share all luck and their differences
    are the policy. What is written does not depend on `workers`, `threads` or `scheduler`.

    Args:
        scenarios: scenarios with different names.
        out: directory to create; it must not exist, or be empty, unless `resume` is set.
        replicates, scale, seed, until: None takes the first scenario's own default.
        workers: worker processes; None takes one per core, no more than there are runs or memory for.
        threads: threads of each worker.
        scheduler: address of a Dask scheduler whose workers make the runs; None makes them here.
        resume: finish the ensemble in `out` that was interrupted; what it asks for must be the same.
        firms_panel: firms each run follows one by one in the table `firms`; 0 for none.
        draws: parameter values; replicate r of every scenario takes draw r + 1. None: the scenarios' own.
        crossed_draws: run the first so many draws, each with every replicate, instead.
        on_start, on_run: called with the number of runs, and after each finished run.

    Returns:
        The results, read back from `out`.

    Raises:
        InputError: duplicate names, or a directory that cannot be used or resumed; nothing is left behind.
        RunFailed: a run failed; finished runs are kept in ``out/runs``.
    """
    from scenarios.results import MANIFEST, load_results

    _check_scenarios(scenarios)
    settings = _settings(scenarios, replicates, scale, seed, until) | {"firms_panel": firms_panel}
    pairs = _draws_and_replicates(settings["replicates"], draws, crossed_draws)
    plan = {
        "scenarios": [scenario.model_dump(by_alias=True, mode="json") for scenario in scenarios],
        **settings,
        "crossed_draws": crossed_draws,
        "parameter_draws": draws.identity if draws else None,
        "model": model_checksum(),
        "versions": _versions(),
    }
    out = Path(out)
    if resume and (out / MANIFEST).is_file():
        results = load_results(out)
        _same_or_refuse(out, {key: results.manifest.get(key) for key in plan}, plan)
        on_start(0)
        return results
    existed = out.exists()
    runs = _reopen(out, plan) if resume and existed else _begin(out, plan)
    jobs = [
        Job(
            scenario=scenario,
            position=position,
            draw=draw,
            replicate=replicate,
            seed=settings["seed"] + replicate,
            scale=settings["scale"],
            until=settings["until"],
            threads=threads,
            firms_panel=firms_panel,
            drawn=draws.parameters(draw) if draw else {},
            model=plan["model"],
        )
        for position, scenario in enumerate(plan["scenarios"])
        for draw, replicate in pairs
    ]
    started = datetime.now(UTC)
    clock = time.perf_counter()
    tables = (*TABLES, *OPTIONAL_TABLES) if firms_panel else tuple(TABLES)
    try:
        missing = [job for job in jobs if not _is_finished(runs / job.file_name, tables)]
        on_start(len(jobs))
        for _ in range(len(jobs) - len(missing)):
            on_run()
        finished = _execute(missing, _workers(workers, len(missing), jobs[0]), scheduler)
        # Closed whatever happens: workers and connections end with it.
        with contextlib.closing(finished):
            for job, packed in finished:
                _store(packed, runs / job.file_name)
                on_run()
        _merge([runs / job.file_name for job in jobs], tables, out)
        if draws:
            _write_draws(draws, max(draw for draw, _ in pairs), out)
        _write_manifest(out, plan, pairs, tables, started, time.perf_counter() - clock)
    except BaseException:
        if not any(runs.glob("*.zip")):
            shutil.rmtree(runs if existed else out)
        raise
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


def _draws_and_replicates(replicates: int, draws: Draws | None, crossed: int | None) -> list[tuple[int, int]]:
    """Pairs of draw and replicate, in the order of the rows; draw 0 is the scenario's own parameters."""
    if crossed is None:
        return [(replicate % len(draws) + 1 if draws else 0, replicate) for replicate in range(replicates)]
    if draws is None:
        raise InputError("a number of draws needs draws: --params posterior, or a Parquet file of them")
    if crossed > len(draws):
        raise InputError(f"{crossed} draws are asked for; {draws.source} has {len(draws)}")
    return [(draw, replicate) for draw in range(1, crossed + 1) for replicate in range(replicates)]


def _versions() -> dict[str, str]:
    return {"python": platform.python_version(), **{name: version(name) for name in _PACKAGES}}


def _begin(out: Path, plan: dict) -> Path:
    """Create the results directory with its folder of runs and its plan; refuses one that holds anything."""
    from scenarios.storage import write_json

    try:
        if out.exists() and (not out.is_dir() or any(out.iterdir())):
            unfinished = (out / RUNS).is_dir()
            way = "add --resume to finish what it holds, or name a new directory" if unfinished else None
            raise InputError(f"{out} already exists and is not empty; {way or 'name a new directory'}")
        created = not out.exists()
        out.mkdir(parents=True, exist_ok=True)
        runs = out / RUNS
        try:
            runs.mkdir()
            write_json(plan, runs / "plan.json")
        except OSError:
            shutil.rmtree(out if created else runs, ignore_errors=True)
            raise
    except OSError as error:
        raise InputError(f"{out} cannot be written: {error.strerror or error}") from None
    return runs


def _reopen(out: Path, plan: dict) -> Path:
    """The folder of runs of an interrupted ensemble, if that asked for the same; a new one in an empty directory."""
    if out.is_dir() and not any(out.iterdir()):
        return _begin(out, plan)
    found = read_plan(out)
    if found is None:  # interrupted before it knew what it was to do
        shutil.rmtree(out / RUNS)
        return _begin(out, plan)
    _same_or_refuse(out, found, plan)
    for draft in (out / RUNS).glob(".*"):
        draft.unlink()
    return out / RUNS


def _same_or_refuse(out: Path, found: dict, plan: dict) -> None:
    changed = list(islice(differences(found, plan), 3))
    if changed:
        raise InputError(f"{out} cannot be resumed, what is asked for has changed: {'; '.join(changed)}")


def _is_finished(path: Path, tables: tuple[str, ...]) -> bool:
    """Whether the file of a run is there and whole; a damaged one is named, and removed to be run again."""
    from scenarios.packing import DamagedRun, check_run

    if not path.exists():
        return False
    try:
        check_run(path, tables)
    except DamagedRun as error:
        print(f"srdi: {error}; it is run again", file=sys.stderr, flush=True)
        path.unlink()
        return False
    return True


def _workers(asked: int | None, runs: int, job: Job) -> int:
    """Processes that run side by side: one a core, no more than there are runs, and no more than memory holds."""
    if asked:
        return min(asked, max(runs, 1))
    import psutil

    needed = _WORKER_BYTES + _FIRM_BYTES * job.scale * sum(row["firms"] for row in read_data("sectors")["sector"])
    fitting = int(psutil.virtual_memory().available // needed)
    return max(1, min(os.cpu_count() or 1, runs, fitting))


def _execute(jobs: list[Job], workers: int, scheduler: str | None) -> Iterator[tuple[Job, bytes]]:
    """Run the jobs; yields each with its packed tables as it finishes."""
    if not jobs:
        return
    if scheduler:
        yield from _results(jobs, on_cluster(run_job, [(job,) for job in jobs], scheduler))
        return
    compile_once()
    if workers <= 1 or len(jobs) == 1:
        for job in jobs:
            try:
                packed = run_job(job)
            except Exception as error:
                raise _failure(job, error) from error
            yield job, packed
        return
    waiting = {job.file_name: job for job in jobs}
    for _ in range(_ATTEMPTS):
        try:
            left = list(waiting.values())
            for job, packed in _results(left, in_processes(run_job, [(job,) for job in left], workers, _load_pandas)):
                del waiting[job.file_name]
                yield job, packed
            return
        except BrokenProcessPool:
            # A worker died (out of memory, killed): what is not finished is run once more.
            if not waiting:
                return
    raise RunFailed("worker processes died twice; fewer --workers or a smaller --scale may help")


def _load_pandas() -> None:
    import scenarios.results  # noqa: F401


def _results(jobs: list[Job], finished: Iterator[tuple[int, Future]]) -> Iterator[tuple[Job, bytes]]:
    with contextlib.closing(finished):
        for place, future in finished:
            try:
                packed = future.result()
            except BrokenProcessPool:
                raise
            except (Exception, CancelledError) as error:
                raise _failure(jobs[place], error) from error
            yield jobs[place], packed


def _failure(job: Job, error: BaseException) -> Exception:
    """What to raise for a run that failed: the fault of the input as it is, anything else with the run's name."""
    if isinstance(error, InputError):
        return InputError(f"{job}: {error}")
    return RunFailed(f"{job} failed: {type(error).__name__}: {error}")


def _store(packed: bytes, path: Path) -> None:
    """Write the file of a run so that it appears whole or not at all."""
    from scenarios.storage import whole_file

    with _disk_faults(path.parent), whole_file(path) as draft:
        draft.write_bytes(packed)


@contextlib.contextmanager
def _disk_faults(folder: Path) -> Iterator[None]:
    """Turns a fault of the disk into one sentence that says what to do."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise RunFailed(f"{folder} cannot be written: {reason}; make room, then --resume") from error


def _merge(parts: list[Path], tables: tuple[str, ...], out: Path) -> None:
    """Join the runs' tables in the order of the jobs and write one Parquet file a table."""
    import pyarrow as pa

    from scenarios.packing import DamagedRun, unpack
    from scenarios.storage import arrow_schema, parquet_writer

    for name in tables:
        with _disk_faults(out), parquet_writer(out / f"{name}.parquet", arrow_schema(name)) as writer:
            for first in range(0, len(parts), _ROW_GROUP):
                try:
                    group = [unpack(path, name) for path in parts[first : first + _ROW_GROUP]]
                except DamagedRun as error:
                    raise RunFailed(f"{error}; --resume runs it again") from None
                writer.write_table(pa.concat_tables(group).unify_dictionaries().combine_chunks())


def _write_draws(draws: Draws, used: int, out: Path) -> None:
    """Write the draws that were taken, the first of all: with them the directory can be run again."""
    from scenarios.draws import values_table
    from scenarios.results import DRAWS
    from scenarios.storage import write_parquet

    with _disk_faults(out):
        write_parquet(values_table(draws.names, draws.values[:used]), out / DRAWS)


def _write_manifest(
    out: Path, plan: dict, pairs: list, tables: tuple[str, ...], started: datetime, seconds: float
) -> None:
    import pyarrow.parquet as pq

    from scenarios.results import DRAWS, FORMAT, FORMAT_VERSION, MANIFEST
    from scenarios.storage import checksum, write_json
    from sim.calendar import START, Quarter
    from sim.parameters import parameter_table

    first = pq.ParquetFile(out / "national.parquet").read_row_group(0, columns=["firms"])
    files = [*(f"{name}.parquet" for name in tables), *([DRAWS] if plan["parameter_draws"] else [])]
    manifest = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        **plan,
        "draws": len({draw for draw, _ in pairs}),
        "runs": len(plan["scenarios"]) * len(pairs),
        "parameters": {name: parameter.value for name, parameter in parameter_table().items()},
        "seeds": [plan["seed"] + replicate for replicate in range(plan["replicates"])],
        "first_quarter": str(START),
        "last_quarter": str(Quarter(plan["until"], 4)),
        "firms_at_start": round(first["firms"][0].as_py() * plan["scale"]),
        "started": started.isoformat(timespec="seconds"),
        "seconds": round(seconds, 3),
        "host": {"system": platform.system(), "machine": platform.machine(), "cores": os.cpu_count()},
        "files": {name: checksum(out / name) for name in files},
    }
    with _disk_faults(out):
        write_json(manifest, out / MANIFEST)
