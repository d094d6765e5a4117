"""Each rule with numbers worked out by hand, its bounds, and the sign of its drivers."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.ladder.application import is_reached
from sim.mechanisms import (
    capability,
    chain_links,
    demand,
    digital,
    finance,
    governance,
    growth,
    knowledge,
    productivity,
    research,
    turnover,
)
from sim.parameters import parameter_record

P = parameter_record()
shares = st.floats(0, 1)
draws = st.floats(1e-6, 1 - 1e-6)
MIDDLE = 0.5  # the draw at which noise is zero


def test_revenue_is_employees_times_revenue_per_worker_times_productivity_and_orders():
    assert demand.annual_revenue(10, math.log(2), 1e6, False, P) == pytest.approx(20e6)
    assert demand.annual_revenue(10, 0, 1e6, True, P) == pytest.approx(10e6 * (1 + P.order_premium))


def test_growth_is_a_mean_of_about_two_years():
    value = 0.0
    for _ in range(8):
        value = demand.smoothed_growth(value, 1.02, 1.0, P)
    assert value == pytest.approx(4 * math.log(1.02) * (1 - (1 - P.growth_memory) ** 8))


def test_margin_and_debt():
    assert finance.net_margin(1.0, P) == pytest.approx(P.margin_mean + P.margin_productivity)
    settled = finance.debt_ratio(P.leverage_mean, P.margin_mean, MIDDLE, P)
    assert settled == pytest.approx(P.leverage_mean)
    assert finance.debt_ratio(0.5, 0.2, MIDDLE, P) < finance.debt_ratio(0.5, 0.0, MIDDLE, P)


def test_a_certificate_size_and_the_commons_ease_credit_and_debt_tightens_it():
    base = finance.credit_constraint(0.55, math.log(20), False, 0.0, P)
    assert base == pytest.approx(1 / (1 + math.exp(-P.constraint_base - 3 * (0.55 - P.leverage_mean))))
    assert finance.credit_constraint(0.55, math.log(20), True, 0.0, P) < base
    assert finance.credit_constraint(0.55, math.log(200), False, 0.0, P) < base
    assert finance.credit_constraint(0.55, math.log(20), False, 1.0, P) < base
    assert finance.credit_constraint(0.75, math.log(20), False, 0.0, P) > base


def test_outside_equity_fades_and_comes_only_to_firms_with_research():
    assert finance.outside_equity(8e6, 1e7, False, False, 0.0, 0.5, P) == pytest.approx(7e6)
    assert finance.outside_equity(0.0, 1e7, True, False, P.equity_rate / 2, 0.5, P) == pytest.approx(
        P.equity_size * 1e7
    )
    between = P.equity_rate * (1 + 0.5 * P.equity_signal)
    assert finance.outside_equity(0.0, 1e7, True, False, between, 0.5, P) == 0
    assert finance.outside_equity(0.0, 1e7, True, True, between, 0.5, P) > 0


def test_research_participation_settles_at_its_probability():
    chance, norm = 0.3, 0.03
    p = parameter_record()
    idle_odds = chance / (1 - chance)
    started = sum(
        research.start_or_stop(0.0, chance, norm, p.constraint_reference, (k + 0.5) / 10_000, 0.5, p) > 0
        for k in range(10_000)
    )
    stopped = sum(
        research.start_or_stop(0.05, chance, norm, p.constraint_reference, (k + 0.5) / 10_000, 0.5, p) == 0
        for k in range(10_000)
    )
    assert started / stopped == pytest.approx(idle_odds, rel=0.01)


def test_thresholds_follow_tier_and_revenue():
    from sim.environment import new_moment

    moment = new_moment()
    moment.srdi_rd, moment.giant_rd_large, moment.giant_rd_mid, moment.giant_revenue_large = 0.03, 0.04, 0.06, 1e8
    assert research.next_threshold(1, 1e9, moment) == 0.03
    assert research.next_threshold(2, 1e8, moment) == 0.04
    assert research.next_threshold(2, 0.9e8, moment) == 0.06


def test_a_threshold_pulls_aspirants_just_below_it_and_nobody_else():
    norm = 0.03
    pulled = research.intensity_step(0.025, norm, 0.03, True, 0.0, MIDDLE, P)
    unpulled = research.intensity_step(0.025, norm, 0.03, False, 0.0, MIDDLE, P)
    assert math.log(pulled / unpulled) == pytest.approx(P.pull_speed)
    low = P.pull_width * 0.03 * 0.9
    assert research.intensity_step(low, norm, 0.03, True, 0.0, MIDDLE, P) == research.intensity_step(
        low, norm, 0.03, False, 0.0, MIDDLE, P
    )
    assert research.intensity_step(norm, norm, 1.0, False, 0.0, MIDDLE, P) == pytest.approx(norm)


def test_relabelling_closes_the_gap_to_the_threshold_and_a_full_audit_ends_it():
    share = research.relabelled_share(0.027, 0.03, True, 0.0, 0.0, P)
    assert 0.027 / (1 - share) == pytest.approx(0.03, rel=0.01)
    assert 0.027 / (1 - share) >= 0.03
    assert research.relabelled_share(0.027, 0.03, True, 1.0, 0.0, P) == 0
    assert research.relabelled_share(0.027, 0.03, False, 0.0, 0.0, P) == 0
    assert research.relabelled_share(0.031, 0.03, True, 0.0, 0.0, P) == 0
    assert research.relabelled_share(0.01, 0.03, True, 0.0, 0.0, P) == 0


def test_research_intensity_falls_with_size_only_among_large_firms():
    assert research.research_norm(0.04, math.log(P.rd_norm_size), P) == pytest.approx(0.04)
    assert research.research_norm(0.04, math.log(10), P) == 0.04
    tenfold = research.research_norm(0.04, math.log(10 * P.rd_norm_size), P)
    assert tenfold == pytest.approx(0.04 * 10**-P.rd_norm_fall)


def test_an_award_adds_less_research_than_it_pays():
    added = research.award_intensity(500e3, 100e6, P) * 100e6 / 4
    assert added == pytest.approx(P.award_additionality * 500e3)
    assert added < 500e3


def test_knowledge_settles_where_research_replaces_depreciation():
    stock = 0.0
    for _ in range(400):
        stock = knowledge.knowledge_stock(stock, 0.25e6, 0.0, 0.5, 0.0, P)
    assert stock == pytest.approx(1e6 / P.knowledge_depreciation, rel=1e-3)
    assert knowledge.knowledge_stock(1e6, 0.0, 1e7, 0.5, 1.0, P) > knowledge.knowledge_stock(1e6, 0.0, 1e7, 0.5, 0.0, P)
    assert knowledge.class1_patents(3 * P.class1_cost, P) == pytest.approx(3)


@given(shares, shares, shares, shares, shares, shares)
def test_digital_maturity_rises_within_its_bounds(d, g, c, size, peers, commons):
    moved = digital.adoption(d, g, c, size, peers, 1.0, commons, 0.0, P)
    assert d <= moved <= 1
    assert digital.adoption(d, g, c, size, peers, 1.0, commons, 0.05, P) >= moved
    assert digital.adoption(d, g, c, size, peers, 0.0, commons, 0.0, P) <= moved
    assert digital.adoption(d, g, 1.0, size, peers, 1.0, commons, 0.0, P) <= moved


def test_digital_levels_begin_at_their_thresholds():
    starts = (0.0, P.digital_level2, P.digital_level3, P.digital_level4)
    assert [digital.digital_level(start, P) for start in starts] == [1, 2, 3, 4]
    assert [digital.digital_level(start - 1e-9, P) for start in starts[1:]] == [1, 2, 3]


@given(shares, shares, shares, shares)
def test_governance_rises_within_its_bounds(g, size, peers, commons):
    moved = governance.governance_step(g, size, peers, commons, False, P)
    assert g <= moved <= 1
    assert governance.governance_step(g, size, peers, commons, True, P) >= moved
    assert governance.governance_step(g, size, 0.0, commons, False, P) <= moved


@given(shares, shares, draws)
def test_slow_capabilities_stay_in_bounds(value, other, u):
    assert 0.2 <= capability.main_share_step(max(value, 0.2), True, u, P) <= 1
    assert 0 <= capability.refinement_step(value, other, True, u, P) <= 1
    assert value <= capability.green_step(value, other, P) <= 1


def test_drivers_of_slow_capabilities():
    assert capability.main_share_step(0.7, True, 0.5, P) > capability.main_share_step(0.7, False, 0.5, P)
    assert capability.refinement_step(0.4, 0.9, False, 0.5, P) > capability.refinement_step(0.4, 0.1, False, 0.5, P)
    assert capability.refinement_step(0.4, 0.5, True, 0.5, P) > capability.refinement_step(0.4, 0.5, False, 0.5, P)


def test_productivity_target_has_the_stated_elasticity_and_terms():
    plain = productivity.productivity_target(0.0, 1e8, 0.0, 0.0, 0.0, False, P)
    assert plain == 0
    known = productivity.productivity_target(1e8, 1e8, 0.0, 0.0, 0.0, False, P)
    assert known == pytest.approx(P.knowledge_elasticity * math.log(1 + 1 / P.knowledge_unit))
    full = productivity.productivity_target(0.0, 1e8, 1.0, 1.0, 1.0, True, P)
    assert full == pytest.approx(P.digital_productivity + P.commons_productivity + P.leader_learning)


@given(st.floats(-3, 3), st.floats(-1, 1), draws)
def test_productivity_moves_towards_its_target(a, target, u):
    assert -3 <= productivity.productivity_step(a, target, u, P) <= 3
    still = productivity.productivity_step(a, target, 0.5, P)
    assert abs(still - target) <= abs(a - target) + 1e-9


@given(st.floats(1, 1e5), st.floats(-2, 2), shares, draws)
def test_employment_never_falls_below_one(employment, a, c, u):
    moved = growth.employment_step(employment, math.log(employment), a, c, False, u, P)
    assert moved >= 1
    assert growth.employment_step(employment, math.log(employment), a, c, True, u, P) >= moved
    assert growth.employment_step(employment, math.log(employment), a + 0.5, c, False, u, P) >= moved


def test_growth_noise_falls_with_size():
    def width(employment):
        up, down = (growth.employment_step(employment, math.log(employment), 0, 0, False, u, P) for u in (0.9, 0.1))
        return math.log(up / down)

    assert width(1000) / width(10) == pytest.approx(100**-P.growth_noise_size, rel=1e-6)


def test_exit_falls_with_size_age_and_productivity_and_rises_with_debt():
    base = turnover.exit_chance(math.log(20), 20, 0.0, 0.5, P)
    assert 0 < base < 0.1
    assert turnover.exit_chance(math.log(200), 20, 0.0, 0.5, P) < base
    assert turnover.exit_chance(math.log(20), 80, 0.0, 0.5, P) < base
    assert turnover.exit_chance(math.log(20), 20, 0.5, 0.5, P) < base
    assert turnover.exit_chance(math.log(20), 20, 0.0, 0.9, P) > base
    assert turnover.entry_chance(2.0, P) == pytest.approx(min(2 * P.entry_rate, 0.5))


def test_leaders_admit_the_capable_and_open_leaders_admit_more():
    assert chain_links.capability(0.6, 0.3, 1e7, 1e8, P) == pytest.approx((0.9 + 0.5) / 3)
    chance = P.link_rate * 0.8 * 0.5**2 * 0.6
    assert chain_links.link_step(False, 0.5, 0.6, 0.8, True, chance * 0.99, P)
    assert not chain_links.link_step(False, 0.5, 0.6, 0.8, True, chance * 1.01, P)
    assert not chain_links.link_step(False, 0.5, 0.6, 0.4, True, chance * 0.99, P)
    assert not chain_links.link_step(False, 0.5, 0.3, 0.8, True, chance * 0.99, P)
    end = P.unlink_rate * (1.5 - 0.5)
    assert not chain_links.link_step(True, 0.5, 0.6, 0.8, True, end * 0.99, P)
    assert chain_links.link_step(True, 0.5, 0.6, 0.8, True, end * 1.01, P)


@given(draws, shares, st.floats(0, 10))
def test_once_reached_always_reached(draw, reach, log_employment):
    if is_reached(draw, reach, log_employment, P):
        assert is_reached(draw, min(reach + 0.1, 1.0), log_employment, P)
        assert is_reached(draw, reach, log_employment + 1.0, P)
    assert not is_reached(draw, 0.0, log_employment, P)


def test_half_of_the_firms_of_fifty_are_reached_at_half_reach():
    reached = sum(is_reached((k + 0.5) / 1000, 0.5, math.log(50), P) for k in range(1000))
    assert reached == 500
