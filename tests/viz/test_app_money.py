"""The page on money and people: its numbers are those of the analyses on the same runs."""

import re
import time
from html import unescape

import numpy as np
import pandas as pd
import pytest
from drawn import both_answers, draw_page

from scenarios.analysis.cash import cash
from scenarios.analysis.incidence import PAID, incidence
from scenarios.analysis.value import NOT_COUNTED, value
from viz import LANGUAGES
from viz.app import charts
from viz.app.pages.money import MoneyPage, accounts_of, gains_chart, paid_chart, worth_chart
from viz.app.policies import policy_of, settings_of
from viz.app.state import Session, written_scenario
from viz.live.gathered import GatheredResults
from viz.live.session import Answer
from viz.shared.gains import QUANTITIES_BY, place_name
from viz.shared.worth import PARTS
from viz.words.language import NOTHING, Words

SCALE, UNTIL, MEMBERS = 0.002, 2030, 2
#: A fund whose budget is used up within the runs.
SETTINGS = {"levers.sme_fund.enabled": True, "levers.sme_fund.start": "2022Q1"}


@pytest.fixture(scope="module")
def answers(runner):
    """The same request with the central run only, and with its ensemble."""
    central, whole = both_answers(runner, SETTINGS, MEMBERS)
    return {"central": central, "whole": whole}


@pytest.fixture(scope="module")
def results(runner, answers):
    """The runs of the whole answer, joined apart from the page."""
    whole, scenario = answers["whole"], written_scenario(SETTINGS)
    runs = {scenario.name: whole.runs, runner.baseline.name: whole.baselines}
    return GatheredResults(runner, [scenario, runner.baseline], runs)


@pytest.fixture
def drawn(runner):
    """Draws the page of an answer; gives the session and a function of all texts that stand on it."""
    closing = []

    def draw(answer, query=""):
        session = Session(runner, query)
        session.settings.value = settings_of(answer.scenario) if answer else {}
        session.answer.value = session.latest.value = answer
        close, says = draw_page(session, MoneyPage)
        closing.append(close)
        # Cells repeat the heads of their columns, for the cards of a telephone.
        return session, lambda: unescape(re.sub(r' data-head="[^"]*"', "", says()))

    yield draw
    for close in closing:
        close()


def settled(says, words):
    """The texts of the page once nothing is being read."""
    end = time.monotonic() + 60.0
    while words("money.reading") in (text := says()):
        assert time.monotonic() < end, "the page never had its numbers"
        time.sleep(0.05)
    return text


@pytest.mark.parametrize("language", LANGUAGES)
def test_payments_and_budgets_are_those_of_cash(drawn, answers, results, language):
    words = Words(language)
    text = settled(drawn(answers["whole"], f"lang={language}")[1], words)
    found = cash(results, "my-policy")
    paid = found.rows[(found.rows["quantity"] == "paid_yuan") & (found.rows["lever"] == "all")]
    paid = paid[(paid["year"] > 2018) & (paid["kind"] != "all")]
    assert set(paid["kind"]) >= {"lever", "tax"}
    for row in paid.itertuples():
        assert words(f"cash.{row.kind}") in text
        assert all(f"<td>{each}</td>" in text for each in words.estimate(row.value, row.low, row.high, "yuan"))
    fund = found.budgets[found.budgets["lever"] == "sme_fund"].set_index("quantity")
    assert words.value(fund.loc["used_up_share", "value"], "share") in text
    when = fund.loc["used_up_quarter", "value"]
    assert when != "not used up"
    assert f"<td>{words.quarter(when)}</td>" in text
    assert words.lever("sme_fund") in text
    assert words("label.amounts", label=words.label(results.level_label("my-policy"))) in text
    assert words("money.runs", runs=2) in text


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("by", QUANTITIES_BY)
def test_gains_are_those_of_incidence_by_each_dimension(drawn, answers, results, by, language):
    words = Words(language)
    text = settled(drawn(answers["whole"], f"lang={language}&gain_by={by}")[1], words)
    found = incidence(results, by, quantities=QUANTITIES_BY[by])
    shown = found.by_place("my-policy")
    assert list(shown) == [*QUANTITIES_BY[by], *([PAID] if by != "tier" else [])]
    assert words("gain.money_not_placed" if by == "tier" else "gain.money") in text
    changes = pd.DataFrame([row["change"] for places in shown.values() for row in places.values()])
    for row in changes.itertuples():
        assert f"<td class=srdi-words>{place_name(words, by, row.place)}</td>" in text
        written = words.estimate(row.value, row.low, row.high, row.unit, signed=True)
        assert all(f"<td>{each}</td>" in text for each in written)
    assert changes["value"].any()
    label = results.change_label("baseline", "my-policy")
    assert words("label.difference", label=words.label(label)) in text
    assert words("gain.table_note", places=words(f"gain.places_{by}")) in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_worth_is_that_of_value_with_what_it_assumes_and_leaves_out(drawn, answers, results, language):
    words = Words(language)
    text = settled(drawn(answers["whole"], f"lang={language}")[1], words)
    found = value(results)
    assert language == "en" or all(words.unit(unit) != unit for unit in {*found.rows["unit"]} - {""})
    rows = found.rows.set_index("quantity")
    for part, sign in PARTS.items():
        row = rows.loc[part]
        low, high = sorted((sign or 1) * row[end] for end in ("low", "high"))
        assert words(f"value.{part}") in text
        assert words(f"label.{row['label']}") in text
        assert f"<td>{words.estimate((sign or 1) * row['value'], low, high, row['unit'], signed=True)[0]}</td>" in text
    assert list(rows.loc["net_benefit_yuan", "cost_of_funds"]) == [0.0, 0.2, 0.5]
    for name, unit in (("net_benefit_yuan", "yuan"), ("benefit_cost", "")):
        for row in rows.loc[name].itertuples():
            written = words.estimate(row.value, row.low, row.high, unit, signed=name == "net_benefit_yuan")
            assert all(f"<td>{each}</td>" in text for each in written)
    mvpf = rows.loc["mvpf"]
    assert words.estimate(mvpf["value"], mvpf["low"], mvpf["high"], "")[0] in text
    for (_, quantity), reason in found.reasons.items():
        said = words(f"value.reason_{reason.key}", some=words.number(reason.some), pairs=words.number(reason.pairs))
        assert words(f"value.no_{quantity}", reason=said) in text
    for number in range(1, len(NOT_COUNTED) + 1):
        assert words(f"value.not_counted_{number}") in text
    assert words("money.assumed") in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_before_the_ensemble_there_are_no_ranges_and_it_is_said(drawn, answers, language):
    words = Words(language)
    text = settled(drawn(answers["central"], f"lang={language}")[1], words)
    assert text.count(words("money.one_run")) == 3
    assert f"<td>{NOTHING}</td>" in text
    session, says = drawn(answers["central"], f"lang={language}")
    session.answer.value = answers["whole"]
    text = settled(says, words)
    assert words("money.one_run") not in text
    assert words("money.runs", runs=2) in text
    baseline = answers["central"].central_baseline
    session.answer.value = Answer(policy_of({}), 2, baseline, baseline)
    assert settled(says, words).count(words("money.same")) == 4
    session.answer.value = answers["whole"]
    assert words("money.runs", runs=2) in settled(says, words)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_baseline_shows_its_own_payments_and_nothing_to_compare(drawn, runner, language):
    words, run = Words(language), runner.baseline_run(0)
    text = settled(drawn(Answer(policy_of({}), 1, run, run), f"lang={language}")[1], words)
    assert text.count(words("money.same")) == 4
    found = cash(GatheredResults(runner, [runner.baseline], {"baseline": [run]})).rows
    tax = found[(found["kind"] == "tax") & (found["lever"] == "all") & (found["quantity"] == "paid_yuan")]
    assert all(f"<td>{words.value(paid, 'yuan')}</td>" in text for paid in tax[tax["year"] > 2018]["value"])
    assert words("value.not_counted") not in text


def test_a_setting_that_changes_nothing_is_the_baseline(runner):
    session, run = Session(runner), runner.baseline_run(0)
    answer = Answer(policy_of({"levers.sme_fund.intensity": 2.0}), 1, run, run)
    assert accounts_of(session, answer).is_baseline


def test_before_any_answer_the_page_says_that_the_model_runs(drawn):
    assert Words("en")("app.loading") in drawn(None)[1]()


def test_another_dimension_is_shown_once_chosen_and_an_unknown_one_is_not(drawn, answers):
    words = Words("en")
    session, says = drawn(answers["whole"], "gain_by=nothing")
    assert words("fit.region_west") in settled(says, words)
    session.choose("gain_by", "tier")
    text = settled(says, words)
    assert words("chains.tier_little_giant") in text
    assert "gain_by=tier" in session.query


def test_charts_hold_the_numbers_of_the_analyses(runner, answers, results):
    session, whole = Session(runner), answers["whole"]
    accounts = accounts_of(session, whole)
    found = accounts.paid()
    spec = paid_chart(session, whole, accounts, found)
    blocks = np.frombuffer(spec["values"], "<f4").reshape(len(spec["series"]), -1)
    rows = cash(results).rows
    total = rows[(rows["kind"] == "all") & (rows["quantity"] == "paid_yuan") & (rows["quarters"] == 4)]
    for name, shown in (("my-policy", blocks[:-1].sum(axis=0)), ("baseline", blocks[-1])):
        np.testing.assert_allclose(shown, total[total["scenario"] == name]["value"], rtol=1e-5)
    now = accounts.gains("region").by_place("my-policy")["employment"]
    spec = gains_chart(session, "region", "employment", now)
    low, mean, high = np.frombuffer(spec["values"], "<f4").reshape(3, -1)
    assert mean[:-1].sum() == pytest.approx(mean[-1], rel=1e-4)  # the regions add up to the nation
    assert (low <= high).all()
    spec = worth_chart(session, accounts.worth(), "my-policy")
    net = np.frombuffer(spec["values"], "<f4").reshape(3, -1)[1]
    # Value added less labour and research moved is the gain; less public cost, the net benefit without cost of funds.
    assert net[:3].sum() == pytest.approx(net[3], rel=1e-3)
    assert net[3] + net[4] == pytest.approx(net[5], rel=1e-3)
    assert charts.version_of(whole) == "1+"
