"""The documented ways to a SLURM cluster, on a real one of one node: the bits made here, also if a job is ended."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from command_line import wait_for
from conftest import both, unwatched

from scenarios import load_results, run_ensemble
from scenarios.records.layout import RUNS

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not all(map(shutil.which, ("munged", "slurmctld", "slurmd"))) or os.getuid() != 0,
        reason="needs SLURM and MUNGE, and to be the superuser",
    ),
]

DOCUMENT = (Path(__file__).parents[2] / "docs" / "experiments.md").read_text(encoding="utf-8")
SMALL = {"replicates": 4, "scale": 0.005, "until": 2024}

CONFIGURATION = """
ClusterName=one
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
MpiDefault=none
ReturnToService=2
NodeName={host} NodeAddr=127.0.0.1 CPUs=2 RealMemory=4000
PartitionName=normal Nodes={host} Default=YES State=UP
"""


def free_port():
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return listening.getsockname()[1]


@pytest.fixture(scope="module")
def slurm(tmp_path_factory):
    """Environment of commands for a cluster of this machine alone, with keys, ports and folders of its own."""
    folder = tmp_path_factory.mktemp("slurm")
    key = folder / "key"
    key.touch(mode=0o600)
    key.write_bytes(os.urandom(64))
    settings = {"host": socket.gethostname(), "ports": (free_port(), free_port()), "folder": folder}
    configuration = folder / "slurm.conf"
    configuration.write_text(CONFIGURATION.format(**settings))
    # Commands of the project are found by name on the node, as after an installation.
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = unwatched() | {"SLURM_CONF": str(configuration), "PATH": path}
    files = {
        "key-file": key,
        "socket": folder / "munge",
        "pid-file": folder / "munged.pid",
        "seed-file": folder / "seed",
    }
    munged = ["munged", "--foreground", "--force", *(f"--{name}={file}" for name, file in files.items())]
    daemons = []

    def begin(*command):
        log = (folder / f"{command[0]}.log").open("w")
        daemons.append(subprocess.Popen(command, env=environment, stdout=log, stderr=log))

    try:
        begin(*munged, f"--log-file={folder / 'munged.out'}")
        wait_for((folder / "munge").exists)
        begin("slurmctld", "-D", "-f", configuration)
        begin("slurmd", "-D", "-f", configuration)
        wait_for(lambda: "idle" in asked(environment, "sinfo", "--noheader", "--format=%T"))
        yield environment
    finally:
        for daemon in reversed(daemons):
            daemon.terminate()
            daemon.wait()


def asked(environment, *command):
    return subprocess.run(command, env=environment, capture_output=True, text=True).stdout


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return run_ensemble(both(), out=tmp_path_factory.mktemp("whole") / "out", workers=1, **SMALL).manifest["files"]


def documented(language, mark, changes):
    """The block of the document that holds a mark, made small enough for one node and a test."""
    (block,) = (text for text in re.findall(rf"```{language}\n(.*?)```", DOCUMENT, re.DOTALL) if mark in text)
    for old, new in changes.items():
        assert old in block
        block = block.replace(old, new)
    return block


def test_the_documented_cluster_of_jobs_gives_the_bits_of_this_machine(slurm, tmp_path, whole):
    changes = {
        "cores=32, processes=32": "cores=2, processes=2",
        "64GB": "3GB",
        "jobs=4": "jobs=1",
        "replicates=2000": "replicates=4",
        "scale=0.1": "scale=0.005, until=2024",
    }
    (tmp_path / "script.py").write_text(documented("python", "SLURMCluster", changes))
    answer = subprocess.run(
        [sys.executable, "script.py"], cwd=tmp_path, env=slurm, capture_output=True, text=True, timeout=300
    )
    assert answer.returncode == 0, answer.stderr
    assert load_results(tmp_path / "results" / "large").manifest["files"] == whole
    wait_for(lambda: not asked(slurm, "squeue", "--noheader"))  # its jobs end with it


def test_the_documented_job_that_is_ended_goes_on_when_it_is_submitted_again(slurm, tmp_path, whole):
    changes = {
        "--cpus-per-task=32": "--cpus-per-task=2",
        "64G": "3G",
        "--replicates 2000 --scale 0.1": "--replicates 4 --scale 0.005 --until 2024",
    }
    (tmp_path / "job.sh").write_text(documented("sh", "#SBATCH", changes))
    out, log = tmp_path / "results" / "large", tmp_path / "log"

    def submitted():
        return asked(
            slurm, "sbatch", "--parsable", f"--chdir={tmp_path}", f"--output={log}", tmp_path / "job.sh"
        ).strip()

    job = submitted()
    wait_for(lambda: any((out / RUNS).glob("*.zip")), seconds=120)
    asked(slurm, "scancel", job)
    wait_for(lambda: not asked(slurm, "squeue", "--noheader"))
    assert "finished runs are kept in results/large/runs; --resume continues from there" in log.read_text()
    assert "Traceback" not in log.read_text()
    submitted()
    wait_for((out / "manifest.json").exists, seconds=120)
    wait_for(lambda: not asked(slurm, "squeue", "--noheader"))
    assert load_results(out).manifest["files"] == whole
