"""The section on cash: payments by year and kind, and when budgets are used up."""

from __future__ import annotations

import pandas as pd
from markupsafe import Markup

from scenarios.analysis.cash import ALL, NOT_USED_UP, cash
from scenarios.display.drawing import svg
from viz.report.blocks import Panel, ScenarioPanels
from viz.report.panels import years_chart
from viz.report.sections import Sections
from viz.shared.texts import TextTable
from viz.words.language import NOTHING, Words


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
                [_panel(sections, name, kind, rows) for kind in rows["kind"].unique() if kind != ALL],
                None if budgets.empty else _budgets(words, budgets),
                words("label.amounts", label=label),
            )
        )
    return result


def _panel(sections: Sections, name: str, kind: str, rows: pd.DataFrame) -> Panel:
    words, look = sections.words, sections.looks[name]
    own = rows[(rows["kind"] == kind) & (rows["lever"] == ALL) & (rows["quarters"] == 4)]  # full years
    paid, so_far = (own[own["quantity"] == each].set_index("year") for each in ("paid_yuan", "paid_cumulative_yuan"))
    drawing = years_chart(paid, look, words.number)
    title = words(f"cash.{kind}")
    values = [words("chain.value", scenario=year, value=words.number(number)) for year, number in paid["value"].items()]
    alt = words("cash.alt", scenario=sections.titles[name], kind=title, values=words.joined(values))
    table = TextTable(
        [*(words(f"cash.{head}") for head in ("year", "paid")), words("gain.band"), words("cash.so_far")],
        [
            [
                str(year),
                *words.estimate(row["value"], row["low"], row["high"], "yuan"),
                words.number(so_far["value"][year]),
            ]
            for year, row in paid.iterrows()
        ],
    )
    return Panel(title, words.unit("yuan per year"), Markup(svg(drawing, alt)), table)


def _budgets(words: Words, rows: pd.DataFrame) -> TextTable:
    heads = ("budget", "committed", "committed_band", "used_up", "used_up_band", "used_up_share")
    texts = []
    for lever, own in rows.groupby("lever", sort=False):
        found = {row["quantity"]: row for _, row in own.iterrows()}
        share, when = found["budget_used_share"], found["used_up_quarter"]
        texts.append(
            [
                words.lever(str(lever)),
                words.number(found["budget_yuan"]["value"]),
                *words.estimate(share["value"], share["low"], share["high"], "share"),
                _quarter(words, when["value"]),
                _quarters(words, when["low"], when["high"]),
                words.value(found["used_up_share"]["value"], "share"),
            ]
        )
    return TextTable([words("cost.lever"), *(words(f"cash.{head}") for head in heads)], texts)


def _quarter(words: Words, quarter: str) -> str:
    return words("cash.not_used_up") if quarter == NOT_USED_UP else words.quarter(quarter)


def _quarters(words: Words, low: str | float, high: str | float) -> str:
    """The range of quarters; one of them if they are the same, a dash for a single run."""
    if not (isinstance(low, str) and isinstance(high, str)):
        return NOTHING
    return _quarter(words, low) if low == high else words.span(_quarter(words, low), _quarter(words, high))
