"""Means over runs with the range of 10 to 90 % of them, estimate_texts with the digits that the range supports."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from scenarios.analysis.intervals import band_columns
from viz.words.language import NOTHING, Words


@dataclass(frozen=True)
class Ranged:
    """A mean over runs with the range of 10 to 90 % of them.

    Attributes:
        value, low, high: ends are NaN for a single run. unit: as named in the results.
    """

    value: float
    low: float
    high: float
    unit: str

    @property
    def clear(self) -> bool:
        """Whether the range, before rounding, excludes zero."""
        return self.low > 0.0 or self.high < 0.0

    def text(self, words: Words, signed: bool = True) -> str:
        """The mean."""
        return words.estimate(self.value, self.low, self.high, self.unit, signed)[0]

    def range(self, words: Words, signed: bool = True) -> str:
        """The range; a dash for a single run."""
        return words.estimate(self.value, self.low, self.high, self.unit, signed)[1]


def estimate_texts(words: Words, row: Mapping[str, Any], unit: str, *, signed: bool = False) -> tuple[str, str]:
    """A number of an analysis and its range, from `value`, `low` and `high` of its row; as `Words.estimate`."""
    return words.estimate(row["value"], row["low"], row["high"], unit, signed)


def share_text(words: Words, share: float) -> str:
    """A share of runs in whole per cent; a dash if it is not known."""
    return NOTHING if math.isnan(share) else words.percent(round(share, 2))


def share_span(words: Words, row: Mapping[str, Any]) -> str:
    """The interval of a share of runs in whole per cent, from `low` and `high` of its row."""
    return words.span(share_text(words, row["low"]), share_text(words, row["high"]))


def ranged(runs: pd.Series, unit: str) -> Ranged:
    """The mean and the range of a number in each run."""
    return Ranged(**band_columns(runs.to_numpy(float)), unit=unit)
