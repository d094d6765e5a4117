"""Texts declared in English in code and data, in the user's language: columns of tables, parameters, sources."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files

from sim.parameters import Parameter
from sim.records.outputs import Output
from viz.words.language import Words


@cache
def translations(language: str) -> dict[str, dict[str, str]]:
    """Tables `text`, by English text, and `parameter`, by name; empty in English."""
    if language == "en":
        return {"text": {}, "parameter": {}}
    return tomllib.loads(files("viz.words").joinpath(f"declared.{language}.toml").read_text(encoding="utf-8"))


def declared(text: str, words: Words) -> str:
    """A declared text, such as a source; untranslated if there is no translation."""
    return translations(words.language)["text"].get(text, text)


def column_meaning(column: Output, words: Words) -> str:
    """The meaning of a column in a results table."""
    if column.name in translations(words.language)["parameter"]:
        return translations(words.language)["parameter"][column.name]
    return declared(column.description, words)


def parameter_meaning(parameter: Parameter, words: Words) -> str:
    """The meaning of a model parameter."""
    return translations(words.language)["parameter"].get(parameter.name, parameter.description)


def unit_as_stored(unit: str, words: Words) -> str:
    """Unit of a number shown as stored: a share stays a share, not per cent."""
    return words("data.share") if unit == "share" else words.unit(unit)
