"""Format of numbers in printed tables: in common units, with as many digits as are meaningful."""

from __future__ import annotations

import math


def format_number(value: float | None, unit: str = "", signed: bool = False) -> str:
    """A number in the unit given by `unit_name`: four digits for a level, three for a (signed) difference.

    Below a hundred million, all digits before the point are kept; above, the number is in millions or billions (bn).
    None and NaN become a dash.
    """
    if value is None or math.isnan(value):
        return "–"
    value *= _scale(unit)[0]
    sign = "+" if signed and value else ""
    for name, size in (("bn", 1e9), ("million", 1e6)):
        if abs(value) >= 100 * size:
            text = f"{value / size:{sign},.0f} {name}"
            break
    else:
        if signed:
            decimals = min(max(2 - math.floor(math.log10(abs(value))), 0), 5) if value else 0
            text = f"{value:{sign},.{decimals}f}"
        else:
            text = f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"
    return text.replace("-", "−") if signed else text


def format_interval(low: float | None, high: float | None) -> str:
    """A reported figure or its rounding interval; an end is None or NaN if the figure is one-sided."""
    if low is None or math.isnan(low):
        return f"under {format_number(high)}"
    if high is None or math.isnan(high):
        return f"over {format_number(low)}"
    return format_number(low) if low == high else f"{format_number(low)} – {format_number(high)}"


def unit_name(unit: str) -> str:
    """The unit used by `format_number`: money in billions, persons in millions, shares in per cent."""
    return _scale(unit)[1]


def _scale(unit: str) -> tuple[float, str]:
    if unit.startswith("yuan"):
        return 1e-9, f"bn {unit}"
    return {"share": (100.0, "per cent"), "persons": (1e-6, "million persons")}.get(unit, (1.0, unit))
