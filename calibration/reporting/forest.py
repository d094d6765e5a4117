"""The forest plot of published and modelled effects."""

from __future__ import annotations

from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from scenarios.display.drawing import BLUE, GREY, ORANGE, write_charts
from scenarios.files.labels import study_name

#: Effects up to this size are drawn on a linear scale, larger ones on a logarithmic one.
LINEAR = 0.02
#: Estimates beyond this are amounts of money, which share no scale with the others; the tables have them.
MOST = 50.0
#: Inches of a row, and of what stands above and below all of them.
_ROW, _MARGIN = 0.2, 1.1


def write_forest(rows: list[dict], folder: Path) -> list[Path]:
    """Write the plot as forest.png and forest.svg into an existing folder; returns the files.

    Args:
        rows: of ``evidence.json``. Those with an estimate that is compared are drawn.
    """
    return write_charts({"forest": forest(rows)}, folder)


def forest(rows: list[dict]) -> Figure:
    """Each estimate with its 90 % interval above the model's, by lever."""
    drawn = [row for row in rows if row["compared"] and row["published"] is not None and abs(row["published"]) < MOST]
    figure = Figure(figsize=(8.5, _ROW * max(len(drawn), 1) + _MARGIN), dpi=130, layout="constrained")
    FigureCanvasAgg(figure)
    axis = figure.add_subplot()
    axis.spines[["top", "right"]].set_visible(False)
    axis.axvline(0.0, color=GREY, lw=0.8)
    for height, row in enumerate(reversed(drawn)):
        for shift, colour, marker, keys in (
            (0.15, ORANGE, "s", ("low", "published", "high")),
            (-0.15, BLUE, "o", ("model_low", "model", "model_high")),
        ):
            low, middle, high = (row[key] for key in keys)
            axis.plot([low, high], [height + shift] * 2, color=colour, lw=1.3)
            axis.plot(middle, height + shift, marker, color=colour, ms=3.5)
        if not row["inside"]:
            axis.axhspan(height - 0.45, height + 0.45, color=GREY, alpha=0.12, lw=0)
    axis.set_xscale("symlog", linthresh=LINEAR, linscale=0.5)
    axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_ylim(-0.8, max(len(drawn), 1) - 0.2)
    axis.set_yticks(range(len(drawn)), [_name(row) for row in reversed(drawn)], fontsize=6)
    axis.tick_params(axis="x", labelsize=7)
    axis.set_xlabel(
        "Effect in the unit of the outcome, with 90 % intervals\norange: published, blue: model; grey: they miss",
        fontsize=7,
    )
    return figure


def _name(row: dict) -> str:
    outcome = row["outcome"].replace("_", " ")
    return f"{row['lever']}: {study_name(row['study'])}, {outcome}, year {row['horizon_years']:g}"
