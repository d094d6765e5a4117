"""The command ``srdi decompose``, found through the entry-point group ``srdi.commands``.

Only click is imported at the top, because ``srdi --help`` loads this file.
"""

from __future__ import annotations

import click

from scenarios.commands.options import (
    baseline_option,
    ensemble_options,
    json_option,
    print_json,
    quantities_option,
    quarters_option,
    table_console,
    warn_idle_settings,
    warn_unused_run_settings,
)
from scenarios.ensembles.request import EnsembleOptions, ensemble_target
from scenarios.errors import InputError


@click.command()
@click.argument("scenario")
@baseline_option
@quantities_option(
    "Metric to split, as --metric of srdi compare (repeatable; default: the main metrics and the public cost)."
)
@quarters_option
@click.option(
    "--group",
    "groups",
    multiple=True,
    metavar="NAME=PART,PART",
    help="Count several parts as one (repeatable).",
)
@click.option(
    "--runs",
    "most_runs",
    type=click.IntRange(1, 10_000_000),
    metavar="N",
    help="Most runs: every subset of the parts is run if that takes no more. Default: with up to 5 parts.",
)
@ensemble_options(doubt=True)
@json_option
def decompose(
    *,
    scenario: str,
    baseline: str,
    quantities: tuple[str, ...],
    quarters: tuple[str, ...],
    groups: tuple[str, ...],
    most_runs: int | None,
    ensemble: EnsembleOptions,
    as_json: bool,
) -> None:
    """Split what a policy does among its levers: each alone, left out, and what they do together.

    Parts are the levers in which SCENARIO differs from the baseline (both catalogue names or .toml files), its rules
    (rules.srdi), shocks (shocks.demand_slump), feedbacks (model.NAME) and parameters. All runs share their random
    draws. With up to 5 parts every subset is run (32 scenarios), which gives Shapley values: the mean of what a part
    adds over all orders, so that the parts are the whole. With more parts, each is run alone and left out; join some
    with --group, or allow more --runs. With --json the tables go to stderr.

    --out is a results directory, so srdi compare and srdi report read it too, with decomposition.json (which the report
    shows), decomposition.csv and a waterfall chart per quantity and quarter. With --resume, a finished one is read
    again, such as for another --quantity.

    \b
    Example:
      srdi decompose baseline --baseline no-policy --replicates 20 --out results/parts
      srdi decompose all-levers --quantity srdi_smes --replicates 20
      srdi decompose mine.toml --group talent=talent_programme,incubation --group finance=sme_fund,credit_guarantees
    """
    from scenarios.analysis.decomposition import decompose as split

    before, policy = ensemble.load(baseline, scenario)
    warn_idle_settings([before, policy])
    warn_unused_run_settings([before, policy], ensemble)
    with ensemble_target(ensemble.out) as target:
        found = split(
            policy,
            before,
            groups=_groups(groups),
            most_runs=most_runs,
            quantities=quantities,
            quarters=quarters,
            **ensemble.arguments,
            **target,
        )
        from scenarios.commands.decompose_tables import print_decomposition
        from scenarios.display.screen import print_path

        screen = table_console(as_json)
        print_decomposition(found, screen)
        if ensemble.out:
            from scenarios.analysis.waterfall import write_waterfalls
            from scenarios.records.kept import keep
            from scenarios.records.storage import write_csv

            keep(found, ensemble.out)
            write_csv(found.rows, ensemble.out / "decomposition.csv")
            write_waterfalls(found, ensemble.out)
            print_path(screen, "Results, table and charts in", ensemble.out)
        if as_json:
            print_json({"out": str(ensemble.out) if ensemble.out else None, **found.records()})


def _groups(texts: tuple[str, ...]) -> dict[str, list[str]]:
    """Names of parts by group, from the texts of ``--group``."""
    groups: dict[str, list[str]] = {}
    for text in texts:
        name, equals, parts = text.partition("=")
        names = [part.strip() for part in parts.split(",") if part.strip()]
        if not equals or not name.strip() or not names:
            raise InputError(f"--group {text!r} is not NAME=PART,PART, such as finance=sme_fund,credit_guarantees")
        if name.strip() in groups:
            raise InputError(f"--group {name.strip()!r} is given twice; name all its parts in one")
        groups[name.strip()] = names
    return groups
