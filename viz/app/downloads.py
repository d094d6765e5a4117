"""Downloads: tables, the scenario as a file, and both with the command that reproduces them."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pandas as pd
import tomli_w

from scenarios.catalogue import catalogue_names
from scenarios.ensembles.request import temporary_directory
from scenarios.files.describe import scenario_toml
from scenarios.files.loading import nest
from scenarios.files.schema import NAMING_KEYS, Scenario
from scenarios.records.export import FORMATS
from scenarios.records.results import Results
from viz.app.policies import settings_of
from viz.live.gathered import GatheredResults
from viz.live.runner import Runner
from viz.live.session import Answer
from viz.report.brief import Brief
from viz.report.printing import one_page
from viz.shared.texts import TextTable
from viz.words.declared import column_meaning, unit_as_stored
from viz.words.language import Words

#: Formats offered for tables, in order, as named in `scenarios.records.export`.
TABLE_FORMATS = ("csv", "parquet", "dta")
#: Rows shown of a table.
PREVIEW = 200
#: Sets of runs: those with parameter draws, and the run with the central parameters.
ENSEMBLE, CENTRAL = "ensemble", "central"
#: Files that are already compressed.
_DENSE = (".parquet",)


def runs_of(answer: Answer, asked: str) -> str:
    """The runs to download: the requested set if it exists, otherwise the central run."""
    return ENSEMBLE if asked == ENSEMBLE and answer.runs else CENTRAL


def gathered(runner: Runner, answer: Answer, scenario: Scenario, runs: str) -> GatheredResults:
    """The answer's runs as results: the policy and, if it differs, the baseline.

    Args:
        scenario: the answer's policy with its name and titles in the file. runs: ENSEMBLE or CENTRAL.
    """
    pairs = (answer.runs, answer.baselines) if runs == ENSEMBLE else ((answer.central,), (answer.central_baseline,))
    scenarios = [scenario, *([] if scenario.name == runner.baseline.name else [runner.baseline])]
    names = [each.name for each in scenarios]
    return GatheredResults(runner, scenarios, dict(zip(names, pairs, strict=False)), scenario.name)


def command(results: GatheredResults) -> str:
    """The command that reproduces the results; a scenario outside the catalogue is given as its file."""
    manifest = results.manifest
    scenario, *others = manifest["scenarios"]
    written = scenario["run"]
    options = [f"--replicates {manifest['replicates']}", f"--scale {manifest['scale']:g}"]
    if manifest["parameter_draws"]:
        options.insert(0, f"--params {manifest['parameter_draws']['source']}")
    # Options that repeat the file are left out.
    options += [f"--{name} {manifest[name]}" for name in ("seed", "until") if manifest[name] != written[name]]
    if manifest["firms_panel"]:
        options.append(f"--firms-panel {manifest['firms_panel']}")
    names = [scenario_argument(scenario["name"]), *(other["name"] for other in others)]
    return " ".join(["srdi run", *names, *options])


def scenario_argument(scenario: str) -> str:
    """A scenario as an argument of a command: its name in the catalogue, or its file."""
    return scenario if scenario in catalogue_names() else file_name(scenario)


def file_name(scenario: str) -> str:
    """The file name of a scenario."""
    return f"{scenario}.toml"


def short_toml(scenario: Scenario) -> str:
    """A scenario as a file that extends the baseline and holds only differences, or as a whole file if need be.

    TOML has no null: if a setting is None and the baseline has a value, the whole file is needed.
    """
    settings = settings_of(scenario)
    if scenario.name == "baseline" or any(value is None for value in settings.values()):
        return scenario_toml(scenario)
    values: dict = {"schema": 1}
    values |= {key: getattr(scenario, key) for key in NAMING_KEYS if getattr(scenario, key)}
    values["extends"] = "baseline"
    return tomli_w.dumps(values | nest(settings))


def tables_zip(results: Results, form: str) -> bytes:
    """All tables in one format of TABLE_FORMATS, in a folder of a zip file.

    Parquet files make a whole results directory, which ``srdi compare`` and ``srdi report`` read.
    """
    with temporary_directory() as folder:
        FORMATS[form](results, folder)
        return _zipped({f"{results.path.name}-{form}/{file.name}": file for file in sorted(folder.iterdir())})


def bundle_zip(results: GatheredResults, scenario: Scenario, words: Words) -> bytes:
    """Everything a colleague needs: scenario, results directory with manifest, command, and how to read them."""
    name = results.path.name
    with temporary_directory() as folder:
        results.write_files(folder)
        files: dict[str, Path | str] = {
            f"{name}/{file_name(scenario.name)}": scenario_toml(scenario),
            f"{name}/README.txt": words(
                "data.readme",
                title=words.scenario(scenario.model_dump()),
                command=command(results),
                name=name,
                version=results.manifest["versions"]["srdi"],
            ),
        }
        files |= {f"{name}/results/{file.name}": file for file in sorted(folder.iterdir())}
        return _zipped(files)


def brief_file(runner: Runner, answer: Answer, scenario: Scenario, language: str, form: str) -> bytes:
    """The note of one page on an answer.

    Args:
        scenario: the answer's policy with its name and titles. form: one of `viz.report.brief.FORMATS`.

    Raises:
        InputError: nothing prints PDF, or the text does not fit on one page.
    """
    results = gathered(runner, answer, scenario, runs_of(answer, ENSEMBLE))
    page = Brief(results, scenario=scenario.name).html(language)
    return one_page(page) if form == "pdf" else page.encode()


def _zipped(files: dict[str, Path | str]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, file in files.items():
            if isinstance(file, Path):
                dense = file.suffix in _DENSE
                archive.write(file, name, zipfile.ZIP_STORED if dense else zipfile.ZIP_DEFLATED)
            else:
                archive.writestr(name, file, zipfile.ZIP_DEFLATED)
    return content.getvalue()


# --- what is shown of a table


def preview(results: Results, table: str) -> tuple[TextTable, int]:
    """The first rows of a table as texts, in full meaningful precision, and the number of its rows."""
    frame = results.table(table)
    shown = frame.head(PREVIEW)
    columns = {name: _texts(shown[name]) for name in shown}
    words = next((place for place, name in enumerate(shown) if pd.api.types.is_float_dtype(shown[name])), len(columns))
    return TextTable(list(columns), list(zip(*columns.values(), strict=True)), words=words), len(frame)


def _texts(column: pd.Series) -> list[str]:
    if pd.api.types.is_datetime64_any_dtype(column):
        return column.dt.strftime("%Y-%m-%d").tolist()
    if pd.api.types.is_float_dtype(column):
        return [f"{value:.0f}" if abs(value) >= 1e6 else f"{value:.7g}" for value in column]
    return column.astype(str).tolist()


def columns_table(results: Results, table: str, words: Words) -> TextTable:
    """The columns of a table: name, meaning, unit."""
    heads = [words(f"data.{head}") for head in ("column", "meaning", "unit")]
    rows = [
        [column.name, column_meaning(column, words), unit_as_stored(column.unit, words)]
        for column in results.columns[table]
    ]
    return TextTable(heads, rows, words=3)
