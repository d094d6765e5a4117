"""Results in other tools: the same numbers and units in pandas, Polars, DuckDB, xarray and the exports."""

from __future__ import annotations

import re
import shutil
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import duckdb
import numpy as np
import openpyxl
import pandas as pd
import polars as pl
import pyarrow.parquet as pq
import pytest
import xarray as xr
from conftest import export_all

from scenarios import ResultsError, load_results, load_scenario, run_ensemble
from scenarios.ensembles.parameter_draws import read_parameter_draws, values_table
from scenarios.records.cube import key_of
from scenarios.records.export import FORMATS, _stata_label
from scenarios.records.layout import PARAMETER_DRAWS, PARAMETER_DRAWS_FILE
from scenarios.records.storage import write_parquet
from sim.parameters import parameter_table
from sim.records.outputs import OPTIONAL_TABLES, TABLES

VALUES = np.array([[0.02, 0.15], [0.03, 0.2]])
NAMES = ("exit_base", "knowledge_depreciation")


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """Two scenarios, each with two draws and two replicates, and a panel, in a folder whose name has wildcards."""
    folder = tmp_path_factory.mktemp("elsewhere")
    write_parquet(values_table(NAMES, VALUES), folder / "draws.parquet")
    return run_ensemble(
        [load_scenario("no-policy"), load_scenario("baseline")],
        out=folder / "first [1]*",
        replicates=2,
        scale=0.001,
        until=2023,
        workers=1,
        firms_panel=20,
        draws=read_parameter_draws(str(folder / "draws.parquet")),
        crossed_draws=2,
    )


@pytest.mark.parametrize("table", [*TABLES, *OPTIONAL_TABLES])
def test_parquet_opens_with_equal_numbers_in_pandas_polars_and_duckdb(results, table):
    path = results.path / f"{table}.parquet"
    ours = results.table(table)
    theirs = {
        "pandas": pd.read_parquet(path),
        "polars": pl.read_parquet(path, glob=False).to_pandas(),
        "duckdb": results.sql(f"select * from {table}"),
    }
    for tool, frame in theirs.items():
        assert list(frame.columns) == list(ours.columns), tool
        for column in ours:
            assert frame[column].astype(object).tolist() == ours[column].astype(object).tolist(), (tool, column)


def test_units_are_the_same_wherever_they_stand(results):
    described = results.describe().set_index(["table", "column"])["unit"]
    asked = results.sql('select "table", "column", unit from columns').set_index(["table", "column"])["unit"]
    assert asked.equals(described)
    assert (results.describe()["description"].str.len() > 0).all()
    assert set(described.index.unique("table")) == {*TABLES, *OPTIONAL_TABLES, PARAMETER_DRAWS}
    for table in TABLES:
        data = results.to_xarray(table)
        for field in pq.read_schema(results.path / f"{table}.parquet"):
            unit = described[table, field.name]
            assert field.metadata[b"unit"].decode() == unit
            if field.type == "timestamp[ms]":  # xarray writes the unit of dates itself
                assert "units" not in data[field.name].attrs
            else:
                assert data[field.name].attrs["units"] == (unit or "1")


# --- xarray


@pytest.mark.parametrize("table", [*TABLES, *OPTIONAL_TABLES])
def test_every_row_has_a_place_of_its_own_in_the_dataset(results, table):
    frame, data = results.table(table), results.to_xarray(table)
    key = key_of(table)
    assert not frame.duplicated(["scenario", "draw", "replicate", *key]).any()
    assert list(data.sizes) == ["scenario", "run", *key]
    back = data.to_dataframe().reset_index().merge(frame, on=["scenario", "draw", "replicate", *key], how="inner")
    assert len(back) == len(frame)
    for column in frame.columns.difference(["scenario", "draw", "replicate", *key]):
        assert back[f"{column}_x"].astype(object).tolist() == back[f"{column}_y"].astype(object).tolist(), column


def test_runs_and_scenarios_stand_in_the_order_they_were_run_with_their_draws(results):
    data = results.to_xarray()
    assert data["scenario"].values.tolist() == ["no-policy", "baseline"]
    runs = list(zip(*(data[name].values.tolist() for name in ("draw", "replicate", "seed")), strict=True))
    assert runs == [(1, 0, 1), (1, 1, 2), (2, 0, 1), (2, 1, 2)]
    assert data["revenue_yuan"].attrs == {
        "units": "yuan per quarter",
        "long_name": "revenue of active firms",
    }


def test_a_difference_between_scenarios_is_one_line(results):
    spent = results.to_xarray("spending")["spending_yuan"].sum(["quarter", "lever"])
    difference = (spent.sel(scenario="no-policy") - spent.sel(scenario="baseline")).mean("run")
    national = results.national.groupby("scenario", observed=True)["public_cost_yuan"].sum() / 4
    assert float(difference) == pytest.approx(national["no-policy"] - national["baseline"])


def test_a_dataset_can_be_kept_as_netcdf(results, tmp_path):
    for table in ("province", "cluster", PARAMETER_DRAWS):
        data = results.to_xarray(table)
        narrow = data.assign_coords(seed=data["seed"].astype("int32")) if "seed" in data.coords else data
        narrow.to_netcdf(tmp_path / f"{table}.nc", engine="scipy")
        with xr.open_dataset(tmp_path / f"{table}.nc", engine="scipy") as read:
            xr.testing.assert_equal(read.load(), narrow)


def test_an_unknown_table_is_refused(results):
    with pytest.raises(KeyError, match="unknown table 'provinces'"):
        results.to_xarray("provinces")


# --- SQL


def test_sql_answers_over_all_tables_and_takes_parameters(results):
    found = results.sql(
        "select n.scenario, sum(n.public_spending_yuan) as spent, max(d.exit_base) as exit_base "
        "from national n join parameter_draws d using (draw) where n.draw = ? group by all order by all",
        [2],
    )
    national = results.national[results.national["draw"] == 2]
    spent = national.groupby("scenario", observed=True)["public_spending_yuan"].sum()
    assert found.set_index("scenario")["spent"].to_dict() == pytest.approx(spent.to_dict())
    assert found["exit_base"].tolist() == [0.03, 0.03]


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("select firmz from national", 'Referenced column "firmz" not found'),
        ("select * from nationl", 'Did you mean "national'),
        ("selec 1", "syntax error"),
        ("drop view national", "the query is DROP; allowed is one SELECT statement"),
        ("copy national to 'national.parquet'", "is COPY"),
        ("select 1; select 2", "SELECT and SELECT"),
        ("", "is empty"),
        ("select * from national where draw = ?", "the query needs 1 value; given: no values"),
        ("select * from frame", "frame does not exist"),
        ("select n.firmz from national n", "(columns of national: scenario, draw, replicate, seed, quarter, firms"),
        ("select * from nationl", "(tables: national, province,"),
        ("select x from national where x in (select y from tier)", "columns of tier: scenario"),
        ("select * from 'https://example.org/a.parquet'", "requires the extension httpfs to be loaded"),
        ("from read_xlsx('mine.xlsx')", "exists in the excel extension"),
        ("attach 'mine.db'", "is ATTACH"),
        ("install httpfs", "is LOAD"),
        ("set memory_limit = '1GB'", "is SET"),
        ("select query from query('drop view national')", "Expected a single SELECT"),
        ("; -- nothing", "is empty"),
    ],
)
def test_a_query_that_cannot_be_answered_is_refused_in_one_sentence(results, query, words):
    frame = results.national
    with pytest.raises(ResultsError, match=re.escape(words)) as refused:
        results.sql(query)
    assert "\n" not in str(refused.value)
    assert len(frame) == len(load_results(results.path).national)  # whole, as its checksum says


@pytest.mark.parametrize("ending", [";", " -- the end", "; -- the end", " /* the end */;;", "\n;\n"])
def test_a_query_may_end_as_people_end_them(results, ending):
    assert results.sql(f"select count(*) as rows from national{ending}")["rows"].tolist() == [len(results.national)]


#: A value for ``?`` and what it is to DuckDB.
VALUES_OF_SQL = {
    "int8": (np.int8(3), "INTEGER", 3),
    "int64": (np.int64(3), "INTEGER", 3),
    "uint64": (np.uint64(2**63), "UBIGINT", 2**63),
    "float16": (np.float16(0.5), "DOUBLE", 0.5),
    "float32": (np.float32(0.5), "DOUBLE", 0.5),
    "float64": (np.float64(0.5), "DOUBLE", 0.5),
    "long double": (np.longdouble(0.5), "DOUBLE", 0.5),
    "bool": (np.bool_(True), "BOOLEAN", True),
    "str": (np.str_("a"), "VARCHAR", "a"),
    "array of no dimension": (np.array(3), "INTEGER", 3),
    "datetime64": (np.datetime64("2020-03-31T00:00:00", "ns"), "TIMESTAMP", datetime(2020, 3, 31)),
    "timedelta64": (np.timedelta64(1, "D"), "INTERVAL", timedelta(1)),
    "no time": (np.datetime64("NaT"), '"NULL"', None),
    "Timestamp": (pd.Timestamp("2020-03-31"), "TIMESTAMP", datetime(2020, 3, 31)),
    "NaT": (pd.NaT, '"NULL"', None),
    "NA": (pd.NA, '"NULL"', None),
    "None": (None, '"NULL"', None),
    "Decimal": (Decimal("12.5"), "DECIMAL(3,1)", 12.5),
    "date": (date(2020, 3, 31), "DATE", date(2020, 3, 31)),
    "datetime": (datetime(2020, 3, 31), "TIMESTAMP", datetime(2020, 3, 31)),
    "Path": (Path("a"), "VARCHAR", "a"),
    "True": (True, "BOOLEAN", True),
    "list": ([1, 2], "INTEGER[]", [1, 2]),
    "tuple": ((1, None), "INTEGER[]", [1, None]),
    "list of NumPy's": ([np.int64(1), np.int64(2)], "INTEGER[]", [1, 2]),
    "array": (np.array([1, 2]), "INTEGER[]", [1, 2]),
    "Series": (pd.Series(["a"]), "VARCHAR[]", ["a"]),
    "Categorical": (pd.Categorical(["a"]), "VARCHAR[]", ["a"]),
}


@pytest.mark.parametrize("name", VALUES_OF_SQL)
def test_sql_takes_values_as_frames_and_arrays_give_them(results, name):
    given, kind, value = VALUES_OF_SQL[name]
    query = "select typeof(x) as kind, x is not distinct from y as same from (select ? as x, ? as y)"
    assert results.sql(query, [given, value]).iloc[0].tolist() == [kind, True]


@pytest.mark.parametrize(
    "given", [3, np.int64(3), "abc", date(2020, 3, 31), Path("a"), np.array(3), [3], pd.Series([3])]
)
def test_one_value_need_not_stand_in_a_list(results, given):
    value = given[0] if isinstance(given, list | pd.Series) else given
    same = results.sql("select ? as value", given), results.sql("select ? as value", [value])
    assert same[0].equals(same[1])


def test_sql_takes_values_by_name(results):
    national = results.national
    query = (
        "select count(*) as rows from national where scenario in $names and replicate = $replicate and quarter > $after"
    )
    values = {
        "names": national["scenario"].unique(),
        "replicate": national["replicate"].max(),
        "after": national["quarter"].iloc[2],
    }
    assert results.sql(query, values)["rows"].tolist() == [8 * (21 - 3) // 2]


@pytest.mark.parametrize(
    ("query", "values", "words"),
    [
        ("select ?, ?", [1], "the query needs 2 values; given: 1 value"),
        ("select ?", [1, 2], "the query needs 1 value; given: 2 values"),
        ("select 1", 3, "the query needs no values; given: 1 value"),
        ("select $a", {"b": 1}, "the query needs a dict of 'a'; given: a dict of 'b'"),
        ("select $a, $b", [1], "the query needs a dict of 'a', 'b'; given: 1 value"),
        ("select ?", {"a": 1}, "the query needs 1 value; given: a dict of 'a'"),
        ("select ?", None, "the query needs 1 value; given: no values"),
        ("select ?", [object()], "a parameter of the query is of type object; allowed are numbers, texts,"),
        ("select ?", [1j], "is of type complex"),
        ("select ?", [np.complex64(1j)], "is of type complex"),
        ("select ?", {1}, "is of type set"),
        ("select ?", [pd.Period("2020Q1")], "is of type Period"),
        ("select ?, $a", [1], "Mixing named and positional parameters"),
    ],
)
def test_values_that_a_query_cannot_take_are_refused_in_one_sentence(results, query, values, words):
    with pytest.raises(ResultsError, match=re.escape(words)) as refused:
        results.sql(query, values)
    assert "\n" not in str(refused.value)


def test_answers_keep_whole_numbers_and_dates(results):
    answer = results.sql(
        "select sum(replicate) as replicates, count(*) as rows, max(quarter) as last, sum(firms) as firms, "
        "sum(seed) filter (false) as nothing, sum(seed * 2::hugeint ** 60) as wide from national"
    )
    assert answer["replicates"].dtype == "int64"
    assert answer["replicates"].tolist() == [results.national["replicate"].sum()]
    assert answer["rows"].dtype == "int64"
    assert answer["last"].tolist() == [results.national["quarter"].max()]
    assert answer["firms"].dtype == answer["nothing"].dtype == answer["wide"].dtype == "float64"
    empty = results.sql("select scenario, quarter, seed, sum(draw) as draws from national where false group by all")
    assert len(empty) == 0
    assert [empty[name].dtype.kind for name in ("quarter", "seed", "draws")] == ["M", "i", "i"]
    twice = results.sql("select sum(draw) as a, sum(replicate) as a from national")
    assert [kind.kind for kind in twice.dtypes] == ["i", "i"]


def test_sql_reads_files_of_ones_own_and_folders_of_any_name(results, tmp_path):
    folder = tmp_path / """it's "mine", {a,b} year=2020"""
    shutil.copytree(results.path, folder)
    (tmp_path / "mine.csv").write_text("scenario,weight\nbaseline,2\n")
    answer = load_results(folder).sql(
        "select weight, count(*) as rows, max(draw) as draws from national join read_csv($file) using (scenario) "
        "join parameter_draws using (draw) group by all",
        {"file": tmp_path / "mine.csv"},
    )
    assert answer.iloc[0].tolist() == [2, len(results.national) // 2, 2]


def test_results_say_what_they_are(results):
    assert repr(results) == (
        f"<Results in {results.path}: 8 runs of no-policy, baseline, 2018Q4 to 2023Q4, scale 0.001; "
        f"tables: {', '.join((*TABLES, *OPTIONAL_TABLES, PARAMETER_DRAWS))}>"
    )


# --- parameter draws travel with every export


def test_draws_are_a_table_with_units(results):
    draws = results.parameter_draws
    assert draws.index.tolist() == [1, 2]
    assert draws.index.name == "draw"
    assert draws.to_numpy().tolist() == VALUES.tolist()
    described = results.describe().query("table == @PARAMETER_DRAWS").set_index("column")
    assert described.loc["exit_base", "unit"] == parameter_table()["exit_base"].unit
    assert PARAMETER_DRAWS not in results.tables


@pytest.fixture(scope="module")
def exported(results, tmp_path_factory):
    return export_all(results, tmp_path_factory.mktemp("exports"))


@pytest.mark.parametrize("table", [*TABLES, *OPTIONAL_TABLES])
def test_every_format_holds_every_table(results, exported, table):
    ours = results.table(table)
    with pd.read_stata(exported / "dta" / f"{table}.dta", iterator=True) as reader:
        stata, labels = reader.read(), reader.variable_labels()
    assert list(labels.values()) == [_stata_label(column) for column in results.columns[table]]
    with xr.open_dataset(exported / "nc" / f"{table}.nc", engine="scipy") as data:
        netcdf = data.to_dataframe()
        for column in results.columns[table]:
            if column.dtype != "timestamp":  # xarray keeps the unit of dates elsewhere
                assert data[column.name].attrs["units"] == (column.unit or "1")
    read = {
        "csv": pd.read_csv(exported / "csv" / f"{table}.csv", keep_default_na=False),
        "dta": stata.set_axis(ours.columns, axis=1),
        "nc": netcdf,
        "parquet": load_results(exported / "parquet").table(table),
    }
    for form, frame in read.items():
        assert set(frame.columns) == set(ours.columns), form
        for column in ours:
            kind = "datetime64[ms]" if ours[column].dtype.kind == "M" else ours[column].dtype
            same = frame[column].astype(str if kind == "category" else kind)
            assert same.tolist() == ours[column].astype(same.dtype).tolist(), (form, column)


def test_a_workbook_has_a_sheet_a_table(results, exported):
    book = openpyxl.load_workbook(exported / "xlsx" / "results.xlsx", read_only=True)
    assert book.sheetnames == [*results.columns, "columns"]
    for table in results.columns:
        head, *rows = book[table].values
        assert (list(head), len(rows)) == (list(results.table(table)), len(results.table(table))), table


def test_every_format_holds_the_draws(exported):
    sheet = openpyxl.load_workbook(exported / "xlsx" / "results.xlsx", read_only=True)[PARAMETER_DRAWS]
    head, *rows = sheet.values
    with xr.open_dataset(exported / "nc" / f"{PARAMETER_DRAWS}.nc", engine="scipy") as data:
        read = {
            "csv": pd.read_csv(exported / "csv" / f"{PARAMETER_DRAWS}.csv"),
            "xlsx": pd.DataFrame(rows, columns=list(head)),
            "dta": pd.read_stata(exported / "dta" / f"{PARAMETER_DRAWS}.dta"),
            "parquet": load_results(exported / "parquet").parameter_draws.reset_index(),
            "nc": data.to_dataframe(),
        }
        assert data["exit_base"].attrs["units"] == parameter_table()["exit_base"].unit
    assert set(read) == set(FORMATS)
    for form, frame in read.items():
        assert frame["draw"].tolist() == [1, 2], form
        assert frame[list(NAMES)].to_numpy().tolist() == VALUES.tolist(), form


def test_draws_of_a_results_directory_can_be_run_with_again(results):
    assert read_parameter_draws(str(results.path / PARAMETER_DRAWS_FILE)).values.tolist() == VALUES.tolist()


def test_duckdb_alone_reads_the_files_too(results):
    copy = results.path.parent / "plain.parquet"
    copy.write_bytes((results.path / "national.parquet").read_bytes())
    [(rows, firms)] = duckdb.sql(f"select count(*), sum(firms) from '{copy}'").fetchall()
    assert rows == len(results.national)
    assert firms == pytest.approx(results.national["firms"].sum())
