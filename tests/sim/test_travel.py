"""A model that is copied, pickled or sent to another process goes on there with the same bits."""

from __future__ import annotations

import copy
import pickle
from itertools import chain

import cloudpickle
import joblib
import numpy as np
import pytest
from conftest import ALL_LEVERS, REPORTED_LEVERS, tables_equal

from scenarios import load_results, load_scenario, run_ensemble
from scenarios.ensembles.parameter_draws import read_parameter_draws
from sim.branching import branch
from sim.model import SRDIModel
from sim.policy import Policy
from sim.shocks import Shocks
from sim.world.environment import MOMENT, Moment

#: All shocks, all levers: whatever a step reads and writes.
SHOCKS = Shocks.model_validate(
    {name: {"start": "2020Q3", "quarters": 4, "severity": 0.5} for name in Shocks.model_fields}
)
EVERYTHING = Policy(levers=ALL_LEVERS, shocks=SHOCKS)
RUN = {"scale": 0.0005, "rng": 4, "until": 2021}


def read_only(model):
    """Through buffers that may not be written to, as of shared memory."""
    buffers = []
    data = pickle.dumps(model, protocol=5, buffer_callback=buffers.append)
    return pickle.loads(data, buffers=[bytes(buffer) for buffer in buffers])


def mapped(model, tmp_path):
    """Through a file on which arrays are mapped, as joblib does it for workers."""
    joblib.dump(model, tmp_path / "model")
    return joblib.load(tmp_path / "model", mmap_mode="r")


WAYS = {
    "deepcopy": copy.deepcopy,
    "copy": copy.copy,
    **{
        f"pickle {protocol}": lambda model, protocol=protocol: pickle.loads(pickle.dumps(model, protocol))
        for protocol in (2, 5)
    },
    "cloudpickle": lambda model: cloudpickle.loads(cloudpickle.dumps(model)),
    "one of its agents": lambda model: pickle.loads(pickle.dumps(model.ministry)).model,
    "read-only buffers": read_only,
    "twice": lambda model: copy.deepcopy(pickle.loads(pickle.dumps(model))),
}


def stepped(quarters, policy=EVERYTHING, **arguments):
    model = SRDIModel(policy, **RUN, **arguments)
    for _ in range(quarters):
        model.step()
    return model


def branched():
    """A model that took up another policy in the middle of a run."""
    baseline = stepped(9, Policy(levers=REPORTED_LEVERS))
    return branch(baseline, baseline.policy.model_copy(update={"levers": ALL_LEVERS}))


MODELS = {
    "at the start": lambda: stepped(0),
    "in the middle": lambda: stepped(9),
    "on two threads, with a panel": lambda: stepped(6, threads=2, firms_panel=20),
    "branched": branched,
    "at its end": lambda: stepped(12),
}


def finish(model):
    """What a run to the end leaves behind."""
    model.run_model()
    columns = {name: column.tobytes() for name, column in model.firms.columns._asdict().items()}
    agents = [(type(agent).__name__, agent.unique_id) for agent in model.agents]
    collected = model.datacollector.get_model_vars_dataframe()
    return columns, agents, model.steps, collected


@pytest.mark.parametrize("kind", MODELS)
def test_a_copy_goes_on_with_the_same_bits(kind, tmp_path):
    model = MODELS[kind]()
    copies = {way: travel(model) for way, travel in WAYS.items()} | {"mapped": mapped(model, tmp_path)}
    *state, collected = finish(model)
    numbers = [number for _, number in state[1]]
    assert len(set(numbers)) == len(numbers)
    for way, copied in copies.items():
        assert copied is not model, way
        *found, also_collected = finish(copied)
        assert found == state, way
        assert also_collected.equals(collected), way
        assert tables_equal(copied, model), way
        if model.panel:
            for name, values in model.panel.table().items():
                np.testing.assert_array_equal(copied.panel.table()[name], values, err_msg=f"{way}: {name}")


def arrays_of(model):
    """Every array a model reaches, by path; rows that were recorded are only read and left out."""
    found, seen, waiting = {}, set(), [("model", model)]
    while waiting:
        path, value = waiting.pop()
        if isinstance(value, np.ndarray):
            found[path] = value
        if id(value) in seen or path.endswith("._quarters"):
            continue
        seen.add(id(value))
        if isinstance(value, dict):
            waiting += ((f"{path}[{key!r}]", each) for key, each in value.items())
        elif isinstance(value, list | tuple):
            names = getattr(value, "_fields", range(len(value)))
            waiting += ((f"{path}.{name}", each) for name, each in zip(names, value, strict=True))
        elif type(value).__module__.startswith("sim."):
            waiting += ((f"{path}.{name}", each) for name, each in getattr(value, "__dict__", {}).items())
    return found


def shared(arrays, owner=id):
    """Paths of what is the same array, in groups."""
    groups = {}
    for path, array in arrays.items():
        groups.setdefault(owner(array), set()).add(path)
    return {frozenset(group) for group in groups.values() if len(group) > 1}


def memory(array):
    """Where the memory of an array begins that it is a view of."""
    while isinstance(array.base, np.ndarray):
        array = array.base
    return id(array)


@pytest.mark.parametrize("way", WAYS)
def test_arrays_that_are_one_stay_one_and_none_is_shared_with_the_original(way):
    model = stepped(9)
    copied = WAYS[way](model)
    arrays, others = arrays_of(model), arrays_of(copied)
    assert arrays.keys() == others.keys()
    assert len(arrays) > 100
    assert shared(others) == shared(arrays)
    # Different views of one memory come as copies: what is a view here is never written to.
    assert shared(arrays, memory) - shared(arrays) <= {
        frozenset(f"model.candidates.{name}" for name in ("county", "sector"))
    }
    written = {path for path, array in arrays.items() if array.flags.writeable}
    assert all(others[path].flags.writeable for path in written)
    for path in written - set(chain.from_iterable(shared(arrays))):
        assert not np.shares_memory(arrays[path], others[path]), path


def test_a_closed_model_travels_too():
    model = stepped(3)
    model.close()
    copied = pickle.loads(pickle.dumps(model))
    copied.step()
    assert copied.steps == 3
    assert tables_equal(copied, model)


def test_numbers_of_a_moment_stand_in_its_record_under_their_own_names():
    numbers = {name: number for number, name in enumerate(MOMENT.names, start=1)}
    record = Moment(**numbers).record()
    assert {name: record[name] for name in MOMENT.names} == numbers
    assert {MOMENT[name].str for name in MOMENT.names} == {"<i8", "<f8"}


def test_records_take_no_assignment():
    """One that travelled would lose it without a word."""
    model = stepped(0)
    with pytest.raises(ValueError, match="read-only"):
        model.parameter_record.rd_urban = 1.0


def run_to_the_end(model):
    """At a worker."""
    model.run_model()
    return model


def _processes(model):
    with joblib.parallel_config("loky", n_jobs=2):
        return joblib.Parallel(max_nbytes=10_000)(joblib.delayed(run_to_the_end)(model) for _ in range(2))


def _pool(model):
    import multiprocessing

    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return [pool.apply(run_to_the_end, (model,))]


def _dask(model):
    from distributed import Client

    with Client(n_workers=1, threads_per_worker=1, dashboard_address=None) as client:
        return [client.submit(run_to_the_end, model).result()]


@pytest.mark.slow
@pytest.mark.parametrize("send", [_processes, _pool, _dask])
def test_another_process_goes_on_with_the_same_bits(send):
    model = stepped(6, threads=2)
    for returned in send(model):
        assert returned.quarter == returned.end
        assert tables_equal(returned, run_to_the_end(copy.copy(model)))
    assert model.steps == 6


def test_scenarios_policies_draws_and_results_travel(tmp_path):
    scenario, draws = load_scenario("no-policy"), read_parameter_draws("posterior")
    results = run_ensemble([scenario], out=tmp_path / "out", replicates=1, scale=0.0005, until=2019, workers=1)
    for read in (False, True):
        if read:
            assert len(results.national)
        for travel in (copy.copy, copy.deepcopy, WAYS["pickle 5"], WAYS["cloudpickle"]):
            assert travel(scenario) == scenario
            assert travel(scenario.policy) == scenario.policy
            assert travel(results).national.equals(load_results(tmp_path / "out").national)
            moved = travel(draws)
            assert moved.identity == draws.identity
            assert moved.parameters(3) == draws.parameters(3)
