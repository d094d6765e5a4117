"""Comparisons of policies in words and tables, from the numbers of `viz.live.findings`."""

from __future__ import annotations

from markupsafe import Markup, escape

from scenarios.analysis.metrics import CUMULATIVE_COST
from viz.live.findings import PRICED, ROBUST, Findings
from viz.report.sections import Sections
from viz.shared.estimates import Estimate, verdict
from viz.shared.quantities import ENDS
from viz.shared.texts import TextTable
from viz.shared.units import unit_of
from viz.words.language import NOTHING, Words


def effects_table(findings: Findings, words: Words) -> TextTable:
    """Effects at the end, one row per quantity and one column per policy: difference, interval and verdict."""
    sections, compared = Sections(findings.compared, words), findings.compared
    heads = [words("compare.quantity"), *(sections.titles[name] for name in compared.names)]
    rows = []
    for quantity in ENDS:
        unit = unit_of(quantity)
        before = findings.ends[compared.baseline, quantity]
        level, its_band = words.estimate(before.mean, before.low, before.high, unit)
        cells = [
            _lines(words.column(quantity), words.unit(unit)),
            _lines(level, its_band if its_band != NOTHING else ""),
        ]
        for name in compared.others:
            difference = findings.ends[name, quantity].difference
            cells.append(_lines(*_difference(difference, unit, words), verdict(words, difference, unit)))
        rows.append(cells)
    levels = compared.results.level_label(compared.baseline)
    changes = (compared.results.change_label(compared.baseline, name) for name in compared.others)
    labels = [words.label(label) for label in (levels, *changes)]
    return TextTable(heads, [*rows, [words("cost.rests_on"), *labels]])


def prices_table(findings: Findings, words: Words) -> TextTable:
    """The cost of an additional firm, one row per kind of firm and one column per policy; additional spending first."""
    sections, compared = Sections(findings.compared, words), findings.compared
    heads = [words("compare.price"), *(sections.titles[name] for name in compared.others)]
    spent = []
    for name in compared.others:
        cost = findings.ends[name, CUMULATIVE_COST].difference
        spent.append(_lines(*_difference(cost, "yuan", words)))
    rows: list[list[str]] = [[_lines(words("cost.extra_cost"), words("compare.whole_run")), *spent]]
    for quantity in PRICED:
        texts = (findings.prices[name, quantity].text(words) for name in compared.others)
        rows.append([words.column(quantity), *texts])
    return TextTable(heads, rows, words=1 + len(compared.others))


def prices_notes(findings: Findings, words: Words) -> list[str]:
    """What prices mean; why they can be many times an award, if there is a price."""
    priced = any(price.ratio is not None for price in findings.prices.values())
    return [words("cost.note"), *([words("cost.why")] if priced else [])]


def robustness_tables(findings: Findings, words: Words) -> list[tuple[str, TextTable]]:
    """Performance over all states of the world: title and table for each quantity, one row per policy."""
    sections, compared = Sections(findings.compared, words), findings.compared
    heads = [words(f"compare.{head}") for head in ("policy", "better", "worst", "best", "regret")]
    tables = []
    for quantity in ROBUST:
        unit = unit_of(quantity)
        rows = []
        for name in compared.names:
            row = findings.robustness[name, quantity]
            own = name != compared.baseline
            rows.append(
                [
                    sections.titles[name],
                    words.percent(row.better) if own else NOTHING,
                    words.value(row.worst, unit, signed=True) if own else NOTHING,
                    words.percent(row.best),
                    words.value(row.regret, unit),
                ]
            )
        title = words("number.bracketed", value=words.column(quantity), about=words.unit(unit))
        tables.append((title, TextTable(heads, rows)))
    return tables


def _difference(difference: Estimate, unit: str, words: Words) -> tuple[str, str]:
    """A difference and its interval; the latter is empty if there is none or it is a single number."""
    value, interval = words.estimate(difference.mean, difference.low, difference.high, unit, signed=True)
    return value, interval if difference.known and difference.low != difference.high else ""


def _lines(first: str, *others: str) -> Markup:
    """Texts below each other in a cell, the first one large."""
    small = (Markup("<small>{}</small>").format(text) for text in others if text)
    return Markup("<br>").join([escape(first), *small])
