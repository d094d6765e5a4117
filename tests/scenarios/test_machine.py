"""Cores and memory: the fewest that the system, the control groups of a container and the scheduler of a job leave."""

from __future__ import annotations

import os

import psutil
import pytest

from scenarios.ensembles import machine
from scenarios.ensembles.machine import cores, memory

GIB = 2**30


@pytest.fixture(autouse=True)
def large(monkeypatch):
    """A machine of 64 cores with 100 GiB free, and no scheduler."""
    for name in (*machine._SCHEDULER_CORES, "PYTHON_CPU_COUNT", "SLURM_MEM_PER_NODE", "SLURM_MEM_PER_CPU"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(machine, "_python_cores", lambda: 64)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: type("Room", (), {"available": 100 * GIB}))


@pytest.fixture
def system(tmp_path):
    """Writes files of ``proc`` and ``sys`` into a folder, by path below ``sys/fs/cgroup``; gives the folder."""

    def write(groups, files):
        (tmp_path / "proc/self").mkdir(parents=True, exist_ok=True)
        (tmp_path / "proc/self/cgroup").write_text("".join(f"{line}\n" for line in groups))
        for name, text in files.items():
            path = tmp_path / "sys/fs/cgroup" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"{text}\n")
        return tmp_path

    return write


def test_without_limits_the_machine_is_taken(system, tmp_path):
    assert (cores(tmp_path), memory(tmp_path)) == (64, 100 * GIB)  # no Linux
    root = system(["0::/user.slice"], {"cpu.max": "max 100000", "user.slice/memory.max": "max"})
    assert (cores(root), memory(root)) == (64, 100 * GIB)


@pytest.mark.parametrize(
    ("quota", "count"), [("200000 100000", 2), ("50000 100000", 1), ("1000 100000", 1), ("250000 100000", 3), ("", 64)]
)
def test_a_quota_of_cores_is_rounded_up(system, quota, count):
    assert cores(system(["0::/"], {"cpu.max": quota})) == count  # in a container its own group is the root


def test_the_least_of_all_groups_above_counts(system):
    files = {
        "pods/cpu.max": "300000 100000",
        "pods/one/cpu.max": "800000 100000",
        "pods/memory.max": 6 * GIB,
        "pods/memory.current": 5 * GIB,
        "pods/memory.stat": f"anon {3 * GIB}\ninactive_file {2 * GIB}",
        "pods/one/memory.max": 4 * GIB,
        "pods/one/memory.current": GIB // 2,
    }
    root = system(["0::/pods/one"], files)
    assert cores(root) == 3
    assert memory(root) == 3 * GIB  # of 6, 5 are used, but 2 of these by files alone
    (root / "sys/fs/cgroup/pods/one/memory.high").write_text(f"{2 * GIB}")
    assert memory(root) == 1.5 * GIB


def test_groups_of_version_1(system):
    files = {
        "cpu,cpuacct/docker/a/cpu.cfs_quota_us": 150_000,
        "cpu,cpuacct/docker/a/cpu.cfs_period_us": 100_000,
        "cpu,cpuacct/docker/cpu.cfs_quota_us": -1,
        "cpu,cpuacct/docker/cpu.cfs_period_us": 100_000,
        "memory/docker/a/memory.limit_in_bytes": 4 * GIB,
        "memory/docker/a/memory.usage_in_bytes": 2 * GIB,
        "memory/docker/a/memory.stat": f"inactive_file 1\ntotal_inactive_file {GIB}",
        "memory/memory.limit_in_bytes": 9223372036854771712,
    }
    root = system(["5:cpu,cpuacct:/docker/a", "4:memory:/docker/a", "1:name=systemd:/docker/a", "0::/"], files)
    assert (cores(root), memory(root)) == (2, 3 * GIB)


def test_a_container_that_sees_paths_of_outside(system):
    """Without a namespace of its own: the path is that of the host, the container's group is mounted as the root."""
    files = {
        "cpu/cpu.cfs_quota_us": 200_000,
        "cpu/cpu.cfs_period_us": 100_000,
        "memory/memory.limit_in_bytes": GIB,
        "memory/memory.usage_in_bytes": 2 * GIB,
    }
    root = system(["3:cpu:/docker/b", "2:memory:/docker/b"], files)
    assert (cores(root), memory(root)) == (2, 0)


@pytest.mark.parametrize("name", machine._SCHEDULER_CORES)
def test_a_scheduler_of_jobs_is_heeded(monkeypatch, tmp_path, name):
    monkeypatch.setenv(name, "7")
    assert cores(tmp_path) == 7
    monkeypatch.setenv(name, "what is no number")
    assert cores(tmp_path) == 64


def test_the_memory_of_a_job_is_heeded(monkeypatch, tmp_path):
    monkeypatch.setenv("SLURM_MEM_PER_NODE", "2048")
    assert memory(tmp_path) == 2 * GIB
    monkeypatch.setenv("SLURM_MEM_PER_CPU", "512")
    monkeypatch.setenv("SLURM_CPUS_ON_NODE", "3")
    assert memory(tmp_path) == 1.5 * GIB


def test_python_counts_what_the_system_lets_it_use(monkeypatch):
    monkeypatch.undo()
    monkeypatch.delenv("PYTHON_CPU_COUNT", raising=False)
    if hasattr(os, "sched_getaffinity"):
        all_cores = os.sched_getaffinity(0)
        os.sched_setaffinity(0, {min(all_cores)})
        try:
            assert machine._python_cores() == 1
        finally:
            os.sched_setaffinity(0, all_cores)
        assert machine._python_cores() == len(all_cores)
