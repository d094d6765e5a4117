"""Parameter draws: the posterior sample shipped with the package, or a Parquet file of the user.

Replicate r of every scenario takes parameter draw r + 1 and random draws of its own (crossed: every parameter draw with
every replicate). Scenarios share both, so that they differ only in policy, and the spread over runs includes parameter
uncertainty.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from scenarios.errors import InputError, nearest
from sim.parameters import parameter_table

if TYPE_CHECKING:
    from pyarrow import Table

#: Name of the parameter draws shipped with the package (see ``srdi calibrate``).
POSTERIOR = "posterior"


@dataclass(frozen=True)
class ParameterDraws:
    """A sample of parameter values.

    Attributes:
        source: "posterior" or a path. names: of the parameters.
        values: float64 (draws, parameters), in the units of ``srdi show parameters``.
        checksum: SHA-256 of the file. skipped: number of draws at the start of the file that have been moved to the
            end.
    """

    source: str
    names: tuple[str, ...]
    values: np.ndarray
    checksum: str
    skipped: int = 0

    def __len__(self) -> int:
        return len(self.values)

    @property
    def identity(self) -> dict:
        """Description of the draws in a plan."""
        values = {"source": Path(self.source).name, "checksum": self.checksum, "names": list(self.names)}
        return values | ({"skipped": self.skipped} if self.skipped else {})

    def after(self, count: int) -> ParameterDraws:
        """The draws after the first `count`, followed by the first ones."""
        skipped = (self.skipped + count) % len(self)
        return replace(self, values=np.roll(self.values, -count, axis=0), skipped=skipped)

    def parameters(self, number: int) -> dict[str, float]:
        """Values of draw `number` (from 1); after the last draw, counting starts again at the first."""
        return dict(zip(self.names, map(float, self.values[(number - 1) % len(self)]), strict=True))


def read_parameter_draws(source: str) -> ParameterDraws:
    """The draws of the package (``posterior``) or of a Parquet file with one column per parameter.

    Raises:
        InputError: the file is not valid; the message has the file, the column, the value and what is allowed.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    if source == POSTERIOR:
        content = files("calibration").joinpath("posterior.parquet").read_bytes()
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
    return ParameterDraws(source, tuple(table.column_names), np.column_stack(columns), digest)


def values_table(names: tuple[str, ...], values: np.ndarray) -> Table:
    """Parameter values (draws, parameters) as an Arrow table, one column per parameter with its unit."""
    import pyarrow as pa

    table = parameter_table()
    fields = [
        pa.field(name, pa.float64(), metadata={"unit": table[name].unit, "description": table[name].description})
        for name in names
    ]
    return pa.Table.from_arrays([pa.array(column) for column in values.T], schema=pa.schema(fields))
