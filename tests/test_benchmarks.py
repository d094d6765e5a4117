"""The yardsticks follow the engine's rules: firm by firm with the same draws, in the mean with Mesa's own."""

from __future__ import annotations

import numpy as np
import pytest
from conftest import levers

from benchmarks import columnar_numpy, columnar_polars, engine, plain_mesa
from benchmarks.state import CoreState, captured_quarter, core_state
from sim.columns import COLUMNS, Columns
from sim.levers import Levers
from sim.policy import Policy
from sim.shocks import Shocks

SCALE = 0.002
ALL_ON = levers(**{name: {"start": "2019Q1", "end": "2030Q4"} for name in Levers.model_fields})
SHOCKS = Shocks.model_validate(
    {
        name: {"start": "2019Q3", "quarters": 8, "severity": 0.3}
        for name in ("demand_slump", "foreign_supply", "credit_crunch", "energy_price")
    }
)
POLICIES = {"baseline": "baseline", "levers": Policy(levers=ALL_ON), "shocks": Policy(levers=ALL_ON, shocks=SHOCKS)}
#: A quarter in the middle of a year, the one in which R&D starts and firms move, the one in which they report.
QUARTERS = (6, 5, 8)
#: A draw between two roundings may flip a rare event.
FIRMS_THAT_MAY_DIFFER = 1e-3


def numpy_step(state: CoreState) -> Columns:
    columnar_numpy.step(state)
    return state.columns


def polars_step(state: CoreState) -> Columns:
    frame = columnar_polars.step(columnar_polars.frame_of(state.columns), state)
    return Columns(*(frame[column.name].to_numpy() for column in COLUMNS))


def differing(one: Columns, other: Columns) -> np.ndarray:
    """Slots in which any column differs by more than rounding: bool (slots,)."""
    differs = np.zeros(len(one.employment), dtype=bool)
    for left, right in zip(one, other, strict=True):
        assert left.dtype == right.dtype
        differs |= ~np.isclose(left, right, rtol=1e-4, atol=1e-5) if left.dtype.kind == "f" else left != right
    return differs


@pytest.fixture(autouse=True)
def several_blocks(monkeypatch):
    """Blocks and slices so small that the test's firms fill several, the last one in part."""
    monkeypatch.setattr(columnar_numpy, "BLOCK", 4096)
    monkeypatch.setattr(columnar_polars, "SLICE", 5000)


@pytest.fixture(scope="module", params=[(name, quarter) for name in POLICIES for quarter in QUARTERS], ids=str)
def quarter_of_engine(request) -> tuple[CoreState, CoreState]:
    """The states before and after one of the engine's quarters."""
    name, quarter = request.param
    return captured_quarter(SCALE, quarter, POLICIES[name])


@pytest.mark.parametrize("step", [numpy_step, polars_step])
def test_the_columnar_steps_give_the_engines_columns(quarter_of_engine, step):
    before, after = quarter_of_engine
    assert differing(before.columns, after.columns).mean() > 0.5
    state = before.copy()
    assert differing(step(state), after.columns).mean() <= FIRMS_THAT_MAY_DIFFER


@pytest.mark.parametrize("step", [numpy_step, polars_step])
def test_the_columnar_steps_count_the_engines_flows(quarter_of_engine, step):
    before, after = quarter_of_engine
    state = before.copy()
    step(state)
    np.testing.assert_allclose(state.flows.sum(axis=(0, 1)), after.flows.sum(axis=(0, 1)), rtol=1e-3, atol=2)


@pytest.mark.parametrize("name", ["baseline", "shocks"])
def test_the_mesa_model_agrees_with_the_engine_in_the_mean(name):
    quarters = 4
    state = core_state(SCALE, 6, POLICIES[name])
    mesa = plain_mesa.run_apart(state, quarters)
    model = engine.model_at(state)
    for ahead in range(quarters):
        engine.advance_firms(model, state, ahead)
    columns = model.firms.columns
    before, after = (
        {column: getattr(part, column) for column in plain_mesa.COMPARED} for part in (state.columns, columns)
    )
    # Some 7 % of the slots change hands a year, each by a draw.
    assert abs(mesa["firms"] - len(model.firms)) < 4 * np.sqrt(2 * 2 * 0.07 * state.firms)
    for column, (mean, spread) in plain_mesa.changes(before, after, quarters).items():
        mesa_mean, mesa_spread = mesa["changes"][column]
        error = np.hypot(spread, mesa_spread) / np.sqrt(0.85 * state.firms)
        assert abs(mesa_mean - mean) < 4 * error, column
        assert mesa_spread == pytest.approx(spread, rel=0.15), column
    model.close()


@pytest.mark.slow
def test_every_yardstick_tells_its_nanoseconds():
    state = core_state(0.0005, 2)
    for yardstick in (columnar_numpy, columnar_polars, plain_mesa, engine):
        assert 1.0 < yardstick.nanoseconds_per_firm_quarter(state, 2) < 1e7
