"""Shocks: their window, their sign, how they travel upstream, what substitution is worth."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import pytest
from conftest import frame, run, tables_equal

from sim.calendar import Quarter
from sim.firms.columns import LOG_PARTS, NEVER
from sim.model import SRDIModel
from sim.policy import Policy
from sim.reference import sector_names
from sim.shocks import Shocks

START, QUARTERS, UNTIL = "2020Q2", 4, 2022
FIRST_OUTCOME = {
    "demand_slump": ("revenue_yuan", -1),
    "foreign_supply": ("output_lost_yuan", 1),
    "credit_crunch": ("constraint_mean", 1),
    "energy_price": ("green_mean", 1),
}


@cache
def shocked(name: str, **changes):
    settings = {"start": START, "quarters": QUARTERS, **changes}
    return run(Policy(shocks=Shocks.model_validate({name: settings})), until=UNTIL)


@cache
def calm():
    return run(until=UNTIL)


def during(model, column):
    national = frame(model).set_index("quarter")[column]
    first, last = (pd.Timestamp((Quarter.parse(START) + ahead).end_date) for ahead in (0, QUARTERS - 1))
    return national[first:last]


@pytest.mark.parametrize("name", list(FIRST_OUTCOME))
def test_a_shock_acts_in_its_window_and_not_before(name):
    before = str((Quarter.parse(START) + -1).end_date + pd.Timedelta(days=1))
    assert tables_equal(shocked(name), calm(), until=before)
    column, sign = FIRST_OUTCOME[name]
    assert sign * (during(shocked(name), column) - during(calm(), column)).mean() > 0


@pytest.mark.parametrize("name", list(FIRST_OUTCOME))
def test_a_shock_without_severity_is_no_shock(name):
    assert tables_equal(shocked(name, severity=0.0), calm())


def test_shocks_are_named_as_in_the_schema():
    assert set(FIRST_OUTCOME) == set(Shocks.model_fields)


def test_output_recovers_after_a_slump():
    lost = frame(shocked("demand_slump")).set_index("quarter")["output_lost_yuan"]
    assert lost[lost > 0].index[0] == pd.Timestamp(Quarter.parse(START).end_date)
    # Orders still to travel upstream die out within a few quarters.
    assert lost.iloc[-1] < 0.01 * lost.max()
    assert frame(calm())["output_lost_yuan"].max() == 0


def test_a_foreign_loss_costs_more_output_with_substitution_switched_off():
    settings = {"severity": 0.6, "niches_share": 0.05}
    lost = {
        substitution: during(shocked("foreign_supply", substitution=substitution, **settings), "output_lost_yuan").sum()
        for substitution in (True, False)
    }
    assert lost[False] > 1.2 * lost[True] > 0


def test_lost_orders_travel_upstream():
    """A slump in one sector reaches firms of others that supply it, a quarter later."""
    policy = Policy(
        shocks=Shocks.model_validate(
            {"demand_slump": {"start": START, "quarters": 4, "severity": 0.5, "sectors": ["electronics"]}}
        )
    )
    model = SRDIModel(policy, scale=0.02, rng=1, until=UNTIL)
    hit = sector_names().index("electronics")
    while model.quarter < Quarter.parse(START) + 2:
        model.step()
    firms = model.firms.to_frame()
    elsewhere = firms[firms["sector"] != hit]
    reached = elsewhere["slack"] < 0
    assert reached.sum() > 20
    # All but those whose link ended in this very quarter still have the customer that passed it on.
    assert (elsewhere.loc[reached, "customer"] != NEVER).mean() > 0.9
    assert not (elsewhere.loc[elsewhere["orders"] == 0, "slack"] < 0).mean() > 0.001
    own = firms.loc[(firms["sector"] == hit) & (firms["age"] > 0), "slack"] / LOG_PARTS
    assert own.max() == pytest.approx(np.log(0.5), abs=1e-3)


def test_green_firms_keep_more_of_their_margin_when_energy_is_dear():
    from sim.mechanisms.finance import energy_burden
    from sim.parameters import parameter_record

    model = run(Policy(shocks=Shocks.model_validate({"energy_price": {"start": "2019Q1", "quarters": 9}})), until=2020)
    rise = model.environment.sector_energy_rise
    assert rise == pytest.approx(0.5 * model.industry.sector_energy)
    assert energy_burden(rise.max(), 0.9, parameter_record()) < energy_burden(rise.max(), 0.1, parameter_record())
