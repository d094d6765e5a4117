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

from scenarios.errors import MOST_SAID, ResultsError
from scenarios.records.layout import DRAWS_TABLE
from scenarios.records.storage import DRAW
from sim.outputs import Output
from sim.wording import shortened

#: Columns of each table by its name.
Tables = Mapping[str, tuple[Output, ...]]

#: Name of the view of all columns with their units.
COLUMNS = "columns"
#: Settings of a connection: a name in the query is a table, never a Python variable that happens to be called so, and
#: no extension is fetched or loaded, so that no query reaches the network.
_CONFIG: dict[str, Any] = {
    "python_enable_replacements": False,
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
}
#: Single values that DuckDB takes as they are; date includes datetime and pandas.Timestamp.
_SINGLE = (bool, int, float, str, bytes, Decimal, date, time, timedelta)
#: From here on a float no longer tells whole numbers apart.
_EXACT = 2**53


def run_query(path: Path, tables: Tables, described: pd.DataFrame, query: str, parameters: Any = ()) -> pd.DataFrame:
    """As `scenarios.records.results.Results.sql`.

    Args:
        path: the results directory, in which each of the tables is a Parquet file. described: the table `columns`.
    """
    values = [] if parameters is None else _plain(parameters)
    if not isinstance(values, list | dict):
        values = [values]
    with duckdb.connect(config=_CONFIG) as connection:
        try:
            statement = _only_select(connection, query)
            _check_parameters(statement, values)
            _create_views(connection, path, tables, described)
            return _answer(connection.execute(statement, values))
        except duckdb.Error as error:
            raise ResultsError(f"the query failed: {_reason(error)}{_known(error, tables, query)}") from None


def _plain(value: Any) -> Any:
    """A parameter, or a list or dict of them, as the Python values that DuckDB knows."""
    if value is None or value is pd.NA:
        return None
    if isinstance(value, np.datetime64 | np.timedelta64):  # item() would make a bare number of nanoseconds
        return pd.Timestamp(value) if isinstance(value, np.datetime64) else pd.Timedelta(value)
    if isinstance(value, np.floating):  # item() leaves a long double as it is
        return float(value)
    if isinstance(value, np.generic | np.ndarray) and value.ndim == 0:
        return _plain(value.item())
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, Mapping):
        return {str(name): _plain(each) for name, each in value.items()}
    if pd.api.types.is_list_like(value, allow_sets=False):
        return [_plain(each) for each in value]
    if isinstance(value, _SINGLE):
        return value
    raise ResultsError(
        f"a parameter of the query is of type {type(value).__name__}; allowed are numbers, texts, paths, True and "
        "False, dates, times, None, and lists of these"
    )


def _only_select(connection: duckdb.DuckDBPyConnection, query: str) -> duckdb.Statement:
    """The query's one statement, which can only read."""
    statements = connection.extract_statements(query)
    kinds = [statement.type.name for statement in statements]
    if kinds != [duckdb.StatementType.SELECT.name]:
        raise ResultsError(f"the query is {' and '.join(kinds) or 'empty'}; allowed is one SELECT statement")
    return statements[0]


def _check_parameters(statement: duckdb.Statement, values: list | dict) -> None:
    """Refuse values that are not those the query asks for: as many as ``?``, or of the same names as ``$name``."""
    asked = set(statement.named_parameters)  # those without a name are called by their place
    given = set(values) if isinstance(values, dict) else {str(place + 1) for place in range(len(values))}
    if asked != given:
        raise ResultsError(f"the query asks for {_counted(asked)}; given: {_counted(given)}")


def _counted(names: Set[str]) -> str:
    if all(name.isdecimal() for name in names):
        return f"{len(names) or 'no'} value{'' if len(names) == 1 else 's'}"
    return f"a dict of {', '.join(map(repr, sorted(names)))}"


def _create_views(connection: duckdb.DuckDBPyConnection, path: Path, tables: Tables, described: pd.DataFrame) -> None:
    for name in tables:
        # Brackets and stars in the path itself are no wildcards.
        file = glob.escape(str(path / f"{name}.parquet"))
        rows = connection.read_parquet(file, file_row_number=name == DRAWS_TABLE)
        if name == DRAWS_TABLE:
            rows = rows.project(f"(file_row_number + 1)::integer as {DRAW.name}, * exclude (file_row_number)")
        rows.create_view(name)
    # As Arrow: not every version of DuckDB knows the texts of every version of pandas.
    connection.register(COLUMNS, pa.Table.from_pandas(described))


def _answer(connection: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """The answer as a frame in which sums of whole numbers are whole numbers; DuckDB makes floats of them."""
    wide = [place for place, column in enumerate(connection.description or ()) if str(column[1]) == "HUGEINT"]
    frame = connection.df()
    for place in wide:
        column = frame.iloc[:, place]
        if column.abs().lt(_EXACT).all():  # NaN, of an empty group, is not
            frame.isetitem(place, column.astype("int64"))
    return frame


def _reason(error: duckdb.Error) -> str:
    """What DuckDB says, without the place in the query and the advice, which stand behind an empty line."""
    return shortened(" ".join(str(error).split("\n\n")[0].split()), MOST_SAID)


def _known(error: duckdb.Error, tables: Tables, query: str) -> str:
    """The names there are, where DuckDB misses a table or a column."""
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
