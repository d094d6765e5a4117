"""The waterfall of a decomposition: from the baseline by each part alone and what they do together to the policy."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from scenarios.analysis.decomposition import TOGETHER, Decomposition
from scenarios.analysis.metrics import Metric
from scenarios.display.drawing import BLUE, GREY, ORANGE, write_charts
from scenarios.display.formatting import format_number, unit_name

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: Inches of a bar, and of what stands above and below all of them.
_ROW, _MARGIN = 0.34, 1.3
_HEIGHT = 0.56


def write_waterfalls(found: Decomposition, folder: Path) -> list[Path]:
    """Write a chart per quantity and quarter, as PNG and SVG, into an existing folder; returns the files."""
    charts = {
        f"waterfall-{metric.name}-{quarter}": waterfall(found, metric, quarter)
        for quarter in found.quarters
        for metric in found.quantities
    }
    return write_charts(charts, folder)


def waterfall(found: Decomposition, metric: Metric, quarter: str) -> Figure:
    """Bars from top to bottom, each from where the one above ends: the parts alone, together; below them the whole.

    Lines around the end of a bar hold 10 to 90 % of the pairs. Beside a bar stands its number, and with every subset
    the Shapley value of the part.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    rows = found.rows[(found.rows["quantity"] == metric.name) & (found.rows["quarter"] == quarter)]
    measured = {measure: own.set_index("part") for measure, own in rows.groupby("measure")}
    several = len(found.parts) > 1
    bars = [*((part, measured["alone"].loc[part]) for part in found.parts)]
    if several:
        bars.append((TOGETHER, measured["together"].loc[TOGETHER]))
    bars.append((found.scenario, measured["whole"].iloc[0]))
    figure = Figure(figsize=(8.5, _ROW * len(bars) + _MARGIN), dpi=130, layout="constrained")
    FigureCanvasAgg(figure)
    axis = figure.add_subplot()
    axis.spines[["top", "right"]].set_visible(False)
    axis.axvline(0.0, color=GREY, lw=1.0)
    start = 0.0
    for place, (name, row) in enumerate(bars):
        height, whole = len(bars) - 1 - place, place == len(bars) - 1
        start = 0.0 if whole else start
        end = start + row["value"]
        better = (row["value"] < 0.0) == metric.less_is_better
        axis.barh(height, row["value"], left=start, height=_HEIGHT, color=GREY if whole else BLUE if better else ORANGE)
        if not pd.isna(row["low"]):
            axis.plot([start + row["low"], start + row["high"]], [height] * 2, color="black", lw=1.0)
        text = format_number(row["value"], metric.unit, signed=True)
        if found.exact and several and name in found.parts and not whole:
            text += f"  ({format_number(measured['shapley'].loc[name, 'value'], metric.unit, signed=True)})"
        right = max(start, end, start + row["high"] if not pd.isna(row["high"]) else end)
        axis.annotate(text, (right, height), (5, 0), textcoords="offset points", va="center", fontsize=7)
        if not whole:
            axis.plot([end, end], [height - 1, height], color=GREY, lw=0.6, ls=":")
        start = end
    axis.set_yticks(range(len(bars)), [name for name, _ in reversed(bars)])
    axis.margins(x=0.14)
    axis.tick_params(labelsize=7)
    axis.xaxis.set_major_locator(MaxNLocator(6))
    axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: format_number(value, metric.unit, signed=True)))
    better = "less is better" if metric.less_is_better else "more is better"
    shares = "; in brackets: Shapley value" if found.exact and several else ""
    axis.set_xlabel(
        f"{metric.name} ({unit_name(metric.unit)}, {better}), {quarter}: difference from {found.baseline}\n"
        f"coloured: each part alone and what they do together, grey: the whole; lines: 10–90 % of pairs{shares}",
        fontsize=7,
    )
    return figure
