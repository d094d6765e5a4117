"""Work in processes: failed jobs are retried, abandoned ones stopped, interrupts delivered."""

from __future__ import annotations

import contextlib
import logging
import multiprocessing
import os
import re
import signal
import subprocess
import sys
import threading
import zipfile
from concurrent.futures import Future
from dataclasses import replace

import psutil
import pytest
from command_line import needs_proc, start, wait_for, workers_of
from conftest import unwatched
from jobs import doubled, doubled_at_the_second_try, ended, in_a_daemon, sleeping

from scenarios import InputError, RunFailed
from scenarios.ensembles import ensemble, processes
from scenarios.ensembles.jobs import Job
from scenarios.ensembles.processes import call_each, compile_once, delay_interrupts, in_processes
from scenarios.ensembles.request import ensemble_target

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
    draw_values={},
    model="",
    versions={},
)


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
    with pytest.raises(RunFailed, match="worker processes died twice in a row; use fewer workers"):
        list(in_processes(ended, [(0,)], 1))


def test_workers_end_when_nobody_waits_for_them():
    results = in_processes(sleeping, [(0.0,), (600.0,)], 2)
    _, first = next(results)
    workers = multiprocessing.active_children()
    assert first.result() in {worker.pid for worker in workers}
    results.close()
    assert [worker for worker in workers if worker.is_alive()] == []


# --- where workers cannot start


def test_a_process_that_may_start_none_does_the_work_itself():
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.apply(in_a_daemon, ([1, 2],)) == {0: 2, 1: 4}


def test_without_shared_memory_the_work_is_done_here_and_failures_come_as_ever(monkeypatch, capsys):
    def refused(*_, **__):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(processes, "ProcessPoolExecutor", refused)
    found = dict(in_processes(doubled, [(1,), (None,)], 2))
    assert found[0].result() == 2
    assert isinstance(found[1].exception(), TypeError)
    assert "cannot start worker processes (Read-only file system); runs are made" in capsys.readouterr().err


UNGUARDED = """
from pathlib import Path
with Path("times").open("a") as file:
    file.write("x")
from scenarios.ensembles.processes import in_processes, exit_unguarded_worker
print(sorted(future.result() for _, future in in_processes(abs, [(-1,), (-2,)], 2)))
"""
GUARD = 'each worker process first imports it: put its own work under `if __name__ == "__main__":`, or use one worker'


def ran(folder, script, *command, given=None):
    """Errors and output of a script in a folder, and how often it was begun."""
    (folder / "script.py").write_text(script)
    answer = subprocess.run(
        [sys.executable, *command], cwd=folder, env=unwatched(), input=given, capture_output=True, text=True
    )
    return answer.returncode, answer.stdout, answer.stderr, (folder / "times").read_text()


def test_a_script_without_a_guard_is_told_before_a_worker_does_its_work_again(tmp_path):
    code, _, errors, times = ran(tmp_path, UNGUARDED, "script.py")
    assert (code, times) == (1, "x")
    assert errors.count("Traceback") == 1  # its own
    assert errors.endswith(f"RunFailed: {tmp_path / 'script.py'}: {GUARD}\n")


def test_a_script_with_a_guard_in_the_wrong_place_is_told_too(tmp_path):
    script = f"{UNGUARDED}\nif __name__ == '__main__':\n    print('here')\n"
    code, output, errors, times = ran(tmp_path, script, "script.py")
    assert (code, output, times) == (1, "", "xxx")
    assert errors.count("Traceback") == 1  # none of a worker
    assert errors.endswith(f"RunFailed: {tmp_path / 'script.py'}: {GUARD}\n")


def test_a_worker_of_a_pool_says_what_ends_it(tmp_path):
    script = f"from scenarios.ensembles.lock import lock_directory\nwith lock_directory(Path('out')):\n    pass\n{POOL}"
    _, _, errors, _ = ran(tmp_path, f"{UNGUARDED.partition('from scenarios')[0]}{script}", "script.py")
    assert GUARD in errors
    assert "Traceback" not in errors


POOL = """
if __name__ == "__main__":
    import multiprocessing
    import time
    pool = multiprocessing.get_context("spawn").Pool(1)
    while len(Path("times").read_text()) < 3:  # another was started: the first has ended
        time.sleep(0.1)
    pool.terminate()
"""


@pytest.mark.parametrize(
    ("command", "given"),
    [(("-",), UNGUARDED), (("-c", UNGUARDED), None), (("archive.zip",), None), (("-m", "package"), None)],
)
def test_what_no_worker_imports_needs_no_guard(tmp_path, command, given):
    with zipfile.ZipFile(tmp_path / "archive.zip", "w") as archive:
        archive.writestr("__main__.py", UNGUARDED)
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "__main__.py").write_text(UNGUARDED)
    assert ran(tmp_path, "", *command, given=given) == (0, "[1, 2]\n", "", "x")


# --- interrupts


def test_signals_that_end_a_command_are_held_where_they_are_handled():
    received = []
    before = signal.signal(signal.SIGTERM, lambda number, frame: received.append(number))
    try:
        with delay_interrupts():
            signal.raise_signal(signal.SIGTERM)
            assert received == []
        assert received == [signal.SIGTERM]
    finally:
        signal.signal(signal.SIGTERM, before)
    with delay_interrupts():
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL  # of a script that handles none


@needs_proc
@pytest.mark.parametrize(
    ("number", "out"),
    [
        (signal.SIGTERM, True),
        # Seen to take more than a minute to end on a busy machine, which nineteen later runs did not show again.
        pytest.param(signal.SIGHUP, False, marks=pytest.mark.slow),
    ],
)
def test_a_command_that_is_ended_leaves_nothing_but_finished_runs(tmp_path, monkeypatch, number, out):
    """The signal goes to the process and to its group, as from `timeout`, a terminal that closes, SLURM."""
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    place = ("--out", tmp_path / "out") if out else ()
    command = start("run", "baseline", "--scale", "0.01", "--replicates", "20", "--workers", "2", *place)
    wait_for(lambda: any(tmp_path.glob("**/*.zip")), seconds=120)
    workers = workers_of(command)
    command.send_signal(number)
    os.killpg(command.pid, number)
    output, errors = command.communicate(timeout=60)
    errors = errors.removeprefix("compiling the model (once on this machine) …\n")
    assert command.returncode == 128 + number
    assert output == ""
    kept = f"srdi: N finished runs are kept in {tmp_path}/out/runs; --resume continues from there\n" if out else ""
    assert re.sub(r"\d+ finished", "N finished", errors) == f"{kept}\nsrdi: interrupted\n"
    assert list((tmp_path / "temporary").iterdir()) == []
    assert not [pid for pid in workers if psutil.pid_exists(pid)]
    assert (len(list(tmp_path.glob("out/runs/*.zip"))) > 0) is out


def test_a_signal_whose_exception_was_lost_ends_the_work_at_the_next_job(monkeypatch):
    """Python ignores an exception that a signal raises in a finalizer or in a callback of a library."""
    received = []
    monkeypatch.setattr(processes, "end_signals", received)
    finished = in_processes(abs, [(-1,), (-2,), (-3,)], 2)
    with contextlib.closing(finished):
        assert next(finished)[1].result() in (1, 2, 3)
        received.append(signal.SIGHUP)
        with pytest.raises(KeyboardInterrupt):
            next(finished)


def test_an_interrupt_that_is_held_arrives_at_the_end():
    reached = []

    def work():
        with delay_interrupts():
            signal.raise_signal(signal.SIGINT)
            reached.append("after it came")

    with pytest.raises(KeyboardInterrupt):
        work()
    assert reached == ["after it came"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    with delay_interrupts():
        pass  # none came, none arrives


def test_another_thread_leaves_interrupts_alone():
    handlers = []

    def work():
        with delay_interrupts():
            handlers.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert handlers == [signal.default_int_handler]


# --- once a machine


@pytest.mark.parametrize(
    ("compiled", "kept", "folder", "done", "words"),
    [
        (True, True, "there", [], ""),
        (False, True, "there", ["compiled"], "once on this machine"),
        (False, False, "there", ["compiled"], "each time; once if NUMBA_CACHE_DIR names a folder"),
        (False, False, None, [], "each time; once if NUMBA_CACHE_DIR names a folder"),  # workers would not find it
    ],
)
def test_the_model_is_compiled_once_and_says_so(monkeypatch, capsys, *, compiled, kept, folder, done, words):
    found = []
    for name, value in (("compiled", compiled), ("kept", kept), ("cache_folder", folder)):
        monkeypatch.setattr(f"sim.numerics.kernel_cache.{name}", lambda value=value: value)
    monkeypatch.setattr("sim.warmup.warm_up", lambda: found.append("compiled"))
    compile_once()
    assert found == done
    said = capsys.readouterr().err
    assert words in said if words else not said


# --- Dask


def test_what_nobody_works_on_any_more_means_that_the_scheduler_has_gone():
    future: Future = Future()
    future.set_result(1)
    processes._require_active(future, "tcp://here:1")
    gone: Future = Future()
    gone.cancel()
    with pytest.raises(RunFailed, match="scheduler at tcp://here:1 was lost; continue with another one"):
        processes._require_active(gone, "tcp://here:1")


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
        (MemoryError(), RunFailed, "replicate 1 ran out of memory; use fewer workers or threads"),
        (ImportError("failed to map segment from shared object"), RunFailed, "ran out of memory"),
        (ValueError("no luck"), RunFailed, "scenario baseline, draw 2, replicate 1 failed: ValueError: no luck"),
    ],
)
def test_a_failure_is_named_by_its_run(error, kind, words):
    found = ensemble._failure(JOB, error)
    assert type(found) is kind
    assert words in str(found)


def test_as_many_processes_as_cores_runs_and_memory_allow(monkeypatch):
    room = [10**12]
    monkeypatch.setattr(ensemble, "cores", lambda: 8)
    monkeypatch.setattr(ensemble, "memory", lambda: room[0])
    usual = replace(JOB, scale=0.02, until=2030)
    assert ensemble._workers(3, 2, usual) == 2
    assert ensemble._workers(3, 0, usual) == 1
    assert ensemble._workers(None, 100, usual) == 8
    assert ensemble._workers(None, 5, usual) == 5
    room[0] = 800_000_000
    assert ensemble._workers(None, 100, usual) == 2
    room[0] = 0
    assert ensemble._workers(None, 100, usual) == 1


def test_no_process_is_started_for_less_work_than_its_start_unless_asked_for(monkeypatch):
    monkeypatch.setattr(ensemble, "cores", lambda: 8)
    monkeypatch.setattr(ensemble, "memory", lambda: 10**12)
    assert ensemble._workers(None, 4, JOB) == 1
    assert ensemble._workers(3, 4, JOB) == 3
    assert 1 < ensemble._workers(None, 100, JOB) < 8
    assert ensemble._workers(None, 10_000, JOB) == 8


def test_without_a_place_for_temporary_files_a_variable_is_named(monkeypatch):
    def none(**_):
        raise FileNotFoundError(2, "No usable temporary directory found in ['/tmp']")

    monkeypatch.setattr("tempfile.TemporaryDirectory", none)
    with (
        pytest.raises(InputError, match=r"no temporary directory can be created .*TMPDIR .*, or .* --out"),
        ensemble_target(None),
    ):
        pass
