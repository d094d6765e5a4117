"""What every drawn report shares: colours, figures as SVG inside a page, and figures as files."""

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

#: Colours that stay apart for colour-blind readers (Okabe and Ito 2008); yellow is left out, too pale for a line.
OKABE_ITO = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00")
BLUE, ORANGE = OKABE_ITO[:2]
GREY = "#777777"

_STYLE: dict[RcKeyType, str] = {"svg.hashsalt": "srdi", "svg.fonttype": "none", "font.family": "sans-serif"}
_NO_METADATA = {"Date": None, "Creator": None, "Format": None, "Type": None}


def svg(figure: Figure, label: str = "") -> str:
    """A figure as an SVG element of an HTML page; the same figure gives the same text.

    Text stays text, in the reader's fonts. Names of groups go: several figures stand in one page.

    Args:
        label: what the figure shows, for those who cannot see it.
    """
    # Loaded here: who only wants the colours, as the web page does, need not pay for it.
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    with warnings.catch_warnings(), matplotlib.rc_context(_STYLE):
        # Chinese words are set in the reader's fonts: that this machine may lack them does not matter.
        warnings.filterwarnings("ignore", message="Glyph .* missing")
        text = io.StringIO()
        FigureCanvasSVG(figure).print_svg(text, metadata=_NO_METADATA)
    content = text.getvalue()
    content = re.sub(r' xmlns(:\w+)?="[^"]*"', "", content[content.index("<svg") :])
    content = re.sub(r'<g id="[^"]*"', "<g", content).replace("xlink:href", "href")
    named = f'<svg role="img" aria-label="{escape(label)}"' if label else "<svg"
    return named + content.removeprefix("<svg")


def write_pictures(figures: Mapping[str, Figure], folder: Path) -> list[Path]:
    """Write figures by name as NAME.png and NAME.svg into an existing folder; returns the files."""
    import matplotlib

    written = []
    # A fixed salt and no date: the same figure gives the same files.
    with matplotlib.rc_context({"svg.hashsalt": "srdi"}):
        for name, figure in figures.items():
            for suffix, metadata in (("png", None), ("svg", {"Date": None})):
                written.append(folder / f"{name}.{suffix}")
                figure.savefig(written[-1], metadata=metadata)
    return written
