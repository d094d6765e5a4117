"""Parameter draws: the posterior sample that comes with the package, or a Parquet file of one's own.

Replicate r of every scenario takes draw r + 1 and its own luck (crossed: every draw with every replicate), so scenarios
share both and their difference is the policy, while the spread over runs holds what is not known of the parameters.
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

#: Name of the draws that come with the package (see ``srdi calibrate``).
POSTERIOR = "posterior"


@dataclass(frozen=True)
class Draws:
    """A sample of parameter values.

    Attributes:
        source: "posterior" or a path. names: parameters.
        values: float64 (draws, parameters), in the units of ``srdi show parameters``.
        checksum: SHA-256 of the file. skipped: draws of the file that stand before the first of these, and come last.
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
        """What a plan says of the draws."""
        told = {"source": Path(self.source).name, "checksum": self.checksum, "names": list(self.names)}
        return told | ({"skipped": self.skipped} if self.skipped else {})

    def after(self, count: int) -> Draws:
        """The draws that follow the first `count`; after the last draw come the first ones again."""
        skipped = (self.skipped + count) % len(self)
        return replace(self, values=np.roll(self.values, -count, axis=0), skipped=skipped)

    def parameters(self, number: int) -> dict[str, float]:
        """Values of draw `number`, 1 or more; after the last draw comes the first again."""
        return dict(zip(self.names, map(float, self.values[(number - 1) % len(self)]), strict=True))


def read_draws(source: str) -> Draws:
    """The draws of the package (``posterior``) or of a Parquet file with one column a parameter.

    Raises:
        InputError: one sentence with the file, the column, what was found and what is allowed.
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
        raise InputError(f"{source} holds no draws")
    columns = []
    for name, column in zip(table.column_names, table.columns, strict=True):
        if name not in known:
            raise InputError(f"{source}: unknown parameter {name}{nearest(name, known)}")
        if not pa.types.is_floating(column.type) or column.null_count:
            raise InputError(f"{source}: {name} is {column.type}; wanted are floating-point numbers without gaps")
        values = column.to_numpy().astype(np.float64)
        wrong = values[~((values >= known[name].low) & (values <= known[name].high))]
        if len(wrong):
            raise InputError(
                f"{source}: {name} is {wrong[0]:g}; allowed is {known[name].low:g} to {known[name].high:g}"
            )
        columns.append(values)
    digest = hashlib.sha256(content).hexdigest()
    return Draws(source, tuple(table.column_names), np.column_stack(columns), digest)


def values_table(names: tuple[str, ...], values: np.ndarray) -> Table:
    """Parameter values (draws, parameters) as an Arrow table, a column a parameter with its unit."""
    import pyarrow as pa

    table = parameter_table()
    fields = [
        pa.field(name, pa.float64(), metadata={"unit": table[name].unit, "description": table[name].description})
        for name in names
    ]
    return pa.Table.from_arrays([pa.array(column) for column in values.T], schema=pa.schema(fields))
