"""National sections of the page: headlines, the ladder over time, effects, chain health."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import pandas as pd
from markupsafe import Markup

from scenarios.analysis.bands import ENDS as ENDS_OF_BAND
from scenarios.analysis.reported import ReportedFigure
from scenarios.display.drawing import svg
from scenarios.files.labels import Label
from viz.report.blocks import Headline, Panel, ScenarioPanels
from viz.report.panels import Stroke, difference_chart, fan_chart, lines_chart, stroke
from viz.shared.compared import Compared, reported_of
from viz.shared.estimates import verdict
from viz.shared.known import remark
from viz.shared.quantities import CHAINS, ENDS, HEADLINES, LADDER
from viz.shared.texts import TextTable
from viz.shared.units import unit_of
from viz.words.language import Words

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: Units of quantities whose axis starts at zero.
_FROM_ZERO = ("firms", "yuan per year")


class Sections:
    """Builder of the sections of a page in one language."""

    def __init__(self, compared: Compared, words: Words) -> None:
        self.compared = compared
        self.words = words
        scenarios = compared.results.manifest["scenarios"]
        self.titles = {scenario["name"]: words.scenario(scenario) for scenario in scenarios}
        self.looks = {name: stroke(position) for position, name in enumerate(compared.names)}
        self.when = words("time.end_of", year=compared.last.year)
        self.single = compared.runs_each == 1

    def key(self) -> list[tuple[str, Stroke]]:
        """Title and line style of every scenario."""
        return [(self.titles[name], self.looks[name]) for name in self.compared.names]

    def headlines(self) -> list[Headline]:
        """The headline numbers."""
        return [self._headline(quantity) for quantity in HEADLINES]

    def fans(self) -> list[ScenarioPanels]:
        """The ladder, productivity and spending of every scenario over time."""
        return [
            ScenarioPanels(
                self.titles[name],
                self.looks[name],
                [self._fan(name, quantity) for quantity in LADDER],
                basis=self.level_basis(name),
            )
            for name in self.compared.names
        ]

    def effects(self) -> list[ScenarioPanels]:
        """Paired differences of every scenario to the baseline, over time and at the end."""
        return [
            ScenarioPanels(
                self.titles[name],
                self.looks[name],
                [self._difference(name, quantity) for quantity in LADDER],
                self._ends(name),
                basis=self.difference_basis(name),
            )
            for name in self.compared.others
        ]

    def chains(self) -> list[Panel]:
        """Chain health of all scenarios over time."""
        return [self._lines(quantity) for quantity in CHAINS]

    def level_basis(self, name: str) -> str:
        """What the levels of a scenario rest on, in a sentence."""
        return self.words("label.level", label=self.words.label(self.compared.results.level_label(name)))

    def difference_basis(self, name: str) -> str:
        """What the differences of a scenario rest on, in a sentence."""
        return self.words("label.difference", label=self.words.label(self.label(name)))

    def _headline(self, quantity: str) -> Headline:
        words, unit = self.words, unit_of(quantity)
        rows = []
        for name in self.compared.others:
            end = self.compared.end(name, quantity)
            difference = end.difference
            change, interval = words.estimate(difference.mean, difference.low, difference.high, unit, signed=True)
            values = {
                "value": words.level(end.mean, end.low, end.high, unit),
                "difference": change,
                "interval": interval,
            }
            text = words("headline.row" if difference.known else "headline.row_one", **values)
            rests_on = words(f"label.{self.label(name).word}")
            rows.append((self.titles[name], text, verdict(self.words, difference, unit), rests_on))
        end = self.compared.end(self.compared.baseline, quantity)
        level, its_band = words.estimate(end.mean, end.low, end.high, unit)
        about = words(
            "headline.of_baseline_one" if self.single else "headline.of_baseline",
            scenario=self.titles[self.compared.baseline],
            when=self.when,
            interval=its_band,
        )
        value = words("headline.baseline_value", value=level, unit=words.unit(unit))
        label = words(f"label.{self.compared.results.level_label(self.compared.baseline).word}")
        return Headline(words.column(quantity), value, f"{about} · {label}", rows, remark(words, quantity))

    def label(self, name: str) -> Label:
        """What the differences of a scenario rest on."""
        return self.compared.results.change_label(self.compared.baseline, name)

    def _fan(self, name: str, quantity: str) -> Panel:
        words, unit, compared = self.words, unit_of(quantity), self.compared
        fan = compared.fan(name, quantity)
        before = None if name == compared.baseline else compared.fan(compared.baseline, quantity)
        beside = None if before is None else before[0.5]
        reported = reported_of(quantity, compared.last)
        drawing = fan_chart(
            fan,
            self.looks[name],
            self._axis(quantity),
            beside=None if beside is None else (beside, self.looks[compared.baseline]),
            reported=reported,
            from_zero=unit in _FROM_ZERO,
        )
        days = _year_ends(fan.index)
        line, most = zip(*(self._level(fan.loc[day], unit) for day in days), strict=True)
        columns: dict[str, Sequence[str]] = {"year": [str(day.year) for day in days], "line": line}
        if not self.single:
            columns["half"] = [self._level(fan.loc[day], unit, (0.25, 0.75))[1] for day in days]
            columns["most"] = most
        if before is not None:
            columns["beside"] = [self._level(before.loc[day], unit)[0] for day in days]
        if reported:
            columns["reported"] = self._reported(reported, days, unit)
        alt = words(
            "fan.alt",
            column=words.column(quantity),
            scenario=self.titles[name],
            first=line[0],
            first_year=days[0].year,
            last=line[-1],
            last_year=days[-1].year,
        )
        if not self.single:
            alt += words("fan.band_alt", interval=columns["most"][-1])
        if beside is not None:
            alt += words("fan.beside_alt", value=columns["beside"][-1])
        table = TextTable([words(f"fan.{head}") for head in columns], list(zip(*columns.values(), strict=True)))
        return self._panel(quantity, drawing, alt, table)

    def _reported(self, figures: list[ReportedFigure], days: list[pd.Timestamp], unit: str) -> list[str]:
        """Reported figures by year end: each in the row of the first year end at or after its date."""
        texts: dict[pd.Timestamp, list[str]] = {day: [] for day in days}
        for figure in figures:
            day = min(day for day in days if day >= figure.quarter_end)
            value, month = self.words.reported(figure, unit), self.words.month(figure.date)
            texts[day].append(self.words("number.bracketed", value=value, about=month))
        return [self.words.joined(figures) for figures in texts.values()]

    def _difference(self, name: str, quantity: str) -> Panel:
        words, unit = self.words, unit_of(quantity)
        effects = self.compared.effects(name, quantity)
        drawing = difference_chart(effects, self.looks[name], self._axis(quantity, signed=True))
        days = _year_ends(effects.index)
        rows = [effects.loc[day] for day in days]
        numbers = (words.estimate(row["mean"], row["low"], row["high"], unit, signed=True) for row in rows)
        mean, interval = zip(*numbers, strict=True)
        columns: dict[str, Sequence[str]] = {"fan.year": [str(day.year) for day in days], "effect.difference": mean}
        if not self.single:
            columns["effect.interval"] = interval
        titles = {"column": words.column(quantity), "scenario": self.titles[name]}
        alt = words("effect.alt", **titles, last=mean[-1], last_year=days[-1].year)
        if not self.single:
            alt += words("fan.band_alt", interval=interval[-1])
        table = TextTable([words(head) for head in columns], list(zip(*columns.values(), strict=True)))
        return self._panel(quantity, drawing, alt, table, levels=False)

    def _lines(self, quantity: str) -> Panel:
        words, unit, compared = self.words, unit_of(quantity), self.compared
        fans = {name: compared.fan(name, quantity) for name in compared.names}
        band = fans[compared.baseline]
        lines = [(fans[name][0.5], self.looks[name]) for name in compared.names]
        drawing = lines_chart(lines, band, self._axis(quantity))
        rows = [
            [str(day.year), *(self._level(fans[name].loc[day], unit)[0] for name in compared.names)]
            for day in _year_ends(band.index)
        ]
        values = [
            words("chain.value", scenario=self.titles[name], value=text)
            for name, text in zip(compared.names, rows[-1][1:], strict=True)
        ]
        alt = words("chain.alt", column=words.column(quantity), last_year=rows[-1][0], values=words.joined(values))
        heads = [words("fan.year"), *(self.titles[name] for name in compared.names)]
        return self._panel(quantity, drawing, alt, TextTable(heads, rows))

    def _ends(self, name: str) -> TextTable:
        words = self.words
        heads = [
            *(words(f"effect.{head}") for head in ("quantity", "verdict")),
            *(self.titles[each] for each in (self.compared.baseline, name)),
            *(words(f"effect.{head}") for head in ("difference", "interval", "relative")),
        ]
        return TextTable(heads, [self._end_row(name, quantity) for quantity in ENDS], words=2)

    def _end_row(self, name: str, quantity: str) -> list[str]:
        words, unit = self.words, unit_of(quantity)
        ends = [self.compared.end(each, quantity) for each in (self.compared.baseline, name)]
        before, difference = ends[0].mean, ends[1].difference
        relative = "–"
        if before and unit != "share":
            relative = words.relative(difference.mean / before, difference.low / before, difference.high / before)
        return [
            words("number.bracketed", value=words.column(quantity), about=words.unit(unit)),
            verdict(self.words, difference, unit),
            *(words.level(end.mean, end.low, end.high, unit) for end in ends),
            *words.estimate(difference.mean, difference.low, difference.high, unit, signed=True),
            relative,
        ]

    def _level(self, fan: pd.Series, unit: str, ends: tuple[float, float] = ENDS_OF_BAND) -> tuple[str, str]:
        """A level and its band at one date, from a row of `Compared.fan`."""
        low, high = (math.nan, math.nan) if self.single else (fan[end] for end in ends)
        return self.words.estimate(fan[0.5], low, high, unit)

    def _axis(self, quantity: str, signed: bool = False) -> Callable[[float], str]:
        """Formatter of the numbers of a vertical axis; shares are drawn as shares and printed in per cent."""
        unit = unit_of(quantity)
        if unit == "share":
            return lambda value: self.words.value(value, unit, signed)
        return lambda value: self.words.number(value, signed)

    def _panel(self, quantity: str, drawing: Figure, alt: str, table: TextTable, *, levels: bool = True) -> Panel:
        words = self.words
        title, unit = words.column(quantity), words.unit(unit_of(quantity))
        return Panel(title, unit, Markup(svg(drawing, alt)), table, remark(words, quantity) if levels else "")


def _year_ends(days: pd.DatetimeIndex) -> list[pd.Timestamp]:
    return [day for day in days if day.month == 12]
