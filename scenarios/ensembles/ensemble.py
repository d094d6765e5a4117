"""Runs scenarios as an ensemble over parameter draws and replicates, on this machine or a cluster.

Each finished run is one file in ``out/runs``, written atomically; ``out/runs/plan.json`` has the request. An ensemble
can be interrupted at any moment; `resume` finishes it with bit-identical results.
"""

from __future__ import annotations

import contextlib
import shutil
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import Future
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from scenarios.checks import as_list, whole_number
from scenarios.ensembles.directory import (
    begin,
    is_finished,
    merge,
    reopen,
    require_same_plan,
    store,
    write_manifest,
    write_parameter_draws,
)
from scenarios.ensembles.jobs import Job, RunFailed, model_checksum, run_job, versions
from scenarios.ensembles.lock import lock_directory
from scenarios.ensembles.machine import cores, memory
from scenarios.ensembles.processes import compile_once, in_processes, in_this_process, on_cluster
from scenarios.errors import InputError, ScenarioError
from scenarios.files.schema import Scenario, run_defaults
from scenarios.imports import many_imports
from scenarios.records.layout import RUNS
from sim.arguments import quoted
from sim.calendar import START, Quarter
from sim.records.outputs import OPTIONAL_TABLES, TABLES
from sim.reference import read_data

if TYPE_CHECKING:
    from scenarios.ensembles.parameter_draws import ParameterDraws
    from scenarios.records.results import Results

Result = TypeVar("Result")

#: Peak memory in bytes: per simulated firm, as measured by `srdi bench` plus a margin, and per worker.
_FIRM_BYTES, _WORKER_BYTES = 200, 350_000_000
#: Seconds, roughly, of a quarter of a run and of each firm in it; and the least work of a worker, a quarter of what it
#: takes to start one.
_QUARTER_S, _FIRM_S, _WORKER_S = 6e-3, 1.2e-7, 0.5


def run_ensemble(
    scenarios: Scenario | Iterable[Scenario],
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
    draws: ParameterDraws | None = None,
    crossed_draws: int | None = None,
    factors: Sequence[str] = (),
    on_start: Callable[[int], None] = lambda runs: None,
    on_run: Callable[[], None] = lambda: None,
) -> Results:
    """Run every scenario with every replicate and write one results directory.

    Replicate r has seed + r in every scenario, so scenarios share all random draws and differ only in policy. Results
    do not depend on `workers`, `threads` or `scheduler`.

    A script that uses more than one worker needs the guard ``if __name__ == "__main__":``, because each worker first
    imports it. Notebooks and prompts do not need one.

    Args:
        scenarios: one scenario, or several with different names.
        out: directory to create; unless `resume` is set, it must be empty or not exist.
        replicates: runs with different random draws; None takes the first scenario's default, here and below.
        scale: simulated firms per real firm.
        seed: of the first replicate.
        until: last year of the run.
        workers: worker processes; None takes one per core, but no more than there are runs, than fit in memory (see
            `scenarios.ensembles.machine`) or than have work that is worth their start. A process that cannot start
            workers makes the runs itself.
        threads: threads of each worker.
        scheduler: address of a Dask scheduler whose workers make the runs; None means this machine.
        resume: finish the interrupted ensemble in `out`; the other arguments must be the same.
        firms_panel: number of firms that each run records one by one in the table `firms`; 0 for none.
        draws: parameter draws; replicate r of every scenario takes draw r + 1. None: the scenarios' own values.
        crossed_draws: instead, run this many first parameter draws, each with every replicate.
        factors: dotted keys of the settings varied by a design. They do not affect the runs; they are stored in the
            manifest for `scenarios.search.sweep.design_of`.
        on_start: called at the start with the number of runs.
        on_run: called after each finished run.

    Returns:
        The results, read back from `out`.

    Raises:
        InputError: an argument is not allowed, names are duplicated, or the directory cannot be used or resumed or is
            in use by another process; nothing is left behind.
        RunFailed: a run failed, or the script has no guard; finished runs are kept in ``out/runs``.
    """
    from scenarios.ensembles.parameter_draws import ParameterDraws
    from scenarios.records.layout import MANIFEST

    scenarios = as_list("scenarios", scenarios, Scenario, "load_scenario")
    check_names(scenarios)
    threads, firms_panel = whole_number("threads", threads, 1), whole_number("firms_panel", firms_panel, 0)
    workers = workers if workers is None else whole_number("workers", workers, 1)
    crossed_draws = crossed_draws if crossed_draws is None else whole_number("crossed_draws", crossed_draws, 1)
    if draws is not None and not isinstance(draws, ParameterDraws):
        raise InputError(
            f"draws is {quoted(draws)}; allowed are None and the result of "
            "scenarios.ensembles.parameter_draws.read_parameter_draws"
        )
    run = run_defaults(scenarios[0], replicates=replicates, scale=scale, seed=seed, until=until)
    settings = run.model_dump() | {"firms_panel": firms_panel}
    pairs = _draws_and_replicates(settings["replicates"], draws, crossed_draws)
    plan = {
        "scenarios": [scenario.model_dump(by_alias=True, mode="json") for scenario in scenarios],
        **settings,
        "crossed_draws": crossed_draws,
        "parameter_draws": draws.identity if draws else None,
        "model": model_checksum(),
        "versions": versions(),
    }
    out = Path(out)
    with contextlib.ExitStack() as stack:
        # A closed directory is only read.
        if not (resume and (out / MANIFEST).is_file()) or (out / RUNS).exists():
            stack.enter_context(lock_directory(out))
        if resume and (out / MANIFEST).is_file():
            results = _read(out)
            require_same_plan(out, {key: results.manifest.get(key) for key in plan}, plan)
            shutil.rmtree(out / RUNS, ignore_errors=True)  # left over if the command ended between its last two steps
            on_start(0)
            return results
        runs = reopen(out, plan) if resume else begin(out, plan)
        jobs = _jobs(plan, pairs, draws, threads)
        started = datetime.now(UTC)
        clock = time.perf_counter()
        tables = (*TABLES, *OPTIONAL_TABLES) if firms_panel else tuple(TABLES)
        try:
            missing = [job for job in jobs if not is_finished(runs / job.file_name, tables)]
            on_start(len(jobs))
            for _ in range(len(jobs) - len(missing)):
                on_run()
            finished = _execute(missing, _workers(workers, len(missing), jobs[0]), scheduler)
            # Closed in any case, which ends workers and connections.
            with contextlib.closing(finished):
                for job, packed in finished:
                    store(packed, runs / job.file_name)
                    on_run()
            merge([runs / job.file_name for job in jobs], tables, out)
            if draws:
                write_parameter_draws(draws, max(draw for draw, _ in pairs), out)
            manifest_plan = {**plan, "factors": list(factors)} if factors else plan
            seconds = time.perf_counter() - clock
            write_manifest(out, manifest_plan, pairs, tables=tables, draws=draws, started=started, seconds=seconds)
        except BaseException:
            if not any(runs.glob("*.zip")):
                shutil.rmtree(runs)
            raise
        shutil.rmtree(runs)
    return _read(out)


def check_names(scenarios: list[Scenario]) -> None:
    """Raise ScenarioError if there is no scenario, or a name is given twice."""
    if not scenarios:
        raise ScenarioError("no scenario was given")
    for name, times in Counter(scenario.name for scenario in scenarios).items():
        if times > 1:
            raise ScenarioError(f"scenario name {name!r} is given {times} times; each may be given once")


def _draws_and_replicates(replicates: int, draws: ParameterDraws | None, crossed: int | None) -> list[tuple[int, int]]:
    """Pairs of parameter draw and replicate, in the order of the rows; draw 0 means the scenario's own parameters."""
    if crossed is None:
        return [(replicate % len(draws) + 1 if draws else 0, replicate) for replicate in range(replicates)]
    if draws is None:
        raise InputError("crossed_draws (--draws) needs draws (--params): posterior, evidence or a Parquet file")
    if crossed > len(draws):
        raise InputError(f"{crossed} parameter draws were requested; {draws.source} has {len(draws)}")
    return [(draw, replicate) for draw in range(1, crossed + 1) for replicate in range(replicates)]


def _jobs(plan: dict, pairs: list[tuple[int, int]], draws: ParameterDraws | None, threads: int) -> list[Job]:
    """One job for every scenario, parameter draw and replicate of a plan, in the order of the rows."""
    return [
        Job(
            scenario=scenario,
            position=position,
            draw=draw,
            replicate=replicate,
            seed=plan["seed"] + replicate,
            scale=plan["scale"],
            until=plan["until"],
            threads=threads,
            firms_panel=plan["firms_panel"],
            draw_values=draws.parameters(draw) if draws and draw else {},
            model=plan["model"],
            versions=plan["versions"],
        )
        for position, scenario in enumerate(plan["scenarios"])
        for draw, replicate in pairs
    ]


def _workers(requested: int | None, runs: int, job: Job) -> int:
    """Number of worker processes: one per core, but no more than there are runs, fit in memory or pay."""
    if requested:
        return min(requested, max(runs, 1))
    firms = job.scale * sum(row["firms"] for row in read_data("sectors")["sector"])
    quarters = Quarter(job.until, 4) - START
    work = runs * quarters * (_QUARTER_S + _FIRM_S * firms / job.threads)
    paid, fitting = int(work // _WORKER_S), int(memory() // (_WORKER_BYTES + _FIRM_BYTES * firms))
    return max(1, min(cores() // job.threads, runs, fitting, paid))


def _execute(jobs: list[Job], workers: int, scheduler: str | None) -> Generator[tuple[Job, bytes], None, None]:
    """Run the jobs; yields each job with its packed tables when it finishes."""
    if not jobs:
        return
    if scheduler:
        yield from _results(jobs, on_cluster(run_job, [(job,) for job in jobs], scheduler))
        return
    compile_once()
    if workers <= 1 or len(jobs) == 1:
        yield from _results(jobs, in_this_process(run_job, [(job,) for job in jobs]))
    else:
        yield from _results(jobs, in_processes(run_job, [(job,) for job in jobs], workers, _load_pandas))


def run_together(
    function: Callable[..., Result], groups: Sequence[Sequence[Job]], workers: int | None, *others: object
) -> Generator[tuple[int, Result], None, None]:
    """Call ``function(jobs, *others)`` for each group of jobs, whose runs belong in one process.

    Args:
        function: of a module, so that workers find it. workers: as in `run_ensemble`.

    Yields:
        The index of a group and its result, in the order in which they finish.

    Raises:
        RunFailed, InputError: as in `run_ensemble`; the message names the first run of the group.
    """
    compile_once()
    workers = _workers(workers, len(groups), groups[0][0])
    calls = [(tuple(jobs), *others) for jobs in groups]
    finished = in_this_process(function, calls) if workers <= 1 else in_processes(function, calls, workers)
    with contextlib.closing(finished):
        for index, future in finished:
            try:
                result = future.result()
            except Exception as error:
                raise _failure(groups[index][0], error) from error
            yield index, result


def _read(out: Path) -> Results:
    with many_imports():
        from scenarios.records.results import load_results

    return load_results(out)


def _load_pandas() -> None:
    """Import the code that reads the results while the workers start."""
    with many_imports():
        import scenarios.records.results  # noqa: F401


def _results(
    jobs: list[Job], finished: Generator[tuple[int, Future], None, None]
) -> Generator[tuple[Job, bytes], None, None]:
    with contextlib.closing(finished):
        for index, future in finished:
            try:
                packed = future.result()
            except Exception as error:
                raise _failure(jobs[index], error) from error
            yield jobs[index], packed


def _failure(job: Job, error: BaseException) -> Exception:
    """The exception for a failed run: InputError for bad input, otherwise RunFailed; both name the run."""
    if isinstance(error, InputError):
        return InputError(f"{job}: {error}")
    if isinstance(error, MemoryError) or "failed to map segment" in str(error):  # raised by a library
        return RunFailed(f"{job} ran out of memory; use fewer workers or threads, or a smaller scale")
    return RunFailed(f"{job} failed: {type(error).__name__}: {error}")
