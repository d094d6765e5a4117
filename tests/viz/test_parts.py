"""Parts of a run: what is shown of it before it is whole, and that nothing of it stays."""

import threading
import time
from html import unescape
from types import SimpleNamespace

import numpy as np
import pytest
import reacton
import solara
from seen import texts_of

from sim.calendar import Quarter
from viz import LANGUAGES
from viz.app.charts import fan
from viz.app.pages.policy import PolicyPage
from viz.app.policies import policy_of
from viz.app.state import Session, session_context
from viz.live import parts
from viz.live.measures import course, national, quarters, spending_by_lever
from viz.live.parts import Parts, part_of
from viz.live.session import Answer, Status, Worker
from viz.words.language import Words

SCALE, UNTIL, MEMBERS = 0.002, 2027, 1
INCUBATION = policy_of({"levers.incubation.enabled": True})
#: The first quarter in which incubation differs from the baseline, and one in the middle of a later year.
FIRST, REACHED = Quarter(2024, 1), Quarter(2025, 2)


@pytest.fixture(scope="module")
def answers(runner):
    """The policy up to REACHED, and whole."""
    baseline, found = runner.baseline_run(0), []

    def look(model):
        if model.quarter == REACHED:
            found.append(part_of(model, baseline))

    found.append(runner.run(INCUBATION.policy, 0, look=look))
    return [Answer(INCUBATION, 1, run, baseline) for run in found]


def test_a_part_is_the_whole_run_as_far_as_it_goes(answers):
    part, whole = answers
    assert (part.reached, whole.reached) == (REACHED, None)
    known = quarters(whole.central).index(str(REACHED)) + 1
    assert quarters(part.central) == quarters(whole.central)
    for quantity in ("little_giants", "public_cost_cumulative_yuan", "genuine_srdi_smes"):
        np.testing.assert_array_equal(
            national(part.central, quantity)[:known], national(whole.central, quantity)[:known]
        )
        assert np.isnan(national(part.central, quantity)[known:]).all()
    shown = course(part, "little_giants")
    np.testing.assert_array_equal(shown.baseline, course(whole, "little_giants").baseline)


def test_of_a_part_the_spending_of_whole_years_is_known(answers):
    (years, so_far), (_, whole) = (spending_by_lever([answer.central]) for answer in answers)
    assert "incubation" in so_far
    assert list(so_far) == list(whole)
    known = years.index("2025")
    for lever, money in so_far.items():
        np.testing.assert_array_equal(money[:known], whole[lever][:known])
        assert np.isnan(money[known:]).all()


def test_a_run_that_is_looked_at_has_the_same_bits(runner, answers):
    alone = runner.run(INCUBATION.policy, 0)
    for table, columns in answers[1].central.tables.items():
        for name, column in columns.items():
            np.testing.assert_array_equal(column, alone.tables[table][name], err_msg=f"{table} {name}")


def test_parts_come_after_the_first_quarter_then_after_pauses_and_never_at_the_end(monkeypatch):
    clock, shown = [100.0], []

    def show(part):
        shown.append(part)
        clock[0] += 0.05

    monkeypatch.setattr(parts, "time", SimpleNamespace(monotonic=lambda: clock[0]))
    monkeypatch.setattr(parts, "part_of", lambda model, whole: model.quarter)
    looking = Parts(show, None, FIRST, pause=5.0)
    for quarter in range(-2, 7):
        looking.look(SimpleNamespace(quarter=FIRST + quarter, running=quarter < 6))
        clock[0] += 0.1
    assert shown == [FIRST, FIRST + 3]


class Told:
    """What a worker tells: answers and statuses, and an event for each stage."""

    def __init__(self, runner, **timing) -> None:
        self.answers, self.stages = [], {}
        self.worker = Worker(runner, self.answers.append, self._say, **timing)

    def _say(self, status: Status) -> None:
        self.reached(status.stage).set()

    def reached(self, stage: str) -> threading.Event:
        return self.stages.setdefault(stage, threading.Event())

    def __enter__(self):
        self.worker.start()
        return self

    def __exit__(self, *fault) -> None:
        self.worker.close()


def test_a_worker_shows_parts_and_then_the_whole(runner):
    with Told(runner, rest=60.0, pause=0.0) as told:
        told.worker.ask(INCUBATION)
        assert told.reached("waiting").wait(60.0)
    *shown, last = told.answers
    assert [answer.reached for answer in shown] == [FIRST + quarter for quarter in range(len(shown))]
    assert len(shown) == Quarter(UNTIL, 4) - FIRST
    assert last.reached is None


def test_no_parts_are_drawn_while_others_wait_for_a_core(runner, monkeypatch):
    monkeypatch.setattr(type(runner), "crowded", property(lambda _: True))
    with Told(runner, rest=60.0, pause=0.0) as told:
        told.worker.ask(INCUBATION)
        told.worker.wait_for_part(60.0)
    assert [answer.reached for answer in told.answers] == [None]


def test_no_part_of_an_earlier_request_comes_after_one_of_a_later(runner):
    with Told(runner, rest=0.0, pause=0.0) as told:
        for intensity in (1.2, 1.4, 1.6, 1.8):
            told.worker.ask(policy_of({"levers.incubation.enabled": True, "levers.incubation.intensity": intensity}))
            threading.Event().wait(0.03)
        assert told.reached("done").wait(60.0)
    numbers = [answer.number for answer in told.answers]
    assert numbers == sorted(numbers)
    assert told.answers[-1].runs


def test_the_run_for_the_hand_does_not_wait_for_an_ensemble(runner, monkeypatch):
    """Not even while the baseline of a member is run, which nothing stops."""
    right, begun, go_on = runner.baseline_run, threading.Event(), threading.Event()

    def slow(member, patient=False):
        if member:
            begun.set()
            assert go_on.wait(60.0)
        return right(member, patient)

    monkeypatch.setattr(runner, "baseline_run", slow)
    with Told(runner, rest=0.0) as told:
        told.worker.ask(INCUBATION)
        assert begun.wait(60.0)
        told.reached("waiting").clear()
        told.worker.ask(policy_of({}))
        try:
            assert told.reached("waiting").wait(30.0)
        finally:
            go_on.set()
    assert told.answers[-1].number == 2


def test_the_page_waits_for_the_first_part_but_not_for_long(runner):
    with Told(runner, rest=60.0) as told:
        begun = time.perf_counter()
        told.worker.wait_for_part(0.01)
        assert time.perf_counter() - begun < 5.0, "nothing was asked for"
        for enabled in (True, False):
            number = told.worker.ask(policy_of({"levers.incubation.enabled": enabled}))
            told.worker.wait_for_part(60.0)
            assert told.answers[-1].number == number


def test_what_changes_together_is_drawn_once(runner, answers):
    drawn = []

    @solara.component
    def Shown():
        session = solara.use_memo(lambda: Session(runner), [])
        sessions.append(session)
        drawn.append((session.answer.value is not None, session.latest.value is not None))
        solara.Text("")

    sessions: list[Session] = []
    _, context = reacton.render(Shown(), handle_error=False)
    try:
        sessions[0]._take(answers[1])
    finally:
        context.close()
    assert drawn == [(False, False), (True, True)]


def test_a_part_is_the_latest_but_no_answer_and_goes_when_its_run_fails(runner, answers):
    part, whole = answers
    session = Session(runner)
    session._take(part)
    assert (session.answer.value, session.latest.value) == (None, part)
    session._take(whole)
    assert (session.answer.value, session.latest.value) == (whole, whole)
    session._take(part)
    session._say(Status("failed", fault=MemoryError("no room")))
    assert session.latest.value is whole


def test_a_chart_names_the_policy_it_shows_not_the_one_that_is_asked_for(runner, answers):
    session = Session(runner)
    names = [series["name"] for series in fan(session, answers[1], "little_giants")["series"]]
    assert session.title_of(answers[1]) in names
    assert session.title not in names


def widgets_of(widget):
    """A widget and all that it holds."""
    yield widget
    for child in getattr(widget, "children", None) or []:
        yield from widgets_of(child)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_mark_of_a_part_goes_with_it(runner, answers, language):
    session, words = Session(runner, f"lang={language}&levers.incubation.enabled=true"), Words(language)
    session._say(Status("done", MEMBERS, MEMBERS))

    @solara.component
    def Framed():
        session_context.provide(session)
        PolicyPage()

    box, context = reacton.render(Framed(), handle_error=False)
    quarter = words.quarter(str(REACHED))
    marks = {words("policy.status_central"), "… <small>"}
    for answer, is_part in zip(answers, (True, False), strict=True):
        session._take(answer)
        text, widgets = unescape(" ".join(texts_of(box))), list(widgets_of(box))
        assert {mark for mark in marks if mark in text} == (marks if is_part else set())
        # Not that of the runs before, although the worker has said nothing since.
        assert (words("policy.status_waiting") in text) == (not is_part)
        assert words("policy.status_done", of=MEMBERS) not in text
        charts = [widget for widget in widgets if hasattr(widget, "described")]
        assert [chart.note for chart in charts] == [words("chart.part", quarter=quarter) if is_part else ""] * 8
        assert [quarter in chart.label for chart in charts] == [is_part] * 8
        assert [chart.version for chart in charts] == ["1~" if is_part else "1"] * 8
        # Screen readers are not told of what is there for a moment only.
        busy = [getattr(widget, "attributes", None) or {} for widget in widgets]
        assert {each["aria-busy"] for each in busy if "aria-busy" in each} == {str(is_part).lower()}
    context.close()
