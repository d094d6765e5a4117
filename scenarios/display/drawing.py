"""Shared by all reports with charts: colours, charts as SVG inside a page, and charts as files."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from matplotlib.typing import RcKeyType

#: Colours that colour-blind readers can tell apart (Okabe and Ito 2008), without yellow, which is too pale for lines.
OKABE_ITO = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00")
BLUE, ORANGE = OKABE_ITO[:2]
GREY = "#777777"

_STYLE: dict[RcKeyType, str] = {"svg.hashsalt": "srdi", "svg.fonttype": "none", "font.family": "sans-serif"}
_NO_METADATA = {"Date": None, "Creator": None, "Format": None, "Type": None}


def svg(chart: Figure, label: str = "") -> str:
    """A chart as an SVG element of an HTML page; the same chart always gives the same SVG.

    Text stays text, in the reader's fonts. Names of groups are removed, because a page may contain several charts.

    Args:
        label: description of the chart for readers who cannot see it.
    """
    # Imported here: the web page uses only the colours and should not load matplotlib.
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    with warnings.catch_warnings(), matplotlib.rc_context(_STYLE):
        # Chinese text is set in the reader's fonts; this machine does not need them.
        warnings.filterwarnings("ignore", message="Glyph .* missing")
        text = io.StringIO()
        FigureCanvasSVG(chart).print_svg(text, metadata=_NO_METADATA)
    content = text.getvalue()
    content = re.sub(r' xmlns(:\w+)?="[^"]*"', "", content[content.index("<svg") :])
    content = re.sub(r'<g id="[^"]*"', "<g", content).replace("xlink:href", "href")
    opening_tag = f'<svg role="img" aria-label="{escape(label)}"' if label else "<svg"
    return opening_tag + content.removeprefix("<svg")


def write_charts(charts: Mapping[str, Figure], folder: Path) -> list[Path]:
    """Write charts by name as NAME.png and NAME.svg into an existing folder; returns the files."""
    import matplotlib

    written = []
    # With a fixed salt and no date, the same chart gives the same files.
    with matplotlib.rc_context({"svg.hashsalt": "srdi"}):
        for name, chart in charts.items():
            for suffix, metadata in (("png", None), ("svg", {"Date": None})):
                written.append(folder / f"{name}.{suffix}")
                chart.savefig(written[-1], metadata=metadata)
    return written
