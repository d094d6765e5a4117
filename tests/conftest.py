"""Shared fixtures and helpers: small runs and ways to build models, scenarios for ensembles, a Dask cluster."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager

from platformdirs import user_cache_path

# Tests run side by side. Threads that wait for each other would keep the cores from other tests (the miniature fit took
# thirty times as long), and a worker process takes as long to start as most runs here. Read at the first import.
os.environ["NUMBA_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = os.environ["PYTHON_CPU_COUNT"] = "1"

# Without bytecode, each process recompiles every package, which is most of its start-up time. If none is wanted beside
# the sources, it goes to a separate folder.
if sys.dont_write_bytecode:
    sys.dont_write_bytecode = False
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.pycache_prefix = os.environ["PYTHONPYCACHEPREFIX"] = str(user_cache_path("srdi-tests") / "bytecode")

import numpy as np
import pandas as pd
import pytest
from filelock import FileLock
from hypothesis import settings

from scenarios import load_scenario
from scenarios.files.schema import Scenario
from scenarios.records.export import FORMATS, export
from sim.flows import Flow
from sim.levers import Levers
from sim.model import SRDIModel
from sim.numerics.kernel_cache import cache_folder
from sim.policy import Policy
from sim.records.outputs import TABLES
from sim.warmup import warm_up

# Before tests import them: their failed comparisons are printed with both sides, as those of tests are.
pytest.register_assert_rewrite("accounts", "by_hand", "hostile")

# Compilation would break any deadline, and a suite must say the same on every run.
settings.register_profile("steady", deadline=None, derandomize=True)
settings.load_profile("steady")

# A shell that starts the suite in the background has it ignore interrupts, which commands under test would inherit.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

#: Files that take longest; they begin first, or a worker would be left alone with one of them at the end.
LONGEST = (
    "test_tutorial.py",
    "test_calibration.py",
    "test_cli.py",
    "test_pages.py",
    "test_resume.py",
    "test_processes.py",
    "test_lever_effects.py",
    "test_properties.py",
    "test_cluster.py",
    "test_examples.py",
    "test_policy_page.py",
    "test_hostile_pages.py",
)


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: item.path.name not in LONGEST)


#: Before more tests than these, the kernels are compiled once: otherwise each worker and server would compile them all.
MANY = 300


def pytest_collection_finish(session):
    folder = cache_folder()
    if len(session.items) > MANY and folder:
        done = folder / f"tests-{os.environ.get('PYTEST_XDIST_TESTRUNUID', os.getpid())}"
        with FileLock(folder / "tests.lock"):
            if not done.exists():
                warm_up()  # of these very files: what another checkout compiled may be of no use here
                done.touch()


#: Small enough for seconds, large enough for every tier to be populated.
SCALE = 0.01


def levers(**windows) -> Levers:
    """Levers by name, each switched on with the given settings."""
    return Levers.model_validate({name: {"enabled": True, **settings} for name, settings in windows.items()})


#: The levers of the baseline, at their defaults.
REPORTED_LEVERS = levers(little_giant_awards={}, digital_empowerment={}, cluster_recognition={})
#: Every lever, from a date on that lets short runs see it.
ALL_LEVERS = levers(**{name: {"start": "2021Q3", "end": "2030Q4"} for name in Levers.model_fields})


#: A scenario file with a lever that acts within a short run.
EARLY = """
schema = 1
name = "early"
extends = "baseline"
[levers.incubation]
start = "2019Q1"
end = "2021Q4"
"""


def listings(policy: Policy, places: float, since: int, until: int) -> float:
    """Listings from the year `since` on, in real firms, where firms are eager and the exchanges have so many places."""
    eager = {"listing_rate": 0.05, "listing_srdi": 1.0, "listing_places": places}
    model, found = SRDIModel(policy.model_copy(update={"parameters": eager}), scale=0.05, rng=1, until=until), 0
    while model.running:
        model.step()
        found += model.flows[..., Flow.listings].sum() * (model.quarter.year >= since)
    return found / model.scale


def unwatched() -> dict[str, str]:
    """The environment without a measurement of coverage, for processes that it would disturb or that run other code."""
    return {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")}


def both() -> list[Scenario]:
    """Two scenarios for an ensemble."""
    return [load_scenario("baseline"), load_scenario("no-policy")]


def export_all(results, folder):
    """A results directory in every format, each in a folder of its own."""
    for form in FORMATS:
        export(results, form, folder / form)
    return folder


def run(policy: Policy | None = None, **arguments) -> SRDIModel:
    """A model run to its end."""
    model = SRDIModel(policy or Policy(), **{"scale": SCALE, "rng": 1, "until": 2022, **arguments})
    model.run_model()
    return model


def frame(model: SRDIModel, table: str = "national") -> pd.DataFrame:
    """One of a model's tables as a pandas frame."""
    return pd.DataFrame(model.tables()[table])


def tables_equal(one: SRDIModel, other: SRDIModel, until: str | None = None, without=()) -> bool:
    """Whether two runs' tables hold the same values, rows before the date `until` only if one is given."""
    for name in set(TABLES) - set(without):
        left, right = frame(one, name), frame(other, name)
        if until:
            left, right = (part[part["quarter"] < np.datetime64(until)] for part in (left, right))
        if len(left) != len(right) or (len(left) and not left.equals(right)):
            return False
    return True


@pytest.fixture(scope="session")
def baseline() -> SRDIModel:
    """The baseline's levers on, to the end of 2027; read only."""
    return run(Policy(levers=REPORTED_LEVERS), until=2027)


@pytest.fixture(scope="module")
def runner(request):
    """Makes the page's runs, with the SCALE, MEMBERS and UNTIL of the test module."""
    from viz.live.runner import Runner

    module = request.module
    return Runner(scale=module.SCALE, members=module.MEMBERS, until=module.UNTIL, cores=2)


@contextmanager
def dask_cluster(folder):
    """Address of a scheduler on loopback, and its two workers as processes."""
    file = folder / "scheduler.json"
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": folder}
    dask = (sys.executable, "-m", "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0")
    processes = [subprocess.Popen([*dask, "--no-dashboard", "--scheduler-file", file], **quiet)]
    worker = (sys.executable, "-m", "distributed.cli.dask_worker", "--scheduler-file", file, "--nthreads", "1")
    try:
        workers = [subprocess.Popen([*worker, "--no-nanny", "--no-dashboard"], **quiet) for _ in range(2)]
        processes += workers
        yield _address(file), workers
    finally:
        for process in processes:
            process.kill()
            process.wait()


def _address(file):
    """Address of a scheduler once two workers have come."""
    from distributed import Client

    until = time.monotonic() + 60
    while not file.exists() and time.monotonic() < until:
        time.sleep(0.1)
    with Client(scheduler_file=str(file), set_as_default=False) as client:
        client.wait_for_workers(2, timeout=60)
        return client.scheduler.address
