"""What a calibration and a validation show: the report, its charts, the tables on the screen, the commands' ends."""

from __future__ import annotations

import json
import re
import shutil
from html import unescape
from importlib.resources import files
from io import StringIO
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from command_line import invoke, last
from matplotlib.colors import to_hex
from rich.console import Console

from calibration.adopt import adopt
from calibration.reporting import charts
from calibration.reporting.document import BEGIN, END, with_results
from calibration.reporting.printing import print_calibration, print_validation
from calibration.reporting.report import number, percent, write_report
from calibration.studies.study import packaged_calibration
from scenarios.display.drawing import BLUE, GREY, ORANGE

PACKAGE = Path(str(files("calibration")))
#: A score of four forecasts, one of a province, two of which could be compared.
PART = {"coverage_50": 0.5, "coverage_90": 1.0, "relative_crps": 0.25, "absolute_error": None}
FORECASTERS = {name: PART for name in ("model", "last_value", "linear_trend")}
ROW = {
    "quantity": "srdi_smes",
    "date": "2025-12-31",
    "low": 140_000.0,
    "high": None,
    "q05": 1.0,
    "q50": 2.0,
    "q95": 3.0,
}
SCORE = {
    "figures": 4,
    "compared": 2,
    "coverage_50": 0.5,
    "coverage_90": None,
    **FORECASTERS,
    "national": FORECASTERS,
    "rows": [
        {**ROW, "inside_90": inside, "crps_model": 1.5, "crps_last_value": None, "crps_linear_trend": None}
        for inside in (True, False, None)
    ],
}


@pytest.fixture(scope="module")
def calibration():
    """Summary, draws and validation of the package, the forecasts by their path."""
    summary, draws = packaged_calibration()
    validation = json.loads((PACKAGE / "validation.json").read_text(encoding="utf-8"))
    return summary, draws, validation | {"forecasts": str(PACKAGE / "forecasts.json")}


def cells_of(page: str, heading: str) -> list[list[str]]:
    """Texts of the rows of the first table below a heading, without the heads."""
    table = page.partition(f"<h2>{heading}</h2>")[2].partition("<table>")[2].partition("</table>")[0]
    rows = (re.findall(r"<td[^>]*>(.*?)</td>", row, re.S) for row in table.split("<tr>"))
    return [[unescape(text) for text in row] for row in rows if row]


# --- the report


def test_the_report_shows_every_figure_parameter_and_forecast(calibration, tmp_path):
    summary, draws, validation = calibration
    write_report(tmp_path / "report.html", summary, draws, validation)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert page.count("<svg") == 9
    assert "http-equiv" not in page
    targets = cells_of(page, "Reported and simulated")
    assert [row[0] for row in targets] == [row["label"] for row in validation["targets"]]
    assert [row[-1] for row in targets] == ["yes" if row["inside"] else "no" for row in validation["targets"]]
    assert [row[0] for row in cells_of(page, "Parameters: learned and assumed")] == list(draws.columns)
    forecasts = json.loads(Path(validation["forecasts"]).read_text(encoding="utf-8"))["forecasts"]
    national = [row for row in forecasts if "." not in row["quantity"]]
    assert [row[:2] for row in cells_of(page, "Forecasts")] == [[row["quantity"], row["date"]] for row in national]
    missed = sum(
        not row[key]
        for rows, key in (
            (validation["targets"], "inside"),
            (summary["hindcast"], "inside_90"),
            (validation["facts"], "holds"),
            (validation["estimates"], "holds"),
        )
        for row in rows
    )
    assert page.count('<td class="no">no</td>') == missed
    assert "Forecasts against realised figures" not in page


def test_a_report_has_what_there_is(calibration, tmp_path, monkeypatch):
    """Without a validation no forecasts; with a score every forecaster, and a dash where nothing can be said."""
    summary, draws, validation = calibration
    monkeypatch.setattr("calibration.reporting.report.svg", lambda figure: "<svg></svg>")
    write_report(tmp_path / "plain.html", summary | {"minutes": None}, draws)
    plain = (tmp_path / "plain.html").read_text(encoding="utf-8")
    assert plain.count("<svg") == 8
    assert "<h2>Forecasts</h2>" not in plain
    assert "minutes by" not in plain
    assert len(cells_of(plain, "Reported and simulated")) == len(summary["targets"])
    write_report(tmp_path / "scored.html", summary, draws, validation | {"score": SCORE})
    scored = (tmp_path / "scored.html").read_text(encoding="utf-8")
    rows = cells_of(scored, "Forecasts against realised figures")
    assert [row[:2] for row in rows] == [
        [part, name] for part in ("all", "national") for name in ("model", "last value", "linear trend")
    ]
    assert rows[0][2:] == ["50 %", "100 %", "25 %", "–"]
    assert "4 figures; 50 % inside the 50 % interval,\n– inside the 90 % interval" in scored
    assert [line for line in re.findall(r"over 140,000</td>", scored)] == ["over 140,000</td>"] * 3


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (None, "", "–"),
        (2021.26, "year", "2021.3"),
        (3.2e11, "yuan", "320 bn"),
        (-3.2e11, "yuan", "-320 bn"),
        (2.5e8, "yuan", "250 million"),
        (12_345.6, "firms", "12,346"),
        (0.123456, "share", "0.1235"),
    ],
)
def test_a_number_is_written_for_people(value, unit, text):
    assert number(value, unit) == text


def test_an_error_is_a_signed_percentage():
    assert (percent(-0.126), percent(0.0), percent(None)) == ("-13 %", "+0 %", "–")


# --- charts


def colours(lines) -> list[str]:
    return [to_hex(line.get_color()).upper() for line in lines]


def test_targets_outside_their_interval_are_orange_and_one_sided_ones_have_a_bar_without_length():
    row = {"label": "a", "role": "fit", "p05": 90.0, "p95": 120.0, "median": 100.0}
    rows = [
        {**row, "id": "in", "reported_low": 80.0, "reported_high": 120.0, "inside": True},
        {**row, "id": "out", "reported_low": 200.0, "reported_high": None, "inside": False},
        {**row, "id": "of.Anhui", "reported_low": 1.0, "reported_high": 1.0, "inside": False},
    ]
    (axis,) = charts.target_chart(rows).axes
    bars, ranges, medians = axis.lines[0:6:3], axis.lines[1:6:3], axis.lines[2:6:3]
    assert colours(medians) == [ORANGE, BLUE]  # the first row on top, which is drawn last
    assert [list(line.get_xdata()) for line in bars] == [[1.0, 1.0], [0.8, 1.2]]
    assert list(ranges[1].get_xdata()) == [0.9, 1.2]
    assert [label.get_text() for label in axis.get_yticklabels()] == ["a (fit)", "a (fit)"]


def test_provinces_are_drawn_by_themselves_and_none_below_one_firm():
    row = {"p05": 0.0, "p95": 30.0, "median": 0.5, "inside": False, "reported_low": 10.0}
    nothing = {**row, "id": "a.Tibet", "reported_low": 0.0}
    rows = [{**row, "id": "a.Anhui"}, {**row, "id": "a.Hubei", "inside": True}, nothing, {**row, "id": "national"}]
    (axis,) = charts.province_chart(rows).axes
    assert colours(axis.lines[:4]) == [ORANGE, ORANGE, BLUE, BLUE]
    assert list(axis.lines[0].get_ydata()) == [1.0, 30.0]
    assert list(axis.lines[1].get_ydata()) == [1.0]
    assert len(axis.lines) == 5  # two each, and the diagonal


def test_a_chart_of_parameters_hides_the_places_it_has_no_parameter_for():
    draws = pd.DataFrame(np.random.default_rng(1).random((30, 5)), columns=list("abcde"))
    rows = [
        {"parameter": name, "verdict": "learned" if name == "a" else "assumed", "contraction": share}
        | {"prior_05": 0.1, "prior_95": 0.9}
        for name, share in zip(draws, (0.9, 0.1, 0.2, 0.3, 0.4), strict=True)
    ]
    axes = charts.parameter_chart(rows, draws).axes
    assert [axis.get_visible() for axis in axes] == [True] * 5 + [False] * 3
    assert axes[0].get_title() == "a: learned (90 %)"
    assert [to_hex(axis.patches[0].get_facecolor()).upper() for axis in axes[:2]] == [BLUE, GREY]
    # Pairs in the order of what was learned, the upper half left out.
    pairs = charts.pairs_chart(rows, draws).axes
    assert [axis.get_visible() for axis in pairs] == [across <= down for down in range(5) for across in range(5)]
    assert [axis.get_xlabel() for axis in pairs[20:]] == list("aedcb")
    assert [axis.get_ylabel() for axis in pairs[::5]] == ["", *"edcb"]
    profiles = [{"parameter": name, "value": 0.5, "fall": 1.0} for name in "abc"]
    assert [axis.get_visible() for axis in charts.profile_chart(profiles).axes] == [True] * 3 + [False]


def test_forecasts_are_drawn_by_year_with_the_figures_reported_so_far():
    levels = {"q05": 1.0, "q25": 2.0, "q50": 3.0, "q75": 4.0, "q95": 5.0}
    forecasts = [
        {"quantity": name, "date": date, **levels}
        for name in ("srdi_smes", "little_giants", "little_giants.Anhui")
        for date in ("2024-12-31", "2030-12-31")
    ]
    known = {"quantity": "srdi_smes", "date": "2022-06-30", "reported_low": 2.0}
    targets = [{**known, "id": "a"}, {**known, "id": "a.Anhui"}, {**known, "id": "b", "quantity": "firms"}]
    first, second, empty = charts.forecast_chart(forecasts, targets).axes
    assert (first.get_title(), second.get_title(), empty.get_visible()) == ("srdi_smes", "little_giants", False)
    assert list(first.lines[0].get_xdata()) == [2024, 2030]
    assert [list(line.get_xdata()) for line in first.lines[1:]] == [[2021.5]]
    assert len(second.lines) == 1


# --- on the screen


def printed(function, values: dict) -> str:
    screen = Console(file=StringIO(), width=200)
    function(values, screen)
    return screen.file.getvalue()


def test_a_calibration_is_printed_with_what_can_be_believed(calibration):
    summary, _, _ = calibration
    text = printed(print_calibration, summary)
    for row in summary["parameters"]:
        assert row["parameter"] in text
    identified = summary["information"]["identified"]
    assert f"identify {identified} of {len(summary['parameters'])} directions" in text
    assert f"{summary['runs']:,} runs, 61.5 minutes." in printed(print_calibration, summary | {"minutes": 61.5})
    assert "minutes" not in printed(print_calibration, summary | {"minutes": None})


def test_a_validation_says_whether_the_model_has_changed_and_how_its_forecasts_did(calibration):
    _, _, validation = calibration
    plain = printed(print_validation, validation | {"model_unchanged": True})
    assert "The model has changed" not in plain
    assert "realised" not in plain
    text = printed(print_validation, validation | {"model_unchanged": False, "score": SCORE})
    assert text.startswith("The model has changed since its parameters were fitted")
    (title,) = re.findall(r"Forecasts against 4 realised figures.*\n?.*interval", text)
    assert "50 % inside the 50 % and – inside the 90 % interval" in " ".join(title.split())
    lines = [line.split() for line in text.splitlines()]
    assert ["all", "last", "value", "50", "%", "100", "%", "25", "%", "–"] in lines
    assert not [line for line in lines if line[:1] == ["provinces"]]
    assert [line[-4] for line in lines if line[:2] == ["srdi_smes", "2025-12-31"]] == ["yes", "no", "–"]


# --- the commands


@pytest.fixture
def fitted(calibration, monkeypatch):
    """``srdi calibrate`` and ``validate`` with the package's own results in the place of hours of runs."""
    summary, _, validation = calibration
    asked = {}

    def calibrate(folder, settings, workers, on_run):
        asked.update(settings=settings, workers=workers)
        on_run("runs over the priors", 1, 1)
        shutil.copyfile(PACKAGE / "posterior.parquet", folder / "posterior.parquet")
        return summary

    def validate(folder, **settings):
        asked.update(settings)
        settings["on_run"]("targets", 1, 1)
        return validation

    monkeypatch.setattr("calibration.studies.study.calibrate", calibrate)
    monkeypatch.setattr("calibration.studies.validation.validate", validate)
    monkeypatch.setattr("calibration.reporting.report.svg", lambda figure: "<svg></svg>")
    return asked


def test_calibrate_ends_with_what_was_found_and_a_report(calibration, fitted, tmp_path):
    done = invoke(
        "calibrate", "--scale", "0.01", "--first", "60", "--workers", "3", "--out", tmp_path / "fit", "--json"
    )
    assert (fitted["settings"].scale, fitted["settings"].first, fitted["workers"]) == (0.01, 60, 3)
    answer, inside = last(done), calibration[0]["inside"]["fit"]
    assert (answer["targets_inside"], answer["targets_within"], answer["targets"]) == (
        inside["inside"],
        inside["within"],
        inside["of"],
    )
    assert answer["posterior"] == str(tmp_path / "fit" / "posterior.parquet")
    assert Path(answer["report"]).read_text(encoding="utf-8").startswith("<!doctype html>")
    assert "Learned and assumed" in done.stderr
    plain = invoke("calibrate", "--out", tmp_path / "other").stdout
    assert f"Posterior, runs and report.html in {tmp_path / 'other'}" in plain.replace("\n", "")


def test_validate_ends_with_all_that_was_found(calibration, fitted, tmp_path):
    (tmp_path / "actuals.toml").write_text(
        '[[actual]]\nquantity = "srdi_smes"\ndate = "2024-12-31"\nlow = 1\nhigh = 1\nsource = "x"\n'
    )
    done = invoke("validate", "--actuals", tmp_path / "actuals.toml", "--out", tmp_path / "check", "--json")
    assert last(done) == calibration[2]
    assert [actual.quantity for actual in fitted["actuals"]] == ["srdi_smes"]
    assert (tmp_path / "check" / "report.html").exists()
    assert "Runs, forecasts.json, validation.json" in invoke("validate", "--out", tmp_path / "again").stdout
    assert fitted["actuals"] == ()


def test_a_screening_only_ranks(monkeypatch, tmp_path):
    table = pd.DataFrame({"effect": [0.5, 0.1]}, index=pd.Index(["exit_base", "rd_size"], name="parameter"))
    monkeypatch.setattr("calibration.fitting.screening.screen_all", lambda folder, **settings: table)
    done = invoke("calibrate", "--screen", "--out", tmp_path / "fit", "--json")
    assert last(done) == {"screening": str(tmp_path / "fit" / "screening.csv")}
    assert pd.read_csv(tmp_path / "fit" / "screening.csv")["parameter"].tolist() == ["exit_base", "rd_size"]
    assert "exit_base" in invoke("calibrate", "--screen", "--out", tmp_path / "other").stdout
    assert not (tmp_path / "fit" / "report.html").exists()


@pytest.mark.parametrize(("error", "status"), [(KeyboardInterrupt, 130), (RuntimeError("no luck"), 1)])
def test_a_fit_that_does_not_end_says_where_it_goes_on(monkeypatch, tmp_path, error, status):
    def ended(*arguments):
        (arguments[0] / "runs.jsonl").write_text("")
        raise error

    monkeypatch.setattr("calibration.studies.study.calibrate", ended)
    done = invoke("calibrate", "--out", tmp_path / "fit", status=status)
    assert f"finished runs are kept in {tmp_path / 'fit'}; the same command resumes from there" in done.stderr
    assert (tmp_path / "fit" / "runs.jsonl").exists()


def test_a_terminal_sees_a_bar_a_stage(monkeypatch):
    class Terminal(StringIO):
        def isatty(self):
            return True

    from calibration.commands import _progress_bars

    screen = Terminal()
    monkeypatch.setattr("sys.stderr", screen)
    monkeypatch.setenv("TERM", "xterm")
    with _progress_bars() as on_run:
        for stage, done in (("targets", 1), ("targets", 2), ("facts", 3)):
            on_run(stage, done, 3)
    assert "targets" in screen.getvalue()
    assert "3/3" in screen.getvalue()


# --- into the package


def test_adopting_a_calibration_renews_the_defaults_and_the_page(calibration, tmp_path):
    root = Path(__file__).parents[2]
    checkout, folder = tmp_path / "checkout", tmp_path / "fit"
    for name in ("calibration", "sim/data", "docs"):
        (checkout / name).mkdir(parents=True)
    folder.mkdir()
    for name in ("calibration.json", "validation.json", "forecasts.json", "posterior.parquet"):
        shutil.copyfile(PACKAGE / name, folder / name)
    parameters = (root / "sim" / "data" / "parameters.toml").read_text(encoding="utf-8")
    page = (root / "docs" / "calibration.md").read_text(encoding="utf-8")
    defaults = checkout / "sim" / "data" / "parameters.toml"
    defaults.write_text(parameters.replace("fitted: ", "was: "), encoding="utf-8")
    stale = page[: page.index(BEGIN) + len(BEGIN)] + "\nold\n" + page[page.index(END) :]
    (checkout / "docs" / "calibration.md").write_text(stale, encoding="utf-8")
    assert set(adopt(folder, checkout)) == {path.name for path in folder.iterdir()}
    assert defaults.read_text(encoding="utf-8") == parameters
    assert (checkout / "docs" / "calibration.md").read_text(encoding="utf-8") == with_results(page) == page
    assert json.loads((checkout / "calibration" / "validation.json").read_text())["forecasts"] == "forecasts.json"


def test_a_figure_that_no_run_speaks_of_is_drawn_as_reported_alone():
    found = json.loads(files("calibration").joinpath("validation.json").read_text(encoding="utf-8"))
    rows = [row | dict.fromkeys(("median", "p05", "p95")) for row in found["targets"]]
    assert {line.get_color() for line in charts.target_chart(rows).axes[0].lines} == {"black", GREY}
    assert {line.get_color() for line in charts.province_chart(rows).axes[0].lines} == {GREY}
