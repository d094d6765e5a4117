"""The section on cash: payments by year and kind, and when budgets are used up."""

from __future__ import annotations

import pandas as pd
from markupsafe import Markup

from scenarios.analysis.cash import cash
from scenarios.display.drawing import svg
from viz.report.blocks import Panel, ScenarioPanels
from viz.report.panels import years_chart
from viz.report.sections import Sections
from viz.shared.payments import budgets_table, by_year, kinds, payments_table


def payments(sections: Sections) -> list[ScenarioPanels]:
    """Payments by year and kind of every scenario, the baseline first, and its budgets, if there are any."""
    words, compared = sections.words, sections.compared
    found = cash(compared.results, compared.names)
    result = []
    for name in compared.names:
        rows = found.rows[found.rows["scenario"] == name]
        budgets = found.budgets[found.budgets["scenario"] == name]
        label = words.label(compared.results.level_label(name))
        result.append(
            ScenarioPanels(
                sections.titles[name],
                sections.looks[name],
                [_panel(sections, name, kind, rows) for kind in kinds(rows)],
                None if budgets.empty else budgets_table(words, budgets),
                words("label.amounts", label=label),
            )
        )
    return result


def _panel(sections: Sections, name: str, kind: str, rows: pd.DataFrame) -> Panel:
    words, paid = sections.words, by_year(rows, kind)
    drawing = years_chart(paid, sections.looks[name], words.number)
    title = words(f"cash.{kind}")
    values = [words("chain.value", scenario=year, value=words.number(number)) for year, number in paid["value"].items()]
    alt = words("cash.alt", scenario=sections.titles[name], kind=title, values=words.joined(values))
    table = payments_table(words, rows, kind)
    return Panel(title, words.unit("yuan per year"), Markup(svg(drawing, alt)), table)
