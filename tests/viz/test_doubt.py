"""One doubt on all pages: the policy page has the bands of the calibration page, and says what is known badly."""

import math
from datetime import date

import numpy as np
import pytest

from benchmarks.bands import MEMBERS, baseline_answer
from calibration.forecasting.prediction import target_table
from scenarios.analysis.model_error import level_error
from scenarios.analysis.reported import FACT, REVIEW_PASS_RATE, reported_figures
from scenarios.files.labels import WORDS
from viz import LANGUAGES
from viz.live.measures import course, days
from viz.shared import known
from viz.shared.calibrated import packaged_validation
from viz.shared.doubt import COUNTS, fan_of
from viz.shared.known import is_missed, is_wide, province_remark, remark
from viz.shared.units import unit_per_quarter
from viz.words.language import Words

#: Figures of stocks in the nation, which the policy page draws as they are.
STOCKS = [
    figure
    for figure in reported_figures()
    if not (figure.province or figure.whole_year or figure.since_start)
    and not figure.quantity.startswith((FACT, REVIEW_PASS_RATE, "cluster."))
    and figure.role != "given"
]


def test_bands_are_those_of_the_calibration_page_for_the_same_runs():
    """Both pages draw their band from the same outcomes: one by formula, the other by random errors."""
    rng, runs = np.random.default_rng(5), 4_000
    outcomes = np.empty((runs, len(STOCKS)))
    for column, figure in enumerate(STOCKS):
        middle = figure.middle
        noise = 0.06 * rng.normal(size=runs)
        odds = middle / (1.0 - middle) * np.exp(noise) if figure.is_share else math.nan
        outcomes[:, column] = odds / (1.0 + odds) if figure.is_share else middle * np.exp(noise)
    table = target_table(outcomes, 0.05, 1, tuple(STOCKS))
    assert len(STOCKS) > 12
    for column, (figure, row) in enumerate(zip(STOCKS, table.itertuples(), strict=True)):
        unit = unit_per_quarter(figure.quantity)
        fan = fan_of(outcomes[:, column : column + 1], figure.quantity, unit, [figure.date], 1.0)
        low, middle, high = (float(fan[each][0]) for each in (0.05, 0.5, 0.95))
        # The standard error of a 5 % quantile of 4,000 draws is 0.034 standard deviations.
        spread = math.hypot(0.06, figure.discrepancy) * middle
        assert (low, middle, high) == pytest.approx((row.p05, row.median, row.p95), abs=0.12 * spread), figure.id


@pytest.fixture(scope="module")
def baseline():
    """The baseline of the policy page up to the cut-off."""
    return baseline_answer(until=2024)


@pytest.mark.slow
def test_the_policy_page_agrees_with_the_packaged_validation(baseline):
    """The same quantity and date on both pages: twelve runs at scale 0.02 against 200 at 0.05."""
    rows = {row["id"]: row for row in packaged_validation().results["targets"]}
    dates, ratios = days(baseline.central), {}
    for figure in STOCKS:
        row, at = rows[figure.id], dates.index(figure.quarter_end.date())
        fan = course(baseline, figure.quantity).fan
        low, middle, high = (float(fan[each][at]) for each in (0.05, 0.5, 0.95))
        widths = [np.diff(np.log(ends))[0] for ends in ((low, high), (row["p05"], row["p95"]))]
        # The mean of twelve runs and the median of 200, each with the spread of its page.
        error = widths[0] / 3.29 / math.sqrt(MEMBERS)
        assert abs(math.log(middle / row["median"])) < 4.0 * error, figure.id
        ratios[figure.id] = widths[0] / widths[1]
    # The deviation of twelve runs is off by 1 / √22 = 0.21 (one standard error), and Student's t makes up for it.
    assert all(0.5 < ratio < 2.0 for ratio in ratios.values()), ratios
    assert 0.8 < np.median(list(ratios.values())) < 1.35, ratios


def test_the_width_of_forecasts_is_that_of_the_policy_page_for_the_own_error():
    """The own error rules the bands of years ahead on both pages; forecasts add some doubt of the parameters."""
    rows = {(row["quantity"], row["date"]): row for row in packaged_validation().forecasts["forecasts"]}
    for quantity in ("srdi_smes", "little_giants", "counties_with_little_giant", "clusters"):
        for year in range(2025, 2031):
            row, day = rows[quantity, f"{year}-12-31"], date(year, 12, 31)
            own = 3.29 * level_error(quantity, [day])[0]
            width = math.log(row["q95"] / row["q05"])
            assert 0.85 * own < width < 1.25 * own, (quantity, year)


def test_luck_of_certified_firms_is_brought_to_the_scale_of_the_validation():
    rng, scale = np.random.default_rng(6), packaged_validation().results["scale"]
    day = [date(2023, 12, 31)]
    widths = {}
    for weight in (50.0, 1.0 / scale):
        values = weight * rng.poisson(11_500.0 / weight, size=(4_000, 1))
        fan = fan_of(values.astype(float), "little_giants", "firms", day, weight)
        widths[weight] = float(np.log(fan[0.95] / fan[0.05])[0])
    assert widths[50.0] == pytest.approx(widths[1.0 / scale], rel=0.03)
    assert "employment" not in COUNTS


# --- what is known badly


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_quantity_whose_figure_is_missed_says_so_and_others_do_not(language, monkeypatch):
    words = Words(language)
    rows = tuple((each, row | {"inside": each.id != "srdi-2022-09"}) for each, row in known._validated())
    monkeypatch.setattr(known, "_validated", lambda: rows)
    assert words.month(date(2022, 9, 30)) in remark(words, "srdi_smes")
    assert remark(words, "counties_with_little_giant") == ""
    assert remark(words, "employment") == words("known.unreported", share="10%")
    stock = words.column("little_giants")
    assert remark(words, "genuine_little_giants") == words("known.unreported_share", stock=stock, share="10%")


def test_an_interval_wider_than_its_number_is_called_so():
    assert is_wide({"p05": 10.0, "median": 20.0, "p95": 31.0})
    assert not is_wide({"p05": 10.0, "median": 20.0, "p95": 29.0})
    for low, high, missed in ((None, 5.0, True), (35.0, None, True), (12.0, 15.0, False), (31.0, 40.0, False)):
        row = {"role": "fit", "inside": False, "p05": 10.0, "p95": 31.0, "reported_low": low, "reported_high": high}
        assert is_missed(row) == missed
        # Not of the fit: as the calibration page has it, which allows for half a simulated firm in lists of provinces.
        assert not is_missed(row | {"role": "given", "inside": True})
        assert is_missed(row | {"role": "check"})


@pytest.mark.parametrize("language", LANGUAGES)
def test_provinces_say_how_far_off_they_may_be_and_show_their_figures(language, monkeypatch):
    words = Words(language)
    # A discrepancy of 0.75 on the log scale: e to the power of 1.645 · 0.75.
    general = words("known.provinces", factor="3.4")
    for missed in ((), ("Gansu",)):
        rows = tuple(
            (each, row | {"inside": each.province not in missed}) for each, row in known._validated() if each.province
        )
        with monkeypatch.context() as patch:
            patch.setattr(known, "_validated", lambda rows=rows: rows)
            outside = [words("known.outside", provinces=words.province(name)) for name in missed]
            assert province_remark(words, "little_giants") == words.sentences([general, *outside])
    zhejiang = province_remark(words, "little_giants", "Zhejiang")
    assert "162" in zhejiang
    assert words.month(date(2021, 6, 30)) in zhejiang
    assert words("known.province_unreported") in province_remark(words, "little_giants", "Tibet")
    assert province_remark(words, "firms") == ""
    assert province_remark(words, "firms", "Tibet") == ""


def test_every_label_has_words():
    for language in LANGUAGES:
        assert all(Words(language)(f"label.{word}") for word in WORDS)
