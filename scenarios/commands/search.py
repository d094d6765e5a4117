"""The commands ``srdi sweep`` and ``srdi optimize``.

Only click is imported at once: ``srdi --help`` loads this file.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import click

from scenarios.commands.command import echo
from scenarios.commands.options import ensemble_options, json_option, last_line, screen_of
from scenarios.ensembles.request import EnsembleOptions
from scenarios.errors import InputError

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import Console

    from scenarios.analysis.outcomes import Outcome
    from scenarios.files.schema import RunDefaults, Scenario
    from scenarios.search.optimize import Problem, SearchFile, Trials
    from scenarios.search.paired import PairedRuns, ParetoSet


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@ensemble_options()
@json_option
def sweep(file: Path, ensemble: EnsembleOptions, as_json: bool) -> None:
    """Run a design over levers, rules, shocks and parameters: a grid, a Latin hypercube or Sobol points.

    FILE names base, method, points and factors. The base runs beside the points with the same seeds, so
    srdi compare takes the results. A factor of a lever switches the lever on; factors win over --set.

    \b
    FILE, for example:
      base = "baseline"
      method = "lhs"                      # grid, lhs, sobol
      points = 64                         # lhs, sobol
      seed = 1                            # of the design; --seed is that of the runs
      [factors."levers.sme_fund.intensity"]
      from = 0.0
      to = 2.0                            # or values = [...]; a grid needs levels = N
      [factors."parameters.exit_base"]
      from = 0.001
      to = 0.05
      log = true

    \b
    Example:
      srdi sweep fund.toml --replicates 4 --out results/fund
      srdi sweep fund.toml --replicates 4 --out results/fund --resume
    """
    from scenarios.analysis.outcomes import MAIN, read_outcome
    from scenarios.search.design import read_design
    from scenarios.search.sweep import SweepFile, sweep_scenarios, sweep_table

    design = read_design(file, SweepFile)
    (base,) = ensemble.load(design.base)
    scenarios = sweep_scenarios(design, base, file)
    with ensemble.run(scenarios, tuple(design.factors)) as results:
        from scenarios.commands.search_tables import print_sweep
        from scenarios.display.screen import say_where

        manifest = results.manifest
        outcomes = tuple(read_outcome(name, manifest["until"]) for name in MAIN)
        table = sweep_table(results, outcomes)
        screen = screen_of(as_json)
        print_sweep(table, outcomes, manifest["runs"] // len(scenarios), screen)
        if ensemble.out:
            say_where(screen, "Results in", ensemble.out)
        if as_json:
            last_line({"out": str(ensemble.out) if ensemble.out else None, **_sweep_record(manifest, table, outcomes)})


def _sweep_record(manifest: dict, table: pd.DataFrame, outcomes: tuple[Outcome, ...]) -> dict:
    from scenarios.records.storage import records

    points = records(table["factor"])
    found = {outcome.text: records(table[outcome.text]) for outcome in outcomes}
    return {
        "base": manifest["scenarios"][0]["name"],
        "factors": list(table["factor"]),
        "points": len(table),
        **{name: manifest[name] for name in ("replicates", "runs", "seconds")},
        "rows": [
            {
                "scenario": name,
                "factors": points[place],
                "outcomes": {outcome: rows[place] for outcome, rows in found.items()},
            }
            for place, name in enumerate(table.index)
        ],
    }


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@ensemble_options()
@json_option
def optimize(file: Path, ensemble: EnsembleOptions, as_json: bool) -> None:
    """Search settings for several goals at once under a budget, and print the Pareto set.

    Goals are national columns at the end of the run (NAME), at a quarter (NAME@2026Q4) or summed over the run
    (NAME:sum; public_spending_yuan always is), as differences to the base with the same seeds. Optuna chooses the
    points. The Pareto set is run again with new seeds, because points chosen for their results were lucky too; with
    --params posterior also with draws that follow those of the search.

    --out holds study.journal (the trials, which --resume goes on from, also to more trials), pareto.csv, pareto.json,
    the figure, scenarios/*.toml with the knee as best.toml, and as results directories base (on the search's seeds)
    and pareto-N (base and Pareto set after N trials, on new seeds).

    \b
    FILE, for example:
      base = "baseline"
      budget_yuan = 60e9                  # most public spending over the run; may be left out
      trials = 60
      sampler = "tpe"                     # or nsga2
      [goals]
      little_giants = "max"
      productivity_index = "max"
      public_spending_yuan = "min"
      [factors."levers.sme_fund.budget_yuan"]
      from = 0.0
      to = 40e9

    \b
    Example:
      srdi optimize goals.toml --replicates 4 --out results/search
      srdi optimize goals.toml --replicates 4 --out results/search --resume
    """
    if not ensemble.out:
        raise InputError("optimize needs --out DIR, the directory for its trials, tables and scenario files")
    ensemble.refuse_draws("optimize", crossed_only=True)
    from scenarios.analysis.outcomes import read_outcome
    from scenarios.ensembles.stages import Stages, run_settings, working_directory
    from scenarios.search.design import factors_of, read_design
    from scenarios.search.optimize import Problem, SearchFile, finished, open_study, search
    from scenarios.search.paired import PairedRuns, pareto_set

    design = read_design(file, SearchFile)
    (base,) = ensemble.load(design.base)
    settings = run_settings(ensemble, base)
    problem = Problem.of(design, factors_of(design, base, str(file)))
    goals = tuple(read_outcome(text, settings.until) for text in problem.goals)
    asked = _asked(design, base, settings, ensemble)
    # Held until the command ends.
    out = click.get_current_context().with_resource(working_directory(ensemble.out, ensemble.resume, "study.journal"))
    runs = PairedRuns(base, goals, Stages(ensemble, settings, out), design.name)
    study = open_study(out / "study.journal", problem, asked)
    screen = screen_of(as_json)

    def on_batch(trials: Trials) -> None:
        shutil.rmtree(out / "batches", ignore_errors=True)  # what the search needs of them stands in the study
        click.echo(
            f"{len(trials)} of {problem.trials} trials, {len(trials.pareto(problem))} in the Pareto set", err=True
        )

    try:
        trials = search(problem, study, runs, on_batch)
        found = pareto_set(problem, trials, runs)
    except KeyboardInterrupt:
        _print_so_far(finished(study), problem, runs, screen)
        raise
    _print_and_write(found, trials, runs, screen)
    if as_json:
        last_line(_record(found, trials, problem, out))


def _asked(design: SearchFile, base: Scenario, settings: RunDefaults, ensemble: EnsembleOptions) -> dict:
    """All that decides what a trial gives, for the study to compare when it goes on."""
    from scenarios.ensembles.jobs import model_checksum

    draws = ensemble.parameter_draws
    return {
        # More trials may be asked for of the same search; the base stands below as resolved.
        "design": design.model_dump(mode="json", by_alias=True, exclude={"trials", "base"}),
        "base": base.model_dump(mode="json", by_alias=True),
        "run": settings.model_dump(),
        "draws": [draws.identity if draws else None, ensemble.draws],
        "model": model_checksum(),
    }


def _print_so_far(trials: Trials, problem: Problem, runs: PairedRuns, screen: Console) -> None:
    if len(trials):
        from scenarios.commands.search_tables import print_trials

        print_trials(trials, problem, runs.goals, runs.name, screen)
    echo(f"srdi: {len(trials)} finished trials are kept in {runs.stages.out}; --resume goes on from there", err=True)


def _print_and_write(found: ParetoSet | None, trials: Trials, runs: PairedRuns, screen: Console) -> None:
    from scenarios.commands.search_tables import print_pareto
    from scenarios.display.screen import say, say_where
    from scenarios.search.pareto_files import write_pareto

    if found is None:
        least = trials.found.spending.mean(axis=1).min()
        say(screen, f"No trial kept to the budget; the least spending was {least:,.0f} yuan.")
        return
    out = runs.stages.out
    write_pareto(out, found, trials, runs.base, runs.goals)
    print_pareto(found, runs.goals, screen)
    say_where(
        screen, f"Table, figure and scenario files in {out}; srdi run {runs.base.name}", out / "scenarios" / "best.toml"
    )


def _record(found: ParetoSet | None, trials: Trials, problem: Problem, out: Path) -> dict:
    from scenarios.records.storage import records

    record = {"out": str(out), "trials": len(trials), "within_budget": int(trials.found.within(problem.budget).sum())}
    if found is None:
        return record | {"pareto": [], "best": None}
    return record | {
        "pareto": records(found.table()),
        "best": found.names[found.best],
        "optimism": dict(zip(problem.goals, found.optimism.tolist(), strict=True)),
    }
