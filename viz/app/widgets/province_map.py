"""The map of province squares, drawn and played in the browser from the matrix of all quarters and provinces."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import solara

from viz.shared.province_squares import CODES, HEIGHT, LAYOUT, SIZE, WIDTH, Palette, corner

#: Keys that ``texts`` must have, with words and patterns.
TEXTS = (
    "play",
    "pause",
    "quarter",  # label of the slider
    "map",  # button that shows the map again
    "table",  # button that shows the numbers; also what the table is
    "square",  # "{province}: {value} {unit}"
    "square_level",  # ", 90% of runs {interval}"
    "square_change",  # ", 95% interval {interval}"
    "square_unclear",  # ", no clear difference"
    "interval",  # "{low} to {high}"
    "bracketed",  # "({value})": a number whose interval includes zero
    "nation",  # "All 31 provinces: {value} {unit}"
    "extremes",  # "Most: {most}; least: {least}."
    "clear",  # "{number} of 31 provinces differ clearly."
    "province",  # heads of the table
    "value",
    "range",
    "nation_row",
    "key",  # what the key is for a screen reader
    "none",  # "no number": read out where there is none
    "locale",
)
_LONG_NAME = 10


def square_map(
    values: np.ndarray,
    low: np.ndarray,
    high: np.ndarray,
    unclear: np.ndarray,
    palette: Palette,
    *,
    quarters: Sequence[str],
    names: Mapping[str, str],
    title: str,
    unit: str,
    factor: float,
    texts: Mapping[str, str],
    signed: bool = False,
    whole: bool = False,
    short_names: bool = False,
) -> dict:
    """The spec of a `ProvinceMap`.

    Args:
        values: float (quarters, provinces + 1), provinces as in `viz.shared.province_squares.LAYOUT`, the
            nation last; NaN if missing.
        low, high: ends of their intervals, of the same shape; NaN if missing.
        unclear: bool, of the same shape: whether to show a square paler and its number in brackets.
        quarters: their names. names: of the provinces, by English name. title: of the map.
        unit: name of the unit of the numbers divided by `factor`. texts: words for the keys TEXTS.
        signed: values are differences. whole: numbers from ten on are rounded to whole ones.
        short_names: use two letters for a province if the map is narrow.

    Raises:
        ValueError: shapes differ or a text is missing.
    """
    shape = (len(quarters), len(LAYOUT) + 1)
    if any(each.shape != shape for each in (values, low, high, unclear)):
        raise ValueError(f"a map of {shape[0]} quarters needs matrices of shape {shape}")
    missing = [key for key in TEXTS if key not in texts]
    if missing:
        raise ValueError(f"texts of a map lack {', '.join(missing)}")
    places = [
        {
            "key": province,
            "name": names[province],
            "code": CODES[province] if short_names else names[province],
            "x": corner(province)[0],
            "y": corner(province)[1],
            "long": len(names[province]) > _LONG_NAME,
        }
        for province in LAYOUT
    ]
    return {
        "places": places,
        "size": SIZE,
        "square": (WIDTH, HEIGHT),
        "quarters": list(quarters),
        "title": title,
        "unit": unit,
        "factor": float(factor),
        "signed": bool(signed),
        "whole": bool(whole),
        "ramp": palette.ramp,
        "key": [(float(step), fill) for step, fill in palette.steps],
        "texts": {key: str(texts[key]) for key in TEXTS},
        "values": _floats(values),
        "low": _floats(low),
        "high": _floats(high),
        "shades": palette.shades(values, unclear).tobytes(),
        "unclear": np.ascontiguousarray(unclear, dtype=np.uint8).tobytes(),
    }


@solara.component_vue("province_map.vue", vuetify=False)
def ProvinceMap(
    spec: dict,
    at: int,
    chosen: str,
    event_pick: Callable[[str], None],
    event_time: Callable[[int], None],
) -> None:
    """A map of squares with a time slider; it plays in the browser.

    Args:
        spec: of `square_map`. at: index of the quarter to show. chosen: English name of the selected province.
        event_pick: called with the province selected by mouse or keyboard.
        event_time: called with the quarter when the slider is released or playing ends.
    """


def _floats(values: np.ndarray) -> bytes:
    with np.errstate(over="ignore"):
        return np.ascontiguousarray(values, dtype="<f4").tobytes()
