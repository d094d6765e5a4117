"""What the report is made of: texts and drawings, ready for its template."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from viz.shared.texts import TextTable

if TYPE_CHECKING:
    from markupsafe import Markup

    from viz.report.panels import Stroke


@dataclass(frozen=True)
class Panel:
    """A chart with its title, unit, drawing and the numbers it is drawn from."""

    title: str
    unit: str
    drawing: Markup
    table: TextTable


@dataclass(frozen=True)
class ScenarioPanels:
    """What a section shows of one scenario: its title and look, charts, and a table where there is one."""

    title: str
    look: Stroke
    panels: Sequence[Panel]
    table: TextTable | None = None


@dataclass(frozen=True)
class Headline:
    """One of the first numbers: of the baseline, and of every other scenario with its difference and a verdict."""

    title: str
    value: str
    about: str
    rows: Sequence[tuple[str, str, str]]
