"""Exports hold numbers, texts and dates as each tool means them, and are there whole or not at all."""

from __future__ import annotations

import os
import re
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pytest
import xarray as xr
from conftest import both, export_all

from scenarios import InputError, run_ensemble
from scenarios.records.export import FORMATS, _stata_label, _stata_name, export
from scenarios.records.layout import PARAMETER_DRAWS
from scenarios.records.results import Results
from scenarios.records.storage import columns_of
from sim.parameters import parameter_table
from sim.records.outputs import OPTIONAL_TABLES, TABLES, Output

#: What a spreadsheet would take for a formula, an address, a date or a number.
TEXTS = ["=1+1", "+1", "-x", "@sum", "6-9", "1e5", "007", "http://a.b", "小巨人", 'a "b", c', "nan"]
SEED = 2**62
MADE = (
    Output("scenario", "", "scenario name", "string"),
    Output("seed", "number", "seed of the replicate", "int64"),
    Output("quarter", "", "last day of the quarter", "timestamp"),
    Output("little_giants", "firms", "little giants (小巨人)"),
    Output(
        "genuine_share", "share", "a description of more letters than Stata has room for in the label of a variable"
    ),
    Output("openness", "0-1", "seven digits", "float32"),
)


class Made(Results):
    """One table that no run makes, as results."""

    columns = {"made": MADE}  # type: ignore[assignment]  # noqa: RUF012

    def __init__(self, **values):
        super().__init__(Path("made"), {})
        self.frame = pd.DataFrame(
            {
                "scenario": pd.Categorical(TEXTS),
                "seed": SEED + np.arange(len(TEXTS)),
                "quarter": pd.date_range("2018-12-31", periods=len(TEXTS), freq="QE").as_unit("ms"),
                "little_giants": np.arange(len(TEXTS)) * 1e6,
                "genuine_share": np.linspace(0, 1, len(TEXTS)) / 3,
                "openness": np.linspace(0, 1, len(TEXTS), dtype=np.float32),
                **values,
            }
        )

    def table(self, name):
        return self.frame.copy()


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("made")
    for form in set(FORMATS) - {"parquet"}:
        export(Made(), form, folder / form)
    return folder


def sheet_of(folder, name="made"):
    return openpyxl.load_workbook(folder / "xlsx" / "results.xlsx")[name]


def column_of(sheet, name):
    place = [cell.value for cell in sheet[1]].index(name) + 1
    return [row[0] for row in sheet.iter_rows(min_row=2, min_col=place, max_col=place)]


def test_texts_stay_texts_and_long_seeds_exact_in_every_format(made):
    sheet = sheet_of(made)
    with xr.open_dataset(made / "nc" / "made.nc", engine="scipy") as data:
        read = {
            "csv": pd.read_csv(made / "csv" / "made.csv", dtype=str, keep_default_na=False),
            "dta": pd.read_stata(made / "dta" / "made.dta"),
            "nc": data.load().to_dataframe(),
            "xlsx": pd.DataFrame(
                {name: [cell.value for cell in column_of(sheet, name)] for name in ("scenario", "seed")}
            ),
        }
    for form, frame in read.items():
        assert frame["scenario"].tolist() == TEXTS, form
        assert [int(seed) for seed in frame["seed"]] == [SEED + place for place in range(len(TEXTS))], form
    # A text to Excel too, also once somebody has edited the cell.
    assert {(cell.data_type, cell.number_format) for cell in column_of(sheet, "scenario")} == {("s", "@")}


def test_a_sheet_has_dates_numbers_and_headings_with_units(made):
    sheet = sheet_of(made)
    quarters = column_of(sheet, "quarter")
    assert {(cell.is_date, cell.number_format) for cell in quarters} == {(True, "yyyy-mm-dd")}
    assert [cell.value for cell in quarters] == Made().frame["quarter"].tolist()
    formats = {"little_giants": "#,##0", "genuine_share": "0.0%", "openness": "General"}
    for name, number_format in formats.items():
        cells = column_of(sheet, name)
        assert {(cell.data_type, cell.number_format) for cell in cells} == {("n", number_format)}
        assert [cell.value for cell in cells] == pytest.approx(Made().frame[name].tolist(), rel=1e-15)
    # The name alone is the text of a heading, which readers take; the unit is shown behind it.
    heads = {cell.value: cell.number_format for cell in sheet[1]}
    assert heads["little_giants"] == '@" (firms)"'
    assert heads["scenario"] == "@"
    assert sheet.freeze_panes == "A2"
    described = sheet_of(made, "columns")
    assert [cell.value for cell in column_of(described, "description")] == [column.description for column in MADE]


def test_what_is_missing_is_an_empty_cell(tmp_path):
    values = Made().frame["little_giants"].mask(lambda values: values > 2e6)
    export(Made(little_giants=values), "xlsx", tmp_path / "xlsx")
    cells = [cell.value for cell in column_of(sheet_of(tmp_path), "little_giants")]
    assert cells == [0, 1e6, 2e6] + [None] * (len(TEXTS) - 3)


@pytest.mark.parametrize("form", sorted(set(FORMATS) - {"parquet"}))
def test_a_table_without_rows_is_one_in_every_format(form, tmp_path):
    none = Made()
    none.frame = none.frame[:0]
    export(none, form, tmp_path / form)
    file = tmp_path / form / ("results.xlsx" if form == "xlsx" else f"made.{form}")
    if form == "nc":
        with xr.open_dataset(file, engine="scipy") as data:
            assert (list(data.variables), data.sizes["row"]) == (list(none.frame), 0)
        return
    read = {"csv": pd.read_csv, "dta": pd.read_stata, "xlsx": pd.read_excel}[form](file)
    assert len(read) == 0
    assert list(read) == [_stata_name(name) if form == "dta" else name for name in none.frame]


@pytest.mark.parametrize(("form", "tool"), [("xlsx", "Excel"), ("dta", "Stata")])
def test_infinite_numbers_are_refused_where_there_are_none(form, tool, tmp_path):
    infinite = Made(little_giants=np.full(len(TEXTS), -np.inf))
    with pytest.raises(InputError, match=f"table made has an infinite little_giants, which {tool} does not support"):
        export(infinite, form, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []
    export(infinite, "csv", tmp_path / "csv")
    assert np.isneginf(pd.read_csv(tmp_path / "csv" / "made.csv")["little_giants"]).all()


def test_csv_keeps_every_digit_and_dates_without_a_time(made):
    read = pd.read_csv(made / "csv" / "made.csv", dtype=str)
    for name in ("little_giants", "genuine_share", "openness"):
        values = Made().frame[name]
        assert read[name].map(float).astype(values.dtype).tolist() == values.tolist()
    assert read["quarter"][0] == "2018-12-31"


def test_stata_has_whole_units_dates_and_the_full_descriptions(made):
    with pd.read_stata(made / "dta" / "made.dta", iterator=True) as reader:
        frame, labels = reader.read(), reader.variable_labels()
        assert reader.data_label == "srdi results: made"
    assert labels["genuine_share"] == "a description of more letters than Stata has room for in the label of a… (share)"
    assert labels["lg"] == "little giants (小巨人) (firms)"
    assert frame["quarter"].tolist() == Made().frame["quarter"].tolist()
    columns = pd.read_stata(made / "dta" / "columns.dta")
    assert columns["description"].tolist() == [column.description for column in MADE]
    assert columns["variable"].tolist() == list(frame)


def test_stata_takes_every_name_and_label():
    columns = [column for table in TABLES | OPTIONAL_TABLES for column in columns_of(table)]
    columns += [Output(each.name, each.unit, each.description) for each in parameter_table().values()]
    for column in columns:
        assert re.fullmatch(r"[a-z][a-z0-9_]{0,31}", _stata_name(column.name))
        label = _stata_label(column)
        assert len(label) <= 80
        assert label.endswith(f"({column.unit})" if column.unit else column.description[-10:])
    # Shortened, they stay apart.
    tables = [[column.name for column in columns_of(table)] for table in (*TABLES, *OPTIONAL_TABLES)]
    for names in (*tables, list(parameter_table())):
        assert len(set(map(_stata_name, names))) == len(names)


def test_sheets_have_names_that_excel_takes():
    for name in (*TABLES, *OPTIONAL_TABLES, PARAMETER_DRAWS, "columns"):
        assert re.fullmatch(r"\w{1,31}", name)


def test_netcdf_has_days_and_says_what_it_is(made):
    with xr.open_dataset(made / "nc" / "made.nc", engine="scipy", decode_times=False) as data:
        assert data["quarter"].attrs["units"].startswith("days since 2018-12-31")
        assert data["little_giants"].attrs["long_name"] == "little giants (小巨人)"
        assert np.isnan(data["little_giants"].encoding["_FillValue"])
        assert data.attrs["title"] == "srdi results: made"


# --- whole or not at all


@pytest.mark.parametrize("form", sorted(set(FORMATS) - {"parquet"}))
def test_a_full_disk_is_said_and_leaves_nothing(form, tmp_path):
    (tmp_path / "used").mkdir()
    (tmp_path / "used" / "mine.txt").write_text("keep")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200, before[1]))  # stands for a full disk: the same calls fail
    try:
        for out in (tmp_path / "new", tmp_path / "used"):
            with pytest.raises(InputError, match=f"{out.name} cannot be written: File too large"):
                export(Made(), form, out, force=True)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert [path.name for path in tmp_path.rglob("*")] == ["used", "mine.txt"]


def test_an_unknown_format_or_a_used_directory_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"\(allowed: csv"):
        export(Made(), "sas", tmp_path / "x")
    with pytest.raises(InputError, match=r"unknown format 'xlxs'; did you mean 'xlsx'\? \(allowed: csv"):
        export(Made(), "xlxs", tmp_path / "x")
    (tmp_path / "keep").write_text("")
    with pytest.raises(InputError, match="not empty"):
        export(Made(), "csv", tmp_path)


def test_force_replaces_same_names_and_leaves_other_files(tmp_path):
    (tmp_path / "mine.txt").write_text("keep")
    (tmp_path / "made.csv").write_text("old")
    written = export(Made(), "csv", tmp_path, force=True)
    assert (tmp_path / "made.csv").read_bytes().startswith(b"\xef\xbb\xbf")  # for Excel
    assert {file.name for file in tmp_path.iterdir()} == {"mine.txt", *(file.name for file in written)}


def test_a_failed_export_leaves_a_used_directory_as_it_was(tmp_path, monkeypatch):
    def breaks(results, out):
        (out / "made.csv").write_text("half")
        raise OSError(28, "No space left on device")

    (tmp_path / "made.csv").write_text("old")
    monkeypatch.setitem(FORMATS, "csv", breaks)
    with pytest.raises(InputError, match="No space left"):
        export(Made(), "csv", tmp_path, force=True)
    assert [file.read_text() for file in tmp_path.iterdir()] == ["old"]
    with pytest.raises(InputError, match="No space left"):
        export(Made(), "csv", tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_a_table_too_long_for_a_sheet_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("scenarios.records.export._SHEET_ROWS", len(TEXTS))
    with pytest.raises(InputError, match="table made has 11 rows; an Excel sheet has at most 10"):
        export(Made(), "xlsx", tmp_path / "x")
    assert not (tmp_path / "x").exists()


def test_a_folder_in_the_way_of_a_file_is_said_before_any_is_replaced(tmp_path):
    (tmp_path / "columns.csv").write_text("old")
    (tmp_path / "made.csv").mkdir()
    with pytest.raises(InputError, match=r"made\.csv is a directory"):
        export(Made(), "csv", tmp_path, force=True)
    assert (tmp_path / "columns.csv").read_text() == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["columns.csv", "made.csv"]


# --- read by the tools themselves


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """A run with a panel of firms, and its exports."""
    folder = tmp_path_factory.mktemp("ran")
    results = run_ensemble(
        both(), out=folder / "run", replicates=2, scale=0.001, until=2022, seed=SEED, workers=1, firms_panel=20
    )
    return results, export_all(results, folder)


def _told(values: pd.Series) -> tuple[str, object]:
    """What `read_exports.R` says of a column: its kind, and the sum or the first and last value."""
    if pd.api.types.is_datetime64_any_dtype(values):
        return "date", tuple(values.iloc[[0, -1]].dt.strftime("%Y-%m-%d"))
    if pd.api.types.is_numeric_dtype(values):
        return "number", values.astype(float).sum()
    return "text", tuple(values.iloc[[0, -1]])


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("Rscript"), reason="needs R (r-base-core)")
def test_r_reads_the_same_tables_from_every_export(ran):
    results, folder = ran
    needed = "q(status = !all(sapply(c('haven', 'readxl', 'ncdf4'), requireNamespace, quietly = TRUE)))"
    if subprocess.run(["Rscript", "-e", needed], capture_output=True).returncode:
        pytest.skip("needs R's packages haven, readxl and ncdf4; Parquet in R needs arrow, which few systems bring")
    script = Path(__file__).with_name("read_exports.R")
    utf8 = {**os.environ, "LC_ALL": "C.UTF-8", "TZ": "America/New_York"}  # where midnight UTC is the day before
    subprocess.run(["Rscript", script, folder], check=True, env=utf8)
    found = pd.read_csv(folder / "found.csv", dtype={"sum": float}, keep_default_na=False, na_values={"sum": [""]})
    rows = {(row.form, row.table, row.column): row for row in found.itertuples()}
    described = results.describe().set_index(["table", "column"])
    for table in results.columns:
        frame = results.table(table)
        for column in frame:
            kind, value = _told(frame[column].astype(str) if column == "seed" else frame[column])
            for form in ("csv", "dta", "xlsx", "nc"):
                where = (form, table, column)
                row = rows.pop((form, table, _stata_name(column) if form == "dta" else column))
                assert row.rows == len(frame), where
                if column == "seed" and form == "csv":  # R reads what looks like a number as one
                    continue
                if column == "bound" and row.kind != "text":  # without a batch there is no text to know the kind by
                    continue
                assert row.kind == kind, where
                if kind == "number":
                    assert row.sum == pytest.approx(value, rel=1e-6 if frame[column].dtype == "float32" else 1e-12), (
                        where
                    )
                else:
                    assert (row.first, row.last) == value, where
                unit, description = described.loc[(table, column), ["unit", "description"]]
                if form == "dta":
                    assert row.label == _stata_label(Output(column, unit, description)), where
                if form == "nc":
                    assert row.label == f"{description}|{'' if kind == 'date' else unit or '1'}", where
    assert {table for _, table, _ in rows} == {"columns"}


@pytest.fixture(scope="module")
def documented(tmp_path_factory):
    """The folder in which the documented commands were run, and the blocks of the document by language."""
    text = (Path(__file__).parents[2] / "docs" / "how-to" / "other-tools.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```(\w+)\n(.*?)```", text, re.DOTALL)
    folder = tmp_path_factory.mktemp("documented")
    for line in "".join(block for language, block in blocks if language == "sh").splitlines():
        arguments = line.removeprefix("uv run srdi").split()
        subprocess.run([sys.executable, "-m", "scenarios.cli", *arguments], cwd=folder, check=True, capture_output=True)
    return folder, lambda wanted: [block for language, block in blocks if language == wanted]


@pytest.mark.slow
@pytest.mark.parametrize(("language", "number"), [("r", 4), ("python", 4), ("sql", 1)])
def test_documented_lines_run(documented, language, number):
    folder, blocks = documented
    if language == "r" and not shutil.which("Rscript"):
        pytest.skip("needs R (r-base-core, r-cran-haven, r-cran-readxl, r-cran-ncdf4)")
    shell = "import duckdb, sys; assert len(duckdb.sql(sys.argv[1]).df()) == 2 * 21"
    commands = {"r": ["Rscript", "-e"], "python": [sys.executable, "-c"], "sql": [sys.executable, "-c", shell]}
    assert len(blocks(language)) == number
    for block in blocks(language):
        ran = subprocess.run([*commands[language], block], cwd=folder, capture_output=True, text=True)
        assert ran.returncode == 0, block + ran.stderr


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("soffice"), reason="needs LibreOffice (libreoffice-calc)")
def test_libreoffice_opens_the_workbook_with_dates_and_numbers(ran, tmp_path):
    results, folder = ran
    # Comma, quotation marks, UTF-8, from the first line; as shown; every sheet into a file.
    shown = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,true,false,false,-1"
    profile = f"-env:UserInstallation=file://{tmp_path}/profile"
    book = folder / "xlsx" / "results.xlsx"
    subprocess.run(
        ["soffice", profile, "--headless", "--convert-to", shown, "--outdir", tmp_path / "csv", book],
        check=True,
        capture_output=True,
        timeout=300,
    )
    for table, columns in results.columns.items():
        frame = results.table(table)
        read = pd.read_csv(tmp_path / "csv" / f"results-{table}.csv", dtype=str, keep_default_na=False)
        assert list(read) == [f"{column.name} ({column.unit})" if column.unit else column.name for column in columns]
        read.columns = frame.columns
        assert len(read) == len(frame)
        assert not read.map(lambda text: "#" in text).any(axis=None)  # no number is wider than its column
        for column in columns:
            values = frame[column.name]
            if column.dtype == "timestamp":
                assert read[column.name].tolist() == values.dt.strftime("%Y-%m-%d").tolist()
            elif column.dtype == "string" or column.name == "seed":
                assert read[column.name].tolist() == values.astype(str).tolist()
            elif column.unit == "firms":
                assert read[column.name].tolist() == [f"{value:,.0f}" for value in values]
            elif column.unit == "share":
                assert read[column.name].str.removesuffix("%").astype(float).tolist() == pytest.approx(
                    (100 * values).tolist(), abs=0.051
                )
