"""Building blocks of the report: texts and drawings for its template."""

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
    """A chart: title, unit, drawing, the underlying numbers, and what is known badly of them."""

    title: str
    unit: str
    drawing: Markup
    table: TextTable
    remark: str = ""


@dataclass(frozen=True)
class ScenarioPanels:
    """The content of a section for one scenario: its title and line style, charts, and possibly a table.

    Attributes:
        basis: what the numbers rest on, in a sentence.
    """

    title: str
    look: Stroke
    panels: Sequence[Panel]
    table: TextTable | None = None
    basis: str = ""


@dataclass(frozen=True)
class Headline:
    """A headline number: of the baseline, and of every other scenario with its difference, verdict and label.

    Attributes:
        remark: what is known badly of it; empty if nothing is.
    """

    title: str
    value: str
    about: str
    rows: Sequence[tuple[str, str, str, str]]
    remark: str = ""
