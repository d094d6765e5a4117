"""The section with the map: little giants by province, and their change from the baseline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from viz.report.sections import Sections
from viz.shared.estimates import mean_of
from viz.shared.province_squares import LAYOUT, Palette, Square, changes, ink_on, levels, squares
from viz.shared.texts import TextTable
from viz.shared.units import unit_of

#: The column of the province table shown on the map.
COLUMN = "little_giants"


@dataclass(frozen=True)
class Map:
    """A map: title, text for screen readers, squares, key (background and text colours, number), table."""

    title: str
    label: str
    squares: Sequence[Square]
    key: Sequence[tuple[str, str, str]]
    table: TextTable


@dataclass(frozen=True)
class Cells:
    """Heads of a table by province, and its cells: the number on the map, its interval, and further columns."""

    heads: Sequence[str]
    by_province: Mapping[str, Sequence[str]]


def maps(sections: Sections) -> list[Map]:
    """A map of the baseline, and for every other scenario one of its change from the baseline."""
    compared = sections.compared
    before = compared.provinces(compared.baseline, COLUMN).loc[list(LAYOUT)]
    differences = {name: compared.provinces(name, COLUMN).loc[list(LAYOUT)] - before for name in compared.others}
    palette = changes(max((values.mean(axis=1).abs().max() for values in differences.values()), default=0.0))
    changed = [_change(sections, name, before, values, palette) for name, values in differences.items()]
    return [_level(sections, before), *changed]


def _level(sections: Sections, runs: pd.DataFrame) -> Map:
    words, unit, title = sections.words, unit_of(COLUMN), sections.titles[sections.compared.baseline]
    means, low, high = runs.mean(axis=1), runs.quantile(0.05, axis=1), runs.quantile(0.95, axis=1)
    cells = {
        province: [
            words.value(means[province], unit),
            *([] if sections.single else [words.interval(low[province], high[province], unit)]),
        ]
        for province in LAYOUT
    }
    heads = [words("map.province"), title, *([] if sections.single else [words("fan.most")])]
    title = words("map.level", when=sections.when, scenario=title)
    return _map(sections, title, "map.square_band", means, levels(means.max()), Cells(heads, cells))


def _change(sections: Sections, name: str, before: pd.DataFrame, differences: pd.DataFrame, palette: Palette) -> Map:
    words, unit, titles = sections.words, unit_of(COLUMN), sections.titles
    estimates = {province: mean_of(differences.loc[province]) for province in LAYOUT}
    means = pd.Series({province: estimate.mean for province, estimate in estimates.items()})
    old, new = before.mean(axis=1), (before + differences).mean(axis=1)
    cells = {
        province: [
            words.value(estimate.mean, unit, signed=True),
            words.interval(estimate.low, estimate.high, unit, signed=True),
            words.value(old[province], unit),
            words.value(new[province], unit),
        ]
        for province, estimate in estimates.items()
    }
    heads = [
        *(words(key) for key in ("map.province", "effect.difference", "effect.interval")),
        *(titles[each] for each in (sections.compared.baseline, name)),
    ]
    clear = frozenset(province for province, estimate in estimates.items() if estimate.clear)
    unclear = frozenset(province for province, estimate in estimates.items() if estimate.known and not estimate.clear)
    return _map(
        sections,
        words("map.change", scenario=titles[name]),
        "map.square_interval",
        means,
        palette,
        Cells(heads, cells),
        marked=clear,
        faded=unclear,
    )


def _map(
    sections: Sections,
    title: str,
    square: str,
    means: pd.Series,
    palette: Palette,
    cells: Cells,
    **emphasis: frozenset[str],
) -> Map:
    """A map of means by province.

    Args:
        square: key of the text for a square's interval. emphasis: `marked` and `faded` of `squares`.
    """
    words, unit = sections.words, unit_of(COLUMN)
    names = {province: words.province(province) for province in LAYOUT}
    numbers = {province: cells.by_province[province][0] for province in LAYOUT}
    labels = {
        province: words("map.square", province=names[province], value=numbers[province], unit=words.unit(unit))
        + ("" if sections.single else words(square, interval=cells.by_province[province][1]))
        for province in LAYOUT
    }
    order = means.sort_values(ascending=False, kind="stable").index
    extremes = {
        which: words("chain.value", scenario=names[province], value=numbers[province])
        for which, province in (("most", order[0]), ("least", order[-1]))
    }
    signed = square == "map.square_interval"
    return Map(
        title=title,
        label=words("map.alt", title=title, **extremes),
        squares=squares(means, palette, names, numbers, labels, **emphasis),
        key=[(fill, ink_on(fill), words.value(step, unit, signed)) for step, fill in palette.steps],
        table=TextTable(cells.heads, [[names[province], *cells.by_province[province]] for province in order]),
    )
