"""Work in processes: what dies is done again, what nobody waits for is ended, interrupts arrive when they may."""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import sys
import threading
import time
from concurrent.futures import Future

import psutil
import pytest

from scenarios import InputError, RunFailed, ensemble, processes
from scenarios.jobs import Job
from scenarios.processes import call_each, compile_once, in_processes, interrupts_held, on_cluster

JOB = Job(
    scenario={"name": "baseline"},
    position=0,
    draw=2,
    replicate=1,
    seed=1,
    scale=0.001,
    until=2019,
    threads=1,
    firms_panel=0,
    drawn={},
    model="",
    versions={},
)


# --- called in worker processes, so that they stand here by name


def doubled(number):
    return 2 * number


def doubled_at_the_second_try(number, folder):
    """Ends its process where the folder has no mark of a first try."""
    try:
        (folder / str(number)).touch(exist_ok=False)
    except FileExistsError:
        return 2 * number
    os._exit(9)


def ended(number):
    os._exit(9)


def sleeping(seconds):
    time.sleep(seconds)
    return os.getpid()


# --- processes


def test_results_come_with_their_places_here_and_elsewhere():
    jobs = [(number,) for number in range(5)]
    for workers in (1, 2):
        assert sorted(call_each(doubled, jobs, workers)) == [(number, 2 * number) for number in range(5)]


def test_what_a_dead_worker_left_another_does(tmp_path):
    jobs = [(number, tmp_path) for number in (3, 4)]
    # A worker dies at each of the two, but never twice in a row without anything done.
    found = {place: future.result() for place, future in in_processes(doubled_at_the_second_try, jobs, 1)}
    assert found == {0: 6, 1: 8}


def test_workers_that_die_again_and_again_are_given_up():
    with pytest.raises(RunFailed, match="worker processes died twice in a row; fewer workers"):
        list(in_processes(ended, [(0,)], 1))


def test_workers_end_when_nobody_waits_for_them():
    results = in_processes(sleeping, [(0.0,), (600.0,)], 2)
    _, first = next(results)
    workers = multiprocessing.active_children()
    assert first.result() in {worker.pid for worker in workers}
    results.close()
    assert [worker for worker in workers if worker.is_alive()] == []


# --- interrupts


def test_an_interrupt_that_is_held_arrives_at_the_end():
    reached = []

    def work():
        with interrupts_held():
            signal.raise_signal(signal.SIGINT)
            reached.append("after it came")

    with pytest.raises(KeyboardInterrupt):
        work()
    assert reached == ["after it came"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    with interrupts_held():
        pass  # none came, none arrives


def test_another_thread_leaves_interrupts_alone():
    handlers = []

    def work():
        with interrupts_held():
            handlers.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert handlers == [signal.default_int_handler]


# --- once a machine


@pytest.mark.parametrize("compiled", [True, False])
def test_the_model_is_compiled_once_and_says_so(monkeypatch, capsys, compiled):
    done = []
    monkeypatch.setattr("sim.kernel_cache.compiled", lambda: compiled)
    monkeypatch.setattr("sim.warmup.warm_up", lambda: done.append("compiled"))
    compile_once()
    assert done == ([] if compiled else ["compiled"])
    assert ("once on this machine" in capsys.readouterr().err) is not compiled


# --- Dask


def test_a_cluster_needs_its_package(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(InputError, match="needs the package distributed"):
        next(on_cluster(doubled, [(1,)], "tcp://127.0.0.1:9"))


def test_what_nobody_works_on_any_more_means_that_the_scheduler_has_gone():
    future: Future = Future()
    future.set_result(1)
    processes._refuse_cancelled(future, "tcp://here:1")
    gone: Future = Future()
    gone.cancel()
    with pytest.raises(RunFailed, match="scheduler at tcp://here:1 has gone; with another, resume=True"):
        processes._refuse_cancelled(gone, "tcp://here:1")


def test_a_lost_connection_is_not_told_twice():
    logger = logging.getLogger("distributed.client")
    before = logger.level
    with processes._without_tracebacks():
        assert logger.level == logging.CRITICAL
    assert logger.level == before


# --- what a run that failed is called


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (InputError("other packages"), InputError, "scenario baseline, draw 2, replicate 1: other packages"),
        (MemoryError(), RunFailed, "replicate 1 found no memory; fewer workers or threads"),
        (ImportError("failed to map segment from shared object"), RunFailed, "found no memory"),
        (ValueError("no luck"), RunFailed, "scenario baseline, draw 2, replicate 1 failed: ValueError: no luck"),
    ],
)
def test_a_failure_is_named_by_its_run(error, kind, words):
    found = ensemble._failure(JOB, error)
    assert type(found) is kind
    assert words in str(found)


def test_as_many_processes_as_cores_runs_and_memory_allow(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(8)), raising=False)
    room = type("Room", (), {"available": 10**12})
    monkeypatch.setattr(psutil, "virtual_memory", lambda: room)
    assert ensemble._workers(3, 2, JOB) == 2
    assert ensemble._workers(3, 0, JOB) == 1
    assert ensemble._workers(None, 100, JOB) == 8
    assert ensemble._workers(None, 5, JOB) == 5
    room.available = 800_000_000
    assert ensemble._workers(None, 100, JOB) == 2
    room.available = 0
    assert ensemble._workers(None, 100, JOB) == 1
