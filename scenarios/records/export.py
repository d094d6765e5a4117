"""Export of results to CSV, Excel, Stata, Parquet and NetCDF."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from scenarios.errors import InputError, nearest, refuse_undecodable
from scenarios.records.results import Results
from scenarios.records.storage import COUNT_UNITS
from sim.records.outputs import Output

if TYPE_CHECKING:
    from xlsxwriter import Workbook

#: Name of the additional table that lists all columns with unit and description.
_COLUMNS = "columns"
#: Excel keeps 15 digits of a number, Stata and NetCDF 3 slightly more. Larger integers, such as seeds, are text.
_MAX_EXACT = 10**15
_SHEET_ROWS = 1_048_576
_STATA_NAME = 32
_STATA_LABEL = 80
#: Largest width of a column of a sheet, in characters.
_MAX_COLUMN_WIDTH = 100


def _csv(results: Results, out: Path) -> None:
    # Excel reads the file as UTF-8 only with a byte-order mark.
    for name in results.columns:
        results.table(name).to_csv(out / f"{name}.csv", index=False, encoding="utf-8-sig", date_format="%Y-%m-%d")
    results.describe().to_csv(out / f"{_COLUMNS}.csv", index=False, encoding="utf-8-sig")


def _plain(results: Results, name: str) -> pd.DataFrame:
    """A table as text, dates and numbers, for tools with few data types."""
    frame = results.table(name)
    texts = set(frame.select_dtypes("category"))
    texts |= {column for column in frame.select_dtypes("int64") if frame[column].abs().ge(_MAX_EXACT).any()}
    return frame.astype(dict.fromkeys(texts, str))


def _plain_finite(results: Results, name: str, tool: str) -> pd.DataFrame:
    """As `_plain`, for a tool without infinite numbers."""
    frame = _plain(results, name)
    for column in frame.select_dtypes("floating"):
        if np.isinf(frame[column]).any():
            raise InputError(
                f"table {name} has an infinite {column}, which {tool} does not support: export csv or parquet"
            )
    return frame


def _xlsx(results: Results, out: Path) -> None:
    from xlsxwriter import Workbook
    from xlsxwriter.exceptions import FileCreateError

    frames = {name: _plain_finite(results, name, "Excel") for name in results.columns}
    for name, frame in frames.items():
        if len(frame) >= _SHEET_ROWS:
            raise InputError(
                f"table {name} has {len(frame)} rows; an Excel sheet has at most {_SHEET_ROWS - 1}: "
                "export csv or parquet"
            )
    described = results.describe()
    # Formulas and addresses are written as text; rows are written to disk immediately.
    settings = {"strings_to_formulas": False, "strings_to_urls": False, "constant_memory": True, "tmpdir": str(out)}
    try:
        with Workbook(str(out / "results.xlsx"), settings) as book:
            book.use_zip64()  # for sheets of several gigabytes
            for name, frame in frames.items():
                _write_sheet(book, name, frame, results.columns[name])
            _write_sheet(book, _COLUMNS, described, [Output(name, "", "", "string") for name in described])
    except FileCreateError as error:
        raise error.args[0] from None  # the original OSError


def _write_sheet(book: Workbook, name: str, frame: pd.DataFrame, columns: Iterable[Output]) -> None:
    """A sheet with a fixed heading. The unit is in the number format of the heading, so that its text is the name."""
    sheet = book.add_worksheet(name)
    sheet.set_landscape()
    sheet.set_paper(9)  # A4
    sheet.repeat_rows(0)
    sheet.set_footer("&L&A&R&P / &N")
    sheet.freeze_panes(1, 0)
    sheet.autofilter(0, 0, len(frame), frame.shape[1] - 1)
    sheet.set_row(0, 46)  # three lines: name, unit and filter button
    heading = {"bold": True, "text_wrap": True, "valign": "top", "bottom": 1, "bg_color": "#E7ECF2"}
    for position, column in enumerate(columns):
        values = frame[column.name]
        text = pd.api.types.is_string_dtype(values)
        format = book.add_format({"num_format": "@" if text else _number_format(column)})
        sheet.set_column(position, position, _width(column, values, text), format)
        heading_format = {
            "num_format": f'@" ({column.unit})"' if column.unit else "@",
            "align": "left" if text else "right",
        }
        sheet.write_string(0, position, column.name, book.add_format(heading | heading_format))
    cells = frame.astype(object).where(frame.notna(), None)  # NaN is an empty cell
    for row, values in enumerate(cells.itertuples(index=False, name=None), start=1):
        sheet.write_row(row, 0, values)


def _number_format(column: Output) -> str:
    if column.dtype == "timestamp":
        return "yyyy-mm-dd"
    if column.unit == "share":
        return "0.0%"
    if column.unit in (*COUNT_UNITS, "persons") or column.unit.startswith("yuan"):
        return "#,##0"
    return "General"


def _width(column: Output, values: pd.Series, text: bool) -> int:
    """Width of a column in characters, so that no number is shown as ####."""
    value_width = (
        values.str.len().max() if text else len(f"{values.abs().max():,.0f}") if values.dtype.kind in "if" else 10
    )
    # Headings are bold, with the unit in brackets.
    return min(
        max(value_width + 1 if len(values) else 0, len(column.name) + 3, len(column.unit) + 3, 10), _MAX_COLUMN_WIDTH
    )


def _stata_name(name: str) -> str:
    """A column name within Stata's 32 characters."""
    return name.replace("_little_giants", "_lg").replace("little_giants", "lg")[:_STATA_NAME]


def _stata_label(column: Output) -> str:
    """Description and unit within Stata's 80 characters; the unit is never cut."""
    unit = f" ({column.unit})" if column.unit else ""
    room = _STATA_LABEL - len(unit)
    return f"{column.description if len(column.description) <= room else column.description[: room - 1] + '…'}{unit}"


def _dta(results: Results, out: Path) -> None:
    # Version 118 (Stata 14 and later) is the first with Unicode.
    for name, columns in results.columns.items():
        _plain_finite(results, name, "Stata").rename(columns=_stata_name).to_stata(
            out / f"{name}.dta",
            write_index=False,
            data_label=f"srdi results: {name}",
            variable_labels={_stata_name(column.name): _stata_label(column) for column in columns},
            convert_dates={_stata_name(column.name): "td" for column in columns if column.dtype == "timestamp"},
            version=118,
        )
    described = results.describe()
    described.insert(2, "variable", described["column"].map(_stata_name))
    described.to_stata(out / f"{_COLUMNS}.dta", write_index=False, version=118)


def _parquet(results: Results, out: Path) -> None:
    results.write_files(out)


def _nc(results: Results, out: Path) -> None:
    import xarray as xr

    from scenarios.records.cube import describe_variables

    for name, columns in results.columns.items():
        frame = _plain(results, name)
        data = xr.Dataset({column: ("row", np.asarray(frame[column])) for column in frame})
        for column in frame:
            if pd.api.types.is_string_dtype(frame[column]):
                data[column] = data[column].astype(str)
            elif frame[column].dtype == "int64":  # NetCDF 3 has no 64-bit integers
                data[column] = data[column].astype(float)
        data.attrs["title"] = f"srdi results: {name}"
        describe_variables(data, columns).to_netcdf(out / f"{name}.nc", engine="scipy")


FORMATS: dict[str, Callable[[Results, Path], None]] = {
    "csv": _csv,
    "xlsx": _xlsx,
    "dta": _dta,
    "parquet": _parquet,
    "nc": _nc,
}


def export(results: Results, format: str, out: str | Path | None = None, force: bool = False) -> list[Path]:
    """Write all tables of a results directory, including parameter draws, in one format; returns the files.

    Args:
        format: csv, xlsx, dta (Stata), parquet or nc (NetCDF).
        out: directory to create (default: DIR-FORMAT next to the results); unless `force` is set, it must be empty or
            not exist.
        force: write to a directory that is not empty, replacing files of the same name.

    Raises:
        InputError: the format is unknown or the directory cannot be used; nothing is left behind.
    """
    if format not in FORMATS:
        raise InputError(f"unknown format {format!r}{nearest(str(format), FORMATS)} (allowed: {', '.join(FORMATS)})")
    source = results.path.resolve()
    out = Path(out) if out else source.with_name(f"{source.name}-{format}")
    refuse_undecodable(out)
    try:
        if out.exists() and not out.is_dir():
            raise InputError(f"{out} exists and is not a directory; choose a new directory")
        if out.exists() and not force and any(out.iterdir()):
            raise InputError(
                f"{out} already exists and is not empty; choose a new directory, or add force=True (--force)"
            )
        created = not out.exists()
        out.mkdir(parents=True, exist_ok=True)
        try:
            # Written to a temporary folder and moved when complete, so that a failure changes nothing.
            with tempfile.TemporaryDirectory(prefix=".srdi-", dir=out) as draft:
                FORMATS[format](results, Path(draft))
                files = sorted(Path(draft).iterdir())
                for file in files:
                    if (out / file.name).is_dir():
                        raise InputError(f"{out / file.name} is a directory; choose another")
                return [_move(file, out / file.name) for file in files]
        except BaseException:
            if created:
                shutil.rmtree(out)
            raise
    except OSError as error:
        raise InputError(f"{out} cannot be written: {error.strerror or error}") from None


def _move(file: Path, target: Path) -> Path:
    os.replace(file, target)
    return target
