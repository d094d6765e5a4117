"""Applications, and the fields of a firm that criteria ask for, with numbers worked out on paper."""

from __future__ import annotations

from math import exp, log
from types import SimpleNamespace

import numpy as np
import pytest
from by_hand import happens_below, parameters
from hypothesis import given
from hypothesis import strategies as st

from sim.firms.columns import allocate
from sim.ladder.application import application_worth, is_reached, is_sme
from sim.ladder.fields import fields_of as read_fields_of
from sim.ladder.fields import high_tech_bar, institute_level, niche_share
from sim.mechanisms.support import Channel
from sim.world.environment import Environment, Moment, QuarterInputs

P = parameters(
    class1_cost=1.5e6, rd_staff_cost=250e3, rd_staff_cost_share=0.6, margin_mean=0.06, margin_productivity=0.08,
    energy_incidence=0.6, green_saving=0.4, research_expensed=0.8, tax_relief=0.25,
    reach_size=1.5, apply_constraint=0.8, apply_governance=0.6,
    constraint_reference=0.5, apply_governance_reference=0.5, institute_own=2e6, institute_city=6e6,
    institute_provincial=15e6, niche_claim=0.05, digital_level2=0.2, digital_level3=0.45, digital_level4=0.7,
    certificate_refinement=0.25, brand_refinement=0.5, standards_refinement=0.75,
)  # fmt: skip


# --- application


def test_chance_of_being_reached():
    odds = 0.25 / 0.75 * 4**1.5 * exp(0.5)  # a firm of 200 against one of 50
    happens_below(odds / (1 + odds), lambda u: is_reached(u, 0.25, log(200), 0.5, P))
    assert not is_reached(1e-9, 0.0, log(200), 0.5, P)
    assert not is_reached(0.5, 0.5, log(50), 0.0, P)
    # full reach stands for odds of a million to one
    assert is_reached(1 - 2e-6, 1.0, log(50), 0.0, P)
    assert not is_reached(1 - 5e-7, 1.0, log(50), 0.0, P)


@given(st.floats(1e-6, 1 - 1e-6), st.floats(0, 1), st.floats(0, 10), st.floats(-2, 2))
def test_once_reached_always_reached(draw, reach, log_employment, worth):
    if is_reached(draw, reach, log_employment, worth, P):
        assert is_reached(draw, min(reach + 0.1, 1.0), log_employment, worth, P)
        assert is_reached(draw, reach, log_employment + 1.0, worth, P)
        assert is_reached(draw, reach, log_employment, worth + 0.5, P)
    assert not is_reached(draw, 0.0, log_employment, worth, P)


def test_worth_of_an_application():
    assert application_worth(0.4, 0.3, 0.25, 0.1, P) == pytest.approx(0.8 * -0.1 + 0.6 * -0.2 + 0.25 + 0.1)


@pytest.mark.parametrize(
    ("employees", "revenue", "small"),
    [(999, 5e8, True), (1000, 4.9e8, True), (1000, 5e8, False), (1001, 6e8, False), (20, 1e6, True)],
)
def test_an_sme_is_below_either_limit_of_its_sector(employees, revenue, small):
    firms = SimpleNamespace(
        sector=np.array([0, 1]), employment=np.array([1, employees]), revenue=np.array([1, revenue])
    )
    env = SimpleNamespace(sector_sme_employees=[10, 1000], sector_sme_revenue=[10, 5e8])
    assert is_sme(firms, env, 1) == small


# --- fields


def test_bars_of_institutes_and_high_tech_firms():
    spending = (1.9e6, 2e6, 5.9e6, 6e6, 14.9e6, 15e6, 16e6)
    assert [institute_level(yuan, P) for yuan in spending] == [0, 1, 1, 2, 2, 3, 3]
    bars = [(50e6 - 0.5, 0.05), (50e6, 0.04), (200e6 - 0.5, 0.04), (200e6, 0.03), (1e9, 0.03)]
    for revenue, bar in bars:
        assert high_tech_bar(bar, revenue, 1.0)
        assert not high_tech_bar(bar - 0.001, revenue, 1.0)
        assert not high_tech_bar(bar, revenue, 0.99)
    assert high_tech_bar(0.06, 49e6, 2.0)


def test_share_of_the_claimed_niche():
    assert niche_share(1e6, 1e8, P) == pytest.approx(0.2)
    assert niche_share(6e6, 1e8, P) == 1.0
    assert niche_share(0.5, 2.0, P) == pytest.approx(0.5)  # a niche of less than a yuan counts as one


def fields_of(p=P, **columns) -> dict[str, float]:
    """Fields of the second of two firms, the first of which is all zeros, in the second niche and sector."""
    firms = allocate(2)
    firm = {"employment": 200, "revenue": 100e6, "age": 10, "niche": 1, "sector": 1, "customer": -1} | columns
    for name, value in firm.items():
        getattr(firms, name)[1] = value
    parts = dict.fromkeys(Environment._fields, np.zeros(2))
    parts |= {"niche_promoted": np.array([True, False]), "niche_revenue": np.array([1.0, 8e9])}
    parts |= {"sector_energy_rise": np.array([0.0, 0.1]), "sector_rd_usual": np.array([0.0, 0.01])}
    parts |= {"programme_effects": np.zeros((1, len(Channel)))}
    inputs = QuarterInputs(Environment(**parts), None, None, p, Moment().record(), None)
    return {name: values[0] for name, values in read_fields_of(firms, inputs, np.array([1])).items()}


def test_fields_of_a_firm_worked_out_by_hand():
    got = fields_of(
        rd_last_year=0.025, rd_before=0.035, knowledge=0.75e6, main_share=0.6, growth=-0.1, equity=3e6,
        digital=0.2, refinement=0.3, leverage=0.8, productivity=0.25, green=0.5, rd_intensity=0.05,
    )  # fmt: skip
    wanted = {
        "niche_years": 2.5,
        "main_share": 0.6,
        "growth": -0.1,
        "revenue_yuan": 100e6,
        "rd_intensity": 0.025,
        "rd_intensity_before": 0.035,
        "rd_spending_yuan": 2.5e6,
        "rd_spending_mean_yuan": 3e6,
        "equity_yuan": 3e6,
        "digital_level": 2,
        "quality_marks": 1,
        "own_brand": 0,
        "net_margin": 0.06 + 0.08 * 0.25 - 0.6 * 0.1 * 0.8 - 0.8 * 0.75 * 0.04,
        "debt_ratio": 0.8,
        "niche_share": 0.25,
        "chain_role": 0,
        "promoted": 0,
        "class1_ip": 0.5,
        "rd_staff_share": 0.6 * 2.5e6 / (250e3 * 200),
        "rd_institute": 1,
        "high_tech": 0,
    }
    assert got == pytest.approx(wanted, rel=1e-5)


def test_research_that_is_not_expensed_leaves_the_margin_as_it_is():
    free = P.copy()
    free["research_expensed"] = 0.0
    assert fields_of(free, rd_intensity=0.05)["net_margin"] == pytest.approx(0.06 - 0.6 * 0.1)


def test_marks_brand_chain_role_and_staff_at_their_bounds():
    marks = [fields_of(refinement=level)["quality_marks"] for level in (0.24, 0.25, 0.49, 0.5, 0.74, 0.75, 0.8)]
    assert marks == [0, 1, 1, 2, 2, 3, 3]
    assert [fields_of(refinement=level)["own_brand"] for level in (0.49, 0.5, 0.51)] == [0, 1, 1]
    assert [fields_of(customer=customer)["chain_role"] for customer in (-3, -2, -1, 0, 1)] == [1, 1, 0, 0, 0]
    assert fields_of(niche=0, customer=-2)["chain_role"] == 2
    assert fields_of(niche=0)["promoted"] == fields_of(niche=0)["chain_role"] == 1
    assert fields_of(rd_last_year=0.5, employment=10)["rd_staff_share"] == 1.0
    assert fields_of(rd_last_year=0.05, knowledge=3e6)["high_tech"] == 1
