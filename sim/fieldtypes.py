"""Field types of levers and rules: strict about kinds of values, with unit and range attached."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field


def _number(value):
    if isinstance(value, bool | str):
        raise ValueError("a number is wanted here")
    return value


Number = Annotated[float, BeforeValidator(_number), Field(allow_inf_nan=False)]
Count = Annotated[int, BeforeValidator(_number)]
Switch = Annotated[bool, Field(strict=True)]


def quantity(default, unit: str, description: str, **bounds):
    """A numeric field with its unit, allowed range (``ge``, ``gt``, ``le``) and help text."""
    return Field(default, description=description, json_schema_extra={"unit": unit}, **bounds)
