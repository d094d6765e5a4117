"""What cannot be read or run is refused with one sentence that names the place and what is wrong there."""

from __future__ import annotations

import io
from datetime import date

import pytest
from pydantic import ValidationError

from calibration.forecasting.scores import read_actuals
from scenarios import load_scenario, run_ensemble
from scenarios.analysis.reported import parse_reported_figures
from scenarios.ensembles.parameter_draws import read_parameter_draws
from scenarios.ensembles.plan import differences, read_plan
from scenarios.ensembles.request import EnsembleOptions, ensemble_target
from scenarios.errors import MAX_MESSAGE_LENGTH, InputError
from scenarios.files.loading import parameter_settings, parse_toml
from scenarios.files.schema import build
from scenarios.search.design import make_design
from scenarios.search.sweep import SweepFile
from sim.levers import Levers

LEVER = "levers.sme_fund.intensity"
FIGURE = """
[[figure]]
id = "a"
label = "Little giants"
text = "about 100"
quantity = "little_giants"
date = "2021-12-31"
low = 100
high = 110
source = "x"
mark = "A"
role = "fit"
discrepancy = 0.1
"""


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('"little_giants"', '"little_giant"', r"figure 'a': .*did you mean 'little_giants'"),
        ('id = "a"', 'id = "a"\nprovince = "Anhu"', "province is 'Anhu'; did you mean 'Anhui'"),
        ("low = 100\nhigh = 110\n", "", "low and high are missing"),
        ("low = 100", "low = 111", "low is 111, above high, 110"),
        ("2021-12-31", "2024-06-30", "after the quarter of the cut-off, 2024-03-08"),
        ("discrepancy = 0.1", "", "discrepancy is missing"),
        ("discrepancy = 0.1", "discrepancy = 3.0", r"discrepancy is 3\.0: input should be less than"),
        ('source = "x"', "", "figure 'a': source is missing"),
        ('source = "x"', 'source = "x"\nnote = "y"', r"unknown key note"),
        ('id = "a"', 'id = ""', "id is ''"),
        (FIGURE, FIGURE + FIGURE, "id 'a' is given twice"),
        (FIGURE, "", r"there is no \[\[figure\]\]"),
    ],
)
def test_a_fault_in_a_file_of_figures_is_named(old, new, words):
    assert len(parse_reported_figures(FIGURE, "figures.toml")) == 1
    with pytest.raises(InputError, match=words) as refused:
        parse_reported_figures(FIGURE.replace(old, new), "figures.toml")
    assert str(refused.value).startswith("figures.toml: ")


LONG = "x" * 100_000


@pytest.mark.parametrize(
    "read",
    [
        lambda path: parse_toml(f"[{LONG}]\n[{LONG}]", "long.toml"),
        lambda path: build({"name": "long", "title": LONG}, "long.toml"),
        lambda path: make_design({"method": LONG, "factors": {LEVER: {"values": [1]}}}, SweepFile, "long.toml", "long"),
        lambda path: read_actuals(path, date(2030, 12, 31)),
    ],
    ids=["toml", "scenario", "design", "actuals"],
)
def test_a_message_does_not_grow_with_what_was_found(tmp_path, read):
    path = tmp_path / "actuals.toml"
    path.write_text(f'[[actual]]\nquantity = "srdi_smes"\ndate = 2024-12-31\nlow = "{LONG}"\nhigh = 1\nsource = "x"\n')
    with pytest.raises(InputError) as refused:
        read(path)
    assert len(str(refused.value)) < MAX_MESSAGE_LENGTH + 500


def test_a_figure_by_province_is_one_figure_a_province():
    text = FIGURE.replace("low = 100\nhigh = 110", "by_province = { Anhui = 10, Hubei = 20 }")
    figures = parse_reported_figures(text, "figures.toml")
    assert [(figure.id, figure.province, figure.low, figure.high) for figure in figures] == [
        ("a.Anhui", "Anhui", 10, 10),
        ("a.Hubei", "Hubei", 20, 20),
    ]
    (whole,) = parse_reported_figures(FIGURE, "figures.toml")
    own = {"id", "label", "province", "low", "high"}
    for figure in figures:
        assert figure.model_dump(exclude=own) == whole.model_dump(exclude=own)


def test_a_one_sided_figure_has_its_end_as_its_middle():
    (figure,) = parse_reported_figures(FIGURE.replace("high = 110\n", ""), "figures.toml")
    assert figure.middle == 100


def test_an_ensemble_of_nothing_twice_or_too_many_draws_is_refused(tmp_path):
    baseline = load_scenario("baseline")
    draws = read_parameter_draws("posterior")
    for scenarios, settings, words in (
        ([], {}, "no scenario was given"),
        ([baseline, baseline], {}, "'baseline' is given 2 times"),
        ([baseline], {"crossed_draws": 2}, r"crossed_draws \(--draws\) needs draws"),
        (
            [baseline],
            {"draws": draws, "crossed_draws": 10**6},
            f"1000000 parameter draws were requested; .* {len(draws)}",
        ),
    ):
        with pytest.raises(InputError, match=words):
            run_ensemble(scenarios, out=tmp_path / "out", scale=0.001, until=2019, **settings)
    assert not (tmp_path / "out").exists()


def test_commands_say_which_draws_they_cannot_read():
    EnsembleOptions(params="posterior").refuse_parameter_draws("effects", crossed_only=True)
    with pytest.raises(InputError, match=r"effects uses one parameter draw per replicate .* not --draws 2"):
        EnsembleOptions(params="posterior", crossed_draws=2).refuse_parameter_draws("effects", crossed_only=True)
    with pytest.raises(InputError, match="sensitivity uses one set of parameters; --params is posterior"):
        EnsembleOptions(params="posterior").refuse_parameter_draws("sensitivity", crossed_only=False)


def test_an_interrupted_ensemble_says_what_is_kept_and_a_refused_one_does_not(tmp_path, capsys):
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "0001.zip").touch()
    for error in (InputError, KeyboardInterrupt):
        with pytest.raises(error), ensemble_target(tmp_path):
            raise error
    assert capsys.readouterr().err.count("1 finished runs are kept in") == 1


def test_a_terminal_sees_a_bar_of_runs(monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    screen = Terminal()
    monkeypatch.setattr("sys.stderr", screen)
    monkeypatch.setenv("TERM", "xterm")
    with ensemble_target(None) as target:
        target["on_start"](3)
        target["on_run"]()
    assert target["out"].name == "results"
    assert not target["out"].parent.exists()
    assert "1/3" in screen.getvalue()


def test_parameter_files_hold_numbers(tmp_path):
    path = tmp_path / "values.toml"
    path.write_text("[parameters]\nrd_urban = 0.5\n")
    assert parameter_settings(str(path)) == ("parameters.rd_urban=0.5",)
    for text in ("rd_urban = true", 'rd_urban = "high"', "parameters = 1"):
        path.write_text(text)
        with pytest.raises(InputError, match="--params needs lines name = number"):
            parameter_settings(str(path))


def test_a_plan_that_is_not_there_or_damaged_is_refused(tmp_path):
    with pytest.raises(InputError, match="has no interrupted ensemble"):
        read_plan(tmp_path)
    runs = tmp_path / "runs"
    runs.mkdir()
    assert read_plan(tmp_path) is None
    (runs / "0001.zip").write_text("")
    with pytest.raises(InputError, match=r"plan\.json is missing"):
        read_plan(tmp_path)
    for text, words in (("{", "not readable JSON"), ("[]", "it is not a plan")):
        (runs / "plan.json").write_text(text)
        with pytest.raises(InputError, match=words):
            read_plan(tmp_path)


def test_what_differs_between_two_plans_is_named():
    rows = [{"name": "one", "x": 1}, {"name": "two", "x": 2}]
    assert list(differences({"rows": rows}, {"rows": rows})) == []
    assert list(differences({"a": {"b": 1}}, {"a": {"b": 2}})) == ["a.b was 1, now 2"]
    assert list(differences({"a": 1}, {"b": "x" * 3})) == ["a was removed", "b is new"]
    assert list(differences({"a": "x" * 70}, {"a": "y"})) == ["a has changed"]
    assert list(differences({"rows": rows}, {"rows": rows[::-1]})) == ["rows are in another order"]
    assert list(differences({"rows": rows}, {"rows": [rows[0], {"name": "two", "x": 3}]})) == [
        "rows.two.x was 2, now 3"
    ]
    assert list(differences({"source": "a.parquet"}, {"source": "b.parquet"})) == []
    reordered = [{"name": "two", "x": 2}, {"name": "one", "x": 3}]
    assert list(differences({"rows": rows}, {"rows": reordered})) == [
        "rows.one.x was 1, now 3",
        "rows are in another order",
    ]


def test_commons_without_any_weight_are_refused():
    weights = {name: 0.0 for name in type(Levers().cluster_recognition).model_fields if name.endswith("_weight")}
    with pytest.raises(ValidationError, match="weights of the commons are all 0"):
        Levers.model_validate({"cluster_recognition": weights})
