"""The section of costs: spending by lever, and what one more firm costs where that can be said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from scenarios.analysis.metrics import SPENT
from viz.report.sections import Sections
from viz.shared.estimates import mean_of
from viz.shared.prices import price_of
from viz.shared.texts import TextTable
from viz.shared.units import unit_of

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


def costs_per_firm(sections: Sections) -> TextTable:
    """Cost of one more firm of each kind in each scenario, or why it is not told."""
    words = sections.words
    heads = [words(f"cost.{head}") for head in ("scenario", "outcome", "result", "extra_cost", "extra_firms")]
    rows = [_row(sections, name, gain) for name in sections.compared.others for gain in GAINS]
    return TextTable(heads, rows, words=3)


def _row(sections: Sections, name: str, quantity: str) -> list[str]:
    words = sections.words
    costs, gains = (sections.compared.differences(name, each).iloc[-1] for each in (SPENT, quantity))
    return [
        sections.titles[name],
        words.column(quantity),
        price_of(costs, gains).text(words),
        words.number(mean_of(costs).mean, signed=True),
        words.value(mean_of(gains).mean, unit_of(quantity), signed=True),
    ]
