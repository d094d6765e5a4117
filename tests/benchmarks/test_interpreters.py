"""How tables of two environments are compared: every bit, counts apart from what is measured."""

from __future__ import annotations

import shutil

import numpy as np
import pandas as pd
import pytest
from conftest import both

from benchmarks.interpreters import ROUNDING, Column, compare_results, compare_tables
from scenarios import run_ensemble
from scenarios.records.results import Results

COUNTS = frozenset({"firms"})
TABLE = pd.DataFrame(
    {
        "scenario": pd.Categorical(["a", "a", "b"]),
        "quarter": pd.to_datetime(["2020-03-31", "2020-06-30", "2020-03-31"]),
        "firms": [100.0, 200.0, 0.0],
        "share": [0.1, np.nan, 0.3],
        "draw": np.array([0, 1, 2], dtype=np.int32),
    }
)


def compared(**changed):
    return {column.name: column for column in compare_tables("t", TABLE, TABLE.assign(**changed), COUNTS)}


def test_the_same_table_has_the_same_bits():
    found = compared()
    assert all(column.identical and column.agrees and column.largest == 0 for column in found.values())
    assert [column.name for column in found.values() if column.counts] == ["scenario", "quarter", "firms", "draw"]


def test_one_unit_in_the_last_place_is_seen_and_is_rounding_only_where_something_is_measured():
    found = compared(share=[0.1, np.nan, np.nextafter(0.3, 1)], firms=[100.0, np.nextafter(200.0, 300.0), 0.0])
    for name in ("share", "firms"):
        assert not found[name].identical
        assert 0 < found[name].largest < ROUNDING
    assert found["share"].agrees
    assert not found["firms"].agrees


@pytest.mark.parametrize(
    ("values", "largest"),
    [([0.1, np.nan, 0.6], 0.5), ([0.1, 0.2, 0.3], np.inf), ([np.inf, np.nan, 0.3], np.inf), ([0.0, np.nan, 0.3], 1.0)],
)
def test_differences_are_relative_to_the_larger_value(values, largest):
    found = compared(share=values)["share"]
    assert (found.identical, found.largest) == (False, pytest.approx(largest))
    assert not found.agrees


def test_the_sign_of_zero_is_a_bit():
    found = compared(firms=[100.0, 200.0, -0.0])["firms"]
    assert (found.identical, found.largest) == (False, 0.0)


@pytest.mark.parametrize(
    "changed",
    [
        {"scenario": ["a", "a", "c"]},
        {"quarter": pd.to_datetime(["2020-03-31", "2020-06-30", "2020-12-31"])},
        {"draw": np.array([0, 1, 3], dtype=np.int32)},
    ],
)
def test_text_dates_and_whole_numbers_agree_only_if_equal(changed):
    (name,) = changed
    assert compared(**changed)[name] == Column("t", name, True, False, np.inf)


def test_a_type_that_differs_is_no_agreement():
    found = compared(share=TABLE["share"].astype(np.float32))["share"]
    assert not found.identical
    assert 1e-14 < found.largest < 1e-6


def test_other_columns_or_rows_are_refused():
    for other in (TABLE.iloc[:2], TABLE.drop(columns="share"), TABLE[["quarter", *TABLE.columns.drop("quarter")]]):
        with pytest.raises(ValueError, match="tables t have other columns or rows"):
            list(compare_tables("t", TABLE, other, COUNTS))


def test_results_are_compared_table_by_table_and_a_changed_one_is_named(tmp_path):
    one = run_ensemble(both(), out=tmp_path / "one", replicates=1, scale=0.001, until=2019, workers=1)
    shutil.copytree(one.path, tmp_path / "other")
    other = Results(tmp_path / "other", one.manifest)
    assert all(column.agrees for column in compare_results(one, other))
    national = pd.read_parquet(other.path / "national.parquet")
    national["rd_firms"] += 1.0
    national["revenue_yuan"] *= 1 + 4e-16
    national.to_parquet(other.path / "national.parquet")
    found = [column for column in compare_results(one, other) if not column.identical]
    assert [(column.name, column.counts, column.agrees) for column in found] == [
        ("revenue_yuan", False, True),
        ("rd_firms", True, False),
    ]
