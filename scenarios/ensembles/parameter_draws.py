"""Parameter draws: the samples shipped with the package, or a Parquet file of the user.

Replicate r of every scenario takes parameter draw r + 1 and random draws of its own (crossed: every parameter draw with
every replicate). Scenarios share both, so that they differ only in policy, and the spread over runs includes parameter
uncertainty.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from scenarios.errors import InputError, nearest
from scenarios.files.labels import Label
from scenarios.files.loading import DRAW_NAMES
from sim.parameters import parameter_table

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

    from pyarrow import Table

#: Names of the parameter draws shipped with the package: of the fit to the reported figures (``srdi calibrate``); these
#: with draws of the strengths of levers from published evidence (``srdi evidence``); and a single draw, the middle of
#: the latter (see `median_of`).
POSTERIOR, EVIDENCE, MEDIAN = DRAW_NAMES
#: Their files in the package `calibration`, and the summary of ``srdi evidence``.
PACKAGED = {POSTERIOR: "posterior.parquet", EVIDENCE: "evidence_posterior.parquet"}
EVIDENCE_SUMMARY = "evidence.json"


@dataclass(frozen=True)
class ParameterDraws:
    """A sample of parameter values.

    Attributes:
        source: one of DRAW_NAMES or a path. names: of the parameters.
        values: float64 (draws, parameters), in the units of ``srdi show parameters``.
        checksum: SHA-256 of the file. skipped: number of draws at the start of the file that have been moved to the
            end. crossed: of how many first draws half are crossed (see `cross`).
    """

    source: str
    names: tuple[str, ...]
    values: np.ndarray
    checksum: str
    skipped: int = 0
    crossed: int = 0
    labels: Mapping[str, Label] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.values)

    @property
    def identity(self) -> dict:
        """Description of the draws in a plan."""
        values = {"source": Path(self.source).name, "checksum": self.checksum, "names": list(self.names)}
        changes = {"skipped": self.skipped, "crossed": self.crossed}
        return values | {name: count for name, count in changes.items() if count}

    @cached_property
    def strengths(self) -> tuple[str, ...]:
        """The parameters that the fit to the reported figures does not draw: those drawn from evidence."""
        fitted = set(read_parameter_draws(POSTERIOR).names)
        return tuple(name for name in self.names if name not in fitted)

    def columns(self, names: Collection[str]) -> np.ndarray:
        """Values of some parameters, in the order of `names` of the draws: float64 (draws, parameters)."""
        return self.values[:, [name in names for name in self.names]]

    def after(self, count: int) -> ParameterDraws:
        """The draws after the first `count`, followed by the first ones."""
        skipped = (self.skipped + count) % len(self)
        return replace(self, values=np.roll(self.values, -count, axis=0), skipped=skipped)

    def cross(self, count: int) -> ParameterDraws:
        """The first `count` draws, of which the first half have the strengths of draw i and the fit of draw i + 1.

        After the last of the half follows the first. Beside runs with the draws themselves, each of these runs shares
        strengths, fitted parameters or both with some, so that the doubt about each can be told apart.
        """
        count = min(count, len(self))
        values, half = self.values[:count].copy(), count // 2
        fitted = np.array([name not in self.strengths for name in self.names])
        values[:half, fitted] = np.roll(values[:half, fitted], -1, axis=0)
        return replace(self, values=values, crossed=count)

    def parameters(self, number: int) -> dict[str, float]:
        """Values of draw `number` (from 1); after the last draw, counting starts again at the first."""
        return dict(zip(self.names, map(float, self.values[(number - 1) % len(self)]), strict=True))


def read_parameter_draws(source: str) -> ParameterDraws:
    """The draws of the package (DRAW_NAMES) or of a Parquet file with one column per parameter.

    Raises:
        InputError: the file is not valid; the message has the file, the column, the value and what is allowed. Or the
            package has no such draws yet.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    if source == MEDIAN:
        return median_of(read_parameter_draws(EVIDENCE))
    if source in PACKAGED:
        file = packaged_file(PACKAGED[source])
        if not file.is_file():
            raise InputError(
                f"this package has no {source} draws; make them with srdi {source} and give {file.name} to --params"
            )
        content = file.read_bytes()
    else:
        try:
            content = Path(source).read_bytes()
        except OSError as error:
            raise InputError(f"{source} cannot be read: {error.strerror}") from None
    try:
        table = pq.read_table(pa.BufferReader(content))
    except (pa.ArrowException, OSError):
        raise InputError(f"{source} is not a Parquet file") from None
    known = parameter_table()
    if not table.num_rows or not table.num_columns:
        raise InputError(f"{source} has no parameter draws")
    columns = []
    for name, column in zip(table.column_names, table.columns, strict=True):
        if name not in known:
            raise InputError(f"{source}: unknown parameter {name}{nearest(name, known)}")
        if not pa.types.is_floating(column.type) or column.null_count:
            raise InputError(
                f"{source}: {name} is {column.type}; it must be floating-point numbers without missing values"
            )
        values = column.to_numpy().astype(np.float64)
        wrong = values[~((values >= known[name].low) & (values <= known[name].high))]
        if len(wrong):
            raise InputError(
                f"{source}: {name} is {wrong[0]:g}; allowed is {known[name].low:g} to {known[name].high:g}"
            )
        columns.append(values)
    digest = hashlib.sha256(content).hexdigest()
    # The draws of the fit were packaged before files had labels.
    unsaid = Label("fitted") if source == POSTERIOR else Label("assumed")
    labels = {name: Label.of_metadata(table.field(name).metadata, unsaid) for name in table.column_names}
    return ParameterDraws(source, tuple(table.column_names), np.column_stack(columns), digest, labels=labels)


def median_of(draws: ParameterDraws) -> ParameterDraws:
    """One draw with the median of every strength.

    Fitted parameters are left at the model's defaults, the draw of the fit nearest the reported figures: medians of
    parameters that depend on each other need not fit together.
    """
    names = draws.strengths
    middle = np.median(draws.columns(names), axis=0)[None]
    labels = {name: label for name, label in draws.labels.items() if name in names}
    return ParameterDraws(MEDIAN, names, middle, draws.checksum, labels=labels)


def packaged_file(name: str) -> Traversable:
    """A file of the package `calibration`, which may not exist."""
    return files("calibration").joinpath(name)


def values_table(names: tuple[str, ...], values: np.ndarray, labels: Mapping[str, Label] = {}) -> Table:
    """Parameter values (draws, parameters) as an Arrow table, one column per parameter with its unit.

    Args:
        labels: what the values of a parameter rest on, by name; kept in the metadata of its column.
    """
    import pyarrow as pa

    table = parameter_table()
    fields = []
    for name in names:
        metadata = {"unit": table[name].unit, "description": table[name].description}
        if name in labels:
            metadata |= labels[name].metadata
        fields.append(pa.field(name, pa.float64(), metadata=metadata))
    return pa.Table.from_arrays([pa.array(column) for column in values.T], schema=pa.schema(fields))
