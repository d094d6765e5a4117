"""Tables of results as xarray datasets: scenario, run, quarter and the table's own key as dimensions."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd
import xarray as xr

from scenarios.records.storage import IDENTIFIERS, columns_of
from sim.outputs import OPTIONAL_TABLES, TABLES, Output

#: Identifiers of a run, which all scenarios share.
_OF_RUN = [column.name for column in IDENTIFIERS if column.name != "scenario"]


def key_of(table: str) -> list[str]:
    """Columns that together with the run tell the rows of a table apart: quarter and, but for `national`, the next."""
    columns = (TABLES | OPTIONAL_TABLES)[table]
    return [column.name for column in columns[: 1 if table == "national" else 2]]


def describe_variables(data: xr.Dataset, columns: Iterable[Output]) -> xr.Dataset:
    """Give each variable its description and unit, as CF conventions name them; returns `data`."""
    for column in columns:
        attributes = data[column.name].attrs
        attributes["long_name"] = column.description
        if column.dtype != "timestamp":  # xarray writes the unit of dates itself
            attributes["units"] = column.unit or "1"
    return data


def cube(table: str, frame: pd.DataFrame, national: pd.DataFrame, scenarios: list[str]) -> xr.Dataset:
    """The dataset of a table but for its attributes, as `scenarios.records.results.Results.to_xarray` describes it.

    Args:
        table: name of the table, which `frame` holds. national: the national series, which every run has rows in.
        scenarios: names in the order they were run.
    """
    runs = national[_OF_RUN].drop_duplicates(ignore_index=True)
    texts = [column.name for column in columns_of(table) if column.dtype == "string"]
    frame = frame.astype(dict.fromkeys(texts, object)).merge(runs.reset_index(names="run"), on=_OF_RUN)
    data = frame.drop(columns=_OF_RUN).set_index(["scenario", "run", *key_of(table)]).to_xarray()
    # Of every table the same scenarios and runs, in the order they were run, whatever it has rows for.
    data = data.reindex(scenario=scenarios, run=runs.index)
    for name in texts:
        data[name] = data[name].astype(str) if name in data.coords else data[name].fillna("").astype(str)
    data = data.assign_coords({name: ("run", runs[name].to_numpy()) for name in _OF_RUN})
    data["run"].attrs["long_name"] = "pair of parameter draw and replicate, the same in every scenario"
    return data
