"""The section about the model: reported figures, parameters, the ODD protocol."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files

import markdown

from scenarios.analysis.reported import reported_figures
from scenarios.ensembles.parameter_draws import ParameterDraws
from scenarios.files.labels import Label, parameter_labels
from sim.parameters import parameter_table
from viz.shared.texts import TextTable
from viz.shared.units import unit_of_figure
from viz.words.declared import declared, parameter_meaning, unit_as_stored
from viz.words.language import Words

#: Parts of the about section, in order: keys of their titles in the catalogue's `data`.
ABOUT = ("reading", "figures", "parameters", "odd")


def figures_table(words: Words, search: str = "") -> TextTable:
    """Every reported figure: what, when, value, wording of the report, use, source."""
    heads = [words(f"data.{head}") for head in ("figure", "date", "value", "as_reported", "role", "source")]
    rows = []
    for figure in reported_figures():
        unit = unit_of_figure(figure)
        title = words.column(figure.quantity)
        if figure.province:
            title = words("number.bracketed", value=title, about=words.province(figure.province))
        value = words.reported(figure, unit)
        rows.append(
            [
                title,
                words.date(figure.date),
                value if unit == "share" else f"{value} {words.unit(unit)}",
                declared(figure.text, words),
                words(f"data.role_{figure.role}"),
                words("number.bracketed", value=declared(figure.source, words), about=figure.mark),
            ]
        )
    return TextTable(heads, _found(rows, search), words=len(heads))


def parameters_table(
    words: Words, search: str = "", central: ParameterDraws | None = None, drawn: Mapping[str, Label] = {}
) -> TextTable:
    """Every parameter of the model: name, meaning, unit, what it rests on, source, value in the central run, range.

    Args:
        central: the draw of the central run, if it is not that of the defaults. drawn: labels of the parameters that
            are drawn.
    """
    keys = ("parameter", "meaning", "unit", "label", "source", "value", "range")
    heads = [words(f"data.{head}") for head in keys]
    rows = []
    values, labels = central.parameters(1) if central else {}, parameter_labels(drawn)
    for parameter in parameter_table().values():
        rows.append(
            [
                parameter.name,
                parameter_meaning(parameter, words),
                unit_as_stored(parameter.unit, words),
                words.label(labels[parameter.name]),
                declared(parameter.source, words),
                _value(values.get(parameter.name, parameter.value)),
                words.span(_value(parameter.low), _value(parameter.high)),
            ]
        )
    return TextTable(heads, _found(rows, search), words=5)


def _found(rows: list[list[str]], search: str) -> list[list[str]]:
    """Rows that contain every search word, in any column."""
    wanted = search.casefold().split()
    return [row for row in rows if all(word in " ".join(row).casefold() for word in wanted)]


def _value(value: float) -> str:
    """A parameter's value as in the file, with separators."""
    return f"{value:,.0f}" if value.is_integer() and abs(value) >= 10_000 else f"{value:g}"


@cache
def odd_html(language: str) -> str:
    """The model's description by the ODD protocol as HTML, from the packaged Markdown file."""
    text = files("viz.words").joinpath(f"odd.{language}.md").read_text(encoding="utf-8")
    return markdown.markdown(text, extensions=["tables"])
