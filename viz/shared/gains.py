"""Who gains and who loses: tables of `scenarios.analysis.incidence` by region, county type, sector or tier."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from scenarios.analysis.incidence import NATION
from viz.shared.ranges import estimate_texts
from viz.shared.texts import TextTable
from viz.words.language import Words

#: What is compared by region, county type or sector: columns of their tables.
QUANTITIES = ("srdi_smes", "little_giants", "employment", "revenue_yuan")
#: The same by dimension; tiers are kinds of firms themselves.
QUANTITIES_BY = {
    "region": QUANTITIES,
    "county_type": QUANTITIES,
    "sector": QUANTITIES,
    "tier": ("firms", "employment", "revenue_yuan", "rd_true_yuan"),
}
#: Keys of the names of places, by dimension.
_NAMES = {"region": "fit.region_{}", "county_type": "provinces.{}", "sector": "sector.{}", "tier": "chains.tier_{}"}

#: Rows of an `Incidence` by place and measure.
Places = Mapping[str, Mapping[str, pd.Series]]


def place_name(words: Words, by: str, place: str) -> str:
    """Name of a place of a dimension of QUANTITIES_BY, or of the nation."""
    return words("gain.nation") if place == NATION else words(_NAMES[by].format(place))


def gains_table(words: Words, by: str, before: Places, now: Places) -> TextTable:
    """A quantity by place: level in the baseline and under the scenario, and the change.

    Args:
        before, now: rows of the quantity in the baseline and under the scenario.
    """
    heads = ("before", "here", "change", "band", "per_firms", "share")
    unit = now[NATION]["change"]["unit"]
    rows = [
        [
            place_name(words, by, place),
            words.value(before[place]["level"]["value"], unit),
            words.value(row["level"]["value"], unit),
            *estimate_texts(words, row["change"], unit, signed=True),
            words.number(row["change_per_1000_firms"]["value"], signed=True),
            _share(words, row),
        ]
        for place, row in now.items()
    ]
    return TextTable([words(f"gain.place_{by}"), *(words(f"gain.{head}") for head in heads)], rows)


def concentration_table(words: Words, by: str, before: Mapping[str, Places], now: Mapping[str, Places]) -> TextTable:
    """Sums of gains and losses, which places clearly gain or lose, and the Gini coefficient over places.

    Args:
        before, now: rows of every quantity in the baseline and under the scenario.
    """
    rows = []
    for quantity in now:
        nation, first = now[quantity][NATION], before[quantity][NATION]
        places = {place: row["change"] for place, row in now[quantity].items() if place != NATION}
        unit = nation["change"]["unit"]
        gain, lose = (
            words.joined([place_name(words, by, place) for place, change in places.items() if sure(change)])
            or words("number.nothing")
            for sure in (lambda change: change["low"] > 0.0, lambda change: change["high"] < 0.0)
        )
        rows.append(
            [
                words("number.bracketed", value=words.column(quantity), about=words.unit(unit)),
                gain,
                lose,
                words.value(nation["gains"]["value"], unit, signed=True),
                words.value(nation["losses"]["value"], unit, signed=True),
                words.number(first["gini"]["value"]),
                *estimate_texts(words, nation["gini_change"], "0-1", signed=True),
            ]
        )
    heads = ("quantity", "winners", "losers", "gains", "losses", "gini", "gini_change", "band")
    return TextTable([words(f"gain.{head}") for head in heads], rows, words=3)


def _share(words: Words, row: Mapping[str, pd.Series]) -> str:
    """The share of a place in the nation's change; a dash if there is none."""
    share = row["share_of_change"]["value"] if "share_of_change" in row else float("nan")
    return words.value(share, "share")
