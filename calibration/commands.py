"""The commands ``srdi facts``, ``calibrate``, ``validate``, ``response`` and ``evidence``.

They are entry points of the group ``srdi.commands``. Imports other than click are delayed, because ``srdi --help``
loads this file.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from scenarios.commands.command import echo
from scenarios.commands.options import json_option, print_json, table_console
from scenarios.ensembles.machine import cores
from scenarios.errors import require_extra

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import Console
    from rich.progress import TaskID

    from calibration.firms.response import LeverProgress
    from calibration.fitting.fit import StageProgress


@click.command()
@click.option("--scale", type=float, default=0.02, show_default=True, help="Simulated firms per real firm.")
@click.option("--seed", type=int, default=1, show_default=True, help="Seed of the run.")
@click.option("--until", type=int, metavar="YYYY", default=2024, show_default=True, help="Last year of the run.")
@click.option("--figures", type=click.Path(path_type=Path), metavar="DIR", help="New directory for charts (PNG, SVG).")
@json_option
def facts(scale: float, seed: int, until: int, figures: Path | None, as_json: bool) -> None:
    """Compare the baseline with stylised facts of firms: growth, size, exit, supply, certificates, R&D.

    The model runs twice, with and without R&D thresholds. With --json the table goes to stderr.

    \b
    Example:
      srdi facts --scale 0.02 --seed 1 --until 2024 --figures results/facts
    """
    require_extra("srdi facts", "calibration", "powerlaw")
    from scenarios.files.loading import load_scenario

    # The scenario schema checks the ranges and reports an error in one sentence.
    load_scenario("baseline", (f"run.scale={scale}", f"run.seed={seed}", f"run.until={until}"))
    with _new_directory(figures) as draft:
        from calibration.firms.facts import facts_of, observe_both

        with _progress_bars() as on_run:
            baseline, no_threshold = observe_both(scale, seed, until, lambda done, all_: on_run("runs", done, all_))
        measured = facts_of(baseline, no_threshold)
        if draft:
            from calibration.firms.charts import write_figures

            write_figures(baseline, no_threshold, draft)
    from calibration.reporting.printing import print_facts
    from scenarios.display.screen import print_path

    records = [fact.record() for fact in measured]
    screen = table_console(as_json)
    print_facts(records, screen)
    if figures:
        print_path(screen, "Charts in", figures)
    if as_json:
        print_json({"facts": records})


@click.command()
@click.option("--scale", type=float, default=0.05, show_default=True, help="Simulated firms per real firm.")
@click.option("--seed", type=int, default=1, show_default=True, help="Seed of designs, chains and runs.")
@click.option("--first", type=click.IntRange(50), default=600, show_default=True, help="Runs over the priors.")
@click.option("--later", type=click.IntRange(50), default=400, show_default=True, help="Runs of each later wave.")
@click.option("--draws", type=click.IntRange(200), default=1000, show_default=True, help="Parameter draws to keep.")
@click.option("--workers", type=click.IntRange(1, 1024), help="Worker processes (default: one per core).")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("results/calibration"),
    show_default=True,
    help="Directory of runs, posterior and report; an interrupted fit resumes there.",
)
@click.option("--screen", is_flag=True, help="Only rank all parameters by elementary effects (Morris), then stop.")
@json_option
def calibrate(
    *,
    scale: float,
    seed: int,
    first: int,
    later: int,
    draws: int,
    workers: int | None,
    out: Path,
    screen: bool,
    as_json: bool,
) -> None:
    """Fit the free parameters to the figures reported by 8 March 2024.

    Runs over the priors train an emulator, five more waves of runs refine it where the posterior lies, emcee samples
    the posterior, and runs with these parameter draws predict every figure. Results are in --out: posterior.parquet
    (for srdi run --params FILE), calibration.json and report.html. The same settings give the same numbers.

    \b
    Example:
      srdi calibrate
      srdi calibrate --screen
    """
    require_extra("srdi calibrate", "calibration", "sklearn", "emcee", "powerlaw", "threadpoolctl")
    from scenarios.ensembles.lock import lock_directory
    from scenarios.files.loading import load_scenario

    load_scenario("baseline", (f"run.scale={scale}", f"run.seed={seed}"))
    workers = workers or cores()
    terminal = table_console(as_json)
    with lock_directory(out), _resume_hint(out), _progress_bars() as on_run:
        if screen:
            from calibration.fitting.screening import screen_all
            from calibration.reporting.printing import print_screening

            table = screen_all(out, scale=scale, seed=seed, workers=workers, on_run=on_run)
            table.to_csv(out / "screening.csv")
            print_screening(table, terminal)
            if as_json:
                print_json({"screening": str(out / "screening.csv")})
            return
        from calibration.fitting.fit import Settings
        from calibration.reporting.report import write_report
        from calibration.studies.study import POSTERIOR, calibrate, read_posterior

        settings = Settings(scale=scale, seed=seed, first=first, later=later, draws=draws)
        summary = calibrate(out, settings, workers, on_run)
        write_report(out / "report.html", summary, read_posterior(out / POSTERIOR))
    from calibration.reporting.printing import print_calibration
    from scenarios.display.screen import print_path

    print_calibration(summary, terminal)
    print_path(terminal, "Posterior, runs and report.html in", out)
    if as_json:
        inside = summary["inside"]["fit"]
        print_json(
            {
                "posterior": str(out / POSTERIOR),
                "minutes": summary["minutes"],
                "targets_inside": inside["inside"],
                "targets_within": inside["within"],
                "targets": inside["of"],
                "coverage_90": summary["coverage"]["emulator"]["coverage_90"],
                "coverage_90_learned": summary["coverage"]["emulator"]["coverage_90_learned"],
                "coverage_90_model": summary["coverage"]["model"]["coverage_90"],
                "report": str(out / "report.html"),
            }
        )


@click.command()
@click.option("--draws", type=click.IntRange(20), default=200, show_default=True, help="Parameter draws, one run each.")
@click.option("--scale", type=float, default=0.05, show_default=True, help="Simulated firms per real firm.")
@click.option("--seed", type=int, default=1, show_default=True, help="Seed of the first run.")
@click.option(
    "--actuals",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Realised figures (TOML) to score; one without high is a floor.",
)
@click.option("--workers", type=click.IntRange(1, 1024), help="Worker processes (default: one per core).")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("results/validation"),
    show_default=True,
    help="Directory of runs, forecasts.json and report; finished stages there are not repeated.",
)
@json_option
def validate(
    *, draws: int, scale: float, seed: int, actuals: Path | None, workers: int | None, out: Path, as_json: bool
) -> None:
    """Compare the calibrated model with reported figures, stylised facts and published estimates, and forecast.

    With --actuals, the forecasts are scored against realised figures and compared with two naive forecasts. A figure
    without high is a floor ("over N"): it counts for the intervals, but not for CRPS and error.

    \b
    Example:
      srdi validate
      srdi validate --actuals realised.toml --json
    """
    require_extra("srdi validate", "calibration", "sklearn", "emcee", "powerlaw", "pyfixest", "scoringrules")
    from scenarios.ensembles.lock import lock_directory
    from scenarios.files.loading import load_scenario

    load_scenario("baseline", (f"run.scale={scale}", f"run.seed={seed}", f"run.replicates={draws}"))
    from calibration.forecasting.scores import read_actuals
    from calibration.studies.validation import LAST_DAY

    realised = read_actuals(actuals, LAST_DAY) if actuals else ()
    from calibration.reporting.printing import print_validation
    from calibration.reporting.report import write_report
    from calibration.studies.study import packaged_calibration
    from calibration.studies.validation import validate
    from scenarios.display.screen import print_path

    with lock_directory(out), _resume_hint(out), _progress_bars() as on_run:
        validation = validate(
            out,
            draws=draws,
            scale=scale,
            seed=seed,
            workers=workers or cores(),
            actuals=realised,
            on_run=on_run,
        )
        write_report(out / "report.html", *packaged_calibration(), validation)
    screen = table_console(as_json)
    print_validation(validation, screen)
    print_path(screen, "Runs, forecasts.json, validation.json and report.html in", out)
    if as_json:
        print_json(validation)


@click.command()
@click.argument("levers", nargs=-1, metavar="[LEVER]...")
@click.option("--scenario", default="baseline", show_default=True, help="Scenario to which each lever is added.")
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="Change a setting of the scenario.")
@click.option("--scale", type=float, default=0.02, show_default=True, help="Simulated firms per real firm.")
@click.option("--seed", type=int, default=1, show_default=True, help="Seed of the runs.")
@click.option(
    "--replicates",
    type=click.IntRange(min=1),
    default=4,
    show_default=True,
    help="Pairs of runs, with seeds from --seed on, for the sales per yuan.",
)
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Write the tables as CSV.")
@json_option
def response(
    levers: tuple[str, ...],
    *,
    scenario: str,
    settings: tuple[str, ...],
    scale: float,
    seed: int,
    replicates: int,
    out: Path | None,
    as_json: bool,
) -> None:
    """Show how supported firms respond to each LEVER (all by default), beside published estimates.

    Each lever acts from 2021 on. Every supported firm is compared with itself in a run without the lever that shares
    all random draws, at the end of the year of first support and one and four years later: productivity, employment,
    revenue and R&D. For levers that add demand, the nation's sales per yuan of public cost follow, without competition
    for demand, with competition within product niches, and in full; --replicates pairs of runs give 95 % intervals.
    Ctrl-C shows and writes what is finished.

    \b
    Example:
      srdi response matchmaking_sales governance_training --scale 0.01
      srdi response --set model.production=false --set model.displacement=false
    """
    import pandas as pd

    from calibration.firms.displacement import sales_per_yuan
    from calibration.firms.response import responses
    from scenarios.errors import InputError, nearest
    from scenarios.files.loading import load_scenario
    from scenarios.records.storage import records
    from sim.levers import Levers

    known = list(Levers.model_fields)
    for lever in levers:
        if lever not in known:
            raise InputError(f"unknown lever {lever!r}{nearest(lever, known)} (allowed: {', '.join(known)})")
    base = load_scenario(scenario, (*settings, f"run.scale={scale}", f"run.seed={seed}")).policy
    chosen = tuple(dict.fromkeys(levers or known))
    finished = {"levers": pd.DataFrame(), "sales per yuan": pd.DataFrame()}

    def keep(stage: str, on_run: StageProgress) -> LeverProgress:
        def on_lever(done: int, all_: int, rows: pd.DataFrame) -> None:
            finished[stage] = rows
            on_run(stage, done, all_)

        return on_lever

    screen = table_console(as_json)
    try:
        with _progress_bars() as on_run:
            responses(chosen, scale, seed, base, keep("levers", on_run))
            sales_per_yuan(chosen, scale, range(seed, seed + replicates), base, keep("sales per yuan", on_run))
    except KeyboardInterrupt:
        _show_responses(finished, out, screen)
        done = [rows["lever"].nunique() if len(rows) else 0 for rows in finished.values()]
        echo(f"srdi: interrupted after the effects of {done[0]} and the sales per yuan of {done[1]} levers", err=True)
        raise
    _show_responses(finished, out, screen)
    if as_json:
        table, sales = finished.values()
        print_json({"rows": records(table), "displacement": records(sales)})


@click.command()
@click.option(
    "--evidence",
    "file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help='Your own studies (TOML); with extends = "packaged" at its top they are added to those of the package.',
)
@click.option("--scale", type=float, default=0.02, show_default=True, help="Simulated firms per real firm.")
@click.option("--seed", type=int, default=1, show_default=True, help="Seed of all runs and of the draws.")
@click.option(
    "--baselines",
    type=click.IntRange(2, 10_000),
    default=200,
    show_default=True,
    help="Pairs of baselines that tell how strengths move the reported figures.",
)
@click.option("--workers", type=click.IntRange(1, 1024), help="Worker processes (default: one per core).")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("results/evidence"),
    show_default=True,
    help="Directory of runs, draws, summary and chart; an interrupted study resumes there.",
)
@json_option
def evidence(
    *, file: Path | None, scale: float, seed: int, baselines: int, workers: int | None, out: Path, as_json: bool
) -> None:
    """Repeat published studies inside the model, and draw how strongly levers act from them.

    Each study becomes a pair of runs with the same random draws that differ in the lever it is about; the effect on
    the supported firms stands beside the published one. Strengths of levers and shared mechanisms are then drawn so
    that the model agrees with the studies as far as their errors, and the doubt whether they hold in China, allow,
    and that the baseline stays at the reported figures it was fitted to.
    Results are in --out: evidence_posterior.parquet (for srdi run --params FILE), evidence.json and forest.png.
    The same settings give the same numbers.

    \b
    Example:
      srdi evidence
      srdi evidence --evidence my-studies.toml --out results/my-evidence
    """
    require_extra("srdi evidence", "calibration", "sklearn", "emcee", "threadpoolctl")
    from calibration.evidence.rows import read_evidence
    from scenarios.ensembles.lock import lock_directory
    from scenarios.files.loading import load_scenario

    load_scenario("baseline", (f"run.scale={scale}", f"run.seed={seed}"))
    rows = read_evidence(file)
    with lock_directory(out), _resume_hint(out), _progress_bars() as on_run:
        from calibration.evidence.effects import Settings
        from calibration.evidence.study import DRAWS_FILE, study
        from calibration.reporting.forest import write_forest

        settings = Settings(scale=scale, seed=seed, baselines=baselines)
        summary = study(rows, out, settings, workers=workers or cores(), on_run=on_run)
        write_forest(summary["rows"], out)
    from calibration.reporting.printing import print_evidence
    from scenarios.display.screen import print_path

    terminal = table_console(as_json)
    print_evidence(summary, terminal)
    print_path(terminal, "Draws, runs, evidence.json and forest.png in", out)
    if as_json:
        print_json(
            {
                "rows": summary["rows"],
                "none_found": [gap["lever"] for gap in summary["none_found"]],
                "draws": str(out / DRAWS_FILE),
                "parameters": summary["parameters"],
                "inside": summary["inside"],
                "minutes": summary["minutes"],
            }
        )


def _show_responses(finished: Mapping[str, pd.DataFrame], out: Path | None, screen: Console) -> None:
    """Print the tables of effects and of sales per yuan that have rows, and write them as CSV."""
    from calibration.reporting.printing import print_responses, print_sales
    from scenarios.display.screen import print_path
    from scenarios.records.storage import write_csv

    table, sales = finished.values()
    if len(table):
        print_responses(table, screen)
    if len(sales):
        print_sales(sales, screen)
    if out:
        for path, frame in ((out, table), (out.with_stem(f"{out.stem}-sales-per-yuan"), sales)):
            if len(frame):
                write_csv(frame, path)
                print_path(screen, "Table in", path)


@contextlib.contextmanager
def _resume_hint(folder: Path) -> Iterator[None]:
    """If a long command fails or is interrupted, say that it can resume from its finished runs."""
    from scenarios.errors import InputError

    try:
        yield
    except InputError:
        raise
    except (Exception, KeyboardInterrupt):
        echo(f"srdi: finished runs are kept in {folder}; the same command resumes from there", err=True)
        raise


@contextlib.contextmanager
def _progress_bars() -> Iterator[StageProgress]:
    """A callback for the progress of stages, shown as one bar per stage if stderr is a terminal."""
    if not sys.stderr.isatty():
        yield lambda stage, done, all_: None
        return
    from scenarios.display.screen import progress

    with progress(keep=True) as display:
        bars: dict[str, TaskID] = {}

        def on_run(stage: str, done: int, all_: int) -> None:
            if stage not in bars:
                bars[stage] = display.add_task(stage, total=all_)
            display.update(bars[stage], completed=done, total=all_)

        yield on_run


@contextlib.contextmanager
def _new_directory(folder: Path | None) -> Iterator[Path | None]:
    """A draft folder inside a new or empty `folder`; its files move up when the block succeeds.

    Without a folder it yields None. After a failure nothing is left behind.
    """
    from scenarios.errors import InputError

    if folder is None:
        yield None
        return
    created = not folder.exists()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise InputError(f"{folder} already exists and is not empty; name a new directory")
        draft = tempfile.TemporaryDirectory(prefix=".srdi-", dir=folder)
    except OSError as error:
        raise InputError(f"{folder} cannot be written: {error.strerror or error}") from None
    try:
        with draft:
            yield Path(draft.name)
            for file in Path(draft.name).iterdir():
                os.replace(file, folder / file.name)
    except BaseException:
        if created:
            shutil.rmtree(folder)
        raise
