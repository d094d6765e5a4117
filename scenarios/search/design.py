"""Factors are the settings varied by a design, read from a design file; each point becomes a scenario.

A design file gives the base scenario of all points, and the factors by their dotted keys as in ``--set``::

    base = "baseline"
    [factors."levers.sme_fund.intensity"]
    from = 0.0
    to = 2.0

A factor of a lever switches the lever on, and a factor of a shock gives the shock its declared severity, unless it
is already on in the base or a factor sets the severity. A lever with intensity or budget 0 is on but has no effect.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Self, TypeVar, get_args

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from scenarios.errors import InputError, first_fault, nearest
from scenarios.files.describe import field_rows, parameter_rows
from scenarios.files.loading import check_name, merge_values, nest, parse_toml, read_text
from scenarios.files.schema import NAMING_KEYS, Scenario, build, nested_models
from sim.feedbacks import Feedbacks
from sim.levers import Levers
from sim.rules import Rules
from sim.shocks import Shocks

#: Largest number of scenarios in a design; the manifest contains each, with several thousand characters.
MAX_POINTS = 5000

Value = bool | int | float | str


class FactorTable(BaseModel):
    """One factor in a design file: a range or values."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, strict=True)

    low: float | None = Field(None, alias="from", description="smallest value")
    high: float | None = Field(None, alias="to", description="largest value")
    log: bool = Field(False, description="spread evenly on a log scale")
    levels: int | None = Field(None, ge=2, description="values of a range in a grid, ends included")
    values: tuple[Value, ...] | None = Field(None, min_length=1, strict=False, description="the values themselves")

    @model_validator(mode="after")
    def _range_or_values(self) -> Self:
        if self.values is not None:
            if {"low", "high", "log", "levels"} & self.model_fields_set:
                raise ValueError("give either values, or from and to (with log, levels)")
            if len(set(map(repr, self.values))) < len(self.values):
                raise ValueError("values has the same value twice")
            return self
        low, high = self.ends
        if not low < high:
            raise ValueError(f"from is {low:g} and to is {high:g}; from must lie below to")
        if self.log and low <= 0:
            raise ValueError(f"from is {low:g}; log = true needs a from above 0")
        return self

    @property
    def ends(self) -> tuple[float, float]:
        """Smallest and largest value of a range.

        Raises:
            ValueError: an end is missing, such as if there are values instead.
        """
        if self.low is None or self.high is None:
            raise ValueError("give from and to, or values")
        return self.low, self.high


class DesignFile(BaseModel):
    """The content of every design file."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    base: str = Field(
        "baseline", description="base scenario of every point: catalogue name, or path relative to this file"
    )
    name: str = Field("", description="beginning of the points' names; the file's name if empty")
    seed: int = Field(1, ge=0, description="seed of the design")
    factors: dict[str, FactorTable] = Field(min_length=1, description="settings that are varied")


@dataclass(frozen=True)
class Factor:
    """A setting that is varied.

    Attributes:
        key: dotted, as in ``--set``. low, high: range, ends included, in the setting's unit.
        values: instead of a range. log: spread on a log scale. whole: integers only.
        levels: number of values in a grid, or None.
    """

    key: str
    low: float = 0.0
    high: float = 1.0
    values: tuple[Value, ...] | None = None
    log: bool = False
    whole: bool = False
    levels: int | None = None

    def value_at(self, u: float) -> Value:
        """Value at a coordinate `u` of the unit interval, of which every value has an equal share."""
        if self.values is not None:
            return self.values[min(int(u * len(self.values)), len(self.values) - 1)]
        if self.whole and not self.log:
            return int(min(self.low + np.floor(u * (self.high - self.low + 1)), self.high))
        value = self.low * (self.high / self.low) ** u if self.log else self.low + u * (self.high - self.low)
        value = float(np.clip(value, self.low, self.high))
        return round(value) if self.whole else value

    def grid(self) -> list[Value]:
        """The values of the factor in a grid, in increasing order; for a count, duplicates after rounding are removed.

        Raises:
            ValueError: the range has no levels.
        """
        if self.values is not None:
            return list(self.values)
        if self.levels is None:
            raise ValueError(f"{self.key} has no levels")
        space = np.geomspace if self.log else np.linspace
        values = np.clip(space(self.low, self.high, self.levels), self.low, self.high).tolist()
        return sorted({round(value) for value in values}) if self.whole else values


@cache
def known_settings() -> dict[str, dict]:
    """Every setting that can be a factor, by dotted key, as described by `scenarios.files.describe`."""
    tables = {"levers": Levers, "rules": Rules, "shocks": Shocks, "model": Feedbacks}
    rows = [row for name, table in tables.items() for row in field_rows(table, name)]
    return {row["key"]: row for row in [*rows, *parameter_rows()]}


Design = TypeVar("Design", bound=DesignFile)


def read_design(path: Path, model: type[Design]) -> Design:
    """A design file, validated without its base; a relative path of the base is resolved from the file's folder.

    Raises:
        InputError: the file is not valid; the message has the file, the key, the value and what is allowed.
    """
    design = make_design(parse_toml(read_text(path), str(path)), model, str(path), path.stem)
    base = str(path.parent / design.base) if "/" in design.base or design.base.endswith(".toml") else design.base
    return design.model_copy(update={"base": base})


def make_design(values: dict, model: type[Design], source: str, name: str = "") -> Design:
    """A design from the values of a file, validated without its base.

    Args:
        source: name of the file, for messages. name: beginning of the points' names, unless the values have one.

    Raises:
        InputError: as in `read_design`.
    """
    if isinstance(values.get("factors"), dict):
        values = {**values, "factors": dict(_flatten_factors(values["factors"]))}
    try:
        design = model.model_validate(values)
    except ValidationError as error:
        raise InputError(f"{source}: {first_fault(error, partial(_known_keys, model))}") from None
    for key in design.factors:
        if key not in known_settings():
            hint = nearest(key, known_settings()) or "; srdi show levers, rules, shocks and parameters list all"
            raise InputError(f"{source}: unknown factor {key}{hint}")
    name = design.name or name
    try:
        check_name(f"{name}-{MAX_POINTS}")
    except InputError:
        raise InputError(f"{source}: a scenario name cannot begin with {name!r}; set name = in the file") from None
    return design.model_copy(update={"name": name})


def _flatten_factors(nested_models: dict, prefix: str = "") -> Iterator[tuple[str, object]]:
    """Factors by dotted key; in the file, a key is in quotation marks or written as nested tables."""
    for name, table in nested_models.items():
        key = f"{prefix}{name}"
        if isinstance(table, dict) and table and all(isinstance(inner, dict) for inner in table.values()):
            yield from _flatten_factors(table, f"{key}.")
        else:
            yield key, table


def _known_keys(model: type[DesignFile], path: list[str]) -> list[str]:
    """Allowed keys of a design file or of one of its factors, below a path of keys."""
    table: type[BaseModel] = FactorTable if path[:1] == ["factors"] else model
    return [field.alias or name for name, field in table.model_fields.items()]


def factors_of(design: DesignFile, base: Scenario, source: str) -> tuple[Factor, ...]:
    """The factors of a design file; each end and value is checked with the base.

    Raises:
        InputError: a value is not allowed for the setting; the message says which are.
    """
    return tuple(_factor(key, table, base, f"{source}: factors.{key}") for key, table in design.factors.items())


def _factor(key: str, table: FactorTable, base: Scenario, source: str) -> Factor:
    kinds = _kinds(key)
    ends: dict[str, tuple[Value, ...]]
    if table.values is not None:
        factor = Factor(key, values=table.values)
        ends = {"a value": table.values}
    else:
        if not kinds & {int, float}:
            raise InputError(f"{source} is not a number; give values = [...] ({known_settings()[key]['range']})")
        for end in table.ends:
            if int in kinds and not end.is_integer():
                raise InputError(f"{source}: {end:g} is not a whole number, and this setting is a count")
        kind = int if int in kinds else float
        low, high = map(kind, table.ends)
        factor = Factor(key, low, high, log=table.log, whole=kind is int, levels=table.levels)
        ends = {"from": (low,), "to": (high,)}
    for word, values in ends.items():
        for value in values:
            try:
                apply_point(base, {key: value}, "point")
            except InputError as error:
                allowed = known_settings()[key]["range"]
                fault = str(error).removeprefix("point: ")
                raise InputError(f"{source}: {word}: {fault}{f' (allowed: {allowed})' if allowed else ''}") from None
    return factor


def _kinds(key: str) -> set:
    """Python types that a setting accepts."""
    *path, last = key.split(".")
    if path == ["parameters"]:
        return {float}
    model: type[BaseModel] = Scenario
    for name in path:
        model = nested_models(model, BaseModel)[name]
    annotation = model.model_fields[last].annotation
    return {getattr(kind, "__origin__", kind) for kind in (annotation, *get_args(annotation))}


def apply_point(base: Scenario, point: Mapping[str, Value], name: str, title: str = "") -> Scenario:
    """The base with the settings of a point applied, and their levers and shocks switched on.

    Args:
        point: values by dotted key.

    Raises:
        ScenarioError: the result is not a valid scenario.
    """
    values = base.model_dump(by_alias=True, mode="json")
    for key in point:
        group, item = key.split(".")[:2]
        if group == "levers":
            values[group][item]["enabled"] = True
        elif group == "shocks" and values[group][item]["severity"] == 0:
            values[group][item]["severity"] = type(getattr(base.shocks, item))().severity
    values = merge_values(values, nest(point))
    return build({**values, **dict.fromkeys(NAMING_KEYS, ""), "name": name, "title": title}, name)


def points_over(base: Scenario, points: list[dict[str, Value]], name: str, first: int = 1) -> list[Scenario]:
    """A scenario for each point, named NAME-0001 and so on."""
    return [
        apply_point(base, point, f"{name}-{number:04d}", f"{name}, point {number}")
        for number, point in enumerate(points, start=first)
    ]
