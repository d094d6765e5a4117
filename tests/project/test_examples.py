"""The examples run as their docstrings say, write what they promise, and print what the results hold."""

from __future__ import annotations

import ast
import copy
import io
import re
from pathlib import Path

import click
import nbclient
import nbformat
import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from prepared import run_program
from rich.console import Console

from scenarios import InputError, compare, load_results
from scenarios.commands.compare_tables import print_comparison
from scenarios.commands.options import ensemble_options
from scenarios.display.formatting import format_estimate
from scenarios.ensembles.request import EnsembleOptions
from scenarios.search.design import make_design, read_design
from scenarios.search.sweep import SweepFile, design_of

EXAMPLES = Path(__file__).parents[2] / "examples"
SCRIPTS = sorted(EXAMPLES.glob("*.py"))
NOTEBOOK = EXAMPLES / "first_look.ipynb"
SMALL = ("--workers", "1", "--replicates", "2", "--out", "made")


def run(folder, script, *options):
    """A script run in a folder as a user would; the folder it wrote into, and what it printed."""
    answer = run_program(str(EXAMPLES / script), [*SMALL, *options], cwd=folder)
    assert answer.returncode == 0, answer.stderr
    return folder / "made", answer.stdout


def numbers_after(words, line):
    """Numbers of a line behind the words it begins with, None if it begins with others."""
    if not line.strip().startswith(words):
        return None
    return [float(text.replace(",", "")) for text in re.findall(r"-?\d[\d,]*\.?\d*", line.strip().removeprefix(words))]


def values(national, column, quarter):
    """A column in a quarter, a row a replicate, a column a scenario."""
    rows = national[national["quarter"] == quarter]
    return rows.pivot(index="replicate", columns="scenario", values=column)


# --- first run


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    return run(tmp_path_factory.mktemp("first"), "first_run.py", "--scale", "0.001", "--until", "2023")


def test_the_first_run_prints_the_ladder_of_the_results(first):
    out, printed = first
    national = load_results(out / "ensemble").national
    lines = [numbers_after("2023", line) for line in printed.splitlines()]
    expected = []
    for tier in ("innovative_smes", "srdi_smes", "little_giants"):
        low, high = sorted(values(national, tier, "2023-12-31")["baseline"])
        assert high > 0
        expected += [low + share * (high - low) for share in (0.05, 0.5, 0.95)]
    assert [round(number) for number in expected] in lines


def test_the_first_run_prints_spending_and_provinces_of_the_results(first):
    out, printed = first
    results = load_results(out / "ensemble")
    province = results.province[results.province["quarter"] == "2023-12-31"]
    means = province.groupby("province", observed=True)["little_giants"].mean()
    name, most = means.idxmax(), means.max()
    assert any(numbers_after(name, line) == [most] for line in printed.splitlines())
    spending = results.spending[results.spending["kind"] == "lever"]
    by_year = spending.groupby(spending["quarter"].dt.year)["spending_yuan"].sum() / 1e9 / 2
    table = printed.split("Public spending")[1].split("Little giants in")[0]
    assert by_year[2023] > 0
    for year, spent in by_year.items():
        rows = [found for line in table.splitlines() if (found := numbers_after(str(year), line))]
        assert sum(sum(row) for row in rows) == pytest.approx(spent, abs=0.02)


def test_the_first_run_exports_what_the_results_hold(first):
    out, _ = first
    national = load_results(out / "ensemble").national
    assert pd.read_stata(out / "stata" / "national.dta")["lg"].tolist() == national["little_giants"].tolist()
    assert pd.read_csv(out / "csv" / "national.csv")["srdi_smes"].tolist() == national["srdi_smes"].tolist()
    ladder = pd.read_csv(out / "ladder.csv", header=[0, 1], index_col=0)
    assert ladder.loc[2023, ("srdi_smes", "median")] == np.median(values(national, "srdi_smes", "2023-12-31"))


def test_other_settings_for_the_same_folder_are_refused_in_one_sentence(first):
    out, _ = first
    others = (*SMALL, "--scale", "0.001", "--until", "2022")
    answer = run_program(str(EXAMPLES / "first_run.py"), others, cwd=out.parent, timeout=60)
    assert answer.returncode == 1
    assert "until was 2023, now 2022" in answer.stderr
    assert "Traceback" not in answer.stderr


# --- policies


@pytest.fixture(scope="module")
def policies(tmp_path_factory):
    options = ("--scale", "0.002", "--until", "2025", "--replicates", "6")
    return run(tmp_path_factory.mktemp("policies"), "policy_comparison.py", *options)


def test_the_effects_are_the_paired_differences_of_the_results(policies):
    out, printed = policies
    national = load_results(out / "ensemble").national
    effects = pd.read_csv(out / "effects.csv").set_index(["scenario", "metric"])
    tex = (out / "effects.tex").read_text(encoding="utf-8")
    assert set(effects.index.unique("scenario")) == {"no-policy", "clusters-300", "public-services", "higher-rd-bar"}
    for (scenario, metric), row in effects.iterrows():
        table = values(national, metric, "2025-12-31")
        difference = (table[scenario] - table["baseline"]).mean()
        assert row["difference"] == pytest.approx(difference)
        said, _ = format_estimate(difference, row["effect_low"], row["effect_high"], row["unit"], signed=True)
        assert any(line.startswith(metric) and said in line for line in printed.splitlines())
        assert f"& {said.replace('−', '$-$')} (" in tex
    assert effects["difference"].abs().max() > 0


def test_the_cost_per_additional_firm_is_that_of_the_results(policies):
    out, printed = policies
    national = load_results(out / "ensemble").national
    effects = pd.read_csv(out / "effects.csv").set_index(["scenario", "metric"])
    row = effects.loc[("public-services", "srdi_smes")]
    spent = national.groupby(["scenario", "replicate"], observed=True)["public_cost_yuan"].sum()
    cost = (spent["public-services"] - spent["baseline"]).mean()
    assert row["cost_yuan"] == pytest.approx(cost)
    assert row["cost_per_unit_yuan"] == pytest.approx(cost / row["difference"])
    price = (row[f"cost_per_unit_{end}yuan"] / 1e6 for end in ("", "low_", "high_"))
    assert format_estimate(*price)[0] in printed


def test_the_figure_is_there_for_print_and_for_screens(policies):
    out, _ = policies
    assert (out / "differences.pdf").read_bytes().startswith(b"%PDF")
    assert (out / "differences.png").read_bytes().startswith(b"\x89PNG")


# --- sweep and sensitivity


@pytest.fixture(scope="module")
def sweep(tmp_path_factory):
    options = ("--scale", "0.001", "--until", "2024", "--samples", "2", "--trajectories", "2")
    return run(tmp_path_factory.mktemp("sweep"), "sweep_and_sensitivity.py", *options)


def test_the_response_is_that_of_the_results(sweep):
    out, printed = sweep
    results = load_results(out / "sweep")
    points = pd.read_csv(out / "sweep.csv").set_index("scenario")
    table = values(results.national, "srdi_smes", "2024-12-31")
    design = design_of(results)
    assert len(points) == len(design) == 8
    rows = [(numbers_after("", line) or [])[:3] for line in printed.splitlines()]
    for name, row in points.iterrows():
        difference = (table[name] - table["baseline"]).mean()
        assert row["difference"] == pytest.approx(difference)
        assert row[list(design)].tolist() == design.loc[name].tolist()
        assert [*design.loc[name], difference] in rows
    # The first point is the base itself; the dearest has more SRDI SMEs under either bar.
    budget, bar = design
    by_point = points.set_index([bar, budget])["difference"]
    assert by_point[0.03, 0.0] == 0.0
    assert all(by_point[bar, 40e9] > by_point[bar, 0.0] for bar in (0.03, 0.04))
    assert (out / "response.pdf").read_bytes().startswith(b"%PDF")
    assert (out / "response.png").is_file()


def test_the_drivers_are_printed_with_the_share_of_luck(sweep):
    out, printed = sweep
    drivers = pd.read_csv(out / "drivers.csv").set_index("factor")
    assert len(drivers) == 4
    for factor, row in drivers.iterrows():
        (line,) = [line for line in printed.splitlines() if line.startswith(factor)]
        assert numbers_after(factor, line)[0] == pytest.approx(row["mu_star"], rel=0.01)
    centre = load_results(out / "drivers" / "centre").national
    noise = values(centre, "srdi_smes", "2024-12-31").to_numpy().var(ddof=1)
    saltelli = load_results(out / "drivers" / "sobol").national
    assert noise > 0
    share = float(re.search(r"simulation noise, share of the variance: ([\d.]+)", printed)[1])
    runs = values(saltelli, "srdi_smes", "2024-12-31").iloc[0].to_numpy().reshape(2, -1)
    assert share == pytest.approx(noise / runs[:, [0, -1]].var(ddof=1), abs=0.001)


# --- the notebook


def test_the_notebook_is_kept_without_what_it_printed():
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    nbformat.validate(notebook)
    assert all(
        cell.outputs == [] and cell.execution_count is None for cell in notebook.cells if cell.cell_type == "code"
    )
    assert NOTEBOOK.name in (EXAMPLES / "README.md").read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_notebook_runs_and_shows_what_the_results_hold(tmp_path):
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    first = notebook.cells[1]
    for said, small in (("scale=0.005", "scale=0.001"), ("replicates=4", "replicates=2")):
        assert said in first.source
        first.source = first.source.replace(said, small)
    client = nbclient.NotebookClient(
        notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": tmp_path}}
    )
    client.execute()
    shown = [cell.outputs for cell in notebook.cells if cell.cell_type == "code"]
    results = load_results(tmp_path / "results" / "first-look")
    streams = [output for outputs in shown for output in outputs if output.output_type == "stream"]
    errors = "".join(output.text for output in streams if output.name == "stderr")
    assert errors in ("", "compiling the model (once on this machine) …\n")
    texts = [
        "".join(
            output.get("text", "") + output.get("data", {}).get("text/plain", "")
            for output in outputs
            if output.get("name") != "stderr"
        )
        for outputs in shown
    ]
    assert texts[0].startswith("....<Results in results/first-look: 4 runs of baseline, no-policy, 2018Q4 to 2026Q4")
    medians = results.national.groupby(["scenario", "quarter"], observed=True)["srdi_smes"].median()
    assert f"{medians['baseline'].iloc[-1]:.1f}" in texts[1]
    assert "little giants (小巨人)" in texts[2]
    assert "digital_empowerment" in texts[3]
    table = values(results.national, "little_giants", "2026-12-31")
    effect = table["baseline"] - table["no-policy"]
    assert [float(line.split()[-1]) for line in texts[4].splitlines()[1:3]] == effect.tolist()
    assert [output.data.get("image/png") is not None for output in shown[5]] == [True]


# --- what the examples lean on


def test_a_design_of_values_is_that_of_a_file_which_holds_them(tmp_path):
    values = {"method": "grid", "factors": {"levers.sme_fund.intensity": {"values": [0.5, 1]}}}
    path = tmp_path / "fund.toml"
    path.write_text('method = "grid"\n[factors."levers.sme_fund.intensity"]\nvalues = [0.5, 1]', encoding="utf-8")
    before = copy.deepcopy(values)
    assert make_design(values, SweepFile, "here", "fund") == read_design(path, SweepFile)
    assert values == before
    with pytest.raises(InputError, match=r"here: a scenario name cannot begin with ''; set name ="):
        make_design(values, SweepFile, "here")
    unknown = {**values, "factors": {"levers.sme_fond.intensity": {"values": [1]}}}
    with pytest.raises(InputError, match=r"here: unknown factor .*did you mean 'levers.sme_fund.intensity'"):
        make_design(unknown, SweepFile, "here", "fund")


def test_options_that_are_not_given_are_those_of_the_command_line():
    @click.command()
    @ensemble_options()
    def command(ensemble):
        assert ensemble == EnsembleOptions()

    assert CliRunner().invoke(command, catch_exceptions=False).exit_code == 0


def test_regret_is_explained_where_it_is_printed(policies):
    found = compare(load_results(policies[0] / "ensemble"), metrics=["srdi_smes"])
    for regret in ((), found.metrics):
        console = Console(file=io.StringIO(), width=200)
        print_comparison(found, {}, regret, console)
        assert ("Regret" in console.file.getvalue()) == bool(regret)


# --- all of them


def test_every_example_is_listed_tested_and_short():
    listed = re.findall(r"^\| \[`([\w.]+)`\]", (EXAMPLES / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(listed) == [script.name for script in SCRIPTS]
    tested = Path(__file__).read_text(encoding="utf-8")
    for script in SCRIPTS:
        text = script.read_text(encoding="utf-8")
        assert f'"{script.name}"' in tested
        assert len(text.splitlines()) <= 120
        assert f"uv run python examples/{script.name}" in ast.get_docstring(ast.parse(text))
