"""The section of costs: spending by lever, and what one more firm costs where that can be said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from scenarios.analysis.metrics import SPENT
from viz.compared import unit_of
from viz.language import Words
from viz.paired import Estimate, mean_of, ratio_of
from viz.parts import Table
from viz.sections import Sections

#: Firms whose cost is told, and the quantity it is set against.
GAINS = ("little_giants", "genuine_little_giants", "srdi_smes", "genuine_srdi_smes")


@dataclass(frozen=True)
class Bar:
    """Spending through a lever in one scenario: the amount, and its length over the largest of all in per cent."""

    text: str
    length: float


def spending(sections: Sections) -> list[tuple[str, Sequence[Bar]]]:
    """Rows of the table of spending: title of the lever and a bar for each scenario; the last row is their sum."""
    compared, words = sections.compared, sections.words
    spent = {name: compared.spending(name) for name in compared.names}
    levers = dict.fromkeys(lever for each in spent.values() for lever in each.index)
    largest = max((each.max() for each in spent.values() if len(each)), default=0.0)
    rows: list[tuple[str, Sequence[Bar]]] = []
    for lever in levers:
        amounts = [float(spent[name].get(lever, 0.0)) for name in compared.names]
        rows.append((words.lever(lever), [Bar(words.number(each), 100.0 * each / largest) for each in amounts]))
    if rows:
        rows.append((words("cost.all"), [Bar(words.number(float(spent[name].sum())), 0.0) for name in compared.names]))
    return rows


def costs_per_firm(sections: Sections) -> Table:
    """Cost of one more firm of each kind in each scenario, or why it is not told."""
    words = sections.words
    heads = [words(f"cost.{head}") for head in ("scenario", "outcome", "result", "extra_cost", "extra_firms")]
    rows = [_row(sections, name, gain) for name in sections.compared.others for gain in GAINS]
    return Table(heads, rows, words=3)


def _row(sections: Sections, name: str, quantity: str) -> list[str]:
    words = sections.words
    costs, gains = (sections.compared.differences(name, each).iloc[-1] for each in (SPENT, quantity))
    return [
        sections.titles[name],
        words.column(quantity),
        price(words, costs, gains),
        words.number(mean_of(costs).mean, signed=True),
        words.value(mean_of(gains).mean, unit_of(quantity), signed=True),
    ]


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


def price(words: Words, costs: pd.Series, gains: pd.Series) -> str:
    """The cost of one more firm with its interval, or in words why there is none; see `price_of`."""
    return price_of(costs, gains).text(words)


def price_of(costs: pd.Series, gains: pd.Series) -> Price:
    """What one more firm costs, or why that cannot be said.

    Args:
        costs, gains: paired differences of the same runs, as `viz.paired.mean_of` takes them.
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
