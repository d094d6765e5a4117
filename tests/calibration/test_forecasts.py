"""Forecasts, naive ones, and scores against realised figures."""

from __future__ import annotations

import json
import math
from datetime import date
from functools import partial
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm, t

from calibration.firms import econometrics
from calibration.forecasting import scores
from calibration.forecasting.blend import Blend, blends_of, inverse_score_weights, pooled
from calibration.forecasting.forecasts import (
    Forecaster,
    anchor,
    anchored,
    drift,
    drift_error,
)
from calibration.forecasting.naive import LEVELS, Naive, naive_forecasts
from calibration.forecasting.prediction import target_table
from calibration.forecasting.quantities import (
    FLOWS,
    PUBLISHED,
    YEARS,
    known_by,
    name_of,
    published_quantities,
    quantity_of,
)
from calibration.forecasting.scores import read_actuals, score, score_summary
from calibration.reporting import cells
from calibration.studies import validation
from scenarios.analysis.model_error import DRIFTS, with_error
from scenarios.analysis.reported import GIANT_RD, reported_figures, simulated_values
from scenarios.ensembles import ensemble
from scenarios.ensembles.parameter_draws import read_parameter_draws
from scenarios.errors import InputError
from scenarios.records.storage import records
from sim.reference import province_names

LAST = date(2030, 12, 31)
DRAWS = 400
#: Brings the reported 12.4万 of March 2024 to 100,500.
FALL = 0.8105


@pytest.fixture(scope="module")
def tables():
    """SRDI SMEs that fall by a fifth after March 2024 and then rise by 1 % a year, and 10 applications a quarter."""
    quarters = pd.date_range("2023-12-31", "2030-12-31", freq="QE")
    national = pd.DataFrame(
        [
            {
                "replicate": replicate,
                "quarter": quarter,
                "srdi_smes": (100_000.0 + 1000.0 * replicate / (DRAWS - 1))
                * (FALL * 1.01 ** (quarter.year - 2024) if quarter > pd.Timestamp("2024-03-31") else 1.0),
                "applications": 10.0,
                "county_share_of_little_giants": 0.25 if quarter.year < 2025 else 0.4,
            }
            for replicate in range(DRAWS)
            for quarter in quarters
        ]
    )
    return {"national": national}


def test_every_forecast_that_was_asked_for_is_there():
    names = {name_of(quantity) for quantity in published_quantities()}
    assert {"srdi_smes", "little_giants_granted", "review_pass_rate", "little_giants.Tibet", "listed_firms"} <= names
    assert {"little_giants.east", "little_giants.northeast"} <= names
    assert tuple(range(2024, 2031)) == YEARS
    assert {"srdi_smes.west", "srdi_smes.Hunan"} <= names
    assert len(published_quantities()) == (len(PUBLISHED) + 2 * (4 + 31)) * len(YEARS)
    assert all(quantity_of(name, LAST).place == name.partition(".")[2] for name in names)


def test_a_forecast_starts_from_the_last_reported_figure(tables):
    forecaster, widths = Forecaster(tables, 1), []
    reported = date(2024, 3, 31)
    for year in (2024, 2026, 2030):
        asked = quantity_of("srdi_smes", date(year, 12, 31))
        draws = np.log(forecaster.sample(asked))
        widths.append(draws.std())
        expected = DRIFTS["srdi_smes"] * np.sqrt((asked.date - reported).days / 365.25)
        assert drift(asked, reported) == pytest.approx(expected)
        assert widths[-1] == pytest.approx(expected, rel=0.1)
        # The simulated growth since the figure, not the simulated level.
        middle = np.log(123_999.5 * FALL * 1.01 ** (year - 2024))
        assert np.median(draws) == pytest.approx(middle, abs=3 * expected / np.sqrt(DRAWS) * 1.3)
    assert widths == sorted(widths)


def test_the_research_of_little_giants_starts_from_the_reported_mean_of_firms():
    """The figure is a mean of firms, 8.9 %; the model moves it by the ratio of sums, here doubled in odds."""
    quarters = pd.date_range("2022-03-31", "2025-12-31", freq="QE")
    year = np.array([quarter.year for quarter in quarters])
    runs = pd.DataFrame({"replicate": 0, "quarter": quarters})
    tier = runs.assign(
        tier="little_giant", revenue_yuan=100.0, rd_reported_yuan=np.where(year < 2025, 20.0, 100.0 / 3.0)
    )
    other = tier.assign(tier="srdi", rd_reported_yuan=1.0)
    forecaster = Forecaster({"national": runs, "tier": pd.concat([tier, other])}, 1)
    asked = quantity_of(GIANT_RD, date(2025, 12, 31))
    figure = anchor(asked)
    assert (figure.id, figure.middle) == ("giants-rd", pytest.approx(0.089))
    assert simulated_values(forecaster.tables, figure).tolist() == [pytest.approx(0.2)]
    error = forecaster._errors(GIANT_RD, 1)[0] * drift(asked, figure.date)
    odds = 0.089 / 0.911 * 2.0 * np.exp(error)
    assert forecaster.sample(asked)[0] == pytest.approx(odds / (1.0 + odds), rel=0.01)
    assert naive_forecasts(asked).last_value == pytest.approx(0.089)


def test_a_share_moves_by_its_log_odds(tables):
    forecaster, asked = Forecaster(tables, 1), quantity_of("county_share_of_little_giants", date(2025, 12, 31))
    figure = anchor(asked)
    assert figure.id == "county-share"
    none = np.zeros(1)
    moved = anchored(np.array([0.4]), np.array([0.25]), figure, none + 0.5, none)
    odds = figure.middle / (1 - figure.middle) * (0.4 / 0.6) / (0.25 / 0.75)
    assert moved[0] == pytest.approx(odds / (1 + odds), rel=1e-3)
    assert np.median(forecaster.sample(asked)) == pytest.approx(moved[0], rel=0.03)
    # Where the run has no value above 0 at the date of the figure, its own value stands.
    assert anchored(np.array([5.0]), none, figure.model_copy(update={"low": 7.0, "high": 7.0}), none, none)[0] == 5.0


def test_an_anchor_is_the_last_figure_known():
    asked = quantity_of("srdi_smes", LAST)
    assert anchor(asked).date == date(2024, 3, 31)
    assert anchor(asked, date(2022, 12, 31)).date == date(2022, 12, 31)
    assert anchor(asked, date(2020, 12, 31)) is None
    assert anchor(quantity_of("births", LAST)) is None


def test_yearly_statistics_are_known_when_they_are_published():
    figures = {figure.id: figure for figure in reported_figures()}
    # The bulletin for 2021 came out in August 2022.
    assert not known_by(figures["rd-2021"], date(2021, 12, 31))
    assert known_by(figures["rd-2020"], date(2021, 12, 31))
    assert known_by(figures["rd-2021"], date(2022, 12, 31))
    assert not known_by(figures["rd-firms-2020"], date(2021, 12, 31))
    assert known_by(figures["giants-batch-3"], date(2021, 12, 31))


def test_a_flow_is_that_of_its_year(tables):
    asked = quantity_of("applications", date(2025, 12, 31))
    draws = Forecaster(tables, 1).sample(asked)
    # Within three standard errors of the median of so many draws.
    assert np.median(np.log(draws / 40.0)) == pytest.approx(0.0, abs=3 * 1.25 * drift_error(asked) / np.sqrt(DRAWS))


def test_flows_are_told_from_stocks():
    for name in ("revenue_yuan", "public_spending_yuan", "applications", "births", "deaths", "little_giants_reviewed"):
        assert quantity_of(name, LAST).whole_year, name
    # Sums over two years, since the start, and a yearly count that stands until the next.
    for name in ("new_equity_yuan", "little_giants_granted_cumulative", "digital_supported", "single_champions"):
        assert name not in FLOWS
        assert not quantity_of(name, LAST).whole_year, name


def test_a_year_so_far_is_that_up_to_the_date():
    quarters = pd.date_range("2024-03-31", "2025-12-31", freq="QE")
    national = pd.DataFrame({"replicate": 0, "quarter": quarters, "revenue_yuan": 2.0, "new_equity_yuan": 3.0})
    forecaster = Forecaster({"national": national}, 1)
    moved = [forecaster.sample(quantity_of("revenue_yuan", date(2025, month, 30)))[0] for month in (6, 12)]
    # Revenue moves by a model error of its own that grows with time, here taken out.
    shift = forecaster._errors("revenue_yuan", 1)[0]
    errors = [drift_error(quantity_of("revenue_yuan", date(2025, month, 30))) for month in (6, 12)]
    np.testing.assert_allclose(moved, [4.0 * np.exp(shift * errors[0]), 8.0 * np.exp(shift * errors[1])])
    table = forecaster.quantiles(
        [quantity_of(name, LAST.replace(year=2025)) for name in ("revenue_yuan", "new_equity_yuan")]
    )
    assert table["unit"].tolist() == ["yuan a year", "yuan"]


@pytest.fixture(scope="module")
def provinces():
    """Runs with 4,000 new little giants a year, of which 70 % pass their reviews."""
    quarters = pd.date_range("2018-12-31", "2026-12-31", freq="QE")
    index = pd.MultiIndex.from_product([range(60), quarters], names=["replicate", "quarter"])
    lists = index.get_level_values("quarter").month == 9
    tier = pd.DataFrame(
        {"tier": "little_giant", "stock": 9000.0, "revoked": 0.0, "closed": 50.0, "granted": 4000.0 * lists},
        index=index,
    )
    tier["reviewed"] = np.where(lists & (index.get_level_values("quarter").year > 2021), 1000.0, 0.0)
    tier["renewed"] = 0.7 * tier["reviewed"]
    national = pd.DataFrame({"srdi_smes": 100_000.0}, index=index)
    return {"tier": tier.reset_index(), "national": national.reset_index()}


def test_regions_are_the_sums_of_their_provinces(provinces):
    forecaster, day = Forecaster(provinces, 1), date(2025, 12, 31)

    def sample(place):
        return forecaster.sample(quantity_of(f"little_giants{place}", day))

    regions = np.sum([sample(f".{name}") for name in ("east", "centre", "west", "northeast")], axis=0)
    parts = np.sum([sample(f".{name}") for name in province_names()], axis=0)
    assert regions == pytest.approx(sample(""))
    assert parts == pytest.approx(sample(""))
    three = np.sum([sample(f".{name}") for name in ("Liaoning", "Jilin", "Heilongjiang")], axis=0)
    assert sample(".northeast") == pytest.approx(three)


def test_two_days_of_one_quarter_ask_for_the_same_forecast(provinces):
    forecaster = Forecaster(provinces, 1)
    days = [quantity_of("little_giants.Jiangsu", date(2025, *day)) for day in ((10, 9), (12, 31))]
    np.testing.assert_array_equal(*(forecaster.sample(day) for day in days))


# --- the blend


def test_weights_are_inverse_to_the_scores():
    scores = pd.DataFrame({"model": [0.1, 0.3, 9.0], "last_value": [0.4, 0.4, np.nan], "linear_trend": [0.1, 0.1, 0.1]})
    # Means 0.2, 0.4 and 0.1 over the rows that all forecast: 5, 2.5 and 10 of 17.5.
    assert inverse_score_weights(scores) == pytest.approx(
        {"model": 5 / 17.5, "last_value": 2.5 / 17.5, "linear_trend": 10 / 17.5}
    )


def test_a_pool_is_a_mixture():
    samples = {"model": np.linspace(0.0, 1.0, 101), "last_value": np.array([10.0]), "linear_trend": np.array([np.nan])}
    weights = {"model": 0.6, "last_value": 0.2, "linear_trend": 0.2}
    values = pooled(samples, weights)
    # Three quarters of what is left for the model.
    assert np.mean(values < 5.0) == pytest.approx(0.75, abs=0.002)
    assert np.quantile(values, 0.375) == pytest.approx(0.5, abs=0.02)
    assert np.isnan(pooled({"model": np.array([np.nan])}, {"model": 1.0})).all()


def test_the_blend_is_shown_if_the_hindcasts_say_that_it_is_better(provinces):
    weights = {"model": 0.5, "last_value": 0.25, "linear_trend": 0.25}
    blend = Blend(weights, ("little_giants",), 0.2, 0.1, 10)
    worse = Blend(weights, ("little_giants",), 0.1, 0.2, 10)
    single = Blend(weights, ("little_giants",), None, None, 5)
    assert [one.better for one in (blend, worse, single)] == [True, False, False]
    assert blends_of({"national": blend.record()}) == {"national": blend}
    assert blends_of(None) == {}
    asked = quantity_of("little_giants", date(2025, 12, 31))
    plain = Forecaster(provinces, 1)
    shown = Forecaster(provinces, 1, {"national": blend})
    np.testing.assert_array_equal(shown.sample(asked), plain.sample(asked))
    expected = pooled({"model": plain.sample(asked), **naive_forecasts(asked).samples}, weights)
    np.testing.assert_array_equal(shown.shown(asked), expected)
    for blends in ({}, {"national": worse}, {"provinces": blend}):
        np.testing.assert_array_equal(Forecaster(provinces, 1, blends).shown(asked), plain.sample(asked))
    # No hindcast speaks of SRDI SMEs here.
    other = quantity_of("srdi_smes", date(2025, 12, 31))
    np.testing.assert_array_equal(shown.shown(other), plain.sample(other))


def test_shares_stay_shares():
    moved = with_error(np.array([0.0, 0.25, 0.9, 1.0]), np.array([2.0, 2.0, 2.0, 2.0]), share=True)
    odds = 0.25 / 0.75 * np.exp(2.0)
    assert moved[[0, 3]].tolist() == [0.0, 1.0]
    assert moved[1] == pytest.approx(odds / (1.0 + odds))


def test_naive_forecasts_of_the_reported_series():
    asked = quantity_of("srdi_smes", date(2024, 12, 31))
    figures = [figure for figure in reported_figures() if figure.quantity == "srdi_smes" and not figure.province]
    naive = naive_forecasts(asked)
    assert naive.last_value == max(figures, key=lambda figure: figure.date).middle == 123_999.5
    years = [(figure.date - asked.date).days / 365.25 for figure in figures]
    slope, level = np.polyfit(years, [figure.middle for figure in figures], 1)
    assert naive.linear_trend == pytest.approx(level)
    assert slope > 0
    assert np.isnan(naive_forecasts(quantity_of("births", LAST)).last_value)


def test_a_last_value_wanders_on_the_log_scale():
    figures = [f for f in reported_figures() if f.quantity == "srdi_smes" and not f.province]
    figures.sort(key=lambda figure: figure.date)
    variance = np.mean(
        [np.log(b.middle / a.middle) ** 2 / ((b.date - a.date).days / 365.25) for a, b in pairwise(figures)]
    )
    ahead = (LAST - date(2024, 3, 31)).days / 365.25
    sample = naive_forecasts(quantity_of("srdi_smes", LAST)).samples["last_value"]
    assert len(sample) == len(LEVELS) == 999
    # 0.9 quantile, the 900th of 999 (level 899.5 / 999): 1.2842 standard deviations.
    assert sample[899] == pytest.approx(123_999.5 * np.exp(1.2842 * np.sqrt(variance * ahead)), rel=1e-3)
    assert np.log(sample).std() == pytest.approx(np.sqrt(variance * ahead), rel=0.01)


def test_a_linear_trend_has_the_interval_of_a_new_value():
    day = date(2026, 12, 31)
    granted = {2019: 248.0, 2020: 1664.0, 2021: 2930.0, 2022: 4342.5, 2023: 3671.0}
    years = np.array([(date(year, 12, 31) - date(2023, 12, 31)).days / 365.25 for year in granted])
    values, ahead = np.array(list(granted.values())), (day - date(2023, 12, 31)).days / 365.25
    design = np.column_stack([np.ones(5), years])
    inverse = np.linalg.inv(design.T @ design)
    level, slope = inverse @ design.T @ values
    variance = np.sum((values - level - slope * years) ** 2) / 3
    at = np.array([1.0, ahead])
    spread = np.sqrt(variance * (1.0 + at @ inverse @ at))
    naive = naive_forecasts(quantity_of("little_giants_granted", day))
    assert naive.linear_trend == pytest.approx(level + slope * ahead)
    expected = [level + slope * ahead + spread * t.ppf(q, 3) for q in (0.25, 0.75, 0.95)]
    np.testing.assert_allclose(np.quantile(naive.samples["linear_trend"], [0.25, 0.75, 0.95]), expected, rtol=2e-3)
    # Far out its interval reaches below 0, where no flow can be.
    far = naive_forecasts(quantity_of("little_giants_granted", LAST)).samples
    assert far["linear_trend"].min() == 0.0


def test_few_figures_leave_a_point():
    # Two review pass rates: the trend is the line through both, which leaves the possible.
    two = naive_forecasts(quantity_of("review_pass_rate", date(2024, 12, 31)))
    first, second = (0.5726 + 0.6250) / 2, (0.6187 + 0.6812) / 2
    assert two.samples["linear_trend"] == pytest.approx([second + (second - first) * 366 / 365])
    assert len(two.samples["last_value"]) == len(LEVELS)
    assert naive_forecasts(quantity_of("review_pass_rate", date(2035, 12, 31))).linear_trend == 1.0
    assert max(naive_forecasts(quantity_of("review_pass_rate", LAST)).samples["last_value"]) == 1.0
    one = naive_forecasts(quantity_of("innovative_smes", LAST))
    assert [sample.tolist() for sample in one.samples.values()] == [[214_999.5], [214_999.5]]
    assert (one.last_value, one.linear_trend) == (214_999.5, 214_999.5)


def test_naive_forecasts_of_a_province_are_its_share_of_the_nation():
    share = 795 / (148.5 + 1079 + 2930 + 4328 + 3671)
    for quantity in ("little_giants", "little_giants_granted"):
        nation = naive_forecasts(quantity_of(quantity, LAST))
        naive = naive_forecasts(quantity_of(f"{quantity}.Beijing", LAST))
        for name in ("last_value", "linear_trend"):
            np.testing.assert_allclose(naive.samples[name], share * nation.samples[name])
    assert naive_forecasts(quantity_of("little_giants.Beijing", LAST)).last_value == pytest.approx(share * 11_999.5)
    # No region's share of the fifth list stands in for the whole stock before it.
    centre = naive_forecasts(quantity_of("little_giants.centre", LAST))
    expected = (2068 + 0.16 * 3671) / (8990.5 + 3671)
    assert centre.last_value == pytest.approx(expected * 11_999.5, rel=0.05)


def change(text, *changes):
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return text


def write(tmp_path, text):
    path = tmp_path / "actuals.toml"
    path.write_text(text, encoding="utf-8")
    return path


ONE = '[[actual]]\nquantity = "srdi_smes"\ndate = "2024-12-31"\nlow = 100000\nhigh = 101000\nsource = "x"\n'


RATE = 'review_pass_rate"\ndate = "2024-12-31"\nlow = 0.6\nhigh = 65'


def test_a_score_holds_what_was_asked_for(tables, tmp_path):
    # Made-up figures: the score is tested, not the forecast.
    text = ONE.replace('"2024-12-31"', "2024-12-31") + change(
        ONE, ("2024", "2025"), ("100000", "1e6"), ("101000", "1e6")
    )
    actuals = read_actuals(write(tmp_path, text), LAST)
    scored = score(Forecaster(tables, 1), actuals)
    assert scored["inside_50"].tolist() == [True, False]
    assert scored["inside_90"].tolist() == [True, False]
    draws = Forecaster(tables, 1).sample(actuals[0].as_quantity)
    spread = np.abs(draws[:, None] - draws[None, :]).mean() / 2.0
    assert scored["crps_model"][0] == pytest.approx(np.abs(draws - 100_500).mean() - spread, rel=0.01)
    later = Forecaster(tables, 1).sample(actuals[1].as_quantity)
    assert scored["error_model"][1] == pytest.approx(np.median(later) / 1e6 - 1.0)
    assert scored["error_last_value"].tolist() == pytest.approx([123_999.5 / 100_500 - 1.0, 123_999.5 / 1e6 - 1.0])
    summary = score_summary(scored)
    assert summary["coverage_90"] == 0.5
    assert summary["compared"] == 2
    assert summary["model"]["absolute_error"] == pytest.approx(scored["error_model"].abs().mean())


def test_a_naive_forecast_is_scored_as_a_distribution(tables, tmp_path, monkeypatch):
    normal = 500.0 + 20.0 * norm.ppf(LEVELS)
    naive = Naive({"last_value": normal, "linear_trend": np.array([500.0])})
    monkeypatch.setattr(scores, "naive_forecasts", lambda quantity: naive)
    # 20 x 0.674 and 20 x 1.645 bound the intervals: 513.5 and 532.9.
    text = change(ONE, ("100000", "520"), ("101000", "520")) + change(
        ONE, ("2024", "2025"), ("100000", "490"), ("101000", "500")
    )
    scored = score(Forecaster(tables, 1), read_actuals(write(tmp_path, text), LAST))
    assert scored["inside_50_last_value"].tolist() == [False, True]
    assert scored["inside_90_last_value"].tolist() == [True, True]
    assert scored["inside_50_linear_trend"].tolist() == scored["inside_90_linear_trend"].tolist() == [False, True]
    # A normal forecast of 500 ± 20, one deviation off: σ [z (2 Φ(z) − 1) + 2 φ(z) − 1/√π] at z = 1.
    normal_crps = 20.0 * (2.0 * norm.cdf(1.0) - 1.0 + 2.0 * norm.pdf(1.0) - 1.0 / math.sqrt(math.pi))
    assert scored["crps_last_value"][0] == pytest.approx(normal_crps, rel=1e-3)
    assert scored["crps_linear_trend"].tolist() == [20.0, 5.0]
    assert scored["last_value"].tolist() == pytest.approx([500.0, 500.0])
    last, line = score_summary(scored)["last_value"], score_summary(scored)["linear_trend"]
    assert (last["coverage_50"], last["coverage_90"]) == (0.5, 1.0)
    assert (line["coverage_50"], line["coverage_90"]) == (0.5, 0.5)
    assert line["relative_crps"] == pytest.approx((20 / 520 + 5 / 495) / 2)
    assert line["absolute_error"] == pytest.approx((20 / 520 + 5 / 495) / 2)


def test_a_summary_tells_the_nation_from_provinces(provinces, tmp_path):
    # Nobody misses 10 to 1 million, everybody misses 1 million.
    wide = change(ONE, ("srdi_smes", "little_giants"), ("100000", "10"), ("101000", "1e6"))
    text = wide + "".join(
        change(wide, ("little_giants", f"little_giants.{name}"), ("= 10", "= 1e6")) for name in ("Jiangsu", "Tibet")
    )
    scored = score(Forecaster(provinces, 1), read_actuals(write(tmp_path, text), LAST))
    summary = score_summary(scored)
    assert [summary[key] for key in ("figures", "compared", "coverage_90")] == [3, 3, pytest.approx(1 / 3)]
    nation, parts = summary["national"], summary["provinces"]
    assert [nation[key] for key in ("figures", "compared", "coverage_50")] == [1, 1, 1.0]
    assert [parts[key] for key in ("figures", "compared", "coverage_50")] == [2, 2, 0.0]
    for name in ("model", "last_value", "linear_trend"):
        assert (nation[name]["coverage_90"], parts[name]["coverage_90"], summary[name]["coverage_90"]) == (
            1.0,
            0.0,
            pytest.approx(1 / 3),
        )
    assert "provinces" not in score_summary(scored[:1])
    assert "national" not in score_summary(scored[1:])


def test_a_floor_counts_for_the_intervals_only(tables, tmp_path):
    over = change(ONE, ("high = 101000\n", ""))
    # The forecast lies far above the first floor and far below the second.
    text = ONE + change(over, ("2024", "2025"), ("100000", "10")) + change(over, ("2024", "2026"), ("100000", "1e9"))
    actuals = read_actuals(write(tmp_path, text), LAST)
    assert [actual.high for actual in actuals] == [101_000, None, None]
    scored = score(Forecaster(tables, 1), actuals)
    assert scored["inside_50"].tolist() == scored["inside_90"].tolist() == [True, True, False]
    for column in ("high", "crps_model", "error_model", "crps_last_value", "error_linear_trend"):
        assert scored[column].isna().tolist() == [False, True, True], column
    summary = score_summary(scored)
    assert [summary[key] for key in ("figures", "floors", "compared")] == [3, 2, 3]
    assert summary["coverage_90"] == summary["model"]["coverage_90"] == pytest.approx(2 / 3)
    alone = score_summary(scored[:1])
    for key in ("relative_crps", "absolute_error"):
        assert summary["model"][key] == alone["model"][key] is not None
    rows = records(scored)
    json.dumps([summary, rows], allow_nan=False)
    assert rows[1]["high"] is rows[1]["crps_model"] is rows[1]["error_model"] is None
    shown = cells.realised(rows).rows[1]
    assert (shown[2], shown[5], shown[6]) == ("over 10", "yes", "–")
    assert cells.scores(summary).title.endswith("; 2 without an upper end are not in CRPS and error")
    floors = score_summary(scored[1:])
    assert floors["model"]["relative_crps"] is floors["linear_trend"]["absolute_error"] is None


def test_what_cannot_be_scored_is_none(tables, tmp_path):
    tables = {"national": tables["national"].assign(births=5.0)}
    # No births were ever reported; of SRDI SMEs that are 0 no error is a share.
    births = change(ONE, ("srdi_smes", "births"))
    nothing = change(ONE, ("100000", "0"), ("101000", "0"))
    alone = score(Forecaster(tables, 1), read_actuals(write(tmp_path, births), LAST))
    summary = score_summary(alone)
    assert summary["compared"] == 0
    empty = dict.fromkeys(("coverage_50", "coverage_90", "relative_crps", "absolute_error"))
    assert summary["model"] == summary["last_value"] == summary["national"]["linear_trend"] == empty
    assert summary["coverage_90"] == 0.0
    scored = score(Forecaster(tables, 1), read_actuals(write(tmp_path, births + nothing), LAST))
    summary = score_summary(scored)
    assert summary["compared"] == 1
    assert summary["model"] == empty | {"coverage_50": 0.0, "coverage_90": 0.0}
    rows = records(scored)
    json.dumps([summary, rows], allow_nan=False)
    assert rows[0]["inside_90_last_value"] is rows[0]["crps_last_value"] is rows[0]["last_value"] is None
    assert rows[1]["error_model"] is rows[1]["error_last_value"] is None
    # A run that ended earlier forecasts nothing.
    ended = {"national": tables["national"][tables["national"]["quarter"] < "2024-12-31"]}
    unsaid = score(Forecaster(ended, 1), read_actuals(write(tmp_path, ONE), LAST))
    assert score_summary(unsaid)["coverage_90"] is None
    assert records(unsaid)[0]["inside_90"] is None
    assert "– inside the 50 % and – inside the 90 % interval" in cells.scores(score_summary(unsaid)).title
    assert cells.realised(records(unsaid)).rows[0][3:6] == ("–", "– – –", "–")


def test_a_date_within_a_quarter_is_that_of_its_end(tables, tmp_path):
    actual = read_actuals(write(tmp_path, ONE.replace("2024-12-31", "2024-11-02")), LAST)[0]
    assert actual.as_quantity.quarter_end == pd.Timestamp("2024-12-31")
    assert Forecaster(tables, 1).quantiles([actual.as_quantity])["date"][0] == "2024-12-31"


@pytest.mark.parametrize(
    ("altered", "words"),
    [
        (("srdi_smes", "srdi_sme"), r"actual 1: unknown quantity 'srdi_sme'; did you mean 'srdi_smes'"),
        (("srdi_smes", "little_giants.Jiangsoo"), "did you mean 'little_giants.Jiangsu'"),
        (("low = 100000", "low = 200000"), "low is 200000, above high, 101000"),
        (("2024-12-31", "2024-01-31"), "forecasts begin after 2024-03-08"),
        (("2024-12-31", "2031-01-31"), "the forecast ends on 2030-12-31"),
        (("low = 100000\n", ""), "low is missing"),
        (("source", "sauce = 1\nsource"), "unknown key sauce; did you mean 'source'"),
        (("low = 100000", 'low = "many"'), "low is 'many'"),
        (("low = 100000\nhigh = 101000", "low = -1"), "low is -1; srdi_smes cannot be below 0"),
        (("low = 100000", "low = -1"), "low is -1; srdi_smes cannot be below 0"),
        (("srdi_smes", "county_share_of_little_giants"), "low is 100000; county_share_of_little_giants is a share"),
        (
            ('srdi_smes"\ndate = "2024-12-31"\nlow = 100000\nhigh = 101000', RATE),
            "high is 65; review_pass_rate is a share, between 0 and 1",
        ),
        (("srdi_smes", "governance_mean"), "governance_mean is a share, between 0 and 1"),
        (
            (ONE, ONE + ONE),
            "actual 2: srdi_smes of the quarter that ends on 2024-12-31 is given twice; once is allowed",
        ),
        ((ONE, ONE + ONE.replace("12-31", "10-01")), "actual 2: srdi_smes of the quarter that ends on 2024-12-31"),
        ((ONE, ""), r"there is no \[\[actual\]\]"),
    ],
)
def test_a_fault_in_the_realised_figures_is_named(tmp_path, altered, words):
    with pytest.raises(InputError, match=words):
        read_actuals(write(tmp_path, ONE.replace(*altered)), LAST)


# --- reported figures


def test_inside_means_what_the_table_says():
    figures = tuple(
        next(figure for figure in reported_figures() if figure.id == id_)
        for id_ in ("srdi-2024-03", "giants-batch-3", "srdi-2023-09")
    )
    rng = np.random.default_rng(1)
    right = np.column_stack([f.middle * np.exp(0.05 * rng.normal(size=300)) for f in figures])
    table = target_table(right, 0.05, 1, figures).set_index("id")
    assert table["inside"].all()
    # A single number is never met exactly: the interval of the median decides.
    assert not table.loc["giants-batch-3", "within"]
    off = target_table(right * 1.3, 0.05, 1, figures)
    assert not off["inside"].any()
    assert (table["p05"] < table["median_low"]).all()


def test_a_province_is_not_judged_by_the_steps_of_a_thinned_population():
    hainan = next(figure for figure in reported_figures() if figure.province == "Hainan")
    given = next(figure for figure in reported_figures() if figure.id == "giants-batch-1")
    # One run in four counts one firm, which stands for 20: five are expected. A batch of 248 is 12 such firms.
    outcomes = np.column_stack([np.where(np.arange(400) % 4, 0.0, 20.0), np.full(400, 240.0)])
    table = target_table(outcomes, 0.05, 1, (hainan, given)).set_index("id")
    assert table.loc[hainan.id, "median"] == pytest.approx(5.0, abs=1.0)
    assert table["inside"].all()
    assert not target_table(outcomes, 1.0, 1, (hainan, given))["inside"][1]


def test_a_figure_no_run_speaks_of_is_not_inside():
    figure = reported_figures()[2]
    row = target_table(np.full((50, 1), np.nan), 0.05, 1, (figure,)).iloc[0]
    assert np.isnan(row["median"])
    assert not row["inside"]
    assert not row["within"]


# --- econometrics


def panel(effect, growing=0.0, firms=900, seed=1):
    """A panel in which a certificate adds `effect` to log productivity, and `growing` more each year."""
    rng = np.random.default_rng(seed)
    years = np.arange(2018, 2026)
    first = rng.choice([0, 2021, 2023], size=firms)
    rows = pd.DataFrame({"firm": np.repeat([f"f{i}" for i in range(firms)], len(years)), "year": np.tile(years, firms)})
    rows["first"] = np.repeat(first, len(years))
    treated = (rows["first"] > 0) & (rows["year"] >= rows["first"])
    since = np.where(treated, rows["year"] - rows["first"], 0)
    level = np.repeat(rng.normal(size=firms), len(years))
    knowledge = rng.normal(size=len(rows))
    noise = 0.1 * rng.normal(size=len(rows))
    rows["productivity"] = level + 0.03 * (rows["year"] - 2018) + effect * treated + growing * since + noise
    rows["knowledge"] = np.exp(knowledge)
    rows["employment"] = np.exp(rng.normal(size=len(rows)))
    rows["revenue"] = rows["employment"] ** 0.7 * rows["knowledge"] ** 0.08 * np.exp(level + noise)
    rows["rd_last_year"] = 0.03 + 0.01 * rng.normal(size=len(rows))
    rows["tier"] = np.where(treated, 2, 0)
    rows["quarter"] = pd.to_datetime(rows["year"].astype(str) + "-12-31")
    return rows


def test_the_estimators_find_a_known_effect():
    found = {estimate.id: estimate for estimate in econometrics.estimate(panel(0.2))}
    for name in ("fe_productivity", "did_productivity"):
        assert found[name].value == pytest.approx(0.2, abs=0.02)
        assert found[name].low < 0.2 < found[name].high
        assert found[name].holds
    assert found["knowledge_elasticity"].value == pytest.approx(0.08, abs=0.01)
    assert found["lead_productivity"].holds
    assert not found["did_rd"].holds


def test_effects_that_grow_mislead_two_way_fixed_effects_only():
    table = econometrics.prepare(panel(0.1, growing=0.1))
    treated = table[table["treated"] == 1]
    truth = 0.1 + 0.1 * treated["relative"].mean()
    assert econometrics.two_stage(table, "productivity")[0] == pytest.approx(truth, abs=0.02)
    assert econometrics.fixed_effects(table, "productivity")[0] < truth - 0.04


def test_a_panel_without_certified_firms_estimates_nothing():
    found = {estimate.id: estimate for estimate in econometrics.estimate(panel(0.2).assign(tier=0))}
    assert np.isnan(found["did_productivity"].value)
    assert not found["did_productivity"].holds
    assert found["did_productivity"].record()["value"] is None


# --- validation


def test_an_interrupted_ensemble_goes_on_and_a_finished_one_is_only_read(tmp_path, monkeypatch):
    pd.DataFrame({"demand_trend": [0.04, 0.06]}).to_parquet(tmp_path / "draws.parquet")
    posterior = read_parameter_draws(str(tmp_path / "draws.parquet"))
    run = partial(validation._ensemble, tmp_path, posterior, draws=2, scale=0.001, seed=1, workers=1)
    made, execute = [], ensemble._execute

    def counted(jobs, *others):
        made.append(len(jobs))
        return execute(jobs, *others)

    def interrupt(stage, done, all_):
        if done == 1:
            raise KeyboardInterrupt

    monkeypatch.setattr(ensemble, "_execute", counted)
    with pytest.raises(KeyboardInterrupt):
        run(on_run=interrupt)
    tables = run(on_run=lambda stage, done, all_: None)
    assert made == [2, 1]
    assert tables["national"].groupby("replicate").size().tolist() == [49, 49]
    assert run(on_run=lambda stage, done, all_: None)["national"].equals(tables["national"])
    assert made == [2, 1]
