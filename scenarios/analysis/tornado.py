"""The tornado: how far each lever's gain per yuan moves with its strengths, beside the gain of the best lever."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from scenarios.analysis.information import Information
from scenarios.display.drawing import BLUE, GREY, ORANGE, write_charts
from scenarios.display.formatting import unit_name

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

#: Largest number of bars.
MOST = 30
#: Inches of a bar, and of what stands above and below all of them.
_ROW, _MARGIN = 0.22, 1.2


def write_tornado(found: Information, folder: Path) -> list[Path]:
    """Write the chart as tornado.png and tornado.svg into an existing folder; returns the files."""
    return write_charts({"tornado": tornado(found)}, folder)


def widest(found: Information) -> pd.DataFrame:
    """Rows of the strengths that levers set, those between whose ends gain differs most first; at most MOST."""
    rows = found.rows[found.rows["lever"].notna()].dropna(subset=["gain_low", "gain_high"])
    order = (rows["gain_high"] - rows["gain_low"]).abs().sort_values(ascending=False, kind="stable").index[:MOST]
    return rows.loc[order]


def tornado(found: Information) -> Figure:
    """One bar per strength and lever, the widest on top, between the gains at two quantiles of the strength.

    A bar that crosses the line of the best lever can change the ranking.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    rows = widest(found)
    figure = Figure(figsize=(8.5, _ROW * max(len(rows), 1) + _MARGIN), dpi=130, layout="constrained")
    FigureCanvasAgg(figure)
    axis = figure.add_subplot()
    axis.spines[["top", "right"]].set_visible(False)
    means = found.ranking.set_index("lever")["gain_per_billion_yuan"]
    for height, row in enumerate(rows.iloc[::-1].itertuples()):
        axis.barh(height, row.gain_high - row.gain_low, left=row.gain_low, height=0.5, color=GREY, alpha=0.35)
        axis.plot([means[row.lever]] * 2, [height - 0.25, height + 0.25], color="black", lw=1.0)
        axis.plot(row.gain_low, height, "s", color=ORANGE, ms=5)
        axis.plot(row.gain_high, height, "o", color=BLUE, ms=5)
    if len(means):
        axis.axvline(means.iloc[0], color=GREY, lw=1.0, ls="--")
    axis.set_yticks(range(len(rows)), [f"{row.lever}: {row.parameter}" for row in rows.iloc[::-1].itertuples()])
    axis.tick_params(labelsize=7)
    axis.set_xlabel(
        f"{found.metric.name} ({unit_name(found.metric.unit)}) per billion yuan of public cost, given the strength\n"
        "orange square: at its 10 % quantile, blue dot: at its 90 % quantile, black: the lever's mean; "
        "dashed: the mean of the best lever",
        fontsize=7,
    )
    return figure
