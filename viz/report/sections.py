"""National sections of the page: headlines, the ladder over time, effects, chain health."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pandas as pd
from markupsafe import Markup

from scenarios.analysis.reported import ReportedFigure
from scenarios.display.drawing import svg
from scenarios.files.labels import Label
from viz.report.blocks import Headline, Panel, ScenarioPanels
from viz.report.panels import Stroke, difference_chart, fan_chart, lines_chart, stroke
from viz.shared.compared import Compared, reported_of
from viz.shared.estimates import verdict
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
            ScenarioPanels(self.titles[name], self.looks[name], [self._fan(name, quantity) for quantity in LADDER])
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
                self.words("label.difference", label=self.words.label(self.label(name))),
            )
            for name in self.compared.others
        ]

    def chains(self) -> list[Panel]:
        """Chain health of all scenarios over time."""
        return [self._lines(quantity) for quantity in CHAINS]

    def _headline(self, quantity: str) -> Headline:
        words, unit = self.words, unit_of(quantity)
        rows = []
        for name in self.compared.others:
            end = self.compared.end(name, quantity)
            difference = end.difference
            values = {
                "value": words.value(end.mean, unit),
                "difference": words.value(difference.mean, unit, signed=True),
                "interval": words.interval(difference.low, difference.high, unit, signed=True),
            }
            text = words("headline.row" if difference.known else "headline.row_one", **values)
            rests_on = words(f"label.{self.label(name).word}")
            rows.append((self.titles[name], text, verdict(self.words, difference), rests_on))
        end = self.compared.end(self.compared.baseline, quantity)
        about = words(
            "headline.of_baseline_one" if self.single else "headline.of_baseline",
            scenario=self.titles[self.compared.baseline],
            when=self.when,
            interval=words.interval(end.low, end.high, unit),
        )
        value = words("headline.baseline_value", value=words.value(end.mean, unit), unit=words.unit(unit))
        return Headline(words.column(quantity), value, about, rows)

    def label(self, name: str) -> Label:
        """What the differences of a scenario rest on."""
        return self.compared.results.change_label(self.compared.baseline, name)

    def _fan(self, name: str, quantity: str) -> Panel:
        words, unit, compared = self.words, unit_of(quantity), self.compared
        fan = compared.fan(name, quantity)
        beside = None if name == compared.baseline else compared.fan(compared.baseline, quantity)[0.5]
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
        median = [words.value(fan.loc[day, 0.5], unit) for day in days]
        columns = {"year": [str(day.year) for day in days], "median": median}
        if not self.single:
            columns["half"] = [words.interval(fan.loc[day, 0.25], fan.loc[day, 0.75], unit) for day in days]
            columns["most"] = [words.interval(fan.loc[day, 0.05], fan.loc[day, 0.95], unit) for day in days]
        if beside is not None:
            columns["beside"] = [words.value(beside[day], unit) for day in days]
        if reported:
            columns["reported"] = self._reported(reported, days, unit)
        alt = words(
            "fan.alt",
            column=words.column(quantity),
            scenario=self.titles[name],
            first=median[0],
            first_year=days[0].year,
            last=median[-1],
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
        differences = self.compared.differences(name, quantity)
        drawing = difference_chart(differences, self.looks[name], self._axis(quantity, signed=True))
        days = _year_ends(differences.index)
        mean = [words.value(differences.loc[day].mean(), unit, signed=True) for day in days]
        columns = {"fan.year": [str(day.year) for day in days], "effect.difference": mean}
        if not self.single:
            low, high = (differences.quantile(quantile, axis=1) for quantile in (0.05, 0.95))
            columns["fan.most"] = [words.interval(low[day], high[day], unit, signed=True) for day in days]
        titles = {"column": words.column(quantity), "scenario": self.titles[name]}
        alt = words("effect.alt", **titles, last=mean[-1], last_year=days[-1].year)
        if not self.single:
            alt += words("fan.band_alt", interval=columns["fan.most"][-1])
        table = TextTable([words(head) for head in columns], list(zip(*columns.values(), strict=True)))
        return self._panel(quantity, drawing, alt, table)

    def _lines(self, quantity: str) -> Panel:
        words, unit, compared = self.words, unit_of(quantity), self.compared
        band = compared.fan(compared.baseline, quantity)
        medians = {name: compared.fan(name, quantity)[0.5] for name in compared.names}
        drawing = lines_chart(
            [(medians[name], self.looks[name]) for name in compared.names], band, self._axis(quantity)
        )
        rows = [
            [str(day.year), *(words.value(medians[name][day], unit) for name in compared.names)]
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
        end = self.compared.end(name, quantity)
        before = self.compared.end(self.compared.baseline, quantity).mean
        difference = end.difference
        relative = difference.mean / before if before and unit != "share" else None
        return [
            words("number.bracketed", value=words.column(quantity), about=words.unit(unit)),
            verdict(self.words, difference),
            words.value(before, unit),
            words.value(end.mean, unit),
            words.value(difference.mean, unit, signed=True),
            words.interval(difference.low, difference.high, unit, signed=True),
            words.percent(relative, signed=True),
        ]

    def _axis(self, quantity: str, signed: bool = False) -> Callable[[float], str]:
        """Formatter of the numbers of a vertical axis; shares are drawn as shares and printed in per cent."""
        unit = unit_of(quantity)
        return lambda value: self.words.value(value, unit, signed)

    def _panel(self, quantity: str, drawing: Figure, alt: str, table: TextTable) -> Panel:
        words = self.words
        return Panel(words.column(quantity), words.unit(unit_of(quantity)), Markup(svg(drawing, alt)), table)


def _year_ends(days: pd.DatetimeIndex) -> list[pd.Timestamp]:
    return [day for day in days if day.month == 12]
