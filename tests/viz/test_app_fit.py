"""The page of the calibration says what the packaged files say, whatever they say."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from datetime import date
from html import escape
from types import SimpleNamespace

import ipywidgets
import numpy as np
import pandas as pd
import pytest
import reacton
import solara

from calibration.fitting.priors import read_priors
from calibration.forecasting.naive import NAIVE
from calibration.forecasting.quantities import published_quantities
from calibration.forecasting.scores import score_summary
from scenarios.analysis.reported import ReportedFigure, reported_figures
from scenarios.ensembles.parameter_draws import POSTERIOR, ParameterDraws, read_parameter_draws
from scenarios.records.storage import records
from sim.reference import province_names
from viz import LANGUAGES
from viz.app import fit_tables, state
from viz.app.about import figures_table
from viz.app.pages.calibration import DRAWN, CalibrationPage
from viz.app.state import Served, Session, session_context
from viz.live.fitted import (
    FORECASTERS,
    Directions,
    FittedParameter,
    by_role,
    by_series,
    directions_of,
    figures_of,
    forecasts_of,
    mean_error,
    national_series,
    outlook_of,
    parameters_of,
    roles_of_facts,
    sources_of_references,
    typical_width,
)
from viz.shared.calibrated import Validation, packaged_summary, packaged_validation, read_validation
from viz.shared.units import unit_of_figure
from viz.words.language import Words, catalogue


@pytest.fixture(scope="module")
def validation():
    return packaged_validation()


@pytest.fixture(scope="module")
def figures(validation):
    return figures_of(validation.results)


@pytest.fixture(scope="module")
def forecasts(validation):
    return forecasts_of(validation.forecasts["forecasts"])


def chinese(text):
    return any("\u4e00" <= letter <= "\u9fff" for letter in text)


# --- words


@pytest.mark.parametrize("language", LANGUAGES)
def test_everything_the_page_names_has_words(language, validation, figures, forecasts):
    words, known = Words(language), catalogue(language)
    quantities = {figure.quantity for figure in figures} | {forecast.quantity for forecast in forecasts}
    assert {quantity.replace(".", "_") for quantity in quantities} <= set(known["column"])
    assert set(known["fit"]["parameter_title"]) == set(read_priors().by_name)
    assert set(known["fit"]["fact_title"]) == {row["id"] for row in validation.results["facts"]}
    assert set(known["fit"]["estimate_title"]) == {row["id"] for row in validation.results["estimates"]}
    units = {figure.unit for figure in figures} | {forecast.unit for forecast in forecasts}
    units |= {row["unit"] for key in ("parameters", "held") for row in packaged_summary()[key]}
    if language == "zh":
        assert units - {""} <= set(known["unit"])
        assert all(chinese(fit_tables.parameter_title(words, name)) for name in read_priors().by_name)
    for role in ("fit", "check", "given"):
        assert fit_tables.role_title(words, role) != words("fit.role_other")


def test_what_the_catalogue_does_not_name_is_named_by_its_declaration():
    words = Words("zh")
    assert fit_tables.quantity_title(words, "fact.new") == "fact.new"
    assert fit_tables.parameter_title(words, "order_premium").startswith("extra sales")
    assert fit_tables.role_title(words, "unheard-of") == words("fit.role_other")


# --- units


def test_units_of_reported_figures(figures):
    units = {figure.id: unit_of_figure(figure) for figure in reported_figures()}
    assert units["giants-batch-3"] == "firms"
    assert units["review-2023"] == "share"
    assert units["giants-rd"] == "share"
    assert units["giants-revenue"] == "yuan"
    assert units["giants-age"] == "years"
    assert units["first-clusters-revenue"] == "yuan per quarter"
    assert {figure.id: figure.unit for figure in figures} == units


def test_money_of_a_year_is_not_told_by_the_quarter():
    """A figure, a forecast and a realised figure of a flow are sums over the year."""
    spending = {"quantity": "public_spending_yuan", "date": "2022-12-31"}
    given = {"id": "spent", "label": "Spending, 2022", "text": "about 8 billion", "source": "a budget", "mark": "C"}
    figure = ReportedFigure.model_validate({**spending, **given, "role": "given", "whole_year": True, "low": 8e9})
    assert unit_of_figure(figure) == "yuan"
    [forecast] = forecasts_of([spending | {f"q{level}": 8e9 for level in ("05", "25", "50", "75", "95")}])
    assert forecast.unit == "yuan"
    found = scored(naive=True)
    found["rows"][0] |= spending
    assert "(yuan)" in fit_tables.realised_table(Words("en"), found).rows[0][0]


# --- figures


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_source_reads_as_on_the_page_of_data(language, figures):
    words = Words(language)
    national = [figure for figure in figures if not figure.province]
    sources = [row[2] for row in fit_tables.figure_table(words, national).rows]
    # There, the mark stands behind it.
    known = {figure.id: row[-1] for figure, row in zip(reported_figures(), figures_table(words).rows, strict=True)}
    assert len(sources) > 20
    for figure, source in zip(national, sources, strict=True):
        assert known[figure.id] in [words("number.bracketed", value=source, about=mark) for mark in "ABC"]


def test_counts_are_those_of_the_validation(validation, figures):
    for role, found in by_role(figures).items():
        counted = validation.results["inside"][role]
        assert [sum(f.inside for f in found), sum(f.within for f in found), len(found)] == [
            counted[key] for key in ("inside", "within", "of")
        ]
        sentence = fit_tables.short(Words("en"), {role: found}, packaged_summary(), [])[0]
        assert f"{counted['inside']} of {counted['of']}" in sentence
        assert ("Missed:" in sentence) == (counted["inside"] < counted["of"])


def test_provinces_of_a_list_belong_together(figures):
    lists = by_series(figures)
    assert len(lists["giants-2021-06"]) == 30
    # Granted since the start is another quantity than granted in the year.
    assert {figure.quantity for figure in lists["giants-granted-2022"]} == {"little_giants_granted_cumulative"}
    assert all(figure.province for found in lists.values() for figure in found)
    assert sum(map(len, lists.values())) == sum("." in figure.id for figure in figures)


@pytest.mark.parametrize(
    ("low", "high", "median", "miss"),
    [
        (100.0, 110.0, 105.0, 0.0),
        (100.0, 110.0, 99.0, -0.01),
        (100.0, 110.0, 121.0, 0.1),
        (0.8, None, 0.9, 0.0),
        (0.8, None, 0.4, -0.5),
        (None, 10.0, 11.0, 0.1),
        (100.0, 110.0, math.nan, math.nan),
    ],
)
def test_a_miss_is_the_distance_to_the_nearer_end(figures, low, high, median, miss):
    figure = replace(figures[0], low=low, high=high, median=median)
    assert figure.miss == pytest.approx(miss, nan_ok=True)


def test_a_verdict_says_whether_outcomes_reach_the_figure(figures):
    words = Words("en")
    figure = replace(figures[0], low=100.0, high=100.0, median=120.0, p05=90.0, p95=150.0, inside=False, within=False)
    assert fit_tables.verdict(words, figure) == (
        "missed: median 20% too high; still inside the 90% interval of outcomes"
    )
    assert fit_tables.verdict(words, replace(figure, p05=110.0)) == "missed: median 20% too high"
    assert fit_tables.verdict(words, replace(figure, inside=True)) == "inside"


@pytest.mark.parametrize("language", LANGUAGES)
def test_figures_that_are_not_as_usual_are_shown_all_the_same(language, validation):
    """A validation of another version may have other figures, and figures of which no run says anything."""
    row = dict(validation.results["targets"][0])
    unsaid = (
        row
        | dict.fromkeys(("median", "median_low", "median_high", "p05", "p95"))
        | {
            "inside": False,
            "within": False,
        }
    )
    other = row | {"id": "new", "role": "new-role", "quantity": "births", "reported_high": None}
    found = figures_of({"targets": [unsaid, other]})
    words = Words(language)
    table = fit_tables.figure_table(words, found)
    assert all(len(line) == len(table.heads) for line in table.rows)
    assert table.rows[0][5] == "–"
    text = " ".join(fit_tables.short(words, by_role(found), packaged_summary(), []))
    assert words("fit.miss_unknown") in text
    assert typical_width(found[:1]) == (pytest.approx(math.nan, nan_ok=True), 0)


def test_a_reported_interval_that_reads_the_same_at_both_ends_is_written_once(figures):
    words = Words("en")
    row = next(figure for figure in figures if figure.id == "county-share")
    assert fit_tables.figure_table(words, [row]).rows[0][4] == "25.6%"


# --- parameters


def test_the_place_of_draws_from_the_prior_is_that_of_the_prior():
    summary = packaged_summary()
    names = tuple(row["parameter"] for row in summary["parameters"])
    cube = np.tile(np.linspace(0.0005, 0.9995, 1000)[:, None], (1, len(names)))
    values = type(read_priors())({name: read_priors().by_name[name] for name in names}).values(cube)
    for one in parameters_of(summary, ParameterDraws("made", names, values, "")):
        assert one.place == pytest.approx((0.05, 0.5, 0.95), abs=0.002), one.name
        assert one.posterior == pytest.approx(one.prior, rel=0.02, abs=0.02), one.name


def test_ranges_of_the_posterior_are_those_the_fit_wrote_down():
    summary = packaged_summary()
    fitted = {row["parameter"]: row for row in summary["parameters"]}
    found = parameters_of(summary, read_parameter_draws(POSTERIOR))
    assert [one.name for one in found] == list(fitted)
    for one in found:
        row = fitted[one.name]
        for mine, theirs in (("prior", "prior"), ("posterior", "posterior")):
            wanted = [row[f"{theirs}_{level}"] for level in ("05", "50", "95")]
            assert getattr(one, mine) == pytest.approx(wanted, rel=0.01), one.name
        assert one.learned == (row["verdict"] == "learned")


def test_years_of_parameters_are_no_counts():
    assert fit_tables.parameter_value(Words("zh"), 2021.26, "year") == "2021.3"
    assert fit_tables.parameter_value(Words("zh"), 12_000.0, "niches") == "1.2万"


def test_the_numbers_of_a_parameters_cell_have_one_scale():
    quantiles = (9_500.0, 10_400.0, 12_000.0)
    one = FittedParameter(
        "reach_size", "niches", quantiles, quantiles, (0.05, 0.5, 0.95), True, 0.8, quantiles[:2], False
    )
    [row] = fit_tables.parameter_table_of(Words("zh"), [one]).rows
    assert row[3] == "0.95万 至 1.2万"
    assert row[4] == "0.95万 · 1.04万 · 1.2万"
    assert row[6] == "0.95万 至 1.04万"


def test_directions_say_what_is_left_of_the_prior():
    summary = {
        "parameters": [{"parameter": name} for name in ("reach_size", "rd_reconsider", "giant_bar")],
        "information": {
            "eigenvalues": [9.0, 1.0, 0.0],
            "identified": 1,
            "directions": [[1.0, 0.0, 0.0], [0.0, 0.6, 0.8], [0.0, -0.8, 0.6]],
        },
    }
    found = directions_of(summary)
    assert found.share == pytest.approx([0.9, 0.5, 0.0])
    assert set(found.loose) == {"rd_reconsider", "giant_bar"}
    text = fit_tables.directions_text(Words("en"), found)
    assert "For 1 combinations" in text
    assert "the other 2" in text
    assert fit_tables.parameter_title(Words("en"), "rd_reconsider") in text
    every = Directions(np.array([0.9, 0.8]), 2, ())
    assert "for each" in fit_tables.directions_text(Words("en"), every)


# --- forecasts


def test_forecasts_are_of_everything_that_is_published(forecasts, validation):
    asked = {(one.quantity, one.place, one.quarter_end.date()) for one in published_quantities()}
    found = {(one.quantity, one.province, one.date) for one in forecasts}
    assert found == asked
    table = fit_tables.forecast_table(Words("en"), forecasts)
    days = {one.date for one in forecasts}
    assert [len(table.rows), len(table.heads)] == [len(national_series(forecasts)), 1 + len(days)]
    cell = fit_tables.forecast_table(Words("en"), [replace(forecasts[0], levels=(0.4, 1.0, 1.6, 2.0, 5.05))]).rows[0][1]
    assert cell == "2 (0 to 5)"
    asked_for = [
        replace(forecasts[0], quantity="little_giants", province=one) for one in ("northeast", *province_names())
    ]
    provinces = fit_tables.province_table(
        Words("zh"), [*asked_for, replace(asked_for[0], quantity="srdi_smes")], "little_giants"
    )
    assert len(provinces.rows) == 1 + 31
    assert [row[0] for row in provinces.rows[:2]] == ["东北", "北京"]


def test_an_outlook_begins_at_the_last_reported_figure_and_meets_every_forecast(forecasts):
    series = national_series(forecasts)["srdi_smes"]
    found = outlook_of(series)
    last = max((f for f in reported_figures() if f.quantity == "srdi_smes"), key=lambda figure: figure.date)
    assert found.quarters[0] == "2018Q4"
    assert found.quarters[-1] == f"{series[-1].date.year}Q4"
    start = found.reported_at[-1]
    assert found.quarters[start] == "2024Q1"
    assert np.isnan(found.levels[:, :start]).all()
    assert found.levels[:, start] == pytest.approx([last.low, last.low, last.middle, last.high, last.high])
    for position, forecast in zip(found.at, series, strict=True):
        assert found.levels[:, position] == pytest.approx(forecast.levels)
    assert (np.diff(found.levels[:, start:], axis=0) >= 0.0).all()


def test_an_outlook_needs_no_reported_figure(forecasts):
    series = [replace(one, quantity="births") for one in national_series(forecasts)["srdi_smes"]]
    found = outlook_of(series)
    assert found.reported == []
    assert np.isnan(found.levels[:, : found.at[0]]).all()


def test_a_hindcast_is_told_by_its_mean_errors():
    rows = [
        {"inside_90": True, "inside_50": False, "error": 0.1, "error_last_value": -0.3, "error_linear_trend": None},
        {"inside_90": False, "inside_50": False, "error": -0.2, "error_last_value": 0.1, "error_linear_trend": None},
    ]
    assert mean_error(rows, "error") == pytest.approx(0.15)
    text = fit_tables.hindcast_text(Words("en"), rows)
    assert "1 of 2" in text
    assert "15%" in text
    assert "20%" in text
    assert "straight line by –" in text


# --- score


def scored(naive: bool, floor: bool = False):
    """Rows as `calibration.forecasting.scores.score` makes them: two figures, one of them of a province."""
    rows = []
    for quantity, value in (("little_giants", 14_000.0), ("little_giants.Jiangsu", 1_500.0)):
        row = {"quantity": quantity, "date": "2024-12-31", "unit": "firms", "source": "a list", "draws": 200}
        row |= {f"q{level}": value * (1.0 + (int(level) - 50) / 100) for level in ("05", "25", "50", "75", "95")}
        row |= {"low": value, "high": math.nan if floor else value, "inside_50": True, "inside_90": True}
        row |= {"crps_model": math.nan if floor else 0.05 * value, "error_model": 0.02}
        for place, name in enumerate(NAIVE, start=1):
            row |= {name: value, f"inside_50_{name}": False if naive else None}
            row |= {f"inside_90_{name}": True if naive else None}
            row |= {f"crps_{name}": (0.1 * place * value) if naive else math.nan, f"error_{name}": 0.2 * place}
        rows.append(row)
    table = pd.DataFrame(rows)
    return json.loads(json.dumps(score_summary(table) | {"rows": records(table)}))


def test_a_score_stands_beside_the_naive_forecasts():
    words, found = Words("en"), scored(naive=True)
    text = fit_tables.score_text(words, found)
    assert text.startswith("2 realised figures: 100% lie inside the 90% interval")
    assert "is 5%, that of the last value 10%, that of the straight line 20%. The model is best." in text
    table = fit_tables.score_table(words, found)
    assert [row[0] for row in table.rows] == ["all"] * 3 + ["national"] * 3 + ["provinces"] * 3
    assert [row[2:] for row in table.rows[:2]] == [["100%", "100%", "5%", "2%"], ["0%", "100%", "10%", "20%"]]
    rows = fit_tables.realised_table(words, found)
    assert rows.rows[1][0] == "Little giants (Jiangsu)"
    assert all(len(row) == len(rows.heads) for row in rows.rows)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_floor_is_shown_as_one(language):
    words, found = Words(language), scored(naive=True, floor=True)
    text = fit_tables.score_text(words, found)
    assert words("fit.score_floors", floors=2) in text
    assert words("fit.score_alone") not in text
    (cell, crps), *_ = [(row[4], row[8]) for row in fit_tables.realised_table(words, found).rows]
    assert cell == words("number.at_least", value=words.value(14_000.0, "firms"))
    assert crps == "–"
    assert words("fit.score_floors", floors=0) not in fit_tables.score_text(words, scored(naive=True))


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_score_without_naive_forecasts_says_so(language):
    words, found = Words(language), scored(naive=False)
    assert words("fit.score_alone") in fit_tables.score_text(words, found)
    assert len(fit_tables.score_table(words, found).rows) == 3 * len(FORECASTERS)
    assert fit_tables.realised_table(words, found).rows[0][-1] == "–"


def test_a_validation_of_a_directory_is_shown(tmp_path, validation):
    found = validation.results | {"score": scored(naive=True)}
    (tmp_path / "validation.json").write_text(json.dumps(found), encoding="utf-8")
    (tmp_path / "forecasts.json").write_text(json.dumps(validation.forecasts), encoding="utf-8")
    assert read_validation(tmp_path).results["score"]["figures"] == 2


# --- facts and econometrics


@pytest.mark.parametrize("language", LANGUAGES)
def test_facts_and_estimates_say_whether_they_hold(language, validation, figures):
    words, seen = Words(language), roles_of_facts(figures)
    facts, estimates = validation.results["facts"], validation.results["estimates"]
    made = (
        (facts, fit_tables.fact_table(words, facts, seen)),
        (estimates, fit_tables.estimate_table(words, estimates)),
    )
    for rows, table in made:
        assert [row[1] for row in table.rows] == [
            words("fit.holds_yes" if row["holds"] else "fit.holds_no") for row in rows
        ]
        assert {row["id"] for row in rows} <= set(sources_of_references())
    assert str(sum(row["holds"] for row in estimates)) in fit_tables.estimates_text(words, estimates)
    unknown = facts[0] | {"id": "new", "value": None, "low": None, "high": None}
    row = fit_tables.fact_table(words, [unknown], seen).rows[0]
    assert row[0] == unknown["description"]
    assert row[-2:] == [words("fit.too_few"), "–"]


def test_facts_that_were_fitted_are_no_test():
    words = Words("en")
    facts = [
        {"id": name, "holds": True} for name in ("certified_rd", "certified_age", "certified_rd_staff", "size_tail")
    ]
    seen = {"certified_rd": "fit", "certified_age": "fit", "certified_rd_staff": "check"}
    assert "2 of them are not a test" in fit_tables.facts_text(words, facts, seen)
    facts = [fact | {"description": "", "value": 1.0, "low": 0.0, "high": 2.0} for fact in facts]
    roles = [row[2] for row in fit_tables.fact_table(words, facts, seen).rows]
    assert roles == [words("fit.role_fit"), words("fit.role_fit"), "no", "no"]


def test_references_that_are_a_sign_say_so():
    words = Words("en")
    row = {"id": "x", "description": "x", "value": 1.0, "low": 0.5, "high": 1.5, "holds": True, "observations": 9}
    references = [(0.0, None, "positive (sign only)"), (None, 0.0, "negative (sign only)"), (0.0, 0.0, "0")]
    for low, high, text in references:
        table = fit_tables.estimate_table(words, [row | {"reference_low": low, "reference_high": high}])
        assert table.rows[0][4] == text


# --- the page


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", ["packaged", "scored", "empty"])
def test_the_page_is_drawn_whatever_the_validation_holds(language, kind, validation, monkeypatch):
    found, forecasts = validation.results, validation.forecasts
    if kind == "scored":
        found = found | {"score": scored(naive=True), "model_unchanged": False}
    if kind == "empty":
        found = found | {"targets": [], "facts": [], "estimates": []}
        forecasts = forecasts | {"forecasts": []}
    shown = None if kind == "packaged" else Validation(found, forecasts)
    runner = SimpleNamespace(members=2, until=2030, scale=0.01)
    monkeypatch.setattr(state, "served", Served(runner, {}, shown))
    session, words = Session(runner, f"lang={language}"), Words(language)

    @solara.component
    def Framed():
        session_context.provide(session)
        CalibrationPage()

    box, context = reacton.render(Framed(), handle_error=False)
    text = " ".join(texts_of(box))
    expected = {
        "packaged": [words("fit.score_how"), fit_tables.estimates_text(words, validation.results["estimates"])],
        "scored": [words("fit.score_best_model"), words("fit.changed")],
        "empty": [words("fit.no_figures"), words("fit.no_forecasts")],
    }
    for sentence in expected[kind]:
        assert escape(sentence) in text
    charts = [title for title in text.split("§") if title.startswith("chart:")]
    wanted = 2 if kind == "empty" else 2 + len(by_role(figures_of(found))) + len(DRAWN)
    assert len(charts) == wanted, charts
    context.close()


def texts_of(widget):
    """All texts of a widget and of what it holds; titles of charts between marks."""
    yield str(getattr(widget, "unsafe_innerHTML", "") or "")
    if hasattr(widget, "described"):
        yield f"§chart:{json.loads(widget.described)['title']}§"
    for child in getattr(widget, "children", None) or []:
        if isinstance(child, ipywidgets.Widget):
            yield from texts_of(child)


def test_dates_of_figures_are_read(figures):
    assert min(figure.date for figure in figures) == date(2018, 12, 31)
