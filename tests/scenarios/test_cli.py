"""The command line as a user meets it: exit codes, one sentence, nothing left behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from command_line import needs_proc, srdi, start, wait_for, workers_of

from scenarios.catalogue import catalogue_names

SMALL = ["--scale", "0.001", "--until", "2020", "--replicates", "1"]


def test_help_loads_nothing_heavy():
    command = [sys.executable, "-X", "importtime", "-m", "scenarios.cli", "--help"]
    answer = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "srdi run baseline" in answer.stdout
    loaded = {line.rpartition("|")[2].strip() for line in answer.stderr.splitlines()}
    assert "click" in loaded
    assert loaded & {"mesa", "numba", "numpy", "pandas", "pyarrow", "pydantic", "rich", "scipy", "solara"} == set()


def test_run_keeps_results_and_ends_with_one_line_of_json(tmp_path):
    answer = srdi("run", "baseline", "no-policy", *SMALL, "--out", tmp_path / "first", "--json", anew=True)
    assert answer.returncode == 0, answer.stderr
    last = json.loads(answer.stdout.splitlines()[-1])
    assert last["scenarios"] == ["baseline", "no-policy"]
    assert last["runs"] == 2
    assert last["firms"] > 5000
    assert (tmp_path / "first" / "manifest.json").exists()
    assert "Reported" in answer.stderr


def test_run_prints_reported_against_simulated_and_the_ladder():
    answer = srdi("run", *SMALL)
    assert answer.returncode == 0, answer.stderr
    assert "Little giants granted, 2020" in answer.stdout
    assert "given: set from outside (the pilot" in " ".join(answer.stdout.split())
    assert "End of" in answer.stdout
    assert max(map(len, answer.stdout.splitlines())) <= 100


def test_settings_and_parameter_files_reach_the_model(tmp_path):
    parameters = tmp_path / "p.toml"
    parameters.write_text("exit_base = 0.0\n")
    arguments = ["run", *SMALL, "--params", parameters, "--set", "rules.srdi.capacity=0", "--out", tmp_path / "r"]
    assert srdi(*arguments).returncode == 0
    from scenarios import load_results

    national = load_results(tmp_path / "r").national
    assert national["deaths"].sum() == 0
    assert national["srdi_smes"].max() <= 2000  # only the pilot batches' own


BAD_CALLS = [
    (["run", "basline"], "did you mean 'baseline'"),
    (["run", "baseline", "baseline"], "given 2 times"),
    (["run", "--scale", "-1"], "run.scale is -1.0"),
    (["run", "--scale", "two"], "'two' is not a valid float"),
    (["run", "--until", "2017"], "run.until is 2017"),
    (["run", "--until", "2022", "--set", "levers.digital_empowerment.start=2024Q1"], "run.until is 2022"),
    (["run", "--replicates", "0"], "run.replicates is 0"),
    (["run", "--workers", "0"], "0 is not in the range"),
    (["run", "--set", "levers.digital_empowermnt.firms=3"], "did you mean 'digital_empowerment'"),
    (["run", "--params", "nowhere.toml"], "nowhere.toml does not exist"),
    (["run", "--out", "/proc/srdi-cannot-write-here"], "cannot be written"),
    (["run", "half.toml"], "is not valid TOML"),
    (["check", "half.toml"], "is not valid TOML"),
    (["check"], "Missing argument"),
    (["show", "leverss"], "unknown scenario 'leverss'"),
    (["new", "Bad Name"], "is not a scenario name"),
    (["export", "nowhere", "--format", "csv"], "is not a directory"),
    (["run", "--params", "posteriour"], "--params is 'posteriour'; did you mean 'posterior'?"),
    (
        ["run", "--params", "x" * 5000],
        "(allowed: default, posterior, evidence, median, or the path of a .toml or .parquet file)",
    ),
    (["run", "--set", "sme_fund.enabled=true"], "did you mean 'levers.sme_fund'?"),
    (["run", "--set", "levers.sme_fund.start=2024"], 'start is 2024: it must be a quarter, such as "2024Q1"'),
    (["run", "--set", "levers.sme_fund.start=2024-01-01"], "start is 2024-01-01: it must be a quarter"),
    (["runn"], "No such command 'runn'; did you mean 'run'?"),
    (["run", "--colour"], "No such option"),
]


@pytest.mark.parametrize(("arguments", "words"), BAD_CALLS)
def test_bad_input_ends_with_two_one_sentence_and_nothing_left_behind(arguments, words, tmp_path):
    (tmp_path / "half.toml").write_text('schema = 1\nname = "half"\n[levers.')
    answer = srdi(*arguments, cwd=tmp_path)
    assert answer.returncode == 2, answer.stderr
    assert words in answer.stderr
    assert answer.stderr.startswith("srdi: ")
    assert len(answer.stderr.strip().splitlines()) == 1
    assert answer.stdout == ""
    assert [file.name for file in tmp_path.iterdir()] == ["half.toml"]


@pytest.mark.parametrize("arguments", [("--debug", "run", "basline"), ("run", "basline", "--debug")])
def test_debug_shows_the_traceback(arguments):
    answer = srdi(*arguments)
    assert answer.returncode == 2
    assert "did you mean 'baseline'" in answer.stderr
    assert "Traceback" in answer.stderr


def test_what_is_set_on_a_lever_that_stays_off_is_said_to_have_no_effect(tmp_path):
    head = 'schema = 1\nname = "fund"\nextends = "baseline"\n[levers.sme_fund]\nbudget_yuan = 15e9\n'
    (tmp_path / "off.toml").write_text(head)
    (tmp_path / "on.toml").write_text(head + "enabled = true\n")
    said = "note: levers.sme_fund.budget_yuan has no effect: levers.sme_fund.enabled is false"
    off, on = (srdi("check", tmp_path / f"{name}.toml") for name in ("off", "on"))
    assert (off.returncode, off.stderr.count(said)) == (0, 1)
    assert (on.returncode, on.stderr) == (0, "")
    assert srdi("check", "--json", *catalogue_names()).stderr == ""
    small = ("--scale", "0.0005", "--until", "2019", "--replicates", "1", "--workers", "1")
    setting = ("--set", "levers.sme_fund.budget_yuan=15e9")
    assert said in srdi("run", "baseline", *setting, *small).stderr
    assert "no effect" not in srdi("run", "baseline", "sme-fund", *setting, *small).stderr


def test_export_writes_beside_the_results(tmp_path):
    assert srdi("run", *SMALL, "--out", tmp_path / "r").returncode == 0
    answer = srdi("export", tmp_path / "r", "--format", "csv")
    assert answer.returncode == 0
    assert (tmp_path / "r-csv" / "national.csv").exists()


@pytest.mark.parametrize("readme", ["README.md", "README.zh-CN.md"])
def test_the_readme_and_the_pipeline_promise_the_same_commands(readme):
    root = Path(__file__).parents[2]
    text = (root / readme).read_text(encoding="utf-8")
    pipeline = (root / ".ci" / "run").read_text(encoding="utf-8")
    # An environment of its own: Debian and Ubuntu let pip install into none of theirs.
    for command in ("uv run srdi run baseline", "uv run --extra test pytest"):
        assert f"\npython3 -m venv .venv && .venv/bin/pip install uv && .venv/bin/{command}\n" in text
    assert 'run_as_a_reader "$run_command"' in pipeline
    assert 'run_as_a_reader "$test_command"' in pipeline
    assert "constraints.txt" in pipeline


MANY = ["--scale", "0.002", "--until", "2021", "--replicates", "12", "--workers", "2"]


def test_an_interrupt_ends_at_once_and_keeps_finished_runs(tmp_path):
    process = start("run", *MANY, "--out", tmp_path / "r")
    wait_for(lambda: (tmp_path / "r" / "runs").exists() and list((tmp_path / "r" / "runs").glob("0*")))
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=20)
    assert process.returncode == 130
    assert "finished runs are kept in" in errors
    assert "Traceback" not in errors
    assert list((tmp_path / "r" / "runs").glob("0*"))
    assert not list((tmp_path / "r" / "runs").glob(".*"))


@needs_proc
@pytest.mark.parametrize("delay", [0.0, 0.15, 0.6])
def test_an_interrupt_while_workers_start_shows_no_traceback(tmp_path, delay):
    process = start("run", *MANY, "--out", tmp_path / "r")
    wait_for(lambda: (tmp_path / "r" / "runs").exists() and workers_of(process))
    time.sleep(delay)
    os.killpg(process.pid, signal.SIGINT)
    try:
        _, errors = process.communicate(timeout=5)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGINT)  # Python loses an interrupt that meets an import's own callback
        _, errors = process.communicate(timeout=20)
    # Python may end itself by the signal instead, which a shell reports as 130 too.
    assert process.returncode in (130, -signal.SIGINT)
    assert "spawn_main" not in errors
    assert "srdi: interrupted" in errors.splitlines()
    assert not (tmp_path / "r").exists()


@needs_proc
def test_a_worker_that_dies_costs_a_retry_and_not_a_run(tmp_path):
    process = start("run", *MANY, "--out", tmp_path / "killed")
    wait_for(lambda: (tmp_path / "killed" / "runs").exists() and list((tmp_path / "killed" / "runs").glob("0*")))
    os.kill(workers_of(process)[0], signal.SIGKILL)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    assert srdi("run", *MANY[:-1], "1", "--out", tmp_path / "calm").returncode == 0
    for table in ("national", "province", "chain"):
        killed, calm = ((tmp_path / name / f"{table}.parquet").read_bytes() for name in ("killed", "calm"))
        assert killed == calm
