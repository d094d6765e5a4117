"""The command ``srdi compare``, found through the entry-point group ``srdi.commands``.

Only click is imported at once: ``srdi --help`` loads this file.
"""

from __future__ import annotations

from pathlib import Path

import click

from scenarios.commands.options import json_option, last_line, screen_of


@click.command()
@click.argument("directories", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="DIR...")
@click.option("--baseline", default="baseline", show_default=True, help="Scenario the others are held against.")
@click.option(
    "--metric",
    "metrics",
    multiple=True,
    metavar="NAME",
    help="Column of national to compare, or genuine_little_giants, genuine_srdi_smes, public_spending_cumulative_yuan "
    "(repeatable; default: the headline figures). Regret is printed for each; by default for the first.",
)
@click.option("--quarter", "quarters", multiple=True, metavar="YYYYQN", help="When (repeatable; default: the last).")
@json_option
def compare(
    directories: tuple[Path, ...], baseline: str, metrics: tuple[str, ...], quarters: tuple[str, ...], as_json: bool
) -> None:
    """Compare the scenarios of results directories with a baseline, pair by pair.

    Prints paired differences with 95 % intervals, public money per additional firm, and regret over all states of
    the world. Several directories are the same scenarios under different stress. With --json the tables go to stderr.

    \b
    Example:
      srdi run baseline awards-doubled --replicates 20 --out results/calm
      srdi run baseline awards-doubled --replicates 20 --set shocks.demand_slump.severity=0.1 --out results/slump
      srdi compare results/calm --metric little_giants --metric genuine_srdi_smes
      srdi compare results/calm results/slump --quarter 2027Q4 --quarter 2030Q4
    """
    from scenarios.analysis.comparison import compare as compare_results
    from scenarios.commands.compare_tables import print_comparison
    from scenarios.records.results import load_results

    ensembles = [load_results(directory) for directory in directories]
    found = compare_results(ensembles, baseline, metrics=metrics, quarters=quarters)
    titles = {scenario["name"]: scenario["title"] for scenario in ensembles[0].manifest["scenarios"]}
    regret = found.metrics if metrics else found.metrics[:1]
    print_comparison(found, titles, regret, screen_of(as_json))
    if as_json:
        last_line(found.records())
