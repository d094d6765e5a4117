"""The model's numeric parameters, read from ``sim/data/parameters.toml``.

Each entry has a value, a unit, the range it may take, a description and a source. The
kernels receive them as one NumPy record with a float64 field per parameter, institutions as plain
numbers; either writes ``p.knowledge_depreciation``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import SimpleNamespace

import numpy as np

from sim.reference import read_data
from sim.wording import nearest


@dataclass(frozen=True)
class Parameter:
    """One entry of the parameter file."""

    name: str
    group: str
    value: float
    unit: str
    low: float
    high: float
    description: str
    source: str


@cache
def parameter_table() -> dict[str, Parameter]:
    """All parameters by name, in file order."""
    table = {}
    for group, entries in read_data("parameters").items():
        for name, entry in entries.items():
            low, high = entry["range"]
            table[name] = Parameter(
                name=name,
                group=group,
                value=float(entry["value"]),
                unit=entry["unit"],
                low=float(low),
                high=float(high),
                description=entry["description"],
                source=entry["source"],
            )
    return table


@cache
def _record_type() -> np.dtype:
    return np.dtype([(name, np.float64) for name in parameter_table()])


def check_parameters(values: Mapping[str, float]) -> None:
    """Raise ValueError for a parameter that does not exist or lies outside its range."""
    table = parameter_table()
    for name, value in values.items():
        if name not in table:
            raise ValueError(f"unknown parameter {name!r}{nearest(name, table, likeness=0.6)}")
        if not table[name].low <= value <= table[name].high:
            raise ValueError(
                f"parameter {name} = {value:g} is outside {table[name].low:g} to {table[name].high:g} "
                f"{table[name].unit}"
            )


def parameter_values(overrides: Mapping[str, float] | None = None) -> SimpleNamespace:
    """The parameter values by name as Python numbers, for institutions; some of them replaced.

    Raises ValueError as `check_parameters` does.
    """
    overrides = overrides or {}
    check_parameters(overrides)
    return SimpleNamespace(**{name: entry.value for name, entry in parameter_table().items()} | overrides)


def parameter_record(overrides: Mapping[str, float] | None = None) -> np.record:
    """The same values as one record, for compiled code: reading its fields from Python is slow.

    It is read-only: a record that was pickled silently drops assignments.
    """
    record = np.zeros(1, dtype=_record_type()).view(np.recarray)
    for name, value in vars(parameter_values(overrides)).items():
        record[name] = value
    record.flags.writeable = False
    return record[0]
