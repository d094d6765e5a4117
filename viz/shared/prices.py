"""The cost of an additional firm, where it can be stated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from scenarios.analysis.comparison import COST_OF_FUNDS
from viz.shared.estimates import Estimate, mean_of, ratio_of
from viz.words.language import Words


@dataclass(frozen=True)
class Price:
    """The cost of an additional firm: key of its sentence in the words under `cost`, and the ratio, if any."""

    key: str
    ratio: Estimate | None = None

    def text(self, words: Words) -> str:
        """The sentence."""
        if self.ratio is None:
            return words(f"cost.{self.key}")
        mean, low, high = self.ratio.mean, self.ratio.low, self.ratio.high
        value, interval = words.estimate(mean, low, high, "yuan")
        shares = [share for share in COST_OF_FUNDS if share]
        dearer = (words.estimate((1.0 + share) * mean, low, high, "yuan")[0] for share in shares)
        raised = {"shares": " / ".join(map(words.number, shares)), "dearer": " / ".join(dearer)}
        return words(f"cost.{self.key}", value=value, interval=interval, **raised)


#: Parts of a scenario that nobody buys: what they change is in its cost and its firms alike.
_NOT_BOUGHT = ("shocks", "model", "parameters")


def is_bought(before: Mapping, after: Mapping) -> bool:
    """Whether a scenario differs from the baseline in policy only, so that its cost buys its firms.

    Args:
        before, after: baseline and scenario as in a manifest.
    """
    return all(before[part] == after[part] for part in _NOT_BOUGHT)


def price_of(costs: pd.Series, gains: pd.Series, factor: float = 0.0) -> Price:
    """The cost of an additional firm, or why it cannot be stated.

    Args:
        costs, gains: paired differences of the same runs, indexed as in `viz.shared.estimates.mean_of`.
        factor: of the gain, as there.
    """
    cost, gain = mean_of(costs), mean_of(gains)
    if not gain.known:
        return Price("one_run")
    if not gain.likely:
        return Price("same" if gain.low == gain.high == 0.0 else "unclear")
    if not cost.likely:
        return Price("free" if gain.mean > 0.0 else "worse")
    if (cost.mean > 0.0) != (gain.mean > 0.0):
        return Price("cheaper" if gain.mean > 0.0 else "dearer")
    return Price("ratio" if gain.mean > 0.0 else "saved", ratio_of(costs, gains, factor))
