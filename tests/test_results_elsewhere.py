"""Results in other tools: the same numbers and units in pandas, Polars, DuckDB, xarray and the exports."""

from __future__ import annotations

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
from scenarios.cube import key_of
from scenarios.draws import read_draws, values_table
from scenarios.export import FORMATS
from scenarios.results import DRAWS, DRAWS_TABLE
from scenarios.storage import write_parquet
from sim.outputs import OPTIONAL_TABLES, TABLES
from sim.parameters import parameter_table

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
        draws=read_draws(str(folder / "draws.parquet")),
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
    national = results.national.groupby("scenario", observed=True)["public_spending_yuan"].sum() / 4
    assert float(difference) == pytest.approx(national["no-policy"] - national["baseline"])


def test_a_dataset_can_be_kept_as_netcdf(results, tmp_path):
    for table in ("province", "cluster", DRAWS_TABLE):
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
        ("select * from national where draw = ?", "Values were not provided"),
        ("select * from frame", "frame does not exist"),
    ],
)
def test_a_query_that_cannot_be_answered_is_refused_in_one_sentence(results, query, words):
    frame = results.national
    with pytest.raises(ResultsError, match=words.replace("?", r"\?")) as refused:
        results.sql(query)
    assert "\n" not in str(refused.value)
    assert len(frame) == len(load_results(results.path).national)  # whole, as its checksum says


# --- parameter draws travel with every export


def test_draws_are_a_table_with_units(results):
    draws = results.parameter_draws
    assert draws.index.tolist() == [1, 2]
    assert draws.index.name == "draw"
    assert draws.to_numpy().tolist() == VALUES.tolist()
    described = results.describe().query("table == @DRAWS_TABLE").set_index("column")
    assert described.loc["exit_base", "unit"] == parameter_table()["exit_base"].unit
    assert DRAWS_TABLE not in results.tables


@pytest.fixture(scope="module")
def exported(results, tmp_path_factory):
    return export_all(results, tmp_path_factory.mktemp("exports"))


def test_every_format_holds_the_draws(exported):
    sheet = openpyxl.load_workbook(exported / "xlsx" / "results.xlsx", read_only=True)[DRAWS_TABLE]
    head, *rows = sheet.values
    with xr.open_dataset(exported / "nc" / f"{DRAWS_TABLE}.nc", engine="scipy") as data:
        read = {
            "csv": pd.read_csv(exported / "csv" / f"{DRAWS_TABLE}.csv"),
            "xlsx": pd.DataFrame(rows, columns=list(head)),
            "dta": pd.read_stata(exported / "dta" / f"{DRAWS_TABLE}.dta"),
            "parquet": load_results(exported / "parquet").parameter_draws.reset_index(),
            "nc": data.to_dataframe(),
        }
        assert data["exit_base"].attrs["units"] == parameter_table()["exit_base"].unit
    assert set(read) == set(FORMATS)
    for form, frame in read.items():
        assert frame["draw"].tolist() == [1, 2], form
        assert frame[list(NAMES)].to_numpy().tolist() == VALUES.tolist(), form


def test_draws_of_a_results_directory_can_be_run_with_again(results):
    assert read_draws(str(results.path / DRAWS)).values.tolist() == VALUES.tolist()


def test_parameters_keep_their_names_in_stata():
    from scenarios.export import _stata_name

    names = [_stata_name(name) for name in parameter_table()]
    assert len(set(names)) == len(names)


def test_duckdb_alone_reads_the_files_too(results):
    copy = results.path.parent / "plain.parquet"
    copy.write_bytes((results.path / "national.parquet").read_bytes())
    [(rows, firms)] = duckdb.sql(f"select count(*), sum(firms) from '{copy}'").fetchall()
    assert rows == len(results.national)
    assert firms == pytest.approx(results.national["firms"].sum())
