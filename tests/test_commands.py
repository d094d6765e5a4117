"""Commands in this process: what they print with and without --json, and how they end."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from scenarios.catalogue import catalogue_names
from scenarios.cli import main
from sim.levers import Levers
from sim.shocks import Shocks

TINY = ("--scale", "0.001", "--until", "2019", "--workers", "1")


def srdi(*arguments, status=0):
    """What a command printed; `status` is how it must end."""
    done = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert done.exit_code == status, done.output
    return done


def last(done) -> dict:
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """Baseline and no policy, two replicates of one year."""
    out = tmp_path_factory.mktemp("commands") / "results"
    srdi("run", "baseline", "no-policy", *TINY, "--replicates", "2", "--out", out)
    return out


def test_the_catalogue_is_listed_by_name():
    printed = srdi("list", "--json")
    assert {row["name"] for row in last(printed)["scenarios"]} == set(catalogue_names())
    assert len(srdi("list").stdout.splitlines()) == len(catalogue_names())


@pytest.mark.parametrize(("what", "key", "names"), [("levers", "lever", Levers), ("shocks", "shock", Shocks)])
def test_levers_and_shocks_are_shown_whole(what, key, names):
    shown = srdi("show", what, "--json")
    assert {row[key] for row in last(shown)[what]} == set(names.model_fields)
    for name in names.model_fields:
        assert name in shown.stdout


def test_a_new_file_is_valid_and_never_replaced(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert last(srdi("new", "mine", "--json")) == {"file": "mine.toml"}
    assert last(srdi("check", "mine.toml", "--json")) == {"valid": ["mine"]}
    assert "mine.toml already exists" in srdi("new", "mine", status=2).stderr
    assert "cannot be written" in srdi("new", "mine", "--out", tmp_path / "none" / "mine.toml", status=2).stderr


def test_the_effect_of_a_lever_is_printed_and_given_as_json():
    printed = srdi("effects", "sme_fund", *TINY, "--replicates", "2")
    assert "sme_fund *" in printed.stdout
    assert "nan" not in printed.stdout.replace("finance", "")
    (row,) = last(srdi("effects", "sme_fund", *TINY, "--replicates", "2", "--json"))["levers"]
    assert row["lever"] == "sme_fund"
    assert not row["moved"]
    assert "does not act within the run" in row["note"]


def test_a_rerun_has_the_same_bits(results):
    again = last(srdi("rerun", results, "--workers", "1", "--json"))
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
        printed = srdi("rerun", results, "--workers", "1", "--out", tmp_path / "again", status=1).stdout
    finally:
        manifest.write_text(before, encoding="utf-8")
    assert "national.parquet: other bits" in printed
    assert "changed since: versions.mesa was" in printed
    assert "changed since: the model's code or data" in printed
    assert (tmp_path / "again" / "national.parquet").exists()


def test_a_comparison_is_printed(results):
    printed = srdi("compare", results, "--metric", "little_giants")
    assert "no-policy" in printed.stdout
    assert last(srdi("compare", results, "--json"))


def test_a_sweep_need_not_be_kept(tmp_path):
    design = tmp_path / "design.toml"
    design.write_text(
        'base = "baseline"\nmethod = "grid"\n[factors."levers.sme_fund.intensity"]\nvalues = [0.5, 1.0]\n'
    )
    printed = srdi("sweep", design, *TINY, "--replicates", "1")
    assert "Points of the design" in printed.stdout
    assert "Results in" not in printed.stdout


def test_what_no_command_foresaw_ends_with_one_sentence_and_debug_shows_where(monkeypatch):
    def broken():
        raise RuntimeError("the disk is on fire")

    monkeypatch.setattr("scenarios.catalogue.catalogue_names", broken)
    plain, debug = srdi("list", status=1), srdi("--debug", "list", status=1)
    assert "the disk is on fire" in plain.stderr
    assert "Traceback" not in plain.stderr
    assert "Traceback" in debug.stderr


@pytest.mark.parametrize(("error", "status"), [(KeyboardInterrupt, 130), (BrokenPipeError, 1)])
def test_interrupts_and_readers_that_leave_end_the_command_quietly(monkeypatch, error, status):
    def interrupted():
        raise error

    monkeypatch.setattr("scenarios.catalogue.catalogue_names", interrupted)
    assert "Traceback" not in srdi("list", status=status).output
