"""The section on who gains and who loses: changes by region, and how concentrated they are."""

from __future__ import annotations

import pandas as pd
from markupsafe import Markup

from scenarios.analysis.incidence import NATION, incidence
from scenarios.display.drawing import svg
from viz.report.blocks import Panel, ScenarioPanels
from viz.report.panels import ranges_chart
from viz.report.sections import Sections
from viz.shared.gains import QUANTITIES, Places, concentration_table, gains_table, place_name

_BY = "region"


def gains(sections: Sections) -> list[ScenarioPanels]:
    """Gains and losses of every other scenario against the baseline, by region; empty if there is no other."""
    compared = sections.compared
    if not compared.others:
        return []
    incidences = incidence(compared.results, _BY, compared.baseline, quantities=QUANTITIES)
    before = incidences.by_place(compared.baseline)
    found = []
    for name in compared.others:
        now = incidences.by_place(name)
        found.append(
            ScenarioPanels(
                sections.titles[name],
                sections.looks[name],
                [_panel(sections, name, quantity, before[quantity], now[quantity]) for quantity in now],
                concentration_table(sections.words, _BY, before, now),
                basis=sections.difference_basis(name),
            )
        )
    return found


def _panel(sections: Sections, name: str, quantity: str, before: Places, now: Places) -> Panel:
    words, unit = sections.words, now[NATION]["change"]["unit"]
    places = [place_name(words, _BY, place) for place in now]
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
    table = gains_table(words, _BY, before, now)
    return Panel(words.column(quantity), words.unit(unit), Markup(svg(drawing, alt)), table)
