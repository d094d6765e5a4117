"""SQL over the Parquet files of results, with DuckDB."""

from __future__ import annotations

import glob
from collections.abc import Sequence

import duckdb
import pandas as pd

from scenarios.errors import ResultsError
from scenarios.results import DRAWS_TABLE, Results
from scenarios.storage import DRAW

#: Name of the view of all columns with their units.
COLUMNS = "columns"


def run_query(results: Results, query: str, parameters: Sequence = ()) -> pd.DataFrame:
    """As `scenarios.results.Results.sql`."""
    # Without replacements a name in the query is a table, never a Python variable that happens to be called so.
    with duckdb.connect(config={"python_enable_replacements": False}) as connection:
        try:
            statement = _only_select(connection, query)
            _create_views(connection, results)
            return connection.execute(statement, list(parameters)).df()
        except duckdb.Error as error:
            # What follows an empty line shows the place in the query.
            reason = " ".join(str(error).split("\n\n")[0].split())
            raise ResultsError(f"the query failed: {reason}") from None


def _only_select(connection: duckdb.DuckDBPyConnection, query: str) -> duckdb.Statement:
    """The query's one statement, which can only read."""
    statements = connection.extract_statements(query)
    kinds = [statement.type.name for statement in statements]
    if kinds != [duckdb.StatementType.SELECT.name]:
        raise ResultsError(f"the query is {' and '.join(kinds) or 'empty'}; allowed is one SELECT statement")
    return statements[0]


def _create_views(connection: duckdb.DuckDBPyConnection, results: Results) -> None:
    for name in results.columns:
        # Brackets and stars in the path itself are no wildcards.
        path = glob.escape(str(results.path / f"{name}.parquet"))
        rows = connection.read_parquet(path, file_row_number=name == DRAWS_TABLE)
        if name == DRAWS_TABLE:
            rows = rows.project(f"(file_row_number + 1)::integer as {DRAW.name}, * exclude (file_row_number)")
        rows.create_view(name)
    connection.register(COLUMNS, results.describe())
