"""Field types of levers and rules: strict about kinds of values, with unit and range attached."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from pydantic import AfterValidator, BeforeValidator, Field

from sim.calendar import Quarter
from sim.reference import province_names, sector_names


def _number(value):
    if isinstance(value, bool | np.bool_ | str):
        raise ValueError("a number is wanted here")
    return value


Number = Annotated[float, BeforeValidator(_number), Field(allow_inf_nan=False)]
Count = Annotated[int, BeforeValidator(_number)]
Switch = Annotated[bool, Field(strict=True)]


def _quarter(value):
    if not isinstance(value, str):  # 2024 and 2024-01-01 are a number and a date to TOML
        raise ValueError('a quarter is wanted here, such as "2024Q1"')
    return value


def _quarter_text(text: str) -> str:
    return str(Quarter.parse(text))


def known_names(kind: str, names: tuple[str, ...]):
    """A validator of tuples that takes only known names, and says which there are."""

    def check(values: tuple[str, ...]) -> tuple[str, ...]:
        for value in values:
            if value not in names:
                raise ValueError(f"unknown {kind} {value!r}; allowed: {', '.join(names)}")
        return values

    return check


QuarterText = Annotated[str, BeforeValidator(_quarter), AfterValidator(_quarter_text)]
Provinces = Annotated[tuple[str, ...], AfterValidator(known_names("province", province_names()))]
Sectors = Annotated[tuple[str, ...], AfterValidator(known_names("sector", sector_names()))]


def quantity(default, unit: str, description: str, **bounds):
    """A numeric field with its unit, allowed range (``ge``, ``gt``, ``le``) and help text."""
    return Field(default, description=description, json_schema_extra={"unit": unit}, **bounds)
