"""The policy page: levers on the left, their effects on the right."""

from __future__ import annotations

import json
from functools import cache, partial
from html import escape

import solara

from scenarios.analysis.metrics import CUMULATIVE_COST
from viz.app import charts
from viz.app.answer_bar import AnswerBar
from viz.app.controls import control_groups, defaults
from viz.app.elements import choice, heading, html_button, html_table, note, toggle
from viz.app.lever_money import money_of_levers
from viz.app.policies import preset_of, preset_options, presets
from viz.app.share import CHARTS, OfAnswer, Printed, Share
from viz.app.state import is_computing, use_session
from viz.app.stories import PolicyStory
from viz.app.total import Total
from viz.app.what_changed import Gains, WhatChanged
from viz.app.widgets.panels import Choice, LeverPanel, Sheet
from viz.live.measures import effect
from viz.report.costs import GAINS
from viz.shared.prices import is_bought, price_of
from viz.shared.texts import TextTable
from viz.words.language import Words

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
    """Levers next to the national results; on small screens, the levers are a sheet over their lower half."""
    session = use_session()
    words = session.words
    with solara.Div(classes=["srdi-split", "srdi-policy"]):
        with solara.Div(classes=["srdi-card", "srdi-side", "srdi-sheet"], attributes={"id": "levers"}):
            Sheet(
                title=words("policy.levers"),
                note=words("policy.levers_changed", changed=len(session.settings.value)),
                controls="levers",
                above="answer",
            )
            Levers()
        with solara.Div(classes=["srdi-stack"], attributes={"id": "results"}):
            AnswerBar()
            Printed()
            PolicyStory()
            ChartChoices()
            with solara.Div(classes=["srdi-cards"]):
                first, *others = CHARTS
                OfAnswer(first)
                WhatChanged()
                for name in others:
                    OfAnswer(name)
            Gains()
            Prices()
            Share()


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
        titles = preset_options(words.language)
        Choice(
            label=words("policy.preset"),
            options=titles if preset else [["", words("policy.preset_none")], *titles],
            value=preset or "",
            event_choose=lambda name: session.take_preset(name) if name else None,
        )
        # Always there and as high: under the hand that moves a lever, nothing may move or be made anew.
        line = words.description(presets()[preset].model_dump()) if preset else words("policy.preset_own")
        solara.HTML(
            tag="p", classes=["srdi-note", "srdi-line"], attributes={"title": line}, unsafe_innerHTML=escape(line)
        )
        with solara.Div(classes=["srdi-row"]):
            html_button(words("policy.undo"), session.undo, disabled=not can_undo)
            html_button(words("policy.redo"), session.redo, disabled=not can_redo)
            html_button(words("policy.reset"), lambda: session.put({}), disabled=not settings)
            html_button(words("policy.keep"), lambda: session.keep(session.name_to_keep), disabled=not settings)
        Total()
        AllLevers()


@solara.component
def AllLevers():
    """The levers, each with what it has spent so far."""
    session = use_session()
    LeverPanel(
        declared=_declared(session.words.language),
        values=session.settings.value,
        money={"texts": money_of_levers(session), "waiting": is_computing(session)},
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
def ChartChoices():
    """Levels or differences, and the years of the charts; key figures are those of the last year's end."""
    session = use_session()
    words, view = session.words, charts.View.of(session, session.latest.value)
    with solara.Div(classes=["srdi-row", "srdi-choices"]):
        with solara.Div(attributes={"role": "group", "aria-label": words("policy.charts")}):
            for name in charts.CHARTS:
                pressed = (name == "difference") == view.difference
                toggle(words(f"policy.charts_{name}"), pressed, lambda name=name: session.choose("charts", name))
        years = charts.years_of(session)
        for name, chosen, allowed in (
            ("since", view.first, years[: view.last - years[0]] or years),
            ("horizon", view.last, years[view.first - years[0] + 1 :] or years),
        ):
            choice(
                words(f"policy.{name}"),
                str(chosen),
                {str(year): str(year) for year in allowed},
                partial(session.choose, name),
            )


@solara.component
def Prices():
    """The cost of an additional firm, once there are intervals."""
    session = use_session()
    words, answer = session.words, session.latest.value
    if answer is None or answer.is_baseline:
        return
    written = [each.model_dump(by_alias=True, mode="json") for each in (session.runner.baseline, answer.scenario)]
    if not is_bought(*written):
        with solara.Div(classes=["srdi-card"]):
            heading(words("policy.price"))
            note(words("policy.price_shock"))
        return
    rows = []
    for quantity in GAINS:
        text = words("policy.price_wait")
        if answer.runs:
            at = charts.View.of(session, answer).at(answer)
            costs, gains = (
                charts.differences(session.runner, answer, each, at) for each in (CUMULATIVE_COST, quantity)
            )
            text = price_of(costs, gains, effect(answer, quantity, at).factor).text(words)
        rows.append([words.column(quantity), text])
    with solara.Div(classes=["srdi-card"]):
        heading(words("policy.price"))
        heads = [words("policy.price_of", year=charts.View.of(session, answer).last), words("cost.result")]
        html_table(TextTable(heads, rows, words=2), caption=words("policy.price"), cards=False)
        note(words("cost.why"))
