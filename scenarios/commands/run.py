"""The commands that run ensembles and export their results: ``run``, ``effects``, ``rerun``, ``export``.

Only click is imported at the top, because ``srdi --help`` loads this file.
"""

from __future__ import annotations

import sys
from pathlib import Path

import click

from scenarios.commands.command import echo
from scenarios.commands.options import (
    directory_argument,
    ensemble_options,
    json_option,
    print_json,
    table_console,
    warn_idle_settings,
    warn_unused_run_settings,
)
from scenarios.ensembles.request import EnsembleOptions, ensemble_target


@click.command()
@click.argument("scenarios", nargs=-1, metavar="[SCENARIO]...")
@ensemble_options()
@json_option
def run(scenarios: tuple[str, ...], ensemble: EnsembleOptions, as_json: bool) -> None:
    """Run scenarios (catalogue names or .toml files; default baseline) and print the ladder.

    Without --out the results are printed and not kept. With --json the tables go to stderr.
    Options that are not given come from [run] of the first scenario and apply to all scenarios.

    \b
    Example:
      srdi run baseline no-policy --replicates 8 --scale 0.05 --out results/first
      srdi run baseline no-policy --replicates 8 --scale 0.05 --out results/first --resume
      srdi run baseline --set levers.cluster_recognition.per_year=300
      srdi run baseline --params posterior --replicates 100
      srdi run baseline --params posterior --draws 50 --replicates 2
      srdi run baseline --scheduler tcp://127.0.0.1:8786
    """
    loaded = ensemble.load(*(scenarios or ("baseline",)))
    warn_idle_settings(loaded)
    warn_unused_run_settings(loaded, ensemble)
    with ensemble.run(loaded) as results:
        from scenarios.commands.run_tables import print_run
        from scenarios.display.screen import print_path

        screen = table_console(as_json)
        print_run(results, screen)
        if ensemble.out:
            print_path(screen, "Results in", ensemble.out)
        if as_json:
            manifest = results.manifest
            print_json(
                {
                    "out": str(ensemble.out) if ensemble.out else None,
                    "scenarios": [scenario.name for scenario in loaded],
                    "replicates": manifest["replicates"],
                    "draws": manifest["draws"],
                    "runs": manifest["runs"],
                    "firms": manifest["firms_at_start"],
                    "scale": manifest["scale"],
                    "seconds": manifest["seconds"],
                }
            )


@click.command()
@click.argument("levers", nargs=-1, metavar="[LEVER]...")
@click.option(
    "--gain",
    default="genuine_srdi_smes",
    show_default=True,
    metavar="NAME",
    help="Outcome at the end of the run by which levers are ranked per yuan: a metric of srdi compare.",
)
@ensemble_options(replicates=8, doubt=True)
@json_option
def effects(levers: tuple[str, ...], gain: str, ensemble: EnsembleOptions, as_json: bool) -> None:
    """Compare every lever, rule and shock at its reference intensity with the baseline, paired.

    Without names, all are run: about ten minutes on two cores with the defaults, and twice as long with draws from
    evidence. The reference intensity of a lever is its defaults in srdi show levers.

    With draws of the strengths of levers (--params evidence), as many pairs again are run, in which strengths and
    fitted parameters are combined in another way. A second table then shows how much of the doubt about each effect
    comes from the strength of levers, from the fitted parameters and from luck; a third, and the chart tornado in
    --out, whose doubt moves the ranking of levers per yuan, and which study would be worth making.

    \b
    Example:
      srdi effects
      srdi effects sme_fund credit_guarantees --replicates 16
      srdi effects matchmaking_sales credit_guarantees --params evidence --replicates 50 --out results/doubt
    """
    from scenarios.analysis.effects import BASELINE, measure_effects

    ensemble.refuse_parameter_draws("effects", crossed_only=True)
    [parent] = ensemble.load(BASELINE)
    with ensemble_target(ensemble.out) as target:
        found = measure_effects(levers, parent, gain=gain, **ensemble.arguments, **target)
        from scenarios.commands.effects_tables import print_doubt, print_effects, print_information
        from scenarios.records.storage import records

        screen = table_console(as_json)
        print_effects(found.table, screen, parameters_vary=ensemble.parameter_draws is not None)
        if found.pairs:
            print_doubt(found.table, found.pairs, screen)
        known = found.information
        if known:
            print_information(known, screen)
            if ensemble.out:
                from scenarios.analysis.tornado import write_tornado
                from scenarios.display.screen import print_path

                print_path(screen, "Chart in", write_tornado(known, ensemble.out)[0])
        if as_json:
            rows = {"rows": records(known.rows), "ranking": records(known.ranking)} if known else {}
            print_json(
                {
                    "levers": records(found.table),
                    "information": {"gain": known.metric.name, **rows} if known else None,
                }
            )


@click.command()
@directory_argument
@click.option("--format", "form", required=True, help="csv, xlsx, dta (Stata), parquet or nc (NetCDF).")
@click.option("--out", type=click.Path(path_type=Path), help="New directory (default DIR-FORMAT).")
@click.option("--force", is_flag=True, help="Write to a directory that is not empty, replacing files of the same name.")
@json_option
def export(directory: Path, form: str, out: Path | None, force: bool, as_json: bool) -> None:
    """Export the tables of a results directory for R, Stata, Excel or xarray.

    \b
    Example:
      srdi export results/first --format dta --out first-stata
    """
    from scenarios.records.export import export as write
    from scenarios.records.results import load_results

    written = write(load_results(directory), form, out, force)
    for path in written:
        echo(path)
    if as_json:
        print_json({"out": str(written[0].parent), "files": [path.name for path in written]})


@click.command()
@directory_argument
@click.option("--out", type=click.Path(path_type=Path), help="New directory for the results of the second run.")
@click.option("--workers", type=click.IntRange(1, 1024), help="Worker processes (default: one per core).")
@click.option("--threads", type=click.IntRange(1, 256), default=1, show_default=True, help="Threads per worker.")
@click.option("--scheduler", metavar="ADDRESS", help="Run on a Dask cluster instead, such as tcp://127.0.0.1:8786.")
@json_option
def rerun(
    directory: Path, out: Path | None, workers: int | None, threads: int, scheduler: str | None, as_json: bool
) -> None:
    """Run a results directory again from its manifest and compare the files bit by bit; exit with 1 if they differ.

    \b
    Example:
      srdi rerun results/first
    """
    from scenarios.ensembles.rerun import rerun as run_again
    from scenarios.records.results import load_results

    with ensemble_target(out) as target:
        comparison = run_again(load_results(directory), workers=workers, threads=threads, scheduler=scheduler, **target)
    for text in comparison.changed:
        echo(f"changed since: {text}", err=as_json)
    for name in comparison.other:
        echo(f"{name}: different", err=as_json)
    echo(
        f"{len(comparison.same)} of {len(comparison.same) + len(comparison.other)} files are bit-identical",
        err=as_json,
    )
    if as_json:
        print_json(
            {"same": list(comparison.same), "other": list(comparison.other), "changed": list(comparison.changed)}
        )
    if comparison.other:
        sys.exit(1)
