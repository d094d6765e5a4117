"""The section on value: the parts of a policy's net benefit, its benefit-cost ratio and its MVPF."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
from markupsafe import Markup

from scenarios.analysis.value import value
from scenarios.display.drawing import svg
from viz.report.blocks import Panel
from viz.report.panels import Stroke, ranges_chart
from viz.report.sections import Sections
from viz.shared.texts import TextTable
from viz.shared.worth import against_baseline, drawn_parts, parts_table, parts_title, ratios_table, reasons


@dataclass(frozen=True)
class ScenarioWorth:
    """The worth of a scenario: title and line style, chart with the parts, ratios, and why some are missing."""

    title: str
    look: Stroke
    panel: Panel
    ratios: TextTable
    reasons: list[str]


def worth(sections: Sections) -> list[ScenarioWorth]:
    """The worth of every other scenario against the baseline; empty if there is no other."""
    compared = sections.compared
    if not compared.others:
        return []
    found = value(compared.results, compared.baseline)
    result = []
    for name in compared.others:
        rows = against_baseline(found, name)
        result.append(
            ScenarioWorth(
                sections.titles[name],
                sections.looks[name],
                _panel(sections, name, rows),
                ratios_table(sections.words, rows),
                reasons(sections.words, found, name),
            )
        )
    return result


def _panel(sections: Sections, name: str, rows: pd.DataFrame) -> Panel:
    words, means = sections.words, rows.set_index("quantity")["value"]
    titles, ends = drawn_parts(words, rows)
    drawing = ranges_chart(titles, ends, sections.looks[name], lambda number: words.number(number, signed=True))
    alt = words(
        "value.alt",
        scenario=sections.titles[name],
        gain=words.number(means["gain_yuan"], signed=True),
        cost=words.number(means["public_cost_yuan"], signed=True),
    )
    return Panel(parts_title(words), words.unit("yuan"), Markup(svg(drawing, alt)), parts_table(words, rows))
