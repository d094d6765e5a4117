"""What is known badly of a quantity or a province: remarks that stand beside its numbers.

From the packaged validation: figures that the model misses, and places where an interval is wider than the number
itself. A quantity of which no figure is reported has an error that is assumed, and says so too.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import cache

from scenarios.analysis.metrics import GENUINE
from scenarios.analysis.model_error import KNOWN, OTHER_DISCREPANCY, level_error
from scenarios.analysis.reported import ReportedFigure, reported_figures
from viz.shared.calibrated import packaged_validation
from viz.shared.units import unit_of_figure
from viz.words.language import Words

#: Width of a 90 % interval over its median from which on a number is called badly known.
WIDE = 1.0
#: The 95 % quantile of the normal distribution.
_NORMAL_95 = 1.645


def remark(words: Words, quantity: str) -> str:
    """What is known badly of a national quantity, in sentences; empty if nothing is.

    Args:
        quantity: a column of the national table, or a metric derived from one.
    """
    rows = [(figure, row) for figure, row in _validated() if figure.quantity == quantity and not figure.province]
    if not rows:
        share = words.percent(OTHER_DISCREPANCY)
        stock = GENUINE[quantity][1] if quantity in GENUINE else ""
        key = "known.unreported_share" if stock else "known.unreported"
        return words(key, share=share, stock=words.column(stock) if stock else "")
    missed = [words("known.missed", **_texts(words, *each)) for each in rows if is_missed(each[1])]
    wide = [words("known.wide", **_texts(words, *each)) for each in rows if is_wide(each[1]) and not is_missed(each[1])]
    return words.sentences([*missed, *wide])


def province_remark(words: Words, quantity: str, province: str = "") -> str:
    """How well single provinces are known, in sentences: in all of them, or with the figures of one.

    Args:
        quantity: a column of the province table.
    """
    factor = math.exp(_NORMAL_95 * level_error(quantity, [KNOWN], province=True)[0])
    texts = [words("known.provinces", factor=words.number(round(factor, 1)))] if factor > 1.0 + WIDE / 2.0 else []
    rows = [(figure, row) for figure, row in _validated() if figure.quantity == quantity and figure.province]
    if province:
        own = [each for each in rows if each[0].province == province]
        texts += [
            words("known.missed" if is_missed(row) else "known.province_figure", **_texts(words, figure, row))
            for figure, row in own
        ]
        if texts and not own:
            texts.append(words("known.province_unreported"))
        return words.sentences(texts)
    outside = dict.fromkeys(words.province(figure.province) for figure, row in rows if is_missed(row))
    if outside:
        texts.append(words("known.outside", provinces=words.joined(list(outside))))
    return words.sentences(texts)


def is_missed(row: dict) -> bool:
    """Whether the reported interval of a row of a validation lies outside the model's 90 % interval.

    Of figures of the fit `inside` is a stricter test, of the median; of others it is this one.
    """
    if row["role"] != "fit":
        return not row["inside"]
    low, high = row["reported_low"], row["reported_high"]
    return (high is not None and row["p05"] > high) or (low is not None and row["p95"] < low)


def is_wide(row: dict) -> bool:
    """Whether the 90 % interval of a row of a validation is wider than its median."""
    return row["p95"] - row["p05"] > WIDE * row["median"]


@cache
def _validated() -> tuple[tuple[ReportedFigure, dict], ...]:
    """Reported figures with their rows in the packaged validation; those given from outside are no test."""
    known = {figure.id: figure for figure in reported_figures()}
    rows: Iterable[dict] = packaged_validation().results["targets"]
    return tuple(
        (known[row["id"]], row)
        for row in rows
        if row["id"] in known and row["median"] is not None and (row["role"] != "given" or known[row["id"]].province)
    )


def _texts(words: Words, figure: ReportedFigure, row: dict) -> dict[str, str]:
    """Date, reported and simulated number of a figure, for a sentence."""
    unit = unit_of_figure(figure)
    value, interval = words.estimate(row["median"], row["p05"], row["p95"], unit)
    return {
        "when": words.month(figure.date),
        "reported": words.reported(figure, unit),
        "value": value,
        "interval": interval,
    }
