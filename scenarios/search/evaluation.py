"""Runs of the model for the search: points compared with their base on the same seeds, and the Pareto set on new seeds.

If replicates use parameter draws, those of the Pareto set are also new, as far as there are enough.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from scenarios.analysis.intervals import student_interval
from scenarios.analysis.outcomes import COST, SPENDING, Outcome, measure, read_outcome
from scenarios.ensembles.jobs import model_checksum
from scenarios.ensembles.request import EnsembleOptions
from scenarios.ensembles.stages import Stages
from scenarios.files.schema import RunDefaults, Scenario
from scenarios.records.results import Results
from scenarios.search.design import DesignFile, Value, points_over
from scenarios.search.optimize import Evaluation, Problem, Trials, efficient, knee


@dataclass(frozen=True)
class PairedRuns:
    """Evaluates points by runs of the model, as differences from the base with the same seeds.

    Attributes:
        base: base scenario of every point. goals: outcomes. stages: makes the runs. name: beginning of the points'
            names.
    """

    base: Scenario
    goals: tuple[Outcome, ...]
    stages: Stages
    name: str

    def __call__(self, points: list[dict[str, Value]], done: int) -> Evaluation:
        """Run a batch of points; the base is run once, with the first batch."""
        scenarios = points_over(self.base, points, self.name, done + 1)
        base = self._measure(self.stages.run([self.base], "base"))
        outcomes = self._measure(self.stages.run(scenarios, f"batches/{done + 1:04d}"))
        return self._evaluate(outcomes, base, scenarios)

    def evaluate_on_new_seeds(self, scenarios: list[Scenario], folder: str) -> Evaluation:
        """Run scenarios and the base with new seeds and, as far as there are enough, new parameter draws."""
        results = self.stages.run([self.base, *scenarios], folder, offset=self.stages.settings.replicates)
        outcomes = self._measure(results)
        return self._evaluate(outcomes, outcomes, scenarios)

    @property
    def repeated_draws(self) -> int:
        """Number of replicates on new seeds whose parameter draw the search has used, because there are too few."""
        draws, replicates = self.stages.ensemble.parameter_draws, self.stages.settings.replicates
        return min(max(2 * replicates - len(draws), 0), replicates) if draws else 0

    def _measure(self, results: Results) -> pd.DataFrame:
        until = self.stages.settings.until
        return measure(results.national, (*self.goals, read_outcome(SPENDING, until), read_outcome(COST, until)))

    def _evaluate(self, outcomes: pd.DataFrame, base: pd.DataFrame, scenarios: list[Scenario]) -> Evaluation:
        names = [goal.text for goal in self.goals]
        plain = base.loc[self.base.name]
        rows = [outcomes.loc[scenario.name].reindex(plain.index) for scenario in scenarios]
        return Evaluation(
            np.array([self._goals(row[names].to_numpy(), plain[names].to_numpy()) for row in rows]),
            np.array([row[SPENDING].to_numpy() for row in rows]),
            np.array([(row[COST] - plain[COST]).to_numpy() for row in rows]),
        )

    def _goals(self, values: np.ndarray, plain: np.ndarray) -> np.ndarray:
        """Goals of a point from its outcomes and those of the base, each float64 (replicates, goals)."""
        return values - plain


@dataclass(frozen=True, kw_only=True)
class ParetoSet:
    """The Pareto set of a search, with its results in the search and on new seeds.

    Attributes:
        trial_indices: int64 (points,), in `Trials`. names: of the scenarios. points: values by key.
        in_search, on_new_seeds: results on the search's own seeds and on new ones.
        repeated_draws: replicates on the new seeds whose parameter draw the search has used.
    """

    problem: Problem
    trial_indices: np.ndarray
    names: tuple[str, ...]
    points: list[dict[str, Value]]
    in_search: Evaluation
    on_new_seeds: Evaluation
    repeated_draws: int = 0

    @property
    def within_budget(self) -> np.ndarray:
        """Whether the points are within the budget on the new seeds, bool (points,)."""
        return self.on_new_seeds.within(self.problem.budget)

    @property
    def still_efficient(self) -> np.ndarray:
        """Whether each point is not dominated by a point within the budget on the new seeds, bool (points,)."""
        values = self.problem.signs * self.on_new_seeds.goals.mean(axis=1)
        return np.array([efficient(np.vstack([value, values[self.within_budget]]))[0] for value in values])

    @property
    def best(self) -> int:
        """Index of the knee on the new seeds, among the points that are efficient and within the budget there.

        If there are none, among those within the budget; if there are none either, among all points.
        """
        within = self.within_budget
        choices = (within & self.still_efficient, within, np.full_like(within, True))
        indices = np.flatnonzero(next(allowed for allowed in choices if allowed.any()))
        return int(indices[knee(self.problem.signs * self.on_new_seeds.goals[indices].mean(axis=1))])

    @property
    def optimism(self) -> np.ndarray:
        """How much better each goal was in the search than on new seeds, mean over the points, float64 (goals,)."""
        return (self.problem.signs * (self.in_search.goals.mean(axis=1) - self.on_new_seeds.goals.mean(axis=1))).mean(
            axis=0
        )

    def table(self) -> pd.DataFrame:
        """One row per point: scenario, best, its factors, and for each goal the mean difference from the base.

        The columns of a goal are NAME with NAME_low and NAME_high (95 % interval of the mean) in the search, and
        NAME_again, NAME_again_low and NAME_again_high on the new seeds. Further columns: cost_yuan and
        cost_yuan_again (mean public cost over that of the base), spending_yuan and spending_yuan_again (mean, through
        levers), within_budget and efficient (on the new seeds).
        """
        rows = pd.DataFrame({"scenario": self.names, "best": np.arange(len(self.names)) == self.best})
        rows = rows.join(pd.DataFrame(self.points))
        for suffix, outcomes in (("", self.in_search), ("_again", self.on_new_seeds)):
            for values, end in zip(student_interval(outcomes.goals, axis=1), ("", "_low", "_high"), strict=True):
                for index, goal in enumerate(self.problem.goals):
                    rows[f"{goal}{suffix}{end}"] = values[:, index]
            rows[f"cost_yuan{suffix}"] = outcomes.cost.mean(axis=1)
            rows[f"spending_yuan{suffix}"] = outcomes.spending.mean(axis=1)
        return rows.assign(within_budget=self.within_budget, efficient=self.still_efficient)


def pareto_set(problem: Problem, trials: Trials, runs: PairedRuns) -> ParetoSet | None:
    """Run the Pareto set of the trials again with new seeds; None if no trial is within the budget."""
    indices = trials.pareto(problem)
    if not len(indices):
        return None
    scenarios = [points_over(runs.base, [trials.points[index]], runs.name, index + 1)[0] for index in indices.tolist()]
    return ParetoSet(
        problem=problem,
        trial_indices=indices,
        names=tuple(scenario.name for scenario in scenarios),
        points=[trials.points[index] for index in indices.tolist()],
        in_search=trials.evaluation.of(indices),
        on_new_seeds=runs.evaluate_on_new_seeds(scenarios, f"pareto-{len(trials):04d}"),
        repeated_draws=runs.repeated_draws,
    )


def study_request(design: DesignFile, base: Scenario, settings: RunDefaults, ensemble: EnsembleOptions) -> dict:
    """Everything that determines the result of a trial; the study compares it when it is resumed."""
    draws = ensemble.parameter_draws
    return {
        # The numbers of trials and of final runs may change; the base is stored below as resolved.
        "design": design.model_dump(mode="json", by_alias=True, exclude={"trials", "final", "base"}),
        "base": base.model_dump(mode="json", by_alias=True),
        "run": settings.model_dump(),
        "draws": [draws.identity if draws else None, ensemble.crossed_draws],
        "model": model_checksum(),
    }
