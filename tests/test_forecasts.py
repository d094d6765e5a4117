"""Forecasts, naive ones, and scores against realised figures."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from calibration import econometrics
from calibration.forecasts import (
    DRIFT,
    LIST_ERROR,
    YEARS,
    Forecaster,
    discrepancy_of,
    naive_forecasts,
    name_of,
    published,
    quantity_of,
    read_actuals,
    score,
    score_summary,
    with_error,
)
from calibration.prediction import target_table
from scenarios.errors import InputError
from scenarios.reported import reported_figures
from sim.reference import province_names

LAST = date(2030, 12, 31)
DRAWS = 400


@pytest.fixture(scope="module")
def tables():
    """Two series whose values are known: 100,000 to 101,000 SRDI SMEs, and 10 little giants granted a quarter."""
    quarters = pd.date_range("2023-12-31", "2030-12-31", freq="QE")
    national = pd.DataFrame(
        [
            {
                "replicate": replicate,
                "quarter": quarter,
                "srdi_smes": 100_000.0 + 1000.0 * replicate / (DRAWS - 1),
                "little_giants_granted": 10.0,
                "county_share_of_little_giants": 0.25,
            }
            for replicate in range(DRAWS)
            for quarter in quarters
        ]
    )
    return {"national": national}


def test_every_forecast_that_was_asked_for_is_there():
    names = {name_of(quantity) for quantity in published()}
    assert {"srdi_smes", "little_giants", "little_giants_granted", "review_pass_rate", "little_giants.Tibet"} <= names
    assert len(published()) == (6 + 31) * len(YEARS)


def test_the_spread_of_a_forecast_grows_with_its_distance(tables):
    widths = []
    for year in (2024, 2026, 2030):
        draws = np.log(Forecaster(tables, 1).draws(quantity_of("srdi_smes", date(year, 12, 31))))
        widths.append(draws.std())
        years = (date(year, 12, 31) - date(2024, 3, 8)).days / 365.25
        expected = np.hypot(discrepancy_of(quantity_of("srdi_smes", LAST)), DRIFT * np.sqrt(years))
        assert widths[-1] == pytest.approx(expected, rel=0.1)
        assert np.median(draws) == pytest.approx(np.log(100_500), abs=3 * expected / np.sqrt(DRAWS) * 1.3)
    assert widths == sorted(widths)


def test_a_flow_is_that_of_its_year(tables):
    draws = Forecaster(tables, 1).draws(quantity_of("little_giants_granted", date(2025, 12, 31)))
    assert np.median(draws) == pytest.approx(40.0, rel=0.02)


@pytest.fixture(scope="module")
def provinces():
    """Every province with 100 little giants at all dates, granted once, in 60 runs."""
    quarters = pd.date_range("2018-12-31", "2026-12-31", freq="QE")
    index = pd.MultiIndex.from_product(
        [range(60), quarters, province_names()], names=["replicate", "quarter", "province"]
    )
    rows = pd.DataFrame({"little_giants": 100.0, "little_giants_granted": 25.0}, index=index).reset_index()
    national = rows.groupby(["replicate", "quarter"], as_index=False)[["little_giants", "little_giants_granted"]].sum()
    return {"province": rows, "national": national}


def test_reported_figures_of_a_province_move_its_forecasts(provinces):
    forecaster = Forecaster(provinces, 1)
    levels = forecaster.province_levels
    # 5 reported against 100 simulated; nothing is reported of Tibet.
    prior = 0.4**-2
    expected = np.log(0.05) * LIST_ERROR**-2 / (prior + LIST_ERROR**-2)
    assert levels.loc["Hainan", "level"] == pytest.approx(expected)
    assert levels.loc["Tibet", "level"] == 0.0
    assert levels.loc["Tibet", "sd"] == pytest.approx(0.4)
    assert levels.loc["Jiangsu", "figures"] == 3
    assert levels.loc["Jiangsu", "sd"] < levels.loc["Hainan", "sd"] < 0.4
    day = date(2025, 12, 31)
    medians = forecaster.table([quantity_of(f"little_giants.{name}", day) for name in ("Hainan", "Tibet")])["q50"]
    assert medians[0] < 0.5 * medians[1]


def test_forecasts_of_provinces_add_up_to_that_of_the_nation(provinces):
    forecaster, day = Forecaster(provinces, 1), date(2025, 12, 31)
    parts = sum(forecaster.draws(quantity_of(f"little_giants.{name}", day)) for name in province_names())
    np.testing.assert_allclose(parts, forecaster.draws(quantity_of("little_giants", day)))


def test_shares_stay_shares():
    moved = with_error(np.array([0.0, 0.25, 0.9, 1.0]), np.array([2.0, 2.0, 2.0, 2.0]), share=True)
    odds = 0.25 / 0.75 * np.exp(2.0)
    assert moved[[0, 3]].tolist() == [0.0, 1.0]
    assert moved[1] == pytest.approx(odds / (1.0 + odds))


def test_naive_forecasts_of_the_reported_series():
    asked = quantity_of("srdi_smes", date(2024, 12, 31))
    figures = [figure for figure in reported_figures() if figure.quantity == "srdi_smes"]
    naive = naive_forecasts(asked)
    assert naive.last_value == max(figures, key=lambda figure: figure.date).middle == 123_999.5
    years = [(figure.date - asked.date).days / 365.25 for figure in figures]
    slope, level = np.polyfit(years, [figure.middle for figure in figures], 1)
    assert naive.linear_trend == pytest.approx(level)
    assert slope > 0
    assert np.isnan(naive_forecasts(quantity_of("births", LAST)).last_value)


def write(tmp_path, text):
    path = tmp_path / "actuals.toml"
    path.write_text(text, encoding="utf-8")
    return path


ONE = '[[actual]]\nquantity = "srdi_smes"\ndate = "2024-12-31"\nlow = 100000\nhigh = 101000\nsource = "x"\n'


def test_a_score_holds_what_was_asked_for(tables, tmp_path):
    # Made-up figures: the score is tested, not the forecast.
    text = ONE + ONE.replace("100000", "300000").replace("101000", "300000")
    actuals = read_actuals(write(tmp_path, text.replace('"2024-12-31"', "2024-12-31", 1)), LAST)
    scored = score(Forecaster(tables, 1), actuals)
    assert scored["inside_50"].tolist() == [True, False]
    assert scored["inside_90"].tolist() == [True, False]
    draws = Forecaster(tables, 1).draws(actuals[0].asked)
    spread = np.abs(draws[:, None] - draws[None, :]).mean() / 2.0
    assert scored["crps_model"][0] == pytest.approx(np.abs(draws - 100_500).mean() - spread, rel=0.01)
    assert scored["error_model"][1] == pytest.approx(np.median(draws) / 300_000 - 1.0)
    assert scored["crps_last_value"][0] == pytest.approx(123_999.5 - 100_500)
    summary = score_summary(scored)
    assert summary["coverage_90"] == 0.5
    assert summary["compared"] == 2
    assert summary["model"]["absolute_error"] == pytest.approx(scored["error_model"].abs().mean())


def test_a_date_within_a_quarter_is_that_of_its_end(tables, tmp_path):
    actual = read_actuals(write(tmp_path, ONE.replace("2024-12-31", "2024-11-02")), LAST)[0]
    assert actual.asked.quarter_end == pd.Timestamp("2024-12-31")
    assert Forecaster(tables, 1).table([actual.asked])["date"][0] == "2024-12-31"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("srdi_smes", "srdi_sme"), r"actual 1: unknown quantity 'srdi_sme'; did you mean 'srdi_smes'"),
        (("srdi_smes", "little_giants.Jiangsoo"), "did you mean 'little_giants.Jiangsu'"),
        (("low = 100000", "low = 200000"), "low is 200000, above high, 101000"),
        (("2024-12-31", "2024-01-31"), "forecasts begin after 2024-03-08"),
        (("2024-12-31", "2031-01-31"), "the forecast ends on 2030-12-31"),
        (("low = 100000\n", ""), "low is missing"),
        (("source", "sauce = 1\nsource"), "unknown key sauce; did you mean 'source'"),
        (("low = 100000", 'low = "many"'), "low is 'many'"),
        ((ONE, ""), r"there is no \[\[actual\]\]"),
    ],
)
def test_a_fault_in_the_realised_figures_is_named(tmp_path, change, words):
    with pytest.raises(InputError, match=words):
        read_actuals(write(tmp_path, ONE.replace(*change)), LAST)


# --- reported figures


def test_inside_means_what_the_table_says():
    figures = tuple(
        next(figure for figure in reported_figures() if figure.id == id_)
        for id_ in ("srdi-2024-03", "giants-batch-3", "srdi-2023-07")
    )
    rng = np.random.default_rng(1)
    right = np.column_stack([f.middle * np.exp(0.05 * rng.normal(size=300)) for f in figures])
    table = target_table(right, 1, figures).set_index("id")
    assert table["inside"].all()
    # A single number is never met exactly: the interval of the median decides.
    assert not table.loc["giants-batch-3", "within"]
    off = target_table(right * 1.3, 1, figures)
    assert not off["inside"].any()
    assert (table["p05"] < table["median_low"]).all()


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
