"""Charts of a report: one panel per drawing; titles and texts are part of the page around it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from unicodedata import east_asian_width

import pandas as pd

from scenarios.analysis.reported import ReportedFigure
from scenarios.display.drawing import BLUE, GREY, OKABE_ITO, ORANGE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Size of a panel in inches, and of its text in points.
PANEL, TEXT = (4.6, 2.5), 9
#: Lengths of strokes and gaps, in line widths, that distinguish lines without colour; the first is solid.
_DASHES = ((), (5, 2), (1.5, 1.5), (6, 2, 1.5, 2), (8, 2, 1.5, 2, 1.5, 2))
_WIDE_BAND, _NARROW_BAND = 0.18, 0.32
#: Inches of a row of a chart with names, and of the axis below all rows.
_ROW, _AXIS = 0.26, 0.3


@dataclass(frozen=True)
class Stroke:
    """Line style of a scenario: colour and dashes, in the charts and in their key."""

    colour: str
    dashes: tuple[float, ...] = ()

    @property
    def linestyle(self):
        """The dashes in matplotlib's format."""
        return (0, self.dashes) if self.dashes else "-"

    @property
    def svg_dashes(self) -> str:
        """The dashes as an SVG attribute, for a line 3 units wide."""
        return " ".join(f"{3 * length:g}" for length in self.dashes)


def stroke(position: int) -> Stroke:
    """Line style of the scenario at a position, with the baseline at 0; colours and dashes repeat in cycles."""
    return Stroke(OKABE_ITO[position % len(OKABE_ITO)], _DASHES[position % len(_DASHES)])


def fan_chart(
    fan: pd.DataFrame,
    look: Stroke,
    number: Callable[[float], str],
    *,
    beside: tuple[pd.Series, Stroke] | None = None,
    reported: Sequence[ReportedFigure] = (),
    from_zero: bool = False,
) -> Figure:
    """A quantity of one scenario over time: line, 50 % and 90 % bands, reported figures as dots
    (one-sided figures as triangles in the open direction).

    Args:
        fan: from `Compared.fan`. number: formats the numbers of the vertical axis.
        beside: line of the baseline and its style, if that is another scenario. from_zero: start the axis at 0.
    """
    drawing, axis = _panel(fan.index, number)
    low, lower, line, upper, high = (fan[quantile] for quantile in fan.columns)
    axis.fill_between(fan.index, low, high, color=look.colour, alpha=_WIDE_BAND, lw=0)
    axis.fill_between(fan.index, lower, upper, color=look.colour, alpha=_NARROW_BAND, lw=0)
    for values, style in ([beside] if beside else []) + [(line, look)]:
        axis.plot(values.index, values, color=style.colour, lw=1.8, linestyle=style.linestyle)
    for row in reported:
        day = pd.Timestamp(row.date)
        ends = [end for end in (row.low, row.high) if end is not None]
        axis.plot([day] * len(ends), ends, color="black", lw=1.0)
        marker = "o" if len(ends) == 2 else "^" if row.high is None else "v"
        axis.plot(day, row.middle, marker, color="black", ms=3.5)
    if from_zero:
        axis.set_ylim(bottom=0.0, top=None if axis.dataLim.ymax > 0.0 else 1.0)
    return drawing


def difference_chart(effects: pd.DataFrame, look: Stroke, number: Callable[[float], str]) -> Figure:
    """Paired differences to the baseline over time: their mean and, with several runs, its 90 % interval.

    Args:
        effects: from `Compared.effects`. number: formats the numbers of the vertical axis.
    """
    drawing, axis = _panel(effects.index, number)
    if effects["low"].notna().any():
        axis.fill_between(effects.index, effects["low"], effects["high"], color=look.colour, alpha=_WIDE_BAND, lw=0)
    axis.axhline(0.0, color=GREY, lw=1.0)
    axis.plot(effects.index, effects["mean"], color=look.colour, lw=1.8, linestyle=look.linestyle)
    return drawing


def lines_chart(
    lines: Sequence[tuple[pd.Series, Stroke]], band: pd.DataFrame, number: Callable[[float], str]
) -> Figure:
    """Several scenarios in one panel, with the 90 % band of the first.

    Args:
        lines: with their styles. band: fan of the first, from `Compared.fan`.
        number: formats the numbers of the vertical axis.
    """
    drawing, axis = _panel(band.index, number)
    axis.fill_between(band.index, band.iloc[:, 0], band.iloc[:, -1], color=lines[0][1].colour, alpha=_WIDE_BAND, lw=0)
    for values, look in lines:
        axis.plot(values.index, values, color=look.colour, lw=1.6, linestyle=look.linestyle)
    return drawing


def ranges_chart(names: Sequence[str], rows: pd.DataFrame, look: Stroke, number: Callable[[float], str]) -> Figure:
    """Numbers below each other: a dot for the value, hollow if its range contains zero, and a bar for the range.

    Args:
        names: of the rows, from the top. rows: columns value, low and high; ends are NaN where there is no range.
        number: formats the numbers of the horizontal axis.
    """
    drawing, axis = _rows_panel(names, number)
    axis.axvline(0.0, color=GREY, lw=1.0)
    for height, (value, low, high) in zip(
        range(len(names) - 1, -1, -1), rows[["value", "low", "high"]].itertuples(index=False), strict=True
    ):
        if low < high:
            axis.barh(height, high - low, left=low, height=0.36, color=look.colour, alpha=_NARROW_BAND, lw=0)
        clear = low > 0.0 or high < 0.0
        axis.plot(value, height, "o", ms=5, color=look.colour, mfc=look.colour if clear else "white", mew=1.4)
    return drawing


def swings_chart(names: Sequence[str], rows: pd.DataFrame, best: float, number: Callable[[float], str]) -> Figure:
    """A tornado: one bar per row between two numbers, the first a square and the second a dot; a tick for the middle.

    Args:
        names: of the rows, from the top. rows: columns low, high and middle. best: marked by a dashed line.
        number: formats the numbers of the horizontal axis.
    """
    drawing, axis = _rows_panel(names, number)
    axis.axvline(best, color=GREY, lw=1.0, ls="--")
    for height, (low, high, middle) in zip(
        range(len(names) - 1, -1, -1), rows[["low", "high", "middle"]].itertuples(index=False), strict=True
    ):
        axis.barh(height, high - low, left=low, height=0.5, color=GREY, alpha=_WIDE_BAND, lw=0)
        axis.plot([middle, middle], [height - 0.25, height + 0.25], color="black", lw=1.0)
        axis.plot(low, height, "s", ms=4.5, color=OKABE_ITO[1])
        axis.plot(high, height, "o", ms=4.5, color=OKABE_ITO[0])
    return drawing


def shares_chart(names: Sequence[str], rows: pd.DataFrame, number: Callable[[float], str]) -> Figure:
    """Parts of a hundred below each other: a grey bar for one part, a coloured one for what is added to it.

    Args:
        names: of the rows, from the top. rows: columns anyway, added, and low and high, the range of the latter.
        number: formats the numbers of the horizontal axis.
    """
    drawing, axis = _rows_panel(names, number)
    for height, (anyway, added, low, high) in zip(
        range(len(names) - 1, -1, -1), rows[["anyway", "added", "low", "high"]].itertuples(index=False), strict=True
    ):
        axis.barh(height, anyway, height=0.56, color=GREY, alpha=_NARROW_BAND + 0.2, lw=0)
        axis.barh(height, added, left=anyway, height=0.56, color=BLUE, lw=0)
        axis.plot([anyway + low, anyway + high], [height, height], color="black", lw=1.2)
    axis.set_xlim(0.0, 100.0)
    return drawing


def waterfall_chart(names: Sequence[str], bars: pd.DataFrame, number: Callable[[float], str]) -> Figure:
    """Bars below each other, each from where the one above ends, and the whole; lines for their ranges.

    Args:
        names: of the bars, from the top. bars: from `scenarios.analysis.waterfall.bars_of`.
        number: formats the numbers of the horizontal axis.
    """
    drawing, axis = _rows_panel(names, number)
    axis.axvline(0.0, color=GREY, lw=1.0)
    for height, bar in zip(range(len(names) - 1, -1, -1), bars.itertuples(), strict=True):
        colour = GREY if bar.whole else BLUE if bar.better else ORANGE
        axis.barh(height, bar.value, left=bar.start, height=0.56, color=colour, alpha=0.8, lw=0)
        axis.plot([bar.start + bar.low, bar.start + bar.high], [height, height], color="black", lw=1.2)
        if not bar.whole:
            axis.plot([bar.start + bar.value] * 2, [height - 1, height], color=GREY, lw=0.6, ls=":")
    return drawing


def reach_chart(
    tried: pd.DataFrame,
    answer: pd.Series,
    chance: float,
    number: Callable[[float], str],
    percent: Callable[[float], str],
) -> Figure:
    """Chance over cost: points tried, the chance asked for, and the answer with its ranges.

    Args:
        tried: columns public_cost_yuan and met. answer: cost, cost_low, cost_high, met, met_low and met_high.
        chance: asked for. number, percent: format the numbers of the horizontal and vertical axis.
    """
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    drawing, axis = _canvas(percent)
    axis.plot(tried["public_cost_yuan"], tried["met"], "o", ms=4, color=GREY, mfc="white")
    axis.axhline(chance, color=GREY, lw=1.0, ls="--")
    axis.plot([answer["cost_low"], answer["cost_high"]], [answer["met"]] * 2, color=BLUE, lw=1.4)
    axis.plot([answer["cost"]] * 2, [answer["met_low"], answer["met_high"]], color=BLUE, lw=1.4)
    axis.plot(answer["cost"], answer["met"], "o", ms=6, color=BLUE)
    axis.set_ylim(-0.03, 1.03)
    axis.xaxis.set_major_locator(MaxNLocator(5))
    axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: number(value)))
    return drawing


def years_chart(rows: pd.DataFrame, look: Stroke, number: Callable[[float], str]) -> Figure:
    """A sum by year: a bar for the mean and a line for the range.

    Args:
        rows: by year; columns value, low and high, whose ends are NaN where there is no range.
        number: formats the numbers of the vertical axis.
    """
    drawing, axis = _canvas(number)
    axis.bar(rows.index, rows["value"], width=0.72, color=look.colour, alpha=_NARROW_BAND + 0.3, lw=0)
    axis.vlines(rows.index, rows["low"], rows["high"], color="black", lw=1.4)
    axis.set_xticks(list(rows.index)[:: 1 if len(rows) < 6 else 2 if len(rows) < 14 else 5])
    axis.set_ylim(bottom=0.0, top=None if rows["value"].any() else 1.0)
    return drawing


def _panel(dates: pd.DatetimeIndex, number: Callable[[float], str]) -> tuple[Figure, Axes]:
    from matplotlib.dates import DateFormatter, YearLocator

    drawing, axis = _canvas(number)
    years = max((dates[-1] - dates[0]).days / 365.25, 1.0)
    axis.xaxis.set_major_locator(YearLocator(1 if years < 6 else 2 if years < 14 else 5))
    axis.xaxis.set_major_formatter(DateFormatter("%Y"))
    return drawing, axis


def _canvas(number: Callable[[float], str]) -> tuple[Figure, Axes]:
    """A panel with numbers on its vertical axis."""
    # Imported here, because the web page needs only `Stroke` and should not load Matplotlib.
    from matplotlib.figure import Figure
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    drawing = Figure(figsize=PANEL, layout="constrained")
    axis = drawing.subplots()
    axis.grid(axis="y", color="#e4e4e4", lw=0.6)
    _plain(axis)
    axis.yaxis.set_major_locator(MaxNLocator(5))
    axis.yaxis.set_major_formatter(FuncFormatter(lambda value, _: number(value)))
    return drawing, axis


def _rows_panel(names: Sequence[str], number: Callable[[float], str]) -> tuple[Figure, Axes]:
    """A panel with a name for each row, the first on top, and numbers on its horizontal axis.

    Its margins are set by hand: the names are drawn in the reader's fonts, whose widths are not known here.
    """
    from matplotlib.figure import Figure
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    width, height = PANEL[0], _ROW * max(len(names), 1) + _AXIS
    drawing = Figure(figsize=(width, height))
    axis = drawing.subplots()
    left = min(max(map(_inches, names), default=0.0) + 0.15, 0.6 * width)
    drawing.subplots_adjust(left=left / width, right=0.94, bottom=_AXIS / height, top=1.0)
    axis.grid(axis="x", color="#e4e4e4", lw=0.6)
    _plain(axis)
    axis.spines["left"].set_visible(False)
    axis.tick_params(axis="y", length=0)
    axis.set_yticks(range(len(names)), list(reversed(names)))
    axis.set_ylim(-0.6, len(names) - 0.4)
    axis.use_sticky_edges = False  # a bar does not end at the edge of the panel
    axis.xaxis.set_major_locator(MaxNLocator(3))
    axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: number(value)))
    return drawing, axis


def _plain(axis: Axes) -> None:
    axis.spines[["top", "right"]].set_visible(False)
    axis.set_axisbelow(True)
    axis.tick_params(labelsize=TEXT)


def _inches(text: str) -> float:
    """About how wide a text is: a Chinese character is as wide as high, other letters on average six tenths of it."""
    return sum(1.0 if east_asian_width(letter) in "WFA" else 0.6 for letter in text) * TEXT / 72.0
