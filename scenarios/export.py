"""Writes results for other tools: CSV, Excel, Stata, Parquet, NetCDF."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from scenarios.errors import InputError, refuse_undecodable
from scenarios.results import Results

_SHEET_ROWS = 1_048_576
_STATA_NAME = 32
_STATA_LABEL = 80


def _csv(results: Results, out: Path) -> None:
    # The byte-order mark makes Excel read the file as UTF-8.
    for name in results.columns:
        results.table(name).to_csv(out / f"{name}.csv", index=False, encoding="utf-8-sig", date_format="%Y-%m-%d")
    results.describe().to_csv(out / "columns.csv", index=False, encoding="utf-8-sig")


def _xlsx(results: Results, out: Path) -> None:
    frames = {name: results.table(name) for name in results.columns}
    for name, frame in frames.items():
        if len(frame) >= _SHEET_ROWS:
            raise InputError(
                f"table {name} has {len(frame)} rows; an Excel sheet holds {_SHEET_ROWS - 1}: export csv or parquet"
            )
    with pd.ExcelWriter(out / "results.xlsx", engine="openpyxl", datetime_format="yyyy-mm-dd") as writer:
        for name, frame in frames.items():
            frame.to_excel(writer, sheet_name=name, index=False)
        results.describe().to_excel(writer, sheet_name="columns", index=False)


def _stata_name(name: str) -> str:
    """A column name within Stata's 32 characters."""
    return name.replace("_little_giants", "_lg").replace("little_giants", "lg")[:_STATA_NAME]


def _dta(results: Results, out: Path) -> None:
    for name, columns in results.columns.items():
        frame = results.table(name)
        labels = {}
        for column in columns:
            unit = f" ({column.unit})" if column.unit else ""
            labels[_stata_name(column.name)] = f"{column.description}{unit}"[:_STATA_LABEL]
            if column.dtype == "string":
                frame[column.name] = frame[column.name].astype(object)
        frame = frame.rename(columns=_stata_name)
        dates = {_stata_name(c.name): "td" for c in columns if c.dtype == "timestamp"}
        frame.to_stata(out / f"{name}.dta", write_index=False, variable_labels=labels, convert_dates=dates, version=118)


def _parquet(results: Results, out: Path) -> None:
    results.write_files(out)


def _nc(results: Results, out: Path) -> None:
    import xarray as xr

    from scenarios.cube import describe_variables

    for name, columns in results.columns.items():
        frame = results.table(name)
        data = xr.Dataset({column: ("row", np.asarray(frame[column])) for column in frame})
        for column in columns:
            if column.dtype == "string":
                data[column.name] = data[column.name].astype(str)
            elif column.dtype == "int64":  # NetCDF 3 has no 64-bit integers
                data[column.name] = data[column.name].astype(float)
        describe_variables(data, columns).to_netcdf(out / f"{name}.nc", engine="scipy")


FORMATS: dict[str, Callable[[Results, Path], None]] = {
    "csv": _csv,
    "xlsx": _xlsx,
    "dta": _dta,
    "parquet": _parquet,
    "nc": _nc,
}


def export(results: Results, format: str, out: str | Path | None = None, force: bool = False) -> list[Path]:
    """Write all tables of a results directory, parameter draws included, in one format; returns the files written.

    Args:
        format: csv, xlsx, dta (Stata), parquet or nc (NetCDF).
        out: directory to create (default: beside the results, DIR-FORMAT); it must not exist, or be empty,
            unless `force` is set.
        force: write into a directory that holds files, replacing those of the same names.

    Raises:
        InputError: for an unknown format or a directory that cannot be used; nothing is left behind.
    """
    if format not in FORMATS:
        raise InputError(f"unknown format {format!r}; allowed: {', '.join(FORMATS)}")
    source = results.path.resolve()
    out = Path(out) if out else source.with_name(f"{source.name}-{format}")
    refuse_undecodable(out)
    try:
        if out.exists() and (not out.is_dir() or (not force and any(out.iterdir()))):
            what = "exists and is not a directory" if not out.is_dir() else "already exists and is not empty"
            raise InputError(
                f"{out} {what}; name a new directory{', or add force=True (--force)' if out.is_dir() else ''}"
            )
        created = not out.exists()
        out.mkdir(parents=True, exist_ok=True)
        try:
            # Written aside and moved when complete: a failure leaves what was there as it was.
            with tempfile.TemporaryDirectory(prefix=".srdi-", dir=out) as draft:
                FORMATS[format](results, Path(draft))
                return sorted(_moved(file, out / file.name) for file in Path(draft).iterdir())
        except BaseException:
            if created:
                shutil.rmtree(out)
            raise
    except OSError as error:
        raise InputError(f"{out} cannot be written: {error.strerror or error}") from None


def _moved(file: Path, target: Path) -> Path:
    os.replace(file, target)
    return target
