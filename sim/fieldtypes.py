"""Field types of levers and rules, strict about kinds of values, with unit and range; and what both have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import numpy as np
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from sim.calendar import Quarter
from sim.reference import province_names, sector_names
from sim.wording import nearest


def _number(value):
    if isinstance(value, bool | np.bool_ | str):
        raise ValueError("it must be a number")
    return value


Number = Annotated[float, BeforeValidator(_number), Field(allow_inf_nan=False)]
Count = Annotated[int, BeforeValidator(_number)]
Switch = Annotated[bool, Field(strict=True)]


def _quarter(value):
    if not isinstance(value, str):  # 2024 and 2024-01-01 are a number and a date to TOML
        raise ValueError('it must be a quarter, such as "2024Q1"')
    return value


def _quarter_text(text: str) -> str:
    return str(Quarter.parse(text))


def known_names(kind: str, names: tuple[str, ...]):
    """A validator of tuples that takes only known names; for another it says the nearest one and which there are."""

    def check(values: tuple[str, ...]) -> tuple[str, ...]:
        for value in values:
            if value not in names:
                raise ValueError(f"unknown {kind} {value!r}{nearest(value, names)} (allowed: {', '.join(names)})")
        return values

    return check


QuarterText = Annotated[str, BeforeValidator(_quarter), AfterValidator(_quarter_text)]
#: A quarter, or None.
MaybeQuarter = QuarterText | None
Provinces = Annotated[tuple[str, ...], AfterValidator(known_names("province", province_names()))]
Sectors = Annotated[tuple[str, ...], AfterValidator(known_names("sector", sector_names()))]


def quantity(default, unit: str, description: str, **bounds):
    """A numeric field with its unit, allowed range (``ge``, ``gt``, ``le``) and help text."""
    return Field(default, description=description, json_schema_extra={"unit": unit}, **bounds)


class Announced(BaseModel):
    """Settings that start in a quarter and may be announced before it.

    A subclass declares the fields `announced` and `start`, each with a description of its own.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    if TYPE_CHECKING:
        announced: str | None
        start: str

    @model_validator(mode="after")
    def _announcement_is_ahead(self):
        if self.announced is not None and Quarter.parse(self.announced) > Quarter.parse(self.start):
            raise ValueError(f"announced {self.announced} lies after start {self.start}")
        return self

    @property
    def known_from(self) -> str:
        """First quarter in which firms may act on it: that of the announcement, else the start."""
        return self.announced or self.start
