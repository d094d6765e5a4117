"""The yardstick follows the engine's rules in the mean: its draws are its own."""

from __future__ import annotations

import copy

import numpy as np
import pytest
from conftest import levers

from benchmarks import contest, plain_mesa
from benchmarks.state import core_state, model_after
from sim.levers import Levers
from sim.policy import Policy
from sim.shocks import Shocks

SCALE = 0.002
SHOCKS = Policy(
    levers=levers(**{name: {"start": "2019Q1", "end": "2030Q4"} for name in Levers.model_fields}),
    shocks=Shocks.model_validate(
        {
            name: {"start": "2019Q3", "quarters": 8, "severity": 0.3}
            for name in ("demand_slump", "foreign_supply", "credit_crunch", "energy_price")
        }
    ),
)


@pytest.mark.parametrize("scenario", ["baseline", SHOCKS], ids=["baseline", "shocks"])
def test_the_mesa_model_agrees_with_the_engine_in_the_mean(scenario):
    quarters = 4
    start = model_after(5, SCALE, scenario)
    mesa = plain_mesa.run_in_fresh_process(core_state(start), quarters - 1)
    model = copy.copy(start)
    for ahead in range(quarters):
        contest.advance_firms(model, 1 + ahead)
    before, after = (
        {column: getattr(each.firms.columns, column) for column in plain_mesa.COMPARED} for each in (start, model)
    )
    # Some 7 % of the slots change hands a year, each by a draw.
    assert abs(mesa["firms"] - len(model.firms)) < 4 * np.sqrt(2 * 2 * 0.07 * len(start.firms))
    for column, (mean, spread) in plain_mesa.changes(before, after, quarters).items():
        mesa_mean, mesa_spread = mesa["changes"][column]
        error = np.hypot(spread, mesa_spread) / np.sqrt(0.85 * len(start.firms))
        assert abs(mesa_mean - mean) < 4 * error, column
        assert mesa_spread == pytest.approx(spread, rel=0.15), column


@pytest.mark.slow
def test_every_contestant_tells_its_nanoseconds():
    nanoseconds = contest.measure(0.0005, rounds=1, threads=1, quarters=2)
    assert set(nanoseconds) == {"engine", "engine_counting", "mesa"}
    assert all(1.0 < each < 1e7 for each in nanoseconds.values())
