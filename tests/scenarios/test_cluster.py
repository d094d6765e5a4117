"""The same runs on a real Dask cluster: the same bits, also when a worker dies."""

from __future__ import annotations

import os
import signal
import time

import pytest
from conftest import both, dask_cluster

from scenarios import InputError, run_ensemble

SMALL = {"replicates": 6, "scale": 0.002, "until": 2030}


def _tasks_of(address):
    """How many tasks each worker holds."""
    from distributed import Client

    with Client(address, set_as_default=False) as client:
        return [len(tasks) for tasks in client.processing().values()]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    with dask_cluster(tmp_path_factory.mktemp("cluster")) as found:
        yield found


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


# Last of those with the cluster: it kills a worker of it.
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


def test_a_scheduler_that_does_not_answer_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr("scenarios.ensembles.processes._TIMEOUT_S", 1)
    with pytest.raises(InputError, match=r"no Dask scheduler answers at tcp://127\.0\.0\.1:9: "):
        run_ensemble(both(), out=tmp_path / "x", scheduler="tcp://127.0.0.1:9", **SMALL)
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize("address", ["nonsense", "tcp://h", "htp://127.0.0.1:8786", "tcp://[::1:8786"])
def test_what_is_no_address_of_a_scheduler_is_refused_before_a_client_is_made(tmp_path, monkeypatch, address):
    """A client that fails in its constructor is closed when it is collected, which prints a traceback 20 s later."""
    made = []
    monkeypatch.setattr("distributed.Client", lambda *arguments, **options: made.append(arguments))
    with pytest.raises(InputError) as refused:
        run_ensemble(both(), out=tmp_path / "x", scheduler=address, **SMALL)
    assert str(refused.value).startswith(f"no Dask scheduler answers at {address}: ")
    assert made == []
    assert not (tmp_path / "x").exists()
