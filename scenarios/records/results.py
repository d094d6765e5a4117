"""Results of an ensemble, read back from their directory."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from scenarios.errors import ResultsError, refuse_undecodable
from scenarios.files.labels import Label, change_label, labels_in_run, level_label, lever_labels, weakest
from scenarios.files.schema import Scenario
from scenarios.records.layout import FORMAT, FORMAT_VERSION, MANIFEST, PARAMETER_DRAWS, PARAMETER_DRAWS_FILE, RUNS
from scenarios.records.storage import DRAW, checksum, columns_of, dtype_of
from sim.parameters import parameter_table
from sim.records.outputs import OPTIONAL_TABLES, TABLES, Output

if TYPE_CHECKING:
    import xarray as xr

#: Largest number of scenarios in the text of a results object.
_MAX_NAMES = 5


class _DrawsEntry(BaseModel):
    source: str
    checksum: str
    names: list[str]

    @field_validator("names")
    @classmethod
    def _check_names(cls, names: list[str]) -> list[str]:
        for name in names:
            if name not in parameter_table():
                raise ValueError(f"unknown parameter {name}")
        return names


class _Manifest(BaseModel):
    """The entries of a manifest that readers depend on; the others are for information."""

    model_config = ConfigDict(strict=True)

    scenarios: list[Scenario] = Field(min_length=1)
    until: int
    scale: float = Field(gt=0, allow_inf_nan=False)
    replicates: int = Field(ge=1)
    seed: int
    seeds: list[int]
    firms_panel: int = Field(ge=0)
    crossed_draws: int | None
    parameter_draws: _DrawsEntry | None
    factors: list[str] = []
    draws: int = Field(ge=1)
    runs: int = Field(ge=1)
    model: str
    versions: dict[str, str]
    first_quarter: str = Field(pattern=r"^\d{4}Q[1-4]$")
    last_quarter: str = Field(pattern=r"^\d{4}Q[1-4]$")
    firms_at_start: int
    started: str
    seconds: float = 0.0  # not measured for results collected by the page
    parameters: dict[str, float]
    files: dict[str, str]

    @field_validator("scenarios")
    @classmethod
    def _check_unique(cls, scenarios: list[Scenario]) -> list[Scenario]:
        if len({scenario.name for scenario in scenarios}) < len(scenarios):
            raise ValueError("a name is given twice")
        return scenarios


class Results:
    """Tables of an ensemble as pandas frames, read on first use.

    Attributes:
        path: the results directory.
        manifest: resolved scenarios, seeds, scale, versions, checksums.
        national, province, sector, tier, cluster, chain, spending: one frame per table. The identifier columns
            scenario, draw, replicate and seed come first. For units see `describe`.
    """

    def __init__(self, path: Path, manifest: dict) -> None:
        self.path = path
        self.manifest = manifest

    def __repr__(self) -> str:
        manifest, names = self.manifest, [scenario["name"] for scenario in self.manifest["scenarios"]]
        more = f" and {len(names) - _MAX_NAMES} more" if len(names) > _MAX_NAMES else ""
        return (
            f"<Results in {self.path}: {manifest['runs']} runs of {', '.join(names[:_MAX_NAMES])}{more}, "
            f"{manifest['first_quarter']} to {manifest['last_quarter']}, scale {manifest['scale']:g}; "
            f"tables: {', '.join(self.columns)}>"
        )

    @property
    def tables(self) -> tuple[str, ...]:
        """Names of the tables."""
        return tuple(name.removesuffix(".parquet") for name in self.manifest["files"] if name != PARAMETER_DRAWS_FILE)

    @cached_property
    def columns(self) -> dict[str, tuple[Output, ...]]:
        """Columns of every table with unit and description, including `parameter_draws` if any were used."""
        columns = {name: columns_of(name) for name in self.tables}
        if PARAMETER_DRAWS_FILE in self.manifest["files"]:
            parameters = (parameter_table()[name] for name in self.manifest["parameter_draws"]["names"])
            columns[PARAMETER_DRAWS] = (
                DRAW,
                *(Output(entry.name, entry.unit, entry.description) for entry in parameters),
            )
        return columns

    def table(self, name: str) -> pd.DataFrame:
        """One table by name, `parameter_draws` included.

        Raises:
            KeyError: the table is unknown.
            ResultsError: the file cannot be read, or has other columns or runs than it should.
        """
        if name not in self.columns:
            raise KeyError(f"unknown table {name!r}; tables: {', '.join(self.columns)}")
        file = self.path / f"{name}.parquet"
        try:
            frame = pq.read_table(file).to_pandas()
        except (pa.ArrowException, OSError):
            raise ResultsError(f"{self.path} is damaged: {file.name} cannot be read") from None
        if name == PARAMETER_DRAWS:  # the file has no numbers; the number of a draw is that of its row
            frame.insert(0, DRAW.name, np.arange(1, len(frame) + 1, dtype=DRAW.dtype))
        self._check(name, frame)
        return frame

    def _check(self, name: str, frame: pd.DataFrame) -> None:
        """Raise ResultsError if a table has other columns or runs than the manifest, even if its checksum matches."""
        file = f"{name}.parquet"
        columns, numbers = self.columns[name], set(frame.select_dtypes("number"))
        required = {column.name for column in columns if column.dtype not in ("string", "timestamp")}
        if list(frame) != [column.name for column in columns] or not required <= numbers:
            raise ResultsError(f"{self.path} is damaged: {file} has other columns than srdi writes")
        if name == "national":
            rows = frame["scenario"].value_counts()
            rows = rows[rows > 0]
            if set(rows.index) != {scenario["name"] for scenario in self.manifest["scenarios"]} or rows.nunique() > 1:
                raise ResultsError(f"{self.path} is damaged: {file} does not have the runs of its {MANIFEST}")

    def write_files(self, folder: Path) -> None:
        """Copy the files of the results directory, including the manifest, into a folder."""
        for name in (*self.manifest["files"], MANIFEST):
            shutil.copyfile(self.path / name, folder / name)

    @cached_property
    def national(self) -> pd.DataFrame:
        """National series: one row per scenario, replicate and quarter."""
        return self.table("national")

    @cached_property
    def province(self) -> pd.DataFrame:
        """Series by province."""
        return self.table("province")

    @cached_property
    def sector(self) -> pd.DataFrame:
        """Series by sector."""
        return self.table("sector")

    @cached_property
    def county_type(self) -> pd.DataFrame:
        """Series by county type: counties and county-level cities, urban districts."""
        return self.table("county_type")

    @cached_property
    def tier(self) -> pd.DataFrame:
        """Stocks and flows by tier of the ladder."""
        return self.table("tier")

    @cached_property
    def cluster(self) -> pd.DataFrame:
        """Recognised clusters at year ends."""
        return self.table("cluster")

    @cached_property
    def chain(self) -> pd.DataFrame:
        """Series by industrial chain."""
        return self.table("chain")

    @cached_property
    def spending(self) -> pd.DataFrame:
        """Public money by lever."""
        return self.table("spending")

    @cached_property
    def firms(self) -> pd.DataFrame:
        """Panel of single firms at year ends; KeyError if the run did not record one."""
        return self.table("firms")

    @cached_property
    def parameter_draws(self) -> pd.DataFrame:
        """Parameter draws, one column per parameter, indexed by the number of the draw; empty if there are none."""
        frame = (
            self.table(PARAMETER_DRAWS) if PARAMETER_DRAWS in self.columns else pd.DataFrame({DRAW.name: []}, dtype=int)
        )
        return frame.set_index(DRAW.name)

    @cached_property
    def drawn_labels(self) -> Mapping[str, Label]:
        """What the parameter draws rest on (see `scenarios.files.labels`), by parameter; empty without draws."""
        if PARAMETER_DRAWS_FILE not in self.manifest.get("files", ()):
            return {}
        schema = pq.read_schema(self.path / PARAMETER_DRAWS_FILE)
        return {field.name: Label.of_metadata(field.metadata, Label("assumed")) for field in schema}

    @cached_property
    def lever_labels(self) -> dict[str, Label]:
        """What the strength of each lever in these runs rests on, by lever."""
        return lever_labels(labels_in_run(self.manifest["scenarios"], self.drawn_labels))

    def change_label(self, before: str, after: str) -> Label:
        """What the difference between two scenarios rests on, by their names."""
        scenarios = {scenario["name"]: scenario for scenario in self.manifest["scenarios"]}
        return change_label(scenarios[before], scenarios[after], self.lever_labels)

    def level_label(self, name: str) -> Label:
        """What the numbers of a scenario themselves rest on, by its name.

        It is the fit, and what differs from the packaged baseline, with which the fit was made, as in `change_label`.
        Parameter draws of which nobody says what they rest on are assumed.
        """
        from scenarios.files.loading import load_scenario

        scenario = next(scenario for scenario in self.manifest["scenarios"] if scenario["name"] == name)
        reported = load_scenario("baseline").model_dump(by_alias=True, mode="json")
        found = level_label(reported, scenario, self.lever_labels)
        drawn = {label.word for label in self.drawn_labels.values()}
        return weakest([found, Label("assumed")]) if drawn == {"assumed"} else found

    def to_xarray(self, table: str = "national") -> xr.Dataset:
        """A table as an xarray dataset, for means over runs, differences between scenarios and NetCDF.

        Args:
            table: name of the table; all except `national` have their key as an additional dimension.

        Returns:
            Variables with dimensions scenario, run, quarter and, except for `national`, the key (province, sector,
            county_type, tier, cluster, chain, lever or firm). `draw`, `replicate` and `seed` are coordinates of the
            run, which is the same in every scenario. Units and descriptions are attributes of the variables. Missing
            rows are NaN or empty text. `parameter_draws` has the single dimension draw.

        Raises:
            KeyError: the table is unknown.

        Example:
            >>> giants = results.to_xarray()["little_giants"]  # doctest: +SKIP
            >>> (giants.sel(scenario="no-policy") - giants.sel(scenario="baseline")).mean("run")  # doctest: +SKIP
        """
        from scenarios.records.cube import cube, describe_variables

        frame, columns = self.table(table), self.columns[table]
        if table == PARAMETER_DRAWS:
            data = frame.set_index(DRAW.name).to_xarray()
        else:
            names = [scenario["name"] for scenario in self.manifest["scenarios"]]
            data = cube(table, frame, self.national, names)
        data.attrs |= {"title": f"srdi results: {table}", "scale": self.manifest["scale"]}
        return describe_variables(data, columns)

    def sql(self, query: str, parameters: Any = ()) -> pd.DataFrame:
        """Answer one SELECT statement with DuckDB, which reads only the rows and columns it needs.

        Args:
            query: SQL over the tables by name, over `columns` (see `describe`) and, if there are any, over
                `parameter_draws`. Other files can be joined, such as ``read_csv('mine.csv')``. A query can therefore
                read every file that you can read: do not run queries from strangers. It cannot write files and loads
                no DuckDB extensions, such as those for Excel files and web addresses.
            parameters: values of the query's ``?`` in order, a dict of the values of its ``$name``, or a single value:
                numbers (also of NumPy), texts, paths, dates, None, and lists or arrays of these.

        Returns:
            The rows of the answer. Integers stay integers, and `quarter` is a timestamp. A query cannot change the
            tables.

        Raises:
            ResultsError: the query is not a single SELECT statement, values are missing or superfluous, or DuckDB
                rejects it. For an unknown table or column, the message lists the known ones.

        Example:
            >>> results.sql(
            ...     "select scenario, year(quarter) as year, sum(public_spending_yuan) / 1e9 as billion_yuan "
            ...     "from national where replicate = ? group by all order by all",
            ...     results.national["replicate"].max(),
            ... )  # doctest: +SKIP
        """
        from scenarios.records.query import run_query

        return run_query(self.path, self.columns, self.describe(), query, parameters)

    def describe(self) -> pd.DataFrame:
        """Every column of every table with its unit, description and type."""
        return pd.DataFrame(
            [
                {
                    "table": table,
                    "column": column.name,
                    "unit": column.unit,
                    "description": column.description,
                    "dtype": dtype_of(table, column),
                }
                for table, columns in self.columns.items()
                for column in columns
            ]
        )


def load_results(path: str | Path) -> Results:
    """Open a results directory after checking that it is complete.

    Raises:
        ResultsError: the directory does not exist, was not written by srdi, is unfinished, or has a file that is
            missing or does not match its checksum.
    """
    path = Path(path)
    refuse_undecodable(path)
    if not path.is_dir():
        raise ResultsError(f"{path} is not a directory")
    manifest = _read_manifest(path)
    files = manifest["files"]
    required, optional = ({f"{name}.parquet" for name in tables} for tables in (TABLES, OPTIONAL_TABLES))
    if not required <= set(files) <= required | optional | {PARAMETER_DRAWS_FILE}:
        raise ResultsError(f"{path / MANIFEST} is damaged: its list of files is not the one srdi writes")
    for name, digest in files.items():
        file = path / name
        if not file.is_file():
            raise ResultsError(f"{path} is damaged: {name} is missing")
        if checksum(file) != digest:
            raise ResultsError(f"{path} is damaged: {name} does not match its checksum")
    return Results(path, manifest)


def _read_manifest(path: Path) -> dict:
    """The manifest of a results directory, unchanged, after checking the entries that readers depend on."""
    manifest_path = path / MANIFEST
    if not manifest_path.is_file():
        if (path / RUNS).is_dir():
            raise ResultsError(f"{path} has an unfinished ensemble: it has runs but no {MANIFEST}")
        raise ResultsError(f"{path} is not a results directory: it has no {MANIFEST}")
    try:
        manifest = json.loads(manifest_path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        raise ResultsError(f"{manifest_path} is damaged: it is not readable JSON") from None
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise ResultsError(f"{path} is not a results directory: its {MANIFEST} was not written by srdi")
    if manifest.get("format_version") != FORMAT_VERSION:
        raise ResultsError(
            f"{path} has format version {manifest.get('format_version')!r}; this srdi reads {FORMAT_VERSION}"
        )
    try:
        _Manifest.model_validate(manifest)
    except ValidationError as error:
        fault = error.errors()[0]
        key = ".".join(map(str, fault["loc"]))
        raise ResultsError(
            f"{manifest_path} is damaged or was written by another version of the model: "
            f"{key}: {fault['msg'][0].lower()}{fault['msg'][1:]}"
        ) from None
    return manifest
