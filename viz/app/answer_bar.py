"""The answer of the policy page, always in sight: what a policy achieves and costs, and what the numbers are of."""

from __future__ import annotations

from html import escape

import solara

from scenarios.analysis.metrics import CUMULATIVE_COST
from scenarios.display.formatting import COUNTED
from viz.app import charts
from viz.app.elements import Busy, heading
from viz.app.state import is_computing, use_session
from viz.live.measures import budget, effect
from viz.live.session import Answer
from viz.shared.estimates import verdict
from viz.shared.quantities import ANSWER
from viz.shared.units import unit_of
from viz.words.language import Words


@solara.component
def AnswerBar():
    """Title of the policy, its key numbers with their differences from the baseline, and the status of its runs.

    All of it has a fixed height: while an answer is refined, nothing below moves.
    """
    session = use_session()
    words, answer, latest = session.words, session.answer.value, session.latest.value
    view = charts.View.of(session, answer)
    cells = solara.use_memo(
        lambda: [_cell(words, answer, quantity, view) for quantity in ANSWER],
        [answer, view.last, words.language],
    )
    with solara.Div(
        classes=["srdi-answer"], attributes={"role": "region", "aria-label": words("policy.answer"), "id": "answer"}
    ):
        with solara.Div(classes=["srdi-answer-head"]):
            heading(session.title)
            solara.HTML(
                tag="span",
                classes=["srdi-note"],
                unsafe_innerHTML=escape(words("policy.answer_at", year=view.last)),
            )
        solara.HTML(
            tag="dl",
            classes=["srdi-key-numbers"],
            attributes={
                "data-version": "" if latest is None else charts.version_of(latest),
                "aria-busy": str(is_computing(session)).lower(),
            },
            unsafe_innerHTML="".join(cells),
        )
        Busy()


def _cell(words: Words, answer: Answer | None, quantity: str, view: charts.View) -> str:
    """One key number as HTML: value, paired difference with interval and verdict, and the baseline's value; of public
    cost, what the levers have spent of their budgets."""
    title, unit = words(f"answer.{quantity}"), unit_of(quantity)
    # The title says what is counted, and that flows are those of a year.
    value, unit_text = "…", "" if unit in COUNTED else words.unit(unit.removesuffix(" per year"))
    change = says = interval = about = direction = ""
    if answer is not None:
        at = view.at(answer)
        outcome = effect(answer, quantity, at)
        difference = outcome.difference
        value = words.level(outcome.value, outcome.low, outcome.high, unit)
        before = words.level(outcome.baseline, outcome.baseline_low, outcome.baseline_high, unit)
        about = words("policy.key_number_baseline", value=before)
        if quantity == CUMULATIVE_COST:
            about = _of_budget(words, answer, at) or about
        if not answer.is_baseline:
            change, ends = words.estimate(difference.mean, difference.low, difference.high, unit, signed=True)
            says = words("policy.one_pair")
            if difference.known:
                interval = words("policy.key_number_interval", interval=ends)
                says = verdict(words, difference, unit)
            if difference.clear and quantity != CUMULATIVE_COST:
                direction = "srdi-up" if difference.mean > 0.0 else "srdi-down"
    return (
        f'<div class="srdi-key-number" data-quantity="{quantity}"><dt title="{escape(title)}">{escape(title)}</dt>'
        f'<dd class="srdi-value">{escape(value)} <small>{escape(unit_text)}</small></dd>'
        f'<dd class="srdi-change {direction}">{escape(change)} <small>{escape(says)}</small></dd>'
        f'<dd class="srdi-interval">{escape(interval)}</dd>'
        f'<dd class="srdi-about" title="{escape(about)}">{escape(about)}</dd></div>'
    )


def _of_budget(words: Words, answer: Answer, at: int) -> str:
    """What the levers have spent of their budgets, or empty if none has a budget."""
    money = budget(answer, at)
    if not money.budgeted:
        return ""
    spent, budgeted = (
        words.number(one, beside=other) for one, other in ((money.spent, money.budgeted), (money.budgeted, money.spent))
    )
    return words("policy.of_budget", spent=spent, budget=budgeted)
