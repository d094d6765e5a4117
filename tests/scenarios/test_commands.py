"""Commands in this process: what they print with and without --json, and how they end."""

from __future__ import annotations

import json

import pytest
from command_line import invoke, last

from scenarios import load_scenario
from scenarios.analysis.effects import GAIN
from scenarios.catalogue import catalogue_groups, catalogue_names
from scenarios.commands.options import warn_unused_run_settings
from scenarios.commands.run import effects
from scenarios.ensembles.request import EnsembleOptions
from sim.levers import Levers
from sim.shocks import Shocks

TINY = ("--scale", "0.001", "--until", "2019", "--workers", "1")


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """Baseline and no policy, two replicates of one year."""
    out = tmp_path_factory.mktemp("commands") / "results"
    invoke("run", "baseline", "no-policy", *TINY, "--replicates", "2", "--out", out)
    return out


#: Those of this package, and those that other packages publish.
COMMANDS = [
    *(
        "additionality",
        "bench",
        "brief",
        "calibrate",
        "cash",
        "check",
        "compare",
        "decompose",
        "effects",
        "equal-money",
        "evidence",
        "export",
        "facts",
        "incidence",
        "list",
        "new",
        "optimize",
        "report",
    ),
    *("rerun", "response", "run", "sensitivity", "show", "sweep", "target", "ui", "validate", "value"),
]


def test_every_command_is_listed():
    listed = invoke("--help").stdout.partition("Commands:")[2].splitlines()[1:]
    assert [line.split()[0] for line in listed if line.startswith("  ") and line[2] != " "] == COMMANDS


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_an_example(command):
    said = invoke(command, "--help").stdout
    assert "Example:" in said
    assert "--json" in said


def test_the_catalogue_is_listed_by_name():
    rows = last(invoke("list", "--json"))["scenarios"]
    assert [row["name"] for row in rows] == catalogue_names()
    assert {row["group"] for row in rows} == {group.name for group in catalogue_groups()}
    lines = invoke("list").stdout.splitlines()
    for group in catalogue_groups():
        at = next(number for number, line in enumerate(lines) if line.startswith(group.title))
        below = lines[at + 1 : at + 1 + len(group.scenarios)]
        assert [line.split()[0] for line in below] == list(group.scenarios)


@pytest.mark.parametrize(("what", "key", "names"), [("levers", "lever", Levers), ("shocks", "shock", Shocks)])
def test_levers_and_shocks_are_shown_whole(what, key, names):
    shown = invoke("show", what, "--json")
    assert {row[key] for row in last(shown)[what]} == set(names.model_fields)
    for name in names.model_fields:
        assert name in shown.stdout


def test_run_settings_of_later_scenarios_are_said_to_be_unused(capsys):
    first, same, other = (
        load_scenario("baseline", settings)
        for settings in ((), (), ("run.until=2026", "run.replicates=8", "run.scale=0.05"))
    )
    warn_unused_run_settings([first, same], EnsembleOptions())
    assert capsys.readouterr().err == ""
    warn_unused_run_settings([first, same, other], EnsembleOptions(scale=0.1))
    notes = capsys.readouterr().err.splitlines()
    assert notes == [
        f"note: run.{key} = {value} of baseline has no effect: run.{key} = {used} of baseline, "
        f"the first scenario, applies to all; --{key} sets another value for all"
        for key, value, used in (("until", 2026, 2030), ("replicates", 8, 4))
    ]


def test_the_command_notes_unused_run_settings(tmp_path):
    """The note comes before the runs, which are refused here."""
    (tmp_path / "short.toml").write_text('schema = 1\nname = "short"\nextends = "no-policy"\n[run]\nuntil = 2024\n')
    (tmp_path / "used").mkdir()
    (tmp_path / "used" / "mine.txt").write_text("")
    words = ("run", "baseline", tmp_path / "short.toml", "--out", tmp_path / "used")
    assert "note: run.until = 2024 of short has no effect: run.until = 2030" in invoke(*words, status=2).stderr


def test_what_is_shown_of_a_scenario_is_a_file_of_it(tmp_path):
    (tmp_path / "copy.toml").write_text(invoke("show", "clusters-300").stdout, encoding="utf-8")
    assert "'clusters-300' is valid" in invoke("check", tmp_path / "copy.toml").stdout
    assert load_scenario(tmp_path / "copy.toml").policy == load_scenario("clusters-300").policy


def test_rules_and_parameters_are_shown():
    assert "niche_share_min" in invoke("show", "rules").stdout
    assert "rd_size" in invoke("show", "parameters").stdout


def test_a_new_file_is_valid_and_never_replaced(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert last(invoke("new", "mine", "--json")) == {"file": "mine.toml"}
    assert last(invoke("check", "mine.toml", "--json")) == {"valid": ["mine"]}
    assert "mine.toml already exists" in invoke("new", "mine", status=2).stderr
    assert "cannot be written" in invoke("new", "mine", "--out", tmp_path / "none" / "mine.toml", status=2).stderr


def test_the_effect_of_a_lever_is_printed_and_given_as_json():
    printed = invoke("effects", "sme_fund", *TINY, "--replicates", "2")
    assert "sme_fund *" in printed.stdout
    assert "nan" not in printed.stdout.replace("finance", "")
    (row,) = last(invoke("effects", "sme_fund", *TINY, "--replicates", "2", "--json"))["levers"]
    assert (row["lever"], row["label"]) == ("sme_fund", "assumed")
    assert not row["moved"]
    assert "does not act within the run" in row["note"]


def test_levers_are_ranked_by_a_metric_that_exists():
    (said,) = {parameter.default for parameter in effects.params if parameter.name == "gain"}
    assert said == GAIN
    assert "did you mean 'little_giants'" in invoke("effects", "sme_fund", "--gain", "little_giant", status=2).stderr


def test_a_rerun_has_the_same_bits(results):
    again = last(invoke("rerun", results, "--workers", "1", "--json"))
    assert again["other"] == again["changed"] == []
    assert "national.parquet" in again["same"]


def test_a_rerun_that_differs_says_what_and_fails(results, tmp_path):
    manifest = results / "manifest.json"
    before = manifest.read_text(encoding="utf-8")
    values = json.loads(before)
    values["seed"] += 1
    values["model"] = "0" * 64
    values["versions"]["mesa"] = "0.1"
    manifest.write_text(json.dumps(values), encoding="utf-8")
    try:
        printed = invoke("rerun", results, "--workers", "1", "--out", tmp_path / "again", status=1).stdout
    finally:
        manifest.write_text(before, encoding="utf-8")
    assert "national.parquet: different" in printed
    assert "changed since: versions.mesa was" in printed
    assert "changed since: the model's code or data" in printed
    assert (tmp_path / "again" / "national.parquet").exists()


def test_a_comparison_is_printed_with_what_it_rests_on(results):
    printed = invoke("compare", results, "--metric", "little_giants")
    assert "no-policy" in printed.stdout
    assert "What differs rests on assumed strengths" in printed.stdout
    assert {(row["label"], row["studies"]) for row in last(invoke("compare", results, "--json"))["rows"]} == {
        ("assumed", "")
    }


def test_a_sweep_need_not_be_kept(tmp_path):
    design = tmp_path / "design.toml"
    design.write_text(
        'base = "baseline"\nmethod = "grid"\n[factors."levers.sme_fund.intensity"]\nvalues = [0.5, 1.0]\n'
    )
    printed = invoke("sweep", design, *TINY, "--replicates", "1")
    assert "Points of the design" in printed.stdout
    assert "Results in" not in printed.stdout


def test_what_no_command_foresaw_ends_with_one_sentence_and_debug_shows_where(monkeypatch):
    def broken():
        raise RuntimeError("the disk is on fire")

    monkeypatch.setattr("scenarios.catalogue.catalogue_names", broken)
    plain, debug = invoke("list", status=1), invoke("--debug", "list", status=1)
    assert "the disk is on fire" in plain.stderr
    assert "Traceback" not in plain.stderr
    assert "Traceback" in debug.stderr


@pytest.mark.parametrize(("error", "status"), [(KeyboardInterrupt, 130), (BrokenPipeError, 1)])
def test_interrupts_and_readers_that_leave_end_the_command_quietly(monkeypatch, error, status):
    def interrupted():
        raise error

    monkeypatch.setattr("scenarios.catalogue.catalogue_names", interrupted)
    assert "Traceback" not in invoke("list", status=status).output
