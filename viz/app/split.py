"""Which lever of a policy does what: the decomposition, made in the background, as a waterfall and a table."""

from __future__ import annotations

import solara

from scenarios.analysis.decomposition import FEW, Decomposition
from scenarios.analysis.metrics import Metric
from scenarios.analysis.waterfall import bars_of
from scenarios.display.drawing import BLUE, GREY, ORANGE
from scenarios.files.parts import differing_parts
from scenarios.files.schema import Scenario
from viz.app import charts
from viz.app.background import Job, JobControls, metric_choice, use_job
from viz.app.elements import heading, html_table, note
from viz.app.state import Session, use_session
from viz.app.widgets.chart import Chart, interval, interval_chart
from viz.live.questions import decomposed
from viz.shared import decomposition
from viz.shared.answers import quarterly_title
from viz.words.language import Words

#: The quantity shown first.
_FIRST = "little_giants"


@solara.component
def WhichLever(scenario: Scenario) -> None:
    """The button that splits a policy among its parts, and the answer.

    Args:
        scenario: the policy, which differs from the baseline.
    """
    session = use_session()
    words, runner = session.words, session.runner
    parts = differing_parts(runner.baseline, scenario)
    job: Job[Decomposition] = use_job([scenario.model_dump_json()])
    note(words("funds.split_about"))
    if len(parts) < 2:
        note(words("funds.split_one"))
        return
    count = len(parts)
    combinations = 2**count - 1 if count <= FEW else 2 * count + 1
    note(words("funds.split_runs", parts=count, runs=words.number(combinations * runner.members)))
    JobControls(job, words("funds.split_start"), lambda progress: decomposed(runner, scenario, progress))
    if job.found is not None:
        Split(job.found, words.scenario(scenario.model_dump())).key(f"split {id(job.found)}")


@solara.component
def Split(found: Decomposition, title: str) -> None:
    """The waterfall of a chosen quantity, and its table.

    Args:
        title: of the policy.
    """
    session = use_session()
    words = session.words
    (quarter,) = found.quarters
    chosen = solara.use_reactive(_FIRST)
    baseline = words.scenario(session.runner.baseline.model_dump())
    for text in decomposition.about(words, found, title, baseline):
        note(text)
    metric = metric_choice(words, found.quantities, chosen)
    Chart(spec=waterfall_chart(session, found, metric), version=f"{id(found)} {chosen.value}")
    note(words("decomposition.key"))
    html_table(decomposition.parts_table(words, found, metric, quarter), quarterly_title(words, chosen.value, quarter))
    pairs = decomposition.pairs_table(words, found, metric, quarter)
    if pairs is not None:
        heading(words("decomposition.pairs"), "h4")
        html_table(pairs, words("decomposition.pairs"))
    note(words("decomposition.note"))


def waterfall_chart(session: Session, found: Decomposition, metric: Metric) -> dict:
    """From the baseline by each part alone and what they do together to the policy, each bar with its range."""
    words = session.words
    (quarter,) = found.quarters
    bars = bars_of(found, metric, quarter)
    colours = [
        GREY if whole else BLUE if better else ORANGE
        for whole, better in zip(bars["whole"], bars["better"], strict=True)
    ]
    title = quarterly_title(words, metric.name, quarter)
    names = decomposition.bar_names(words, found, metric, quarter)
    return interval_chart(
        names,
        [
            interval(
                words("money.change"),
                bars["low"],
                bars["value"],
                bars["high"],
                steps=list(zip(bars["start"], colours, strict=True)),
            )
        ],
        title=title,
        label=words(
            "decomposition.alt", column=title, values=_values(words, names, bars["value"].tolist(), metric.unit)
        ),
        unit=metric.unit,
        unit_text=words.unit(metric.unit),
        zero_line=True,
        signed=True,
        **charts.look(session),
    )


def _values(words: Words, names: list[str], values: list[float], unit: str) -> str:
    texts = (words.value(value, unit, signed=True) for value in values)
    return words.joined(
        [words("chain.value", scenario=name, value=text) for name, text in zip(names, texts, strict=True)]
    )
