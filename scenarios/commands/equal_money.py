"""The command ``srdi equal-money``, found through the entry-point group ``srdi.commands``.

Only click is imported at the top, because ``srdi --help`` loads this file.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from scenarios.commands.command import echo
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

if TYPE_CHECKING:
    from scenarios.analysis.equal_money import EqualMoney


@click.command(name="equal-money")
@click.argument("scenarios", nargs=-1, required=True, metavar="SCENARIO SCENARIO...")
@baseline_option
@click.option(
    "--cost",
    type=float,
    metavar="YUAN",
    help="Full public cost over the baseline that all are brought to (default: that of the cheapest).",
)
@click.option(
    "--tolerance",
    type=float,
    default=0.02,
    show_default=True,
    metavar="SHARE",
    help="Largest difference from that cost, as a share of it.",
)
@quantities_option("Metric to compare, as --metric of srdi compare (repeatable; default: the main metrics).")
@quarters_option
@ensemble_options(doubt=True)
@json_option
def equal_money(
    *,
    scenarios: tuple[str, ...],
    baseline: str,
    cost: float | None,
    tolerance: float,
    quantities: tuple[str, ...],
    quarters: tuple[str, ...],
    ensemble: EnsembleOptions,
    as_json: bool,
) -> None:
    """Scale policies to the same public cost and count how often one beats another, in all and per yuan.

    SCENARIO and the baseline are catalogue names or .toml files. What each adds to the baseline is scaled by one
    factor: of a lever that the baseline does not have, the budget (of digital empowerment also firms and the money of
    cities, of clusters their number a year); of a lever that both have, every amount, number and intensity in which
    they differ. A root finder looks for the factor at which the full public cost over the baseline (levers, tax relief
    on R&D, awards for titles), mean over the pairs of runs, is the cost wanted. A policy without money is refused.

    --out has a results directory of the policies as given, one for each factor tried, and OUT/equal for the policies
    at the same cost, which srdi compare and value read; equal-money.json, with which srdi report OUT shows all; the
    tables policies.csv, effects.csv and chances.csv; and the scaled policies as scenario files. With --json the tables
    go to stderr.

    \b
    Example:
      srdi equal-money credit-guarantees export-promotion --replicates 20 --out results/equal
      srdi equal-money clusters-300 digital-doubled sme-fund --cost 10e9 --quantity srdi_smes --replicates 20
    """
    from scenarios.analysis.equal_money import equal_money as find_equal_money

    before, *policies = ensemble.load(baseline, *scenarios)
    warn_idle_settings([before, *policies])
    warn_unused_run_settings([before, *policies], ensemble)

    def told(name: str, factor: float, yuan: float) -> None:
        echo(f"{name} × {factor:.4g}: {yuan / 1e9:,.4g} billion yuan", err=True)

    with ensemble_target(ensemble.out) as target:
        found = find_equal_money(
            policies,
            before,
            cost=cost,
            tolerance=tolerance,
            quantities=quantities,
            quarters=quarters,
            on_try=told,
            **ensemble.arguments,
            **target,
        )
        from scenarios.commands.equal_money_tables import print_equal_money
        from scenarios.display.screen import print_path

        screen = table_console(as_json)
        print_equal_money(found, screen)
        if ensemble.out:
            _write(found, ensemble.out)
            print_path(screen, "Results, tables and scenario files in", ensemble.out)
        if as_json:
            print_json({"out": str(ensemble.out) if ensemble.out else None, **found.records()})


def _write(found: EqualMoney, out: Path) -> None:
    """Write the tables and the scaled policies into the directory of the runs."""
    from scenarios.files.describe import scenario_toml
    from scenarios.records.kept import keep
    from scenarios.records.storage import atomic_file, write_csv

    keep(found, out)
    for name, table in (("policies", found.policies), ("effects", found.rows), ("chances", found.chances)):
        write_csv(table, out / f"{name}.csv")
    (out / "scenarios").mkdir(exist_ok=True)
    for scenario in found.scenarios:
        with atomic_file(out / "scenarios" / f"{scenario.name}.toml") as draft:
            draft.write_text(scenario_toml(scenario), encoding="utf-8")
