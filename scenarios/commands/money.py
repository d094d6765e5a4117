"""The commands on who gains, what is paid when and whether it is worth it: ``incidence``, ``cash`` and ``value``.

Only click is imported at the top, because ``srdi --help`` loads this file.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from scenarios.commands.options import (
    again_options,
    baseline_option,
    directory_argument,
    json_option,
    print_json,
    quantities_option,
    quarters_option,
    table_console,
)
from scenarios.ensembles.request import progress_bar


@click.command()
@directory_argument
@click.option(
    "--by",
    required=True,
    metavar="province|region|county_type|sector|tier|size",
    help="What gains and losses are divided by. region: the four of the statistics office. size: its classes (micro, "
    "small, medium, large) by employees; results hold no sizes, so some pairs are run again.",
)
@baseline_option
@quantities_option(
    "Column of the table to compare (repeatable; default: firms, employment, srdi_smes, little_giants, "
    "revenue_yuan, rd_true_yuan; by tier without the titles)."
)
@quarters_option
@again_options("By size: pairs")
@json_option
def incidence(
    *,
    directory: Path,
    by: str,
    baseline: str,
    quantities: tuple[str, ...],
    quarters: tuple[str, ...],
    pairs: int | None,
    workers: int | None,
    threads: int,
    as_json: bool,
) -> None:
    """Show who gains and who loses: firms, jobs, titles, revenue and R&D by place, sector, tier or size.

    Compares every scenario of a results directory with its baseline, pair by pair (same draw and replicate): the
    change in all, per 1,000 firms and per 1,000 employees, each place's share of the nation and of its change, and the
    Gini and Theil index over places. Ranges hold 10 to 90 % of the pairs; ? marks one that contains zero.

    Public money is what was paid since the start, booked where its recipients are; by tier and size it is known for
    the nation alone. With --json the tables go to stderr.

    \b
    Example:
      srdi run baseline sme-fund --replicates 20 --out results/fund
      srdi incidence results/fund --by region
      srdi incidence results/fund --by size --pairs 4
      srdi incidence results/fund --by sector --quantity employment --quarter 2027Q4 --json
    """
    from scenarios.analysis.incidence import incidence as find_incidence
    from scenarios.commands.incidence_tables import print_incidence
    from scenarios.records.results import load_results

    results = load_results(directory)
    with progress_bar("pairs") as (on_start, on_pair):
        found = find_incidence(
            results,
            by,
            baseline,
            quantities=quantities,
            quarters=quarters,
            pairs=pairs,
            workers=workers,
            threads=threads,
            on_start=on_start,
            on_pair=on_pair,
        )
    print_incidence(found, table_console(as_json))
    if as_json:
        print_json(found.records())


@click.command()
@directory_argument
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


@click.command()
@directory_argument
@baseline_option
@click.option(
    "--cost-of-funds",
    multiple=True,
    type=click.FloatRange(0.0, 5.0),
    metavar="SHARE",
    help="Marginal cost of public funds: what raising a yuan of taxes costs beyond that yuan (repeatable; default: 0, "
    "0.2 and 0.5).",
)
@click.option(
    "--discount-rate",
    type=float,
    default=0.05,
    show_default=True,
    metavar="SHARE",
    help="Discount rate a year, for yuan of the day. An assumption: the official method for construction projects of "
    "2006 takes 0.08.",
)
@click.option(
    "--present",
    default="2024Q1",
    show_default=True,
    metavar="YYYYQN",
    help="Quarter whose yuan all amounts are in. Ratios and chances do not depend on it.",
)
@click.option("--until", metavar="YYYYQN", help="Last quarter counted (default: the last of the run).")
@click.option(
    "--value-added-share",
    type=float,
    default=0.225,
    show_default=True,
    metavar="SHARE",
    help="Value added over revenue. Assumed, since the model has revenue alone: China's industry adds about a fifth to "
    "a quarter (30.5 trillion yuan in 2018 over 118.5 trillion of revenue of the census is 0.257), services more.",
)
@click.option(
    "--wage",
    type=float,
    default=70_000.0,
    show_default=True,
    metavar="YUAN",
    help="Cost of a worker a year in 2022. Assumed: about the 67,352 yuan of private manufacturing in towns.",
)
@click.option(
    "--wage-growth",
    type=float,
    default=0.05,
    show_default=True,
    metavar="SHARE",
    help="Growth of that wage a year. Assumed: as the model's demand, in yuan of the day.",
)
@click.option(
    "--labour-moved",
    type=float,
    default=1.0,
    show_default=True,
    metavar="SHARE",
    help="Opportunity cost of labour. 1: all added workers come from equally productive work elsewhere; 0: all were "
    "idle. Assumed.",
)
@click.option(
    "--research-moved",
    type=float,
    default=1.0,
    show_default=True,
    metavar="SHARE",
    help="The same of people and materials of added R&D; 0 also if R&D is taken to be worth what it costs. Assumed.",
)
@click.option(
    "--tax-share",
    type=float,
    default=0.14,
    show_default=True,
    metavar="SHARE",
    help="Part of the gain that flows back as tax. Assumed: taxes of 18.1 trillion yuan in 2023 over a gross domestic "
    "product of 126.1 trillion.",
)
@json_option
def value(
    directory: Path, baseline: str, cost_of_funds: tuple[float, ...], until: str | None, as_json: bool, **given: Any
) -> None:
    """Show whether a policy is worth its money: net benefit, benefit-cost ratio and marginal value of public funds.

    Compares every scenario of a results directory with its baseline, pair by pair (same draw and replicate). Gain:
    value added, net of what rivals in the same niches and sectors lose, less labour and R&D taken from other uses.
    Cost: the full public cost (levers, tax relief on reported R&D, awards for titles), times 1 plus the cost of funds.
    Value added is before tax, so tax that flows back is a part of the gain, not added to it. All is discounted.

    \b
      net benefit        = gain - (1 + cost of funds) x public cost
      benefit-cost ratio = gain / ((1 + cost of funds) x public cost)
      MVPF               = (gain - tax back) / (public cost - tax back); compare with 1 + cost of funds

    Equal money: the chance that a scenario beats another, in net benefit and in net benefit per yuan. Ranges hold 10 to
    90 % of the pairs; ? marks one that contains zero. With --json the tables go to stderr.

    Not counted: knowledge that spills over to sectors outside the model, the environment, consumers' surplus, years
    after the run (what R&D earns later, money committed but not yet paid), capital tied up, the cost of applying and
    assessing. With sector_displacement at 1, its default, a sector keeps of a rise of what it could sell only the
    share it sells abroad.

    \b
    Example:
      srdi run no-policy baseline awards-doubled --replicates 20 --out results/worth
      srdi value results/worth --baseline no-policy
      srdi value results/worth --baseline no-policy --cost-of-funds 0.3 --discount-rate 0.08 --labour-moved 0.5 --json
    """
    from scenarios.analysis.comparison import COST_OF_FUNDS
    from scenarios.analysis.value import Assumptions
    from scenarios.analysis.value import value as find_value
    from scenarios.commands.value_tables import print_value
    from scenarios.records.results import load_results

    found = find_value(
        load_results(directory),
        baseline,
        cost_of_funds=cost_of_funds or COST_OF_FUNDS,
        until=until,
        assumptions=Assumptions(**given),
    )
    print_value(found, table_console(as_json))
    if as_json:
        print_json(found.records())
