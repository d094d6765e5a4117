"""Each rule with numbers worked out by hand, its bounds, and the sign of its drivers."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.ladder.application import application_worth, is_reached
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
    stress,
    support,
    turnover,
)
from sim.parameters import parameter_record

P = parameter_record()
shares = st.floats(0, 1)
draws = st.floats(1e-6, 1 - 1e-6)
MIDDLE = 0.5  # the draw at which noise is zero


def test_revenue_is_employees_times_revenue_per_worker_times_productivity_and_orders():
    assert demand.annual_revenue(10, math.log(2), 1e6, 0.0, 0.0) == pytest.approx(20e6)
    assert demand.annual_revenue(10, 0, 1e6, 0.05, math.log(0.5)) == pytest.approx(5e6 * 1.05)
    premiums = [demand.order_premium(*links, P) for links in ((True, False), (False, True), (False, False))]
    assert premiums == [P.order_premium, P.order_premium_buyer, 0.0]


def test_growth_is_a_mean_of_about_two_years():
    value = 0.0
    for _ in range(8):
        value = demand.smoothed_growth(value, 1.02, 1.0, P)
    assert value == pytest.approx(4 * math.log(1.02) * (1 - (1 - P.growth_memory) ** 8))


def test_margin_and_debt():
    assert finance.net_margin(1.0, 0.01, P) == pytest.approx(P.margin_mean + P.margin_productivity - 0.01)
    settled = finance.debt_ratio(P.leverage_mean, P.margin_mean, MIDDLE, P)
    assert settled == pytest.approx(P.leverage_mean)
    assert finance.debt_ratio(0.5, 0.2, MIDDLE, P) < finance.debt_ratio(0.5, 0.0, MIDDLE, P)


def test_what_eases_and_what_tightens_credit():
    def constraint(leverage=0.55, employees=20, certified=False, listed=False, eased=0.0, tightening=0.0):
        risk = finance.credit_risk(leverage, math.log(employees), eased, tightening, P)
        return finance.credit_constraint(risk, certified, listed, P)

    base = constraint()
    assert base == pytest.approx(1 / (1 + math.exp(-P.constraint_base - 3 * (0.55 - P.leverage_mean))))
    for change in ({"certified": True}, {"listed": True}, {"employees": 200}, {"eased": 0.5}):
        assert constraint(**change) < base
    assert constraint(leverage=0.75) > base
    assert constraint(tightening=1.0) > base
    assert constraint(eased=0.7, tightening=0.7) == pytest.approx(base)


def test_outside_equity_fades():
    assert finance.outside_equity(8e6, 0.0) == pytest.approx(7e6)
    assert finance.outside_equity(0.0, 3e6) == pytest.approx(3e6)


def test_equity_rounds_come_more_often_to_certified_firms():
    def raised(revenue=1e7, certified=False, odds=0.0, event=0.5):
        return finance.equity_round(revenue, certified, odds, event, 0.5, P)

    assert raised(event=P.equity_rate / 2) == pytest.approx(P.equity_size * 1e7)
    assert raised(revenue=1e12, event=P.equity_rate / 2) == pytest.approx(P.equity_size * P.equity_revenue_max)
    between = P.equity_rate * (1 + 0.5 * P.equity_signal)
    assert raised(event=between) == 0
    assert raised(certified=True, event=between) > 0
    assert raised(odds=P.equity_signal, event=between) > 0


def test_dear_energy_costs_green_firms_less():
    assert finance.energy_burden(0.1, 0.0, P) == pytest.approx(0.1 * P.energy_incidence)
    assert finance.energy_burden(0.1, 1.0, P) == pytest.approx(0.1 * P.energy_incidence * (1 - P.green_saving))
    assert finance.energy_burden(0.0, 0.5, P) == 0


def test_only_certified_firms_of_some_size_and_margin_list():
    good = (2, P.listing_revenue, P.listing_margin)
    assert listing.lists(*good, 0.0, P.listing_rate * 0.99, P)
    assert not listing.lists(*good, 0.0, P.listing_rate * 1.01, P)
    assert listing.lists(*good, 1.0, P.listing_rate * 1.99, P)
    assert not listing.lists(1, *good[1:], 0.0, 0.0, P)
    assert not listing.lists(2, P.listing_revenue * 0.99, P.listing_margin, 0.0, 0.0, P)
    assert not listing.lists(2, P.listing_revenue, P.listing_margin - 0.01, 0.0, 0.0, P)


@pytest.mark.parametrize("odds", [0.0, 0.5])
def test_research_participation_settles_at_its_probability(odds):
    chance = 0.3
    stopping = research.switching_chance(0.05, chance, P.constraint_reference, odds, P)
    starting = research.switching_chance(0.0, chance, P.constraint_reference, odds, P)
    assert stopping == P.rd_stop
    assert starting / stopping == pytest.approx(chance / (1 - chance) * (1 + odds), rel=1e-9)
    assert research.switching_chance(0.0, chance, P.constraint_reference + 0.1, odds, P) < starting


def test_thresholds_follow_tier_and_revenue():
    from sim.environment import Moment

    moment = Moment()
    moment.srdi_rd, moment.giant_rd_large, moment.giant_rd_mid, moment.giant_revenue_large = 0.03, 0.04, 0.06, 1e8
    assert research.next_threshold(1, 1e9, moment.record()) == 0.03
    assert research.next_threshold(2, 1e8, moment.record()) == 0.04
    assert research.next_threshold(2, 0.9e8, moment.record()) == 0.06


def test_a_threshold_pulls_aspirants_just_below_it_and_nobody_else():
    assert research.threshold_pull(0.025, 0.03, True, 0.0, P) == P.pull_speed
    assert research.threshold_pull(0.025, 0.03, False, 0.0, P) == 0.0
    assert research.threshold_pull(P.pull_width * 0.03 * 0.9, 0.03, True, 0.0, P) == 0.0
    pulled, unpulled = (research.intensity_step(0.025, 0.03, pull, MIDDLE, P) for pull in (0.1, 0.0))
    assert math.log(pulled / unpulled) == pytest.approx(0.1)
    assert research.intensity_step(0.03, 0.03, 0.0, MIDDLE, P) == pytest.approx(0.03)


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


def test_public_money_adds_less_research_than_it_pays():
    added = research.added_research(True, 500e3, 0.0, 100e6, P) * 100e6 / 4
    assert added == pytest.approx(P.award_additionality * 500e3)
    assert added < 500e3
    assert research.added_research(False, 500e3, 0.0, 100e6, P) == 0
    assert research.added_research(False, 0.0, 1e6, 100e6, P) == pytest.approx(0.01)
    for additionality in ("talent", "order", "contract", "award"):
        assert P[f"{additionality}_additionality"] < 1


def test_research_staff_is_what_the_money_pays():
    staff = research.research_staff(0.05, 100e6, P)
    assert staff * P.rd_staff_cost == pytest.approx(5e6 * P.rd_staff_cost_share)


def test_knowledge_settles_where_research_replaces_depreciation():
    stock = 0.0
    for _ in range(400):
        stock = knowledge.knowledge_stock(stock, 0.25e6, 0.0, P)
    assert stock == pytest.approx(1e6 / P.knowledge_depreciation, rel=1e-3)
    assert knowledge.class1_patents(3 * P.class1_cost, P) == pytest.approx(3)


def test_firms_absorb_from_the_pool_and_from_partners():
    assert knowledge.absorptive_capacity(0.3, 0.2) == pytest.approx(0.5)
    assert knowledge.absorptive_capacity(0.9, 0.5) == 1
    closed = knowledge.spillover(1e7, 0.5, 0.0, P)
    assert closed == pytest.approx(0.25 * P.knowledge_spillover * 0.5 * P.commons_base * 1e7)
    assert knowledge.spillover(1e7, 0.5, 1.0, P) == pytest.approx(closed * (P.commons_base + 1) / P.commons_base)
    assert knowledge.spillover(0.0, 1.0, 1.0, P) == 0
    assert knowledge.transfer(0.02, 1e8, 0.5) == pytest.approx(0.25e6)


def test_firsts_come_to_manufacturers_of_promoted_products_with_deep_knowledge():
    depth = 1 / (1 + P.capability_depth)
    chance = P.first_rate * depth
    assert first_of_a_kind.achieves_first(True, 1e8, 1e8, 0.0, chance * 0.99, P)
    assert not first_of_a_kind.achieves_first(True, 1e8, 1e8, 0.0, chance * 1.01, P)
    assert first_of_a_kind.achieves_first(True, 1e8, 1e8, 1.0, chance * 1.99, P)
    for promoted, stock in ((False, 1e8), (True, 0.0)):
        assert not first_of_a_kind.achieves_first(promoted, stock, 1e8, 9.0, 1e-9, P)


@given(shares, shares, shares, shares, shares, shares)
def test_digital_maturity_rises_within_its_bounds(d, g, c, size, peers, commons):
    drive = digital.adoption_drive(d, size, peers, commons, 1.0, P)
    moved = digital.adoption(d, drive, g, c, 0.0)
    assert d <= moved <= 1
    assert digital.adoption(d, drive, g, c, 0.05) >= moved
    assert digital.adoption(d, digital.adoption_drive(d, size, peers, commons, 0.0, P), g, c, 0.0) <= moved
    assert digital.adoption(d, drive, g, 1.0, 0.0) <= moved


def test_digital_levels_begin_at_their_thresholds():
    starts = (0.0, P.digital_level2, P.digital_level3, P.digital_level4)
    assert [digital.digital_level(start, P) for start in starts] == [1, 2, 3, 4]
    assert [digital.digital_level(start - 1e-9, P) for start in starts[1:]] == [1, 2, 3]


@given(shares, shares, shares, shares)
def test_governance_rises_within_its_bounds(g, size, peers, demonstration):
    def moved(peers=peers, training=0.0, backed=False):
        copied = governance.copied_governance(g, peers, demonstration)
        return governance.governance_step(g, size, copied, training, backed, P)

    assert g <= moved() <= 1
    assert moved(backed=True) >= moved()
    assert moved(training=0.02) >= moved()
    assert moved(peers=0.0) <= moved()


@given(shares, shares, draws)
def test_slow_capabilities_stay_in_bounds(value, other, u):
    assert 0.2 <= capability.main_share_step(max(value, 0.2), True, u, P) <= 1
    target = capability.refinement_target(other, True, True, 0.2, P)
    assert 0 <= capability.refinement_step(value, target, u, P) <= 1
    assert value <= capability.green_step(value, other, 0.1, 0.05, P) <= 1


def test_drivers_of_slow_capabilities():
    assert capability.main_share_step(0.7, True, 0.5, P) > capability.main_share_step(0.7, False, 0.5, P)
    plain = capability.refinement_target(0.5, False, False, 0.0, P)
    assert capability.refinement_target(0.9, False, False, 0.0, P) > plain
    assert capability.refinement_target(0.5, True, False, 0.0, P) > plain
    assert capability.refinement_target(0.5, False, True, 0.0, P) > plain
    assert capability.refinement_target(0.5, False, False, 0.1, P) > plain
    assert capability.refinement_step(0.4, 0.6, 0.5, P) > capability.refinement_step(0.4, 0.5, 0.5, P)
    grey = capability.green_step(0.2, 0.4, 0.0, 0.0, P)
    assert capability.green_step(0.2, 0.4, 0.05, 0.0, P) > grey
    assert capability.green_step(0.2, 0.4, 0.0, 0.03, P) > grey


def test_productivity_target_has_the_stated_elasticity_and_terms():
    assert productivity.knowledge_productivity(0.0, 1e8, P) == 0
    known = productivity.knowledge_productivity(1e8, 1e8, P)
    assert known == pytest.approx(P.knowledge_elasticity * math.log(1 + 1 / P.knowledge_unit))
    assert productivity.productivity_target(known, 0.0, 0.0, 0.0, False, P) == known
    full = productivity.productivity_target(0.0, 1.0, 1.0, 0.04, True, P)
    assert full == pytest.approx(P.digital_productivity + 0.04 + P.leader_learning)


@given(st.floats(-3, 3), st.floats(-1, 1), draws)
def test_productivity_moves_towards_its_target(a, target, u):
    assert -3 <= productivity.productivity_step(a, target, u, P) <= 3
    still = productivity.productivity_step(a, target, 0.5, P)
    assert abs(still - target) <= abs(a - target) + 1e-9


def grown(employment, a=0.0, c=0.0, linked=False, lost=0.0, u=MIDDLE):
    trend = growth.employment_trend(a, c, math.log(employment), lost, P)
    return growth.employment_step(employment, math.log(employment), trend, linked, u, P)


@given(st.floats(1, 1e5), st.floats(-2, 2), shares, draws)
def test_employment_never_falls_below_one(employment, a, c, u):
    moved = grown(employment, a, c, u=u)
    assert moved >= 1
    assert grown(employment, a, c, linked=True, u=u) >= moved
    assert grown(employment, a + 0.5, c, u=u) >= moved
    assert grown(employment, a, c, lost=-0.5, u=u) <= moved


def test_growth_noise_falls_with_size():
    def width(employment):
        up, down = (grown(employment, u=share * P.growth_lumps) for share in (0.9, 0.1))
        return math.log(up / down)

    assert width(1000) / width(10) == pytest.approx(100**-P.growth_noise_size, rel=1e-6)


def test_lumpy_adjustment_keeps_the_variance_and_makes_a_years_growth_laplace():
    draws = np.random.default_rng(7).random((4, 20_000))
    changes = [[math.log(grown(100.0, u=u) / 100.0) for u in quarter] for quarter in draws]
    moving = np.array(changes) - math.log(grown(100.0, u=1.0 - 1e-9) / 100.0)
    scale = P.growth_noise * 100.0**-P.growth_noise_size
    assert moving.var() == pytest.approx(2 * scale**2, rel=0.05)
    year = moving.sum(axis=0)
    assert (year**4).mean() / (year**2).mean() ** 2 == pytest.approx(6.0, rel=0.12)


def test_exit_falls_with_size_age_productivity_and_incubation_and_rises_with_debt():
    def hazard(employees=20, age=20, a=0.0, leverage=0.5, survival=0.0):
        return turnover.exit_chance(math.log(employees), age, a, leverage, survival, P)

    base = hazard()
    assert 0 < base < 0.1
    for change in ({"employees": 200}, {"age": 80}, {"a": 0.5}, {"survival": 0.4}):
        assert hazard(**change) < base
    assert hazard(leverage=0.9) > base
    assert turnover.entry_chance(2.0, P) == pytest.approx(min(2 * P.entry_rate, 0.5))


def test_leaders_admit_the_capable_and_open_leaders_admit_more():
    assert chain_links.capability(0.6, 0.3, 1e7, 1e8, P) == pytest.approx((0.9 + 0.5) / 3)
    chance = chain_links.admission(0.5, 0.6, 0.8, True, 0.0, P)
    assert chance == pytest.approx(P.link_rate * 0.8 * 0.5**2 * 0.6)
    assert chain_links.admission(0.5, 0.6, 0.8, False, 0.0, P) < chance
    assert chain_links.admission(0.5, 0.6, 0.4, True, 0.0, P) == pytest.approx(chance / 2)
    assert chain_links.admission(0.5, 0.6, 0.8, True, 0.5, P) == pytest.approx(1.5 * chance)
    assert chain_links.invitation(0.5, 0.0, P) == 0
    assert chain_links.invitation(0.8, 0.5, P) == pytest.approx(P.newcomer_rate * 0.5 * 0.64)
    assert chain_links.purchase(0.5, 0.6, 1.0, P) == pytest.approx(2 * chain_links.purchase(0.5, 0.6, 0.0, P))
    assert chain_links.ending(0.9, P) < chain_links.ending(0.1, P)


def test_leaders_have_codes_of_their_own():
    for chain in (0, 7, 59):
        assert chain_links.leader_code(chain) <= -2
        assert chain_links.leader_of(chain_links.leader_code(chain)) == chain
    assert chain_links.leader_of(-1) == chain_links.leader_of(0) == chain_links.leader_of(123) == -1


def test_shocks_travel_upstream_and_capable_suppliers_redirect():
    assert stress.slack(0.0, 0.0, 0.5, 1.0, P) == 0
    assert stress.slack(-0.2, 0.0, 0.5, 1.0, P) == pytest.approx(-0.2)
    stuck = stress.slack(0.0, -0.3, 0.5, 0.0, P)
    assert stuck == pytest.approx(-0.3 * P.order_share)
    assert stuck < stress.slack(0.0, -0.3, 0.5, 1.0, P) < 0
    assert stress.slack(0.0, -0.3, 0.9, 1.0, P) > stress.slack(0.0, -0.3, 0.1, 1.0, P)


def test_qualified_domestic_firms_replace_a_missing_foreign_supply():
    revenue = np.array([100.0, 100.0, 100.0, 0.0])
    qualified = np.array([0.0, 0.5 * P.gap_share * 100, 80.0, 0.0])
    share = stress.replaced(qualified, revenue, P)
    assert share == pytest.approx([0.0, 0.5 * P.substitution_max, P.substitution_max, 0.0])
    assert stress.supply_loss(0.6, share)[0] == pytest.approx(math.log(0.4))
    assert stress.supply_loss(0.6, np.ones(1))[0] == 0


def test_productive_and_large_firms_export():
    def threshold(a=0.0, employees=20, odds=0.0):
        return sum(exports.exports((k + 0.5) / 1000, a, math.log(employees), odds, P) for k in range(1000))

    base = threshold()
    assert base == pytest.approx(1000 / (1 + math.exp(-P.export_base)), abs=1)
    assert threshold(a=0.5) > base
    assert threshold(employees=200) > base
    assert threshold(odds=0.5) > base


def test_only_firms_on_the_ladder_move_and_only_towards_commons():
    chance = P.move_rate * 0.5
    assert migration.moves(1, 0.5, 0.0, chance * 0.99, P)
    assert not migration.moves(1, 0.5, 0.0, chance * 1.01, P)
    assert migration.moves(1, 0.5, 1.0, chance * 1.99, P)
    assert not migration.moves(0, 0.5, 0.0, 1e-9, P)
    assert not migration.moves(3, 0.0, 9.0, 1e-9, P)


def test_a_channel_adds_up_over_the_firms_programmes():
    effects = np.zeros((3, len(support.Channel)))
    effects[0, 2], effects[1, 2], effects[2, 5] = 0.5, 0.25, 1.0
    assert support.programme_channel(np.uint32(0b011), effects, 2) == 0.75
    assert support.programme_channel(np.uint32(0b110), effects, 5) == 1.0
    assert support.programme_channel(np.uint32(0), effects, 5) == 0.0


@given(draws, shares, st.floats(0, 10), st.floats(-2, 2))
def test_once_reached_always_reached(draw, reach, log_employment, worth):
    if is_reached(draw, reach, log_employment, worth, P):
        assert is_reached(draw, min(reach + 0.1, 1.0), log_employment, worth, P)
        assert is_reached(draw, reach, log_employment + 1.0, worth, P)
        assert is_reached(draw, reach, log_employment, worth + 0.5, P)
    assert not is_reached(draw, 0.0, log_employment, worth, P)


def test_half_of_the_firms_of_fifty_are_reached_at_half_reach():
    reached = sum(is_reached((k + 0.5) / 1000, 0.5, math.log(50), 0.0, P) for k in range(1000))
    assert reached == 500


def test_application_is_worth_more_to_firms_that_lenders_refuse_and_that_are_well_run():
    base = application_worth(P.constraint_reference, P.apply_governance_reference, 0.0, 0.0, P)
    assert base == 0
    assert application_worth(0.8, P.apply_governance_reference, 0.0, 0.0, P) > 0
    assert application_worth(P.constraint_reference, 0.1, 0.0, 0.0, P) < 0
    assert application_worth(P.constraint_reference, P.apply_governance_reference, 0.7, 0.1, P) == pytest.approx(0.8)
