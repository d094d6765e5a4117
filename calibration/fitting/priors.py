"""Priors of the parameters that may be fitted, from ``calibration/priors.toml``.

The fit works in the unit cube: coordinate u of a parameter is the distribution function of its prior. So the prior is
uniform there, and `Priors.values` maps a point of the cube to parameter values.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from typing import Annotated, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from scipy.stats import norm

from scenarios.errors import InputError, nearest
from scenarios.files.loading import parse_toml
from sim.parameters import parameter_table

#: Normal and lognormal priors are truncated at this many standard deviations.
CUT = 2.0


class _Prior(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    source: str = Field(min_length=1)
    role: Literal["free", "held"]


class Uniform(_Prior):
    """Uniform from `lowest` to `highest`."""

    distribution: Literal["uniform"]
    lowest: float = Field(alias="from")
    highest: float = Field(alias="to")

    def bounds(self) -> tuple[float, float]:
        """Smallest and largest value."""
        return self.lowest, self.highest

    def quantile(self, u: np.ndarray, low: float, high: float) -> np.ndarray:
        """Values at probabilities u, float64 (points,), of the distribution truncated to low … high."""
        return low + u * (high - low)


class Normal(_Prior):
    """Truncated normal."""

    distribution: Literal["normal"]
    mean: float
    sd: float = Field(gt=0)

    def bounds(self) -> tuple[float, float]:
        """Smallest and largest value."""
        return self.mean - CUT * self.sd, self.mean + CUT * self.sd

    def quantile(self, u: np.ndarray, low: float, high: float) -> np.ndarray:
        """Values at probabilities u, float64 (points,), of the distribution truncated to low … high."""
        ends = norm.cdf(np.array([low, high]), self.mean, self.sd)
        return norm.ppf(ends[0] + u * (ends[1] - ends[0]), self.mean, self.sd)


class Lognormal(_Prior):
    """Truncated lognormal."""

    distribution: Literal["lognormal"]
    median: float = Field(gt=0)
    log_sd: float = Field(gt=0)

    def bounds(self) -> tuple[float, float]:
        """Smallest and largest value."""
        return self.median * np.exp(-CUT * self.log_sd), self.median * np.exp(CUT * self.log_sd)

    def quantile(self, u: np.ndarray, low: float, high: float) -> np.ndarray:
        """Values at probabilities u, float64 (points,), of the distribution truncated to low … high."""
        ends = norm.cdf(np.log([low, high]), np.log(self.median), self.log_sd)
        return np.exp(norm.ppf(ends[0] + u * (ends[1] - ends[0]), np.log(self.median), self.log_sd))


Prior = Uniform | Normal | Lognormal
_ADAPTER = TypeAdapter(Annotated[Prior, Field(discriminator="distribution")])


@dataclass(frozen=True)
class Priors:
    """Priors by parameter name, in file order."""

    by_name: dict[str, Prior]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the parameters, the order of coordinates."""
        return tuple(self.by_name)

    @cached_property
    def bounds(self) -> np.ndarray:
        """Bounds of each parameter, float64 (parameters, 2): the intersection of the prior's and the model's range."""
        table = parameter_table()
        rows = [(prior.bounds(), table[name]) for name, prior in self.by_name.items()]
        return np.array([(max(ends[0], entry.low), min(ends[1], entry.high)) for ends, entry in rows])

    def values(self, cube: np.ndarray) -> np.ndarray:
        """Parameter values at points of the unit cube, float64 (points, parameters)."""
        columns = [
            prior.quantile(cube[:, index], *self.bounds[index]) for index, prior in enumerate(self.by_name.values())
        ]
        return np.clip(np.column_stack(columns), *self.bounds.T)

    def only(self, role: str) -> Priors:
        """The priors of one role."""
        return Priors({name: prior for name, prior in self.by_name.items() if prior.role == role})


def read_priors(text: str | None = None, source: str = "calibration/priors.toml") -> Priors:
    """All priors in the package's file, or in a text of the same format.

    Raises:
        InputError: one sentence with the key, the value and what is allowed.
    """
    if text is None:
        text = files("calibration").joinpath("priors.toml").read_text(encoding="utf-8")
    rows = parse_toml(text, source).get("parameter", {})
    if not isinstance(rows, dict) or not rows or not all(isinstance(row, dict) for row in rows.values()):
        raise InputError(f"{source}: there is no [parameter.NAME]")
    priors = {}
    for name, row in rows.items():
        table = parameter_table()
        if name not in table:
            raise InputError(f"{source}: unknown parameter {name}{nearest(name, table)}")
        try:
            prior = _ADAPTER.validate_python(row)
        except ValidationError as error:
            raise InputError(f"{source}: parameter.{name}: {_sentence(error, row)}") from None
        low, high = prior.bounds()
        if not low < high or low >= table[name].high or high <= table[name].low:
            allowed = f"{table[name].low:g} to {table[name].high:g}"
            raise InputError(f"{source}: parameter.{name} is from {low:g} to {high:g}; allowed is a part of {allowed}")
        priors[name] = prior
    return Priors(priors)


def _sentence(error: ValidationError, row: dict) -> str:
    fault = error.errors()[0]
    key = str(fault["loc"][-1]) if fault["loc"] else "distribution"
    if fault["type"].startswith("union_tag"):
        return f"distribution is {row.get('distribution')!r}; allowed: uniform, normal, lognormal"
    if fault["type"] == "missing":
        return f"{key} is missing"
    if fault["type"] == "extra_forbidden":
        return f"unknown key {key}"
    return f"{key} is {fault['input']!r}: {fault['msg'][0].lower()}{fault['msg'][1:]}"
