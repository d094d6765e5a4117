"""Storage of results: Arrow schemas of the declared outputs, atomic writes, checksums."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from scenarios.errors import InputError
from sim.records.outputs import OPTIONAL_TABLES, TABLES, Output

if TYPE_CHECKING:
    import pandas as pd

DRAW = Output("draw", "number", "number of the parameter draw; 0 is the scenario's own parameters", "int32")

#: Columns that identify the run of a row; they come before the table's own columns.
IDENTIFIERS = (
    Output("scenario", "", "scenario name", "string"),
    DRAW,
    Output("replicate", "number", "number of the replicate", "int32"),
    Output("seed", "number", "seed of the replicate; the same in every scenario", "int64"),
)

_TYPES = {
    "float32": pa.float32(),
    "float64": pa.float64(),
    "int32": pa.int32(),
    "int64": pa.int64(),
    "timestamp": pa.timestamp("ms"),
    "string": pa.dictionary(pa.int32(), pa.string()),
}


#: Tables stored with seven digits, because they have many rows.
_SEVEN_DIGITS = ("cluster", "chain")
#: Units of counts. They have few different values and are smallest with dictionary encoding.
COUNT_UNITS = ("firms", "clusters", "counties", "products")


def columns_of(table: str) -> tuple[Output, ...]:
    """All columns of a stored table, identifiers first."""
    return IDENTIFIERS + (TABLES | OPTIONAL_TABLES)[table]


def arrow_schema(table: str) -> pa.Schema:
    """Arrow schema of a stored table; each field carries its unit and description."""
    return pa.schema(
        [
            pa.field(
                column.name,
                _TYPES[dtype_of(table, column)],
                nullable=False,
                metadata={"unit": column.unit, "description": column.description},
            )
            for column in columns_of(table)
        ]
    )


def dtype_of(table: str, column: Output) -> str:
    """Type in which a column of a table is stored."""
    return "float32" if column.dtype == "float64" and table in _SEVEN_DIGITS else column.dtype


def to_arrow(table: str, values: dict[str, np.ndarray], identifiers: dict) -> pa.Table:
    """A model's table with its identifier columns, as an Arrow table."""
    rows = len(next(iter(values.values())))
    schema = arrow_schema(table)
    arrays = []
    for column, field in zip(columns_of(table), schema, strict=True):
        data = np.full(rows, identifiers[column.name]) if column.name in identifiers else values[column.name]
        if column.dtype == "timestamp":
            data = data.astype("datetime64[ms]")
        if column.dtype == "string":
            arrays.append(pa.array(data.astype(str), pa.string()).dictionary_encode())
        else:
            arrays.append(pa.array(data, field.type))
    return pa.Table.from_arrays(arrays, schema=schema)


def refuse_unwritable(path: Path) -> None:
    """Raise InputError if a file cannot be written, so that a long command does not fail at the end."""
    if path.is_dir() or not os.access(path if path.exists() else path.absolute().parent, os.W_OK):
        raise InputError(f"{path} cannot be written")


def make_folder(path: Path) -> None:
    """Create a folder and its parents; raises InputError if that is not possible."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{path} cannot be created: {error.strerror or error}") from None


@contextmanager
def atomic_file(path: Path) -> Iterator[Path]:
    """A temporary file that replaces the file at the end of the block, if the block succeeds."""
    # In the same folder as the target, because os.replace is atomic only within one file system.
    draft = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        yield draft
        # Flushed to disk before it is renamed, so that after a power cut the file is either complete or missing.
        _sync(draft)
        os.replace(draft, path)
        _sync(path.parent)
    finally:
        draft.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    """Flush a file, or the entries of a folder, to disk; Windows has no such call for folders."""
    if path.is_dir() and os.name == "nt":
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def parquet_writer(path: Path, schema: pa.Schema) -> Iterator[pq.ParquetWriter]:
    """A writer that creates a Parquet file atomically."""
    float_columns = [
        field.name
        for field in schema
        if pa.types.is_floating(field.type) and (field.metadata or {}).get(b"unit", b"").decode() not in COUNT_UNITS
    ]
    # Byte-stream split reduces smoothly varying values to two thirds of their size.
    encoding = {
        "use_dictionary": [name for name in schema.names if name not in float_columns],
        "use_byte_stream_split": float_columns,
    }
    with atomic_file(path) as draft, pq.ParquetWriter(draft, schema, compression="zstd", **encoding) as writer:
        yield writer


def write_parquet(table: pa.Table, path: Path) -> None:
    """Write a table to a Parquet file atomically."""
    with parquet_writer(path, table.schema) as writer:
        writer.write_table(table)


def write_json(values: dict, path: Path) -> None:
    """Write a JSON file atomically."""
    with atomic_file(path) as draft:
        draft.write_text(json.dumps(values, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def write_csv(table: pd.DataFrame, path: Path) -> None:
    """Write a table as CSV atomically, with the byte-order mark that Excel needs for Chinese."""
    with atomic_file(path) as draft:
        table.to_csv(draft, index=False, encoding="utf-8-sig")


def records(table: pd.DataFrame) -> list[dict]:
    """Rows of a table as plain values for JSON; NaN becomes None."""
    return table.astype(object).where(table.notna(), None).to_dict("records")


def checksum(path: Path) -> str:
    """SHA-256 of a file, as hexadecimal text."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
