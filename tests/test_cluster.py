"""The same runs on a real Dask cluster: the same bits, also when a worker dies."""

from __future__ import annotations

import os
import signal
import time

import pytest
from conftest import both

from scenarios import InputError, run_ensemble

SMALL = {"replicates": 6, "scale": 0.002, "until": 2030}


def _tasks_of(address):
    """How many tasks each worker holds."""
    from distributed import Client

    with Client(address, set_as_default=False) as client:
        return [len(tasks) for tasks in client.processing().values()]


def test_a_cluster_gives_the_bits_of_this_machine_though_a_worker_dies(cluster, tmp_path):
    address, workers = cluster
    here = run_ensemble(both(), out=tmp_path / "here", workers=1, **SMALL)
    done, held = [], []

    def on_run():
        done.append(time.monotonic())
        if len(done) == 1:
            held.extend(_tasks_of(address))
            os.kill(workers[0].pid, signal.SIGKILL)

    there = run_ensemble(both(), out=tmp_path / "there", scheduler=address, on_run=on_run, **SMALL)
    assert len(held) == 2
    assert min(held) > 0  # the worker that died held runs
    assert len(done) == 12
    assert workers[0].poll() == -signal.SIGKILL
    assert there.manifest["files"] == here.manifest["files"]


def test_a_cluster_with_another_version_of_the_model_is_refused(cluster, tmp_path, monkeypatch):
    address, _ = cluster
    monkeypatch.setattr("scenarios.ensembles.ensemble.model_checksum", lambda: "of another version")
    with pytest.raises(InputError, match="another version of the model"):
        run_ensemble(both(), out=tmp_path / "x", scheduler=address, **SMALL)
    assert not (tmp_path / "x").exists()


def test_a_cluster_with_other_packages_is_refused(cluster, tmp_path, monkeypatch):
    address, _ = cluster
    monkeypatch.setattr("scenarios.ensembles.ensemble.versions", lambda: {"numpy": "0.1"})
    with pytest.raises(InputError, match=r"other packages than this machine: python is new|numpy was \"0\.1\""):
        run_ensemble(both(), out=tmp_path / "x", scheduler=address, **SMALL)


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:9", "nonsense"])
def test_a_scheduler_that_does_not_answer_is_said(tmp_path, monkeypatch, address):
    monkeypatch.setattr("scenarios.ensembles.processes._ANSWER", 1)
    with pytest.raises(InputError, match=f"no Dask scheduler answers at {address}"):
        run_ensemble(both(), out=tmp_path / "x", scheduler=address, **SMALL)
    assert not (tmp_path / "x").exists()
