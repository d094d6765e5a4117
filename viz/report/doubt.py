"""The section on doubt: the tornado of the strengths of levers, and which study would be worth making."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
from markupsafe import Markup

from scenarios.analysis.effects import kept_information
from scenarios.analysis.information import Information
from scenarios.analysis.tornado import widest
from scenarios.display.drawing import svg
from viz.report.blocks import Panel
from viz.report.panels import swings_chart
from viz.report.sections import Sections
from viz.shared.texts import TextTable
from viz.shared.units import unit_of
from viz.words.language import NOTHING, Words


@dataclass(frozen=True)
class Tornado:
    """The chart with its numbers, and what follows from it, in sentences."""

    panel: Panel
    sentences: list[str]


def tornado(sections: Sections) -> Tornado | None:
    """The tornado of a directory of ``srdi effects``; None if the results are of another kind."""
    found = kept_information(sections.compared.results)
    if found is None or widest(found).empty:
        return None
    return Tornado(_panel(sections.words, found), _sentences(sections.words, found))


def _panel(words: Words, found: Information) -> Panel:
    rows = widest(found)
    unit = unit_of(found.metric.name)
    means = found.ranking.set_index("lever")["gain_per_billion_yuan"]
    names = [
        words("doubt.strength", lever=words.lever(row.lever), parameter=row.parameter) for row in rows.itertuples()
    ]
    ends = pd.DataFrame({"low": rows["gain_low"], "high": rows["gain_high"], "middle": rows["lever"].map(means)})
    drawing = swings_chart(names, ends, means.iloc[0], lambda value: words.value(value, unit, signed=True))
    table = TextTable(
        [
            words(f"doubt.{head}")
            for head in ("row", "basis", "low", "high", "gain_low", "gain_high", "switches", "worth")
        ],
        [
            [
                name,
                words(f"label.{row.label}"),
                words.number(row.low),
                words.number(row.high),
                words.value(row.gain_low, unit, signed=True),
                words.value(row.gain_high, unit, signed=True),
                NOTHING if pd.isna(row.switches) else words.value(row.switches, "share"),
                words.value(row.value, unit, signed=True) if row.clear else words("doubt.chance"),
            ]
            for name, row in zip(names, rows.itertuples(), strict=True)
        ],
        words=2,
    )
    title = words("doubt.title", column=words.column(found.metric.name))
    alt = words("doubt.alt", column=words.column(found.metric.name), widest=names[0])
    return Panel(title, words.unit(unit), Markup(svg(drawing, alt)), table)


def _sentences(words: Words, found: Information) -> list[str]:
    """Which lever is best per yuan, and which study would be worth making."""
    if len(found.ranking) < 2:
        return [words("doubt.few")]
    unit, column, best = unit_of(found.metric.name), words.column(found.metric.name), found.ranking.iloc[0]
    gain = words.value(best["gain_per_billion_yuan"], unit, signed=True)
    texts = [words("doubt.best", lever=words.lever(best["lever"]), gain=gain, column=column)]
    studies = found.studies_worth_making
    if studies.empty:
        texts.append(words("doubt.no_study"))
    for row in studies.itertuples():
        lever = words("doubt.several") if pd.isna(row.lever) else words.lever(row.lever)
        values = {"gain": words.value(row.value, unit, signed=True), "share": words.value(row.switches, "share")}
        texts.append(words("doubt.study", parameter=row.parameter, lever=lever, column=column, **values))
    return texts
