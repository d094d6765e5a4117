"""The section on who gains and who loses: changes by region, and how concentrated they are."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
from markupsafe import Markup

from scenarios.analysis.incidence import NATION, PAID, incidence
from scenarios.display.drawing import svg
from viz.report.blocks import Panel, ScenarioPanels
from viz.report.panels import ranges_chart
from viz.report.sections import Sections
from viz.shared.texts import TextTable
from viz.words.language import Words

#: What is compared by region: columns of the table of provinces.
QUANTITIES = ("srdi_smes", "little_giants", "employment", "revenue_yuan")
_BY = "region"

#: Rows of `scenarios.analysis.incidence` by place and measure.
Places = Mapping[str, Mapping[str, pd.Series]]


def gains(sections: Sections) -> list[ScenarioPanels]:
    """Gains and losses of every other scenario against the baseline, by region; empty if there is no other."""
    compared = sections.compared
    if not compared.others:
        return []
    rows = incidence(compared.results, _BY, compared.baseline, quantities=QUANTITIES).rows
    before = by_place(rows[rows["scenario"] == compared.baseline])
    found = []
    for name in compared.others:
        now = by_place(rows[rows["scenario"] == name])
        found.append(
            ScenarioPanels(
                sections.titles[name],
                sections.looks[name],
                [_panel(sections, name, quantity, before[quantity], now[quantity]) for quantity in QUANTITIES],
                _concentration(sections.words, before, now),
                basis=sections.difference_basis(name),
            )
        )
    return found


def by_place(rows: pd.DataFrame) -> dict[str, dict[str, dict[str, pd.Series]]]:
    """Rows of a scenario by quantity, place and measure; public money, which has no place, is left out."""
    found: dict[str, dict[str, dict[str, pd.Series]]] = {}
    for _, row in rows[rows["quantity"] != PAID].iterrows():
        found.setdefault(row["quantity"], {}).setdefault(row["place"], {})[row["measure"]] = row
    return found


def region(words: Words, place: str) -> str:
    """Name of a region of the statistics office, or of the nation."""
    return words("gain.nation") if place == NATION else words(f"fit.region_{place}")


def _panel(sections: Sections, name: str, quantity: str, before: Places, now: Places) -> Panel:
    words, unit = sections.words, now[NATION]["change"]["unit"]
    places = [region(words, place) for place in now]
    changes = [row["change"] for row in now.values()]
    alt = words(
        "gain.alt",
        column=words.column(quantity),
        scenario=sections.titles[name],
        values=words.joined(
            [
                words("chain.value", scenario=place, value=words.value(change["value"], unit, signed=True))
                for place, change in zip(places, changes, strict=True)
            ]
        ),
    )
    drawing = ranges_chart(
        places, pd.DataFrame(changes), sections.looks[name], lambda value: words.value(value, unit, signed=True)
    )
    heads = ("place", "before", "here", "change", "band", "per_firms", "share")
    rows = [
        [
            title,
            words.value(before[place]["level"]["value"], unit),
            words.value(row["level"]["value"], unit),
            *words.estimate(*_ends(row["change"]), unit, signed=True),
            words.number(row["change_per_1000_firms"]["value"], signed=True),
            _share(words, row),
        ]
        for title, (place, row) in zip(places, now.items(), strict=True)
    ]
    table = TextTable([words(f"gain.{head}") for head in heads], rows)
    return Panel(words.column(quantity), words.unit(unit), Markup(svg(drawing, alt)), table)


def _share(words: Words, row: Mapping[str, pd.Series]) -> str:
    """The share of a place in the nation's change; a dash if there is none."""
    share = row["share_of_change"]["value"] if "share_of_change" in row else float("nan")
    return words.value(share, "share")


def _concentration(words: Words, before: Mapping[str, Places], now: Mapping[str, Places]) -> TextTable:
    """Sums of gains and losses, which regions clearly gain or lose, and the Gini coefficient over regions."""
    rows = []
    for quantity in QUANTITIES:
        nation, first = now[quantity][NATION], before[quantity][NATION]
        places = {place: row["change"] for place, row in now[quantity].items() if place != NATION}
        unit = nation["change"]["unit"]
        gain, lose = (
            words.joined([region(words, place) for place, change in places.items() if sure(change)]) or words(_NONE)
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
                *words.estimate(*_ends(nation["gini_change"]), "0-1", signed=True),
            ]
        )
    heads = ("quantity", "winners", "losers", "gains", "losses", "gini", "gini_change", "band")
    return TextTable([words(f"gain.{head}") for head in heads], rows, words=3)


_NONE = "number.nothing"


def _ends(row: pd.Series) -> tuple[float, float, float]:
    return row["value"], row["low"], row["high"]
