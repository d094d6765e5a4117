"""``srdi target``: the cheapest settings found at which the levels are met with the chance asked for.

Luck helps the points that a search selects, so the answer comes in three stages, each with seeds and, as far as there
are enough, parameter draws of its own: the search; a check of the cheapest points that met the target in it, until one
meets it in both together; and the final runs of that point, which alone are reported.
"""

from __future__ import annotations

import math
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd

from scenarios.analysis.intervals import band_columns, share_interval
from scenarios.analysis.outcomes import COST, measure, read_outcome
from scenarios.analysis.value import PARTS
from scenarios.ensembles.default_draws import default_draws
from scenarios.ensembles.request import EnsembleOptions
from scenarios.ensembles.stages import Stages, run_settings, working_directory
from scenarios.errors import InputError
from scenarios.files.labels import Label
from scenarios.files.loading import flatten
from scenarios.files.schema import Scenario, build
from scenarios.records.kept import table_of
from scenarios.records.results import Results
from scenarios.records.storage import records
from scenarios.search.design import (
    Factor,
    Value,
    apply_point,
    factors_of,
    known_settings,
    make_design,
    points_over,
    read_design,
)
from scenarios.search.evaluation import PairedRuns, study_request
from scenarios.search.optimize import Evaluation, Trials, open_study, search
from scenarios.search.target import Level, TargetFile, TargetProblem, check_free, met_share, read_levels
from sim.arguments import quoted

#: Runs of each point in the search; more than other commands have, because a chance is a share of runs.
REPLICATES = 20
#: File of the trials, which marks a directory of the command.
STUDY = "target.journal"
#: Names of the scenario found, and of the one that comes nearest if none was.
ANSWER, NEAREST = "answer", "nearest"
#: Points checked at the same time.
_CHECKED = 8


@dataclass(frozen=True)
class TargetRuns(PairedRuns):
    """Evaluates points by how far they meet the levels: the goals are margins, 0 or more where a run meets a level.

    Attributes:
        levels: what is to be met; `goals` has their outcomes.
        scales: float64 (levels,), what a margin is divided by, so that the margins of levels can be compared.
    """

    levels: tuple[Level, ...]
    scales: np.ndarray

    @classmethod
    def of(cls, base: Scenario, levels: tuple[Level, ...], stages: Stages, name: str) -> TargetRuns:
        """Runs the base; a margin is divided by the standard deviation of the base's runs.

        If they do not vary, it is divided by the level, and by 1 if that is 0.
        """
        outcomes = tuple(level.outcome for level in levels)
        measured = measure(stages.run([base], "base").national, outcomes)
        scales = []
        for level in levels:
            values = measured[level.outcome.text].to_numpy()
            spread = float(np.std(values, ddof=1)) if len(values) > 1 else 0.0
            scales.append(spread or abs(level.value) or 1.0)
        return cls(base, outcomes, stages, name, levels, np.array(scales))

    def check(self, points: list[dict[str, Value]], done: int, folder: str) -> Evaluation:
        """Run points with new seeds; `done` is the number of points checked before."""
        return self.evaluate_on_new_seeds(
            points_over(self.base, points, self.name, done + 1), f"{folder}/{done + 1:04d}"
        )

    def _goals(self, values: np.ndarray, plain: np.ndarray) -> np.ndarray:
        margins = [level.margins(values[:, place]) for place, level in enumerate(self.levels)]
        return np.stack(margins, axis=1) / self.scales


@dataclass(frozen=True)
class Choice:
    """The point a search has chosen.

    Attributes:
        point: values by key. reachable: whether it met the target in the search and its check together.
        share: of the runs of both that met it; chosen for it, so too high on average.
    """

    point: dict[str, Value]
    reachable: bool
    share: float


def choose(
    problem: TargetProblem, trials: Trials, check: Callable[[list[dict[str, Value]], int], Evaluation]
) -> Choice:
    """The cheapest point that meets the target in the search and on new seeds together, else the nearest.

    The nearest has the highest share of runs that meet the target; of equal ones, the one that falls least short, then
    the cheapest.

    Args:
        check: evaluates points on new seeds; its second argument is the number of points checked before.
    """
    firsts = {repr(point): place for place, point in reversed(list(enumerate(trials.points)))}
    places = np.array(sorted(firsts.values()))
    excess = problem.misses(trials.evaluation.of(places))
    cost = trials.evaluation.cost[places].mean(axis=1)
    # Those that met the target come first, the cheapest of them at the head; then the others, the nearest at the head.
    order = places[np.lexsort((cost, np.maximum(excess, 0.0)))]
    promising = int((excess <= 0.0).sum())
    checked: list[tuple[dict[str, Value], Evaluation]] = []
    while len(checked) < max(promising, min(_CHECKED, len(order))):
        batch = order[len(checked) : len(checked) + _CHECKED]
        again = check([trials.points[place] for place in batch.tolist()], len(checked))
        both = _joined(trials.evaluation.of(batch), again)
        fresh = [(trials.points[place], both.of(np.array([row]))) for row, place in enumerate(batch.tolist())]
        met = [(point, found) for point, found in fresh if problem.met(found)[0]]
        if met:
            point, found = min(met, key=lambda each: float(each[1].cost.mean()))
            return Choice(point, True, met_share(found.goals[0]))
        checked += fresh
    point, found = min(
        checked,
        key=lambda each: (-met_share(each[1].goals[0]), problem.misses(each[1])[0], float(each[1].cost.mean())),
    )
    return Choice(point, False, met_share(found.goals[0]))


def _joined(first: Evaluation, second: Evaluation) -> Evaluation:
    """The results of the same points in two sets of replicates."""
    names = ("goals", "spending", "cost")
    return Evaluation(*(np.concatenate([getattr(each, name) for each in (first, second)], axis=1) for name in names))


@dataclass(frozen=True, kw_only=True)
class Target:
    """The answer to a target: settings, chance and cost, all from runs with luck that the search has not had.

    Attributes:
        levels: what was asked for. chance: with what chance.
        reachable: whether the search found settings that meet it; if not, the scenario is the nearest.
        base, scenario: before and with the settings. point: the settings, by dotted key.
        rows: one row per number. Columns: scenario; quantity; level (text of the level, or empty); unit; value, low and
            high; label and studies (see `scenarios.files.labels`). Of both scenarios: chance (share of the runs that
            meet all levels) and level_met (those that meet one), with 95 % intervals by Wilson; level (mean, with 10
            and 90 % of the runs); level_reached (the value that the share asked for reaches or keeps to);
            public_cost_total_yuan (over the run). Of the scenario also public_cost_yuan (over that of the base, pair by
            pair) and its parts cost_lever_yuan, cost_tax_yuan and cost_title_yuan; and chance_in_search, for which it
            was chosen.
        settings: one row per free setting: setting, unit, base (its value there, None if the lever is off), value,
            low and high (its range; None if values were listed), label and studies (what its effect rests on).
        runs: of each scenario on new luck. folder: results directory of these runs, within that of the search.
        until: last year of the runs.
        tried: one row per point tried, in order: public_cost_yuan (over that of the base, mean over the runs of the
            search) and met (share of these that meet all levels).
        repeated_draws: final runs whose parameter draw the search has used, because there are too few.
        parameters_vary: whether runs differ in parameters, not only in random draws.
    """

    FILE: ClassVar[str] = "target.json"
    COMMAND: ClassVar[str] = "srdi target FILE --out DIR --resume"

    levels: tuple[Level, ...]
    chance: float
    reachable: bool
    base: Scenario
    scenario: Scenario
    point: Mapping[str, Value]
    rows: pd.DataFrame
    settings: pd.DataFrame
    runs: int
    folder: str
    until: int
    tried: pd.DataFrame
    repeated_draws: int
    parameters_vary: bool

    @property
    def verdict(self) -> str:
        """Whether the final runs meet the chance asked for: ``met``, ``within sampling error`` or ``missed``."""
        row = self.number("chance")
        if row["value"] >= self.chance:
            return "met"
        return "within sampling error" if row["high"] >= self.chance else "missed"

    def number(self, quantity: str, level: str = "", scenario: str | None = None) -> dict:
        """A row of `rows`, of the scenario found unless another is named."""
        rows = self.rows
        chosen = (rows["scenario"] == (scenario or self.scenario.name)) & (rows["quantity"] == quantity)
        return rows[chosen & (rows["level"] == level)].iloc[0].to_dict()

    def records(self) -> dict:
        """Plain values for JSON: what was asked, reachable, verdict, settings, rows; None for what is missing."""
        return {
            "levels": [level.text for level in self.levels],
            "chance": self.chance,
            "reachable": self.reachable,
            "verdict": self.verdict,
            "base": self.base.name,
            "scenario": self.scenario.name,
            "trials": len(self.tried),
            "runs": self.runs,
            "repeated_draws": self.repeated_draws,
            "settings": records(self.settings),
            "rows": records(self.rows),
        }

    def stored(self) -> dict:
        """As `Keepable.stored`."""
        return {
            **self.records(),
            **{name: getattr(self, name) for name in ("folder", "until", "parameters_vary")},
            "point": dict(self.point),
            "scenarios": [each.model_dump(by_alias=True, mode="json") for each in (self.base, self.scenario)],
            "tried": records(self.tried),
        }

    @classmethod
    def of_stored(cls, values: Mapping[str, Any]) -> Self:
        """As `Keepable.of_stored`."""
        base, scenario = (build(each, cls.FILE) for each in values["scenarios"])
        return cls(
            levels=read_levels(tuple(values["levels"]), values["until"]),
            base=base,
            scenario=scenario,
            rows=table_of(values["rows"]),
            settings=pd.DataFrame(values["settings"], dtype=object),
            tried=table_of(values["tried"]),
            **{
                name: values[name]
                for name in (
                    *("chance", "reachable", "point", "runs", "folder", "until", "repeated_draws"),
                    "parameters_vary",
                )
            },
        )


def target(
    file: str | Path | Mapping[str, Any],
    *,
    out: str | Path,
    params: str | None = None,
    on_batch: Callable[[Trials, TargetProblem], None] = lambda trials, problem: None,
    **options: Any,
) -> Target:
    """Search the cheapest settings at which levels of national outcomes are met with a chance.

    Args:
        file: of ``srdi target``, or its content as a dict. out: new directory for the trials and runs.
        params: parameter draws or values as in ``--params``; None takes those of `default_draws`.
        on_batch: called with the trials so far after each batch.
        options: replicates (of each point, default 20), scale, seed, until, settings (``KEY=VALUE``), workers, threads,
            scheduler, resume, as on the command line.

    Raises:
        InputError: the file or an option is not valid, or the directory cannot be used.

    Example:
        >>> target("target.toml", out="results/target").rows  # doctest: +SKIP
    """
    known = {"replicates", "scale", "seed", "until", "settings", "workers", "threads", "scheduler", "resume"}
    for name in options:
        if name not in known:
            raise InputError(f"unknown option {name} (allowed: {', '.join(sorted(known))})")
    given = EnsembleOptions(out=Path(out), params=params or default_draws().name, **options)
    return find_target(file, given, on_batch)


def find_target(
    file: str | Path | Mapping[str, Any],
    ensemble: EnsembleOptions,
    on_batch: Callable[[Trials, TargetProblem], None] = lambda trials, problem: None,
) -> Target:
    """As `target`, with the options of a command."""
    directory = ensemble.out
    if not directory:
        raise InputError("target needs --out DIR, the directory for its trials, tables and scenario files")
    ensemble.refuse_parameter_draws("target", crossed_only=True)
    if isinstance(file, Mapping):
        source, design = "target", make_design(dict(file), TargetFile, "target", "target")
    elif isinstance(file, str | Path):
        source, design = str(file), read_design(Path(file), TargetFile)
    else:
        raise InputError(f"file is {quoted(file)}; allowed are the path of a file and its content as a dict")
    ensemble = replace(ensemble, replicates=ensemble.replicates or REPLICATES)
    (base,) = ensemble.load(design.base)
    settings = run_settings(ensemble, base)
    check_free(design.factors, source)
    factors = factors_of(design, base, source)
    levels = read_levels(design.levels, settings.until)
    problem = TargetProblem.of(design, factors)
    with working_directory(directory, ensemble.resume, STUDY) as out:
        # Opened before the first run, so that a directory of another search is refused at once.
        study = open_study(out / STUDY, problem, study_request(design, base, settings, ensemble))
        runs = TargetRuns.of(base, levels, Stages(ensemble, settings, out), design.name)

        def after_batch(found: Trials) -> None:
            shutil.rmtree(out / "batches", ignore_errors=True)  # the study has all the search needs of them
            on_batch(found, problem)

        trials = search(problem, study, runs, after_batch)
        folder = f"check-{len(trials):04d}"
        choice = choose(problem, trials, lambda points, done: runs.check(points, done, folder))
        return _answer(choice, design, problem, trials, runs)


def _answer(choice: Choice, design: TargetFile, problem: TargetProblem, trials: Trials, runs: TargetRuns) -> Target:
    """Run the point chosen with new luck and measure it there."""
    base, stages = runs.base, runs.stages
    name = ANSWER if choice.reachable else NEAREST
    title = f"{'Meets' if choice.reachable else 'Nearest to'} the target of {design.name} over {base.name}"
    scenario = apply_point(base, choice.point, name if name != base.name else f"{name}-2", title)
    found = "; ".join(f"{key} = {value}" for key, value in choice.point.items())
    scenario = scenario.model_copy(update={"description": f"Found by srdi target: {found}."[:5000]})
    used = 2 * stages.settings.replicates
    folder = f"final-{len(trials):04d}-{design.final:04d}"
    results = stages.run([base, scenario], folder, offset=used, replicates=design.final)
    tried = trials.evaluation
    draws = stages.ensemble.parameter_draws
    number = len(draws) if draws else 0
    return Target(
        levels=runs.levels,
        chance=design.chance,
        reachable=choice.reachable,
        base=base,
        scenario=scenario,
        point=choice.point,
        rows=pd.DataFrame(_rows(results, runs.levels, design.chance, base.name, scenario.name, choice.share)),
        settings=pd.DataFrame(list(_settings(results, problem.factors, base, choice.point)), dtype=object),
        runs=design.final,
        folder=folder,
        until=results.manifest["until"],
        tried=pd.DataFrame(
            {"public_cost_yuan": tried.cost.mean(axis=1), "met": [met_share(goals) for goals in tried.goals]}
        ),
        repeated_draws=sum((used + run) % number < used for run in range(design.final)) if number else 0,
        parameters_vary=results.national["draw"].nunique() > 1,
    )


def _rows(
    results: Results, levels: tuple[Level, ...], chance: float, base: str, found: str, share: float
) -> Iterator[dict]:
    """The rows of `Target.rows`."""
    money = {name: read_outcome(name, results.manifest["until"]) for name in (COST, *PARTS.values())}
    outcomes = (*(level.outcome for level in levels), *money.values())
    measured = measure(results.national, outcomes)
    plain = measured.loc[base]
    for name in (found, base):
        values = measured.loc[name].reindex(plain.index)
        label = results.level_label(name).columns
        met = {level.text: level.margins(values[level.outcome.text].to_numpy()) >= 0.0 for level in levels}
        yield _row(name, "chance", "", "share", _share_ends(np.all(list(met.values()), axis=0)), label)
        if name == found:
            yield _row(name, "chance_in_search", "", "share", {"value": share}, label)
        for level in levels:
            of_runs, unit = values[level.outcome.text].to_numpy(), level.outcome.unit
            yield _row(name, "level", level.text, unit, band_columns(of_runs), label)
            yield _row(name, "level_reached", level.text, unit, {"value": level.reached(of_runs, chance)}, label)
            yield _row(name, "level_met", level.text, "share", _share_ends(met[level.text]), label)
        yield _row(name, "public_cost_total_yuan", "", "yuan", band_columns(values[COST].to_numpy()), label)
    change = measured.loc[found].reindex(plain.index) - plain
    label = results.change_label(base, found).columns
    for quantity, column in {"public_cost_yuan": COST, **PARTS}.items():
        yield _row(found, quantity, "", "yuan", band_columns(change[column].to_numpy()), label)


def _row(
    scenario: str, quantity: str, level: str, unit: str, ends: Mapping[str, float], label: Mapping[str, str]
) -> dict:
    numbers = {"value": math.nan, "low": math.nan, "high": math.nan, **ends}
    return {"scenario": scenario, "quantity": quantity, "level": level, "unit": unit, **numbers, **label}


def _share_ends(wins: np.ndarray) -> dict[str, float]:
    low, high = share_interval(int(wins.sum()), len(wins))
    return {"value": float(wins.mean()), "low": low, "high": high}


def _settings(
    results: Results, factors: tuple[Factor, ...], base: Scenario, point: Mapping[str, Value]
) -> Iterator[dict]:
    """The rows of `Target.settings`."""
    before = flatten(base.model_dump(by_alias=True, mode="json"))
    for factor in factors:
        group, name = factor.key.split(".")[:2]
        lever = group == "levers"
        label = results.lever_labels[name] if lever else Label("fitted")  # of rules as in `labels.change_label`
        yield {
            "setting": factor.key,
            "unit": known_settings()[factor.key]["unit"],
            "base": before[factor.key] if not lever or before[f"levers.{name}.enabled"] else None,
            "value": point[factor.key],
            "low": None if factor.values is not None else factor.low,
            "high": None if factor.values is not None else factor.high,
            **label.columns,
        }
