"""Words and numbers in the user's language."""

from __future__ import annotations

import calendar
import math
import re
import tomllib
from collections.abc import Iterable, Mapping
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np

from scenarios.analysis.reported import ReportedFigure
from scenarios.display.formatting import COUNTED, Supported, supported
from scenarios.errors import printable
from scenarios.files.describe import lever_about, lever_title
from scenarios.files.labels import Label
from scenarios.files.schema import nested_models
from sim.calendar import Quarter
from sim.levers import Lever, Levers
from sim.reference import read_data

#: Significant digits: of numbers from 100 on, and of smaller ones.
SIGNIFICANT_DIGITS, FEW_DIGITS = 4, 3
MINUS, NOTHING = "−", "–"


@cache
def catalogue(language: str) -> dict:
    """The words of a language as nested tables, from ``viz/words``: for reports, levers and the web page."""
    texts: dict = {}
    for name in (language, f"levers.{language}", f"app.{language}"):
        text = files("viz.words").joinpath(f"{name}.toml").read_text(encoding="utf-8")
        for table, words in tomllib.loads(text).items():
            texts.setdefault(table, {}).update(words)
    return texts


class Words:
    """Texts and numbers in one language; calling it with a dotted key returns the text with its placeholders filled."""

    def __init__(self, language: str) -> None:
        self.language = language
        self._texts = catalogue(language)
        self._scales = [(scale, name) for scale, name in self._texts["number"]["scales"]]

    def __call__(self, key: str, **values: object) -> str:
        """The text of a dotted key; raises KeyError if the catalogue does not have it."""
        return self.raw(key).format(**values)

    def raw(self, key: str) -> str:
        """The text of a dotted key with its placeholders unfilled."""
        entry: Any = self._texts
        for part in key.split("."):
            entry = entry[part]
        return entry

    def number(self, value: float | None, signed: bool = False, beside: float | None = None) -> str:
        """A number: counts whole with separators (in Chinese, 万 and 亿 from ten thousand on), others short.

        Args:
            beside: another number in the same text, such as the other end of an interval; the larger of the two decides
                for both whether they are in millions.
        """
        if value is None or not math.isfinite(value):
            return NOTHING
        size = abs(float(value))
        largest = max(size, abs(beside)) if beside is not None and math.isfinite(beside) else size
        # Rounded before the scale is chosen: 9,999.7 is one 万, not 10,000.
        rounded = float(f"{largest:.{SIGNIFICANT_DIGITS}g}")
        for scale, name in self._scales:
            if rounded >= scale and size > 0.0:
                text = _short(size / scale, SIGNIFICANT_DIGITS) + name
                break
        else:
            text = _short(size, FEW_DIGITS)
        if text == "0":
            return text
        return (MINUS if value < 0 else "+" if signed else "") + text

    def value(self, value: float | None, unit: str, signed: bool = False, beside: float | None = None) -> str:
        """A number in a unit, without the unit's name; a share in per cent, a difference of shares in points.

        Args:
            beside: as in `number`, in the same unit.
        """
        if value is None or not math.isfinite(value):
            return NOTHING
        if unit in COUNTED:
            value = round(value)
        if unit != "share":
            return self.number(value, signed, beside)
        if not signed:
            return self.percent(value)
        return self("number.points", number=self.number(round(100.0 * value, 2), signed))

    def interval(self, low: float, high: float, unit: str, signed: bool = False) -> str:
        """The two ends of an interval on one scale, that of the larger; a dash if there is no interval."""
        if not (math.isfinite(low) and math.isfinite(high)):
            return NOTHING
        if unit == "share" and signed:
            ends = (self.number(round(100.0 * end, 2), signed) for end in (low, high))
            return self("number.points", number=self.span(*ends))
        return self.span(self.value(low, unit, signed, beside=high), self.value(high, unit, signed, beside=low))

    def estimate(self, value: float, low: float, high: float, unit: str, signed: bool = False) -> tuple[str, str]:
        """A number and its interval, both with the digits that the interval supports; a dash for an unknown interval.

        Args:
            value, low, high: in the unit, as declared in the results. signed: they are of a difference.
        """
        if not (math.isfinite(low) and math.isfinite(high)):
            return self.value(value, unit, signed), NOTHING
        shown = supported(value, low, high, unit)
        largest = max(abs(shown.low), abs(shown.high), abs(shown.value))
        texts = [self._stepped(each, largest, shown, unit, signed) for each in (shown.value, shown.low, shown.high)]
        if unit != "share":
            return texts[0], self.span(*texts[1:])
        if signed:
            points = (texts[0], self.span(*texts[1:]))
            return self("number.points", number=points[0]), self("number.points", number=points[1])
        percents = [self("number.percent", number=text) for text in texts]
        return percents[0], self.span(*percents[1:])

    def level(self, value: float, low: float, high: float, unit: str) -> str:
        """A level alone, with the digits that its interval supports; without an interval as `value`."""
        return self.estimate(value, low, high, unit)[0]

    def relative(self, value: float, low: float, high: float) -> str:
        """A difference as a share of a level, in per cent, with the digits that its interval supports."""
        if not (math.isfinite(low) and math.isfinite(high)):
            return self.percent(value, signed=True)
        shown = supported(value, low, high, "share")
        return self("number.percent", number=self._stepped(shown.value, abs(shown.value), shown, "share", True))

    def _stepped(self, value: float, largest: float, shown: Supported, unit: str, signed: bool) -> str:
        """A multiple of the step of an estimate, on the scale of the largest of its numbers."""
        percent = 100.0 if unit == "share" else 1.0
        value, largest, step = (percent * each for each in (value, largest, shown.step))
        scale, name = next(((scale, name) for scale, name in self._scales if largest >= scale), (1.0, ""))
        if value == 0.0:
            return "0"
        decimals = max(-math.floor(math.log10(step / scale) + 1e-9), 0)
        text = f"{abs(value) / scale:,.{decimals}f}"
        if "." in text:
            text = text.rstrip("0").rstrip(".")
        return (MINUS if value < 0.0 else "+" if signed else "") + text + name

    def bounds(self, low: float | None, high: float | None, unit: str) -> str:
        """An interval that may lack an end; a single number if both ends are written alike."""
        if low is None or high is None:
            end, key = (low, "at_least") if high is None else (high, "at_most")
            return self(f"number.{key}", value=self.value(end, unit))
        first, last = self.value(low, unit, beside=high), self.value(high, unit, beside=low)
        return first if first == last else self.span(first, last)

    def labelled(self, title: str, text: str) -> str:
        """A text with what it is about before it; empty if the text is."""
        return self("number.labelled", title=title, text=text) if text else ""

    def span(self, first: str, last: str) -> str:
        """From one text to another."""
        return self("number.interval", low=first, high=last)

    def setting(self, value: Any) -> str:
        """The value of a scenario's setting; None and an empty list in words."""
        if value is None:
            return self("number.nothing")
        if isinstance(value, bool):
            return self("number.yes" if value else "number.no")
        if isinstance(value, int | float):
            return self.number(value)
        if isinstance(value, str):
            return value
        return self.joined(list(map(str, value))) or self("number.everywhere")

    def percent(self, share: float | None, signed: bool = False) -> str:
        """A share in per cent; a dash for None."""
        return NOTHING if share is None else self("number.percent", number=self.number(round(100.0 * share, 2), signed))

    def reported(self, figure: ReportedFigure, unit: str) -> str:
        """A reported figure as the interval of its rounding, or its one end."""
        return self.bounds(figure.low, figure.high, unit)

    def unit(self, unit: str) -> str:
        """The name of a unit of the results' columns or of the levers' settings."""
        return self._texts["unit"].get(unit, unit)

    def quarter(self, text: str) -> str:
        """A quarter such as 2024Q1."""
        quarter = Quarter.parse(text)
        return self("time.quarter", year=quarter.year, number=quarter.number)

    def month(self, day: date) -> str:
        """The month of a day."""
        return self("time.month", year=day.year, month=day.month, month_name=calendar.month_name[day.month])

    def date(self, day: date) -> str:
        """A day."""
        return self("time.day", year=day.year, month=day.month, month_name=calendar.month_name[day.month], day=day.day)

    def joined(self, texts: list[str]) -> str:
        """Several texts as a list within a sentence."""
        return self("number.and").join(texts)

    def sentences(self, texts: Iterable[str]) -> str:
        """Sentences one after another; Chinese has no spaces between them."""
        return (" " if self.language == "en" else "").join(texts)

    def column(self, name: str) -> str:
        """Title of a quantity."""
        return self(f"column.{name.replace('.', '_')}")

    def quarterly(self, name: str) -> str:
        """Title of a national quantity of one quarter, where that of a flow is not its sum over a year."""
        return self._texts["of_quarter"].get(name) or self.column(name)

    def lever(self, name: str) -> str:
        """Title of a lever; if the catalogue has none, the one in its declaration."""
        return self._texts["lever"].get(name) or lever_title(name, self.language)

    def lever_help(self, name: str) -> str:
        """What a lever does; if the catalogue has no text, the first sentences of its declaration."""
        return self._texts["lever_help"].get(name) or lever_about(name)

    def lever_cost(self, name: str) -> str:
        """How a lever's cost arises; if the catalogue has no text, the rule in its declaration."""
        return self._texts["lever_cost"].get(name) or nested_models(Levers, Lever)[name].cost_rule

    def setting_label(self, key: str) -> str:
        """Label of a setting of a lever, rule or shock, given its dotted key, such as rules.little_giant.capacity."""
        return self._of_setting("setting", key) or key.rpartition(".")[2].replace("_", " ").capitalize()

    def setting_help(self, key: str, description: str) -> str:
        """What a setting means: the catalogue's sentence, or else its description in the schema."""
        return self._of_setting("setting_help", key) or description

    def _of_setting(self, table: str, key: str) -> str:
        """A table's text for a setting: for its whole key, or else for the name of its field; or empty."""
        texts = self._texts.get(table, {})
        return texts.get(key.replace(".", "_")) or texts.get(key.rpartition(".")[2], "")

    def label(self, label: Label, most: int = 2) -> str:
        """What a number rests on, with the first studies and how many there are besides."""
        return self._resting_on(label.word, label.names, most)

    def basis(self, row: Mapping[str, Any], most: int = 2) -> str:
        """As `label`, from the columns `label` and `studies` of a row."""
        return self._resting_on(row["label"], [name for name in str(row["studies"]).split(", ") if name], most)

    def _resting_on(self, word: str, names: list[str], most: int) -> str:
        text = self(f"label.{word}")
        if not names:
            return text
        studies = self.joined(names[:most])
        if len(names) > most:
            studies = self("label.more", studies=studies, more=len(names) - most)
        return self("label.named", label=text, studies=studies)

    def strengths(self, levers: Mapping[str, Label]) -> str:
        """What the strengths of levers rest on, in a sentence."""
        evidence = sum(label.word == "evidence" for label in levers.values())
        if not evidence:
            return self("label.assumed_levers")
        return self("label.evidence_levers", evidence=self.number(evidence), all=self.number(len(levers)))

    def scenario(self, scenario: dict) -> str:
        """Title of a scenario of a manifest, or its name if it has none."""
        titles = (scenario["title_zh"], scenario["title"]) if self.language == "zh" else (scenario["title"],)
        return printable(next((title for title in titles if title), scenario["name"]))

    def reads(self, text: str) -> bool:
        """Whether to show a text: on Chinese pages only if it contains Chinese."""
        return self.language == "en" or _has_chinese(text)

    def province(self, name: str) -> str:
        """Name of a province."""
        if self.language == "en":
            return name
        return next(row["name_zh"] for row in read_data("provinces")["province"] if row["name"] == name)


def _short(size: float, least: int) -> str:
    """A non-negative number: whole from 1,000 on, else to significant digits, without trailing zeros."""
    if size >= 1000.0:
        return f"{size:,.0f}"
    if size == 0.0:
        return "0"
    digits = SIGNIFICANT_DIGITS if size >= 100.0 else least
    return np.format_float_positional(size, precision=digits, unique=False, fractional=False, trim="-")


def _has_chinese(text: str) -> bool:
    return re.search(r"[\u4e00-\u9fff]", text) is not None
