"""Mesa's habits: memory, numbers of agents, steps, generators, batch_run, imports."""

from __future__ import annotations

import copy
import functools
import gc
import pickle
import resource
import subprocess
import sys
import warnings
import weakref
from inspect import signature
from typing import ClassVar

import mesa
import numpy as np
import pandas as pd
import pytest
from conftest import tables_equal

from sim.branching import branch
from sim.institutions.cluster import Cluster
from sim.institutions.institution import Institution
from sim.model import SRDIModel
from sim.policy import Policy

#: What no run can make smaller.
TINY = {"scale": 0.0005, "until": 2019}


@pytest.mark.parametrize("let_go", [SRDIModel.close, pytest.param(lambda model: None, marks=pytest.mark.slow)])
def test_models_in_a_row_do_not_grow_the_process(let_go):
    def build():
        let_go(SRDIModel(Policy(), scale=0.01, rng=1))
        gc.collect()

    for _ in range(3):
        build()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(12):
        build()
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    # One model of 71,000 slots holds over 6 MB; twelve kept ones would show.
    assert grown < 40_000, f"{grown} kB"


class Unfinished(SRDIModel):
    """A model that fails after everything but the first record is built."""

    made: ClassVar[list[weakref.ref]] = []

    def _record(self):
        self.made.append(weakref.ref(self))
        raise RuntimeError("no record")


def freed(made):
    gc.collect()
    return all(each() is None for each in made)


@pytest.mark.parametrize("threads", [1, 2])
def test_what_nobody_holds_is_freed(threads):
    model = SRDIModel("baseline", **TINY, threads=threads)
    models = [model, copy.deepcopy(model), pickle.loads(pickle.dumps(model)), branch(model, model.policy)]
    for each in models:
        each.run_model()
    made = [weakref.ref(part) for each in models for part in (each, each.firms.columns.revenue, each.ministry)]
    del model, models, each
    assert freed(made)


def test_a_model_that_failed_to_begin_is_freed():
    with pytest.raises(RuntimeError, match="no record"):
        Unfinished(Policy(), **TINY)
    assert Unfinished.made
    assert freed(Unfinished.made)


def test_agents_are_numbered_from_one_in_every_model_and_in_its_copies():
    """Mesa 3.3 would begin anew in a copy."""
    model = SRDIModel("baseline", scale=0.0005, until=2023, rng=1)
    copied = copy.deepcopy(model)
    for each in (model, copied):
        each.run_model()
        Institution(each)
        assert len(each.agents_by_type[Cluster]) > 100
        assert [agent.unique_id for agent in each.agents] == list(range(1, len(each.agents) + 1))


def test_steps_end_with_the_run():
    model = SRDIModel(Policy(), **TINY)
    model.run_model()
    rows = len(model.datacollector.get_model_vars_dataframe())
    for _ in range(3):
        model.step()
    model.run_model()
    if hasattr(model, "run_for"):  # from Mesa 3.5 on
        model.run_for(3)
    assert (model.steps, rows) == (4, 5)
    assert len(model.datacollector.get_model_vars_dataframe()) == rows
    model.close()
    model.step()
    model.run_model()
    assert model.steps == 4


def test_a_closed_model_stands_still():
    model = SRDIModel(Policy(), **TINY)
    model.step()
    model.close()
    model.close()
    model.step()
    model.run_model()
    assert model.steps == 1


def test_no_draw_of_the_model_is_one_of_mesas_generators():
    one, other = (SRDIModel("baseline", **TINY, rng=1) for _ in range(2))
    assert one.random.random() == other.random.random()
    one.random.random(), one.rng.random(100), one.agents.shuffle(inplace=True)
    for model in (one, other):
        model.run_model()
    assert tables_equal(one, other)
    for reset in (one.reset_rng, one.reset_randomizer):
        for arguments in ((), (3,)):
            with pytest.raises(NotImplementedError, match="make another SRDIModel with rng="):
                reset(*arguments)


def test_collected_columns_are_numbers_and_agents_have_none():
    model = SRDIModel("baseline", **TINY, rng=7)
    model.run_model()
    collected = model.datacollector.get_model_vars_dataframe()
    assert set(collected.drop(columns=["quarter", "seed"]).dtypes) == {np.dtype("float64")}
    with pytest.raises(UserWarning, match="No agent reporters"):
        model.datacollector.get_agent_vars_dataframe()


def batch(parameters, **how):
    """Rows of Mesa's batch_run."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of `iterations`, from Mesa 3.5 on
        rows = mesa.batch_run(SRDIModel, TINY | parameters, display_progress=False, **how)
    return pd.DataFrame(rows)


def test_batch_run_gives_every_iteration_luck_of_its_own():
    rows = batch({"scenario": "baseline"}, iterations=3)
    assert rows["revenue_yuan"].nunique() == rows["seed"].nunique() == 3
    again = batch({"rng": rows["seed"].tolist()})
    assert again["revenue_yuan"].tolist() == rows["revenue_yuan"].tolist()


def test_batch_run_gives_scenarios_the_same_luck_where_seeds_are_named():
    named = {"rng": range(3)}
    rows = batch({"scenario": ["baseline", "no-policy"], **named})
    tables = [rows]
    if "rng" in signature(mesa.batch_run).parameters:  # from Mesa 3.5 on
        tables.append(batch({"scenario": ["baseline", "no-policy"]}, **named))
        with pytest.raises(ValueError, match="rng and seed are the same thing"):
            batch(named, **named)
    for table in tables:
        births = table.pivot(index="seed", columns="scenario", values="births")
        assert births.index.tolist() == [0, 1, 2]
        assert births["baseline"].equals(births["no-policy"])
        assert births["baseline"].nunique() == 3


def test_batch_run_takes_arrays():
    numbers = {"scale": np.array([0.0005]), "until": np.arange(2019, 2021), "threads": np.array([1])}
    rows = batch({"scenario": np.array(["baseline"]), "rng": np.arange(2), **numbers})
    assert len(rows) == 4
    assert all(rows["firms"] > 5e6)


def test_batch_run_keeps_no_model(monkeypatch):
    made, begin = [], SRDIModel.__init__

    def begun(self, *arguments, **named):
        made.append(weakref.ref(self))
        begin(self, *arguments, **named)

    monkeypatch.setattr(SRDIModel, "__init__", functools.wraps(begin)(begun))
    batch({}, iterations=3)
    assert len(made) == 3
    assert freed(made)


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
