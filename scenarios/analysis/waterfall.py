"""The waterfall of a decomposition: from the baseline by each part alone and what they do together to the policy."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from scenarios.analysis.decomposition import TOGETHER, WHOLE, Decomposition
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


def bars_of(found: Decomposition, metric: Metric, quarter: str) -> pd.DataFrame:
    """What a waterfall shows, from top to bottom: the parts alone, what they do together, and the whole.

    Returns:
        One row per bar. Columns: part (the whole has the name of the policy); start (where the bar above ends; 0 for
        the first and the whole); value, low and high; shapley (NaN but for parts of a policy of which every subset was
        run); better (whether it moves the quantity to the better); whole; label.
    """
    measures = found.measures(metric.name, quarter)
    several = len(found.parts) > 1
    rows = [(part, measures["alone"].loc[part]) for part in found.parts]
    if several:
        rows.append((TOGETHER, measures["together"].loc[TOGETHER]))
    rows.append((found.scenario, measures["whole"].loc[WHOLE]))
    bars = pd.DataFrame([{"part": part, **row[["value", "low", "high", "label"]]} for part, row in rows])
    bars["whole"] = bars.index == len(bars) - 1
    bars["start"] = bars["value"].cumsum().shift(fill_value=0.0).where(~bars["whole"], 0.0)
    bars["better"] = (bars["value"] < 0.0) == metric.less_is_better
    shares = measures["shapley"]["value"] if found.exact and several else pd.Series(dtype=np.float64)
    return bars.assign(shapley=bars["part"].map(shares).where(~bars["whole"]))


def waterfall(found: Decomposition, metric: Metric, quarter: str) -> Figure:
    """Bars from top to bottom, each from where the one above ends: the parts alone, together; below them the whole.

    Lines around the end of a bar hold 10 to 90 % of the pairs. Beside a bar stands its number, and with every subset
    the Shapley value of the part.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    bars = bars_of(found, metric, quarter)
    figure = Figure(figsize=(8.5, _ROW * len(bars) + _MARGIN), dpi=130, layout="constrained")
    FigureCanvasAgg(figure)
    axis = figure.add_subplot()
    axis.spines[["top", "right"]].set_visible(False)
    axis.axvline(0.0, color=GREY, lw=1.0)
    for height, bar in zip(range(len(bars) - 1, -1, -1), bars.itertuples(), strict=True):
        end = bar.start + bar.value
        colour = GREY if bar.whole else BLUE if bar.better else ORANGE
        axis.barh(height, bar.value, left=bar.start, height=_HEIGHT, color=colour)
        if not pd.isna(bar.low):
            axis.plot([bar.start + bar.low, bar.start + bar.high], [height] * 2, color="black", lw=1.0)
        text = format_number(bar.value, metric.unit, signed=True)
        if not pd.isna(bar.shapley):
            text += f"  ({format_number(bar.shapley, metric.unit, signed=True)})"
        right = max(bar.start, end, end if pd.isna(bar.high) else bar.start + bar.high)
        axis.annotate(text, (right, height), (5, 0), textcoords="offset points", va="center", fontsize=7)
        if not bar.whole:
            axis.plot([end, end], [height - 1, height], color=GREY, lw=0.6, ls=":")
    axis.set_yticks(range(len(bars)), list(reversed(bars["part"])))
    axis.margins(x=0.14)
    axis.tick_params(labelsize=7)
    axis.xaxis.set_major_locator(MaxNLocator(6))
    axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: format_number(value, metric.unit, signed=True)))
    better = "less is better" if metric.less_is_better else "more is better"
    shares = "; in brackets: Shapley value" if bars["shapley"].notna().any() else ""
    axis.set_xlabel(
        f"{metric.name} ({unit_name(metric.unit)}, {better}), {quarter}: difference from {found.baseline}\n"
        f"coloured: each part alone and what they do together, grey: the whole; lines: 10–90 % of pairs{shares}",
        fontsize=7,
    )
    return figure
