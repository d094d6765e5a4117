"""The policy page: levers on the left, their effects on the right."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from html import escape

import solara

from scenarios.analysis.metrics import CUMULATIVE_COST
from sim.branching import first_difference
from sim.calendar import Quarter
from viz.app import charts
from viz.app.basis import basis_text
from viz.app.controls import control_groups, defaults
from viz.app.elements import Busy, heading, html_button, html_table, note, remark_on
from viz.app.policies import policy_of, preset_of, presets
from viz.app.state import Session, use_session
from viz.app.widgets.panels import Choice, LeverPanel
from viz.live.measures import days, effect
from viz.live.session import Answer
from viz.report.costs import GAINS
from viz.shared.doubt import effect_factor
from viz.shared.estimates import verdict
from viz.shared.known import remark
from viz.shared.prices import price_of
from viz.shared.quantities import HEADLINES
from viz.shared.texts import TextTable
from viz.shared.units import unit_of, unit_per_quarter
from viz.words.language import Words

#: National quantities with a chart, in order.
FANS = ("little_giants", "srdi_smes", "innovative_smes", "productivity_index")
#: The last reported quarter; a policy that starts earlier changes the past.
_PAST = Quarter(2024, 1)
#: Groups of levers that are open at first.
_OPEN = ("funds", "clusters")
#: Words of the lever panel.
_PANEL_WORDS = (
    "help",
    "cost",
    "basis",
    "reset",
    "changed",
    "more",
    "less",
    "all",
    "none",
    "yes",
    "no",
    "comma",
    "locale",
)


@solara.component
def PolicyPage():
    """Levers next to the national results."""
    with solara.Div(classes=["srdi-split"]):
        with solara.Div(classes=["srdi-card", "srdi-side"]):
            Levers()
        with solara.Div(classes=["srdi-stack"], attributes={"id": "results"}):
            Heading()
            KeyNumbers()
            with solara.Div(classes=["srdi-cards"]):
                for quantity in FANS:
                    OfAnswer(charts.fan, quantity)
                OfAnswer(charts.spending)
                OfAnswer(charts.chain_health)
            Prices()


@solara.component
def Levers():
    """Presets, undo and the levers."""
    session = use_session()
    words = session.words
    settings = session.settings.value
    can_undo, can_redo = session.history.value
    preset = preset_of(settings)
    with solara.Div(classes=["srdi-stack"]):
        heading(words("policy.levers"))
        titles = [(name, words.scenario(scenario.model_dump())) for name, scenario in presets().items()]
        Choice(
            label=words("policy.preset"),
            options=titles if preset else [("", words("policy.preset_none")), *titles],
            value=preset or "",
            event_choose=lambda name: session.take_preset(name) if name else None,
        )
        with solara.Div(classes=["srdi-row"]):
            html_button(words("policy.undo"), session.undo, disabled=not can_undo)
            html_button(words("policy.redo"), session.redo, disabled=not can_redo)
            html_button(words("policy.reset"), lambda: session.put({}), disabled=not settings)
        LeverPanel(
            declared=_declared(words.language),
            values=settings,
            unfolded=list(_OPEN),
            refused=session.refused.value,
            event_set_lever=lambda data: session.set(data["key"], data["value"], bool(data["final"])),
        )


@cache
def _declared(language: str) -> str:
    """The constant part of the lever panel (see `LeverPanel`)."""
    words = Words(language)
    texts = {key: words(f"control.{key}") for key in _PANEL_WORDS}
    return json.dumps({"groups": control_groups(language), "defaults": defaults(), "texts": texts})


@solara.component
def Heading():
    """The policy's title, a button to keep it, the status of its runs, and a warning if it changes the past."""
    session = use_session()
    words = session.words
    settings = session.settings.value
    with solara.Div(classes=["srdi-row"]):
        heading(session.title)
        html_button(words("policy.keep"), lambda: session.keep(session.name_to_keep), disabled=not settings)
    Busy()
    first = first_difference(session.runner.baseline.policy, policy_of(settings).policy)
    if first is not None and first <= _PAST:
        note(words("policy.past", quarter=words.quarter(str(first))))


@solara.component
def KeyNumbers():
    """Four key numbers under the policy, with their differences to the baseline."""
    session = use_session()
    words, answer = session.words, session.latest.value
    cells = [_key_number(words, answer, quantity, session) for quantity in HEADLINES]
    version = "" if answer is None else charts.version_of(answer)
    partial = answer is not None and answer.reached is not None
    solara.HTML(
        tag="dl",
        classes=["srdi-key-numbers"],
        attributes={"data-version": version, "aria-busy": str(partial).lower()},
        unsafe_innerHTML="".join(cells),
    )
    note(_basis(words, answer, session))
    for quantity in HEADLINES:
        if quantity not in FANS:  # those have it below their chart
            remark_on(words.labelled(words.column(quantity), remark(words, quantity)))


def _basis(words: Words, answer: Answer | None, session: Session) -> str:
    """What the key numbers are based on, and what the differences rest on."""
    if answer is None or answer.is_baseline:
        return words("policy.same")
    if answer.reached is not None:
        return words("policy.part", quarter=words.quarter(str(answer.reached)))
    runs = words("policy.pairs", pairs=len(answer.runs)) if answer.runs else words("policy.one_pair")
    return words("policy.basis", runs=runs, label=basis_text(answer, session))


def _key_number(words: Words, answer: Answer | None, quantity: str, session: Session) -> str:
    """One key number as HTML: value, paired difference with interval and verdict, baseline value."""
    when = words("policy.at_end", year=session.runner.until)
    title = escape(words("policy.key_number", title=words.column(quantity), when=when))
    if answer is None:
        return f'<div class="srdi-key-number"><dt>{title}</dt><dd class="srdi-value">…</dd></div>'
    unit, outcome = unit_of(quantity), effect(answer, quantity)
    difference = outcome.difference
    value, change, direction = words.level(outcome.value, outcome.low, outcome.high, unit), "", ""
    before = words.level(outcome.baseline, outcome.baseline_low, outcome.baseline_high, unit)
    about = words("policy.key_number_baseline", value=before)
    if answer.reached is not None:
        value, change = "…", "…"
    elif not answer.is_baseline:
        change, interval = words.estimate(difference.mean, difference.low, difference.high, unit, signed=True)
        if difference.clear and quantity != CUMULATIVE_COST:
            direction = "srdi-up" if difference.mean > 0.0 else "srdi-down"
        if difference.known:
            change += " " + words("policy.key_number_interval", interval=interval)
            about += f" · {verdict(words, difference, unit)}"
    return (
        f'<div class="srdi-key-number" data-quantity="{quantity}"><dt>{title}</dt>'
        f'<dd class="srdi-value">{value} <small>{escape(words.unit(unit))}</small></dd>'
        f'<dd class="srdi-change {direction}">{escape(change)}</dd><dd>{escape(about)}</dd></div>'
    )


def _factor(answer: Answer, quantity: str) -> float:
    """Model's own error of the effect on a quantity at the end (`viz.shared.doubt.effect_factor`)."""
    level = effect(answer, quantity).baseline
    return effect_factor(quantity, unit_per_quarter(quantity), days(answer.central)[-1], level)


@solara.component
def OfAnswer(make_spec: Callable[..., dict], *about: str) -> None:
    """A card with a chart of the latest answer.

    Args:
        make_spec: function of `viz.app.charts` that takes session, answer and `about`. about: the quantity, if any.
    """
    session = use_session()
    answer = session.latest.value
    with solara.Div(classes=["srdi-card"]):
        if answer is not None:
            charts.show_latest(session, answer, make_spec(session, answer, *about))
            for quantity in about:
                remark_on(remark(session.words, quantity))


@solara.component
def Prices():
    """The cost of an additional firm, once there are intervals."""
    session = use_session()
    words, answer = session.words, session.latest.value
    if answer is None or answer.is_baseline:
        return
    rows = []
    for quantity in GAINS:
        text = words("policy.price_wait")
        if answer.runs:
            costs, gains = (charts.differences(session.runner, answer, each) for each in (CUMULATIVE_COST, quantity))
            text = price_of(costs, gains, _factor(answer, quantity)).text(words)
        rows.append([words.column(quantity), text])
    with solara.Div(classes=["srdi-card"]):
        heading(words("policy.price"))
        heads = [words("cost.outcome"), words("cost.result")]
        html_table(TextTable(heads, rows, words=2), caption=words("policy.price"))
        note(words("policy.share_link"))
