"""The report: a page that stands alone, says what the results say, and speaks two languages."""

from __future__ import annotations

import json
import math
import re
from string import Formatter

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from seen import HtmlPage as Page
from seen import contrast

from scenarios import InputError, cash, compare, incidence, load_scenario, run_ensemble
from scenarios.analysis.bands import Luck, effect_of, level_quantiles, ratio_ends
from scenarios.analysis.incidence import PAID
from scenarios.analysis.intervals import MIN_PAIRS, mean_interval
from scenarios.analysis.metrics import CUMULATIVE_COST
from scenarios.analysis.model_error import level_error
from scenarios.analysis.reported import reported_figures
from scenarios.analysis.value import NOT_COUNTED, REASONS, SWITCHES
from scenarios.analysis.value import value as find_value
from scenarios.cli import main
from scenarios.ensembles.default_draws import default_draws
from scenarios.ensembles.parameter_draws import POSTERIOR, read_parameter_draws
from scenarios.files import describe
from sim.parameters import parameter_table
from sim.reference import province_names
from viz import LANGUAGES, write_report
from viz.report.caveats import source_counts
from viz.report.document import SECTIONS, render
from viz.shared.calibrated import packaged_validation
from viz.shared.compared import Compared, reported_of
from viz.shared.doubt import QUANTILES
from viz.shared.estimates import Estimate, mean_of, ratio_of, verdict
from viz.shared.gains import QUANTITIES, place_name
from viz.shared.prices import price_of
from viz.shared.province_squares import LAYOUT, changes, ink_on, levels
from viz.shared.quantities import CHAINS, ENDS, HEADLINES, LADDER
from viz.shared.units import unit_of
from viz.shared.worth import PARTS, not_counted
from viz.words.language import Words, catalogue


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    scenarios = [load_scenario(name) for name in ("no-policy", "baseline")]
    out = tmp_path_factory.mktemp("report") / "results"
    return run_ensemble(scenarios, out=out, replicates=3, scale=0.002, until=2024, workers=1)


@pytest.fixture(scope="module")
def compared(results):
    return Compared(results)


@pytest.fixture(scope="module", params=LANGUAGES)
def page(request, compared):
    """A page with its language."""
    return request.param, render(compared, request.param)


def test_the_page_is_whole_and_needs_nothing_else(page):
    _, text = page
    found = Page(text)
    assert not found.open
    # Clip paths of equal figures have equal names; what is linked to must be one.
    assert {f"#{name}" for name in SECTIONS} <= set(found.links)
    assert all(found.ids.count(name) == 1 for name in SECTIONS)
    assert all(link.startswith("#") for link in found.links)
    assert not re.search(r"https?:|@import|<script|<link|<img", text)
    assert len(text.encode()) < 2_000_000


def test_every_chart_has_a_name_and_its_numbers(page):
    found = Page(page[1])
    maps, others = 2, 1
    gains = len(QUANTITIES) + 1  # and public money
    money = 3 + 2 + others  # payments of each kind, without levers two, and worth
    assert found.charts == found.toggles == 3 * len(LADDER) + len(CHAINS) + maps + others * gains + money
    assert found.unnamed == 0
    assert page[1].count('tabindex="0" role="img" aria-label="') == maps * len(LAYOUT)


def test_all_sections_are_there_in_order_and_in_the_language(page):
    language, text = page
    words = Words(language)
    titles = re.findall(r'<section id="(\w+)"><h2>([^<]+)</h2>', text)
    assert titles == [(name, words(f"section.{name}")) for name in SECTIONS]
    assert f'<html lang="{words("page.lang")}">' in text
    assert ("现行政策基准" in text) == (language == "zh")


def of(results, scenario, column, day=None):
    """Values of the replicates at a day, straight from the table."""
    table = results.national
    day = day or table["quarter"].max()
    rows = table[(table["scenario"] == scenario) & (table["quarter"] == day)]
    return rows.sort_values("replicate")[column].to_numpy()


def test_headlines_are_means_of_the_results_with_the_intervals_of_compare(results, page):
    language, text = page
    words, section, compared = Words(language), Page(text).texts["headlines"], Compared(results)
    assert compared.names == ["baseline", "no-policy"]
    for column in ("little_giants", "srdi_smes", "counties_with_little_giant"):
        before, after = of(results, "baseline", column), of(results, "no-policy", column)
        found = compare(results, metrics=[column]).rows.iloc[0]
        end = compared.end("baseline", column)
        assert end.mean == pytest.approx(before.mean())
        assert found["difference"] == pytest.approx((after - before).mean())
        level, its_band = words.estimate(end.mean, end.low, end.high, unit_of(column))
        numbers = (found[name] for name in ("difference", "effect_low", "effect_high"))
        change, interval = words.estimate(*numbers, unit_of(column), signed=True)
        for text in (level, its_band, change, interval):
            assert text in section
    cost = compared.end("baseline", CUMULATIVE_COST)
    assert words.level(cost.mean, cost.low, cost.high, "yuan") in section
    assert cost.mean > 1e9


def test_costs_say_what_was_spent_by_lever(results, page):
    language, text = page
    words, section = Words(language), Page(text).texts["costs"]
    spent = results.spending.groupby(["lever", "scenario", "replicate"], observed=True)["spending_yuan"].sum()
    for lever in ("little_giant_awards", "digital_empowerment", "cluster_recognition"):
        assert words.lever(lever) in section
        assert words.number(spent[lever]["baseline"].mean()) in section


def test_gains_by_region_are_those_of_incidence(results, page):
    language, text = page
    words, section = Words(language), Page(text).texts["gains"]
    shown = incidence(results, "region", quantities=QUANTITIES).by_place("no-policy")
    assert list(shown) == [*QUANTITIES, PAID]
    changes = pd.DataFrame([row["change"] for places in shown.values() for row in places.values()])
    assert len(changes) == len(shown) * 5
    for row in changes.itertuples():
        assert place_name(words, "region", row.place) in section
        assert all(text in section for text in words.estimate(row.value, row.low, row.high, row.unit, signed=True))
    assert words("gain.money") in section
    assert words("label.difference", label=words("label.assumed")) in section


def test_payments_by_year_are_those_of_cash(results, page):
    language, text = page
    words, section = Words(language), Page(text).texts["cash"]
    found = cash(results)
    paid = found.rows[(found.rows["quantity"] == "paid_yuan") & (found.rows["lever"] == "all")]
    for row in paid[(paid["year"] > 2018) & (paid["kind"] != "all")].itertuples():
        assert words(f"cash.{row.kind}") in section
        assert all(text in section for text in words.estimate(row.value, row.low, row.high, "yuan"))
    budgets = found.budgets[found.budgets["quantity"] == "budget_used_share"]
    assert set(budgets["scenario"]) == {"baseline"}
    for row in budgets.itertuples():
        assert words.lever(row.lever) in section
        assert all(text in section for text in words.estimate(row.value, row.low, row.high, "share"))
    assert words("cash.not_used_up") in section
    assert words("cash.no_budget") in section  # of no policy
    assert words("label.amounts", label=words("label.fitted")) in section


def test_worth_is_that_of_value_with_what_it_assumes_and_leaves_out(results, page):
    language, text = page
    words, section = Words(language), Page(text).texts["value"]
    rows = find_value(results).rows.set_index("quantity")
    for part, sign in PARTS.items():
        row = rows.loc[part]
        assert words(f"value.{part}") in section
        ends = sorted((sign or 1) * row[end] for end in ("low", "high"))
        assert words.estimate((sign or 1) * row["value"], *ends, row["unit"], signed=True)[0] in section
    for net in rows.loc["net_benefit_yuan"].itertuples():
        assert all(text in section for text in words.estimate(net.value, net.low, net.high, "yuan", signed=True))
    # Without policy money is saved, so there is no ratio, and it is said why.
    assert words("value.no_benefit_cost", reason=words("value.reason_saves")) in section
    assert all(item in section for item in not_counted(words))
    assert words("value.assumed", **GIVEN[language]) in section


#: The defaults of `Assumptions` as each language writes them.
GIVEN = {
    language: {
        **{"rate": "5%", "present": present, "share": "22.5%", "wage": wage, "year": 2022, "growth": "5%"},
        **{"labour": "100%", "research": "100%", "tax": "14%"},
    }
    for language, present, wage in (("en", "2024 Q1", "70,000"), ("zh", "2024年第1季度", "7万"))
}


def test_the_report_knows_all_that_value_may_say():
    english = Words("en")
    assert not_counted(english) == list(NOT_COUNTED)
    for language in LANGUAGES:
        words = catalogue(language)["value"]
        assert {key.removeprefix("reason_") for key in words if key.startswith("reason_")} == set(REASONS)
        assert {key.removeprefix("off_") for key in words if key.startswith("off_")} == {name for _, name in SWITCHES}
        assert sum(key.startswith("not_counted_") for key in words) == len(NOT_COUNTED)


def test_without_draws_of_strengths_a_command_is_named_that_makes_them(page):
    language, text = page
    section = Page(text).texts["doubt"]
    assert Words(language)("doubt.command") in section
    assert "srdi effects --params evidence" in section


def test_the_map_prints_little_giants_of_every_province(results, page):
    language, text = page
    words, table = Words(language), results.province
    rows = table[(table["scenario"] == "baseline") & (table["quarter"] == table["quarter"].max())]
    means = rows.groupby("province", observed=True)["little_giants"].mean()
    shown = Compared(results).province_levels("baseline", "little_giants")
    pd.testing.assert_series_equal(shown["mean"], means[shown.index], check_names=False, check_index=False)
    for province in province_names():
        label = f'aria-label="{words.province(province)}'
        assert label in text
        number = words.level(*shown.loc[province], "firms")
        assert re.search(rf"{label}\W{{1,2}}{re.escape(number)}\D", text)


def test_fans_hold_luck_and_the_own_error_and_flows_are_summed_over_years(results, compared):
    fan, day = compared.fan("baseline", "srdi_smes"), pd.Timestamp("2022-12-31")
    values = of(results, "baseline", "srdi_smes", day)
    own = level_error("srdi_smes", [day.date()])
    luck = Luck(1.0 / 0.002, 1.0 / packaged_validation().results["scale"])
    expected = level_quantiles(values[:, None], QUANTILES, own, "firms", luck=luck)
    assert fan.loc[day].tolist() == pytest.approx([float(each[0]) for each in expected])
    assert fan.loc[day, 0.5] == pytest.approx(values.mean())
    yearly = compared.runs("baseline", "public_spending_yuan")
    table = results.national
    rows = table[(table["scenario"] == "baseline") & (table["quarter"].dt.year == 2023)]
    assert yearly.loc["2023-12-31"].tolist() == pytest.approx(
        rows.groupby("replicate")["public_spending_yuan"].sum().tolist()
    )
    assert yearly.index[0] == pd.Timestamp("2019-12-31")  # 2018 has one quarter
    assert unit_of("public_spending_yuan") == "yuan per year"


def test_genuine_firms_are_the_genuine_share_of_the_certified(results, compared):
    counted = of(results, "baseline", "srdi_smes") * of(results, "baseline", "genuine_srdi_share")
    assert compared.end("baseline", "genuine_srdi_smes").mean == pytest.approx(counted.mean())


def test_reported_figures_stand_beside_what_was_simulated(page):
    language, text = page
    words, section = Words(language), Page(text).texts["fans"]
    figures = reported_of("srdi_smes", pd.Timestamp("2024-12-31"))
    assert len(figures) >= 5
    for figure in figures:
        assert words.reported(figure, "firms") in section
    assert not reported_of("srdi_smes", pd.Timestamp("2020-12-31"))


def test_the_same_results_give_the_same_bytes(results, tmp_path):
    for name in ("a.html", "b.html"):
        write_report(results, tmp_path / name)
    assert (tmp_path / "a.html").read_bytes() == (tmp_path / "b.html").read_bytes()


def test_caveats_name_what_is_assumed_and_what_is_missed(page):
    language, text = page
    words, section = Words(language), Page(text).texts["caveats"]
    assert words("caveat.simulation_noise", runs="3", params=default_draws().name) in section
    assert words("label.assumed_levers") in section
    assert words("caveat.few", units="3", enough=MIN_PAIRS) in section
    assert words.column("fact.certified_revenue") in section  # a figure the calibrated model misses
    assert "commons_absorption" in section
    counts = source_counts()
    assert counts["all"] == len(parameter_table()) == sum(counts.values()) - counts["all"]


# --- edge cases


def test_one_scenario_once_and_before_the_reported_figures(tmp_path):
    one = run_ensemble(
        [load_scenario("no-policy")],
        out=tmp_path / "r",
        replicates=1,
        scale=0.002,
        until=2020,
        workers=1,
        firms_panel=5,
    )
    for language in LANGUAGES:
        words = Words(language)
        text = render(Compared(one), language)
        found = Page(text)
        assert not found.open
        for section in ("effects", "gains", "value"):
            assert words("headline.alone") in found.texts[section]
        assert words("cost.no_spending") in found.texts["costs"]
        assert words("caveat.one_run") in found.texts["caveats"]
        assert words("caveat.ends_early", day=words.date(pd.Timestamp("2020-12-31"))) in found.texts["caveats"]
        assert words("run.panel", firms="5") in found.texts["run"]
        assert not re.search(r"\bnan\b", text)


def test_one_pair_of_runs_has_no_interval(results, tmp_path):
    scenarios = [load_scenario(name) for name in ("baseline", "clusters-300")]
    pair = run_ensemble(scenarios, out=tmp_path / "r", replicates=1, scale=0.001, until=2023, workers=1)
    text = render(Compared(pair), "en")
    words, found = Words("en"), Page(text)
    assert words("headline.note_one") in found.texts["headlines"]
    assert words("cost.one_run") in found.texts["costs"]
    assert all(words("band.note_one") in found.texts[section] for section in ("gains", "cash", "value"))
    assert not re.search(r"difference \S+ \(90%", found.texts["headlines"])
    assert "90% band" not in found.texts["headlines"]
    assert "levers.cluster_recognition.per_year" in found.texts["run"]
    assert not re.search(r"\bnan\b", text)


def test_with_parameter_draws_both_draws_and_replicates_are_resampled(tmp_path):
    drawn = run_ensemble(
        [load_scenario(name) for name in ("baseline", "clusters-300")],
        out=tmp_path / "r",
        replicates=2,
        scale=0.001,
        until=2023,
        workers=1,
        draws=read_parameter_draws(POSTERIOR),
        crossed_draws=3,
    )
    compared = Compared(drawn)
    assert compared.runs("baseline", "firms").shape[1] == 6
    differences = compared.differences("clusters-300", "revenue_yuan").iloc[-1]
    interval = mean_interval(differences.to_numpy().reshape(3, 2))
    found, expected = mean_of(differences, 0.1), effect_of(differences.to_numpy().reshape(3, 2), 0.1)
    assert (found.mean, found.low, found.high) == pytest.approx((differences.mean(), expected.low, expected.high))
    assert (found.mean_low, found.mean_high) == pytest.approx((interval.low, interval.high))
    text = render(compared, "en")
    parameters = len(read_parameter_draws(POSTERIOR).names)
    assert Words("en")("caveat.doubt", parameters=parameters, draws="3") in Page(text).texts["caveats"]
    assert "over 3 parameter draws and 2 replicates" in Page(text).texts["effects"]


# --- statistics


def pairs(values):
    return pd.Series(values, index=pd.MultiIndex.from_product([[0], range(len(values))], names=["draw", "replicate"]))


def test_an_interval_tells_whether_a_difference_is_clear():
    assert mean_of(pairs([2.0, 2.1, 2.3])).clear
    assert mean_of(pairs([2.0, 3.0, 4.0])).likely
    assert not mean_of(pairs([2.0, 3.0, 4.0])).clear
    assert not mean_of(pairs([-1.0, 1.0, 0.5])).clear
    assert not mean_of(pairs([0.0, 0.0])).clear
    assert not mean_of(pairs([5.0])).known


@pytest.mark.parametrize(
    ("estimate", "unit", "said"),
    [
        (Estimate(2.4, 1.2, 3.6), "counties", "higher"),
        (Estimate(2.4, 0.3, 4.5), "counties", "likely_higher"),  # shown as 0 to 4
        (Estimate(2.4, -0.3, 5.1), "counties", "unclear"),
        (Estimate(2.4, -0.3, 5.1, 1.0, 3.8), "counties", "likely_higher"),
        (Estimate(-2.4, -4.5, 0.3, -3.8, -1.0), "counties", "likely_lower"),
        (Estimate(0.3, -0.2, 0.8, 0.1, 0.5), "counties", "unclear"),  # not one county
        (Estimate(0.00004, 0.00001, 0.00007), "share", "unclear"),  # shown as 0 points, 0 to 0.01
        (Estimate(0.004, 0.001, 0.007), "share", "higher"),
        (Estimate(0.0, 0.0, 0.0), "share", "same"),
        (Estimate(5.0, math.nan, math.nan), "firms", "one_run"),
    ],
)
def test_a_verdict_says_no_more_than_the_numbers_beside_it(estimate, unit, said):
    for language in LANGUAGES:
        assert verdict(Words(language), estimate, unit) == Words(language)(f"verdict.{said}")


def test_a_ratio_has_the_interval_of_compare():
    costs, gains = pairs([10.0, 12.0, 9.0, 14.0]), pairs([2.0, 2.5, 2.2, 3.0])
    found, ends = ratio_of(costs, gains, 0.2), ratio_ends(costs.to_numpy()[None], gains.to_numpy()[None], 0.2)
    assert (found.mean, found.low, found.high) == pytest.approx((45.0 / 9.7, *ends))


@pytest.mark.parametrize(
    ("costs", "gains", "key"),
    [
        ([9e6, 1.1e7, 1e7], [1.0, 1.2, 0.8], "ratio"),
        ([-9e6, -1.1e7, -1e7], [-1.0, -1.2, -0.8], "saved"),
        ([9e6, 1.1e7, 1e7], [1.0, -1.2, 0.8], "unclear"),
        ([9e6, 1.1e7, 1e7], [0.0, 0.0, 0.0], "same"),
        ([0.0, 0.0, 0.0], [1.0, 1.2, 0.8], "free"),
        ([0.0, 0.0, 0.0], [-1.0, -1.2, -0.8], "worse"),
        ([-9e6, -1.1e7, -1e7], [1.0, 1.2, 0.8], "cheaper"),
        ([9e6, 1.1e7, 1e7], [-1.0, -1.2, -0.8], "dearer"),
        ([9e6], [1.0], "one_run"),
    ],
)
def test_a_price_is_told_only_where_the_firms_are_clear(costs, gains, key):
    costs, gains = pairs(costs), pairs(gains)
    for language in LANGUAGES:
        words = Words(language)
        found = ratio_of(costs, gains) if key in ("ratio", "saved") else Estimate(0.0, 0.0, 0.0)
        value, interval = words.estimate(found.mean, found.low, found.high, "yuan")
        dearer = (words.estimate(factor * found.mean, found.low, found.high, "yuan")[0] for factor in (1.2, 1.5))
        raised = {"shares": "0.2 / 0.5", "dearer": " / ".join(dearer)}
        said = words(f"cost.{key}", value=value, interval=interval, **raised)
        assert price_of(costs, gains).text(words) == said


# --- words and numbers


def leaves(values, prefix=""):
    for key, value in values.items():
        if isinstance(value, dict):
            yield from leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def test_catalogues_have_the_same_keys_and_the_same_gaps():
    # These stand in English where they are declared: units, settings.
    own = ("unit", "setting_help")
    english, chinese = (dict(leaves({k: v for k, v in catalogue(name).items() if k not in own})) for name in LANGUAGES)
    assert set(english) == set(chinese)
    for key, text in english.items():
        if isinstance(text, str):
            gaps = [{name for _, name, _, _ in Formatter().parse(words) if name} for words in (text, chinese[key])]
            assert gaps[0] - {"month_name", "month"} == gaps[1] - {"month_name", "month"}, key


def test_every_unit_and_every_quantity_has_words():
    units = {unit_of(quantity) for quantity in (*HEADLINES, *LADDER, *ENDS, *CHAINS)}
    for rows in (*(row["settings"] for row in (*describe.lever_rows(), *describe.shock_rows())), describe.rule_rows()):
        units |= {row["unit"] for row in rows}
    assert units - {""} <= set(catalogue("zh")["unit"])
    for language in LANGUAGES:
        for figure in reported_figures():
            assert Words(language).column(figure.quantity)


@pytest.mark.parametrize(
    ("value", "english", "chinese"),
    [
        (0.0, "0", "0"),
        (12_684.0, "12,684", "1.268万"),
        (9_999.7, "10,000", "1万"),
        (-1.086e9, "−1.086 billion", "−10.86亿"),
        (37.07e9, "37.07 billion", "370.7亿"),
        (250.3e12, "250.3 trillion", "250.3万亿"),
        (0.12794, "0.128", "0.128"),
        (110.24, "110.2", "110.2"),
        (math.nan, "–", "–"),
    ],
)
def test_numbers_are_written_as_each_language_does(value, english, chinese):
    assert Words("en").number(value) == english
    assert Words("zh").number(value) == chinese


@pytest.mark.parametrize(
    ("low", "high", "english", "chinese"),
    [
        (964_805.0, 1.296e6, "0.9648 million to 1.296 million", "96.48万 至 129.6万"),
        (-2.1e9, 40e6, "−2.1 billion to 0.04 billion", "−21亿 至 0.4亿"),
        (0.0, 3e6, "0 to 3 million", "0 至 300万"),
        (999_970.0, 999_980.0, "1 million to 1 million", "100万 至 100万"),
        (8_500.0, 12_000.0, "8,500 to 12,000", "0.85万 至 1.2万"),
        (120.0, 950.0, "120 to 950", "120 至 950"),
    ],
)
def test_both_ends_of_an_interval_have_the_scale_of_the_larger(low, high, english, chinese):
    for words, text in ((Words("en"), english), (Words("zh"), chinese)):
        assert words.interval(low, high, "yuan") == text


def test_a_price_and_its_interval_have_one_scale():
    costs, gains = pairs([0.9e6, 1.05e6, 0.99e6]), pairs([1.0, 1.0, 1.0])
    # The deviation is 0.0756 of the mean; half a log interval 2.92 · 0.0756 / 0.98 · √(4/3) = 0.26.
    text = price_of(costs, gains).text(Words("en"))
    assert text.startswith("0.98 million yuan per firm (90% interval 0.76 million to 1.27 million)")
    assert text.endswith("at a marginal cost of public funds of 0.2 / 0.5: 1.18 million / 1.47 million")


def test_a_reported_interval_has_one_scale_and_may_lack_an_end():
    words = Words("en")
    assert words.bounds(950_000.0, 1.2e6, "yuan") == "0.95 million to 1.2 million"
    assert words.bounds(1.2e6, 1.2e6, "yuan") == "1.2 million"
    assert words.bounds(None, 1.2e6, "yuan") == "1.2 million or less"
    assert words.bounds(1.2e6, None, "yuan") == "1.2 million or more"


def test_shares_are_in_per_cent_and_their_differences_in_points():
    assert Words("en").value(0.256, "share") == "25.6%"
    assert Words("en").value(-0.004, "share", signed=True) == "−0.4 points"
    assert Words("zh").interval(-0.01, 0.02, "share", signed=True) == "−1 至 +2个百分点"


@pytest.mark.parametrize(
    ("numbers", "unit", "signed", "english", "chinese"),
    [
        (
            (34_303.0, 22_844.0, 54_639.0),
            "firms",
            False,
            ("34,000", "23,000 to 55,000"),
            ("3.4万", "2.3万 至 5.5万"),
        ),
        ((1_153.0, 810.0, 1_497.0), "firms", True, ("+1,150", "+810 to +1,500"), ("+1,150", "+810 至 +1,500")),
        ((9_640.0, 8_100.0, 12_200.0), "firms", False, ("9,600", "8,100 to 12,200"), ("0.96万", "0.81万 至 1.22万")),
        ((2.36, 0.4, 4.1), "counties", True, ("+2", "0 to +4"), ("+2", "0 至 +4")),
        (
            (0.2563, 0.2381, 0.3082),
            "share",
            False,
            ("25.6%", "23.8% to 30.8%"),
            ("25.6%", "23.8% 至 30.8%"),
        ),
        (
            (0.0123, -0.004, 0.03),
            "share",
            True,
            ("+1.2 points", "−0.4 to +3 points"),
            ("+1.2个百分点", "−0.4 至 +3个百分点"),
        ),
        (
            (2.506e12, 1.91e12, 3.31e12),
            "yuan per year",
            False,
            ("2.5 trillion", "1.9 trillion to 3.3 trillion"),
            ("2.5万亿", "1.9万亿 至 3.3万亿"),
        ),
        (
            (-2.14e9, -3.06e9, 0.21e9),
            "yuan",
            True,
            ("−2.1 billion", "−3.1 billion to +0.2 billion"),
            ("−21亿", "−31亿 至 +2亿"),
        ),
        ((5.4, math.nan, math.nan), "firms", True, ("+5", "–"), ("+5", "–")),
    ],
)
def test_a_number_and_its_interval_have_the_digits_it_supports(numbers, unit, signed, english, chinese):
    assert Words("en").estimate(*numbers, unit, signed) == english
    assert Words("zh").estimate(*numbers, unit, signed) == chinese


def test_a_relative_difference_is_rounded_like_its_interval():
    assert Words("en").relative(0.0342, 0.021, 0.048) == "+3.4%"
    assert Words("en").relative(0.0342, math.nan, math.nan) == "+3.42%"


# --- the map


def test_every_province_has_one_square():
    assert set(LAYOUT) == set(province_names())
    assert len(set(LAYOUT.values())) == len(LAYOUT)


def test_text_in_squares_can_be_read_on_every_colour():
    for palette, values in ((levels(4_000.0), np.linspace(0, 4_000, 50)), (changes(80.0), np.linspace(-80, 80, 50))):
        for value in values:
            assert contrast(palette.fill(value), ink_on(palette.fill(value))) >= 4.5
    assert changes(80.0).fill(0.0) == changes(80.0).steps[2][1]


# --- the command


def srdi(*arguments):
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def test_the_command_writes_into_the_directory_and_ends_with_one_line_of_json(results):
    answer = srdi("report", results.path, "--language", "zh", "--baseline", "no-policy", "--json")
    assert answer.exit_code == 0, answer.output
    last = json.loads(answer.stdout.splitlines()[-1])
    assert last["baseline"] == "no-policy"
    assert last["scenarios"] == ["no-policy", "baseline"]
    path = results.path / "report-zh.html"
    assert last["out"] == str(path)
    assert last["bytes"] == path.stat().st_size
    path.unlink()


def test_bad_input_ends_with_two_and_one_sentence(results, tmp_path):
    calls = [
        (["report", tmp_path / "none"], "is not a directory"),
        (["report", results.path, "--baseline", "base-line"], "did you mean 'baseline'"),
        (["report", results.path, "--language", "fr"], "'fr' is not one of 'en', 'zh'\n"),
        (["report", results.path, "--language", "zhh"], "'zhh' is not one of 'en', 'zh'; did you mean 'zh'?"),
        (["report", results.path, "--out", results.path / "national.parquet"], "does not end in .html"),
        (["report", results.path, "--out", tmp_path / "none" / "a.html"], "cannot be written"),
    ]
    for arguments, sentence in calls:
        answer = srdi(*arguments)
        assert answer.exit_code == 2, answer.output
        assert sentence in answer.stderr
        assert len(answer.stderr.strip().splitlines()) == 1
    assert (results.path / "national.parquet").stat().st_size > 0
    with pytest.raises(InputError):
        write_report(results, tmp_path / "x.txt")
