"""What changed, and for whom: the largest movers in a sentence, what they rest on, and winners and losers."""

from __future__ import annotations

import math

import solara

from sim.branching import first_difference
from sim.calendar import Quarter
from viz.app import charts
from viz.app.basis import basis_text
from viz.app.elements import heading, html_table, note, toggle
from viz.app.policies import policy_of
from viz.app.state import Session, is_computing, use_session
from viz.live.session import Answer
from viz.live.why import DIMENSIONS, GAINS, MOVING, Incidence, Mover, incidence, movers
from viz.shared.gains import place_name
from viz.shared.texts import TextTable
from viz.shared.units import unit_of
from viz.words.language import Words

#: Movers in the sentence.
MOST_MOVERS = 5
#: The last reported quarter; a policy that starts earlier changes the past.
_PAST = Quarter(2024, 1)


@solara.component
def WhatChanged():
    """The largest movers, the pairs of runs and evidence behind them, and a warning if the policy changes the past."""
    session = use_session()
    words, answer = session.words, session.answer.value
    settings, view = session.settings.value, charts.View.of(session, answer)
    texts = solara.use_memo(
        lambda: _texts(words, answer, view, session) if answer else [], [answer, view.last, words.language]
    )
    with solara.Div(
        classes=["srdi-card", "srdi-stack", "srdi-changed"],
        attributes={"aria-busy": str(is_computing(session)).lower()},
    ):
        heading(words("policy.changed_heading"))
        for text in texts:
            solara.Text(text)
        if answer is not None:
            note(_basis(words, answer, session))
        first = first_difference(session.runner.baseline.policy, policy_of(settings).policy)
        if first is not None and first <= _PAST:
            note(words("policy.past", quarter=words.quarter(str(first))))


def _texts(words: Words, answer: Answer, view: charts.View, session: Session) -> list[str]:
    """The sentences on the movers of an answer."""
    if answer.is_baseline:
        return [words("policy.same")]
    found, of = movers(answer, view.at(answer)), len(MOVING)
    if not found:
        return [words("policy.no_movers", of=of)]
    most = [mover_text(words, mover) for mover in found[:MOST_MOVERS]]
    title = session.title_of(answer)
    said = words("policy.movers", policy=title, year=view.last, movers=words("policy.movers_and").join(most))
    others = of - len(most)
    return [said, words("policy.movers_others", others=others)] if others else [said]


def mover_text(words: Words, mover: Mover) -> str:
    """A quantity with its difference, and that in per cent of the baseline."""
    unit, difference = unit_of(mover.quantity), mover.effect.difference
    change, _ = words.estimate(difference.mean, difference.low, difference.high, unit, signed=True)
    share = ""
    if math.isfinite(mover.share) and unit != "share":
        share = words("policy.key_number_interval", interval=words.percent(mover.share, signed=True))
    return words("policy.mover", title=words.column(mover.quantity), change=change, share=share).strip()


def _basis(words: Words, answer: Answer, session: Session) -> str:
    """What the numbers are based on, and what the differences rest on."""
    if answer.is_baseline:
        return ""
    runs = words("policy.pairs", pairs=len(answer.runs)) if answer.runs else words("policy.one_pair")
    return words("policy.basis", runs=runs, label=basis_text(answer, session))


@solara.component
def Gains():
    """Who gains and who loses: regions, types of place or sectors, from the largest gain of little giants to the
    largest loss."""
    session = use_session()
    words, answer = session.words, session.answer.value
    view, by = charts.View.of(session, answer), dimension_name(session)
    table = solara.use_memo(
        lambda: (
            gains_table(words, incidence(answer, by, view.at(answer)), by)
            if answer and not answer.is_baseline
            else None
        ),
        [answer, by, view.last, words.language],
    )
    if table is None:
        return
    title = words("policy.gains", year=view.last)
    with solara.Div(
        classes=["srdi-card", "srdi-stack", "srdi-gains"], attributes={"aria-busy": str(is_computing(session)).lower()}
    ):
        with solara.Div(classes=["srdi-row"]):
            heading(title)
            with solara.Div(attributes={"role": "group", "aria-label": words("policy.gains_by")}):
                for name in DIMENSIONS:
                    toggle(words(f"policy.by_{name}"), name == by, lambda name=name: session.choose("by", name))
        html_table(table, caption=title)
        note(words("policy.gains_note"))


def dimension_name(session: Session) -> str:
    """The dimension of the table: one of DIMENSIONS."""
    name = session.chosen("by")
    return name if name in DIMENSIONS else next(iter(DIMENSIONS))


def gains_table(words: Words, found: Incidence, by: str) -> TextTable:
    """Differences by place or sector, with per cent of the baseline; in brackets where the interval includes zero."""
    order = sorted(range(len(found.places)), key=lambda place: -found.difference[GAINS[0]][place])
    rows = [
        [place_name(words, by, found.places[place]), *(_gain(words, found, quantity, place) for quantity in GAINS)]
        for place in order
    ]
    return TextTable([words(f"policy.by_{by}"), *(words.column(quantity) for quantity in GAINS)], rows)


def _gain(words: Words, found: Incidence, quantity: str, place: int) -> str:
    """A difference with that in per cent."""
    change, before = float(found.difference[quantity][place]), float(found.baseline[quantity][place])
    low, high = float(found.low[quantity][place]), float(found.high[quantity][place])
    text, _ = words.estimate(change, low, high, unit_of(quantity), signed=True)
    if before:
        text = words("policy.gain", change=text, share=words.relative(change / before, low / before, high / before))
    return words("policy.unclear", value=text) if found.unclear(quantity)[place] else text
