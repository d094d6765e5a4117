"""SQL over the Parquet files of results, with DuckDB."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Mapping, Set
from datetime import date, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa

from scenarios.errors import MAX_MESSAGE_LENGTH, ResultsError
from scenarios.records.layout import PARAMETER_DRAWS
from scenarios.records.storage import DRAW
from sim.records.outputs import Output
from sim.wording import shortened

#: Columns of each table by its name.
TableColumns = Mapping[str, tuple[Output, ...]]

#: Name of the view of all columns with their units.
COLUMNS = "columns"
#: Settings of a connection: names in a query are tables, never Python variables, and no extension is downloaded or
#: loaded, so that no query reaches the network.
_CONFIG: dict[str, Any] = {
    "python_enable_replacements": False,
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
}
#: Types that DuckDB accepts; date includes datetime and pandas.Timestamp.
_SINGLE = (bool, int, float, str, bytes, Decimal, date, time, timedelta)
#: Beyond this, a float cannot represent every integer.
_MAX_EXACT = 2**53


def run_query(
    path: Path, tables: TableColumns, described: pd.DataFrame, query: str, parameters: Any = ()
) -> pd.DataFrame:
    """See `scenarios.records.results.Results.sql`.

    Args:
        path: results directory with one Parquet file per table. described: the table `columns`.
    """
    values = [] if parameters is None else _python_value(parameters)
    if not isinstance(values, list | dict):
        values = [values]
    with duckdb.connect(config=_CONFIG) as connection:
        try:
            statement = _select_statement(connection, query)
            _check_parameters(statement, values)
            _create_views(connection, path, tables, described)
            return _answer(connection.execute(statement, values))
        except duckdb.Error as error:
            raise ResultsError(f"the query failed: {_reason(error)}{_available_names(error, tables, query)}") from None


def _python_value(value: Any) -> Any:
    """A parameter, or a list or dict of parameters, as Python values that DuckDB accepts."""
    if value is None or value is pd.NA:
        return None
    if isinstance(value, np.datetime64 | np.timedelta64):  # item() would return a number of nanoseconds
        return pd.Timestamp(value) if isinstance(value, np.datetime64) else pd.Timedelta(value)
    if isinstance(value, np.floating):  # item() does not convert a long double
        return float(value)
    if isinstance(value, np.generic | np.ndarray) and value.ndim == 0:
        return _python_value(value.item())
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, Mapping):
        return {str(name): _python_value(each) for name, each in value.items()}
    if pd.api.types.is_list_like(value, allow_sets=False):
        return [_python_value(each) for each in value]
    if isinstance(value, _SINGLE):
        return value
    raise ResultsError(
        f"a parameter of the query is of type {type(value).__name__}; allowed are numbers, texts, paths, True and "
        "False, dates, times, None, and lists of these"
    )


def _select_statement(connection: duckdb.DuckDBPyConnection, query: str) -> duckdb.Statement:
    """The single SELECT statement of the query; raises ResultsError for anything else."""
    statements = connection.extract_statements(query)
    kinds = [statement.type.name for statement in statements]
    if kinds != [duckdb.StatementType.SELECT.name]:
        raise ResultsError(f"the query is {' and '.join(kinds) or 'empty'}; allowed is one SELECT statement")
    return statements[0]


def _check_parameters(statement: duckdb.Statement, values: list | dict) -> None:
    """Raise ResultsError unless the values match the query: one per ``?``, or the names of all ``$name``."""
    expected = set(statement.named_parameters)  # parameters without a name have their position as name
    given = set(values) if isinstance(values, dict) else {str(index + 1) for index in range(len(values))}
    if expected != given:
        raise ResultsError(f"the query needs {_describe_names(expected)}; given: {_describe_names(given)}")


def _describe_names(names: Set[str]) -> str:
    if all(name.isdecimal() for name in names):
        return f"{len(names) or 'no'} value{'' if len(names) == 1 else 's'}"
    return f"a dict of {', '.join(map(repr, sorted(names)))}"


def _create_views(
    connection: duckdb.DuckDBPyConnection, path: Path, tables: TableColumns, described: pd.DataFrame
) -> None:
    for name in tables:
        # Brackets and stars in the path are not wildcards.
        file = glob.escape(str(path / f"{name}.parquet"))
        rows = connection.read_parquet(file, file_row_number=name == PARAMETER_DRAWS)
        if name == PARAMETER_DRAWS:
            rows = rows.project(f"(file_row_number + 1)::integer as {DRAW.name}, * exclude (file_row_number)")
        rows.create_view(name)
    # As Arrow, because not every version of DuckDB supports the text type of every version of pandas.
    connection.register(COLUMNS, pa.Table.from_pandas(described))


def _answer(connection: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """The answer as a frame; sums of integers, which DuckDB returns as floats, are converted back to integers."""
    wide_columns = [index for index, column in enumerate(connection.description or ()) if str(column[1]) == "HUGEINT"]
    frame = connection.df()
    for index in wide_columns:
        column = frame.iloc[:, index]
        if column.abs().lt(_MAX_EXACT).all():  # False for NaN, the sum of an empty group
            frame.isetitem(index, column.astype("int64"))
    return frame


def _reason(error: duckdb.Error) -> str:
    """The message of DuckDB without location and advice, which follow an empty line."""
    return shortened(" ".join(str(error).split("\n\n")[0].split()), MAX_MESSAGE_LENGTH)


def _available_names(error: duckdb.Error, tables: TableColumns, query: str) -> str:
    """The available names if a table or column is unknown."""
    if isinstance(error, duckdb.CatalogException) and "Table with name" in str(error):
        return f" (tables: {', '.join((*tables, COLUMNS))})"
    if isinstance(error, duckdb.BinderException) and "column" in str(error).lower():
        lists = (
            f" (columns of {table}: {', '.join(column.name for column in columns)})"
            for table, columns in tables.items()
            if re.search(rf"\b{table}\b", query, re.IGNORECASE)
        )
        return "".join(lists)
    return ""
