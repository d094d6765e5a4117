"""The commands on who gains and what is paid when, ``incidence`` and ``cash``.

Only click is imported at the top, because ``srdi --help`` loads this file.
"""

from __future__ import annotations

from pathlib import Path

import click

from scenarios.commands.options import json_option, print_json, table_console


@click.command()
@click.argument("directory", type=click.Path(path_type=Path), metavar="DIR")
@click.option(
    "--by",
    required=True,
    metavar="province|region|county_type|sector|tier",
    help="What gains and losses are divided by. region: the four of the statistics office. By size is refused: no "
    "table of results has size classes.",
)
@click.option("--baseline", default="baseline", show_default=True, help="Scenario the others are compared with.")
@click.option(
    "--quantity",
    "quantities",
    multiple=True,
    metavar="NAME",
    help="Column of the table to compare (repeatable; default: firms, employment, srdi_smes, little_giants, "
    "revenue_yuan, rd_true_yuan; by tier without the titles).",
)
@click.option("--quarter", "quarters", multiple=True, metavar="YYYYQN", help="Quarter (repeatable; default: the last).")
@json_option
def incidence(
    directory: Path,
    by: str,
    baseline: str,
    quantities: tuple[str, ...],
    quarters: tuple[str, ...],
    as_json: bool,
) -> None:
    """Show who gains and who loses: firms, jobs, titles, revenue and R&D by place, sector or tier.

    Compares every scenario of a results directory with its baseline, pair by pair (same draw and replicate): the
    change in all, per 1,000 firms and per 1,000 employees, each place's share of the nation and of its change, and the
    Gini and Theil index over places. Ranges hold 10 to 90 % of the pairs; ? marks one that contains zero.

    Public money is not booked by place: results say what each lever costs the nation, not where it is paid. It is
    printed by kind and lever, and not divided. With --json the tables go to stderr.

    \b
    Example:
      srdi run baseline sme-fund --replicates 20 --out results/fund
      srdi incidence results/fund --by region
      srdi incidence results/fund --by sector --quantity employment --quarter 2027Q4 --json
    """
    from scenarios.analysis.incidence import incidence as find_incidence
    from scenarios.commands.incidence_tables import print_incidence
    from scenarios.records.results import load_results

    found = find_incidence(load_results(directory), by, baseline, quantities=quantities, quarters=quarters)
    print_incidence(found, table_console(as_json))
    if as_json:
        print_json(found.records())


@click.command()
@click.argument("directory", type=click.Path(path_type=Path), metavar="DIR")
@click.option("--scenario", "scenarios", multiple=True, metavar="NAME", help="Scenario (repeatable; default: all).")
@click.option(
    "--used-up",
    type=float,
    default=0.99,
    show_default=True,
    metavar="SHARE",
    help="Share of a budget that is committed when it counts as used up. The last money may be too little for one more "
    "firm; at a small --scale one simulated firm stands for many.",
)
@json_option
def cash(directory: Path, scenarios: tuple[str, ...], used_up: float, as_json: bool) -> None:
    """Show what is committed and paid by year, kind and lever, and when each budget is used up.

    Kinds: lever (programmes), tax (relief on reported R&D) and title (awards of provinces for new titles). Means over
    the runs with a band of 10 to 90 % of them. Only levers have budgets and commitments; of tax and title payments
    alone are recorded. Quarters in which a budget is used up: the median over the runs and 10 to 90 %. With --json the
    tables go to stderr.

    \b
    Example:
      srdi run baseline sme-fund --replicates 20 --out results/fund
      srdi cash results/fund
      srdi cash results/fund --scenario sme-fund --json
    """
    from scenarios.analysis.cash import cash as find_cash
    from scenarios.commands.cash_tables import print_cash
    from scenarios.records.results import load_results

    results = load_results(directory)
    found = find_cash(results, scenarios, used_up)
    print_cash(found, results.manifest["scenarios"], table_console(as_json))
    if as_json:
        print_json(found.records())
