"""Which parameter draws are used where none are named, and what is said of them."""

from __future__ import annotations

import click
import numpy as np
import pytest
from click.testing import CliRunner
from command_line import invoke, last
from evidence_draws import STRENGTHS, STUDY, change_summary, evidence_folder, use_package

from scenarios import load_results
from scenarios.commands.options import ensemble_options
from scenarios.ensembles.default_draws import default_draws, default_labels
from scenarios.ensembles.parameter_draws import EVIDENCE, PACKAGED, read_parameter_draws, values_table
from scenarios.files.labels import Label
from scenarios.records.storage import checksum, write_parquet
from sim.parameters import parameter_table

TINY = ("--replicates", "2", "--scale", "0.0005", "--until", "2019", "--workers", "1")


@pytest.fixture
def package(tmp_path, monkeypatch):
    """The folder of a package that has draws from evidence."""
    folder = evidence_folder(tmp_path / "package")
    use_package(folder, monkeypatch)
    return folder


def test_draws_with_evidence_are_the_default_once_the_package_has_them(package):
    choice = default_draws()
    assert (choice.name, choice.central, choice.note) == ("evidence", "median", "")
    assert default_labels()["match_sales"] == STUDY


def test_without_them_the_fit_alone_is_the_default_and_it_is_said(tmp_path, monkeypatch):
    use_package(tmp_path, monkeypatch)
    choice = default_draws()
    assert (choice.name, choice.central) == ("posterior", "default")
    assert "the package has no draws with published evidence" in choice.note
    assert set(default_labels().values()) == {Label("fitted")}


def other_fit(folder):
    """Draws that go with a fit of which one number differs."""
    draws = read_parameter_draws(EVIDENCE)
    values = draws.values.copy()
    values[0, 0] = np.nextafter(values[0, 0], 1.0)
    path = folder / PACKAGED[EVIDENCE]
    write_parquet(values_table(draws.names, values, draws.labels), path)
    change_summary(folder, draws={"checksum": checksum(path)})


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (other_fit, "the packaged draws with evidence belong to another fit"),
        (lambda folder: change_summary(folder, draws={"checksum": "0" * 64}), "belong to another fit"),
        (lambda folder: change_summary(folder, model="0" * 64), "the model has changed since"),
        (lambda folder: (folder / "evidence.json").write_text("{"), "evidence.json is damaged"),
        (lambda folder: (folder / "evidence.json").unlink(), "the package has no draws with published evidence"),
    ],
)
def test_draws_of_another_fit_or_model_are_not_the_default(package, spoil, words):
    spoil(package)
    choice = default_draws()
    assert choice.name == "posterior"
    assert words in choice.note


def test_commands_that_show_doubt_take_them_and_others_do_not(package):
    taken = {}

    def command(doubt):
        @click.command()
        @ensemble_options(doubt=doubt)
        def inner(ensemble):
            taken[doubt] = ensemble.params

        return inner

    for doubt in (True, False):
        assert CliRunner().invoke(command(doubt), catch_exceptions=False).stderr == ""
    assert taken == {True: "evidence", False: "default"}
    CliRunner().invoke(command(True), ["--params", "posterior"], catch_exceptions=False)
    assert taken[True] == "posterior"


def test_effects_say_when_they_fall_back(package):
    change_summary(package, model="0" * 64)
    said = invoke("effects", "matchmaking_sales", *TINY).stderr
    assert said.startswith("note: parameter draws are those of the fit alone (--params posterior)")
    assert said.count("note:") == 1


def test_a_plain_run_stays_that_of_the_defaults(package, tmp_path):
    invoke("run", *TINY, "--out", tmp_path / "plain")
    assert load_results(tmp_path / "plain").manifest["parameter_draws"] is None


def test_the_median_has_the_middle_of_every_strength_and_leaves_the_fit_alone(package, tmp_path):
    draws, middle = read_parameter_draws("evidence"), read_parameter_draws("median")
    assert draws.strengths == middle.names == tuple(STRENGTHS)
    column = draws.names.index("match_sales")
    assert middle.parameters(1)["match_sales"] == np.median(draws.values[:, column])
    assert middle.labels == STRENGTHS
    invoke("run", *TINY, "--params", "median", "--out", tmp_path / "out")
    manifest = load_results(tmp_path / "out").manifest
    assert manifest["parameter_draws"]["source"] == "median"
    assert manifest["draws"] == 1
    assert manifest["labels"]["parameters"]["match_sales"] == "evidence (Cai Szeidl 2018)"
    assert "rd_trend" not in middle.names
    assert manifest["parameters"]["rd_trend"] == parameter_table()["rd_trend"].value


def test_crossed_draws_have_the_strengths_of_one_and_the_fit_of_the_next(package):
    draws = read_parameter_draws("evidence")
    crossed = draws.cross(4)
    fitted = [name for name in draws.names if name not in STRENGTHS]
    np.testing.assert_array_equal(crossed.columns(STRENGTHS), draws.columns(STRENGTHS)[:4])
    np.testing.assert_array_equal(crossed.columns(fitted), draws.columns(fitted)[[1, 0, 2, 3]])
    assert crossed.identity == draws.identity | {"crossed": 4}


def test_effects_run_as_documented_with_evidence_by_default(package, tmp_path):
    small = ("--replicates", "4", "--scale", "0.001", "--until", "2025", "--workers", "1")
    names = ("matchmaking_sales", "joint_branding", "rules.audit_strictness")
    printed = invoke("effects", *names, *small, "--out", tmp_path / "out", "--json")
    found = last(printed)
    sales, branding, rule = found["levers"]
    assert (sales["label"], sales["studies"]) == ("evidence", "Cai Szeidl 2018")
    assert (branding["label"], rule["label"]) == ("assumed", "fitted")
    for row in found["levers"]:
        shares = [row[f"{part}_share"] for part in ("strength", "fitted", "luck")]
        assert sum(shares) == pytest.approx(1.0)
        assert row["low"] <= row["luck_low"] <= row["effect"] <= row["luck_high"] <= row["high"]
        assert row["p05"] < row["p95"]
    rows = found["information"]["rows"]
    assert {(row["parameter"], row["lever"]) for row in rows} == {
        ("match_sales", "matchmaking_sales"),
        ("match_linking", "matchmaking_sales"),
        ("branding_sales", "joint_branding"),
    }
    assert "Where the doubt about each effect comes from" in printed.stderr
    assert "Whose doubt moves the ranking of levers" in printed.stderr
    assert (tmp_path / "out" / "tornado.svg").stat().st_size > 1000
    # The pairs themselves are an ensemble like any other.
    assert load_results(tmp_path / "out").manifest["parameter_draws"]["source"] == "evidence"
    again = last(invoke("effects", *names, *small, "--out", tmp_path / "out", "--resume", "--json"))
    assert again == found
