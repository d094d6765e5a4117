"""The policy page drawn without a browser: the answer bar, levels or differences, the horizon, undo by address."""

import threading
from html import unescape

import pytest
import solara
from drawn import both_answers, draw_page
from ipyvue import VueTemplate

from viz import LANGUAGES
from viz.app import charts
from viz.app.choices import faults_of
from viz.app.pages.policy import ChartChoices, PolicyPage
from viz.app.policies import policy_of
from viz.app.state import Session, is_computing, session_context, stage_of
from viz.live.measures import effect
from viz.live.session import Answer, Status, Worker
from viz.shared.quantities import ANSWER
from viz.shared.units import unit_of
from viz.words.language import Words

SCALE, UNTIL, MEMBERS = 0.002, 2026, 2
KEY = "levers.cluster_recognition.per_year"
SETTINGS = {KEY: 300}


@pytest.fixture(scope="module")
def answers(runner):
    """Answers without and with intervals, to request 1."""
    return both_answers(runner, SETTINGS, MEMBERS)


@pytest.fixture
def drawn(runner):
    """Draws the policy page for a query; gives the session and a function of all its texts."""
    closing = []

    def draw(query=""):
        session = Session(runner, query)
        close, says = draw_page(session, PolicyPage)
        closing.append(close)
        return session, lambda: unescape(says())

    yield draw
    for close in closing:
        close()


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_bar_has_every_number_with_its_difference_and_interval(drawn, answers, language):
    session, says = drawn(f"lang={language}&{KEY}=300")
    words = Words(language)
    assert "…" in says()
    for answer in answers:
        session._take(answer)
        text = says()
        for quantity in ANSWER:
            unit, found = unit_of(quantity), effect(answer, quantity)
            assert words(f"answer.{quantity}") in text
            assert words.level(found.value, found.low, found.high, unit) in text
            ends = found.difference.mean, found.difference.low, found.difference.high
            change, interval = words.estimate(*ends, unit, signed=True)
            assert change in text
            if answer.runs:
                assert interval in text
        runs = words("policy.status_done", of=MEMBERS)
        assert (runs in text) == bool(answer.runs)
        assert words("policy.changed_heading") in text
        assert words("policy.gains", year=UNTIL) in text


def test_numbers_of_other_settings_are_marked_and_never_said_to_be_those_of_runs(drawn, answers):
    session, says = drawn(f"{KEY}=300")
    session.wanted = 1
    session._take(answers[1])
    assert (is_computing(session), stage_of(session)) == (False, "done")
    session.worker.ask = lambda scenario, held=False: 2
    session.set(KEY, 310, final=True)
    assert (is_computing(session), stage_of(session)) == (True, "central")
    words = Words("en")
    assert words("policy.status_central") in says()
    assert words("policy.status_done", of=MEMBERS) not in says()
    # A failure is told of the request that failed, and of no later one.
    session._say(Status("failed", number=2, fault=MemoryError("no room")))
    assert stage_of(session) == "failed"
    session.wanted = 3
    assert stage_of(session) == "central"


def test_differences_come_first_once_a_policy_differs(runner, answers):
    session = Session(runner)
    beside = answers[0].central_baseline
    same = Answer(policy_of({}), 1, beside, beside)
    assert not charts.View.of(session, same).difference
    assert charts.View.of(session, answers[0]).difference
    session.choose("charts", "level")
    assert not charts.View.of(session, answers[0]).difference
    session.choose("charts", "nonsense")
    assert charts.View.of(session, answers[0]).difference


def test_charts_and_key_numbers_end_at_the_horizon(runner, answers):
    session = Session(runner, "since=2022&horizon=2024")
    view = charts.View.of(session, answers[0])
    assert (view.first, view.last) == (2022, 2024)
    labels = charts.fan(session, answers[0], "little_giants", view)["x"]
    assert (labels[0], labels[-1]) == ("2021Q4", "2024Q4")
    assert charts.spending(session, answers[0], view)["x"] == ["2022", "2023", "2024"]
    at = view.at(answers[0])
    assert charts.quarters(answers[0].central)[at] == "2024Q4"
    assert effect(answers[0], "little_giants", at).value == answers[0].central.tables["national"]["little_giants"][at]


@pytest.mark.parametrize(
    ("query", "first", "last"),
    [("", 2019, UNTIL), ("horizon=1999&since=x", 2019, UNTIL), ("since=2025&horizon=2021", 2020, 2021)],
)
def test_years_that_cannot_be_shown_are_replaced(runner, answers, query, first, last):
    view = charts.View.of(Session(runner, query), answers[0])
    assert (view.first, view.last) == (first, last)


def test_the_years_offered_are_those_an_address_may_have(runner):
    session = Session(runner, "since=2022&horizon=2024")

    @solara.component
    def Framed():
        session_context.provide(session)
        ChartChoices()

    _, drawn = solara.render(Framed(), handle_error=False)
    since, horizon = ([value for value, _ in each.options] for each in drawn.find(VueTemplate).widgets)
    drawn.close()
    assert since == ["2019", "2020", "2021", "2022", "2023"]
    assert horizon == ["2023", "2024", "2025", str(UNTIL)]
    written = [f"since={year}&horizon=2024" for year in since] + [f"since=2022&horizon={year}" for year in horizon]
    assert not any(faults_of(Session(runner, query), query) for query in written)


def test_a_move_is_an_entry_of_the_history_once_the_lever_is_released(runner):
    session = Session(runner)
    session.set(KEY, 110, final=False)
    session.set(KEY, 120, final=False)
    assert (session.moves, session.query) == (0, "")
    session.set(KEY, 120, final=True)
    assert (session.moves, session.query) == (1, f"{KEY}=120")
    # Released where it was taken up: nothing to undo.
    session.set(KEY, 130, final=False)
    session.set(KEY, 120, final=True)
    assert session.moves == 1


def test_back_undoes_and_forward_redoes(runner):
    session = Session(runner)
    session.set(KEY, 120, final=True)
    session.set(KEY, 140, final=True)
    session.return_to(f"lang=zh&{KEY}=120")
    assert session.settings.value == {KEY: 120}
    assert (session.moves, session.language.value, session.history.value) == (2, "en", (True, True))
    session.return_to(f"{KEY}=140")
    assert (session.settings.value, session.history.value) == ({KEY: 140}, (True, False))
    session.return_to("")
    assert session.settings.value == {}
    session.return_to(f"{KEY}=99999")
    assert session.settings.value == {}
    assert session.returns.value == 4


def test_a_run_in_hand_is_finished_while_the_lever_is_held_and_abandoned_when_it_is_released(runner):
    """Every run waits before its first quarter until the lever has moved on."""
    right, begun, may_go, told, last = runner.run, threading.Semaphore(0), threading.Semaphore(0), [], threading.Event()

    def slow(policy, member, stopped=lambda: False, **options):
        begun.release()
        assert may_go.acquire(timeout=60.0)
        return right(policy, member, stopped, **options)

    def take(answer):
        if answer.reached is None:
            told.append(answer.number)
        if told and told[-1] == 3:
            last.set()

    worker = Worker(runner, take, rest=60.0)
    runner.run = slow
    try:
        worker.start()
        worker.ask(policy_of({KEY: 110}), held=True)
        assert begun.acquire(timeout=60.0)
        worker.ask(policy_of({KEY: 120}), held=True)
        may_go.release()
        assert begun.acquire(timeout=60.0)
        worker.ask(policy_of({KEY: 130}))
        may_go.release(2)
        assert last.wait(60.0)
    finally:
        del runner.run
        worker.close()
    assert told == [1, 3]
