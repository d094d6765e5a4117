"""Interrupted ensembles go on where they stopped and end with the same bits; what is wrong is found and said."""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import psutil
import pytest
from command_line import srdi, start, wait_for
from conftest import both, unwatched

import scenarios.ensembles.ensemble
from scenarios import InputError, RunFailed, load_results, load_scenario, run_ensemble
from scenarios.ensembles.packing import DamagedRun, check_run, unpack
from scenarios.ensembles.parameter_draws import read_parameter_draws
from scenarios.ensembles.rerun import rerun
from scenarios.records.layout import PLAN, RUNS
from sim.records.outputs import TABLES

SMALL = {"replicates": 2, "scale": 0.001, "until": 2020, "workers": 1}
COMMAND = ("run", "baseline", "no-policy", "--replicates", "4", "--seed", "7", "--scale", "0.001", "--until", "2021")


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return run_ensemble(both(), out=tmp_path_factory.mktemp("whole") / "results", **SMALL)


@pytest.fixture
def stopped(tmp_path, monkeypatch):
    """A directory whose ensemble stopped after three of four runs."""
    out, done = tmp_path / "stopped", []

    def stops(job):
        if len(done) == 3:
            raise KeyboardInterrupt
        done.append(job)
        return real(job)

    real = scenarios.ensembles.ensemble.run_job
    with monkeypatch.context() as patch:
        patch.setattr(scenarios.ensembles.ensemble, "run_job", stops)
        with pytest.raises(KeyboardInterrupt):
            run_ensemble(both(), out=out, **SMALL)
    return out


def runs_of(out):
    return sorted((out / RUNS).glob("*.zip"))


def counted(monkeypatch) -> list:
    """The jobs that are run from now on."""
    ran, real = [], scenarios.ensembles.ensemble.run_job
    monkeypatch.setattr(scenarios.ensembles.ensemble, "run_job", lambda job: ran.append(job) or real(job))
    return ran


def test_resume_runs_only_what_is_missing_and_gives_the_same_bits(whole, stopped, monkeypatch):
    ran = counted(monkeypatch)
    steps = []
    again = run_ensemble(
        both(), out=stopped, resume=True, on_start=steps.append, on_run=lambda: steps.append("run"), **SMALL
    )
    assert [str(job) for job in ran] == ["scenario no-policy, replicate 1"]
    assert steps == [4, *["run"] * 4]
    assert again.manifest["files"] == whole.manifest["files"]
    assert not (stopped / RUNS).exists()


def test_resume_of_a_finished_ensemble_runs_nothing(whole, monkeypatch):
    ran = counted(monkeypatch)
    again = run_ensemble(both(), out=whole.path, resume=True, **SMALL)
    assert ran == []
    assert again.manifest == whole.manifest


def test_resume_begins_where_there_is_nothing_yet(tmp_path):
    (tmp_path / "empty").mkdir()
    for name in ("empty", "absent"):
        results = run_ensemble([load_scenario("baseline")], out=tmp_path / name, resume=True, **SMALL)
        assert len(results.national["replicate"].unique()) == 2


@pytest.mark.parametrize("spoil", ["cut", "flip", "empty"])
def test_a_damaged_run_is_named_and_run_again(whole, stopped, monkeypatch, capsys, spoil):
    path = runs_of(stopped)[0]
    content = bytearray(path.read_bytes())
    if spoil == "flip":
        content[len(content) // 2] ^= 1
    path.write_bytes({"cut": content[: len(content) // 2], "flip": content, "empty": b""}[spoil])
    ran = counted(monkeypatch)
    again = run_ensemble(both(), out=stopped, resume=True, **SMALL)
    assert len(ran) == 2
    assert f"{path} is damaged; it is run again" in capsys.readouterr().err
    assert again.manifest["files"] == whole.manifest["files"]


def test_every_flipped_byte_of_a_run_is_found(stopped):
    path = runs_of(stopped)[0]
    content = path.read_bytes()
    for place in np.linspace(0, len(content) - 1, 50).astype(int):
        changed = bytearray(content)
        changed[place] ^= 0xFF
        path.write_bytes(changed)
        try:
            check_run(path, tuple(TABLES))
        except DamagedRun:
            continue
        # What neither a reader nor a checksum sees: the tables are those of before.
        before, after = (_tables(path, bytes_) for bytes_ in (content, changed))
        assert before == after


def _tables(path, content):
    path.write_bytes(content)
    return [unpack(path, name) for name in TABLES]


def test_a_draft_left_by_a_kill_is_no_run(stopped):
    draft = stopped / RUNS / f".{runs_of(stopped)[0].name}.1.tmp"
    draft.write_bytes(b"half")
    run_ensemble(both(), out=stopped, resume=True, **SMALL)
    assert not draft.exists()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"replicates": 3}, "replicates was 2, now 3"),
        ({"scale": 0.002}, "scale was 0.001, now 0.002"),
        ({"firms_panel": 5}, "firms_panel was 0, now 5"),
    ],
)
def test_resume_refuses_other_settings(stopped, change, words):
    kept = [path.read_bytes() for path in runs_of(stopped)]
    with pytest.raises(InputError, match=words):
        run_ensemble(both(), out=stopped, resume=True, **(SMALL | change))
    assert [path.read_bytes() for path in runs_of(stopped)] == kept


def test_resume_refuses_a_changed_scenario_and_says_where(stopped):
    changed = [both()[0], load_scenario("no-policy", ("rules.srdi.rd_intensity_min=0.05",))]
    with pytest.raises(InputError, match=r"scenarios\.no-policy\.rules\.srdi\.rd_intensity_min was 0\.03, now 0\.05"):
        run_ensemble(changed, out=stopped, resume=True, **SMALL)


def test_resume_refuses_another_version_of_the_model(stopped, monkeypatch):
    monkeypatch.setattr(scenarios.ensembles.ensemble, "model_checksum", lambda: "other")
    with pytest.raises(InputError, match="model has changed"):
        run_ensemble(both(), out=stopped, resume=True, **SMALL)


def test_resume_refuses_a_damaged_or_missing_plan(stopped):
    plan = stopped / RUNS / PLAN
    plan.write_text("{")
    with pytest.raises(InputError, match=r"plan\.json is damaged"):
        run_ensemble(both(), out=stopped, resume=True, **SMALL)
    plan.unlink()
    with pytest.raises(InputError, match=r"plan\.json is missing"):
        run_ensemble(both(), out=stopped, resume=True, **SMALL)
    assert len(runs_of(stopped)) == 3


def test_resume_removes_nothing_that_is_not_its_own(tmp_path):
    (tmp_path / RUNS).mkdir()
    (tmp_path / RUNS / "thesis.csv").write_text("mine")
    for resume, words in ((True, "not known"), (False, "choose a new directory")):
        with pytest.raises(InputError, match=words):
            run_ensemble(both(), out=tmp_path, resume=resume, **SMALL)
    assert (tmp_path / RUNS / "thesis.csv").read_text() == "mine"


def test_an_interrupted_directory_is_not_overwritten_without_resume(stopped):
    with pytest.raises(InputError, match=r"add resume=True \(--resume\) to finish the ensemble in it"):
        run_ensemble(both(), out=stopped, **SMALL)
    assert len(runs_of(stopped)) == 3


def test_resume_without_a_directory_is_refused():
    found = srdi("run", "baseline", "--resume")
    assert found.returncode == 2
    assert "--resume needs --out DIR" in found.stderr


# --- killed, out of room


def test_killed_at_a_random_moment_it_ends_with_the_same_bits(tmp_path):
    _kill_and_resume(tmp_path, times=1)


@pytest.mark.slow
def test_killed_fifty_times_it_ends_fifty_times_with_the_same_bits(tmp_path):
    _kill_and_resume(tmp_path, times=50)


def _kill_and_resume(folder, times):
    settings = {"replicates": 4, "seed": 7, "scale": 0.001, "until": 2021, "workers": 1}
    files = run_ensemble(both(), out=folder / "whole", **settings).manifest["files"]
    kept = []
    for number, moment in enumerate(np.random.default_rng(1).uniform(0.0, 8.0, times)):
        out = folder / str(number)
        _kill(start(*COMMAND, "--workers", "2", "--out", out), out, moment)
        kept.append(len(runs_of(out)))
        answer = srdi(*COMMAND, "--workers", "1", "--out", out, "--resume")
        assert answer.returncode == 0, answer.stderr
        assert load_results(out).manifest["files"] == files, (number, moment, kept)
        assert {path.name for path in out.iterdir()} == {*files, "manifest.json"}
        shutil.rmtree(out)
    # Of many kills some came between the first run and the last.
    assert times < 10 or sum(0 < runs < 8 for runs in kept) >= times // 10, kept


def _kill(process, out, moment):
    """Kill a command after so many runs and part of the next one, if it is not done by then."""
    wait_for(lambda: len(runs_of(out)) >= int(moment) or process.poll() is not None)
    time.sleep(moment % 1.0 * 0.2)
    if process.poll() is None:
        workers = psutil.Process(process.pid).children(recursive=True)
        process.kill()
        process.wait()
        # Workers go with the process that started them, however it went.
        _, alive = psutil.wait_procs(workers, timeout=20)
        assert alive == []
    process.communicate()


def test_a_full_disk_is_said_and_what_is_finished_is_kept(whole, tmp_path):
    room = max(path.stat().st_size for path in whole.path.glob("*.parquet")) - 1

    def little_room():
        # A limit on the size of a file stands for a full disk: the same call fails, in the same place.
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))

    small = ("--replicates", "2", "--scale", "0.001", "--until", "2020", "--workers", "1", "--out", tmp_path / "full")
    command = ("run", "baseline", "no-policy", *small)
    run = subprocess.run(
        [sys.executable, "-m", "scenarios.cli", *command],
        capture_output=True, text=True, timeout=300, preexec_fn=little_room, env=unwatched(),
    )  # fmt: skip
    assert run.returncode == 1
    assert "cannot be written: File too large; free some space, then run again with resume=True" in run.stderr
    assert "Traceback" not in run.stderr
    assert srdi(*command, "--resume", "--json").returncode == 0
    assert load_results(tmp_path / "full").manifest["files"] == whole.manifest["files"]


def test_a_run_that_cannot_be_stored_names_the_folder(tmp_path, monkeypatch):
    real = os.replace

    def full(draft, path):
        if str(path).endswith(".zip"):
            raise OSError(28, "No space left on device")
        real(draft, path)

    monkeypatch.setattr("scenarios.records.storage.os.replace", full)
    with pytest.raises(RunFailed, match="No space left on device; free some space, then run again"):
        run_ensemble(both(), out=tmp_path / "x", **SMALL)


# --- run again


def test_a_rerun_from_the_manifest_gives_the_same_bits(whole, tmp_path):
    found = rerun(whole, tmp_path / "again", workers=1)
    assert found.other == ()
    assert set(found.same) == set(whole.manifest["files"])
    assert found.changed == ()


@pytest.mark.parametrize("crossed", [None, 2])
def test_a_rerun_needs_no_file_of_draws(tmp_path, crossed):
    draws = read_parameter_draws("posterior")
    first = run_ensemble(both(), out=tmp_path / "first", draws=draws, crossed_draws=crossed, **SMALL)
    assert first.manifest["runs"] == 4 * (crossed or 1)
    assert set(first.national["draw"]) == {1, 2}
    assert first.parameter_draws.to_numpy().tolist() == draws.values[:2].tolist()
    assert rerun(first, tmp_path / "again", workers=1).other == ()


def test_a_rerun_finds_other_bits(whole, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(whole.path, copy)
    manifest = json.loads((copy / "manifest.json").read_text())
    manifest["seed"] = 2
    manifest["versions"]["numpy"] = "0"
    (copy / "manifest.json").write_text(json.dumps(manifest))
    found = rerun(load_results(copy), tmp_path / "again", workers=1)
    assert "national.parquet" in found.other
    assert any(text.startswith("versions.numpy was") for text in found.changed)
