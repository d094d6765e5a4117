"""What a page is made of: texts and drawings, ready for its template."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from markupsafe import Markup

    from viz.figures import Stroke


@dataclass(frozen=True)
class Table:
    """A table of texts; all columns but the first `words` are numbers."""

    heads: Sequence[str]
    rows: Sequence[Sequence[str]]
    words: int = 1


@dataclass(frozen=True)
class Chart:
    """A chart with its title, unit, drawing and the numbers it is drawn from."""

    title: str
    unit: str
    drawing: Markup
    table: Table


@dataclass(frozen=True)
class Part:
    """What a section shows of one scenario: its title and look, charts, and a table where there is one."""

    title: str
    look: Stroke
    charts: Sequence[Chart]
    table: Table | None = None


@dataclass(frozen=True)
class Headline:
    """One of the first numbers: of the baseline, and of every other scenario with its difference and a verdict."""

    title: str
    value: str
    about: str
    rows: Sequence[tuple[str, str, str]]
