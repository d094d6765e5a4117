"""The notes of one page on equal money and on a target: what they say, their one page, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO

import numpy as np
import pandas as pd
import pytest
from command_line import invoke
from made_up import made_equal_money, made_target
from pypdf import PdfReader
from seen import HtmlPage

from scenarios import InputError, load_scenario, run_ensemble
from scenarios.search.answers import Answers
from viz import LANGUAGES, write_brief
from viz.report.answer_briefs import EqualMoneyBrief, TargetBrief
from viz.words.language import Words

#: Twelve runs: the one is ahead by 10 in all of them, the other level with it or ahead in half.
AHEAD = {"other": [110] * 12, "one": [120] * 12}
EVEN = {"other": [110] * 12, "one": [109] * 6 + [112] * 6}


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """Runs of the baseline, whose settings and date the notes name."""
    out = tmp_path_factory.mktemp("money") / "equal"
    return run_ensemble([load_scenario("baseline")], out=out, replicates=1, scale=0.0005, until=2019, workers=1)


@pytest.fixture(params=LANGUAGES)
def language(request):
    return request.param


def seen(brief, language):
    """A note: its text, its parts and the words."""
    text = brief.html(language)
    return text, HtmlPage(text).texts, Words(language)


def assert_whole(text):
    found = HtmlPage(text)
    assert not found.open
    assert (found.charts, found.unnamed) == (1, 0)
    assert not any(word in text for word in ("http:", "https:", "@import", "<script", "<link", "<img"))
    assert "nan" not in text.replace("finance", "").replace("Finance", "")


# --- equal money


def test_the_best_policy_comes_first_with_its_chance_and_gains(results, language):
    brief = EqualMoneyBrief.of(made_equal_money(AHEAD), results)
    assert brief.about == {"baseline": "baseline", "scenarios": ["one", "other"]}
    (row,) = brief.records()
    assert (row["scenario"], row["other"], row["wins"], row["value"]) == ("one", "other", 12, 1.0)
    text, found, words = seen(brief, language)
    assert_whole(text)
    assert list(found)[1:] == ["numbers", "gains", "chances", "costs", "sure", "assumed"]
    quarter = words.quarter("2019Q1")
    told = {"column": words.quarterly("little_giants"), "one": "one", "other": "other", "quarter": quarter}
    # Wilson: 12 of 12 is at least 12 / (12 + 1.96²) = 76 %.
    share = {
        "share": words.percent(1.0),
        "interval": words.span(words.percent(0.76), words.percent(1.0)),
        "pairs": "12",
    }
    assert words("brief.better", **told, **share) in found[""]
    assert words("brief.equal_title", policies=words("brief.or").join(["one", "other"])) in found[""]
    assert words("brief.interval", interval=share["interval"]) in found["numbers"]
    assert words("brief.even") not in found["numbers"]
    assert found["gains"].index("+20") < found["gains"].index("+10")
    assert words("brief.basis", label=words("label.assumed")) in found["assumed"]
    assert words("brief.sure_luck", pairs="12") in found["sure"]
    assert f"srdi brief {results.path.parent.name}" in text


def test_a_chance_that_may_be_even_is_told_as_open(results, language):
    brief = EqualMoneyBrief.of(made_equal_money(EVEN), results)
    assert brief.chances()["value"].tolist() == [0.5]
    _, found, words = seen(brief, language)
    assert words("brief.even") in found["numbers"]
    assert words.raw("brief.better_open").partition("{")[0] in found[""]


def test_policies_that_do_the_same_are_not_told_apart(results, language):
    brief = EqualMoneyBrief.of(made_equal_money({"other": [110] * 12, "one": [110] * 12}), results)
    (row,) = brief.records()
    assert (row["wins"], row["ties"], row["clear"]) == (0, 12, False)
    _, found, words = seen(brief, language)
    assert words("brief.even") in found["numbers"]
    assert words.raw("brief.better_open").partition("{")[0] in found[""]


def test_a_larger_mean_with_fewer_wins_is_told_as_better_in_the_mean(results, language):
    brief = EqualMoneyBrief.of(made_equal_money({"other": [110] * 12, "one": [109] * 11 + [300]}), results)
    assert brief.about["scenarios"][0] == "one"
    _, found, words = seen(brief, language)
    start = words.raw("brief.better_in_mean").partition("{one}")[2].partition("{other}")[0]
    assert start in found[""]


def test_of_what_is_to_be_low_the_lowest_is_the_best(results):
    brief = EqualMoneyBrief.of(made_equal_money(AHEAD, metrics=("deaths",)), results)
    assert brief.found.quantities[0].less_is_better
    rows = brief.found.rows.assign(value=[5.0, 9.0])
    again = EqualMoneyBrief.of(replace(brief.found, rows=rows), results)
    assert list(again.about["scenarios"]) == list(rows.sort_values("value")["scenario"])


def test_six_policies_leave_the_three_best_and_say_so(results, language):
    found = made_equal_money({f"p{number}": [100 + number] * 4 for number in range(6)})
    brief = EqualMoneyBrief.of(found, results)
    assert (brief.about["scenarios"], brief.others) == (["p5", "p4", "p3"], 3)
    _, seen_in, words = seen(brief, language)
    assert words("brief.left_out", others="3") in seen_in["costs"]
    assert "p2" not in seen_in["gains"]


def test_a_single_pair_has_no_ranges(results, language):
    text, found, words = seen(EqualMoneyBrief.of(made_equal_money({"a": [110], "b": [120]}), results), language)
    assert_whole(text)
    assert words("brief.sure_one") in found["sure"]
    assert words("brief.table_note") not in found["gains"]


# --- a target


def test_a_target_that_is_reached_tells_settings_cost_and_chance(results, language):
    made = made_target(True, value=0.84, low=0.75, high=0.9)
    brief = TargetBrief(made, results)
    assert brief.about == {"baseline": "baseline", "scenario": "answer", "reachable": True}
    assert [row["quantity"] for row in brief.records()] == ["chance", "public_cost_yuan", "chance"]
    text, found, words = seen(brief, language)
    assert_whole(text)
    assert list(found)[1:] == ["numbers", "settings", "levels", "costs", "sure", "assumed"]
    span = words.span(words.percent(0.75), words.percent(0.9))
    about = {"share": words.percent(0.84), "runs": "100", "interval": span, "chance": words.percent(0.8)}
    assert words("target.met", **about) in found[""]
    assert words("brief.target_found") in found["numbers"]
    assert words.percent(0.84) in found["numbers"]
    assert words.setting(2e9) in found["settings"]
    assert words("target.cost_tax_yuan") in found["costs"]
    assert words("label.level", label=words("label.evidence")).rstrip(".。") in found["levels"]
    assert words("brief.runs_draws") in found["sure"]


def test_a_target_out_of_reach_says_so_and_shows_the_nearest(results, language):
    brief = TargetBrief(made_target(False, value=0.3, low=0.2, high=0.4), results)
    assert not brief.about["reachable"]
    _, found, words = seen(brief, language)
    assert words.raw("target.unreachable").partition("{")[0] in found[""]
    assert words("brief.target_nearest") in found["numbers"]
    assert words("brief.unreached") in found["numbers"]
    assert words("brief.target_found") not in found["numbers"]


def test_more_settings_than_fit_are_counted(results, language):
    made = made_target(True)
    many = replace(made, settings=pd.concat([made.settings] * 5, ignore_index=True))
    _, found, words = seen(TargetBrief(many, results), language)
    assert words("brief.more_rows", number="6") in found["settings"]


# --- one page


def long(text_of):
    """Names that nobody should give."""
    return (text_of * 40)[:190]


@pytest.mark.parametrize("words_of", ["A policy of many words ", "名称很长的政策"])
def test_a_crowded_note_on_equal_money_is_one_page(results, tmp_path, language, words_of):
    rng = np.random.default_rng(1)
    giants = {f"policy-{number}": (110 + rng.integers(0, 9, 5)).tolist() for number in range(6)}
    for some in (giants, dict(list(giants.items())[:2])):
        made = made_equal_money(some, title=long(words_of), metrics=("little_giants", "deaths", "births", "srdi_smes"))
        assert pages(tmp_path, results, language, Answers(results.path, equal_money=made)) == 1


@pytest.mark.parametrize("reachable", [True, False])
def test_a_crowded_note_on_a_target_is_one_page(results, tmp_path, language, reachable):
    made = made_target(reachable, repeated=3)
    base = made.base.model_copy(update={"title": long("Many words "), "title_zh": long("很长")})
    made = replace(made, base=base, levels=made.levels * 4, settings=pd.concat([made.settings] * 5, ignore_index=True))
    assert pages(tmp_path, results, language, Answers(results.path, target=made)) == 1


def pages(folder, results, language, answers):
    path = folder / "note.pdf"
    write_brief(results, path, language=language, answers=answers)
    return len(PdfReader(BytesIO(path.read_bytes())).pages)


# --- what is refused


@pytest.mark.parametrize(
    ("answer", "command"),
    [({"equal_money": made_equal_money(AHEAD)}, "srdi equal-money"), ({"target": made_target(True)}, "srdi target")],
)
def test_an_answer_has_no_scenario_to_choose(results, tmp_path, answer, command):
    for name in ("scenario", "baseline"):
        with pytest.raises(InputError, match=rf"^{name} \(--{name}\) is 'x', .*{command} \(allowed: none; .*equal has"):
            write_brief(results, tmp_path / "note.html", **{name: "x"}, answers=Answers(results.path, **answer))
    assert not (tmp_path / "note.html").exists()


def test_a_directory_that_suits_no_note_is_refused_in_one_sentence(tmp_path):
    (tmp_path / "empty").mkdir()
    other = tmp_path / "other"
    other.mkdir()
    for name in "abcdefg":
        (other / f"{name}.txt").touch()
    for folder, has in (("empty", "no files"), ("other", "a.txt, b.txt, c.txt, d.txt, e.txt, …")):
        done = invoke("brief", tmp_path / folder, status=2)
        assert len(done.stderr.strip().splitlines()) == 1
        assert f"it has {has} (allowed: results, with manifest.json; " in done.stderr
        assert "equal-money.json" in done.stderr
        assert "target.json" in done.stderr
