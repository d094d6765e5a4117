"""The section on costs: public cost by lever and kind, and the cost of an additional firm where it can be stated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from scenarios.analysis.metrics import COST_PARTS, CUMULATIVE_COST
from viz.report.sections import Sections
from viz.shared.texts import TextTable
from viz.shared.units import unit_of
from viz.words.language import NOTHING

#: Heads of the table of costs per firm.
_HEADS = ("scenario", "outcome", "result", "rests_on", "extra_cost", "extra_firms")
#: Kinds of firms for which the cost of an additional firm is computed.
GAINS = ("little_giants", "genuine_little_giants", "srdi_smes", "genuine_srdi_smes")


@dataclass(frozen=True)
class Bar:
    """Spending through a lever in one scenario: the amount, and the length of its bar in per cent of the largest."""

    text: str
    length: float


def spending(sections: Sections) -> list[tuple[str, Sequence[Bar]]]:
    """Rows of the table of public cost: a name and one bar per scenario.

    First spending by lever with its sum, then what else the public pays, which is told from the baseline: most tax
    relief has nothing to do with levers.
    """
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
    outside = {"tax": COST_PARTS["tax"], "title": COST_PARTS["title"], "full": CUMULATIVE_COST}
    for key, quantity in outside.items() if compared.others else ():
        differences = (compared.differences(name, quantity).iloc[-1].mean() for name in compared.others)
        bars = [Bar(NOTHING, 0.0), *(Bar(words.number(float(each), signed=True), 0.0) for each in differences)]
        rows.append((words(f"cost.{key}"), bars))
    return rows


def costs_per_firm(sections: Sections) -> TextTable:
    """Cost of an additional firm of each kind in each scenario, or the reason why it cannot be stated."""
    words = sections.words
    heads = [words(f"cost.{head}") for head in _HEADS]
    rows = [_row(sections, name, gain) for name in sections.compared.others for gain in GAINS]
    return TextTable(heads, rows, words=4)


def _row(sections: Sections, name: str, quantity: str) -> list[str]:
    words = sections.words
    return [
        sections.titles[name],
        words.column(quantity),
        sections.compared.price(name, quantity).text(words),
        words.label(sections.compared.results.change_label(sections.compared.baseline, name)),
        *(
            words.estimate(each.mean, each.low, each.high, unit, signed=True)[0]
            for each, unit in (
                (sections.compared.difference(name, CUMULATIVE_COST), "yuan"),
                (sections.compared.difference(name, quantity), unit_of(quantity)),
            )
        ),
    ]
