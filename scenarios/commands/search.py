"""The commands ``srdi sweep`` and ``srdi optimize``.

Only click is imported at the top, because ``srdi --help`` loads this file.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import click

from scenarios.commands.command import echo
from scenarios.commands.options import ensemble_options, json_option, print_json, table_console
from scenarios.ensembles.request import EnsembleOptions
from scenarios.errors import InputError

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import Console

    from scenarios.analysis.outcomes import Outcome
    from scenarios.search.evaluation import PairedRuns, ParetoSet
    from scenarios.search.optimize import Problem, Trials


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@ensemble_options()
@json_option
def sweep(file: Path, ensemble: EnsembleOptions, as_json: bool) -> None:
    """Run a design over levers, rules, shocks and parameters: a grid, a Latin hypercube or Sobol points.

    FILE gives base, method, points and factors. The base is run with the same seeds as the points, so
    srdi compare can read the results. A factor of a lever switches the lever on; factors override --set.

    \b
    FILE, for example:
      base = "baseline"
      method = "lhs"                      # grid, lhs, sobol
      points = 64                         # lhs, sobol
      seed = 1                            # of the design; --seed is for the runs
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
    from scenarios.analysis.outcomes import DEFAULT_OUTCOMES, read_outcome
    from scenarios.search.design import read_design
    from scenarios.search.sweep import SweepFile, sweep_scenarios, sweep_table

    design = read_design(file, SweepFile)
    (base,) = ensemble.load(design.base)
    scenarios = sweep_scenarios(design, base, file)
    with ensemble.run(scenarios, tuple(design.factors)) as results:
        from scenarios.commands.search_tables import print_sweep
        from scenarios.display.screen import print_path

        manifest = results.manifest
        outcomes = tuple(read_outcome(name, manifest["until"]) for name in DEFAULT_OUTCOMES)
        table = sweep_table(results, outcomes)
        screen = table_console(as_json)
        print_sweep(table, outcomes, manifest["runs"] // len(scenarios), screen)
        if ensemble.out:
            print_path(screen, "Results in", ensemble.out)
        if as_json:
            print_json({"out": str(ensemble.out) if ensemble.out else None, **_sweep_record(manifest, table, outcomes)})


def _sweep_record(manifest: dict, table: pd.DataFrame, outcomes: tuple[Outcome, ...]) -> dict:
    from scenarios.records.storage import records

    points = records(table["factor"])
    values = {outcome.text: records(table[outcome.text]) for outcome in outcomes}
    return {
        "base": manifest["scenarios"][0]["name"],
        "factors": list(table["factor"]),
        "points": len(table),
        **{name: manifest[name] for name in ("replicates", "runs", "seconds")},
        "rows": [
            {
                "scenario": name,
                "factors": points[index],
                "outcomes": {outcome: rows[index] for outcome, rows in values.items()},
            }
            for index, name in enumerate(table.index)
        ],
    }


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@ensemble_options(doubt=True)
@json_option
def optimize(file: Path, ensemble: EnsembleOptions, as_json: bool) -> None:
    """Search settings for several goals at once under a budget, and print the Pareto set.

    Goals are national columns at the end of the run (NAME), at a quarter (NAME@2026Q4) or summed over the run
    (NAME:sum), as differences from the base with the same seeds. Public cost and its parts are always summed:
    public_cost_yuan, public_spending_yuan (through levers), tax_relief_yuan, title_awards_yuan. The budget limits
    spending through levers; public cost in full is shown beside it, over that of the base. Optuna chooses the points.
    The Pareto set is run again with new seeds, because points selected for their results also had favourable random
    draws. With parameter draws, as by default, it also uses those after the draws of the search.

    --out contains study.journal (the trials; --resume continues them, also with more trials), pareto.csv,
    pareto.json, the chart, scenarios/*.toml with the knee point as best.toml, and two results directories: base (with
    the seeds of the search) and pareto-N (base and Pareto set after N trials, with new seeds).

    \b
    FILE, for example:
      base = "baseline"
      budget_yuan = 60e9                  # upper limit of spending through levers over the run; optional
      trials = 60
      sampler = "tpe"                     # or nsga2
      [goals]
      little_giants = "max"
      productivity_index = "max"
      public_cost_yuan = "min"
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
    ensemble.refuse_parameter_draws("optimize", crossed_only=True)
    from scenarios.analysis.outcomes import read_outcome
    from scenarios.ensembles.stages import Stages, run_settings, working_directory
    from scenarios.search.design import factors_of, read_design
    from scenarios.search.evaluation import PairedRuns, pareto_set, study_request
    from scenarios.search.optimize import Problem, SearchFile, finished, open_study, search

    design = read_design(file, SearchFile)
    (base,) = ensemble.load(design.base)
    settings = run_settings(ensemble, base)
    problem = Problem.of(design, factors_of(design, base, str(file)))
    goals = tuple(read_outcome(text, settings.until) for text in problem.goals)
    request = study_request(design, base, settings, ensemble)
    # Locked until the command ends.
    out = click.get_current_context().with_resource(working_directory(ensemble.out, ensemble.resume, "study.journal"))
    runs = PairedRuns(base, goals, Stages(ensemble, settings, out), design.name)
    study = open_study(out / "study.journal", problem, request)
    screen = table_console(as_json)

    def on_batch(trials: Trials) -> None:
        shutil.rmtree(out / "batches", ignore_errors=True)  # the study has all the search needs of them
        click.echo(
            f"{len(trials)} of {problem.trials} trials, {len(trials.pareto(problem))} in the Pareto set", err=True
        )

    try:
        trials = search(problem, study, runs, on_batch)
        pareto = pareto_set(problem, trials, runs)
    except KeyboardInterrupt:
        _print_so_far(finished(study), problem, runs, screen)
        raise
    _print_and_write(pareto, trials, runs, screen)
    if as_json:
        print_json(_record(pareto, trials, problem, out))


def _print_so_far(trials: Trials, problem: Problem, runs: PairedRuns, screen: Console) -> None:
    if len(trials):
        from scenarios.commands.search_tables import print_trials

        print_trials(trials, problem, runs.goals, runs.name, screen)
    echo(f"srdi: {len(trials)} finished trials are kept in {runs.stages.out}; --resume continues from there", err=True)


def _print_and_write(pareto: ParetoSet | None, trials: Trials, runs: PairedRuns, screen: Console) -> None:
    from scenarios.commands.search_tables import print_pareto
    from scenarios.display.screen import print_path, say
    from scenarios.search.pareto_files import write_pareto

    if pareto is None:
        least = trials.evaluation.spending.mean(axis=1).min()
        say(screen, f"No trial was within the budget; the lowest spending through levers was {least:,.0f} yuan.")
        return
    out = runs.stages.out
    write_pareto(out, pareto, trials, runs.base, runs.goals)
    print_pareto(pareto, runs.goals, screen)
    print_path(
        screen, f"Table, chart and scenario files in {out}; srdi run {runs.base.name}", out / "scenarios" / "best.toml"
    )


def _record(pareto: ParetoSet | None, trials: Trials, problem: Problem, out: Path) -> dict:
    from scenarios.records.storage import records

    record = {
        "out": str(out),
        "trials": len(trials),
        "within_budget": int(trials.evaluation.within(problem.budget).sum()),
    }
    if pareto is None:
        return record | {"pareto": [], "best": None}
    return record | {
        "pareto": records(pareto.table()),
        "best": pareto.names[pareto.best],
        "optimism": dict(zip(problem.goals, pareto.optimism.tolist(), strict=True)),
    }
