"""Feedbacks of the economy: numbers by hand, the published patterns, and what a switch does."""

from __future__ import annotations

import math

import numpy as np
import pytest

from sim.branching import first_difference
from sim.calendar import START
from sim.feedbacks import Feedbacks, switched
from sim.levers import PROGRAMMES, Levers
from sim.mechanisms.support import Channel
from sim.model import SRDIModel
from sim.numerics.draws import Purpose, uniform, uniform_array
from sim.parameters import parameter_table, parameter_values
from sim.policy import Policy
from sim.rules import Rules
from sim.tally import Cell

# ---------------------------------------------------------------- production


def test_productivity_keeps_its_spread_and_has_the_published_persistence():
    policy = Policy(model=Feedbacks.only("production"))
    model = SRDIModel(policy, scale=0.005, rng=3, until=2021)
    columns = model.firms.columns
    years = []
    for quarter in range(13):
        if quarter % 4 == 0:
            alive, age = columns.employment > 0, columns.age.copy()
            years.append((alive, age, columns.productivity.astype(float), columns.permanent.copy()))
        if model.running:
            model.step()
    (first, age, then, kept), (last, later_age, now, still) = years[1], years[2]
    same = first & last & (later_age == age + 4)
    assert np.array_equal(kept[same], still[same])
    assert 0.75 <= np.corrcoef(then[same], now[same])[0, 1] <= 0.9
    assert now[same].std() == pytest.approx(years[0][2][years[0][0]].std(), rel=0.1)


# ---------------------------------------------------------------- the product market


def treat(model: SRDIModel, chosen: np.ndarray) -> None:
    """Let the chosen firms sell 9 % more, for good."""
    programme = PROGRAMMES.index("matchmaking_sales")
    model.firms.columns.support[chosen] = 1 << programme
    model.environment.programme_effects[programme, Channel.sales] = math.log(1.09)


def run_experiment(feedbacks: Feedbacks, **parameters: float) -> dict[str, np.ndarray]:
    """Firms that sell 9 % more, none, half or all of a niche's; two quarters on, beside the same firms untreated.

    Log change of revenue, own treatment, treated share of the niche's revenue, and the sector's export share.
    """
    policy = Policy(model=feedbacks, parameters=parameters)
    treated, control = (SRDIModel(policy, scale=0.02, rng=5, until=2020) for _ in range(2))
    columns = treated.firms.columns
    key = treated.lasting_keys[Purpose.PANEL]
    share = np.floor(3.0 * uniform_array(key, len(treated.industry.niche_sector))) / 2.0
    chosen = uniform_array(key + np.uint64(1), len(columns.employment)) < share[columns.niche]
    treat(treated, chosen)
    for _ in range(2):
        treated.step()
        control.step()
    alive = (columns.employment > 0) & (control.firms.columns.employment > 0) & (columns.age > 4)
    revenue = columns.revenue.astype(float)
    niches = len(share)
    of_niche = np.bincount(columns.niche[alive], (revenue * chosen)[alive], niches)
    rivals = of_niche / np.maximum(np.bincount(columns.niche[alive], revenue[alive], niches), 1.0)
    return {
        "change": np.log(revenue[alive] / control.firms.columns.revenue[alive]),
        "own": chosen[alive].astype(float),
        "rivals": rivals[columns.niche[alive]],
        "exports": treated.industry.sector_export_share[columns.sector[alive]],
    }


@pytest.fixture(scope="module")
def experiment() -> dict[str, np.ndarray]:
    """The experiment with competition for demand alone."""
    return run_experiment(Feedbacks.only("displacement"), sector_displacement=0.0)


def effects(experiment: dict[str, np.ndarray], among: np.ndarray) -> tuple[float, float]:
    """Least-squares effect of own treatment and of the treated share of rivals."""
    x = np.column_stack([np.ones(among.sum()), experiment["own"][among], experiment["rivals"][among]])
    _, own, rivals = np.linalg.lstsq(x, experiment["change"][among], rcond=None)[0]
    return own, rivals


def test_rivals_lose_what_treated_firms_gain_as_in_the_experiment_of_cai_and_szeidl(experiment):
    own, rivals = effects(experiment, experiment["exports"] < 0.1)
    print(f"own {own:.3f} (published 0.086), all rivals treated {rivals:.3f} (published -0.07)")
    assert own == pytest.approx(math.log(1.09), abs=0.01)
    assert -0.09 <= rivals <= -0.05


def test_the_experiment_comes_out_the_same_with_all_feedbacks():
    all_on = run_experiment(Feedbacks())
    own, rivals = effects(all_on, all_on["exports"] < 0.1)
    print(f"own {own:.3f} (published 0.086), all rivals treated {rivals:.3f} (published -0.07)")
    assert own == pytest.approx(math.log(1.09), abs=0.01)
    assert -0.09 <= rivals <= -0.05


def test_a_lasting_rise_of_demand_counts_once_in_sales_and_moves_staff():
    policy = Policy(model=Feedbacks.only("staffing"), parameters={"staff_response": 0.7})
    treated, control = (SRDIModel(policy, scale=0.001, rng=5, until=2020) for _ in range(2))
    treat(treated, treated.firms.columns.employment > 0)
    columns, plain = treated.firms.columns, control.firms.columns
    for _ in range(3):
        before = columns.productivity - plain.productivity.astype(float)
        treated.step()
        control.step()
        # Firms that have been there from the start, with the same customer, and staff to spare.
        same = (columns.age > 4) & (plain.age > 4) & (columns.customer == plain.customer) & (plain.employment > 3.0)
        sales = np.log(columns.revenue[same] / plain.revenue[same].astype(float)) - before[same]
        staff = np.log(columns.employment[same] / plain.employment[same].astype(float))
        assert same.sum() > 1000
        # Sales at given productivity rise by 9 % at once, and stay so when staff, up by 0.7 of it, have followed.
        assert np.median(sales) == pytest.approx(math.log(1.09), abs=5e-4)
        assert np.percentile(sales, [5, 95]) == pytest.approx(math.log(1.09), abs=3e-3)
        assert np.median(staff) == pytest.approx(0.7 * math.log(1.09), abs=1e-3)


def test_rivals_lose_less_where_more_is_traded_as_rotemberg_finds(experiment):
    _, home = effects(experiment, experiment["exports"] < 0.1)
    _, traded = effects(experiment, experiment["exports"] > 0.4)
    print(f"rivals' loss: {home:.3f} where little is traded, {traded:.3f} where much is")
    assert 0.3 <= traded / home <= 0.7


def gap_to_demand(feedbacks: Feedbacks) -> np.ndarray:
    """Log growth of sales over that of demand by the end of 2024, of sectors that sell at home.

    With seed 5 a firm with a fifth of its sector's sales closes in the last quarter; rivals take them up in the next.
    """
    model = SRDIModel(Policy(model=feedbacks), scale=0.005, rng=6, until=2024)
    start, demand = model.totals.cells.sum(axis=0), model.environment.sector_revenue_per_worker.copy()
    model.run_model()
    grown = np.log(model.totals.cells.sum(axis=0)[:, Cell.revenue] / start[:, Cell.revenue])
    at_home = model.industry.sector_export_share < 0.1
    return (grown - np.log(model.environment.sector_revenue_per_worker / demand))[at_home]


def test_sales_of_a_sector_follow_its_demand():
    shared, free = gap_to_demand(Feedbacks.only("displacement")), gap_to_demand(Feedbacks.only())
    print(f"largest gap {np.abs(shared).max():.3f} with displacement, {np.abs(free).max():.3f} without")
    assert np.abs(shared).max() < 0.08
    assert np.abs(shared).mean() < 0.5 * np.abs(free).mean()


# ---------------------------------------------------------------- provinces, reviews


def test_a_province_differs_in_start_reach_and_bar():
    # Half of what provinces.toml says. Jiangsu: a year later, -0.5 log-odds, 74 points; Zhejiang: 66 points.
    values = {"province_differences": 0.5, "provincial_bar": 10.0, "reach_srdi_max": 0.8, "reach_srdi_width": 0.5}
    model = SRDIModel(Policy(parameters=values | {"reach_srdi_mid": 2018.25}), scale=0.0005, rng=1)
    beijing, jiangsu, zhejiang = (
        next(one for one in model.provinces if one.name == name) for name in ("Beijing", "Jiangsu", "Zhejiang")
    )
    assert (jiangsu.delay, jiangsu.reach_odds, jiangsu.bar) == (0.5, -0.25, 47.0)
    assert (zhejiang.bar, beijing.bar) == (43.0, 10.0)
    model.step()
    # The first quarter of 2019: a year after the middle of the mean province, half a year, one width, after its own.
    ceiling = 1.0 / (1.0 + 0.25 * math.exp(0.25))
    assert model.reach["srdi"][jiangsu.index] == pytest.approx(ceiling / (1.0 + math.exp(-1.0)))


@pytest.mark.parametrize(("reviews", "reported"), [(True, 0.03), (False, 0.06)])
def test_a_firm_up_for_review_relabels_to_the_bar_of_its_own_tier(reviews, reported):
    rules = Rules(audit_strictness=0.0, srdi={"validity_years": 1})
    certain = {"relabel_chance": 1.0, "relabel_reach": 1.0, "relabel_fall": 0.0, "reach_giant_max": 1.0}
    still = {"rd_spread": 0.0, "reach_giant_mid": 2010.0, "reach_giant_width": 0.4}
    policy = Policy(rules=rules, model=Feedbacks(reviews=reviews, points=False), parameters=certain | still)
    model = SRDIModel(policy, scale=0.005, rng=1, until=2019)
    columns = model.firms.columns
    for _ in range(3):
        model.step()
    # SRDI SMEs whose next tier asks for 6 %, their own for 3 %, in the last year of their certificates.
    chosen = (columns.employment > 20) & (columns.revenue > 6e7) & (columns.revenue < 8e7)
    columns.tier[chosen], columns.innovative_since[chosen], columns.srdi_since[chosen] = 2, 1, 1
    columns.rd_intensity[chosen], columns.support[chosen] = 0.02, 0
    model.step()
    found = chosen & (columns.relabelled > 0.0) & (columns.revenue > 5e7) & (columns.revenue < 1e8)
    print(f"{found.sum()} of {chosen.sum()} relabelled")
    assert found.sum() > 20
    assert columns.rd_last_year[found] == pytest.approx(1.002 * reported, rel=1e-5)


# ---------------------------------------------------------------- switches


def test_every_feedback_that_is_off_undoes_its_parameters():
    table = parameter_table()
    off = switched(parameter_values(), Feedbacks.only())
    for name, value in off.items():
        assert table[name].low <= value <= table[name].high
        assert table[name].value != value, f"{name} has no effect when its feedback is on"
    assert switched(parameter_values(), Feedbacks()).keys() == {"productivity_noise"}


def test_with_production_on_the_noise_follows_the_speed():
    values = parameter_values({"productivity_speed": 0.2, "permanent_share": 0.64, "productivity_spread": 0.5})
    assert switched(values, Feedbacks.only("production"))["productivity_noise"] == pytest.approx(0.18)


def test_policies_that_differ_in_a_feedback_differ_from_the_start():
    assert first_difference(Policy(), Policy(model=Feedbacks(credit=False))) == START


#: A national column that each feedback moves by the end of 2023, with all levers on.
MOVES = {
    "production": "productivity_index",
    "dose": "governance_mean",
    "research_cost": "constraint_mean",
    "smoothing": "rd_true_yuan",
    "staffing": "employment",
    "displacement": "revenue_yuan",
    "research_labour": "rd_staff",
    "credit": "constraint_mean",
    "reviews": "rd_true_yuan",
    "provinces": "srdi_smes",
    "frontier": "chain_gaps_filled_share",
    "anticipation": "rd_true_yuan",
    "full_cost": "public_cost_yuan",
    "relabelling": "relabelled_rd_share",
    "points": "srdi_smes",
}


def test_each_feedback_moves_something_and_the_table_is_whole():
    assert MOVES.keys() == Feedbacks.model_fields.keys()
    rules = Rules(announced="2019Q2", start="2024Q1", srdi={"rd_intensity_min": 0.05})
    levers = Levers.model_validate(
        {name: {"enabled": True, "start": "2019Q2", "budget_yuan": 1e12} for name in Levers.model_fields}
        | {"governance_training": {"enabled": True, "start": "2019Q2", "intensity": 3.0, "budget_yuan": 1e12}}
    )

    def latest(feedbacks: Feedbacks) -> dict:
        model = SRDIModel(Policy(levers=levers, rules=rules, model=feedbacks), scale=0.002, rng=1, until=2023)
        model.run_model()
        return model.recorder.latest

    plain = latest(Feedbacks.only())
    for name, column in MOVES.items():
        assert latest(Feedbacks.only(name))[column] != plain[column], name


def test_with_all_feedbacks_two_threads_give_the_bits_of_one():
    one, two = (SRDIModel(Policy(model=Feedbacks()), scale=0.01, rng=1, until=2020, threads=n) for n in (1, 2))
    one.run_model()
    two.run_model()
    for name, column in one.firms.columns._asdict().items():
        assert np.array_equal(column, getattr(two.firms.columns, name)), name


def test_draws_of_the_permanent_part_are_their_own():
    model = SRDIModel(Policy(), scale=0.0005, rng=1)
    purposes = (Purpose.START_PERMANENT, Purpose.START_LUCK, Purpose.ENTRANT_PERMANENT, Purpose.ENTRANT_SIZE)
    assert len({uniform(model.lasting_keys[purpose], 7) for purpose in purposes}) == len(purposes)
