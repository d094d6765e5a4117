"""Runs scenarios as an ensemble over parameter draws and replicates, here or on a cluster, into a results directory.

Each finished run is one file in ``out/runs``, written whole or not at all; ``out/runs/plan.json`` says what was asked.
An ensemble that was interrupted, at whatever moment, goes on from there (`resume`) and ends with the same bits.
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
from typing import TYPE_CHECKING

from scenarios.checks import several, whole_number
from scenarios.ensembles.directory import (
    begin,
    is_finished,
    merge,
    reopen,
    same_or_refuse,
    store,
    write_draws,
    write_manifest,
)
from scenarios.ensembles.jobs import Job, RunFailed, model_checksum, run_job, versions
from scenarios.ensembles.lock import only_one
from scenarios.ensembles.machine import cores, memory
from scenarios.ensembles.processes import compile_once, in_processes, in_this_process, on_cluster
from scenarios.errors import InputError, ScenarioError
from scenarios.files.schema import Scenario, run_defaults
from scenarios.records.layout import RUNS
from sim.arguments import quoted
from sim.outputs import OPTIONAL_TABLES, TABLES
from sim.reference import read_data

if TYPE_CHECKING:
    from scenarios.ensembles.draws import Draws
    from scenarios.records.results import Results

#: Bytes a simulated firm takes at the peak of a run, as `srdi bench` measures it with some to spare; of a worker's own.
_FIRM_BYTES, _WORKER_BYTES = 200, 350_000_000


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
    draws: Draws | None = None,
    crossed_draws: int | None = None,
    factors: Sequence[str] = (),
    on_start: Callable[[int], None] = lambda runs: None,
    on_run: Callable[[], None] = lambda: None,
) -> Results:
    """Run every scenario with every replicate and write one results directory.

    Replicate r has seed + r in every scenario, so scenarios share all luck and their differences
    are the policy. What is written does not depend on `workers`, `threads` or `scheduler`.

    A script that makes runs with more than one worker needs the guard ``if __name__ == "__main__":``, as each worker
    imports it first; notebooks and prompts need none.

    Args:
        scenarios: one, or several with different names.
        out: directory to create; it must not exist, or be empty, unless `resume` is set.
        replicates: runs with different luck; None takes the first scenario's own default, here and below.
        scale: simulated firms per real firm.
        seed: of the first replicate.
        until: last year of the run.
        workers: worker processes; None takes one per core, no more than there are runs or memory for, each as
            `scenarios.ensembles.machine` finds it. In a process that can start none the runs are made there.
        threads: threads of each worker.
        scheduler: address of a Dask scheduler whose workers make the runs; None makes them here.
        resume: finish the ensemble in `out` that was interrupted; what it asks for must be the same.
        firms_panel: firms each run follows one by one in the table `firms`; 0 for none.
        draws: parameter values; replicate r of every scenario takes draw r + 1. None: the scenarios' own.
        crossed_draws: run the first so many draws, each with every replicate, instead.
        factors: dotted keys of the settings that a design varied to make the scenarios; the manifest keeps them for
            `scenarios.search.sweep.design_of`. No run depends on them.
        on_start: called with the number of runs.
        on_run: called after each finished run.

    Returns:
        The results, read back from `out`.

    Raises:
        InputError: an argument that is not allowed, duplicate names, or a directory that cannot be used or resumed,
            or that another process works in; nothing is left behind.
        RunFailed: a run failed; finished runs are kept in ``out/runs``. Or the script has no guard.
    """
    from scenarios.ensembles.draws import Draws
    from scenarios.records.layout import MANIFEST
    from scenarios.records.results import load_results

    scenarios = several("scenarios", scenarios, Scenario, "load_scenario")
    _check_names(scenarios)
    threads, firms_panel = whole_number("threads", threads, 1), whole_number("firms_panel", firms_panel, 0)
    workers = workers if workers is None else whole_number("workers", workers, 1)
    crossed_draws = crossed_draws if crossed_draws is None else whole_number("crossed_draws", crossed_draws, 1)
    if draws is not None and not isinstance(draws, Draws):
        raise InputError(
            f"draws is {quoted(draws)}; allowed is what scenarios.ensembles.draws.read_draws reads, or None"
        )
    asked = run_defaults(scenarios[0], replicates=replicates, scale=scale, seed=seed, until=until)
    settings = asked.model_dump() | {"firms_panel": firms_panel}
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
        # A directory that is closed is only read.
        if not (resume and (out / MANIFEST).is_file()) or (out / RUNS).exists():
            stack.enter_context(only_one(out))
        if resume and (out / MANIFEST).is_file():
            results = load_results(out)
            same_or_refuse(out, {key: results.manifest.get(key) for key in plan}, plan)
            shutil.rmtree(out / RUNS, ignore_errors=True)  # left if it ended between its last two steps
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
            # Closed whatever happens: workers and connections end with it.
            with contextlib.closing(finished):
                for job, packed in finished:
                    store(packed, runs / job.file_name)
                    on_run()
            merge([runs / job.file_name for job in jobs], tables, out)
            if draws:
                write_draws(draws, max(draw for draw, _ in pairs), out)
            told = {**plan, "factors": list(factors)} if factors else plan
            write_manifest(out, told, pairs, tables, started, time.perf_counter() - clock)
        except BaseException:
            if not any(runs.glob("*.zip")):
                shutil.rmtree(runs)
            raise
        shutil.rmtree(runs)
    return load_results(out)


def _check_names(scenarios: list[Scenario]) -> None:
    if not scenarios:
        raise ScenarioError("no scenario was given")
    for name, times in Counter(scenario.name for scenario in scenarios).items():
        if times > 1:
            raise ScenarioError(f"scenario name {name!r} is given {times} times; each may be given once")


def _draws_and_replicates(replicates: int, draws: Draws | None, crossed: int | None) -> list[tuple[int, int]]:
    """Pairs of draw and replicate, in the order of the rows; draw 0 is the scenario's own parameters."""
    if crossed is None:
        return [(replicate % len(draws) + 1 if draws else 0, replicate) for replicate in range(replicates)]
    if draws is None:
        raise InputError("crossed_draws (--draws) needs draws (--params): those of the posterior, or of a Parquet file")
    if crossed > len(draws):
        raise InputError(f"{crossed} draws are asked for; {draws.source} has {len(draws)}")
    return [(draw, replicate) for draw in range(1, crossed + 1) for replicate in range(replicates)]


def _jobs(plan: dict, pairs: list[tuple[int, int]], draws: Draws | None, threads: int) -> list[Job]:
    """A job for every scenario, draw and replicate of a plan, in the order of the rows."""
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
            drawn=draws.parameters(draw) if draws and draw else {},
            model=plan["model"],
            versions=plan["versions"],
        )
        for position, scenario in enumerate(plan["scenarios"])
        for draw, replicate in pairs
    ]


def _workers(asked: int | None, runs: int, job: Job) -> int:
    """Processes that run side by side: all cores busy, no more than there are runs, and no more than memory holds."""
    if asked:
        return min(asked, max(runs, 1))
    needed = _WORKER_BYTES + _FIRM_BYTES * job.scale * sum(row["firms"] for row in read_data("sectors")["sector"])
    return max(1, min(cores() // job.threads, runs, int(memory() // needed)))


def _execute(jobs: list[Job], workers: int, scheduler: str | None) -> Generator[tuple[Job, bytes], None, None]:
    """Run the jobs; yields each with its packed tables as it finishes."""
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


def _load_pandas() -> None:
    """Load what reads the results in the time the workers take to start."""
    import scenarios.records.results  # noqa: F401


def _results(
    jobs: list[Job], finished: Generator[tuple[int, Future], None, None]
) -> Generator[tuple[Job, bytes], None, None]:
    with contextlib.closing(finished):
        for place, future in finished:
            try:
                packed = future.result()
            except Exception as error:
                raise _failure(jobs[place], error) from error
            yield jobs[place], packed


def _failure(job: Job, error: BaseException) -> Exception:
    """What to raise for a run that failed: the fault of the input as it is, anything else with the run's name."""
    if isinstance(error, InputError):
        return InputError(f"{job}: {error}")
    if isinstance(error, MemoryError) or "failed to map segment" in str(error):  # the latter: of a library
        return RunFailed(f"{job} found no memory; fewer workers or threads, or a smaller scale, may help")
    return RunFailed(f"{job} failed: {type(error).__name__}: {error}")
