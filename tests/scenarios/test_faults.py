"""Faults of the machine: two at once, kills, full and read-only disks, clocks that jump, no memory.

Each ends in one sentence and in a directory from which the same command ends with the same bits.
"""

from __future__ import annotations

import contextlib
import datetime
import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import psutil
import pytest
from command_line import needs_proc, srdi, start, wait_for, workers_of
from conftest import both, dask_cluster

import scenarios.ensembles.ensemble
from calibration.fitting.simulator import Design, run_library
from scenarios import InputError, RunFailed, load_results, run_ensemble
from scenarios.ensembles.lock import LOCK, lock_directory
from scenarios.records.layout import RUNS

# Two minutes of waiting for processes: the ordinary suite has the kills of test_resume.py and test_cluster.py.
pytestmark = pytest.mark.slow

SMALL = {"replicates": 3, "scale": 0.001, "until": 2020, "workers": 1}
COMMAND = ("run", "baseline", "no-policy", "--replicates", "3", "--scale", "0.001", "--until", "2020")
#: Long enough to be met at work, as a command and as arguments.
LONG = ("run", "baseline", "no-policy", "--replicates", "3", "--scale", "0.005", "--until", "2022", "--workers", "2")
LONG_SETTINGS = {"replicates": 3, "scale": 0.005, "until": 2022, "workers": 1}
#: ``srdi calibrate --screen`` of seven parameters on one trajectory: eight runs.
SCREEN = """
from calibration.fitting import screening
from calibration.fitting.priors import Priors
from scenarios.cli import main

if __name__ == "__main__":
    priors = screening.read_priors().by_name
    screening.read_priors = lambda: Priors({name: priors[name] for name in list(priors)[:7]})
    screening.TRAJECTORIES = 1
    main()
"""


def files_of(out):
    return load_results(out).manifest["files"]


def finished_runs(out):
    return sorted((out / RUNS).glob("0*.zip"))


def refused(answer, *words, code=2):
    assert answer.returncode == code, answer.stderr
    assert "Traceback" not in answer.stderr
    for text in words:
        assert text in answer.stderr


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return run_ensemble(both(), out=tmp_path_factory.mktemp("whole") / "results", **SMALL).manifest["files"]


@pytest.fixture(scope="module")
def whole_long(tmp_path_factory):
    return run_ensemble(both(), out=tmp_path_factory.mktemp("long") / "out", **LONG_SETTINGS).manifest["files"]


def resumed(out, settings):
    """Checksums of the files of a directory that the same command finishes."""
    return run_ensemble(both(), out=out, resume=True, **settings).manifest["files"]


def stop_after(out, runs, **settings):
    """An ensemble in `out` that stops after some runs."""
    done = []

    def stops():
        done.append(1)
        if len(done) == runs:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_ensemble(both(), out=out, on_run=stops, **(SMALL | settings))


@pytest.fixture
def small_disk(tmp_path):
    """Mounts a disk of a size over a folder, and again with other options; skips where that is not allowed."""
    folder = tmp_path / "disk"
    folder.mkdir()

    def mount(options):
        again = "remount," if os.path.ismount(folder) else ""
        command = ["mount", "-t", "tmpfs", "-o", again + options, "tmpfs", folder]
        if subprocess.run(command, capture_output=True).returncode:
            pytest.skip("mounting a disk is not allowed here")
        return folder

    try:
        yield mount
    finally:
        if os.path.ismount(folder):
            subprocess.run(["umount", folder], check=True)


# --- two at once, kills


@needs_proc
def test_a_second_command_is_refused_by_name_and_a_kill_leaves_no_lock_behind(tmp_path, whole_long):
    out = tmp_path / "out"
    process = start(*LONG, "--out", out)
    wait_for(lambda: finished_runs(out))
    process.send_signal(signal.SIGSTOP)  # held at work for as long as the others take to start
    for again in ((), ("--resume",)):
        refused(srdi(*LONG, "--out", out, *again), f"{out} is in use by process {process.pid} on ", "let it end")
    workers = [psutil.Process(pid) for pid in workers_of(process)]
    process.kill()
    process.communicate()
    _, alive = psutil.wait_procs(workers, timeout=20)
    assert alive == []
    assert (out / LOCK).exists()
    assert resumed(out, LONG_SETTINGS) == whole_long
    assert {path.name for path in out.iterdir()} == {*whole_long, "manifest.json"}


def test_two_resumes_at_the_same_moment_end_with_one_result(tmp_path, whole):
    out = tmp_path / "out"
    stop_after(out, 1)
    processes = [start(*COMMAND, "--workers", "1", "--out", out, "--resume") for _ in range(3)]
    answers = [process.communicate(timeout=120)[1] for process in processes]
    codes = [process.returncode for process in processes]
    # One works; another is refused, or finds the work done.
    assert 0 in codes
    for code, errors in zip(codes, answers, strict=True):
        assert code == 0 or (code == 2 and "is in use by process" in errors), errors
    assert files_of(out) == whole


def test_a_lock_holds_within_one_process_and_goes_with_its_holder(tmp_path):
    folder = tmp_path / "x"
    with (
        lock_directory(folder),
        pytest.raises(InputError, match=f"in use by process {os.getpid()} on"),
        lock_directory(folder),
    ):
        pass
    assert not folder.exists()  # made for the lock, and left empty
    folder.mkdir()
    (folder / LOCK).write_text("1\nelsewhere\n")  # a file alone locks nothing
    with lock_directory(folder):
        assert (folder / LOCK).read_text().split()[0] == str(os.getpid())
    assert list(folder.iterdir()) == []


def test_a_lock_that_does_not_say_who_holds_it_still_holds(tmp_path):
    with lock_directory(tmp_path):
        (tmp_path / LOCK).write_text("")
        with pytest.raises(InputError, match="in use by another process"), lock_directory(tmp_path):
            pass


def test_a_closed_directory_is_read_without_a_lock(tmp_path, whole):
    out = tmp_path / "out"
    run_ensemble(both(), out=out, **SMALL)
    with lock_directory(out):
        assert resumed(out, SMALL) == whole


def test_a_search_in_use_is_refused(tmp_path):
    levers = ("sme_fund", "incubation")
    factors = "".join(f'[factors."levers.{name}.intensity"]\nfrom = 0.0\nto = 2.0\n' for name in levers)
    (tmp_path / "factors.toml").write_text(f'base = "baseline"\n{factors}')
    (tmp_path / "goals.toml").write_text(f'base = "baseline"\n[goals]\nlittle_giants = "max"\n{factors}')
    commands = (("optimize", tmp_path / "goals.toml"), ("sensitivity", "--factors", tmp_path / "factors.toml"))
    with lock_directory(tmp_path / "out"):
        for command in commands:
            answer = srdi(*command, "--scale", "0.001", "--out", tmp_path / "out", "--resume")
            refused(answer, f"in use by process {os.getpid()} on")


# --- Dask


@pytest.fixture
def cluster(tmp_path):
    """One a test: they kill parts of it."""
    with dask_cluster(tmp_path) as found:
        yield found


def test_a_scheduler_that_is_killed_is_named_and_the_runs_go_on_elsewhere(cluster, tmp_path, whole):
    address, workers = cluster
    out = tmp_path / "out"
    (scheduler,) = (child for child in psutil.Process().children() if "dask_scheduler" in " ".join(child.cmdline()))
    begun = time.monotonic()
    with pytest.raises(RunFailed, match=f"scheduler at {address} was lost; continue with another one and resume=True"):
        run_ensemble(both(), out=out, scheduler=address, on_run=scheduler.kill, **SMALL)
    assert time.monotonic() - begun < 60
    assert finished_runs(out)
    for worker in workers:
        worker.wait(timeout=120)  # nobody is left over
    assert resumed(out, SMALL) == whole


def test_a_command_that_is_killed_leaves_the_cluster_to_the_next(cluster, tmp_path, whole_long):
    address, _ = cluster
    out = tmp_path / "out"
    command = (*LONG, "--scheduler", address, "--out", out)
    process = start(*command)
    wait_for(lambda: finished_runs(out))
    process.kill()
    process.communicate()
    kept = len(finished_runs(out))
    answer = srdi(*command, "--resume")
    assert answer.returncode == 0, answer.stderr
    assert kept < 6
    assert files_of(out) == whole_long


# --- disks


def test_a_full_disk_is_said_and_with_room_the_runs_go_on(small_disk, whole):
    out = small_disk("size=160k") / "out"
    answer = srdi(*COMMAND, "--workers", "1", "--out", out)
    refused(
        answer,
        "cannot be written: No space left on device; free some space, then run again",
        code=1,
    )
    answer = srdi(*COMMAND, "--workers", "1", "--out", out, "--resume")
    refused(answer, "No space left on device", code=1)
    small_disk("size=50m")
    assert resumed(out, SMALL) == whole


def test_a_disk_that_is_full_from_the_start_leaves_nothing(small_disk, whole):
    folder = small_disk("size=16k")
    (folder / "filled").write_bytes(b"x" * 12_288)
    refused(srdi(*COMMAND, "--out", folder / "out"), "cannot be written: No space left on device")
    assert [path.name for path in folder.iterdir()] == ["filled"]


def test_a_read_only_disk_is_said_and_what_stands_there_can_be_read(small_disk, whole):
    folder = small_disk("size=50m")
    out, closed = folder / "out", folder / "closed"
    stop_after(out, 2)
    run_ensemble(both(), out=closed, **SMALL)
    kept = finished_runs(out)
    small_disk("ro,size=50m")
    for arguments in ((*COMMAND, "--out", out, "--resume"), (*COMMAND, "--out", folder / "new")):
        refused(srdi(*arguments), "cannot be written: Read-only file system")
    refused(srdi("calibrate", "--out", folder / "fit"), "cannot be written: Read-only file system")
    assert run_ensemble(both(), out=closed, resume=True, **SMALL).manifest["files"] == whole
    small_disk("rw,size=50m")
    assert finished_runs(out) == kept
    assert resumed(out, SMALL) == whole


def test_a_folder_that_is_locked_in_a_run_keeps_what_is_finished(tmp_path, whole):
    """Root is refused by no mode, but by the attribute "immutable"."""
    out = tmp_path / "out"

    def attribute(change):
        return subprocess.run(["chattr", change, out / RUNS], capture_output=True).returncode == 0

    def lock():
        if not attribute("+i"):
            pytest.skip("chattr +i is not allowed here")

    try:
        with pytest.raises(RunFailed, match="runs cannot be written: Operation not permitted"):
            run_ensemble(both(), out=out, on_run=lock, **SMALL)
    finally:
        attribute("-i")
    assert len(finished_runs(out)) == 1
    assert resumed(out, SMALL) == whole


# --- the clock


class ShiftedDate(datetime.datetime):
    """Today, some years away."""

    @classmethod
    def now(cls, tz=None):
        return datetime.datetime.fromtimestamp(time.time(), tz)


@pytest.mark.parametrize("years", [-40, 60])
def test_a_clock_that_jumps_between_run_and_resume_changes_no_bit(tmp_path, monkeypatch, whole, years):
    out = tmp_path / "out"
    stop_after(out, 2)
    shift = years * 365.25 * 86_400
    today, real = datetime.date.today().year, time.time
    for path in (out, *out.rglob("*")):
        os.utime(path, (real() - shift, real() - shift))  # as far on the other side
    monkeypatch.setattr(time, "time", lambda: real() + shift)
    monkeypatch.setattr(scenarios.ensembles.ensemble, "datetime", ShiftedDate)
    results = run_ensemble(both(), out=out, resume=True, **SMALL)
    assert results.manifest["files"] == whole
    assert abs(int(results.manifest["started"][:4]) - today - years) <= 1
    assert results.manifest["seconds"] >= 0
    monkeypatch.undo()
    # What was written in another time is read, resumed and refused as ever.
    assert run_ensemble(both(), out=out, resume=True, **SMALL).manifest == results.manifest


# --- memory


@needs_proc
@pytest.mark.skipif(not hasattr(psutil.Process, "rlimit"), reason="the system has no limit of one process's memory")
def test_workers_without_memory_are_named_and_with_memory_the_runs_go_on(tmp_path, whole_long):
    out = tmp_path / "out"
    process = start(*LONG, "--out", out)
    limited = set()

    def limit():
        with contextlib.suppress(psutil.NoSuchProcess, FileNotFoundError, ProcessLookupError):
            for pid in set(workers_of(process)) - limited:
                worker = psutil.Process(pid)
                # Workers begin with a third of a gigabyte of libraries: no room for a model.
                worker.rlimit(psutil.RLIMIT_AS, (300 << 20, 300 << 20))
                limited.add(pid)
        return process.poll() is not None

    wait_for(limit)
    _, errors = process.communicate()
    assert process.returncode == 1
    assert limited
    assert "fewer" in errors
    assert "smaller" in errors
    assert resumed(out, LONG_SETTINGS) == whole_long


def test_a_run_that_finds_no_memory_says_what_may_help(tmp_path, monkeypatch, whole):
    real, ran = scenarios.ensembles.ensemble.run_job, []

    def hungry(job):
        ran.append(job)
        if len(ran) == 2:
            np.empty(1 << 60, dtype=np.int8)
        return real(job)

    with monkeypatch.context() as patch:
        patch.setattr(scenarios.ensembles.ensemble, "run_job", hungry)
        with pytest.raises(RunFailed, match="replicate 1 ran out of memory; use fewer workers or threads"):
            run_ensemble(both(), out=tmp_path / "out", **SMALL)
    assert run_ensemble(both(), out=tmp_path / "out", resume=True, **SMALL).manifest["files"] == whole


# --- calibrations


@pytest.fixture(scope="module")
def screen(tmp_path_factory):
    """Starts ``srdi calibrate --screen`` with few runs into a directory."""
    script = tmp_path_factory.mktemp("script") / "screen.py"
    script.write_text(SCREEN)

    def begin(out, workers=1):
        command = [sys.executable, script, "calibrate", "--screen", "--scale", "0.001", "--out", out]
        command += ["--workers", str(workers)]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    return begin


def ended(process, code=0):
    _, errors = process.communicate(timeout=300)
    assert process.returncode == code, errors
    assert "Traceback" not in errors
    return errors


def library_of(out):
    """Finished runs of a screening, in the order of their points."""
    (path,) = out.glob("screening-*.jsonl")
    head, *lines = path.read_text().splitlines()
    return [json.loads(head), *sorted(map(json.loads, lines), key=lambda run: run["point"])]


def done_in(out):
    return sum(path.read_bytes().count(b"\n") for path in out.glob("screening-*.jsonl")) - 1


@pytest.fixture(scope="module")
def screened(screen, tmp_path_factory):
    out = tmp_path_factory.mktemp("screened")
    ended(screen(out))
    return library_of(out), (out / "screening.csv").read_bytes()


def kill_and_go_on(process, screen, screened, out):
    """Hold a screening at work, try a second, kill the first within a line, and go on."""
    process.send_signal(signal.SIGSTOP)
    assert f"{out} is in use by process {process.pid} on" in ended(screen(out), code=2)
    process.kill()
    process.communicate()
    assert 0 < done_in(out) < len(screened[0]) - 1
    with next(out.glob("screening-*.jsonl")).open("a") as file:
        file.write('{"point": 7, "val')
    ended(screen(out))
    assert (library_of(out), (out / "screening.csv").read_bytes()) == screened
    assert not (out / LOCK).exists()


def test_a_calibration_is_kept_from_a_second_and_goes_on_after_a_kill(screen, screened, tmp_path):
    process = screen(tmp_path)
    wait_for(lambda: done_in(tmp_path) > 0, seconds=120)
    kill_and_go_on(process, screen, screened, tmp_path)


@needs_proc
def test_a_worker_of_a_calibration_that_dies_costs_a_retry_and_none_is_left_over(screen, screened, tmp_path):
    process = screen(tmp_path, workers=2)
    wait_for(lambda: done_in(tmp_path) > 0, seconds=120)
    os.kill(workers_of(process)[0], signal.SIGKILL)
    seen = done_in(tmp_path)
    wait_for(lambda: done_in(tmp_path) > seen, seconds=120)
    workers = [psutil.Process(pid) for pid in workers_of(process)]
    kill_and_go_on(process, screen, screened, tmp_path)
    _, alive = psutil.wait_procs(workers, timeout=20)
    assert alive == []


def test_a_calibration_on_a_full_disk_says_where_it_stands_and_goes_on(screen, screened, small_disk):
    out = small_disk("size=8k") / "out"  # two pages, of which the lock takes one
    errors = ended(screen(out), code=1)
    assert "No space left on device" in errors
    assert f"finished runs are kept in {out}; the same command resumes from there" in errors
    small_disk("size=50m")
    ended(screen(out))
    assert (library_of(out), (out / "screening.csv").read_bytes()) == screened


def test_a_library_that_could_not_be_begun_can_be_begun_again(tmp_path, monkeypatch):
    design = Design.of(("exit_base",), np.array([[0.01]]), 0.001, np.array([1]))
    path = design.library(tmp_path, "wave")

    def full(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("scenarios.records.storage._sync", full)
        with pytest.raises(OSError, match="No space left"):
            run_library(design, path)
    assert list(tmp_path.iterdir()) == []
    assert np.isfinite(run_library(design, path)).any()


def test_a_whole_fit_that_was_killed_ends_with_the_same_posterior(tmp_path):
    """Killed in the first wave, in a later one and at its end."""
    arguments = ("calibrate", "--scale", "0.03", "--workers", "2", "--first", "60", "--later", "50", "--draws", "200")
    answer = srdi(*arguments, "--out", tmp_path / "whole", timeout=1800)
    assert answer.returncode == 0, answer.stderr
    out = tmp_path / "killed"
    for stage in ("wave-1", "wave-3", "predictive"):
        process = start(*arguments, "--out", out)
        wait_for(lambda stage=stage: any(path.read_bytes().count(b"\n") > 3 for path in out.glob(f"{stage}*")), 600)
        process.kill()
        process.communicate()
    answer = srdi(*arguments, "--out", out, timeout=1800)
    assert answer.returncode == 0, answer.stderr
    one, other = ((folder / "posterior.parquet").read_bytes() for folder in (tmp_path / "whole", out))
    assert one == other
    summaries = [json.loads((folder / "calibration.json").read_text()) for folder in (tmp_path / "whole", out)]
    for summary in summaries:
        for name in ("written", "minutes", "minutes_fit"):
            del summary[name]
    assert summaries[0] == summaries[1]
