"""Numbers rounded to what their range supports."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pandas as pd

from scenarios.analysis.intervals import band_columns
from viz.words.language import WHOLE, Words

#: A range is told in steps of which at least so many lie within it.
_STEPS = 10.0
#: Significant digits of a number whose range has no width.
_DIGITS = 2


@dataclass(frozen=True)
class Rounded:
    """A mean over runs with the range of 10 to 90 % of them, rounded to steps that the range supports.

    Attributes:
        value, low, high: ends are NaN for a single run. unit: as named in the results.
        clear: whether the range before rounding excludes zero.
    """

    value: float
    low: float
    high: float
    unit: str
    clear: bool

    def text(self, words: Words, signed: bool = True) -> str:
        """The mean, on the scale of the larger end."""
        ends = [abs(end) for end in (self.low, self.high) if math.isfinite(end)]
        return words.value(self.value, self.unit, signed, beside=max(ends, default=None))

    def range(self, words: Words, signed: bool = True) -> str:
        """The range; a dash for a single run."""
        return words.interval(self.low, self.high, self.unit, signed)


def rounded(runs: pd.Series, unit: str) -> Rounded:
    """The mean and the range of a number in each run, rounded."""
    return rounded_ends(**band_columns(runs.to_numpy(float)), unit=unit)


def rounded_ends(*, value: float, low: float, high: float, unit: str) -> Rounded:
    """A number and its range, rounded to a power of ten of which ten fit into the range.

    What is counted is rounded to whole ones at least. A number without a range keeps two significant digits.
    """
    width = high - low
    if math.isfinite(width) and width > 0.0:
        exponent = math.floor(math.log10(width / _STEPS))
    elif value:
        exponent = math.floor(math.log10(abs(value))) - _DIGITS + 1
    else:
        exponent = 0
    if unit in WHOLE:
        exponent = max(exponent, 0)
    ends = (round(number, -exponent) if math.isfinite(number) else number for number in (value, low, high))
    return Rounded(*ends, unit, clear=low > 0.0 or high < 0.0)
