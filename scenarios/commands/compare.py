"""The command ``srdi compare``, found through the entry-point group ``srdi.commands``.

Only click is imported at the top, because ``srdi --help`` loads this file.
"""

from __future__ import annotations

from pathlib import Path

import click

from scenarios.commands.options import baseline_option, json_option, print_json, quarters_option, table_console


@click.command()
@click.argument("directories", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="DIR...")
@baseline_option
@click.option(
    "--metric",
    "metrics",
    multiple=True,
    metavar="NAME",
    help="Column of national to compare, or genuine_little_giants, genuine_srdi_smes, public_cost_cumulative_yuan "
    "(repeatable; default: the main metrics). Regret is printed for each; by default only for the first.",
)
@quarters_option
@click.option(
    "--cost-of-funds",
    multiple=True,
    type=click.FloatRange(0.0, 5.0),
    metavar="SHARE",
    help="Marginal cost of public funds at which prices are printed: what raising a yuan of taxes costs beyond that "
    "yuan (repeatable; default: 0, 0.2 and 0.5).",
)
@json_option
def compare(
    directories: tuple[Path, ...],
    baseline: str,
    metrics: tuple[str, ...],
    quarters: tuple[str, ...],
    cost_of_funds: tuple[float, ...],
    as_json: bool,
) -> None:
    """Compare the scenarios of results directories with a baseline, pair by pair.

    Prints paired differences with 90 % intervals, public cost per additional firm, and regret over all states of
    the world. Several directories must hold the same scenarios, run under different stress. With --json the tables go
    to stderr.

    \b
    Example:
      srdi run baseline awards-doubled --replicates 20 --out results/calm
      srdi run baseline awards-doubled --replicates 20 --set shocks.demand_slump.severity=0.1 --out results/slump
      srdi compare results/calm --metric little_giants --metric genuine_srdi_smes
      srdi compare results/calm results/slump --quarter 2027Q4 --quarter 2030Q4
    """
    from scenarios.analysis.comparison import COST_OF_FUNDS
    from scenarios.analysis.comparison import compare as compare_results
    from scenarios.commands.compare_tables import print_comparison
    from scenarios.records.results import load_results

    ensembles = [load_results(directory) for directory in directories]
    comparison = compare_results(ensembles, baseline, metrics=metrics, quarters=quarters)
    titles = {scenario["name"]: scenario["title"] for scenario in ensembles[0].manifest["scenarios"]}
    regret = comparison.metrics if metrics else comparison.metrics[:1]
    print_comparison(comparison, titles, regret, table_console(as_json), cost_of_funds or COST_OF_FUNDS)
    if as_json:
        print_json(comparison.records())
