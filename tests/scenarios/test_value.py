"""Is a policy worth its money: present values, ratios and chances worked out by hand, and what is refused."""

from __future__ import annotations

import io
import json
import math
from dataclasses import asdict

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from command_line import last
from made_up import ensemble
from rich.console import Console

from scenarios import Assumptions, InputError, ResultsError, load_scenario, run_ensemble, value
from scenarios.analysis.comparison import COST_OF_FUNDS
from scenarios.analysis.value import NOT_COUNTED, PARTS, RANGES
from scenarios.cli import main
from scenarios.commands.money import value as command
from scenarios.commands.value_tables import print_value
from scenarios.files.labels import WORDS
from sim.calendar import Quarter

#: Plain numbers: a present in the first quarter of the made-up runs, no discount, every yuan of revenue is value added.
PLAIN = {
    **{"discount_rate": 0.0, "present": "2018Q4", "value_added_share": 1.0, "wage": 100.0, "wage_growth": 0.0},
    **{"labour_moved": 0.0, "research_moved": 0.0, "tax_share": 0.0},
}
#: Difference of each scenario from the baseline in the two pairs, in the last quarter; columns left out do not differ.
CHANGES = {
    "more": {"revenue_yuan": [300.0, 100.0], "public_cost_yuan": [100.0, 50.0]},
    "other": {"revenue_yuan": [120.0, 150.0], "public_cost_yuan": [30.0, 100.0]},
}


def made_up(changes=CHANGES, first=(), **manifest):
    """Two quarters, 2018Q4 and 2019Q1, in which the scenarios differ from the baseline in the last one.

    Args:
        first: names of columns that differ by the same in the first quarter.
    """
    runs = max(len(values) for columns in changes.values() for values in columns.values())
    results = ensemble({name: [1] * runs for name in ("baseline", *changes)}, **manifest)
    frame = results.national
    for scenario, columns in changes.items():
        for column, values in columns.items():
            own = frame["scenario"] == scenario
            if column not in first:
                own &= frame["quarter"] == frame["quarter"].max()
            frame.loc[own, column] += frame.loc[own, "replicate"].map(dict(enumerate(values)))
    return results


def worth(changes=CHANGES, funds=(0.0,), first=(), manifest=None, **given):
    return value(
        made_up(changes, first, **(manifest or {})), cost_of_funds=funds, assumptions=Assumptions(**{**PLAIN, **given})
    )


def row(found, quantity, scenario="more", funds=None, other="baseline"):
    rows = found.rows[
        (found.rows["quantity"] == quantity)
        & (found.rows["scenario"] == scenario)
        & (found.rows["other"] == other)
        & (found.rows["cost_of_funds"].isna() if funds is None else found.rows["cost_of_funds"] == funds)
    ]
    assert len(rows) == 1
    return rows.iloc[0]


def number(*arguments, **options):
    found = row(*arguments, **options)
    return (found["value"], found["low"], found["high"])


def test_a_flow_is_discounted_by_the_years_to_the_present():
    """A yuan of the quarter itself is one; of a quarter later, the fourth root of 1 / 1.21; of a year before, 1.21."""
    given = Assumptions(**{**PLAIN, "discount_rate": 0.21})
    wanted = {"2018Q4": 1.0, "2019Q2": 1 / 1.1, "2019Q4": 1 / 1.21, "2020Q4": 1 / 1.4641, "2017Q4": 1.21}
    for quarter, factor in wanted.items():
        assert given.discount(Quarter.parse(quarter)) == pytest.approx(factor)
    assert Assumptions(**{**PLAIN, "wage_growth": 0.1}).wage_in(2024) == pytest.approx(121.0)


def test_present_values_are_those_computed_by_hand():
    first = ("revenue_yuan", "public_cost_yuan")
    later = 1.4641**-0.25  # a quarter at 46.41 % a year: 1 / 1.1
    assert later == pytest.approx(1 / 1.1)
    found = worth(first=first, discount_rate=0.4641)
    assert number(found, "revenue_yuan")[0] == pytest.approx(200.0 * (1.0 + 1 / 1.1))
    assert number(found, "public_cost_yuan") == pytest.approx(tuple(x * (1 + 1 / 1.1) for x in (75.0, 55.0, 95.0)))
    # A present a quarter later makes every amount a tenth larger, and no ratio other.
    after = worth(first=first, discount_rate=0.4641, present="2019Q1")
    assert number(after, "net_benefit_yuan", funds=0.0)[0] == pytest.approx(125.0 * (1.1 + 1.0))
    assert number(after, "benefit_cost", funds=0.0) == pytest.approx(number(found, "benefit_cost", funds=0.0))
    early = value(made_up(first=first), until="2018Q4", assumptions=Assumptions(**PLAIN))
    assert (early.until, number(early, "revenue_yuan")[0]) == ("2018Q4", 200.0)


def test_parts_of_the_gain_are_those_computed_by_hand():
    changes = {
        "more": {
            **{"revenue_yuan": [1000.0, 2000.0], "employment": [4.0, 8.0], "rd_true_yuan": [60.0, 20.0]},
            **{"public_cost_yuan": [50.0, 70.0], "public_spending_yuan": [30.0, 40.0]},
            **{"tax_relief_yuan": [15.0, 25.0], "title_awards_yuan": [5.0, 5.0]},
        }
    }
    found = worth(changes, value_added_share=0.25, labour_moved=0.5, research_moved=1.0, tax_share=0.1)
    # Four workers in one quarter are one year of work, at half of 100 yuan; eight are two.
    assert number(found, "job_years")[0] == 1.5
    assert number(found, "value_added_yuan")[0] == 375.0
    assert number(found, "labour_yuan")[0] == 75.0
    assert number(found, "research_moved_yuan") == number(found, "research_yuan")
    # Gains: 250 - 50 - 60 = 140 and 500 - 100 - 20 = 380; a tenth is tax.
    assert number(found, "gain_yuan") == pytest.approx((260.0, 164.0, 356.0))
    assert number(found, "tax_back_yuan")[0] == pytest.approx(26.0)
    assert [number(found, name)[0] for name in PARTS] == [35.0, 20.0, 5.0]
    assert number(found, "benefit_cost", funds=0.0)[0] == pytest.approx(260.0 / 60.0)
    # After tax people gain 126 and 342; the budget loses 50 - 14 = 36 and 70 - 38 = 32.
    assert number(found, "mvpf")[0] == pytest.approx(234.0 / 34.0)
    assert number(found, "mvpf")[1:] == pytest.approx(tuple(np.quantile([126 / 36, 342 / 32], [0.1, 0.9])))


@pytest.mark.parametrize(("moved", "labour"), [(0.0, 0.0), (0.5, -75.0), (1.0, -150.0)])
def test_workers_set_free_are_a_gain_as_far_as_they_find_work(moved, labour):
    changes = {"more": {"employment": [-4.0, -8.0], "public_cost_yuan": [1.0, 1.0]}}
    found = worth(changes, labour_moved=moved)
    assert number(found, "labour_yuan")[0] == labour
    assert number(found, "gain_yuan")[0] == -labour


def test_the_cost_of_funds_raises_cost_and_not_gain():
    found = worth(funds=(0.0, 0.2, 1.0))
    # Gains 300 and 100, costs 100 and 50.
    assert number(found, "net_benefit_yuan", funds=0.0) == pytest.approx((125.0, 65.0, 185.0))
    assert number(found, "net_benefit_yuan", funds=0.2)[0] == pytest.approx(200.0 - 1.2 * 75.0)
    assert number(found, "benefit_cost", funds=0.0) == pytest.approx((200 / 75, 2.1, 2.9))
    assert number(found, "benefit_cost", funds=0.2)[0] == pytest.approx(200.0 / 90.0)
    # At 1 the second pair costs 100 and gains 100: not above zero.
    assert [number(found, "positive_share", funds=each)[0] for each in (0.0, 0.2, 1.0)] == [1.0, 1.0, 0.5]
    assert number(found, "mvpf")[0] == pytest.approx(200 / 75)  # without tax it is the ratio at no cost of funds


def test_net_benefit_and_ratio_agree_on_what_is_worth_it():
    found = worth(funds=(0.0, 0.3, 1.0, 2.0, 5.0), labour_moved=1.0, research_moved=1.0)
    for scenario in ("more", "other"):
        for each in found.cost_of_funds:
            net = number(found, "net_benefit_yuan", scenario, each)[0]
            ratio = number(found, "benefit_cost", scenario, each)[0]
            assert (net > 0.0) == (ratio > 1.0)


def test_chances_that_one_beats_the_other_are_those_counted_by_hand():
    """Net benefits of more are 200 and 50, of other 90 and 50: it wins once and ties once.

    Per yuan more gains 3 and 2, other 4 and 1.5: each wins once.
    """
    found = worth(funds=(0.0, 1.0))
    chance = {(one, other): number(found, "beats_share", one, 0.0, other)[0] for one, other in BOTH}
    assert chance == {("more", "other"): 0.5, ("other", "more"): 0.0}
    # At 1 they are 100 and 0 against 60 and -50.
    assert number(found, "beats_share", "more", 1.0, "other")[0] == 1.0
    for one, other in BOTH:
        value_, low, high = number(found, "beats_per_yuan_share", one, None, other)
        assert (value_, math.isnan(low), math.isnan(high)) == (0.5, True, True)


BOTH = [("more", "other"), ("other", "more")]


def test_a_scenario_and_its_copy_tie():
    found = worth({"more": CHANGES["more"], "copy": CHANGES["more"]})
    for quantity, funds in (("beats_share", 0.0), ("beats_per_yuan_share", None)):
        for one, other in (("more", "copy"), ("copy", "more")):
            assert number(found, quantity, one, funds, other)[0] == 0.0


@pytest.mark.parametrize(
    ("costs", "words"),
    [
        ([0.0] * 12, "costs nothing more than the baseline"),
        ([-1.0] * 12, "saves public money; for a ratio, use this scenario as the baseline"),
        ([-1.0, 0.0] * 6, "not clearly more costly: costs more in 0 of 12 pairs"),
        ([5.0] * 9 + [-5.0] * 3, "not clearly more costly: costs more in 9 of 12 pairs"),
        ([5.0] * 11 + [-5.0], "no range: costs more in 11 of 12 pairs"),
    ],
)
def test_without_a_cost_there_is_a_plain_word_and_no_ratio(costs, words):
    changes = {"more": {"revenue_yuan": [10.0] * 12, "public_cost_yuan": costs}, "other": {"revenue_yuan": [1.0] * 12}}
    found = worth(changes)
    ratio = row(found, "benefit_cost", funds=0.0)
    assert ratio["note"] == words
    assert math.isnan(ratio["value"]) == (not words.startswith("no range"))
    assert math.isnan(ratio["low"])
    mvpf = row(found, "mvpf")
    assert (mvpf["note"], math.isnan(mvpf["value"])) == (words, True)
    assert number(found, "net_benefit_yuan", funds=0.0)[0] == pytest.approx(10.0 - np.mean(costs))
    assert row(found, "beats_per_yuan_share", other="other")["note"].startswith("no net benefit per yuan")
    assert math.isnan(number(found, "beats_per_yuan_share", other="other")[0])
    assert number(found, "beats_share", funds=0.0, other="other")[0] == np.mean(np.array(costs) < 9.0)
    text = printed(found)
    assert words in " ".join(text.split())
    assert "nan" not in text
    json.dumps(found.records(), allow_nan=False)


def test_a_policy_whose_tax_covers_its_cost_pays_for_itself():
    gains = {"revenue_yuan": [1000.0, 1000.0]}
    whole = worth({"more": {**gains, "public_cost_yuan": [50.0, 100.0]}}, tax_share=0.1)
    assert row(whole, "mvpf")["note"] == "pays for itself"
    once = worth({"more": {**gains, "public_cost_yuan": [50.0, 200.0]}}, tax_share=0.1)
    assert row(once, "mvpf")["note"] == "pays for itself in 1 of 2 pairs"
    assert math.isnan(number(once, "mvpf")[0])
    assert number(once, "benefit_cost", funds=0.0)[0] == pytest.approx(1000.0 / 125.0)


def test_a_loss_has_a_negative_ratio():
    found = worth({"more": {"revenue_yuan": [-30.0, -50.0], "public_cost_yuan": [10.0, 10.0]}})
    assert number(found, "benefit_cost", funds=0.0) == pytest.approx((-4.0, -4.8, -3.2))
    assert "−4.00" in printed(found)


def test_one_pair_has_no_band():
    found = worth({"more": {"revenue_yuan": [30.0], "public_cost_yuan": [10.0]}})
    middle, low, high = number(found, "benefit_cost", funds=0.0)
    assert (middle, math.isnan(low), math.isnan(high)) == (3.0, True, True)
    assert "There is only one pair" in printed(found)


def test_numbers_that_rest_on_assumptions_say_so():
    lever = {"levers": {"sme_fund": {"enabled": True}}}
    scenarios = [{"name": "baseline", "title": ""}, {"name": "more", "title": "", **lever}]
    found = worth({"more": CHANGES["more"]}, manifest={"scenarios": scenarios})
    assert set(found.rows["label"]) <= set(WORDS)
    assert set(found.rows.loc[found.rows["quantity"].str.contains("gain|benefit|mvpf|share"), "label"]) == {"assumed"}
    assert found.records()["not_counted"] == list(NOT_COUNTED)
    assert found.records()["assumptions"]["discount_rate"] == 0.0


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"model": {"displacement": False}}, "In more gains are not net of what rivals in the niche lose"),
        (
            {"parameters": {"sector_displacement": 0.0}},
            "In more gains are not net of what the rest of the sector loses",
        ),
        ({"model": {"full_cost": False}}, "In more tax relief on R&D is not in the public cost"),
    ],
)
def test_what_is_off_in_a_scenario_is_said(settings, words):
    scenarios = [{"name": "baseline", "title": ""}, {"name": "more", "title": "", **settings}]
    found = worth({"more": CHANGES["more"]}, manifest={"scenarios": scenarios})
    assert any(sentence.startswith(words) for sentence in found.caveats)
    assert words in " ".join(printed(found).split())
    assert worth().caveats == ()


# --- hostile input


@pytest.mark.parametrize("name", RANGES)
@pytest.mark.parametrize("bad", [math.nan, math.inf, -1.0, 1e9, True, None, "0.1", [0.1]])
def test_assumptions_out_of_range_are_refused_by_name(name, bad):
    with pytest.raises(InputError, match=rf"^{name} is .*: it must be a number from"):
        Assumptions(**{name: bad})


@pytest.mark.parametrize("bad", ["2024", "2024Q5", "9999Q1", "1999Q4", "", None, 2024, ["2024Q1"]])
def test_a_present_that_is_no_quarter_is_refused(bad):
    with pytest.raises(InputError, match=r"^present is .*it must be a quarter such as 2024Q1"):
        Assumptions(present=bad)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"cost_of_funds": bad}, "^cost_of_funds is ")
        for bad in (-0.1, math.nan, math.inf, 5.1, True, "0.2", [], [0.2, None])
    ]
    + [
        ({"baseline": "basline"}, "did you mean 'baseline'"),
        ({"until": "2030Q4"}, "^quarter is '2030Q4'.*allowed: 2018Q4 to 2019Q1"),
        ({"until": 2019}, "^quarter is '2019'"),
        ({"assumptions": {"wage": 1}}, "^assumptions is .*Assumptions"),
    ],
)
def test_bad_arguments_are_refused_with_what_is_allowed(arguments, words):
    with pytest.raises(InputError, match=words):
        value(made_up(), **arguments)


def test_what_is_no_ensemble_or_has_one_scenario_is_refused():
    with pytest.raises(InputError, match=r"^results is None; allowed is one object returned by load_results"):
        value(None)
    with pytest.raises(InputError, match=r"has only 'baseline'"):
        value(ensemble({"baseline": [1]}))


@pytest.mark.parametrize("column", ["revenue_yuan", "employment", "rd_true_yuan", "public_cost_yuan", *PARTS.values()])
def test_a_missing_column_or_number_is_refused_in_one_sentence(column):
    results = made_up()
    whole = results.national
    results.national = whole.drop(columns=column)
    with pytest.raises(ResultsError, match=rf"^made-up has no column {column} in its table national"):
        value(results)
    for bad in (math.nan, math.inf):
        results.national = whole.assign(**{column: whole[column].where(whole.index != 3, bad)})
        with pytest.raises(ResultsError, match=rf"national.parquet has no number in {column}"):
            value(results)


@pytest.mark.parametrize("kept", [slice(1, None), slice(0, 0), [0, *range(12)]])
def test_a_table_that_lacks_a_row_or_has_one_twice_is_damaged(kept):
    results = made_up()
    results.national = results.national.iloc[kept]
    with pytest.raises(ResultsError, match=r"national.parquet does not have every run in every quarter"):
        value(results)


# --- tables


def printed(found) -> str:
    console = Console(width=150, record=True, file=io.StringIO())
    print_value(found, console)
    return console.export_text()


def test_the_tables_show_parts_costs_of_funds_chances_and_what_is_not_counted():
    text = printed(value(made_up(), assumptions=Assumptions(**PLAIN)))
    for words in (
        *("more against baseline: parts up to 2019Q1, yuan of 2018Q4", "of which levers", "Equal money"),
        *("Not counted: knowledge that spills over", "consumers' surplus", "in all, at 0.2, in"),
    ):
        assert words in " ".join(text.split()), words
    assert "nan" not in text


# --- a real ensemble


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    scenarios = [load_scenario(name) for name in ("baseline", "no-policy", "awards-doubled")]
    out = tmp_path_factory.mktemp("value") / "results"
    return run_ensemble(scenarios, out=out, replicates=2, scale=0.001, until=2024, workers=1)


def test_parts_sum_to_the_tables_of_a_real_ensemble(results):
    found = value(results, "no-policy", assumptions=Assumptions(discount_rate=0.0))
    spending = results.spending.groupby(["scenario", "kind"], observed=True)["spending_yuan"].sum() / 2  # replicates
    for scenario in found.scenarios:
        kinds = dict(zip(PARTS, ("lever", "tax", "title"), strict=True))
        parts = {name: number(found, name, scenario, other="no-policy")[0] for name in kinds}
        for name, kind in kinds.items():
            assert parts[name] == pytest.approx(spending[scenario, kind] - spending["no-policy", kind], abs=1.0)
        whole = number(found, "public_cost_yuan", scenario, other="no-policy")[0]
        assert whole == pytest.approx(sum(parts.values()))
        assert whole > 0.0
    assert found.caveats == ()


def test_the_command_ends_with_the_agreed_line_of_json(results):
    arguments = [str(results.path), "--cost-of-funds", "0.3", "--wage", "80000", "--json"]
    done = CliRunner().invoke(command, arguments)
    assert done.exit_code == 0, done.output
    said = last(done)
    assert all({"scenario", "quantity", "value", "low", "high", "label"} <= set(row) for row in said["rows"])
    assert {row["cost_of_funds"] for row in said["rows"]} == {None, 0.3}
    assert {row["scenario"] for row in said["rows"]} == {"no-policy", "awards-doubled"}
    assert (said["assumptions"]["wage"], said["until"]) == (80000.0, "2024Q4")
    assert "Not counted" in done.stderr


def test_the_command_assumes_what_the_function_does(results):
    said = last(CliRunner().invoke(command, [str(results.path), "--json"]))
    found = value(results).records()
    assert said["assumptions"] == found["assumptions"]
    assert {row["cost_of_funds"] for row in said["rows"]} == {None, *COST_OF_FUNDS}
    frames = [pd.DataFrame(each["rows"]) for each in (said, found)]
    pd.testing.assert_frame_equal(*frames)


def test_the_command_has_the_defaults_of_the_assumptions():
    defaults = {option.name: option.default for option in command.params}
    assert {name: defaults[name] for name in asdict(Assumptions())} == asdict(Assumptions())


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--discount-rate", "-0.1"], "discount_rate is -0.1: it must be a number from 0 to 1"),
        (["--discount-rate", "nan"], "discount_rate is nan"),
        (["--value-added-share", "22"], "value_added_share is 22.0: it must be a number from 0 to 1"),
        (["--present", "soon"], "present is 'soon': it must be a quarter such as 2024Q1"),
        (["--cost-of-funds", "-1"], "Invalid value for '--cost-of-funds'"),
        (["--until", "2031Q1"], "quarter is '2031Q1'"),
        (["--baseline", "no-polic"], "did you mean 'no-policy'"),
    ],
)
def test_bad_input_of_the_command_ends_with_two_and_one_sentence(results, arguments, words, capsys, monkeypatch):
    monkeypatch.setitem(main.commands, "value", command)
    with pytest.raises(SystemExit) as left:
        main(["value", str(results.path), *arguments])
    assert left.value.code == 2
    said = capsys.readouterr().err.strip()
    assert words in said
    assert len(said.splitlines()) == 1
