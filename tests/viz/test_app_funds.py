"""Money on the policy page: what levers have spent, a total to hold, and the levers rescaled to it."""

import time
from html import unescape

import pytest
from drawn import both_answers, draw_page

from scenarios.analysis.cash import cash
from scenarios.analysis.equal_money import TOLERANCE
from viz import LANGUAGES
from viz.app.lever_money import money_of_levers
from viz.app.policies import policy_of, settings_of
from viz.app.state import Session, written_scenario
from viz.app.total import Total, read_total, total_of, verdict_on
from viz.live.background import Background, Progress, Stopped
from viz.live.findings import PRICED, find
from viz.live.gathered import GatheredResults
from viz.live.measures import national, spent_by_lever
from viz.live.rescaling import CostsNoMore, rescale
from viz.shared.prices import is_bought
from viz.words.language import Words

SCALE, UNTIL, MEMBERS = 0.005, 2027, 2
#: A fund that lasts, and training whose budget is used up within the runs.
SETTINGS = {
    "levers.sme_fund.enabled": True,
    "levers.sme_fund.start": "2022Q1",
    "levers.governance_training.enabled": True,
    "levers.governance_training.budget_yuan": 2e9,
    "levers.governance_training.end": "2025Q4",
}
#: A cost that can be told finely: many firms with small grants.
FINE = {"levers.governance_training.enabled": True}
COST = "public_cost_cumulative_yuan"


@pytest.fixture(scope="module")
def answers(runner):
    """Answers without and with intervals."""
    return both_answers(runner, SETTINGS, MEMBERS)


@pytest.fixture(scope="module")
def found(runner):
    """The fine policy rescaled to half of its money."""
    given = mean_cost(runner, policy_of(FINE))
    return rescale(runner, policy_of(FINE), given / 2.0, Progress(lambda done, of: None)), given


def mean_cost(runner, scenario):
    """Cost over the baseline, from runs of the members."""
    numbers = range(1, MEMBERS + 1)
    pairs = [(runner.run(scenario.policy, number), runner.baseline_run(number)) for number in numbers]
    return sum(national(run, COST)[-1] - national(beside, COST)[-1] for run, beside in pairs) / len(pairs)


def test_spent_and_used_up_are_those_of_cash(runner, answers):
    whole, scenario = answers[1], written_scenario(SETTINGS)
    results = GatheredResults(
        runner, [scenario, runner.baseline], {scenario.name: whole.runs, runner.baseline.name: whole.baselines}
    )
    expected = cash(results, scenario.name)
    spent = spent_by_lever(whole)
    paid = expected.rows[(expected.rows["quantity"] == "paid_cumulative_yuan") & (expected.rows["kind"] == "lever")]
    paid = paid[paid["year"] == UNTIL].set_index("lever")["value"].drop("all")
    assert set(spent) >= {"sme_fund", "governance_training", "cluster_recognition"}
    assert {name: money.spent for name, money in spent.items()} == pytest.approx(paid[list(spent)].to_dict())
    budgets = expected.budgets.set_index(["lever", "quantity"])
    for name, money in spent.items():
        assert money.budget == pytest.approx(budgets.loc[(name, "budget_yuan"), "value"])
        when = budgets.loc[(name, "used_up_quarter")]
        assert [money.used_up, money.low, money.high] == [when["value"], when["low"], when["high"]]
    assert spent["governance_training"].used_up != spent["sme_fund"].used_up == "not used up"


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_lever_says_what_it_has_spent_by_the_horizon(runner, answers, language):
    session, words = Session(runner, f"lang={language}&horizon=2024"), Words(language)
    assert money_of_levers(session) == {}
    session._take(answers[1])
    money = money_of_levers(session)
    at = 4 * (2024 - 2018)
    for name, spent in spent_by_lever(answers[1], at).items():
        text = money[f"levers.{name}"]
        assert "2024" in text
        assert words.number(spent.spent, beside=spent.budget) in text
    assert (
        words.quarter(spent_by_lever(answers[1])["governance_training"].used_up) in money["levers.governance_training"]
    )
    assert words("funds.not_used_up") in money["levers.sme_fund"]


def test_a_rescaled_policy_costs_the_total(runner, found):
    result, given = found
    assert result.given == pytest.approx(given)
    assert result.within
    assert result.cost == pytest.approx(given / 2.0, rel=TOLERANCE)
    assert mean_cost(runner, policy_of(settings_of(result.scenario))) == pytest.approx(result.cost)
    assert 0.0 < result.factor < 1.0


def test_a_policy_without_additional_cost_is_not_rescaled(runner):
    dearer = {"levers.governance_training.enabled": True, "levers.governance_training.start": "2029Q1"}
    with pytest.raises(CostsNoMore):
        rescale(runner, policy_of(dearer), 1e9, Progress(lambda done, of: None))


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_says_whether_the_total_is_kept(runner, answers, language):
    words = Words(language)
    central, whole = answers
    cost = mean_cost(runner, policy_of(SETTINGS))
    over, kept = (verdict_on(words, whole, total) for total in (cost / 2.0, cost * 2.0))
    assert words.number(cost / 2.0) in over[0]
    assert words("funds.total_pairs", kept=0, pairs=MEMBERS) == over[1]
    assert words("funds.total_pairs", kept=MEMBERS, pairs=MEMBERS) == kept[1]
    assert words("policy.one_pair") in verdict_on(words, central, cost)[0]


def test_a_shock_has_no_price(runner):
    def written(settings):
        return policy_of(settings).model_dump(by_alias=True, mode="json")

    slump = {"shocks.demand_slump.severity": 0.2, "shocks.demand_slump.start": "2024Q1"}
    assert is_bought(written({}), written(FINE))
    assert not is_bought(written({}), written(FINE | slump))
    run = runner.baseline_run(0)
    results = GatheredResults(
        runner,
        [runner.baseline, policy_of(slump, "slump"), policy_of(FINE, "fine")],
        {runner.baseline.name: [run], "slump": [run], "fine": [run]},
    )
    prices = find(results).prices
    assert {prices["slump", quantity].key for quantity in PRICED} == {"shock"}
    assert "shock" not in {prices["fine", quantity].key for quantity in PRICED}
    assert Words("zh")("cost.shock") == prices["slump", PRICED[0]].text(Words("zh"))


def test_a_total_is_read_in_the_unit_of_the_language():
    english, chinese = Words("en"), Words("zh")
    assert read_total("2.5", english) == 2.5e9
    assert read_total(" 1,250 ", chinese) == 1.25e11
    assert read_total("", english) == 0.0
    assert [read_total(text, english) for text in ("-1", "nan", "1e30", "ten", "0")] == [None] * 5


def test_the_total_is_part_of_the_address(runner):
    session = Session(runner, "total=5e9")
    assert total_of(session) == 5e9
    assert "total=5e9" in session.query
    assert [total_of(Session(runner, f"total={text}")) for text in ("-4", "nan", "x", "1e99")] == [0.0] * 4


def test_the_button_rescales_the_policy(runner):
    session = Session(runner, "total=1e9&levers.governance_training.enabled=true")
    central, whole = both_answers(runner, FINE, MEMBERS)
    close, says = draw_page(session, Total)
    try:
        assert Words("en")("funds.total_wait") in unescape(says())
        session.wanted = 1
        session._take(central)
        session._take(whole)
        assert Words("en")("funds.rescale") in unescape(says())
    finally:
        close()


def wait_until(true, seconds=30.0):
    """Wait for a condition."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_job_tells_its_stages_and_a_newer_one_replaces_it():
    told, results = [], []
    job = Background(results.append, told.append)

    def work(progress):
        progress.at(1, 2)
        return "first"

    def endless(progress):
        while True:
            progress.check()

    job.start(work)
    wait_until(lambda: told and told[-1].stage == "done")
    assert [status.stage for status in told] == ["central", "ensemble", "done"]
    job.start(endless)
    job.start(work)
    wait_until(lambda: len(results) == 2)
    wait_until(lambda: told[-1].stage == "done")
    assert "cancelled" not in [status.stage for status in told]
    job.start(endless)
    job.cancel()
    wait_until(lambda: told[-1].stage == "cancelled")
    job.start(lambda progress: 1 / 0)
    wait_until(lambda: told[-1].stage == "failed")
    assert isinstance(told[-1].fault, ZeroDivisionError)
    job.start(endless)
    job.close()
    assert results == ["first", "first"]
    stopped = Progress(lambda done, of: None)
    stopped.stop()
    with pytest.raises(Stopped):
        stopped.check()
