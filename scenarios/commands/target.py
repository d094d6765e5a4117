"""The command ``srdi target``.

Only click is imported at the top, because ``srdi --help`` loads this file.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from scenarios.commands.command import echo
from scenarios.commands.options import ensemble_options, json_option, print_json, table_console
from scenarios.ensembles.request import EnsembleOptions

if TYPE_CHECKING:
    from scenarios.search.optimize import Trials
    from scenarios.search.target import TargetProblem


class _WithOutcomes(click.Command):
    """A command whose help ends with the national series that a level may be on."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the names of the series, as the results declare them."""
        from scenarios.analysis.metrics import COLUMNS

        formatter.write_paragraph()
        formatter.write_text("National series: " + ", ".join(COLUMNS) + ".")


@click.command(cls=_WithOutcomes)
@click.argument("file", type=click.Path(path_type=Path))
@ensemble_options(replicates=20, doubt=True)
@json_option
def target(file: Path, ensemble: EnsembleOptions, as_json: bool) -> None:
    """Search the cheapest settings that meet levels by a date with a chance, and tell if there are none.

    The chance is the share of the runs (parameter draws and luck) that meet all levels together. Optuna looks for the
    least full public cost over the base (levers, tax relief, awards for titles), paired on the same seeds. The cheapest
    points that meet the target are checked with new seeds, and the one that still meets it runs again with other new
    seeds: chance, cost and levels printed are those. If none meets it, the nearest is printed instead.

    Levels are on national series (listed below): NAME@2027Q4 or NAME at 2027Q4, NAME (end of the run) or NAME:sum, with
    >= or <= and a number in the unit of the results (shares as 0.3). Public cost and its parts are always summed. Only
    settings of levers and rules can be free; a free setting of a lever switches the lever on.

    --out contains target.journal (the trials; --resume continues them, also with more trials or final runs),
    target.json, with which srdi report shows the answer, target.csv, settings.csv, a chart, scenarios/answer.toml (or
    nearest.toml), and the results directories base, check-N and final-N-RUNS.

    \b
    FILE, for example:
      base = "baseline"
      levels = ["little_giants@2027Q4 >= 18000"]   # several must be met together
      chance = 0.8
      trials = 60                         # points to try, each with --replicates runs
      final = 100                         # runs of the answer on new luck
      [factors."levers.sme_fund.budget_yuan"]
      from = 0.0
      to = 40e9

    \b
    Example:
      srdi target giants.toml --out results/giants
      srdi target giants.toml --out results/giants --resume
    """
    from scenarios.search.target_runs import find_target

    tried: list[int] = []

    def on_batch(trials: Trials, problem: TargetProblem) -> None:
        tried.append(len(trials))
        echo(_progress(trials, problem), err=True)

    try:
        found = find_target(file, ensemble, on_batch)
    except KeyboardInterrupt:
        if tried:
            echo(
                f"srdi: {tried[-1]} finished trials are kept in {ensemble.out}; --resume continues from there", err=True
            )
        raise
    from scenarios.commands.target_tables import print_target
    from scenarios.display.screen import print_path
    from scenarios.search.target_files import write_target

    assert ensemble.out  # refused above if there is none
    scenario = write_target(ensemble.out, found)
    screen = table_console(as_json)
    print_target(found, screen)
    print_path(screen, f"Tables, chart and scenario file in {ensemble.out}; srdi run {found.base.name}", scenario)
    if as_json:
        print_json({"out": str(ensemble.out), **found.records()})


def _progress(trials: Trials, problem: TargetProblem) -> str:
    """How far the search has come."""
    met = problem.met(trials.evaluation)
    text = f"{len(trials)} of {problem.trials} trials, {int(met.sum())} meet the target"
    if not met.any():
        return text
    least = float(trials.evaluation.cost[met].mean(axis=1).min())
    return f"{text}, the cheapest at {least / 1e9:+.3g} bn yuan over the base"
