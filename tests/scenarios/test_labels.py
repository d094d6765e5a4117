"""What numbers rest on: measured, fitted, evidence or assumed, in draws, results and on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from evidence_draws import STUDY, evidence_folder, use_package

from scenarios import InputError, Results, load_results, load_scenario, run_ensemble
from scenarios.cli import main
from scenarios.ensembles.parameter_draws import read_parameter_draws, values_table
from scenarios.files.labels import (
    MEASURED,
    WORDS,
    Label,
    change_label,
    default_label,
    level_label,
    lever_labels,
    parameter_labels,
    study_name,
    weakest,
)
from scenarios.files.strengths import lever_strengths
from scenarios.records.storage import write_parquet
from sim.levers import Levers
from sim.parameters import parameter_table


def evidence_file(folder, labels=None):
    """Draws of a strength and of a fitted parameter, labelled as ``srdi evidence`` does."""
    names = ("match_sales", "match_linking", "rd_trend")
    labels = {"match_sales": STUDY, "match_linking": STUDY, "rd_trend": Label("fitted")} if labels is None else labels
    path = folder / "evidence_posterior.parquet"
    write_parquet(values_table(names, np.array([[0.01, 1.0, 0.4], [0.04, 2.0, 0.45]]), labels), path)
    return path


def test_a_number_made_of_several_takes_the_weakest_word_and_its_studies():
    assert weakest([Label("measured"), STUDY, Label("fitted")]) == STUDY
    assert weakest([STUDY, Label("assumed")]) == Label("assumed")
    assert weakest([STUDY, Label("evidence", ("a_2020", "cai_szeidl_2018"))]).studies == ("cai_szeidl_2018", "a_2020")
    assert weakest([]) == Label("assumed")
    assert str(STUDY) == "evidence (Cai Szeidl 2018)"
    assert study_name("cornet_2006_additional") == "Cornet 2006"
    assert study_name("lach") == "Lach"


def test_a_label_in_a_table_names_two_studies_and_counts_the_others():
    label = Label("evidence", ("a_2020_short", "a_2020_long", "b_2021", "c_2022", "d_2023"))
    assert label.names == ["A 2020", "B 2021", "C 2022", "D 2023"]
    assert label.short() == "evidence (A 2020, B 2021 and 2 more)"
    assert Label("fitted").short() == "fitted"


def scenario(**tables) -> dict:
    """A scenario as in a manifest."""
    return {"levers": {"fund": {"enabled": False, "size": 1}, "sales": {"enabled": True, "size": 1}}, **tables}


def test_a_difference_rests_on_the_weakest_of_what_differs():
    levers = {"fund": Label("assumed"), "sales": STUDY}
    larger = {"levers": {"fund": {"enabled": False, "size": 2}, "sales": {"enabled": True, "size": 2}}}
    assert change_label(scenario(), scenario() | larger, levers) == STUDY  # the fund is off in both
    on = {"levers": {"fund": {"enabled": True, "size": 1}, "sales": {"enabled": True, "size": 2}}}
    assert change_label(scenario(), scenario() | on, levers) == Label("assumed")
    assert change_label(scenario(), scenario(rules={"pass": 1}), levers) == Label("fitted")
    assert change_label(scenario(), scenario(rules={"pass": 1}) | larger, levers) == STUDY
    assert change_label(scenario(), scenario(shocks={"slump": 1}), levers) == Label("assumed")


def test_labels_of_defaults_follow_what_the_parameter_file_says():
    table = parameter_table()
    for name in MEASURED:
        assert not table[name].source.startswith(("assumed", "hand-set", "fitted")), name
        assert default_label(table[name]) == Label("measured")
    assert default_label(table["rd_trend"]) == Label("fitted")
    assert default_label(table["match_sales"]) == Label("assumed")


def test_every_lever_has_strengths_that_are_parameters_or_is_a_rule():
    strengths = lever_strengths()
    assert list(strengths) == list(Levers.model_fields)
    assert {name for names in strengths.values() for name in names} <= set(parameter_table())
    assert [lever for lever, names in strengths.items() if not names] == ["sme_fund", "county_preference"]
    assert strengths["matchmaking_sales"] == ("match_linking", "match_sales")


def test_a_lever_is_evidence_only_if_all_its_strengths_are():
    both = {"match_linking": STUDY, "match_sales": STUDY}
    assert lever_labels(both)["matchmaking_sales"] == STUDY
    assert lever_labels({"match_sales": STUDY})["matchmaking_sales"] == Label("assumed")
    assert parameter_labels(both)["match_sales"] == STUDY
    assert {label.word for label in parameter_labels({}).values()} <= set(WORDS)


# ---------------------------------------------------------------- draws


def test_labels_travel_with_the_file_of_draws(tmp_path):
    draws = read_parameter_draws(str(evidence_file(tmp_path)))
    assert draws.labels == {"match_sales": STUDY, "match_linking": STUDY, "rd_trend": Label("fitted")}
    pd.DataFrame({"match_sales": [0.01]}).to_parquet(tmp_path / "own.parquet")
    assert read_parameter_draws(str(tmp_path / "own.parquet")).labels == {"match_sales": Label("assumed")}
    assert set(read_parameter_draws("posterior").labels.values()) == {Label("fitted")}
    odd = evidence_file(tmp_path, {"match_sales": Label("certain")})
    assert read_parameter_draws(str(odd)).labels["match_sales"] == Label("assumed")


@pytest.fixture
def packaged(tmp_path, monkeypatch):
    """A package whose evidence draws are made up."""
    use_package(evidence_folder(tmp_path / "package"), monkeypatch)


def test_evidence_is_a_name_of_draws_for_run_and_effects(packaged, tmp_path):
    small = ["--params", "evidence", "--replicates", "2", "--scale", "0.0005", "--until", "2019", "--workers", "1"]
    out = tmp_path / "out"
    answer = CliRunner().invoke(main, ["run", *small, "--out", str(out)])
    assert answer.exit_code == 0, answer.output
    manifest = load_results(out).manifest
    assert manifest["parameter_draws"]["source"] == "evidence"
    assert manifest["labels"]["parameters"]["match_sales"] == "evidence (Cai Szeidl 2018)"
    assert manifest["labels"]["levers"]["matchmaking_sales"] == "evidence (Cai Szeidl 2018)"
    assert manifest["labels"]["levers"]["joint_branding"] == "assumed"
    kept = pq.read_schema(out / "parameter_draws.parquet").field("match_sales").metadata
    assert kept[b"label"] == b"evidence"
    answer = CliRunner().invoke(main, ["effects", "matchmaking_sales", *small])
    assert answer.exit_code == 0, answer.output


def test_without_packaged_draws_the_message_says_how_to_make_them(tmp_path, monkeypatch):
    use_package(tmp_path, monkeypatch)
    with pytest.raises(InputError, match=r"make them with srdi evidence and give evidence_posterior\.parquet to"):
        read_parameter_draws("evidence")
    answer = CliRunner().invoke(main, ["run", "--params", "evidenc"])
    assert answer.exit_code == 2
    assert "did you mean 'evidence'? (allowed: default, posterior, evidence, median, or the path" in answer.stderr


def test_a_value_of_the_user_is_assumed(tmp_path):
    scenario = load_scenario("baseline", ("parameters.rd_trend=0.3",))
    draws = read_parameter_draws(str(evidence_file(tmp_path)))
    small = {"replicates": 1, "scale": 0.0005, "until": 2019, "workers": 1}
    labels = run_ensemble([scenario], out=tmp_path / "out", draws=draws, **small).manifest["labels"]
    assert labels["parameters"]["rd_trend"] == "assumed"
    assert labels["parameters"]["giant_bar"] == "fitted"
    plain = run_ensemble([load_scenario("baseline")], out=tmp_path / "plain", **small).manifest["labels"]
    assert plain["parameters"]["match_sales"] == "assumed"


def test_the_command_line_shows_labels(packaged):
    shown = CliRunner().invoke(main, ["show", "levers", "--json"])
    assert "Strength: evidence (Cai Szeidl 2018)." in shown.output
    levers = {row["lever"]: row["label"] for row in json.loads(shown.stdout.splitlines()[-1])["levers"]}
    assert levers["matchmaking_sales"] == "evidence (Cai Szeidl 2018)"
    assert levers["joint_branding"] == "assumed"
    shown = CliRunner().invoke(main, ["show", "parameters", "--json"])
    rows = {row["key"]: row["label"] for row in json.loads(shown.stdout.splitlines()[-1])["parameters"]}
    assert rows["parameters.rd_trend"] == "fitted"
    assert rows["parameters.tax_relief"] == "measured"
    assert ", assumed)" in shown.output


def test_the_numbers_of_a_run_rest_on_the_fit_and_on_what_differs_from_its_policy():
    names = ("baseline", "sme-fund", "strict-review", "demand-slump")
    reported, fund, review, slump = (load_scenario(name).model_dump(by_alias=True, mode="json") for name in names)
    levers = lever_labels({})
    assert level_label(reported, reported, levers) == Label("fitted")
    assert level_label(reported, fund, levers | {"sme_fund": Label("measured")}) == Label("fitted")
    assert level_label(reported, fund, levers | {"sme_fund": STUDY}).word == "evidence"
    assert level_label(reported, review, levers) == Label("fitted")  # a rule
    assert level_label(reported, slump, levers) == Label("assumed")


@pytest.mark.parametrize(
    ("drawn", "word"),
    [
        ({}, "fitted"),
        ({"rd_trend": Label("fitted"), "match_sales": STUDY}, "fitted"),
        ({"match_sales": STUDY, "match_linking": Label("assumed")}, "fitted"),  # medians of strengths
        ({"rd_trend": Label("assumed")}, "assumed"),  # a file of the user
    ],
)
def test_draws_that_rest_on_nothing_make_the_numbers_of_a_run_assumed(drawn, word):
    results = Results(
        Path("made-up"), {"scenarios": [load_scenario("baseline").model_dump(by_alias=True, mode="json")]}
    )
    results.drawn_labels = drawn
    assert results.level_label("baseline").word == word
