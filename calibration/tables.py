"""What ``srdi calibrate``, ``srdi validate`` and ``srdi facts`` print."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from calibration import cells


def print_calibration(summary: dict, console: Console) -> None:
    """Targets, parameters and how far they can be believed."""
    for table in (
        cells.targets(summary["targets"]),
        cells.parameters(summary["parameters"]),
        cells.hindcast(summary["hindcast"]),
    ):
        console.print(_table(table))
    information = summary["information"]
    _say(cells.coverage_in_words(summary["coverage"]), console)
    _say(
        [f"The figures identify {information['identified']} of {len(information['eigenvalues'])} directions."], console
    )
    _say(cells.inside_in_words(summary["inside"]), console)
    if summary["minutes"] is not None:
        _say([f"{summary['runs']:,} runs, {summary['minutes']:g} minutes."], console)


def print_validation(found: dict, console: Console) -> None:
    """Targets, facts, econometrics, and the score of the forecasts if there is one."""
    if not found["model_unchanged"]:
        _say(["The model has changed since its parameters were fitted: srdi calibrate fits them anew."], console)
    console.print(_table(cells.targets(found["targets"])))
    _say(cells.inside_in_words(found["inside"]), console)
    print_facts(found["facts"], console)
    console.print(_table(cells.estimates(found["estimates"])))
    if "score" in found:
        console.print(_table(cells.scores(found["score"])))
        console.print(_table(cells.realised(found["score"]["rows"])))


def print_facts(rows: list[dict], console: Console) -> None:
    """Stylised facts, one row each as `calibration.facts.Fact.record` gives them."""
    console.print(_table(cells.facts(rows)))


def _say(lines: list[str], console: Console) -> None:
    for line in lines:
        console.print(line, highlight=False)


def _table(text: cells.Cells) -> Table:
    table = Table(title=text.title, title_justify="left", box=None, pad_edge=False)
    for head in text.heads:
        # Long descriptions may take several lines, numbers may not.
        table.add_column(
            head.removeprefix(">"),
            justify="right" if head.startswith(">") else "left",
            no_wrap=head not in ("Figure", "Fact", "Estimate", "Reference", "Published"),
        )
    for row in text.rows:
        table.add_row(*row)
    return table
