"""``srdi evidence`` as a user meets it."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner
from evidence_files import changed_row, own_file, whole_file

from calibration.commands import evidence
from calibration.evidence.rows import read_evidence
from calibration.reporting.cells import evidence as evidence_table
from calibration.reporting.cells import met_in_words, strengths
from calibration.reporting.forest import forest
from scenarios.cli import main
from scenarios.ensembles.parameter_draws import read_parameter_draws

SMALL = ["--scale", "0.002", "--baselines", "3", "--workers", "1"]
#: Keys of a row that scripts rely on.
KEYS = {"lever", "parameter", "study", "published", "low", "high", "model", "model_low", "model_high", "inside"}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """The command with a file of two rows: its answer, its folder."""
    folder = tmp_path_factory.mktemp("command")
    far = changed_row(id='"far_2020"', study='"far_2020"', horizon_years="20")
    (folder / "mine.toml").write_text(whole_file(changed_row(horizon_years="0.25"), far))
    words = ["--evidence", str(folder / "mine.toml"), "--out", str(folder / "out"), *SMALL, "--json"]
    return CliRunner().invoke(evidence, words, catch_exceptions=False), folder


def test_it_prints_writes_and_answers_in_json(run):
    answer, folder = run
    assert answer.exit_code == 0
    last = json.loads(answer.stdout.splitlines()[-1])
    assert [row["id"] for row in last["rows"]] == ["mine_2020", "far_2020"]
    assert all(set(row) >= KEYS for row in last["rows"])
    assert "joint_branding" in last["none_found"]
    assert last["draws"] == str(folder / "out" / "evidence_posterior.parquet")
    assert len(read_parameter_draws(last["draws"])) == 1000
    assert "Mine 2020" in answer.stderr
    assert "Strengths from studies alone would move a reported figure of the baseline by up to" in answer.stderr
    assert "Study and model meet for 1 of 1 fitted estimates." in answer.stderr
    assert "Not compared: 1 rows; evidence.json has the reason for each." in answer.stderr
    names = {path.name for path in (folder / "out").iterdir() if not path.name.startswith(("pairs-", "baseline-", "."))}
    assert names == {"evidence.json", "evidence_posterior.parquet", "forest.png", "forest.svg"}


def test_the_draws_go_into_a_run(run, tmp_path):
    _, folder = run
    draws = str(folder / "out" / "evidence_posterior.parquet")
    words = ["run", "--params", draws, "--replicates", "2", "--scale", "0.0005", "--until", "2019"]
    assert CliRunner().invoke(main, [*words, "--workers", "1"]).exit_code == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--evidence", "none.toml"], "none.toml does not exist"),
        (["--scale", "11"], "run.scale is 11"),
        (
            ["--evidence", "late.toml"],
            "late.toml: evidence 'mine_2020': published is 2024-05-01; allowed are dates up to",
        ),
    ],
)
def test_bad_input_ends_with_one_sentence_and_leaves_nothing(words, said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "late.toml").write_text(own_file(changed_row(published="2024-05-01")))
    main.add_command(evidence)
    answer = CliRunner().invoke(main, ["evidence", *words])
    assert answer.exit_code == 2, answer.output
    assert said in answer.stderr
    assert "Traceback" not in answer.output
    assert [path.name for path in tmp_path.iterdir()] == ["late.toml"]


def test_an_interrupt_keeps_the_finished_runs_and_says_so(tmp_path, monkeypatch):
    (tmp_path / "mine.toml").write_text(whole_file(changed_row(horizon_years="0.25")))
    done = []

    def run_experiment(trial, rows, parameters, scale, seed):
        import numpy as np

        if len(done) == 3:
            raise KeyboardInterrupt
        done.append(parameters)
        return np.array([0.01, 0.001])

    monkeypatch.setattr("calibration.evidence.effects.run_experiment", run_experiment)
    main.add_command(evidence)
    out = tmp_path / "out"
    answer = CliRunner().invoke(
        main, ["evidence", "--evidence", str(tmp_path / "mine.toml"), "--out", str(out), *SMALL]
    )
    assert answer.exit_code == 130, answer.output
    assert f"finished runs are kept in {out}; the same command resumes from there" in answer.stderr
    (library,) = out.glob("pairs-*.jsonl")
    assert len(library.read_text().splitlines()) == 4, "its head and three runs"


def test_tables_show_signs_units_and_what_strengths_rest_on():
    made = {"lever": "matchmaking_sales", "study": "mine_2020", "outcome": "log_revenue", "horizon_years": 1.0}
    numbers = {"published": 0.05, "low": 0.01, "high": 0.09, "model": 0.02, "model_low": 0.01, "model_high": 0.03}
    rows = [
        made | numbers | {"use": "fit", "fitted": True, "sign": None, "inside": True, "compared": True},
        made | numbers | {"use": "sign", "fitted": False, "sign": 0, "inside": False, "compared": True},
        made | numbers | {"use": "sign", "fitted": False, "sign": 1, "inside": None, "compared": False},
    ]
    table = evidence_table(rows).rows
    assert [row[4] for row in table] == ["fitted", "compared"]
    assert table[0][5] == "+0.0500 (+0.0100 to +0.0900)"
    assert table[1][5] == "none"
    assert [row[7] for row in table] == ["yes", "no"]
    drawn = {"parameter": "match_sales", "unit": "log", "default": 0.01, "low": 0.01, "median": 0.02, "high": 0.04}
    shown = strengths([drawn | {"label": "evidence", "studies": ["cai_szeidl_2018"]}]).rows
    assert shown[0][-1] == "evidence (Cai Szeidl 2018)"
    counts = {"fit": {"inside": 3, "of": 4}, "check": {"inside": 0, "of": 0}}
    assert met_in_words(counts) == ["Study and model meet for 3 of 4 fitted estimates."]


def test_the_forest_has_a_row_per_estimate_and_shades_those_that_miss():
    def row(lever, published, inside, compared=True):
        model = {"model": 0.1, "model_low": 0.05, "model_high": 0.15}
        named = {"lever": lever, "study": "mine_2020", "outcome": "log_revenue", "horizon_years": 1.0}
        low = None if published is None else published - 0.1
        high = None if published is None else published + 0.1
        return (
            named | model | {"published": published, "low": low, "high": high, "inside": inside, "compared": compared}
        )

    rows = [
        row("a", 0.1, True),
        row("b", 2.0, False),
        row("c", None, True),
        row("d", 1e6, True),
        row("e", 0.1, None, False),
    ]
    axis = forest(rows).axes[0]
    assert [label.get_text() for label in axis.get_yticklabels()] == [
        "b: Mine 2020, log revenue, year 1",
        "a: Mine 2020, log revenue, year 1",
    ]
    assert len(axis.patches) == 1, "one of the two misses"
    assert forest([]).axes, "a file of signs alone has an empty plot"


def test_the_packaged_file_is_read_without_an_option():
    assert read_evidence().source == "calibration/evidence.toml"
