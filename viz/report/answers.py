"""The sections on answers of further commands that are kept beside the results: charts, tables and sentences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd
from markupsafe import Markup

from scenarios.analysis.additionality import Additionality, Numbers
from scenarios.analysis.decomposition import Decomposition
from scenarios.analysis.equal_money import EqualMoney
from scenarios.analysis.metrics import Metric
from scenarios.analysis.waterfall import bars_of
from scenarios.display.drawing import svg
from scenarios.search.answers import Answers
from scenarios.search.target_runs import Target
from viz.report.blocks import Panel
from viz.report.panels import Stroke, ranges_chart, reach_chart, shares_chart, stroke, waterfall_chart
from viz.report.sections import Sections
from viz.shared import additionality, decomposition, equal_money, target
from viz.shared.answers import quarterly_title
from viz.shared.texts import TextTable
from viz.words.language import Words

#: Sections in order, each the name of an answer, and the command that gives it.
COMMANDS = {
    "additionality": "srdi additionality {directory} --keep",
    "decomposition": "srdi decompose",
    "equal_money": "srdi equal-money",
    "target": "srdi target",
}
#: Line style of answers that are not about one scenario of the results.
_LOOK = stroke(0)


@dataclass(frozen=True)
class Block:
    """A part of a section.

    Attributes:
        title, look: of the scenario it is about; empty and None if it is about all.
        before, after: sentences before and after its charts and tables. key: what the charts show, in a sentence.
        tables: each with its title. folded: the same, of tables that are shown on request.
    """

    title: str = ""
    look: Stroke | None = None
    before: Sequence[str] = ()
    panels: Sequence[Panel] = ()
    key: str = ""
    tables: Sequence[tuple[str, TextTable]] = ()
    folded: Sequence[tuple[str, TextTable]] = ()
    after: Sequence[str] = ()


def sections_of(sections: Sections, answers: Answers) -> dict[str, list[Block]]:
    """The content of each section whose answer is kept, by the name of the section."""
    found = {
        "additionality": answers.additionality and _additionality(sections, answers.additionality),
        "decomposition": answers.decomposition and _decomposition(sections, answers.decomposition),
        "equal_money": answers.equal_money and _equal_money(sections, answers.equal_money),
        "target": answers.target and _target(sections.words, answers.target),
    }
    return {name: blocks for name, blocks in found.items() if blocks}


def missing(sections: Sections, shown: Sequence[str], directory: str) -> str:
    """Which further questions can be asked of the results, with the commands, in a sentence; empty if none is left.

    Args:
        shown: names of the sections that are there. directory: name of the results directory.
    """
    words = sections.words
    questions = [
        words("answers.question", title=words(f"section.{name}"), command=command.format(directory=directory))
        for name, command in COMMANDS.items()
        if name not in shown
    ]
    return words("answers.missing", questions=words.joined(questions)) if questions else ""


def _title(sections: Sections, name: str) -> str:
    """Title of a scenario; its name if the results do not have it."""
    return sections.titles.get(name, name)


# --- how many would have got there anyway


def _additionality(sections: Sections, found: Additionality) -> list[Block]:
    words = sections.words
    blocks = [Block(before=[additionality.about(words, found, _title(sections, found.baseline))])]
    for name, levers in found.levers.items():
        groups = found.groups(name)
        lever, numbers = additionality.of_all(groups, levers)
        look, title = sections.looks.get(name, _LOOK), _title(sections, name)
        before = additionality.supported_sentences(words, lever, numbers)
        if not additionality.has_firms(numbers):
            blocks.append(Block(title, look, before))
            continue
        label = next(iter(numbers.values()))
        before.append(words("additionality.basis", label=words.basis(label)))
        drawn = [
            *(["lever"] if len(levers) > 1 else []),
            *(by for by in additionality.DRAWN if len(additionality.group_numbers(groups, by)) > 1),
        ]
        panels = [
            _states(words, title, numbers),
            _amounts(words, title, look, numbers),
            *(_changed(words, title, look, by, groups) for by in drawn),
        ]
        tables = [(words("additionality.rivals"), additionality.rivals_table(words, groups, lever))]
        folded = [(words("additionality.by_province"), additionality.groups_table(words, "province", groups))]
        blocks.append(Block(title, look, before, panels, words("band.note"), tables, folded))
    return [
        *blocks,
        Block(after=[*additionality.notes(words, found, sections.titles), words("additionality.note_rivals")]),
    ]


def _states(words: Words, scenario: str, numbers: Numbers) -> Panel:
    names, rows = additionality.state_rows(words, numbers)
    values = [
        words("additionality.state_alt", title=name, anyway=words.number(round(anyway, 1)), added=words.number(added))
        for name, anyway, added in zip(names, rows["anyway"], rows["added"].round(1), strict=True)
    ]
    alt = words("additionality.states_alt", scenario=scenario, values=words.joined(values))
    drawing = shares_chart(names, rows, words.number)
    table = additionality.states_table(words, numbers)
    title, unit = words("additionality.states"), words("additionality.per_100")
    return Panel(title, unit, Markup(svg(drawing, alt)), table, words("additionality.states_key"))


def _amounts(words: Words, scenario: str, look: Stroke, numbers: Numbers) -> Panel:
    names, rows = additionality.amount_rows(words, numbers)
    values = [
        words("chain.value", scenario=name, value=words.percent(share, signed=True))
        for name, share in zip(names, rows["value"], strict=True)
    ]
    alt = words("additionality.amounts_alt", scenario=scenario, values=words.joined(values))
    drawing = ranges_chart(names, 100.0 * rows, look, lambda value: words.number(value, signed=True))
    table = additionality.amounts_table(words, numbers)
    return Panel(words("additionality.amounts"), "", Markup(svg(drawing, alt)), table)


def _changed(words: Words, scenario: str, look: Stroke, by: str, groups: additionality.Groups) -> Panel:
    found = additionality.group_numbers(groups, by)
    names = [additionality.group_name(words, by, group) for group in found]
    rows = pd.DataFrame([numbers["anything", "changed"] for numbers in found.values()])
    values = [
        words("chain.value", scenario=name, value=words.number(round(value, 1)))
        for name, value in zip(names, rows["value"], strict=True)
    ]
    alt = words("additionality.by_alt", scenario=scenario, values=words.joined(values))
    drawing = ranges_chart(names, rows, look, words.number)
    table = additionality.groups_table(words, by, groups)
    return Panel(words(f"additionality.by_{by}"), words("additionality.per_100"), Markup(svg(drawing, alt)), table)


# --- which lever does what


def _decomposition(sections: Sections, found: Decomposition) -> list[Block]:
    words = sections.words
    about = decomposition.about(words, found, _title(sections, found.scenario), _title(sections, found.baseline))
    shown = [(metric, quarter) for quarter in found.quarters for metric in found.quantities]
    pairs = [
        (quarterly_title(words, metric.name, quarter), decomposition.pairs_table(words, found, metric, quarter))
        for metric, quarter in shown
    ]
    folded = [
        (words("number.labelled", title=words("decomposition.pairs"), text=title), table)
        for title, table in pairs
        if table
    ]
    panels = [_waterfall(words, found, metric, quarter) for metric, quarter in shown]
    after = [words("decomposition.note"), words("decomposition.others")]
    return [Block(before=about, panels=panels, key=words("decomposition.key"), folded=folded, after=after)]


def _waterfall(words: Words, found: Decomposition, metric: Metric, quarter: str) -> Panel:
    names, bars = decomposition.bar_names(words, found, metric, quarter), bars_of(found, metric, quarter)
    values = [
        words("chain.value", scenario=name, value=words.value(value, metric.unit, signed=True))
        for name, value in zip(names, bars["value"], strict=True)
    ]
    title = quarterly_title(words, metric.name, quarter)
    alt = words("decomposition.alt", column=title, values=words.joined(values))
    drawing = waterfall_chart(names, bars, lambda value: words.value(value, metric.unit, signed=True))
    table = decomposition.parts_table(words, found, metric, quarter)
    return Panel(title, words.unit(metric.unit), Markup(svg(drawing, alt)), table)


# --- equal money


def _equal_money(sections: Sections, found: EqualMoney) -> list[Block]:
    words = sections.words
    about = equal_money.about(words, found, _title(sections, found.baseline))
    panels = [effects_panel(words, found, metric, quarter) for quarter in found.quarters for metric in found.quantities]
    tables = [(words("equal_money.policies"), equal_money.policies_table(words, found))]
    tables += [
        (words("equal_money.chances", quarter=words.quarter(quarter)), equal_money.chances_table(words, found, quarter))
        for quarter in found.quarters
    ]
    after = equal_money.notes(words, found)
    return [Block(before=about, panels=panels, key=words("band.note"), tables=tables, after=after)]


def effects_panel(words: Words, found: EqualMoney, metric: Metric, quarter: str) -> Panel:
    """What each policy does at the same cost, as a chart and a table."""
    rows, titles = equal_money.effects(found, metric.name, quarter), equal_money.titles_of(words, found)
    names = [titles[name] for name in rows["scenario"]]
    values = [
        words("chain.value", scenario=name, value=words.value(value, metric.unit, signed=True))
        for name, value in zip(names, rows["value"], strict=True)
    ]
    title = quarterly_title(words, metric.name, quarter)
    alt = words("equal_money.effects_alt", column=title, values=words.joined(values))
    drawing = ranges_chart(names, rows, _LOOK, lambda value: words.value(value, metric.unit, signed=True))
    table = equal_money.effects_table(words, found, metric, quarter)
    return Panel(title, words.unit(metric.unit), Markup(svg(drawing, alt)), table)


# --- a target


def _target(words: Words, found: Target) -> list[Block]:
    before = [target.asked_text(words, found), target.verdict_text(words, found)]
    tables = [
        (words("target.settings"), target.settings_table(words, found)),
        (words("target.levels"), target.levels_table(words, found)),
        (words("target.cost"), target.cost_table(words, found)),
    ]
    after = target.notes(words, found)
    return [
        Block(
            before=before, panels=[tried_panel(words, found)], key=words("target.chart_key"), tables=tables, after=after
        )
    ]


def tried_panel(words: Words, found: Target) -> Panel:
    """The points tried and the answer by cost and chance, as a chart and a table."""
    point = target.answer_point(found)
    drawing = reach_chart(found.tried, point, found.chance, words.number, words.percent)
    alt = words(
        "target.alt",
        trials=words.number(len(found.tried)),
        share=words.percent(point["met"]),
        cost=words.number(point["cost"], signed=True),
    )
    title, axes = words("target.chart"), words("target.chart_axes")
    return Panel(title, axes, Markup(svg(drawing, alt)), target.tried_table(words, found))
