"""The section with the map: little giants by province, and their change from the baseline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from viz.report.sections import Sections
from viz.shared.estimates import Estimate
from viz.shared.province_squares import LAYOUT, Palette, Square, changes, ink_on, levels, squares
from viz.shared.texts import TextTable
from viz.shared.units import unit_of
from viz.words.language import Words

#: The column of the province table shown on the map.
COLUMN = "little_giants"


@dataclass(frozen=True)
class Map:
    """A map: title, text for screen readers, squares, key (background and text colours, number), table, basis."""

    title: str
    label: str
    squares: Sequence[Square]
    key: Sequence[tuple[str, str, str]]
    table: TextTable
    basis: str


@dataclass(frozen=True)
class Cells:
    """Heads of a table by province, and its cells: the number on the map, its interval, and further columns.

    Attributes:
        basis: what the numbers rest on, in a sentence.
    """

    heads: Sequence[str]
    by_province: Mapping[str, Sequence[str]]
    basis: str


def maps(sections: Sections) -> list[Map]:
    """A map of the baseline, and for every other scenario one of its change from the baseline."""
    compared = sections.compared
    before, *policies = (compared.province_levels(name, COLUMN).loc[list(LAYOUT)] for name in compared.names)
    effects = {name: compared.province_effects(name, COLUMN).loc[list(LAYOUT)] for name in compared.others}
    palette = changes(max((found["mean"].abs().max() for found in effects.values()), default=0.0))
    changed = [
        _change(sections, name, (before, now), effects[name], palette)
        for name, now in zip(compared.others, policies, strict=True)
    ]
    return [_level(sections, before), *changed]


def _level(sections: Sections, before: pd.DataFrame) -> Map:
    words, title = sections.words, sections.titles[sections.compared.baseline]
    means = before["mean"]
    cells = {province: _number(words, before.loc[province])[: 1 if sections.single else 2] for province in LAYOUT}
    heads = [words("map.province"), title, *([] if sections.single else [words("fan.most")])]
    title = words("map.level", when=sections.when, scenario=title)
    basis = sections.level_basis(sections.compared.baseline)
    return _map(sections, title, "map.square_band", means, levels(means.max()), Cells(heads, cells, basis))


def _number(words: Words, row: pd.Series, signed: bool = False) -> tuple[str, str]:
    """A number and its interval, from a row with mean, low and high."""
    return words.estimate(row["mean"], row["low"], row["high"], unit_of(COLUMN), signed)


def _change(
    sections: Sections,
    name: str,
    levels_of: tuple[pd.DataFrame, pd.DataFrame],
    effects: pd.DataFrame,
    palette: Palette,
) -> Map:
    """The map of the change from the baseline to a scenario, whose levels are in `levels_of`, in this order."""
    words, titles = sections.words, sections.titles
    means = effects["mean"]
    cells = {
        province: [
            *_number(words, effects.loc[province], signed=True),
            *(_number(words, level.loc[province])[0] for level in levels_of),
        ]
        for province in LAYOUT
    }
    heads = [
        *(words(key) for key in ("map.province", "effect.difference", "effect.interval")),
        *(titles[each] for each in (sections.compared.baseline, name)),
    ]
    estimates = {province: Estimate(*effects.loc[province]) for province in LAYOUT}
    clear = frozenset(province for province, estimate in estimates.items() if estimate.clear)
    unclear = frozenset(province for province, estimate in estimates.items() if estimate.known and not estimate.clear)
    return _map(
        sections,
        words("map.change", scenario=titles[name]),
        "map.square_interval",
        means,
        palette,
        Cells(heads, cells, sections.difference_basis(name)),
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
        basis=cells.basis,
    )
