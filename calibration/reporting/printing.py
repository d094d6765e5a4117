"""What ``srdi calibrate``, ``validate``, ``facts``, ``response`` and ``evidence`` print."""

from __future__ import annotations

import pandas as pd
from rich.console import Console

from calibration.reporting import cells
from scenarios.display.screen import print_table, say


def print_calibration(summary: dict, console: Console) -> None:
    """Targets, parameters and their diagnostics."""
    for table in (
        cells.targets(summary["targets"]),
        cells.parameters(summary["parameters"]),
        cells.hindcast(summary["hindcast"]),
        *([cells.hindcast_scores(scores)] if (scores := summary.get("hindcast_scores")) else []),
    ):
        print_table(table, console)
    information = summary["information"]
    _say(cells.coverage_in_words(summary["coverage"]), console)
    _say(
        [f"The figures identify {information['identified']} of {len(information['eigenvalues'])} directions."], console
    )
    _say(cells.inside_in_words(summary["inside"]), console)
    if summary["minutes"] is not None:
        _say([f"{summary['runs']:,} runs, {summary['minutes']:g} minutes."], console)


def print_screening(table: pd.DataFrame, console: Console) -> None:
    """Elementary effects from `calibration.fitting.screening.screen_all`, one row per parameter."""
    heads = ("Parameter", *(f">{name.replace('_', ' ')}" for name in table))
    rows = [(str(name), *(f"{effect:.2f}" for effect in effects)) for name, *effects in table.itertuples()]
    print_table(cells.Cells("Elementary effects relative to each figure's uncertainty", heads, rows), console)


def print_validation(validation: dict, console: Console) -> None:
    """Targets, facts, econometrics, and the scores of the forecasts, if any."""
    if not validation["model_unchanged"]:
        _say(["The model has changed since its parameters were fitted: run srdi calibrate to fit them again."], console)
    print_table(cells.targets(validation["targets"]), console)
    _say(cells.inside_in_words(validation["inside"]), console)
    print_facts(validation["facts"], console)
    print_table(cells.estimates(validation["estimates"]), console)
    if "score" in validation:
        print_table(cells.scores(validation["score"]), console)
        print_table(cells.realised(validation["score"]["rows"]), console)


def print_facts(rows: list[dict], console: Console) -> None:
    """Stylised facts, one record each (see `calibration.firms.facts.Fact.record`)."""
    print_table(cells.facts(rows), console)


def print_responses(frame: pd.DataFrame, console: Console) -> None:
    """Effects of levers on supported firms (see `calibration.firms.response.responses`)."""
    print_table(cells.responses(frame), console)
    say(console, "Same firm and same random draws with and without the lever; '-': fewer than 20 supported firms.")


def print_sales(frame: pd.DataFrame, console: Console) -> None:
    """Sales per yuan of public cost (see `calibration.firms.displacement.sales_per_yuan`)."""
    print_table(cells.sales(frame), console)
    say(
        console,
        "Pairs of runs with the same random draws; sales and full public cost from 2021 to 2025; 95 % intervals.",
    )


def print_evidence(summary: dict, console: Console) -> None:
    """Studies beside the model, the strengths they imply, and what could not be compared."""
    rows = summary["rows"]
    print_table(cells.evidence(rows), console)
    print_table(cells.strengths(summary["parameters"]), console)
    _say([*cells.agreement_in_words(summary["agreement"]), *cells.met_in_words(summary["inside"])], console)
    apart = [row for row in rows if not row["compared"]]
    if apart:
        _say([f"Not compared: {len(apart)} rows; evidence.json has the reason for each."], console)
    gaps = ", ".join(gap["lever"] for gap in summary["none_found"])
    if gaps:
        _say([f"No study was found for {gaps}."], console)


def _say(lines: list[str], console: Console) -> None:
    for line in lines:
        say(console, line)
