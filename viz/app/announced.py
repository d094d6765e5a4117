"""What screen readers are told without moving: the page that is shown, and the results of the policy."""

from __future__ import annotations

from html import escape

import solara

from viz.app.state import use_session
from viz.live.measures import effect
from viz.live.session import Answer
from viz.shared.quantities import HEADLINES
from viz.shared.units import unit_of
from viz.words.language import Words


@solara.component
def Told(page: str) -> None:
    """A live region with the title of the page and the newest whole results; unseen.

    Args:
        page: title of the page.
    """
    session = use_session()
    words, answer = session.words, session.answer.value
    results = solara.use_memo(
        lambda: results_sentence(words, answer) if answer else "", [answer, words.language, session.runner.until]
    )
    for name, text in (("page", page), ("results", results)):
        attributes = {"aria-live": "polite", "aria-atomic": "true", "data-told": name}
        solara.HTML(tag="p", classes=["srdi-sr"], attributes=attributes, unsafe_innerHTML=escape(text))


def results_sentence(words: Words, answer: Answer) -> str:
    """The headline quantities of a whole answer at its end, with their differences from the baseline."""
    if answer.is_baseline:
        return ""
    parts = []
    for quantity in HEADLINES:
        unit, outcome = unit_of(quantity), effect(answer, quantity)
        difference = outcome.difference
        change = words.value(difference.mean, unit, signed=True)
        if difference.known:
            interval = words.interval(difference.low, difference.high, unit, signed=True)
            change = f"{change} {words('policy.key_number_interval', interval=interval)}"
        value = f"{words.value(outcome.value, unit)} {words.unit(unit)}"
        parts.append(words("app.told_part", title=words.column(quantity), value=value, change=change))
    return words("app.told", results=words("app.told_and").join(parts))
