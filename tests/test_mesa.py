"""Mesa's habits: memory of closed models, batch_run, imports."""

from __future__ import annotations

import gc
import resource
import subprocess
import sys
from inspect import signature

import mesa
import pytest

from sim.model import SRDIModel
from sim.policy import Policy


def test_fifty_models_in_a_row_do_not_grow_the_process():
    def build():
        SRDIModel(Policy(), scale=0.01, rng=1).close()
        gc.collect()

    for _ in range(5):
        build()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(50):
        build()
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    # One model of 71,000 slots holds over 6 MB; fifty kept ones would show.
    assert grown < 40_000, f"{grown} kB"


def test_batch_run_works_on_the_model():
    parameters = {"scenario": ["baseline", "no-policy"], "scale": 0.001, "until": 2019}
    # Mesa 3.3 takes no seeds here, later versions do.
    seeds = {"rng": [1]} if "rng" in signature(mesa.batch_run).parameters else {}
    rows = mesa.batch_run(SRDIModel, parameters, number_processes=1, display_progress=False, **seeds)
    assert len(rows) == 2
    assert all(row["firms"] > 5e6 for row in rows)


@pytest.mark.parametrize(
    ("statement", "forbidden"),
    [
        ("import sim", {"mesa", "numba", "pandas"}),
        ("import sim.model", {"scenarios", "calibration", "viz", "solara", "matplotlib", "plotly", "altair", "click"}),
        ("import scenarios.cli", {"mesa", "numba", "pandas", "pyarrow", "pydantic", "rich"}),
    ],
)
def test_imports_run_one_way_and_help_loads_little(statement, forbidden):
    code = f"{statement}\nimport sys; print(*sys.modules)"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert not forbidden & set(printed.split())
