"""The command ``srdi sensitivity``.

Imports other than click are delayed, because ``srdi --help`` loads this file.
"""

from __future__ import annotations

import contextlib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from scenarios.commands.options import Names, ensemble_options, json_option, print_json, table_console
from scenarios.ensembles.request import OUT_HINT, EnsembleOptions, temporary_directory
from scenarios.errors import InputError

if TYPE_CHECKING:
    from calibration.sensitivity.analysis import Sensitivity
    from scenarios.analysis.outcomes import Outcome


@click.command()
@click.option(
    "--factors", "file", type=click.Path(path_type=Path), metavar="FILE", help="Factors to vary (base, seed, factors)."
)
@click.option(
    "--parameters",
    type=Names(["free", "all", "none"]),
    help="Parameters to vary over their priors: the fitted ones, all with a prior, none (default: none with "
    "--factors, else free).",
)
@click.option(
    "--output",
    "outputs",
    multiple=True,
    metavar="NAME",
    help="National column: NAME at the end of the run, NAME@2024Q4, or NAME:sum (repeatable; default little_giants, "
    "srdi_smes, productivity_index, and public_cost_yuan and public_spending_yuan, which are summed).",
)
@click.option("--trajectories", type=click.IntRange(2), default=10, show_default=True, help="Morris trajectories.")
@click.option("--samples", type=click.IntRange(2), default=64, show_default=True, help="Saltelli base samples.")
@click.option("--keep", type=click.IntRange(1), default=8, show_default=True, help="Factors that get Sobol indices.")
@click.option("--repeats", type=click.IntRange(2), default=8, show_default=True, help="Other seeds at the centre.")
@ensemble_options(replicates=1)
@json_option
def sensitivity(
    *,
    file: Path | None,
    parameters: str | None,
    outputs: tuple[str, ...],
    trajectories: int,
    samples: int,
    keep: int,
    repeats: int,
    ensemble: EnsembleOptions,
    as_json: bool,
) -> None:
    """Find the drivers of each output among parameters and settings: Morris screening, then Sobol indices.

    Morris trajectories rank all factors by their elementary effects. The --keep strongest get first-order and total
    Sobol indices with bootstrap intervals (Saltelli design); the others stay at the centre of their range.
    All points share their seeds. The centre is also evaluated with other seeds, which gives the share of simulation
    noise: an index whose interval does not lie above that share is not reliable.

    Without --factors, the fitted parameters vary over their priors, not over the posterior.
    The factors file has the format of srdi sweep, without method and points. Runs: repeats + trajectories x
    (factors + 1) + samples x (keep + 2), times --replicates.

    \b
    Example:
      srdi sensitivity --until 2024 --out results/drivers
      srdi sensitivity --factors fund.toml --output little_giants --output productivity_index@2026Q4
    """
    if samples & (samples - 1):
        power = 2 ** (samples.bit_length() - 1)
        raise InputError(f"--samples is {samples}; Sobol designs need a power of two: {power} or {2 * power}")
    from calibration.fitting.priors import Priors, read_priors
    from calibration.sensitivity.analysis import FIRST_STAGE, run_sensitivity, runs_needed, space_of
    from scenarios.analysis.outcomes import DEFAULT_OUTCOMES, read_outcome
    from scenarios.ensembles.stages import Stages, run_settings, working_directory
    from scenarios.search.design import DesignFile, factors_of, read_design

    ensemble.refuse_parameter_draws("sensitivity", crossed_only=False)
    design = read_design(file, DesignFile) if file else None
    (base,) = ensemble.load(design.base if design else "baseline")
    settings = run_settings(replace(ensemble, replicates=ensemble.replicates or 1), base)
    chosen = tuple(read_outcome(text, settings.until) for text in dict.fromkeys(outputs or DEFAULT_OUTCOMES))
    parameters = parameters or ("none" if design else "free")
    priors = {"all": read_priors(), "free": read_priors().only("free"), "none": Priors({})}[parameters]
    space = space_of(factors_of(design, base, str(file)) if design else (), priors)
    keep = min(keep, len(space.keys))
    counts = runs_needed(len(space.keys), trajectories, samples, keep)
    with contextlib.ExitStack() as stack:
        if ensemble.out:
            out = stack.enter_context(working_directory(ensemble.out, ensemble.resume, FIRST_STAGE))
        else:
            out = stack.enter_context(temporary_directory(OUT_HINT))
        click.echo(f"{repeats} repeats, {counts[0]} Morris points, {counts[1]} Sobol points", err=True)
        result = run_sensitivity(
            base,
            space,
            chosen,
            Stages(ensemble, settings, out),
            trajectories=trajectories,
            samples=samples,
            keep=keep,
            repeats=repeats,
            seed=design.seed if design else 1,
        )
        _print_and_write(result, chosen, ensemble, as_json)


def _print_and_write(
    result: Sensitivity, outcomes: tuple[Outcome, ...], ensemble: EnsembleOptions, as_json: bool
) -> None:
    from calibration.sensitivity.printing import print_sensitivity
    from calibration.sensitivity.printing import record as record_of
    from scenarios.display.screen import print_path
    from scenarios.records.storage import atomic_file, write_json

    screen = table_console(as_json)
    print_sensitivity(result, outcomes, screen)
    record = {"out": str(ensemble.out) if ensemble.out else None, **record_of(result, outcomes)}
    if ensemble.out:
        write_json(record, ensemble.out / "sensitivity.json")
        with atomic_file(ensemble.out / "sensitivity.csv") as draft:
            result.table().to_csv(draft, encoding="utf-8-sig")
        print_path(screen, "Runs, sensitivity.json and sensitivity.csv in", ensemble.out)
    if as_json:
        print_json(record)
