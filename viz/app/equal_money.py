"""Policies compared at equal money: the kept ones, scaled to the same additional public cost by runs of the page."""

from __future__ import annotations

import math

import solara

from scenarios.analysis.equal_money import EqualMoney
from scenarios.files.schema import Scenario
from viz.app import charts
from viz.app.background import Job, JobControls, metric_choice, use_job
from viz.app.elements import heading, html_table, items, note
from viz.app.state import Session, use_session
from viz.app.total import total_of
from viz.app.widgets.chart import Chart, interval
from viz.live.rescaling import at_equal_money
from viz.shared import equal_money
from viz.shared.answers import quarterly_title
from viz.words.language import Words

#: The quantity of the chart unless another is chosen.
_FIRST = "little_giants"


@solara.component
def AtEqualMoney(policies: tuple[Scenario, ...]) -> None:
    """The button that compares policies at equal money, and the comparison.

    Args:
        policies: the kept ones that can be run, with different names.
    """
    session = use_session()
    words, runner, total = session.words, session.runner, total_of(session)
    job: Job[EqualMoney] = use_job([tuple(policy.model_dump_json() for policy in policies), total])
    with solara.Div(classes=["srdi-card", "srdi-stack"], attributes={"id": "equal-money"}):
        heading(words("section.equal_money"))
        note(words("funds.equal_about"))
        if len(policies) < 2:
            note(words("funds.equal_two"))
            return
        cost = words.number(total) if total else ""
        note(words("funds.equal_total", total=cost) if total else words("funds.equal_cheapest"))
        work = lambda progress: at_equal_money(runner, policies, total or None, progress)[0]  # noqa: E731
        JobControls(job, words("funds.equal_start"), work)
        if job.found is not None:
            Found(job.found).key(f"found {id(job.found)}")


@solara.component
def Found(found: EqualMoney) -> None:
    """What each policy does at the same cost, and in how many pairs it beats another."""
    session = use_session()
    words = session.words
    (quarter,) = found.quarters
    chosen = solara.use_reactive(_FIRST)
    baseline = words.scenario(session.runner.baseline.model_dump())
    for text in equal_money.about(words, found, baseline):
        note(text)
    html_table(equal_money.policies_table(words, found), words("equal_money.policies"))
    items(settings_texts(words, found))
    metric = metric_choice(words, found.quantities, chosen)
    with solara.Div(classes=["srdi-stack"]):
        Chart(spec=effects_chart(session, found, chosen.value, quarter), version=f"{id(found)} {chosen.value}")
        html_table(
            equal_money.effects_table(words, found, metric, quarter), quarterly_title(words, chosen.value, quarter)
        )
    title = words("equal_money.chances", quarter=words.quarter(quarter))
    heading(title, "h3")
    html_table(equal_money.chances_table(words, found, quarter), title)
    for text in equal_money.notes(words, found):
        note(text)


def effects_chart(session: Session, found: EqualMoney, quantity: str, quarter: str) -> dict:
    """Effects of all policies on a quantity at the same cost, with their ranges."""
    words, rows = session.words, equal_money.effects(found, quantity, quarter)
    titles = equal_money.titles_of(words, found)
    title = quarterly_title(words, quantity, quarter)
    values = [words.value(value, "", signed=True) for value in rows["value"] if math.isfinite(value)]
    return charts.changes_chart(
        session,
        [titles[name] for name in rows["scenario"]],
        interval(words("money.change"), rows["low"], rows["value"], rows["high"], colour=charts.POLICY),
        title=title,
        label=words("equal_money.effects_alt", column=title, values=words.joined(values)),
        unit=str(rows["unit"].iloc[0]),
    )


def settings_texts(words: Words, found: EqualMoney) -> list[str]:
    """What of each policy was scaled, from what to what."""
    titles = equal_money.titles_of(words, found)
    return [
        words("funds.equal_factor", policy=titles[row["scenario"]], factor=words.number(row["factor"]))
        for _, row in found.policies.iterrows()
    ]
