"""Paired comparison: hand-computed differences, prices and regret, and what is refused."""

from __future__ import annotations

import io
import json
import math
from datetime import date

import numpy as np
import pandas as pd
import pytest
from command_line import srdi
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from made_up import GIANTS, SPENDING, ensemble
from rich.console import Console
from scipy.stats import norm

from scenarios import InputError, compare, load_scenario, run_ensemble
from scenarios.analysis.intervals import (
    AGREE,
    BCA,
    SINGLE,
    STUDENT,
    _expanded_level,
    mean_interval,
    variance_reduction,
)
from scenarios.analysis.metrics import CUMULATIVE, DEFAULT_METRICS, LESS_IS_BETTER, PRICED, choose_metrics
from scenarios.analysis.model_error import level_error
from scenarios.analysis.regret import regret_table
from scenarios.cli import main
from scenarios.commands.compare_tables import print_comparison
from sim.records.outputs import NATIONAL

UNITS = {column.name: column.unit for column in NATIONAL}


def row(found, scenario="more", metric="little_giants", quarter="2019Q1"):
    rows = found.rows.set_index(["scenario", "metric", "quarter"])
    return rows.loc[(scenario, metric, quarter)]


def test_differences_prices_and_what_pairing_saves_are_those_computed_by_hand():
    found = compare(ensemble(GIANTS, SPENDING))
    more = row(found)
    assert (more.baseline_mean, more.scenario_mean, more.difference, more.pairs) == (250.0, 263.0, 13.0, 4)
    assert (more.p05, more.p95) == pytest.approx((10.3, 15.7))
    # Variances: 50000 / 3 and 52020 / 3 of the runs, 20 / 3 of the differences 10, 12, 14, 16.
    assert more.variance_reduction == pytest.approx((50_000 + 52_020) / 20)
    assert more.unpaired_replicates == math.ceil(4 * 102_020 / 20)
    # 13 ± 3.182 · sqrt(20 / 3) / 2, the quantile being that of three degrees of freedom.
    assert (more.low, more.high) == pytest.approx((8.892, 17.108), abs=2e-3)
    assert more.interval == STUDENT
    assert (more.cost_yuan, more.cost_low_yuan, more.cost_high_yuan) == (26.0, 26.0, 26.0)  # two quarters
    assert more.cost_per_unit_yuan == 2.0
    # The model's own error of little giants at that date stretches the effect and the price. The next pair: quantile
    # 2.353 of three degrees of freedom, with √(1 + 1/4).
    own = level_error("little_giants", [date(2019, 3, 31)])[0]
    half = 2.3534 * math.sqrt(20 / 3 * 1.25)
    near = 13.0 * math.exp(-math.hypot(math.log(13.0 / (13.0 - half)), 1.6449 * own))
    assert (more.effect_low, more.effect_high) == pytest.approx(
        (near, 13.0 + math.hypot(half, 13.0 * math.expm1(1.6449 * own))), rel=1e-4
    )
    reach = math.exp(math.hypot(half / 13.0, 1.6449 * own))
    assert (more.cost_per_unit_low_yuan, more.cost_per_unit_high_yuan) == pytest.approx(
        (2.0 / reach, 2.0 * reach), rel=1e-4
    )
    genuine = row(found, metric="genuine_little_giants")
    assert (genuine.baseline_mean, genuine.difference, genuine.cost_per_unit_yuan) == (125.0, 6.5, 4.0)


def test_a_saving_is_not_printed_as_a_price():
    found = compare(ensemble({"baseline": [1, 2, 3], "more": [3, 4, 6]}, {"baseline": [5, 5, 6], "more": [1, 1, 1]}))
    assert math.isnan(row(found).cost_per_unit_yuan)
    assert row(found).cost_note == "saves money and has more"
    fewer = row(compare(ensemble(GIANTS, SPENDING)), "fewer")
    assert math.isnan(fewer.cost_per_unit_yuan)
    assert fewer.cost_note.startswith("saves money and has fewer; for the price of those lost")


@pytest.mark.parametrize(
    ("changed", "spent", "note"),
    [
        ([8, 13, 11], [1, 1, 1], "not clearly more"),
        ([21, 22, 23], [0, 0, 0], "has more and costs nothing more"),
        ([21, 22, 23], [-1, 2, -1], "not clear whether it costs more"),
        ([8, 7, 8], [1, 1, 1], "costs more and has fewer"),
        ([8, 7, 8], [-1, 1, 0], "has fewer"),
    ],
)
def test_no_price_without_a_certain_gain_and_a_certain_cost(changed, spent, note):
    found = row(compare(ensemble({"baseline": [10, 10, 10], "more": changed}, {"baseline": [0] * 3, "more": spent})))
    assert math.isnan(found.cost_per_unit_yuan)
    assert note in found.cost_note


def test_the_default_quarter_is_the_last_and_costs_run_up_to_the_quarter_asked_for():
    found = compare(ensemble(GIANTS, SPENDING), quarters=["2018Q4", "2019Q1"])
    assert compare(ensemble(GIANTS, SPENDING)).quarters == ("2019Q1",)
    assert row(found, quarter="2018Q4").difference == 0.0
    assert row(found, quarter="2018Q4").cost_yuan == 13.0


def test_one_pair_has_a_difference_and_no_interval():
    found = compare(ensemble({"baseline": [100], "more": [110]}))
    one = row(found)
    assert (one.difference, one.interval) == (10.0, SINGLE)
    assert math.isnan(one.low)
    assert one.cost_note == "one pair has no interval"
    assert found.records()["rows"][0]["low"] is None
    assert "only one pair" in printed(found)


@given(arrays(float, st.tuples(st.integers(1, 4), st.integers(1, 6)), elements=st.floats(0, 1e9)))
def test_a_scenario_paired_with_itself_differs_by_nothing(values):
    interval = mean_interval(values - values)
    if values.size > 1:
        assert (interval.low, interval.high, interval.method) == (0.0, 0.0, AGREE)
    assert math.isnan(variance_reduction(values, values))


@given(arrays(float, st.integers(2, 12), elements=st.floats(-100, 100), unique=True))
@settings(max_examples=30)
def test_intervals_hold_their_mean_and_move_with_the_pairs(differences):
    pairs = differences[None, :]
    interval = mean_interval(pairs)
    near = 1e-9
    assert interval.low <= differences.mean() + near
    assert interval.high >= differences.mean() - near
    if interval.method == BCA:
        assert differences.min() - near <= interval.low <= interval.high <= differences.max() + near
    moved = mean_interval(pairs + 1000.0)
    # Rounding breaks ties of resampled means another way, which BCa's bias correction feels.
    near += 0.1 * np.ptp(differences)
    assert (moved.low, moved.high) == pytest.approx((interval.low + 1000, interval.high + 1000), abs=near)


@pytest.mark.parametrize(("draws", "replicates"), [(2, 5), (3, 20), (5, 4), (4, 1), (8, 8)])
def test_intervals_over_crossed_draws_cover_at_least_at_the_stated_rate(draws, replicates):
    rng = np.random.default_rng(5)
    covered = 0
    for _ in range(200):
        effect, noise = rng.normal(1.0, 2.0, (draws, 1)), rng.normal(0.0, 1.0, (1, replicates))
        interval = mean_interval(effect + noise + rng.normal(0.0, 1.0, (draws, replicates)))
        covered += interval.low <= 1.0 <= interval.high
    assert covered >= 0.9 * 200


def test_parameter_doubt_is_not_counted_as_what_pairing_saves():
    rng = np.random.default_rng(2)
    doubt = rng.normal(0.0, 10.0, (6, 1))
    changed, unchanged = (doubt + rng.normal(0.0, 1.0, (6, 50)) for _ in range(2))
    assert variance_reduction(changed, unchanged) == pytest.approx(1.0, abs=0.3)


@pytest.mark.parametrize("pairs", [2, 4, 6, 30])
def test_intervals_of_a_mean_cover_at_the_stated_rate(pairs):
    # At 95 % the rate over 300 samples has a standard error of 1.3 points; a plain BCa of 6 pairs covers 86 %.
    rng = np.random.default_rng(11)
    intervals = [mean_interval(rng.normal(1.0, 2.0, (1, pairs))) for _ in range(300)]
    covered = np.mean([interval.low <= 1.0 <= interval.high for interval in intervals])
    assert 0.90 <= covered <= 0.985


def test_an_interval_of_few_crossed_draws_is_the_one_computed_by_hand():
    found = mean_interval(np.array([[1.0, 2.0, 6.0], [3.0, 6.0, 12.0]]))
    # Means 3 and 7 of rows, 2, 4 and 9 of columns: variances 8 and 13, over 2 and 3; one degree of freedom.
    half = 12.7062 * math.sqrt(8 / 2 + 13 / 3)
    assert (found.low, found.high) == pytest.approx((5.0 - half, 5.0 + half), rel=1e-5)
    assert found.method == STUDENT


@pytest.mark.parametrize(
    ("shape", "method"), [((1, 5), STUDENT), ((1, 6), BCA), ((6, 1), BCA), ((6, 5), STUDENT), ((6, 6), BCA)]
)
def test_from_six_pairs_on_intervals_are_bootstrapped(shape, method):
    assert mean_interval(np.random.default_rng(1).normal(size=shape)).method == method


def test_the_bootstrap_is_asked_for_the_level_at_which_it_is_as_wide_as_students_t():
    assert _expanded_level(6) == pytest.approx(2 * norm.cdf(2.570582 * math.sqrt(6 / 5)) - 1)
    assert _expanded_level(10**6) == pytest.approx(0.95, abs=1e-5)


def test_crossed_draws_are_resampled_as_draws_and_not_as_pairs():
    rng = np.random.default_rng(3)
    effect_of_draw, noise = rng.normal(0, 1, (6, 1)), rng.normal(0, 0.01, (6, 50))
    crossed = mean_interval(effect_of_draw + noise)
    as_pairs = mean_interval((effect_of_draw + noise).reshape(1, -1))
    of_draws = mean_interval(effect_of_draw)
    assert crossed.high - crossed.low == pytest.approx(of_draws.high - of_draws.low, rel=0.1)
    assert crossed.high - crossed.low > 4 * (as_pairs.high - as_pairs.low)


def test_draws_with_every_replicate_make_a_matrix_and_one_draw_each_makes_pairs():
    results = ensemble(GIANTS, draws=[1, 2, 3, 4])
    found = compare(results)
    assert found.parameters_vary
    assert found.units == 4
    table = results.national.assign(
        draw=results.national["replicate"] // 2 + 1, replicate=results.national["replicate"] % 2
    )
    results.national = table
    assert compare(results).units == 2
    assert row(compare(results)).difference == 13.0
    assert "contains both" in printed(found)
    assert not compare(ensemble(GIANTS, draws=[3, 3, 3, 3])).parameters_vary  # one draw for all: only noise differs


def test_regret_by_hand():
    values = pd.DataFrame({"baseline": [10.0, 10.0, 10.0, 10.0], "risky": [16.0, 16.0, 16.0, 4.0]})
    table = regret_table(values, "baseline", less_is_better=False).set_index("scenario")
    assert table.loc["baseline", ["regret_mean", "regret_max"]].tolist() == [4.5, 6.0]
    assert table.loc["risky", ["regret_mean", "regret_max"]].tolist() == [1.5, 6.0]
    assert table["regret_p90"].tolist() == pytest.approx([6.0, 0.7 * 6.0])
    assert table["best_share"].tolist() == [0.25, 0.75]
    assert table["better_share"].tolist() == [0.0, 0.75]
    assert table.loc["risky", "bad_difference"] == pytest.approx(-6 + 0.15 * 12)
    less = regret_table(values, "baseline", less_is_better=True).set_index("scenario")
    assert less["best_share"].tolist() == [0.75, 0.25]
    assert less.loc["risky", "bad_difference"] == 6.0


def test_directories_are_states_of_the_world_with_rows_of_their_own():
    calm = ensemble({"baseline": [10, 10], "more": [12, 12]}, path="calm")
    slump = ensemble({"baseline": [5, 5], "more": [1, 2]}, path="slump")
    found = compare([calm, slump], metrics=["little_giants"])
    assert found.rows.set_index("directory")["difference"].to_dict() == {"calm": 2.0, "slump": -3.5}
    regret = found.regret.set_index("scenario")
    assert regret["states"].tolist() == [4, 4]
    assert regret["regret_mean"].tolist() == [1.0, 1.75]
    assert regret.loc["more", "better_share"] == 0.5
    assert "slump" in printed(found)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"baseline": "basline"}, "did you mean 'baseline'.*baseline, more, fewer"),
        ({"metrics": ["little_giant"]}, "unknown metric 'little_giant'; did you mean 'little_giants'"),
        ({"quarters": ["2031Q1"]}, "quarter is '2031Q1'.*allowed: 2018Q4 to 2019Q1"),
        ({"quarters": ["2019q1"]}, "did you mean '2019Q1'"),
    ],
)
def test_unknown_names_are_refused_with_the_nearest(arguments, words):
    with pytest.raises(InputError, match=words):
        compare(ensemble(GIANTS), **arguments)


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (ensemble(GIANTS), "given 2 times"),
        (ensemble(GIANTS, path="b", scale=0.5), "b has scale 0.5 and made-up 1.0"),
        (ensemble(GIANTS, path="b", model="z"), "model version z"),
        (ensemble({"baseline": [1], "other": [1]}, path="b"), "b has the scenarios baseline, other"),
    ],
)
def test_directories_that_do_not_match_are_refused(other, words):
    with pytest.raises(InputError, match=words):
        compare([ensemble(GIANTS), other])


def test_a_scenario_alone_and_no_results_are_refused():
    with pytest.raises(InputError, match="has only"):
        compare(ensemble({"baseline": [1, 2]}))
    with pytest.raises(InputError, match="no results"):
        compare([])


def test_metrics_that_are_declared_exist_and_each_is_taken_once():
    known = {metric.name for metric in choose_metrics([*UNITS.keys() - {"quarter"}, *DEFAULT_METRICS])}
    assert known >= set(UNITS) - {"quarter"}
    assert {*LESS_IS_BETTER, *PRICED} <= {*known, *CUMULATIVE}
    assert [metric.name for metric in choose_metrics(["firms", "firms"])] == ["firms"]
    assert choose_metrics(["little_giants"])[0].unit == UNITS["little_giants"]


def printed(found, titles=None) -> str:
    console = Console(width=150, record=True, file=io.StringIO())
    print_comparison(found, titles or {}, found.metrics[:1], console)
    return console.export_text()


def test_the_table_reads_in_units_and_says_what_the_intervals_hold():
    text = printed(compare(ensemble(GIANTS, SPENDING)), {"more": "More of it"})
    assert "more: More of it (2019Q1)" in text
    assert "Pairs differ in random draws only" in " ".join(text.split())
    assert "No price for little_giants" in text
    assert "saves money and has fewer" in text
    assert "Regret in little_giants, firms (2019Q1; 4 states of the world; more is better)" in text
    assert max(map(len, text.splitlines())) <= 150


def test_a_difference_whose_interval_holds_zero_is_marked():
    cases = (([110, 212, 314], ""), ([90, 188, 286], ""), ([102, 203, 304], "~"), ([100, 207, 293], "?"))
    for changed, mark in cases:
        found = compare(ensemble({"baseline": [100, 200, 300], "more": changed}))
        (line,) = [
            line for line in printed(found).splitlines() if line.startswith("little_giants ") and "firms" in line
        ]
        assert [each for each in "~?" if each in line] == list(mark), line


# --- a real ensemble


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    scenarios = [load_scenario("baseline"), load_scenario("no-policy")]
    out = tmp_path_factory.mktemp("compare") / "results"
    return run_ensemble(scenarios, out=out, replicates=3, scale=0.001, until=2025, workers=1)


def test_a_real_ensemble_gives_the_saving_of_having_no_policy(results):
    found = row(compare(results), "no-policy", quarter="2025Q4")
    national = results.national
    sums = national.groupby(["scenario", "replicate"], observed=True)[list(CUMULATIVE.values())].sum()
    saved = (sums.loc["no-policy"] - sums.loc["baseline"]).mean()
    assert found.cost_yuan == pytest.approx(saved["public_cost_yuan"])
    assert found.cost_lever_yuan == pytest.approx(saved["public_spending_yuan"])
    assert found.cost_lever_yuan < 0.0
    assert found.cost_lever_yuan + found.cost_tax_yuan + found.cost_title_yuan == pytest.approx(found.cost_yuan)
    assert found.cost_low_yuan <= found.cost_yuan <= found.cost_high_yuan


def test_the_command_ends_with_the_agreed_line_of_json(results):
    answer = srdi("compare", results.path, "--metric", "little_giants", "--metric", "rd_true_yuan", "--json")
    assert answer.returncode == 0, answer.stderr
    last = json.loads(answer.stdout.splitlines()[-1])
    assert last["baseline"] == "baseline"
    assert [(line["scenario"], line["metric"], line["quarter"]) for line in last["rows"]] == [
        ("no-policy", "little_giants", "2025Q4"),
        ("no-policy", "rd_true_yuan", "2025Q4"),
    ]
    keys = {"difference", "low", "high", "cost_per_unit_yuan", "variance_reduction"}
    assert all(keys <= set(line) for line in last["rows"])
    assert "Regret in rd_true_yuan" in answer.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--baseline", "no-polic"], "did you mean 'no-policy'"),
        (["--quarter", "2050Q1"], "allowed: 2018Q4 to 2025Q4"),
        (["nowhere"], "nowhere is not a directory"),
    ],
)
def test_bad_input_of_the_command_ends_with_two_and_one_sentence(results, arguments, words, capsys):
    with pytest.raises(SystemExit) as left:
        main(["compare", str(results.path), *arguments])
    assert left.value.code == 2
    said = capsys.readouterr().err.strip()
    assert words in said
    assert len(said.splitlines()) == 1
