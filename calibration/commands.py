"""The commands ``srdi facts``, ``calibrate`` and ``validate``, found through the entry-point group ``srdi.commands``.

Only click is imported at once: ``srdi --help`` loads this file.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from scenarios.commands.command import echo
from scenarios.commands.options import json_option, last_line, screen_of
from scenarios.ensembles.machine import cores
from scenarios.errors import require_extra

if TYPE_CHECKING:
    from rich.progress import TaskID

    from calibration.fitting.fit import Progress as Told


@click.command()
@click.option("--scale", type=float, default=0.02, show_default=True, help="Simulated firms per real firm.")
@click.option("--seed", type=int, default=1, show_default=True, help="Seed of the run.")
@click.option("--until", type=int, metavar="YYYY", default=2024, show_default=True, help="Last year of the run.")
@click.option("--figures", type=click.Path(path_type=Path), metavar="DIR", help="New directory for figures (PNG, SVG).")
@json_option
def facts(scale: float, seed: int, until: int, figures: Path | None, as_json: bool) -> None:
    """Hold the baseline against stylised facts of firms: growth, size, exit, supply, certificates, R&D.

    The model runs twice, as it is and without R&D thresholds. With --json the table goes to stderr.

    \b
    Example:
      srdi facts --scale 0.02 --seed 1 --until 2024 --figures results/facts
    """
    require_extra("srdi facts", "calibration", "powerlaw")
    from scenarios.files.loading import load_scenario

    # The scenario schema knows the allowed ranges and says what is wrong in one sentence.
    load_scenario("baseline", (f"run.scale={scale}", f"run.seed={seed}", f"run.until={until}"))
    with _filled_when_done(figures) as draft:
        from calibration.firms.facts import facts_of, observe_both

        kept, free = observe_both(scale, seed, until)
        found = facts_of(kept, free)
        if draft:
            from calibration.firms.figures import write_figures

            write_figures(kept, free, draft)
    from calibration.reporting.tables import print_facts
    from scenarios.display.screen import say_where

    records = [fact.record() for fact in found]
    screen = screen_of(as_json)
    print_facts(records, screen)
    if figures:
        say_where(screen, "Figures in", figures)
    if as_json:
        last_line({"facts": records})


@click.command()
@click.option("--scale", type=float, default=0.05, show_default=True, help="Simulated firms per real firm.")
@click.option("--seed", type=int, default=1, show_default=True, help="Seed of designs, chains and runs.")
@click.option("--first", type=click.IntRange(50), default=600, show_default=True, help="Runs over the priors.")
@click.option("--later", type=click.IntRange(50), default=400, show_default=True, help="Runs of each later wave.")
@click.option("--draws", type=click.IntRange(200), default=1000, show_default=True, help="Posterior draws to keep.")
@click.option("--workers", type=click.IntRange(1, 1024), help="Worker processes (default: one per core).")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("results/calibration"),
    show_default=True,
    help="Directory of runs, posterior and report; an interrupted fit goes on there.",
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
    """Fit the free parameters to the reported figures known on 8 March 2024.

    Runs over the priors teach an emulator, five more waves sharpen it where the posterior lies, emcee draws from
    it, and every figure is predicted by runs with posterior draws. Everything is kept in --out: posterior.parquet
    (for srdi run --params FILE), calibration.json and report.html. The same settings give the same numbers.

    \b
    Example:
      srdi calibrate
      srdi calibrate --screen
    """
    require_extra("srdi calibrate", "calibration", "sklearn", "emcee", "powerlaw", "threadpoolctl")
    from scenarios.ensembles.lock import only_one
    from scenarios.files.loading import load_scenario

    load_scenario("baseline", (f"run.scale={scale}", f"run.seed={seed}"))
    workers = workers or cores()
    terminal = screen_of(as_json)
    with only_one(out), _kept(out), _stages() as on_run:
        if screen:
            from calibration.fitting.screening import screen_all
            from calibration.reporting.tables import print_screening

            table = screen_all(out, scale=scale, seed=seed, workers=workers, on_run=on_run)
            table.to_csv(out / "screening.csv")
            print_screening(table, terminal)
            if as_json:
                last_line({"screening": str(out / "screening.csv")})
            return
        from calibration.fitting.fit import Settings
        from calibration.reporting.report import write_report
        from calibration.studies.study import POSTERIOR, calibrate, read_posterior

        settings = Settings(scale=scale, seed=seed, first=first, later=later, draws=draws)
        summary = calibrate(out, settings, workers, on_run)
        write_report(out / "report.html", summary, read_posterior(out / POSTERIOR))
    from calibration.reporting.tables import print_calibration
    from scenarios.display.screen import say_where

    print_calibration(summary, terminal)
    say_where(terminal, "Posterior, runs and report.html in", out)
    if as_json:
        inside = summary["inside"]["fit"]
        last_line(
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
@click.option("--draws", type=click.IntRange(20), default=200, show_default=True, help="Posterior draws, a run each.")
@click.option("--scale", type=float, default=0.05, show_default=True, help="Simulated firms per real firm.")
@click.option("--seed", type=int, default=1, show_default=True, help="Seed of the first run.")
@click.option("--actuals", type=click.Path(path_type=Path), metavar="FILE", help="Realised figures (TOML) to score.")
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
    """Hold the calibrated model against reported figures, stylised facts and published estimates, and forecast.

    With --actuals the forecasts are scored against realised figures and against two naive forecasts.

    \b
    Example:
      srdi validate
      srdi validate --actuals realised.toml --json
    """
    require_extra("srdi validate", "calibration", "sklearn", "emcee", "powerlaw", "pyfixest", "scoringrules")
    from scenarios.ensembles.lock import only_one
    from scenarios.files.loading import load_scenario

    load_scenario("baseline", (f"run.scale={scale}", f"run.seed={seed}", f"run.replicates={draws}"))
    from calibration.forecasting.scores import read_actuals
    from calibration.studies.validation import LAST_DAY

    given = read_actuals(actuals, LAST_DAY) if actuals else ()
    from calibration.reporting.report import write_report
    from calibration.reporting.tables import print_validation
    from calibration.studies.study import packaged
    from calibration.studies.validation import validate
    from scenarios.display.screen import say_where

    with only_one(out), _kept(out), _stages() as on_run:
        found = validate(
            out,
            draws=draws,
            scale=scale,
            seed=seed,
            workers=workers or cores(),
            actuals=given,
            on_run=on_run,
        )
        write_report(out / "report.html", *packaged(), found)
    screen = screen_of(as_json)
    print_validation(found, screen)
    say_where(screen, "Runs, forecasts.json, validation.json and report.html in", out)
    if as_json:
        last_line(found)


@contextlib.contextmanager
def _kept(folder: Path) -> Iterator[None]:
    """Say, when a long command does not end, that it goes on from its finished runs."""
    from scenarios.errors import InputError

    try:
        yield
    except InputError:
        raise
    except (Exception, KeyboardInterrupt):
        echo(f"srdi: what is finished is kept in {folder}; the same command goes on from there", err=True)
        raise


@contextlib.contextmanager
def _stages() -> Iterator[Told]:
    """A callback told of a stage, what is done of it and all of it: one bar a stage on stderr if it is a terminal."""
    if not sys.stderr.isatty():
        yield lambda stage, done, all_: None
        return
    from scenarios.display.screen import progress

    with progress(keep=True) as shown:
        bars: dict[str, TaskID] = {}

        def on_run(stage: str, done: int, all_: int) -> None:
            if stage not in bars:
                bars[stage] = shown.add_task(stage, total=all_)
            shown.update(bars[stage], completed=done, total=all_)

        yield on_run


@contextlib.contextmanager
def _filled_when_done(folder: Path | None) -> Iterator[Path | None]:
    """A draft folder inside a new or empty `folder`, whose files move up when the block ends well.

    Without a folder it gives None. After a failure nothing is left behind.
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
