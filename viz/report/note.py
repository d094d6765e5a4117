"""What the notes of one page have in common: their parts, their frame, and how far the model can be trusted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files
from typing import Any, Protocol

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from scenarios.analysis.intervals import MIN_PAIRS
from scenarios.records.results import Results
from viz.shared.calibrated import packaged_validation
from viz.shared.texts import TextTable
from viz.words.language import Words

#: Most characters of a title: a note has one page.
TITLE = 70


class Note(Protocol):
    """A note of one page."""

    @property
    def about(self) -> dict[str, Any]:
        """Names of what it is about, for JSON."""

    def records(self) -> list[dict]:
        """Its numbers as plain values for JSON."""

    def html(self, language: str) -> str:
        """The note as one HTML page that loads nothing."""


@dataclass(frozen=True)
class Card:
    """One of the numbers at the top: title, value with unit, range, and whether it is clear, in words."""

    title: str
    value: str
    range: str
    verdict: str


@dataclass(frozen=True)
class Drawing:
    """The figure: title, drawing, and how to read it."""

    title: str
    svg: Markup
    note: str


@dataclass(frozen=True)
class Beside:
    """The table beside the figure.

    Attributes:
        name: of its section. heads: of the columns. rows: of cells, each a text and the range below it, or empty.
        notes: how to read it. text: what it shows. wrap: whether its cells may have several lines.
    """

    name: str
    title: str
    heads: Sequence[str]
    rows: Sequence[Sequence[tuple[str, str]]]
    notes: Sequence[str] = ()
    text: str = ""
    wrap: bool = False


@dataclass(frozen=True)
class Wide:
    """A table as wide as the page, with sentences below it; `name` is that of its section."""

    name: str
    title: str
    table: TextTable
    notes: Sequence[str] = ()


@dataclass(frozen=True)
class Listed:
    """A section of sentences; `name` is that of the section."""

    name: str
    title: str
    sentences: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class Content:
    """The content of a note in one language.

    Attributes:
        answer: in a sentence; empty if the numbers are the answer. description: of what it is about, or empty.
        above, below: wide tables before and after the figure. lists: sections of sentences, in order.
    """

    title: str
    question: str
    answer: str = ""
    description: str = ""
    cards_title: str
    cards: Sequence[Card]
    above: Sequence[Wide] = ()
    drawing: Drawing
    beside: Beside
    below: Sequence[Wide] = ()
    lists: Sequence[Listed]
    footer: str


def page(content: Content, words: Words) -> str:
    """A note as one HTML page that loads nothing."""
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    package = files("viz.report")
    template = environment.from_string(package.joinpath("brief.html.jinja").read_text(encoding="utf-8"))
    css = Markup(package.joinpath("brief.css").read_text(encoding="utf-8"))
    return template.render({"t": words, "note": content, "css": css}) + "\n"


def start_of(text: str, most: int) -> str:
    """The start of a text that is longer than `most` characters."""
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…"


def few(words: Words, runs: int) -> list[str]:
    """That so many runs or pairs are few, if they are."""
    return [words("brief.few", pairs=words.number(runs), enough=MIN_PAIRS)] if runs < MIN_PAIRS else []


def reproduced(words: Words) -> str:
    """How many of the reported figures the model reproduces."""
    targets = packaged_validation().results["targets"]
    inside = sum(bool(row["inside"]) for row in targets)
    return words("brief.reproduced", inside=words.number(inside), all=words.number(len(targets)))


def footer(words: Words, manifest: Mapping[str, Any], command: str) -> str:
    """Version, day, weight of a firm and the command that writes the note."""
    return words(
        "brief.footer",
        version=manifest["versions"]["srdi"],
        date=words.date(datetime.fromisoformat(manifest["started"]).date()),
        weight=words.number(1.0 / manifest["scale"]),
        command=command,
    )


def resting_on(words: Words, results: Results, basis: str) -> str:
    """What the differences rest on, and the strengths of the levers of the results."""
    return words.sentences([words("brief.basis", label=basis), words.strengths(results.lever_labels)])
