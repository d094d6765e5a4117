"""What ``srdi calibrate``, ``srdi validate`` and ``srdi facts`` print."""

from __future__ import annotations

import pandas as pd
from rich.console import Console

from calibration.reporting import cells
from scenarios.display.screen import print_table, say


def print_calibration(summary: dict, console: Console) -> None:
    """Targets, parameters and how far they can be believed."""
    for table in (
        cells.targets(summary["targets"]),
        cells.parameters(summary["parameters"]),
        cells.hindcast(summary["hindcast"]),
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
    """Elementary effects as `calibration.fitting.screening.screen_all` gives them, one row a parameter."""
    heads = ("Parameter", *(f">{name.replace('_', ' ')}" for name in table))
    rows = [(str(name), *(f"{effect:.2f}" for effect in effects)) for name, *effects in table.itertuples()]
    print_table(cells.Cells("Elementary effects over each figure's own doubt", heads, rows), console)


def print_validation(found: dict, console: Console) -> None:
    """Targets, facts, econometrics, and the score of the forecasts if there is one."""
    if not found["model_unchanged"]:
        _say(["The model has changed since its parameters were fitted: srdi calibrate fits them anew."], console)
    print_table(cells.targets(found["targets"]), console)
    _say(cells.inside_in_words(found["inside"]), console)
    print_facts(found["facts"], console)
    print_table(cells.estimates(found["estimates"]), console)
    if "score" in found:
        print_table(cells.scores(found["score"]), console)
        print_table(cells.realised(found["score"]["rows"]), console)


def print_facts(rows: list[dict], console: Console) -> None:
    """Stylised facts, one row each as `calibration.firms.facts.Fact.record` gives them."""
    print_table(cells.facts(rows), console)


def _say(lines: list[str], console: Console) -> None:
    for line in lines:
        say(console, line)
