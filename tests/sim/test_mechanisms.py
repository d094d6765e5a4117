"""Every mechanism, in the order of `sim/mechanisms/`: its equation with numbers worked out on paper, and its bounds.

By hand means round parameters (`P`), and no input of 0 or 1 where a term could hide. What is true at the parameters of
the model (`MODEL`) follows: signs, bounds, limits.
"""

from __future__ import annotations

from math import exp, log, sqrt
from types import SimpleNamespace

import numpy as np
import pytest
from by_hand import NOISE, UP, happens_below, parameters
from hypothesis import given
from hypothesis import strategies as st

from sim.mechanisms import (
    capability,
    chain_links,
    demand,
    digital,
    exports,
    finance,
    first_of_a_kind,
    governance,
    growth,
    knowledge,
    listing,
    migration,
    productivity,
    research,
    size,
    stress,
    support,
    turnover,
)
from sim.numerics.draws import uniform_pair
from sim.parameters import parameter_record
from sim.tiers import Tier
from sim.world.environment import Moment
from sim.world.research_points import research_aim, research_bands

MODEL = parameter_record()
P = parameters(
    main_share_mean=0.7, main_share_aspiration=0.2, main_share_speed=0.1, main_share_noise=0.05,
    refinement_base=0.3, refinement_digital=0.4, refinement_leader=0.15, refinement_export=0.05,
    refinement_speed=0.1, refinement_noise=0.04, green_own=0.02, green_price=0.5, capability_depth=0.1,
    link_rate=0.3, link_rate_other=0.1, newcomer_rate=0.02, link_rate_buyer=0.04, unlink_rate=0.03, link_local=0.6,
    order_premium=0.05, order_premium_buyer=0.02, growth_memory=0.125, digital_own=0.02, digital_peer=0.05,
    digital_leader=0.02, governance_own=0.02, governance_equity=0.03, export_base=-1.0, export_productivity=2.0,
    export_size=0.5, margin_mean=0.06, margin_productivity=0.08, energy_incidence=0.6, green_saving=0.4,
    leverage_mean=0.5, leverage_margin=2.0, leverage_speed=0.1, leverage_noise=0.04, constraint_base=-0.4,
    constraint_leverage=3.0, constraint_size=0.35, constraint_signal=0.5, listing_credit=0.8, equity_rate=0.01,
    equity_signal=0.5, equity_size=0.4, equity_revenue_max=2e8, first_rate=0.004, growth_base=0.004,
    growth_productivity=0.02, growth_constraint=0.03, growth_size=0.001, growth_slack=0.1, growth_orders=0.003,
    growth_noise=0.1, growth_lumps=0.25, growth_noise_size=0.5, knowledge_spillover=0.08, commons_base=0.1,
    knowledge_depreciation=0.4, class1_cost=1.5e6, listing_revenue=1e8, listing_margin=0.08, listing_rate=0.002,
    listing_srdi=0.4, start_listed=0.12, start_listed_revenue=1e9,
    move_rate=0.01, knowledge_elasticity=0.08, knowledge_unit=0.01, digital_productivity=0.15, leader_learning=0.03,
    governance_productivity=0.3, governance_reference=0.4,
    productivity_speed=0.02, productivity_noise=0.07,
    rd_size=1.5, rd_norm_level=1.2, rd_norm_size=300.0, rd_norm_fall=0.2,
    rd_reconsider=0.12, constraint_reference=0.25, rd_spread=0.9, rd_lasting=0.36, rd_starter_gap=0.2,
    rd_reversion=0.01, rd_revenue_fall=0.3, rd_selection=0.4, rd_smoothing=0.7, pull_width=0.5,
    pull_aim=2.0, pull_speed=0.12, relabel_reach=0.25, relabel_chance=0.6, relabel_fall=0.0,
    award_additionality=0.6, rd_staff_cost=250e3, rd_staff_cost_share=0.6, order_share=0.4, redirect=0.6, gap_share=0.2,
    substitution_max=0.8, exit_base=0.05, exit_size=0.2, exit_productivity=0.4, exit_leverage=2.0, exit_age=0.3,
    entry_rate=0.1, digital_level2=0.2, digital_level3=0.45, digital_level4=0.7,
)  # fmt: skip

shares = st.floats(0, 1)
draws = st.floats(1e-6, 1 - 1e-6)


# --- capability


def test_main_share_moves_a_tenth_of_the_way():
    step = capability.main_share_step
    assert step(0.4, True, UP, P) == pytest.approx(0.4 + 0.1 * (0.9 - 0.4) + 0.05 * NOISE)
    assert step(0.6, False, UP, P) == pytest.approx(0.6 + 0.1 * (0.7 - 0.6) + 0.05 * NOISE)
    assert step(0.2, False, 0.01, P) == 0.2
    assert step(0.99, True, 0.99, P) == 1.0


def test_refinement_moves_a_tenth_of_the_way():
    target, step = capability.refinement_target, capability.refinement_step
    assert target(0.25, False, False, 0.0, P) == pytest.approx(0.4)
    assert target(0.25, True, False, 0.0, P) == pytest.approx(0.55)
    assert target(0.25, True, True, 0.1, P) == pytest.approx(0.7)
    assert step(0.5, 0.4, UP, P) == pytest.approx(0.5 + 0.1 * (0.4 - 0.5) + 0.04 * NOISE)
    assert step(0.0, 0.3, 0.01, P) == 0.0
    assert step(1.0, 1.4, 0.99, P) == 1.0


def test_green_adoption_closes_part_of_the_gap():
    assert capability.green_step(0.4, 0.3, 0.1, 0.03, P) == pytest.approx(0.4 + 0.6 * (0.02 * 0.8 + 0.05 + 0.03))
    assert capability.green_step(0.4, 0.3, 0.1, 2.0, P) == pytest.approx(0.4 + 0.6 * 0.5)


@given(shares, shares, draws)
def test_slow_capabilities_stay_in_bounds(value, other, u):
    assert 0.2 <= capability.main_share_step(max(value, 0.2), True, u, MODEL) <= 1
    target = capability.refinement_target(other, True, True, 0.2, MODEL)
    assert 0 <= capability.refinement_step(value, target, u, MODEL) <= 1
    assert value <= capability.green_step(value, other, 0.1, 0.05, MODEL) <= 1


# --- chain_links


def test_leader_codes_count_down_from_minus_two():
    assert [chain_links.leader_code(chain) for chain in (0, 3)] == [-2, -5]
    assert [chain_links.leader_of(customer) for customer in (-5, -3, -2, -1, 0, 7)] == [3, 1, 0, -1, -1, -1]
    assert [chain_links.is_leader(customer) for customer in (-5, -2, -1, 0)] == [True, True, False, False]


def test_chances_of_links():
    assert chain_links.capability(0.6, 0.3, 2e7, 1e8, P) == pytest.approx((0.6 + 0.3 + 2 / 3) / 3)
    assert chain_links.admission(0.5, 0.6, 0.8, True, 0.5, P) == pytest.approx(0.3 * 0.8 * 0.25 * 0.6 * 1.5)
    assert chain_links.admission(0.5, 0.6, 0.8, False, 0.5, P) == pytest.approx(0.1 * 0.8 * 0.25 * 0.6 * 1.5)
    assert chain_links.invitation(0.8, 0.5, P) == pytest.approx(0.02 * 0.5 * 0.64)
    assert chain_links.purchase(0.5, 0.6, 0.5, P) == pytest.approx(0.04 * 0.5 * 0.6 * 1.5)
    assert chain_links.ending(0.4, P) == pytest.approx(0.03 * 1.1)


def test_chances_of_links_are_at_most_one():
    assert chain_links.admission(0.5, 0.6, 0.8, True, 1e3, P) == 1.0
    assert chain_links.invitation(0.8, 1e3, P) == 1.0
    assert chain_links.purchase(0.5, 0.6, 1e3, P) == 1.0


@pytest.mark.parametrize(("promoted", "other"), [(0.3, 0.1), (0.1, 0.3)])
def test_the_bound_is_the_larger_admission_plus_purchase_and_invitation(promoted, other):
    p = P.copy()
    p["link_rate"], p["link_rate_other"] = promoted, other
    own = 0.3 * 0.8 * 0.25 * 0.6 * 1.5
    assert chain_links.linking_bound(0.5, 0.6, 0.8, 0.5, 0.5, p) == pytest.approx(own + 0.018 + 0.02 * 0.5 * 0.25)


# Larger firms of five chains in two provinces: six of equal size and one of ten times it in chain 0, none in
# chain 1, two in the second province of chain 2, two in each of chain 3, one in the last of chain 4.
BUYERS = SimpleNamespace(
    move_cluster=np.zeros((2, 1)),  # a row a province
    buyer_slot=np.array([10, 11, 12, 13, 14, 15, 16, 20, 21, 30, 31, 32, 33, 40]),
    buyer_revenue=np.array([100.0] * 6 + [1000.0, 50.0, 150.0] + [100.0] * 5),
    buyer_weight=np.array([0.0, 100, 200, 300, 400, 500, 600, 1600, 1650, 1800, 1900, 2000, 2100, 2200, 2300]),
    buyer_start=np.array([0, 6, 7, 7, 7, 7, 9, 11, 13, 13, 14]),
)


def buyer(chain, province, u, v, slot=99, revenue=1.0):
    return chain_links.choose_buyer(BUYERS, chain_links.buyers_of(BUYERS, chain, province, u, P), slot, revenue, v)


def test_a_buyer_of_the_own_province_is_drawn_by_revenue():
    assert [buyer(0, 0, 0.59, (k + 0.5) / 6) for k in range(6)] == [10, 11, 12, 13, 14, 15]
    assert buyer(0, 1, 0.59, 0.01) == buyer(0, 1, 0.59, 0.99) == 16
    assert [buyer(2, 1, 0.59, v) for v in (0.0, 0.24, 0.25, 0.99)] == [20, 20, 21, 21]
    assert [buyer(3, province, 0.59, v) for province in (0, 1) for v in (0.49, 0.5)] == [30, 31, 32, 33]
    assert buyer(4, 1, 0.59, 0.5) == 40  # the last of all, with no weight beyond its own


def test_a_buyer_of_the_whole_chain_is_drawn_otherwise():
    assert [buyer(0, 1, 0.6, (k + 0.5) / 16) for k in range(7)] == [10, 11, 12, 13, 14, 15, 16]
    assert buyer(0, 0, 0.6, 0.99) == buyer(0, 0, 0.9, 0.99) == 16
    assert [buyer(2, 0, 0.1, v) for v in (0.24, 0.26)] == [20, 21]


def test_no_buyer_is_found_in_an_empty_chain_among_smaller_firms_or_in_the_mirror():
    assert buyer(1, 0, 0.1, 0.5) == buyer(1, 1, 0.9, 0.5) == -1
    assert [buyer(0, 1, 0.1, 0.5, slot=slot) for slot in (15, 16, 17)] == [16, -1, 16]
    assert [buyer(2, 1, 0.1, 0.9, revenue=revenue) for revenue in (149.0, 150.0, 151.0)] == [21, -1, -1]


# --- demand


def test_revenue_and_its_growth():
    assert demand.annual_revenue(10, log(2), 1e6, 0.05, log(1.5)) == pytest.approx(10 * 2 * 1.5 * 1.05 * 1e6)
    assert demand.order_premium(True, True, P) == demand.order_premium(True, False, P) == 0.05
    assert (demand.order_premium(False, True, P), demand.order_premium(False, False, P)) == (0.02, 0.0)
    assert demand.smoothed_growth(0.1, 3e6 * exp(0.05), 3e6, P) == pytest.approx(0.1 + (4 * 0.05 - 0.1) / 8)
    assert demand.smoothed_growth(0.1, exp(1), 1.0, P) == pytest.approx(0.1 + (2 - 0.1) / 8)
    assert demand.smoothed_growth(0.1, exp(-1), 1.0, P) == pytest.approx(0.1 + (-2 - 0.1) / 8)


# --- digital


def test_digital_adoption():
    #        own 0.02 · 0.5, peers 0.05 · 0.4 · 1.5, leader 0.02 · 0.5: 0.05, times (½ + 0.3) and (1 − 0.25): 0.03
    assert digital.adoption_drive(0.2, 0.5, 0.6, 0.5, 0.5, P) == pytest.approx(0.05)
    assert digital.adoption(0.2, 0.05, 0.3, 0.25, 0.04) == pytest.approx(0.2 + 0.8 * (0.03 + 0.04))
    assert digital.adoption_drive(0.6, 0.5, 0.2, 0.5, 0.5, P) == pytest.approx(0.02)  # peers behind do not count
    assert digital.adoption(0.2, 0.05, 0.3, 0.25, 3.0) == pytest.approx(0.2 + 0.8 * 0.5)


def test_digital_level_rises_at_each_bar():
    levels = [digital.digital_level(maturity, P) for maturity in (0.0, 0.19, 0.2, 0.44, 0.45, 0.69, 0.7, 0.71, 1.0)]
    assert levels == [1, 1, 2, 2, 3, 3, 4, 4, 4]


@given(shares, shares, shares, shares, shares, shares)
def test_digital_maturity_rises_within_its_bounds(d, g, c, size, peers, commons):
    drive = digital.adoption_drive(d, size, peers, commons, 1.0, MODEL)
    moved = digital.adoption(d, drive, g, c, 0.0)
    assert d <= moved <= 1
    assert digital.adoption(d, drive, g, c, 0.05) >= moved
    assert digital.adoption(d, digital.adoption_drive(d, size, peers, commons, 0.0, MODEL), g, c, 0.0) <= moved
    assert digital.adoption(d, drive, g, 1.0, 0.0) <= moved


# --- exports


def test_productive_and_large_firms_export():
    # −1 + 2 · 0.3 + 0.5 · ln(40/20) + 0.3 = −0.1 + ln √2
    happens_below(1 / (1 + exp(0.1) / 2**0.5), lambda u: exports.exports(u, 0.3, log(40), 0.3, P))
    # half of twenty employees: −0.1 − ln √2
    happens_below(1 / (1 + exp(0.1) * 2**0.5), lambda u: exports.exports(u, 0.3, log(10), 0.3, P))
    even = P.copy()
    even["export_base"] = 0.0
    assert not exports.exports(0.5, 0.0, size.LOG_20, 0.0, even)


# --- finance


def test_margin_and_debt():
    assert finance.net_margin(0.5, 0.01, 0.025, P) == pytest.approx(0.06 + 0.08 * 0.5 - 0.01 - 0.025)
    # the target: 0.5 − 2 · (0.1 − 0.06)
    assert finance.debt_ratio(0.6, 0.1, UP, P) == pytest.approx(0.6 + 0.1 * (0.42 - 0.6) + 0.04 * NOISE)
    assert finance.debt_ratio(0.02, 0.5, 0.01, P) == 0.02
    assert finance.debt_ratio(1.49, -0.5, 0.99, P) == 1.5
    assert finance.outside_equity(8e6, 3e6) == pytest.approx(10e6)


def test_dear_energy_costs_green_firms_less():
    assert finance.energy_burden(0.1, 0.5, P) == pytest.approx(0.6 * 0.1 * (1 - 0.4 * 0.5))
    assert 0 < finance.energy_burden(0.1, 1.0, MODEL) < finance.energy_burden(0.1, 0.0, MODEL)


def test_credit_constraint_of_a_small_firm_with_little_debt():
    x = -0.4 - 3 * 0.2 + 0.35 * log(2) - 0.2 + 0.7
    assert finance.credit_risk(0.3, log(10), 0.2, 0.7, P) == pytest.approx(x)


@pytest.mark.parametrize(("certified", "listed"), [(False, False), (True, False), (False, True), (True, True)])
def test_credit_constraint(certified, listed):
    risk = -0.4 + 3 * 0.1 - 0.35 * log(2) - 0.2 + 0.7
    assert finance.credit_risk(0.6, log(40), 0.2, 0.7, P) == pytest.approx(risk)
    x = risk - 0.5 * certified - 0.8 * listed
    assert finance.credit_constraint(risk, certified, listed, P) == pytest.approx(1 / (1 + exp(-x)))


def test_what_eases_and_what_tightens_credit():
    def constraint(leverage=0.55, employees=20, certified=False, listed=False, eased=0.0, tightening=0.0):
        risk = finance.credit_risk(leverage, log(employees), eased, tightening, MODEL)
        return finance.credit_constraint(risk, certified, listed, MODEL)

    base = constraint()
    for change in ({"certified": True}, {"listed": True}, {"employees": 200}, {"eased": 0.5}):
        assert constraint(**change) < base
    assert constraint(leverage=0.75) > base
    assert constraint(tightening=1.0) > base


def test_equity_rounds_come_more_often_to_certified_firms():
    def raised(u, certified=False, revenue=1e7, odds=0.2):
        return finance.equity_round(revenue, certified, odds, u, 0.25, P)

    happens_below(0.01 * 1.2, raised)
    happens_below(0.01 * 1.5 * 1.2, lambda u: raised(u, certified=True))
    assert raised(0.0) == pytest.approx(0.4 * 1e7 * (0.3 + 1.4 * 0.25))
    assert raised(0.0, revenue=9e8) == pytest.approx(0.4 * 2e8 * (0.3 + 1.4 * 0.25))
    assert raised(0.5) == raised(0.01, odds=0.0) == 0.0


# --- first_of_a_kind


def test_firsts_come_to_manufacturers_of_promoted_products_with_deep_knowledge():
    def first(u, knowledge=3e7, revenue=1e8, odds=0.5, promoted=True):
        return first_of_a_kind.achieves_first(promoted, knowledge, revenue, odds, u, P)

    happens_below(0.004 * 0.75 * 1.5, first)
    assert not first(0.0, promoted=False)
    assert not first(0.0, knowledge=0.0, revenue=0.0)
    assert first(0.0, knowledge=0.5, revenue=1.0)
    # at a depth of ½ and twice the odds the chance is the rate itself
    assert not first(0.004, knowledge=1e7, odds=1.0)
    assert first(np.nextafter(0.004, 0.0), knowledge=1e7, odds=1.0)


# --- governance


def test_governance():
    assert governance.copied_governance(0.2, 0.6, 0.1) == pytest.approx(0.04)
    assert governance.copied_governance(0.6, 0.2, 0.1) == 0.0
    step = governance.governance_step
    assert step(0.2, 0.5, 0.04, 0.05, False, P) == pytest.approx(0.2 + 0.8 * (0.01 + 0.04 + 0.05))
    assert step(0.2, 0.5, 0.04, 0.05, True, P) == pytest.approx(0.2 + 0.8 * (0.1 + 0.03))
    assert step(0.2, 0.5, 0.04, 3.0, False, P) == pytest.approx(0.2 + 0.8 * 0.5)


@given(shares, shares, shares, shares)
def test_governance_rises_within_its_bounds(g, size, peers, demonstration):
    def moved(peers=peers, training=0.0, backed=False):
        copied = governance.copied_governance(g, peers, demonstration)
        return governance.governance_step(g, size, copied, training, backed, MODEL)

    assert g <= moved() <= 1
    assert moved(backed=True) >= moved()
    assert moved(training=0.02) >= moved()
    assert moved(peers=0.0) <= moved()


# --- growth


def grown(u, employees=16.0, linked=False, slack=-0.2):
    trend = growth.employment_trend(0.5, 0.4, log(employees), slack, P)
    return growth.employment_step(employees, log(employees), trend, linked, u, P)


def test_employment_growth():
    drift = 0.004 + 0.02 * 0.5 - 0.03 * 0.4 - 0.001 * log(16) + 0.1 * -0.2
    scale = 0.1 * 2 * 0.25  # σ₀ / √q · 16^−½
    assert grown(0.25) == pytest.approx(16 * exp(drift))
    assert grown(0.25, linked=True) == pytest.approx(16 * exp(drift + 0.003))
    assert grown(0.05) == pytest.approx(16 * exp(drift + scale * log(2 * 0.2)))
    assert grown(0.20) == pytest.approx(16 * exp(drift - scale * log(2 * 0.2)))


def test_employment_changes_by_a_factor_of_e_at_most_and_stays_above_one():
    assert grown(0.9, employees=100.0, slack=-50.0) == pytest.approx(100 / exp(1))
    assert grown(0.9, employees=100.0, slack=50.0) == pytest.approx(100 * exp(1))
    assert grown(0.9, employees=1.0, slack=-50.0) == 1.0


def resized(employment, a=0.0, c=0.0, linked=False, lost=0.0, u=0.5):
    """Employment after a quarter at the parameters of the model."""
    trend = growth.employment_trend(a, c, log(employment), lost, MODEL)
    return growth.employment_step(employment, log(employment), trend, linked, u, MODEL)


@given(st.floats(1, 1e5), st.floats(-2, 2), shares, draws)
def test_employment_never_falls_below_one(employment, a, c, u):
    moved = resized(employment, a, c, u=u)
    assert moved >= 1
    assert resized(employment, a, c, linked=True, u=u) >= moved
    assert resized(employment, a + 0.5, c, u=u) >= moved
    assert resized(employment, a, c, lost=-0.5, u=u) <= moved


def test_lumpy_adjustment_keeps_the_variance_and_makes_a_years_growth_laplace():
    draws = np.random.default_rng(7).random((4, 20_000))
    changes = [[log(resized(100.0, u=u) / 100.0) for u in quarter] for quarter in draws]
    moving = np.array(changes) - log(resized(100.0, u=1.0 - 1e-9) / 100.0)
    scale = MODEL.growth_noise * 100.0**-MODEL.growth_noise_size
    assert moving.var() == pytest.approx(2 * scale**2, rel=0.05)
    year = moving.sum(axis=0)
    assert (year**4).mean() / (year**2).mean() ** 2 == pytest.approx(6.0, rel=0.12)


# --- knowledge


def test_knowledge():
    assert knowledge.absorptive_capacity(0.3, 0.2) == pytest.approx(0.5)
    assert knowledge.absorptive_capacity(0.9, 0.5) == 1.0
    assert knowledge.spillover(1e7, 0.5, 0.2, P) == pytest.approx(0.02 * 0.5 * 0.3 * 1e7)
    assert knowledge.transfer(0.02, 1e8, 0.5) == pytest.approx(0.25e6)
    assert knowledge.knowledge_stock(1e6, 2e5, 3e4, P) == pytest.approx(0.9e6 + 2e5 + 3e4)
    assert knowledge.class1_patents(4.5e6, P) == pytest.approx(3.0)


# --- listing


def test_only_certified_firms_of_some_size_and_margin_apply_for_a_listing():
    def chance(tier=3, revenue=1e8, margin=0.08, odds=0.5):
        return listing.application_chance(tier, revenue, margin, odds, P)

    assert chance() == pytest.approx(0.003)
    assert chance(odds=0.0) == pytest.approx(0.002)
    assert chance(tier=2) == pytest.approx(0.4 * 0.003)
    assert chance(tier=1) == 0.0
    assert chance(revenue=0.99e8) == 0.0
    assert chance(margin=0.079) == 0.0
    assert chance(revenue=2e8, margin=0.2) == chance()


def test_the_exchanges_admit_no_more_of_the_applications_than_they_have_places():
    assert listing.admitted_share(0.0, 0.0) == 0.0
    assert listing.admitted_share(0.0, 1.0) == 1.0
    assert listing.admitted_share(50.0, 62.5) == listing.admitted_share(62.5, 62.5) == 1.0
    assert listing.admitted_share(250.0, 62.5) == 0.25
    assert listing.admitted_share(1e-3, 0.0) == 0.0


def test_large_firms_with_research_are_listed_at_the_start_more_often_than_small_ones():
    assert listing.start_listing_chance(True, 2.5e8, P) == pytest.approx(0.03)
    assert (
        listing.start_listing_chance(True, 1e9, P) == listing.start_listing_chance(True, 1e11, P) == pytest.approx(0.12)
    )
    assert listing.start_listing_chance(True, 1e8, P) == pytest.approx(0.012)
    assert listing.start_listing_chance(True, 0.99e8, P) == 0.0
    assert listing.start_listing_chance(False, 1e9, P) == 0.0


# --- migration


def test_only_firms_on_the_ladder_move():
    happens_below(0.01 * 0.5 * 1.5, lambda u: migration.moves(1, 0.5, 0.5, u, P))
    happens_below(0.01 * 0.5 * 1.5, lambda u: migration.moves(3, 0.5, 0.5, u, P))
    assert not migration.moves(0, 0.5, 0.5, 0.0, P)
    assert not migration.moves(1, 1.0, 0.0, 0.01, P)


# --- productivity


def test_productivity():
    # K / (k₀ R) = 3, then 1.5
    assert productivity.knowledge_productivity(3e6, 1e8, P) == pytest.approx(0.08 * log(4))
    assert productivity.knowledge_productivity(1.5e6, 1e8, P) == pytest.approx(0.08 * log(2.5))
    target = 0.1 + 0.3 * 0.1 + 0.15 * 0.4 * 0.5 + 0.02
    assert productivity.productivity_target(0.1, 0.4, 0.5, 0.02, False, P) == pytest.approx(target)
    assert productivity.productivity_target(0.1, 0.4, 0.5, 0.02, True, P) == pytest.approx(target + 0.03)
    # A badly managed firm without digital processes: 0.3 · (0.2 − 0.4)
    assert productivity.productivity_target(0.1, 0.0, 0.2, 0.02, False, P) == pytest.approx(0.1 - 0.06 + 0.02)
    assert productivity.productivity_step(0.5, 0.9, UP, P) == pytest.approx(0.5 + 0.02 * 0.4 + 0.07 * NOISE)
    assert productivity.productivity_step(2.99, 3.0, 0.99, P) == 3.0
    assert productivity.productivity_step(-2.99, -3.0, 0.01, P) == -3.0


@given(st.floats(-3, 3), st.floats(-1, 1), draws)
def test_productivity_moves_towards_its_target(a, target, u):
    assert -3 <= productivity.productivity_step(a, target, u, MODEL) <= 3
    still = productivity.productivity_step(a, target, 0.5, MODEL)
    assert abs(still - target) <= abs(a - target) + 1e-9


# --- research


def test_participation_in_research():
    # ±1.5 · ln 2 + 0.3 − 0.2 + 0.1
    assert research.participation(log(40), 0.0, 0.3, -0.2, 0.1, P) == pytest.approx(1 / (1 + exp(-0.2) / 2**1.5))
    assert research.participation(log(10), 0.0, 0.3, -0.2, 0.1, P) == pytest.approx(1 / (1 + exp(-0.2) * 2**1.5))
    # With a selection of 0.4, a firm effect of ln 2 counts as 0.4 of a doubling of size.
    assert research.participation(log(20), log(2), 0.3, -0.2, 0.1, P) == pytest.approx(1 / (1 + exp(-0.2) / 2**0.6))


def test_research_norm():
    # Performers' mean firm effect, where few firms are: 1.5 · 0.4 · 0.36 · 0.9².
    typical = 1.2 * 0.04 * exp(-0.17496)
    assert research.research_norm(0.04, log(300) + 0.5, 0.0, P) == pytest.approx(typical * exp(-0.1))
    assert research.research_norm(0.04, log(300) - 0.5, 0.0, P) == pytest.approx(typical)
    assert research.research_norm(0.04, log(300) + 0.5, 1.5, P) == pytest.approx(typical * exp(1.5 - 0.1))
    assert research.research_norm(0.04, log(300), -1.0, P) == pytest.approx(typical * exp(-1.0))


def test_lasting_differences_in_research():
    key = np.uint64(7)
    draws = [sum(u - 0.5 for u in uniform_pair(key, slot)) * sqrt(6.0) for slot in range(3)]
    # Of the spread 0.9, six tenths (in standard deviations) last.
    firm_effect = [research.rd_firm_effect(key, slot, P) for slot in range(3)]
    assert firm_effect == pytest.approx([0.9 * 0.6 * draw for draw in draws])
    assert demand.own_making(0.5, P) == pytest.approx(-0.3 * 0.5)


def test_starting_and_stopping_research():
    assert research.starting_chance(0.25, 0.4, 0.5, 0.9, P) == pytest.approx(0.12 * 0.25 * 0.8 * 0.9 * 1.5)
    for tier in Tier:
        holds = tier >= Tier.srdi
        assert research.stopping_chance(tier, 0.25, P) == pytest.approx(0.0 if holds else 0.12 * 0.75)
    assert research.starting_intensity(0.04, UP, P) == pytest.approx(0.04 * exp(0.9 * 0.8 * NOISE - 0.2))


@pytest.mark.parametrize(
    ("tier", "revenue", "threshold"),
    [
        (1, 2e7, 0.05),  # a million yuan of twenty
        (1, 1e9, 0.03),
        (2, 4.9e7, 0.03),
        (2, 1e7, 0.1),
        (2, 5e7, 0.06),
        (2, 0.99e8, 0.06),
        (2, 1e8, 0.04),
        (3, 5e7, 0.06),
        (3, 2e8, 0.04),
    ],
)
def test_research_that_the_next_tier_asks_for(tier, revenue, threshold):
    moment = Moment()
    moment.srdi_rd, moment.srdi_rd_spending, moment.giant_rd_mid, moment.giant_rd_large = 0.03, 1e6, 0.06, 0.04
    moment.giant_revenue_mid, moment.giant_revenue_large = 5e7, 1e8
    assert research.next_threshold(tier, revenue, moment.record()) == pytest.approx(threshold)


@pytest.mark.parametrize(
    ("intensity", "aim", "pulled"),
    [
        (0.02, 0.03, 1),
        (0.02, 0.0, 0),
        (0.0149, 0.03, 0),
        (0.015, 0.03, 1),
        (0.0599, 0.03, 1),
        (0.06, 0.03, 0),
        (0.0149, 0.06, 0),
        (0.1199, 0.06, 1),
        (0.12, 0.06, 0),
    ],
)
def test_a_threshold_pulls_who_is_near_it_and_below_its_aim(intensity, aim, pulled):
    assert research.threshold_pull(intensity, 0.03, aim, 0.25, 0.0, P) == pytest.approx(0.12 * 0.75 * pulled)
    assert research.threshold_pull(intensity, 0.03, aim, 0.25, 0.5, P) == pytest.approx(0.18 * 0.75 * pulled)


@pytest.mark.parametrize(("pass_mark", "aim"), [(0, 0.03), (20, 0.03), (21, 0.04), (60, 0.06), (61, 0.08), (100, 0.1)])
def test_research_that_earns_the_part_of_its_points_that_passes(pass_mark, aim):
    """2, 4, 6, 8 and 10 points from 3, 4, 6, 8 and 10 % of revenue on."""
    assert research_aim(pass_mark) == aim
    assert research_bands().tolist() == [0.03, 0.04, 0.06, 0.08, 0.1]


@pytest.mark.parametrize(("threshold", "draw", "aim"), [(0.03, 0.39, 0.06), (0.03, 0.4, 0.03), (0.08, 0.39, 0.08)])
def test_a_share_of_firms_works_for_points_beyond_the_threshold(threshold, draw, aim):
    moment = Moment(rd_aim=0.06).record()
    assert research.intensity_aimed_at(threshold, draw, moment, parameters(points_aim=0.4)) == aim


def test_the_passing_spread_of_research_lasts():
    """Firms that revert to one norm differ as much after ten years as at the start."""
    p = parameters(rd_spread=0.8, rd_lasting=0.36, rd_reversion=0.05, rd_smoothing=0.0)
    rng = np.random.default_rng(1)
    logs = log(1e-3) + 0.64 * rng.standard_normal(2000)
    for _ in range(40):
        draws = rng.random(2000)
        logs = np.array(
            [log(research.intensity_step(exp(x), 1e-3, 0.0, 0.0, u, p)) for x, u in zip(logs, draws, strict=True)]
        )
    assert logs.std() == pytest.approx(0.64, rel=0.06)


def test_research_intensity():
    noise = P.rd_spread * sqrt((1 - P.rd_lasting) * (1 - 0.99**2))
    step = 0.01 * log(0.04 / 0.025) + noise * NOISE + 0.09
    assert research.intensity_step(0.025, 0.04, 0.09, 0.0, UP, P) == pytest.approx(0.025 * exp(step))
    assert research.intensity_step(0.025, 0.04, 0.09, 0.05, UP, P) == pytest.approx(0.025 * exp(step - 0.7 * 0.05))
    assert research.intensity_step(0.59, 0.6, 0.0, 0.0, 0.99, P) == 0.6


@pytest.mark.parametrize(
    ("intensity", "near"), [(0.0224, False), (0.75 * 0.03, True), (0.0299, True), (0.03, False), (0.031, False)]
)
def test_relabelled_share(intensity, near):
    share = research.relabelled_share(intensity, 0.03, True, 0.5, 0.1, P)
    assert share == pytest.approx(1 - intensity / (1.002 * 0.03) if near else 0.0)


def test_chance_of_relabelling():
    def share(u, aspires=True):
        return research.relabelled_share(0.025, 0.03, aspires, 0.5, u, P)

    happens_below(0.3, share)
    assert share(0.3) == share(0.1, aspires=False) == 0.0


@pytest.mark.parametrize(
    ("intensity", "chance"), [(0.04, 0.3), (0.03, 0.3), (0.027, 0.288), (0.0225, 0.225), (0.015, 0.0), (0.0149, 0.0)]
)
def test_chance_of_relabelling_falls_with_the_share_that_would_be_false(intensity, chance):
    p = parameters(relabel_chance=0.6, relabel_reach=0.5, relabel_fall=1.0)
    assert research.relabelling_chance(intensity, 0.03, 0.5, p) == pytest.approx(chance)


def test_without_a_threshold_nobody_is_too_far_from_it():
    assert research.relabelling_chance(0.0, 0.0, 0.0, P) == P.relabel_chance


def test_where_no_part_of_a_report_may_be_false_only_those_at_the_threshold_are_tempted():
    p = parameters(relabel_chance=0.6, relabel_reach=0.0)
    assert research.relabelling_chance(0.03, 0.03, 0.5, p) == pytest.approx(0.3)
    assert research.relabelling_chance(0.0299, 0.03, 0.5, p) == 0.0


def test_relabelling_just_passes_the_threshold_and_a_full_audit_ends_it():
    share = research.relabelled_share(0.027, 0.03, True, 0.0, 0.0, MODEL)
    assert 0.03 <= 0.027 / (1 - share) < 0.0301
    assert research.relabelled_share(0.027, 0.03, True, 1.0, 0.0, MODEL) == 0


def test_added_research_and_staff():
    assert research.added_research(True, 5e5, 1e6, 1e8, P) == pytest.approx((0.6 * 4 * 5e5 + 1e6) / 1e8)
    assert research.added_research(False, 5e5, 1e6, 1e8, P) == pytest.approx(0.01)
    assert research.added_research(False, 5e5, 0.0, 1e8, P) == 0.0
    assert research.added_research(True, 5e5, 1e6, 1e6, P) == 0.5
    assert research.research_staff(0.05, 1.05e8, 1.0, P) == pytest.approx(12.6)  # 3.15 million yuan at 250,000 each
    assert research.research_staff(0.05, 1.05e8, 1.2, P) == pytest.approx(10.5)


def test_public_money_adds_less_research_than_it_pays():
    assert 0 < research.added_research(True, 500e3, 0.0, 100e6, MODEL) * 100e6 / 4 < 500e3
    for additionality in ("talent", "order", "contract", "award"):
        assert MODEL[f"{additionality}_additionality"] < 1


# --- size


def test_size_counts_in_full_from_a_thousand_employees_on():
    assert (exp(size.LOG_20), exp(size.LOG_50)) == pytest.approx((20.0, 50.0))
    assert size.DESIGNATED_REVENUE == 20e6
    assert size.size_factor(0.0) == 0.0
    assert size.size_factor(log(100)) == pytest.approx(2 / 3, rel=1e-6)
    assert size.size_factor(log(1000)) == pytest.approx(1.0, rel=1e-6)
    assert size.size_factor(log(5000)) == 1.0


# --- stress


def test_slack_and_substitution():
    assert stress.slack(-0.1, -0.3, 0.5, 0.5, P) == pytest.approx(-0.1 - 0.4 * (1 - 0.6 * 0.25) * 0.3)
    assert stress.slack(-5.0, -0.3, 0.5, 0.5, P) == -4.0
    # the fifth of the revenue of 100 is 20; below one yuan of it, one yuan stands for it
    qualified, revenue = np.array([5.0, 30.0, 0.3, 5.0, 5.0]), np.array([100.0, 100.0, 2.0, 0.5, 0.0])
    assert stress.replaced(qualified, revenue, P) == pytest.approx([0.2, 0.8, 0.24, 0.8, 0.0])
    lost = stress.supply_loss(1.0, np.array([0.5, 0.99, 0.0]))
    assert lost == pytest.approx([log(0.5), log(0.99), log(0.02)])
    assert stress.supply_loss(0.6, np.array([0.5])) == pytest.approx(log(0.7))


# --- support


def test_channels_of_the_programmes_whose_bits_are_set():
    effects = np.arange(12.0).reshape(4, 3) + 1  # the second column: 2, 5, 8, 11
    assert support.programme_channel(np.uint32(0b1011), effects, 1) == 2 + 5 + 11
    assert support.programme_channel(np.uint32(0b0001), effects, 1) == 2
    assert support.programme_channel(np.uint32(0b0100), effects, 1) == 8
    assert support.programme_channel(np.uint32(0b10000), effects, 1) == 0.0


# --- turnover


def test_exit_and_entry():
    x = -0.2 * log(16) - 0.4 * 0.5 - 0.1 - 0.3 * log(4)  # twelve quarters old
    assert turnover.exit_chance(log(16), 12, 0.5, 0.3, 0.1, P) == pytest.approx(0.05 * exp(x))
    assert turnover.exit_chance(log(16), 12, 0.5, 0.75, 0.1, P) == pytest.approx(0.05 * exp(x + 2 * 0.25))
    assert turnover.exit_chance(log(16), 12, 0.5, 0.75, -10.0, P) == 0.5
    assert turnover.entry_chance(2.0, P) == pytest.approx(0.2)
    assert turnover.entry_chance(100.0, P) == 0.5
