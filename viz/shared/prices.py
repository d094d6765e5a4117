"""What one more firm costs, where that can be said."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from viz.shared.estimates import Estimate, mean_of, ratio_of
from viz.words.language import Words


@dataclass(frozen=True)
class Price:
    """What one more firm costs: which sentence of the catalogue's `cost` says it, and the ratio where there is one."""

    key: str
    ratio: Estimate | None = None

    def text(self, words: Words) -> str:
        """The sentence."""
        if self.ratio is None:
            return words(f"cost.{self.key}")
        low, high = self.ratio.low, self.ratio.high
        value = words.value(self.ratio.mean, "yuan", beside=max(abs(low), abs(high)))
        return words(f"cost.{self.key}", value=value, interval=words.interval(low, high, "yuan"))


def price_of(costs: pd.Series, gains: pd.Series) -> Price:
    """What one more firm costs, or why that cannot be said.

    Args:
        costs, gains: paired differences of the same runs, as `viz.shared.estimates.mean_of` takes them.
    """
    cost, gain = mean_of(costs), mean_of(gains)
    if not gain.known:
        return Price("one_run")
    if not gain.clear:
        return Price("same" if gain.low == gain.high == 0.0 else "unclear")
    if not cost.clear:
        return Price("free" if gain.mean > 0.0 else "worse")
    if (cost.mean > 0.0) != (gain.mean > 0.0):
        return Price("cheaper" if gain.mean > 0.0 else "dearer")
    return Price("ratio" if gain.mean > 0.0 else "saved", ratio_of(costs, gains))
