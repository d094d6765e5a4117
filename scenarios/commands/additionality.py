"""The command ``srdi additionality``.

Only click is imported at the top, because ``srdi --help`` loads this file.
"""

from __future__ import annotations

from pathlib import Path

import click

from scenarios.commands.options import (
    Names,
    baseline_option,
    directory_argument,
    json_option,
    print_json,
    table_console,
)
from scenarios.ensembles.request import progress_bar

#: Dimensions of the tables, as `scenarios.analysis.additionality.DIMENSIONS`, which would import pandas.
_DIMENSIONS = ("tier", "size", "province")


@click.command()
@directory_argument
@baseline_option
@click.option(
    "--pairs",
    type=int,
    metavar="K",
    help="Pairs of runs to run again, spread evenly over those of DIR (default: 4, or all if there are fewer).",
)
@click.option(
    "--lever",
    "levers",
    multiple=True,
    metavar="NAME",
    help="Lever whose firms are looked at (repeatable; default: all that support firms and differ from the baseline).",
)
@click.option(
    "--by",
    multiple=True,
    type=Names(_DIMENSIONS),
    help="Also a table by tier, size or province before the support (repeatable; default: tier and size). --json has "
    "all.",
)
@click.option(
    "--quarter", metavar="YYYYQN", help="Quarter at whose end firms are compared (default: the last of the run)."
)
@click.option(
    "--threshold",
    type=float,
    default=0.01,
    show_default=True,
    metavar="SHARE",
    help="Change of R&D, jobs, exports or revenue that counts as one, as a share of the amount without the policy.",
)
@click.option(
    "--keep", is_flag=True, help="Keep the answer in DIR as additionality.json, which srdi report and the page show."
)
@click.option("--workers", type=click.IntRange(1, 1024), help="Worker processes (default: one per core).")
@click.option("--threads", type=click.IntRange(1, 256), default=1, show_default=True, help="Threads per worker.")
@json_option
def additionality(
    *,
    directory: Path,
    baseline: str,
    pairs: int | None,
    levers: tuple[str, ...],
    by: tuple[str, ...],
    quarter: str | None,
    threshold: float,
    keep: bool,
    workers: int | None,
    threads: int,
    as_json: bool,
) -> None:
    """Show how many of 100 supported firms changed what, how many would have got there anyway, and what rivals lose.

    Results hold no firms, so some pairs (same draw and replicate) of a results directory are run again, with the same
    scale, parameters and random draws, and each supported firm is compared with itself in the baseline: titles, R&D,
    jobs, exports, revenue. Nothing is estimated. Firms are supported by the levers in which a scenario differs from the
    baseline. With --json the tables go to stderr.

    \b
    Example:
      srdi run baseline sme-fund --replicates 20 --out results/fund
      srdi additionality results/fund --pairs 4 --keep
      srdi additionality results/fund --lever sme_fund --by province --quarter 2027Q4 --json
    """
    from scenarios.analysis.additionality import additionality as find_additionality
    from scenarios.commands.additionality_tables import print_additionality
    from scenarios.records.kept import keep as keep_answer
    from scenarios.records.results import load_results

    with progress_bar("pairs") as (on_start, on_pair):
        found = find_additionality(
            load_results(directory),
            baseline,
            pairs=pairs,
            levers=levers,
            quarter=quarter,
            threshold=threshold,
            workers=workers,
            threads=threads,
            on_start=on_start,
            on_pair=on_pair,
        )
    if keep:
        keep_answer(found, directory)
    print_additionality(found, by or _DIMENSIONS[:2], table_console(as_json))
    if as_json:
        print_json(found.records())
