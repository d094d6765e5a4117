"""Format of numbers: in common units, with as many digits as are meaningful.

A number with an interval is rounded to what the interval supports (`supported`), in tables, on the page and in reports.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

#: Units that are counted, so that parts of one mean nothing.
COUNTED = ("firms", "counties", "persons", "clusters", "products", "count")
#: Smallest step of a share: a hundredth of a percentage point.
_LEAST_SHARE = 1e-4
#: Significant digits of the width of an interval, and of a number whose interval has no width.
_WIDTH_DIGITS, _DIGITS = 2, 4


@dataclass(frozen=True)
class Supported:
    """A number and its interval, rounded to multiples of one step: a power of ten; NaN where they were."""

    value: float
    low: float
    high: float
    step: float

    @property
    def clear(self) -> bool:
        """Whether the interval, as it is shown, excludes zero."""
        return self.low > 0.0 or self.high < 0.0

    @property
    def nothing(self) -> bool:
        """Whether number and interval are zero."""
        return self.value == self.low == self.high == 0.0


def supported(value: float, low: float, high: float, unit: str = "") -> Supported:
    """A number and its interval with the digits that the interval supports.

    Two digits of the width of the interval (as the Guide to the Expression of Uncertainty in Measurement has it for
    uncertainties, 7.2.6), whole ones of what is counted, and shares to a hundredth of a point. Without an interval, or
    with one of no width, four digits of the largest number.
    """
    width = high - low
    if math.isfinite(width) and width > 0.0:
        step = 10.0 ** (_magnitude(width) - _WIDTH_DIGITS + 1)
    else:
        largest = max((abs(each) for each in (value, low, high) if math.isfinite(each)), default=0.0)
        step = 10.0 ** (_magnitude(largest) - _DIGITS + 1) if largest else 1.0
    if unit in COUNTED:
        step = max(step, 1.0)
    elif unit in ("share", "0-1"):
        step = max(step, _LEAST_SHARE)
    return Supported(rounded(value, step), rounded(low, step), rounded(high, step), step)


def supported_arrays(
    values: np.ndarray, low: np.ndarray, high: np.ndarray, unit: str = ""
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """`supported` for each of three arrays of one shape, float64."""
    shown = [supported(*each, unit) for each in zip(values.flat, low.flat, high.flat, strict=True)]
    arrays = (np.array([getattr(each, name) for each in shown]) for name in ("value", "low", "high"))
    first, second, third = (array.reshape(values.shape) for array in arrays)
    return first, second, third


def rounded(value: float, step: float) -> float:
    """The multiple of a power of ten that is nearest to a value; NaN stays."""
    if not math.isfinite(value):
        return value
    # Through the decimals, so that a step of 0.1 gives 0.3 and not 0.30000000000000004. Adding 0 removes a minus.
    return round(value, -round(math.log10(step))) + 0.0


def _magnitude(value: float) -> int:
    """Power of ten of the first digit of a value above 0, once it is rounded to two digits."""
    return int(f"{value:.1e}".partition("e")[2])


def format_estimate(value: float, low: float, high: float, unit: str = "", signed: bool = False) -> tuple[str, str]:
    """A number and its interval in the unit given by `unit_name`, with the digits that the interval supports.

    A dash for an interval that is NaN.
    """
    shown = supported(value, low, high, unit)
    texts = [_fixed(each, shown.step, unit, signed) for each in (shown.value, shown.low, shown.high)]
    if not math.isfinite(high - low):
        return format_number(value, unit, signed), "–"
    return texts[0], f"{texts[1]} … {texts[2]}"


def _fixed(value: float, step: float, unit: str, signed: bool) -> str:
    """A multiple of a step, with as many decimals as the step has in its unit."""
    if math.isnan(value):
        return "–"
    scale = _scale(unit)[0]
    value, step = value * scale, step * scale
    decimals = max(-round(math.log10(step)), 0)
    for name, size in (("bn", 1e9), ("million", 1e6)):
        if abs(value) >= 100 * size:
            value, decimals, name = value / size, max(-round(math.log10(step / size)), 0), f" {name}"
            break
    else:
        name = ""
    sign = "+" if signed and round(value, decimals) else ""
    text = f"{value + 0.0:{sign},.{decimals}f}{name}"
    return text.replace("-", "−") if signed else text


def format_number(value: float | None, unit: str = "", signed: bool = False) -> str:
    """A number in the unit given by `unit_name`: four digits for a level, three for a (signed) difference.

    Below a hundred million, all digits before the point are kept; above, the number is in millions or billions (bn).
    None and NaN become a dash. What is counted is whole.
    """
    if value is None or math.isnan(value):
        return "–"
    if unit in COUNTED:
        value = float(round(value))
    value *= _scale(unit)[0]
    sign = "+" if signed and value else ""
    for name, size in (("bn", 1e9), ("million", 1e6)):
        if abs(value) >= 100 * size:
            text = f"{value / size:{sign},.0f} {name}"
            break
    else:
        if signed:
            whole = unit in COUNTED and _scale(unit)[0] == 1.0
            decimals = min(max(2 - math.floor(math.log10(abs(value))), 0), 5) if value and not whole else 0
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
