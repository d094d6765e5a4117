"""Equations of the feedbacks of the economy, with numbers worked out by hand."""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np
import pytest
from by_hand import NOISE, UP, parameters

from sim.chain_health import ChainHealth
from sim.institutions.province import shifted
from sim.ladder.rounds import Rounds
from sim.levers.finance import CreditGuarantees
from sim.mechanisms.anticipation import felt_ahead, last_rush
from sim.mechanisms.chain_links import qualified_level
from sim.mechanisms.competition import competitive_pressure
from sim.mechanisms.demand import annual_revenue, selling_share
from sim.mechanisms.dose import dose_response
from sim.mechanisms.finance import credit_response, crowding_out, research_burden
from sim.mechanisms.growth import carried_by_staff, demand_hiring, research_hiring
from sim.mechanisms.productivity import permanent_part, steady_noise
from sim.mechanisms.public_cost import tax_relief, title_awards
from sim.mechanisms.research import own_threshold, research_price, research_wage, staff_load
from sim.mechanisms.turnover import exit_chance
from sim.product_market import ProductMarket
from sim.tally import ChainSum
from sim.world.environment import Moment


def test_the_permanent_part_keeps_its_share_of_the_variance_and_leaves_the_whole_alone():
    p = parameters(permanent_share=0.64, productivity_spread=0.5)
    assert permanent_part(2.0, 1.0, p) == pytest.approx(0.5 * (1.28 + 0.48))
    rng = np.random.default_rng(1)
    noise, other = rng.standard_normal((2, 100_000))
    kept = np.array([permanent_part(*pair, p) for pair in zip(noise[:20_000], other[:20_000], strict=True)])
    rest = 0.5 * noise[:20_000] - kept
    assert kept.var() == pytest.approx(0.64 * 0.25, rel=0.03)
    assert rest.var() == pytest.approx(0.36 * 0.25, rel=0.03)
    assert abs(np.corrcoef(kept, rest)[0, 1]) < 0.02
    assert permanent_part(2.0, 1.0, parameters(permanent_share=0.0)) == 0.0


def test_noise_that_keeps_the_spread():
    # 0.5² (1 − 0.64) (2 · 0.2 − 0.04) = 0.0324
    assert steady_noise(0.5, 0.64, 0.2) == pytest.approx(0.18)
    assert steady_noise(0.42, 0.0, 1.0) == pytest.approx(0.42)


def test_what_research_costs():
    p = parameters(research_expensed=0.9, tax_relief=0.2)
    # 0.9 · (0.8 · (0.06 − 0.01) − 0.03) = 0.009
    assert research_burden(0.06, 0.01, 0.03, 0.0, p) == pytest.approx(0.009)
    assert research_burden(0.0, 0.01, 0.0, 0.0, p) == pytest.approx(-0.0072)
    # False R&D of 2 % of revenue saves 0.4 % of it in tax: 0.9 · (0.04 − 0.03 − 0.004) = 0.0054
    assert research_burden(0.06, 0.01, 0.03, 0.02, p) == pytest.approx(0.0054)


def test_public_cost_beside_levers():
    p = parameters(tax_relief=0.2, tax_relief_counted=0.3, title_award_srdi=200_000.0, title_award_giant=750_000.0)
    assert tax_relief(5e9, p) == pytest.approx(3e8)
    # 30 · 0.2 million + 4 · 0.75 million
    assert title_awards(30.0, 4.0, p) == pytest.approx(9e6)


def test_what_is_announced_is_felt_the_more_the_nearer_it_is():
    p = parameters(anticipation_fade=0.8, apply_rush=0.3)
    assert felt_ahead(0, p) == felt_ahead(-5, p) == 1.0
    assert felt_ahead(3, p) == pytest.approx(0.512)
    never = parameters(anticipation_fade=0.0)
    assert (felt_ahead(0, never), felt_ahead(1, never)) == (1.0, 0.0)
    assert [last_rush(ahead, True, p) for ahead in (-1, 0, 1, 4, 5)] == [0.0, 0.0, 0.3, 0.3, 0.0]
    assert last_rush(2, False, p) == 0.0


def test_research_staff_sell_nothing():
    p = parameters(research_staff_drawn=1.0, rd_staff_cost_share=0.6, rd_staff_cost=200_000.0)
    assert staff_load(1.0, p) == pytest.approx(3e-6)
    assert staff_load(1.5, p) == pytest.approx(2e-6)
    # 10 employees, a million yuan each; R&D of 10 % of revenue R pays S = 0.3e-6 R of them: R = (10 − S) 1e6.
    per_worker = annual_revenue(1.0, 0.0, 1e6, 0.0, 0.0)
    revenue = selling_share(per_worker, 0.1 * staff_load(1.0, p)) * annual_revenue(10.0, 0.0, 1e6, 0.0, 0.0)
    assert revenue == pytest.approx(1e7 / 1.3)
    assert (10.0 - 0.3e-6 * revenue) * 1e6 == pytest.approx(revenue)


def test_hiring():
    assert demand_hiring(0.2, parameters(staff_response=0.5)) == pytest.approx(0.1)
    # R&D up by 2 % of 50 million at 3 persons a million: 3 more of 60.
    assert research_hiring(0.02, 3e-6, 5e7, 60.0) == pytest.approx(0.05)


def test_sales_per_employee_fall_by_what_new_staff_carry():
    p = parameters(staff_response=0.7)
    assert carried_by_staff(0.3, p) == pytest.approx(0.21)
    # 100 staff at demand 0; demand up by 9 %: sales at once, then 0.7 of it as staff and 0.3 as sales per employee.
    x = math.log(1.09)
    assert annual_revenue(100.0, 0.0, 1e6, 0.0, x) == pytest.approx(1.09e8)
    staff = 100.0 * math.exp(demand_hiring(x, p))
    assert staff == pytest.approx(106.2176, abs=1e-3)
    assert annual_revenue(staff, 0.0, 1e6, 0.0, x - carried_by_staff(x, p)) == pytest.approx(1.09e8)


def test_the_wage_of_research_staff_absorbs_its_share_of_what_money_grows_beyond_the_trend():
    p = parameters(
        research_staff_trend=0.08, research_wage_trend=0.02, research_wage_share=0.4, rd_staff_cost_share=0.5
    )
    assert research_wage(math.exp(0.2), 2.0, p) == pytest.approx(math.exp(0.04))
    assert research_price(math.exp(0.04), 2.0, p) == pytest.approx(1.0)
    wage = research_wage(math.exp(0.5), 2.0, p)
    assert wage == pytest.approx(math.exp(0.04 + 0.4 * 0.3))
    assert research_price(wage, 2.0, p) == pytest.approx(math.exp(0.5 * 0.12))
    assert research_wage(0.5, 2.0, p) == pytest.approx(math.exp(0.04 + 0.4 * (math.log(0.5) - 0.2)))
    assert math.isfinite(research_wage(0.0, 2.0, p)), "a nation without R&D has a wage, too"


def test_credit_that_others_lose():
    p = parameters(credit_crowding=0.25)
    assert credit_response(0.3) == pytest.approx(0.21)
    # A quarter of the eased credit, spread over all that would respond.
    assert crowding_out(np.array([40.0, 0.0]), np.array([1000.0, 0.0]), p).tolist() == [0.01, 0.0]
    # Below a yuan the divisor is one yuan.
    assert crowding_out(np.array([0.4]), np.array([0.5]), p).tolist() == [0.1]


def test_guaranteed_firms_close_more_often():
    p = parameters(guarantee_default=0.2, guarantee_credit=0.8, exit_base=0.01)
    effects = CreditGuarantees().effects(p)
    assert effects == {"credit": pytest.approx(0.8), "survival": pytest.approx(-0.2)}
    firm = (math.log(30.0), 20, 0.1, 0.6)
    rise = exit_chance(*firm, effects["survival"], p) / exit_chance(*firm, 0.0, p)
    assert rise == pytest.approx(math.exp(0.2))


def test_effects_grow_less_than_money():
    p = SimpleNamespace(dose_elasticity=0.5)
    assert dose_response(1.0, p) == 1.0
    assert dose_response(4.0, p) == 2.0


def test_the_frontier_of_suppliers_moves():
    p = parameters(qualified_capability=0.5, frontier_trend=0.02)
    assert qualified_level(0.0, p) == 0.5
    assert qualified_level(5.0, p) == pytest.approx(0.6)
    assert qualified_level(100.0, p) == 0.95


@pytest.mark.parametrize(
    ("leader_matters", "filled", "national"), [(True, [1.0, 0.0, 1.0], 0.5), (False, [1.0, 0.5, 1.0], 0.75)]
)
def test_a_leader_without_suppliers_has_no_link_filled(leader_matters, filled, national):
    # Two key links each of two chains, all but the last filled, and a chain without; the second has no supplier.
    suppliers = np.zeros((3, len(ChainSum._fields)), dtype=np.int64)
    suppliers[:, ChainSum.suppliers] = 3, 0, 1
    model = SimpleNamespace(
        parameters=SimpleNamespace(gap_share=0.2, standard_shock=0.5, substitution_max=0.8),
        policy=SimpleNamespace(model=SimpleNamespace(frontier=leader_matters)),
        industry=SimpleNamespace(
            chain_sector=np.zeros(3),
            niche_chain=np.array([0, 0, 1, 1, 2]),
            niche_promoted=np.array([True, True, True, True, False]),
        ),
        totals=SimpleNamespace(
            niche_revenue=np.full(5, 100), niche_qualified=np.array([20, 30, 50, 19, 0]), chains=suppliers
        ),
        environment=SimpleNamespace(niche_slack=np.zeros(5), chain_weakest=np.zeros(3, dtype=np.int64)),
    )
    health = ChainHealth(model)
    health.update()
    assert health.filled.tolist() == filled
    assert health.gaps_filled == national


def test_a_share_moves_in_log_odds():
    assert shifted(0.5, math.log(3.0)) == pytest.approx(0.75)
    assert shifted(0.2, math.log(2.0)) == pytest.approx(1 / 3)
    assert shifted(0.75, -math.log(3.0)) == pytest.approx(0.5)
    assert shifted(0.3, 0.0) == 0.3


def test_demand_follows_the_trend_of_what_firms_could_sell():
    # Two niches of one sector that sells half abroad; two years of a trend of 3 % a year.
    p = SimpleNamespace(displacement=0.8, sector_displacement=1.0, potential_trend=0.03)
    model = SimpleNamespace(
        parameters=p,
        moment=SimpleNamespace(index=8),
        industry=SimpleNamespace(niche_sector=np.array([0, 0]), sector_export_share=np.array([0.5])),
        environment=SimpleNamespace(
            sector_revenue_per_worker=np.array([1e6]), niche_pressure=np.zeros(2), disturbed=np.array([False])
        ),
        totals=SimpleNamespace(niche_revenue=np.array([1e6, 3e6])),
    )
    market = ProductMarket(model)
    model.totals.niche_revenue = np.array([1e6, 3e6]) * math.exp(0.06)
    market.update()
    assert model.environment.niche_pressure == pytest.approx([0.0, 0.0], abs=1e-12)
    # Sales as at the start lie 6 % below the trend: half of it, the part sold at home, comes back.
    model.totals.niche_revenue = np.array([1e6, 3e6])
    market.update()
    assert model.environment.niche_pressure == pytest.approx([0.03, 0.03])


@pytest.mark.parametrize("usual", [0.6, 0.25])
def test_years_differ_in_the_strictness_of_reviews(usual):
    p = SimpleNamespace(review_spread=0.5)
    rounds = SimpleNamespace(
        model=SimpleNamespace(parameters=p, draws=lambda purpose, count: np.array([0.5, UP, 0.25]))
    )
    odds = usual / (1.0 - usual)
    assert Rounds._strictness(rounds, 0, usual) == pytest.approx(usual)
    for tier, sign in ((1, 1.0), (2, -1.0)):
        moved = odds * math.exp(sign * 0.5 * NOISE)
        assert Rounds._strictness(rounds, tier, usual) == pytest.approx(moved / (1.0 + moved))
    assert [Rounds._strictness(rounds, 1, certain) for certain in (0.0, 1.0)] == [0.0, 1.0]
    p.review_spread = 0.0
    assert Rounds._strictness(rounds, 1, usual) == usual


def test_a_review_asks_for_the_threshold_of_the_held_tier():
    rules = {"srdi_rd": 0.03, "srdi_rd_spending": 1e6, "giant_rd_large": 0.03, "giant_rd_mid": 0.06}
    moment = Moment(giant_revenue_mid=5e7, giant_revenue_large=1e8, **rules).record()
    assert own_threshold(2, 6e7, moment) == 0.03
    assert own_threshold(3, 6e7, moment) == 0.06


def test_pressure_by_hand():
    p = parameters(displacement=0.8, sector_displacement=0.5)
    niche, sector = np.log([1.2, 0.9, 2.0]), np.log([1.1, 2.0])
    pressure = competitive_pressure(niche, sector, np.array([0, 0, 1]), np.array([1.0, 0.5]), p)
    assert pressure[0] == pytest.approx(-0.8 * math.log(1.2 / 1.1) - 0.5 * math.log(1.1))
    assert pressure[1] == pytest.approx(-0.8 * math.log(0.9 / 1.1) - 0.5 * math.log(1.1))
    assert pressure[2] == pytest.approx(-0.5 * 0.5 * math.log(2.0))


def test_a_niche_that_empties_has_bounded_pressure():
    p = parameters(displacement=1.0, sector_displacement=1.0)
    pressure = competitive_pressure(np.array([-20.0]), np.array([0.0]), np.array([0]), np.array([1.0]), p)
    assert pressure.tolist() == [3.0]
