"""What each lever has spent so far, and when its budget is used up, as texts beside the levers."""

from __future__ import annotations

from collections.abc import Iterator

from scenarios.analysis.cash import NOT_USED_UP
from viz.app import charts
from viz.app.state import Session
from viz.live.measures import Spent, spent_by_lever
from viz.live.session import Answer
from viz.shared.payments import used_up_band, used_up_text
from viz.words.language import NOTHING, Words


def money_of_levers(session: Session) -> dict[str, str]:
    """A sentence on the money of each lever under the whole answer in view, by key such as levers.sme_fund."""
    answer = session.answer.value
    if answer is None:
        return {}
    return dict(_sentences(session.words, answer, charts.View.of(session, answer)))


def _sentences(words: Words, answer: Answer, view: charts.View) -> Iterator[tuple[str, str]]:
    for name, money in spent_by_lever(answer, view.at(answer)).items():
        yield f"levers.{name}", spent_text(words, money, view.last)


def spent_text(words: Words, money: Spent, year: int) -> str:
    """What a lever has spent by the end of a year, of what budget, and when that is used up."""
    if not money.budget:
        return words("funds.spent", year=year, spent=words.number(money.spent))
    spent, budget = (words.number(each, beside=money.budget) for each in (money.spent, money.budget))
    if money.used_up == NOT_USED_UP:
        when = words("funds.not_used_up")
    else:
        when = words("funds.used_up", quarter=used_up_text(words, money.used_up))
    band = used_up_band(words, money.low, money.high)
    if band not in (NOTHING, used_up_text(words, money.used_up)):
        when = words("funds.used_up_band", when=when, band=band)
    return words("funds.of_budget", year=year, spent=spent, budget=budget, when=when)
