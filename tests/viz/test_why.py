"""What changed and for whom: movers by size, gains that add up to the nation's, money of the levers."""

import numpy as np
import pytest
from drawn import both_answers

from sim.reference import region_names
from viz.live.measures import budget, by_key, course, effect, four_quarters, national, yearly
from viz.live.session import Answer
from viz.live.why import DIMENSIONS, GAINS, MOVING, incidence, movers

SCALE, UNTIL, MEMBERS = 0.002, 2026, 3
SETTINGS = {"levers.cluster_recognition.per_year": 300}


@pytest.fixture(scope="module")
def answers(runner):
    """Answers without and with intervals."""
    return both_answers(runner, SETTINGS, MEMBERS)


def test_movers_are_the_largest_relative_differences(answers):
    one, all_runs = answers
    ends = {name: (yearly(one.central, name)[-1], yearly(one.central_baseline, name)[-1]) for name in MOVING}
    moved = {name: after / before - 1.0 for name, (after, before) in ends.items() if after != before and before}
    found = movers(one)
    shares = {mover.quantity: mover.share for mover in found}
    assert shares == pytest.approx(moved)
    sizes = [abs(share) for share in shares.values()]
    assert sizes == sorted(sizes, reverse=True)
    assert all(mover.effect.difference.clear for mover in movers(all_runs))
    assert "clusters" in {mover.quantity for mover in movers(all_runs)}


def test_nothing_moves_in_the_baseline(answers):
    beside = answers[0].central_baseline
    assert movers(Answer(answers[0].scenario, 1, beside, beside)) == []


def test_what_places_gain_is_what_the_nation_gains(answers):
    for answer in answers:
        for dimension in DIMENSIONS:
            found = incidence(answer, dimension)
            for quantity in GAINS:
                mean = effect(answer, quantity).difference.mean
                assert found.difference[quantity].sum() == pytest.approx(mean, rel=1e-9, abs=1e-3)
                assert np.isnan(found.low[quantity]).all() == (found.pairs == 1)


def test_a_region_is_the_sum_of_its_provinces(answers):
    one, at = answers[0], -5
    found = incidence(one, "region", at)
    names, values = by_key(one.central_baseline, "province", "province", "rd_true_yuan")
    west = [place for place, name in enumerate(names) if region_names()[name] == "west"]
    expected = four_quarters(values)[at, west].sum()
    assert found.baseline["rd_true_yuan"][found.places.index("west")] == pytest.approx(expected)


def test_a_difference_that_is_unclear_is_one_around_zero(answers):
    found = incidence(answers[1], "sector")
    low, high = found.low["employment"], found.high["employment"]
    np.testing.assert_array_equal(found.unclear("employment"), (low <= 0) & (high >= 0) & (low < high))


def test_the_levers_money_is_that_of_the_table_up_to_a_quarter(answers):
    one = answers[0]
    table = one.central.tables["spending"]
    quarters = np.unique(table["quarter"])
    kept = (table["kind"] == "lever") & (table["quarter"] <= quarters[-5])
    found = budget(one, -5)
    assert found.spent == pytest.approx(table["spending_yuan"][kept].sum())
    levers = [lever for _, lever in one.scenario.policy.levers if lever.enabled]
    assert found.budgeted == pytest.approx(sum(lever.budget_yuan for lever in levers))
    assert 0.0 < found.spent < found.budgeted


def test_differences_over_time_are_those_of_pairs(answers):
    one, all_runs = answers
    mean, low, high = course(one, "clusters").effects
    np.testing.assert_array_equal(mean, national(one.central, "clusters") - national(one.central_baseline, "clusters"))
    assert np.isnan([low, high]).all()
    mean, low, high = course(all_runs, "srdi_smes").effects
    difference = effect(all_runs, "srdi_smes").difference
    assert (low <= high).all()
    assert (mean[-1], low[-1], high[-1]) == pytest.approx((difference.mean, difference.low, difference.high))


def test_a_year_of_a_flow_is_four_quarters(answers):
    run = answers[0].central
    assert yearly(run, "rd_true_yuan")[-1] == pytest.approx(national(run, "rd_true_yuan")[-4:].sum())
    np.testing.assert_array_equal(yearly(run, "little_giants"), national(run, "little_giants"))
