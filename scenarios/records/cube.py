"""Results tables as xarray datasets, with scenario, run, quarter and the key of the table as dimensions."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd
import xarray as xr

from scenarios.records.storage import IDENTIFIERS, columns_of
from sim.records.outputs import OPTIONAL_TABLES, TABLES, Output

#: Identifiers of a run, the same in all scenarios.
_OF_RUN = [column.name for column in IDENTIFIERS if column.name != "scenario"]


def key_of(table: str) -> list[str]:
    """Columns that, with the run, identify a row of a table: quarter and, except in `national`, the next column."""
    columns = (TABLES | OPTIONAL_TABLES)[table]
    return [column.name for column in columns[: 1 if table == "national" else 2]]


def describe_variables(data: xr.Dataset, columns: Iterable[Output]) -> xr.Dataset:
    """Set description and unit of each variable, with the attribute names of the CF conventions; returns `data`."""
    for column in columns:
        attributes = data[column.name].attrs
        attributes["long_name"] = column.description
        if column.dtype != "timestamp":  # xarray itself writes the unit of dates
            attributes["units"] = column.unit or "1"
    return data


def cube(table: str, frame: pd.DataFrame, national: pd.DataFrame, scenarios: list[str]) -> xr.Dataset:
    """The dataset of a table, without attributes; see `scenarios.records.results.Results.to_xarray`.

    Args:
        table: name of the table. frame: its rows. national: the national series, in which every run has rows.
        scenarios: names, in the order in which they were run.
    """
    runs = national[_OF_RUN].drop_duplicates(ignore_index=True)
    texts = [column.name for column in columns_of(table) if column.dtype == "string"]
    frame = frame.astype(dict.fromkeys(texts, object)).merge(runs.reset_index(names="run"), on=_OF_RUN)
    data = frame.drop(columns=_OF_RUN).set_index(["scenario", "run", *key_of(table)]).to_xarray()
    # All tables have the same scenarios and runs in the same order, even those without rows.
    data = data.reindex(scenario=scenarios, run=runs.index)
    for name in texts:
        data[name] = data[name].astype(str) if name in data.coords else data[name].fillna("").astype(str)
    data = data.assign_coords({name: ("run", runs[name].to_numpy()) for name in _OF_RUN})
    data["run"].attrs["long_name"] = "pair of parameter draw and replicate, the same in every scenario"
    return data
