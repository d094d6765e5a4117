"""What the code and its data declare in English, in the reader's language: columns of tables, parameters, sources."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files

from sim.outputs import Output
from sim.parameters import Parameter
from viz.words.language import Words


@cache
def translations(language: str) -> dict[str, dict[str, str]]:
    """Tables `text`, by English text, and `parameter`, by name; empty in English."""
    if language == "en":
        return {"text": {}, "parameter": {}}
    return tomllib.loads(files("viz.words").joinpath(f"declared.{language}.toml").read_text(encoding="utf-8"))


def declared(text: str, words: Words) -> str:
    """A declared text, such as a source; as it is where it has no translation."""
    return translations(words.language)["text"].get(text, text)


def column_meaning(column: Output, words: Words) -> str:
    """What a column of a results table is."""
    if column.name in translations(words.language)["parameter"]:
        return translations(words.language)["parameter"][column.name]
    return declared(column.description, words)


def parameter_meaning(parameter: Parameter, words: Words) -> str:
    """What a parameter of the model is."""
    return translations(words.language)["parameter"].get(parameter.name, parameter.description)


def unit_as_stored(unit: str, words: Words) -> str:
    """Name of the unit of a number that is shown as it is stored: a share as a share, not in per cent."""
    return words("data.share") if unit == "share" else words.unit(unit)
