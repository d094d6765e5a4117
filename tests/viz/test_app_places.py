"""Measures of provinces, the map's spec, and the map page."""

from datetime import date

import numpy as np
import pandas as pd
import pytest
import solara
from seen import contrast

from scenarios import load_scenario
from scenarios.analysis.bands import effect_of
from scenarios.analysis.model_error import level_error
from scenarios.display.formatting import supported_arrays
from sim.records.outputs import PROVINCE
from sim.reference import read_data
from sim.world.geography import COUNTY_TYPES
from viz import LANGUAGES
from viz.app.controls import MONEY
from viz.app.pages.map import AT_QUARTER, SERIES, SHOWN, MapPage, full_title, map_spec, province_name, province_rows
from viz.app.state import Session, session_context
from viz.app.widgets.province_map import square_map
from viz.live.measures import four_quarters, national, quarters
from viz.live.regions import (
    MEASURES,
    clusters_at,
    county_type_course,
    geography,
    last_year_end,
    province_course,
    provinces,
    provincial,
    scale_of,
)
from viz.live.session import Answer
from viz.shared.province_squares import CODES, LAYOUT, changes, ink_on, levels, rates
from viz.words.language import Words

SCALE, UNTIL, MEMBERS = 0.002, 2025, 3
SETTINGS = ("rules.little_giant.capacity=1000", "levers.cluster_recognition.per_year=150")


@pytest.fixture(scope="module")
def first(runner):
    scenario = load_scenario("capped-batches", SETTINGS).model_copy(update={"name": "policy"})
    return Answer(scenario, 1, runner.run(scenario.policy, 0), runner.baseline_run(0))


@pytest.fixture(scope="module")
def answer(runner, first):
    members = range(1, MEMBERS + 1)
    runs = tuple(runner.run(first.scenario.policy, member) for member in members)
    baselines = tuple(runner.baseline_run(member) for member in members)
    return Answer(first.scenario, 1, first.central, first.central_baseline, runs, baselines)


def test_every_number_of_the_table_can_be_shown():
    plain = {measure.column for measure in MEASURES.values() if not measure.ratio}
    assert plain == {output.name for output in PROVINCE if output.dtype == "float64"}
    assert MEASURES["revenue_yuan"].unit == "yuan per year"


@pytest.mark.parametrize("column", ["little_giants", "firms", "employment", "clusters"])
def test_provinces_add_up_to_the_nation(first, column):
    values = provincial(first.central, MEASURES[column])
    np.testing.assert_allclose(values[:, -1], national(first.central, column))
    np.testing.assert_allclose(values[:, :-1].sum(axis=1), values[:, -1])


def test_columns_of_the_matrix_are_the_squares(first):
    table = pd.DataFrame(first.central.tables["province"])
    last = table[table["quarter"] == table["quarter"].max()].set_index("province")["employment"]
    np.testing.assert_array_equal(provincial(first.central, MEASURES["employment"])[-1, :-1], last.loc[list(LAYOUT)])


def test_flows_are_summed_over_four_quarters(first):
    granted = provincial(first.central, MEASURES["little_giants_granted"])
    table = pd.DataFrame(first.central.tables["province"])
    pivot = table.pivot(index="quarter", columns="province", values="little_giants_granted").rolling(4).sum()
    np.testing.assert_allclose(granted[:, :-1], pivot[list(LAYOUT)], rtol=1e-12, atol=1e-9)
    assert np.isnan(granted[:3]).all()
    assert granted[-1, -1] > 0
    np.testing.assert_array_equal(four_quarters(np.arange(6.0)), [np.nan, np.nan, np.nan, 6.0, 10.0, 14.0])


def test_ratios_of_the_nation_are_ratios_of_sums(first):
    intensity = provincial(first.central, MEASURES["rd_over_revenue"])
    whole = national(first.central, "rd_true_yuan") / national(first.central, "revenue_yuan")
    np.testing.assert_allclose(intensity[:, -1], whole)
    density = provincial(first.central, MEASURES["little_giants_per_10000"])
    giants, firms = (provincial(first.central, MEASURES[name]) for name in ("little_giants", "firms"))
    np.testing.assert_allclose(density, 10_000.0 * giants / firms)
    # Nothing to divide by is no number, not zero.
    share = provincial(first.central, MEASURES["little_giant_share_of_srdi"])
    assert np.isnan(share[0]).all()
    assert np.isfinite(share[-1, -1])


def test_differences_are_paired(answer):
    found = provinces(answer, MEASURES["little_giants"])
    policy, baseline = (
        np.stack([provincial(run, MEASURES["little_giants"]) for run in runs])
        for runs in (answer.runs, answer.baselines)
    )
    np.testing.assert_allclose(found.difference, (policy - baseline).mean(axis=0))
    own = level_error("little_giants", [date(UNTIL, 12, 31)], province=True)[0]
    expected = effect_of((policy - baseline)[:, -1, 3][None, :], own)
    for name in ("low", "high"):
        assert getattr(found, name)[-1, 3] == pytest.approx(getattr(expected, name))
    assert found.pairs == MEMBERS
    assert (found.level_low <= found.level).all()
    assert (found.level <= found.level_high).all()
    assert found.difference[-1].any()
    # Before the policy parts from the baseline all pairs agree: that is known, not unclear.
    assert not found.difference[0].any()
    assert not found.unclear[0].any()
    unclear = found.unclear[-1]
    assert unclear.any()
    assert (found.low[-1][unclear] <= 0.0).all()
    assert (found.high[-1][unclear] >= 0.0).all()


def test_one_pair_has_no_interval(first):
    found = provinces(first, MEASURES["little_giants"])
    assert found.pairs == 1
    assert np.isnan(found.low).all()
    assert not found.unclear.any()


def test_a_province_over_time_is_its_column(answer):
    course = province_course(answer, "Jiangsu", MEASURES["srdi_smes"])
    place = list(LAYOUT).index("Jiangsu")
    runs = np.stack([provincial(run, MEASURES["srdi_smes"])[:, place] for run in answer.runs])
    np.testing.assert_allclose(course.policy, runs.mean(axis=0))
    found = provinces(answer, MEASURES["srdi_smes"])
    for end, matrix in zip((0.05, 0.5, 0.95), (found.level_low, found.level, found.level_high), strict=True):
        np.testing.assert_allclose(course.fan[end], matrix[:, place])


def test_counties_and_districts_add_up(first):
    kinds = [county_type_course(first, kind, "little_giants").policy for kind in COUNTY_TYPES]
    np.testing.assert_allclose(sum(kinds), national(first.central, "little_giants"))
    share = national(first.central, "county_share_of_little_giants")[-1]
    assert kinds[0][-1] / (kinds[0][-1] + kinds[1][-1]) == pytest.approx(share)
    dense = county_type_course(first, "county", "little_giants", "firms").policy
    firms = county_type_course(first, "county", "firms").policy
    np.testing.assert_allclose(dense, 10_000.0 * kinds[0] / firms)


def test_clusters_of_a_year_end(first):
    table, labels = first.central.tables["county_type"], quarters(first.central)
    found = clusters_at(first.central, 2024)
    last = table["quarter"] == np.datetime64("2024-12-31")
    counts = dict(zip(table["county_type"][last], table["clusters"][last], strict=True))
    assert found["county_type"].value_counts().to_dict() == counts
    assert found["recognised"].between(2022, 2024).all()
    assert clusters_at(first.central, 2018).empty
    assert last_year_end("2024Q4") == 2024
    assert last_year_end("2024Q3") == 2023
    assert labels[-1] == f"{UNTIL}Q4"


def test_geography_is_that_of_the_data():
    rows = read_data("provinces")["province"]
    counted = np.bincount(geography().county_province).tolist()
    assert counted == [row["county_units"] for row in rows]


@pytest.mark.parametrize(
    ("largest", "unit", "language", "expected"),
    [
        (0.08, "share", "en", (0.01, "share")),
        (828_750.0, "firms", "en", (1e3, "thousand")),
        (89_000.0, "firms", "en", (1.0, "one")),
        (4.4e13, "yuan per year", "en", (1e9, "billion")),
        (4.4e13, "yuan per year", "zh", (1e8, "hundred_million")),
        (1.7e7, "persons", "zh", (1e4, "ten_thousand")),
        (0.0, "firms", "zh", (1.0, "one")),
    ],
)
def test_numbers_of_a_map_are_short(largest, unit, language, expected):
    assert scale_of(largest, unit, MONEY[language]) == expected


# --- the spec


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("shown", SHOWN)
def test_every_measure_has_a_map(answer, language, shown):
    words = Words(language)
    for name, measure in MEASURES.items():
        spec = map_spec(words, answer, name, shown)
        found = provinces(answer, measure)
        values = np.frombuffer(spec["values"], dtype="<f4").reshape(-1, 32)
        numbers = supported_arrays(*(found.levels if shown == "level" else found.differences), measure.unit)
        np.testing.assert_array_equal(values, numbers[0].astype("<f4"))
        assert len(spec["shades"]) == values.shape[0] * 32
        assert spec["signed"] == (shown == "difference")
        assert len(spec["quarters"]) == values.shape[0]
        # Numbers fit a square: at most six digits before the point.
        known = np.abs(values[:, :-1][np.isfinite(values[:, :-1])]) / spec["factor"]
        assert known.max(initial=0.0) < 1e6
    titles = [full_title(words, name) for name in MEASURES]
    assert len(set(titles)) == len(titles)


def test_a_map_needs_whole_matrices_and_all_its_words():
    ok = np.zeros((2, 32))
    options = {"quarters": ["a", "b"], "names": {name: name for name in LAYOUT}, "title": "", "unit": "", "factor": 1.0}
    with pytest.raises(ValueError, match="shape"):
        square_map(ok[:, :-1], ok, ok, ok > 0, levels(1.0), texts={}, **options)
    with pytest.raises(ValueError, match="texts of a map lack play"):
        square_map(ok, ok, ok, ok > 0, levels(1.0), texts={}, **options)


def test_shades_follow_the_palette():
    palette = changes(10.0, least=0.5)
    values, calm = np.array([-10.0, 0.0, 10.0, np.nan, 10.0, 99.0]), np.array([0, 0, 0, 0, 1, 0], dtype=bool)
    shades = palette.shades(values, calm)
    ramp = palette.ramp
    assert ramp[shades[0]][0] == palette.fill(-10.0)
    assert ramp[shades[2]][0] == palette.fill(10.0)
    # Unclear differences are paler: nearer to the middle.
    assert 127 <= shades[4] < shades[2]
    assert shades[5] == shades[2]
    assert changes(0.001, least=0.5).shades(np.array([0.001]), np.array([False]))[0] in (127, 128)
    for each in (palette, levels(3.0), rates(0.01, 0.05), rates(2.0, 2.0)):
        assert all(contrast(fill, ink) >= 4.5 for fill, ink in each.ramp)
        assert all(ink == ink_on(fill) for fill, ink in each.ramp)


def test_letters_of_provinces_differ():
    assert set(CODES) == set(LAYOUT)
    assert len(set(CODES.values())) == len(LAYOUT)
    assert (CODES["Henan"], CODES["Hunan"], CODES["Shaanxi"], CODES["Shanxi"]) == ("HA", "HN", "SN", "SX")


# --- the page


def test_rows_of_a_province_say_what_the_matrix_says(answer):
    words = Words("en")
    rows = province_rows(words, answer, "Guangdong", "2024Q4")
    assert len(rows) == len(AT_QUARTER)
    found = provinces(answer, MEASURES["little_giants"])
    at, place = quarters(answer.central).index("2024Q4"), list(LAYOUT).index("Guangdong")
    row = rows[AT_QUARTER.index("little_giants")]
    for cell, matrices, signed in ((row[1], found.levels, False), (row[2], found.differences, True)):
        value, interval = words.estimate(*(float(each[at, place]) for each in matrices), "firms", signed)
        assert cell == f"{value} ({interval})"


def drawn(session, answer, page):
    """The widgets of a page, and everything that happens in drawing it."""
    session.answer.value = answer

    @solara.component
    def Top():
        session_context.provide(session)
        page()

    return solara.render(Top(), handle_error=False)[1]


@pytest.mark.parametrize("query", ["", "lang=zh", "measure=x&shown=y&quarter=1999Q1&province=Taiwan", "dark=1"])
def test_the_page_is_drawn_whatever_the_address_holds(runner, answer, first, query):
    for known in (None, first, answer):
        session = Session(runner, query)
        context = drawn(session, known, MapPage)
        text = repr([widget.unsafe_innerHTML for widget in context.find(solara.widgets.HTML).widgets] if known else "")
        assert session.message.value == ""
        if known:
            assert session.words("provinces.concentration_heading") in text
        context.close()


def test_choices_stand_in_the_address(runner, first):
    session = Session(runner, "")
    assert province_name(session, first) in LAYOUT
    session.choose("measure", "rd_over_revenue")
    session.choose("province", "Tibet")
    session.choose("shown", "difference")
    session.choose("quarter", "2024Q1")
    again = Session(runner, session.query)
    assert session.query == "measure=rd_over_revenue&province=Tibet&quarter=2024Q1&shown=difference"
    assert [again.chosen(name) for name in ("measure", "province", "quarter")] == ["rd_over_revenue", "Tibet", "2024Q1"]
    assert province_name(again, first) == "Tibet"
    assert set(SERIES) <= set(MEASURES)
