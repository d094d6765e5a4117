"""Bands and intervals: hand-worked cases, limits, and brute force by random draws."""

import math
from datetime import date

import numpy as np
import pytest

from scenarios.analysis.bands import ENDS, Luck, effect_ends, effect_of, level_quantiles, ratio_ends
from scenarios.analysis.metrics import CUMULATIVE_COST
from scenarios.analysis.model_error import (
    DRIFT,
    DRIFTS,
    KNOWN,
    OTHER_DISCREPANCY,
    effect_error,
    level_error,
    with_error,
)
from scenarios.analysis.reported import reported_figures

#: Quantiles of Student's t with 2 degrees of freedom and of the normal distribution, from tables.
T_95_2, Z_95 = 2.919986, 1.644854


def band(values, sigma=0.0, unit="firms", luck=None):
    low, mean, high = level_quantiles(np.asarray(values, float), (0.05, 0.5, 0.95), np.asarray(sigma), unit, luck=luck)
    return float(low), float(mean), float(high)


# --- the model's own error


def test_at_a_figure_the_error_is_its_discrepancy_and_linear_in_between():
    figures = {f.id: f for f in reported_figures()}
    first, second = figures["srdi-2022-09"], figures["srdi-2022"]
    middle = date.fromordinal((first.date.toordinal() + second.date.toordinal()) // 2)
    found = level_error("srdi_smes", [date(2018, 12, 31), first.date, middle, second.date])
    between = (first.discrepancy + second.discrepancy) / 2
    expected = [figures["srdi-2021"].discrepancy, first.discrepancy, between, second.discrepancy]
    assert found == pytest.approx(expected, abs=1e-3)


def test_after_the_cut_off_drift_is_added_in_squares():
    four_years = date.fromordinal(KNOWN.toordinal() + 1461)
    last = max((f for f in reported_figures() if f.quantity == "srdi_smes" and not f.province), key=lambda f: f.date)
    expected = math.hypot(last.discrepancy, DRIFTS["srdi_smes"] * 2.0)
    assert level_error("srdi_smes", [four_years])[0] == pytest.approx(expected)
    expected = math.hypot(OTHER_DISCREPANCY, DRIFT * 2.0)
    assert level_error("employment", [KNOWN, four_years]) == pytest.approx([OTHER_DISCREPANCY, expected])


def test_provinces_have_the_error_of_provincial_figures():
    day = [date(2023, 9, 30)]
    own = {f.discrepancy for f in reported_figures() if f.province and f.quantity == "little_giants"}
    assert level_error("little_giants", day, province=True) == pytest.approx([max(own)])
    # Provinces decide on all certificates; firms are counted by the census.
    assert level_error("innovative_smes", day, province=True) == pytest.approx([max(own)])
    assert level_error("firms", day, province=True) == pytest.approx([OTHER_DISCREPANCY])


def test_genuine_firms_have_the_error_of_their_stock_and_of_their_share():
    day = [date(2023, 12, 31)]
    expected = math.hypot(level_error("little_giants", day)[0], OTHER_DISCREPANCY)
    assert level_error("genuine_little_giants", day)[0] == pytest.approx(expected)


def test_an_effect_is_scaled_by_a_factor_that_is_none_in_the_middle_of_a_share_and_for_money():
    sigma, level = np.array([0.2]), np.array([0.5])
    assert effect_error("little_giants", "firms", level, sigma) == pytest.approx([0.2])
    assert effect_error("county_share_of_little_giants", "share", level, sigma) == pytest.approx([0.0])
    assert effect_error("county_share_of_little_giants", "share", np.array([0.1]), sigma) == pytest.approx([0.16])
    assert effect_error("digital_level_mean", "level 1-4", np.array([2.5]), sigma) == pytest.approx([0.0])
    assert effect_error(CUMULATIVE_COST, "yuan", level, sigma) == pytest.approx([0.0])


def test_a_common_error_scales_the_difference_of_two_levels():
    """The reason of the formula, by brute force: both levels are moved by the same error."""
    before, after, error = np.array([0.2]), np.array([0.21]), np.array([0.1])
    moved = with_error(after, error, share=True) - with_error(before, error, share=True)
    factor = np.exp(effect_error("x", "share", before, error))
    assert moved / 0.01 == pytest.approx(factor, rel=0.01)
    assert with_error(np.array([110.0]), error, share=False) - with_error(np.array([100.0]), error, share=False) == (
        pytest.approx(10.0 * np.exp(error))
    )


# --- levels


def test_a_band_by_hand():
    # Mean 110 and standard deviation 10: on the log scale √ln(1 + (1/11)²).
    spread = math.sqrt(math.log1p((10.0 / 110.0) ** 2))
    half = math.hypot(T_95_2 * spread * math.sqrt(4.0 / 3.0), Z_95 * 0.1)
    assert band([100.0, 110.0, 120.0], 0.1) == pytest.approx(
        (110.0 * math.exp(-half), 110.0, 110.0 * math.exp(half)), rel=1e-5
    )


def test_a_share_stays_between_its_bounds_and_a_bound_is_a_bound():
    low, mean, high = band([0.9, 0.95, 0.97], 1.0, "share")
    assert 0.0 < low < mean < high < 1.0
    assert band([1.0, 1.0], 1.0, "share") == (1.0, 1.0, 1.0)
    assert band([0.0, 0.0, 0.0], 1.0) == (0.0, 0.0, 0.0)
    low, _, high = band([1.2, 1.3, 1.4], 1.0, "level 1-4")
    assert 1.0 < low < high < 4.0


def test_an_index_has_no_error_where_it_has_not_moved():
    assert band([100.0, 100.0, 100.0], 0.5, "start = 100") == pytest.approx((100.0, 100.0, 100.0))
    low, _, high = band([120.0, 120.0, 120.0], 0.1, "start = 100")
    growth = math.log(1.2)
    ends = [100.0 * math.exp(growth * (1.0 + sign * Z_95 * 0.1)) for sign in (-1, 1)]
    assert (low, high) == pytest.approx(ends, rel=1e-5)


def test_one_run_has_no_band():
    low, mean, high = band([7.0], 0.1)
    assert mean == 7.0
    assert math.isnan(low)
    assert math.isnan(high)


@pytest.mark.parametrize("runs", [4, 12, 100])
def test_a_band_holds_nine_tenths_of_what_comes_next(runs):
    """Brute force: another run, and the model's own error, land in the band of n runs as often as it says."""
    rng = np.random.default_rng(runs)
    values = 1_000.0 * np.exp(0.1 * rng.normal(size=(runs, 20_000)))
    low, high = level_quantiles(values, ENDS, np.full(20_000, 0.05), "firms")
    truth = 1_000.0 * np.exp(0.1 * rng.normal(size=20_000) + 0.05 * rng.normal(size=20_000))
    assert np.mean((low <= truth) & (truth <= high)) == pytest.approx(0.9, abs=0.02)


def test_crossed_draws_count_as_many_as_the_smaller_dimension():
    crossed = np.array([[1.0, 2.0, 3.0], [2.0, 3.0, 4.0], [3.0, 4.0, 5.0]])
    half = T_95_2 * crossed.std(ddof=1) * math.sqrt(4.0 / 3.0)
    assert effect_of(crossed).high == pytest.approx(3.0 + half, rel=1e-5)
    values = crossed.ravel()
    low, high = level_quantiles(values, ENDS, np.float64(0.0), "firms", units=3)
    spread = math.sqrt(math.log1p((values.std(ddof=1) / 3.0) ** 2))
    assert math.log(high / low) / 2 == pytest.approx(T_95_2 * spread * math.sqrt(4.0 / 3.0), rel=1e-5)


def test_a_band_does_not_shrink_as_runs_are_added():
    rng = np.random.default_rng(1)
    values = 1_000.0 * np.exp(0.1 * rng.normal(size=4_000))
    low, _, high = band(values, 0.05)
    assert math.log(high / low) / 2 == pytest.approx(Z_95 * math.hypot(0.1, 0.05), rel=0.03)


def test_counts_have_the_luck_that_is_asked_for():
    """Brute force: counts of firms at scale 0.02 and parameters that differ by 5 %, shown as at scale 0.05."""
    rng = np.random.default_rng(2)
    parameters = 10_000.0 * np.exp(0.05 * rng.normal(size=4_000))
    at_002, at_005 = (rng.poisson(parameters / weight) * weight for weight in (50.0, 20.0))
    shown, meant = band(at_002, luck=Luck(50.0, 20.0)), band(at_005)
    assert shown == pytest.approx(meant, rel=0.01)
    assert band(at_002)[2] > 1.02 * meant[2]


def test_luck_is_taken_away_down_to_that_of_the_scale_shown_and_never_added():
    # Runs that agree more than chance allows keep what they have; others have at least the luck shown.
    assert band([1_000.0] * 3, luck=Luck(50.0, 20.0)) == pytest.approx((1_000.0,) * 3)
    *_, high = band([900.0, 1_000.0, 1_100.0], luck=Luck(50.0, 20.0))
    spread = math.sqrt(20.0 / 1_000.0)
    before = math.sqrt(math.log1p(0.1**2))
    assert math.log(high / 1_000.0) == pytest.approx(T_95_2 * min(before, spread) * math.sqrt(4.0 / 3.0), rel=1e-5)
    assert band([900.0, 1_000.0, 1_100.0], luck=Luck(1.0, 20.0)) == band([900.0, 1_000.0, 1_100.0])


# --- effects


def ends(mean, spread, runs=10**6, factor=0.0):
    low, high = effect_ends(np.float64(mean), np.float64(spread), runs, np.float64(factor))
    return float(low), float(high)


def test_an_effect_without_own_error_is_that_of_a_further_pair():
    found = effect_of(np.array([[1.0, 2.0, 3.0]]))
    half = T_95_2 * 1.0 * math.sqrt(4.0 / 3.0)
    assert (found.mean, found.low, found.high) == pytest.approx((2.0, 2.0 - half, 2.0 + half), rel=1e-5)
    assert found.of_mean.method == "Student's t"
    assert math.isnan(effect_of(np.array([[1.0]])).low)


def test_an_effect_that_every_pair_has_is_stretched_by_the_own_error_alone():
    assert ends(10.0, 0.0, factor=0.2) == pytest.approx((10.0 * math.exp(-Z_95 * 0.2), 10.0 * math.exp(Z_95 * 0.2)))
    assert ends(-10.0, 0.0, factor=0.2) == pytest.approx((-10.0 * math.exp(Z_95 * 0.2), -10.0 * math.exp(-Z_95 * 0.2)))
    assert ends(0.0, 0.0, factor=0.5) == (0.0, 0.0)


@pytest.mark.parametrize("spread", [0.2, 0.5, 0.59, 0.62, 1.0, 5.0])
@pytest.mark.parametrize("factor", [0.05, 0.3])
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_the_own_error_never_turns_an_effect_round(spread, factor, sign):
    low, high = ends(sign, spread, factor=factor)
    plain = ends(sign, spread)
    assert (low > 0.0 or high < 0.0) == (plain[0] > 0.0 or plain[1] < 0.0)
    draws = np.random.default_rng(3).normal(size=(2, 200_000))
    brute = np.quantile((sign + spread * draws[0]) * np.exp(factor * draws[1]), ENDS)
    assert (low, high) == pytest.approx(tuple(brute), abs=0.1 * (brute[1] - brute[0]))


def test_a_ratio_by_hand():
    costs, gains = np.array([[10.0, 12.0, 14.0]]), np.array([[1.0, 1.0, 1.0]])
    half = T_95_2 * (2.0 / 12.0) * math.sqrt(4.0 / 3.0)
    assert ratio_ends(costs, gains) == pytest.approx((12.0 * math.exp(-half), 12.0 * math.exp(half)), rel=1e-5)
    assert ratio_ends(costs, 2.0 * costs) == pytest.approx((0.5, 0.5))
    reach = math.exp(Z_95 * 0.1)
    assert ratio_ends(costs, 2.0 * costs, 0.1) == pytest.approx((0.5 / reach, 0.5 * reach))
    assert ratio_ends(-costs, -2.0 * costs) == pytest.approx((0.5, 0.5))
