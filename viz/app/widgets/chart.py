"""Charts that ECharts draws in the browser: quantities over time, and rows of intervals.

A chart is a plain dict, its spec, made here and drawn by ``chart.vue``::

    spec = time_chart(
        ["2024Q1", "2024Q2"],
        [band("90% of runs", low, high, colour="#0072B2"), line("Median", median, colour="#0072B2")],
        title="Little giants", unit="firms", unit_text="firms", texts=texts, label="Little giants over time",
    )
    Chart(spec=spec, version=7)

All numbers of a spec are in one block of float32 bytes, which is sent without JSON; a series has the position of its
numbers. If a new spec differs only in that block, the chart is redrawn without being rebuilt.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import numpy as np
import solara
from numpy.typing import ArrayLike

from scenarios.display.formatting import COUNTED
from viz.words.language import catalogue

#: Numbers of a series: None is a gap, like NaN.
Values: TypeAlias = "ArrayLike | Sequence[float | None]"

#: Keys that ``texts`` must have, with words and patterns.
TEXTS = (
    "table",  # button that shows the numbers
    "chart",  # button that shows the chart again; also what a screen reader calls the plot
    "csv",  # tooltips of the buttons of files: download CSV, PNG, SVG
    "png",
    "svg",
    "tools",  # what the row of buttons is for
    "x",  # head of the first column of a time chart's table: quarter or year
    "row",  # head of the first column of an interval chart's table
    "low",  # heads of columns of a CSV file
    "median",
    "high",
    "note",  # head of the column of a reported figure's label
    "interval",  # "{low} to {high}"
    "at_least",  # "{value} or more"
    "at_most",  # "{value} or less"
    "made",  # "{source}. Made on {day}.": below a picture
    "quarter",  # "Q{number} {year}"
    "points",  # "{number} points": a difference of shares
    "points_unit",  # "percentage points": the unit of an axis of such differences
    "empty",  # said where no number is finite
)
#: Format of colours; checked because they are part of the page's markup.
COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
#: Shapes of medians in interval charts.
MARKERS = ("circle", "diamond", "square", "triangle")

_MORE, _LEAST_HEIGHT, _ROW_HEIGHT, _INTERVAL_HEIGHT = 34, 80, 18, 12


@dataclass(frozen=True)
class Series:
    """One series of a chart; made by `line`, `band`, `bar`, `points` and `interval`.

    Attributes:
        kind: one of those five. name: shown in the legend; a series without a name is not listed there.
        numbers: float32, shape (arrays, count): line and bar have one array, band and points two (low, high),
            interval three (low, median, high). NaN is a gap.
        look: the rest, as read by ``chart.vue``.
    """

    kind: Literal["line", "band", "bar", "points", "interval"]
    name: str
    numbers: np.ndarray
    look: dict = field(default_factory=dict)


def line(name: str, values: Values, *, colour: str, dash: Sequence[float] = (), width: float = 2.0) -> Series:
    """A line over time.

    Args:
        values: shape (x,), in the unit of the chart. NaN, None or infinite is a gap.
        colour: as #rrggbb. dash: lengths of strokes and gaps in px; empty for a solid line.
        width: in px.
    """
    dash = [float(length) for length in dash]
    return Series("line", name, _block(values), {"colour": _colour(colour), "dash": dash, "width": float(width)})


def band(name: str, low: Values, high: Values, *, colour: str, opacity: float = 0.18) -> Series:
    """A band over time: a translucent area between two lines. If bands are nested, the wider one comes first.

    Args:
        low, high: shape (x,), in the unit of the chart; the band has a gap where either of them is NaN.
        colour: as #rrggbb. opacity: above 0, to 1.
    """
    if not 0.0 < opacity <= 1.0:
        raise ValueError(f"the opacity of a band is above 0 and at most 1, not {opacity:g}")
    return Series("band", name, _block(low, high), {"colour": _colour(colour), "opacity": opacity})


def bar(name: str, values: Values, *, colour: str, stack: str = "") -> Series:
    """Bars over time; bars of one stack are placed on each other, positive ones upwards and negative ones downwards.

    Args:
        values: shape (x,), in the unit of the chart. NaN is no bar.
        colour: as #rrggbb; bars are also distinguished by hatching. stack: its name; empty for separate bars.
    """
    return Series("bar", name, _block(values), {"colour": _colour(colour), "stack": stack})


def points(
    name: str,
    index: Sequence[int],
    low: Values,
    high: Values,
    *,
    labels: Sequence[str] = (),
    colour: str | None = None,
) -> Series:
    """Reported figures over time: a dot with a whisker; a triangle where only one end is reported.

    Args:
        index: shape (points,): positions in x, several at one position allowed.
        low, high: shape (points,), in the unit of the chart; NaN or None if the figure has no such end.
        labels: shape (points,) or empty: shown after the figure, such as its source.
        colour: as #rrggbb; by default the colour of text.
    """
    index = [int(position) for position in index]
    labels = [str(label) for label in labels]
    numbers = _block(low, high)
    if numbers.shape[1] != len(index):
        raise ValueError(f"{name!r} has {len(index)} positions for {numbers.shape[1]} figures")
    if labels and len(labels) != len(index):
        raise ValueError(f"{name!r} has {len(labels)} labels for {len(index)} figures")
    colour = None if colour is None else _colour(colour)
    return Series("points", name, numbers, {"index": index, "labels": labels, "colour": colour})


def interval(
    name: str,
    low: Values,
    median: Values,
    high: Values,
    *,
    colour: str | None = None,
    marker: Literal["circle", "diamond", "square", "triangle"] = "circle",
    steps: Sequence[tuple[float, str]] = (),
) -> Series:
    """An interval in every row of an interval chart: a line from low to high with a marker at the median.

    A row with only one finite end and no median is one-sided: a triangle that points to where the figure may lie.

    Args:
        low, median, high: shape (rows,), in the unit of the chart; NaN or None if missing.
        colour: as #rrggbb; by default the colour of text.
        steps: shape (rows,) or empty: makes a waterfall of the rows. Each row then begins at a position of the axis and
            has a bar in a colour (#rrggbb) from there to its median; low, median and high are told from the position.
    """
    if steps and len(steps) != len(np.atleast_1d(np.asarray(median, dtype=np.float64))):
        raise ValueError(f"{name!r} has {len(steps)} steps for {len(np.atleast_1d(np.asarray(median)))} rows")
    if marker not in MARKERS:
        raise ValueError(f"a marker is one of {', '.join(MARKERS)}, not {marker!r}")
    colour = None if colour is None else _colour(colour)
    look: dict = {"colour": colour, "marker": marker}
    if steps:
        look |= {"starts": [float(start) for start, _ in steps], "colours": [_colour(each) for _, each in steps]}
    return Series("interval", name, _block(low, median, high), look)


def time_chart(
    x: Sequence[str],
    series: Sequence[Series],
    *,
    title: str,
    label: str,
    texts: Mapping[str, str],
    unit: str = "",
    unit_text: str = "",
    height: int = 220,
    from_zero: bool = False,
    signed: bool = False,
    language: str = "en",
    dark: bool = False,
) -> dict:
    """Spec of a chart over time.

    Args:
        x: quarters such as 2024Q1, years or other words, in the order of the axis. Quarters are shown as years along
            the axis, and elsewhere in the user's language.
        series: of `line`, `band`, `bar` and `points`, later ones above earlier ones of their kind.
        title: shown above. label: description for screen readers.
        texts: words for the keys TEXTS in the user's language.
        unit: "share" writes values as per cent (0.125 is 12.5 %); one of
            `scenarios.display.formatting.COUNTED` rounds them; others do nothing.
        unit_text: name of the unit, shown beside the title.
        height: of the plot in px. from_zero: start the vertical axis at zero, as with bars.
        signed: values are differences: shown with their sign, shares in points, with a line at zero.
        language: "en" or "zh", for numbers. dark: whether the page is dark.

    Returns:
        a dict for `Chart`: plain values, and ``values``, bytes of float32.

    Raises:
        ValueError: lengths differ, a position is outside x, a kind of series is not allowed or a text is missing.
    """
    for one in series:
        if one.kind == "interval":
            raise ValueError(f"{one.name!r} is an interval, which belongs in an interval chart")
        if one.kind == "points":
            outside = [position for position in one.look["index"] if not 0 <= position < len(x)]
            if outside:
                raise ValueError(f"{one.name!r} has positions outside x: {outside}")
        elif one.numbers.shape[1] != len(x):
            raise ValueError(f"{one.name!r} has {one.numbers.shape[1]} values for {len(x)} positions of x")
    return {
        "kind": "time",
        "x": [str(each) for each in x],
        "from_zero": bool(from_zero),
        "height": int(height),
        **_common(
            series,
            title,
            label,
            texts,
            unit=unit,
            unit_text=unit_text,
            signed=signed,
            language=language,
            dark=dark,
        ),
    }


def interval_chart(
    rows: Sequence[str],
    series: Sequence[Series],
    *,
    title: str,
    label: str,
    texts: Mapping[str, str],
    unit: str = "",
    unit_text: str = "",
    height: int | None = None,
    scale: Literal["linear", "log"] = "linear",
    zero_line: bool = False,
    signed: bool = False,
    language: str = "en",
    dark: bool = False,
) -> dict:
    """Spec of a chart of intervals in labelled rows: reported against simulated figures, or effects.

    Args:
        rows: labels from top to bottom. series: of `interval`, below each other within a row in this order.
        height: of the plot in px; by default enough for the rows.
        scale: of the horizontal axis. On a log axis, an end that is not positive is drawn at the left edge.
        zero_line: draw a line at zero and include zero in the axis; not with a log axis.
        title, label, texts, unit, unit_text, signed, language, dark: as in `time_chart`.

    Returns:
        a dict for `Chart`: plain values, and ``values``, bytes of float32.

    Raises:
        ValueError: lengths differ, a kind is not allowed, a text is missing, or a log axis should show zero.
    """
    if scale not in ("linear", "log"):
        raise ValueError(f"a scale is linear or log, not {scale!r}")
    if scale == "log" and (zero_line or signed):
        raise ValueError("a log axis has no zero and no signs")
    for one in series:
        if one.kind != "interval":
            raise ValueError(f"{one.name!r} is a {one.kind}, which belongs in a time chart")
        if one.numbers.shape[1] != len(rows):
            raise ValueError(f"{one.name!r} has {one.numbers.shape[1]} intervals for {len(rows)} rows")
    if height is None:
        height = max(_LEAST_HEIGHT, _MORE + len(rows) * (_ROW_HEIGHT + _INTERVAL_HEIGHT * max(len(series), 1)))
    return {
        "kind": "intervals",
        "x": [str(row) for row in rows],
        "scale": scale,
        "zero_line": bool(zero_line),
        "height": int(height),
        **_common(
            series,
            title,
            label,
            texts,
            unit=unit,
            unit_text=unit_text,
            signed=signed,
            language=language,
            dark=dark,
        ),
    }


@solara.component_vue("chart.vue", vuetify=False)
def _Chart(described: str, values: bytes, label: str, note: str, source: str, version: int | str) -> None:
    """A chart.

    Args:
        described: the spec without what changes with its numbers, as JSON text: every redraw of a page traverses lists
            and dicts.
        values, label: of the spec. note, source, version: as in `Chart`.
    """


def Chart(spec: dict, version: int | str = 0, *, source: str = "", note: str = "") -> solara.Element:
    """A chart.

    Args:
        spec: of `time_chart` or `interval_chart`.
        version: of the numbers. The chart's root element (class ``srdi-chart``) has it as ``data-version`` once the
            numbers are painted; a chart that is not displayed, or outside the window, paints nothing.
        source: model, settings and runs behind the numbers; written with the day below the chart in a picture.
        note: a remark on the numbers, such as that more are to come; shown in the plot.
    """
    described = {key: value for key, value in spec.items() if key not in ("values", "label")}
    return _Chart(
        described=json.dumps(described),
        values=spec["values"],
        label=spec["label"],
        note=note,
        source=source,
        version=version,
    )


def _common(
    series: Sequence[Series],
    title: str,
    label: str,
    texts: Mapping[str, str],
    *,
    unit: str,
    unit_text: str,
    signed: bool,
    language: str,
    dark: bool,
) -> dict:
    """The common part of all specs."""
    missing = [key for key in TEXTS if key not in texts]
    if missing:
        raise ValueError(f"texts of a chart lack {', '.join(missing)}")
    if language not in ("en", "zh"):
        raise ValueError(f"the language of a chart is en or zh, not {language!r}")
    placed, start = [], 0
    for one in series:
        count = one.numbers.shape[1]
        placed.append({"kind": one.kind, "name": one.name, "at": start, "count": count, **one.look})
        start += one.numbers.size
    blocks = [one.numbers.ravel() for one in series]
    return {
        "title": title,
        "label": label,
        "texts": {key: str(texts[key]) for key in TEXTS},
        "percent": unit == "share",
        "whole": unit in COUNTED,
        "unit_text": unit_text,
        "signed": bool(signed),
        "language": language,
        "scales": catalogue(language)["number"]["scales"],
        "dark": bool(dark),
        "series": placed,
        # Copied, so that later changes to the caller's arrays are not drawn.
        "values": np.concatenate(blocks, dtype="<f4").tobytes() if blocks else b"",
    }


def _block(*arrays: Values) -> np.ndarray:
    """Arrays of equal length as float32 of shape (arrays, count); anything not finite becomes NaN."""
    with np.errstate(over="ignore"):
        columns = [np.asarray(array, dtype=np.float64).astype("<f4") for array in arrays]
    if any(column.ndim != 1 for column in columns):
        raise ValueError("the values of a series are one-dimensional")
    if len({len(column) for column in columns}) > 1:
        raise ValueError(f"the arrays of a series have different lengths: {[len(column) for column in columns]}")
    block = np.stack(columns)
    block[~np.isfinite(block)] = np.nan
    return block


def _colour(colour: str) -> str:
    """A colour as #rrggbb."""
    if not COLOUR.fullmatch(colour):
        raise ValueError(f"a colour is written #rrggbb, not {colour!r}")
    return colour
