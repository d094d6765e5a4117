"""How results are stored: Arrow schemas from the declared outputs, atomic writes, checksums."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from scenarios.errors import InputError
from sim.outputs import OPTIONAL_TABLES, TABLES, Output

DRAW = Output("draw", "number", "number of the parameter draw; 0 is the scenario's own parameters", "int32")

#: Columns that say which run a row belongs to, before the table's own.
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


#: Tables of single clusters and chains, of which there are many rows, keep seven digits.
_SEVEN_DIGITS = ("cluster", "chain")
#: Units of what is counted: few different values, which a dictionary holds in least room.
COUNTED = ("firms", "clusters", "counties", "products")


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
    """Raise InputError if a file cannot be written: what takes minutes should not fail at its last line."""
    if path.is_dir() or not os.access(path if path.exists() else path.absolute().parent, os.W_OK):
        raise InputError(f"{path} cannot be written")


def make_folder(path: Path) -> None:
    """Make a folder and those above it; raises InputError where that cannot be."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{path} cannot be made: {error.strerror or error}") from None


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """A draft to write into that becomes the file at the block's end: whole, or not at all."""
    # A temporary name beside the target: os.replace is atomic only within one file system.
    draft = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        yield draft
        # On the disk before it has its name: after a power cut the name stands for the whole file, or for none.
        _to_disk(draft)
        os.replace(draft, path)
        _to_disk(path.parent)
    finally:
        draft.unlink(missing_ok=True)


def _to_disk(path: Path) -> None:
    """Have a file, or the names in a folder, on the disk; Windows knows no such call for folders."""
    if path.is_dir() and os.name == "nt":
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def parquet_writer(path: Path, schema: pa.Schema) -> Iterator[pq.ParquetWriter]:
    """A writer of a Parquet file that appears whole or not at all."""
    measured = [
        field.name
        for field in schema
        if pa.types.is_floating(field.type) and (field.metadata or {}).get(b"unit", b"").decode() not in COUNTED
    ]
    # Bytes of equal rank stand together: what varies smoothly then takes two thirds of the room.
    encoding = {
        "use_dictionary": [name for name in schema.names if name not in measured],
        "use_byte_stream_split": measured,
    }
    with whole_file(path) as draft, pq.ParquetWriter(draft, schema, compression="zstd", **encoding) as writer:
        yield writer


def write_parquet(table: pa.Table, path: Path) -> None:
    """Write a table so that the file appears whole or not at all."""
    with parquet_writer(path, table.schema) as writer:
        writer.write_table(table)


def write_json(values: dict, path: Path) -> None:
    """Write JSON so that the file appears whole or not at all."""
    with whole_file(path) as draft:
        draft.write_text(json.dumps(values, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def records(table: pd.DataFrame) -> list[dict]:
    """Rows of a table as plain values; NaN becomes None, which JSON has."""
    return table.astype(object).where(table.notna(), None).to_dict("records")


def checksum(path: Path) -> str:
    """SHA-256 of a file, as hexadecimal text."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
