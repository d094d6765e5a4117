"""What the search asks of the model: points against their base, paired over seeds, and the Pareto set on new ones.

Where replicates take parameter draws, those of the Pareto set are new too, as far as there are others.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from scenarios.analysis.intervals import student_interval
from scenarios.analysis.outcomes import SPENDING, Outcome, measure, read_outcome
from scenarios.ensembles.stages import Stages
from scenarios.files.schema import Scenario
from scenarios.records.results import Results
from scenarios.search.design import Value, points_over
from scenarios.search.optimize import Evaluated, Problem, Trials, efficient, knee


@dataclass(frozen=True)
class PairedRuns:
    """Evaluates points by runs of the model, as differences to the base with the same seeds.

    Attributes:
        base: scenario under every point. goals: outcomes. stages: where runs are made. name: of the points.
    """

    base: Scenario
    goals: tuple[Outcome, ...]
    stages: Stages
    name: str

    def __call__(self, points: list[dict[str, Value]], done: int) -> Evaluated:
        """Run a batch of points; the base was run once, with the first batch."""
        scenarios = points_over(self.base, points, self.name, done + 1)
        base = self._measured(self.stages.run([self.base], "base"))
        found = self._measured(self.stages.run(scenarios, f"batches/{done + 1:04d}"))
        return self._evaluated(found, base, scenarios)

    def again(self, scenarios: list[Scenario], folder: str) -> Evaluated:
        """Run scenarios and the base with seeds and, as far as there are others, draws that no batch has had."""
        results = self.stages.run([self.base, *scenarios], folder, later=self.stages.settings.replicates)
        found = self._measured(results)
        return self._evaluated(found, found, scenarios)

    @property
    def draws_repeated(self) -> int:
        """Replicates of `again` whose parameter draw a batch has had, because there are too few draws."""
        draws, replicates = self.stages.ensemble.parameter_draws, self.stages.settings.replicates
        return min(max(2 * replicates - len(draws), 0), replicates) if draws else 0

    def _measured(self, results: Results) -> pd.DataFrame:
        return measure(results.national, (*self.goals, read_outcome(SPENDING, self.stages.settings.until)))

    def _evaluated(self, found: pd.DataFrame, base: pd.DataFrame, scenarios: list[Scenario]) -> Evaluated:
        names = [goal.text for goal in self.goals]
        plain = base.loc[self.base.name]
        rows = [found.loc[scenario.name].reindex(plain.index) for scenario in scenarios]
        return Evaluated(
            np.array([(row[names] - plain[names]).to_numpy() for row in rows]),
            np.array([row[SPENDING].to_numpy() for row in rows]),
        )


@dataclass(frozen=True)
class ParetoSet:
    """The Pareto set of a search, and what it gave again with seeds the search had not seen.

    Attributes:
        places: int64 (points,), of the trials. names: of the scenarios. points: values by key.
        found, again: in the search, and on the new seeds; what was chosen for its luck falls back there.
        draws_repeated: replicates on the new seeds whose parameter draw is one of the search's.
    """

    problem: Problem
    places: np.ndarray
    names: tuple[str, ...]
    points: list[dict[str, Value]]
    found: Evaluated
    again: Evaluated
    draws_repeated: int = 0

    @property
    def within_budget(self) -> np.ndarray:
        """Whether the points keep to the budget on the new seeds, bool (points,)."""
        return self.again.within(self.problem.budget)

    @property
    def still_efficient(self) -> np.ndarray:
        """Whether no point within the budget dominates this one on the new seeds, bool (points,)."""
        values = self.problem.signs * self.again.goals.mean(axis=1)
        return np.array([efficient(np.vstack([value, values[self.within_budget]]))[0] for value in values])

    @property
    def best(self) -> int:
        """Place of the knee on the new seeds, among the points that are efficient and within the budget there.

        If there are none, among those within the budget; if none of these, among all.
        """
        within = self.within_budget
        choices = (within & self.still_efficient, within, np.full_like(within, True))
        places = np.flatnonzero(next(allowed for allowed in choices if allowed.any()))
        return int(places[knee(self.problem.signs * self.again.goals[places].mean(axis=1))])

    @property
    def optimism(self) -> np.ndarray:
        """By how much the search flattered each goal, mean over the points, float64 (goals,): above 0 is flattery."""
        return (self.problem.signs * (self.found.goals.mean(axis=1) - self.again.goals.mean(axis=1))).mean(axis=0)

    def table(self) -> pd.DataFrame:
        """One row a point: scenario, best, its factors, and for each goal the mean difference to the base.

        The goal's columns are NAME with NAME_low and NAME_high (95 % interval of the mean) in the search, and
        NAME_again with its own on the new seeds. Besides: spending_yuan and spending_yuan_again (mean),
        within_budget and efficient (on the new seeds).
        """
        rows = pd.DataFrame({"scenario": self.names, "best": np.arange(len(self.names)) == self.best})
        rows = rows.join(pd.DataFrame(self.points))
        for suffix, found in (("", self.found), ("_again", self.again)):
            for values, end in zip(student_interval(found.goals, axis=1), ("", "_low", "_high"), strict=True):
                for place, goal in enumerate(self.problem.goals):
                    rows[f"{goal}{suffix}{end}"] = values[:, place]
            rows[f"spending_yuan{suffix}"] = found.spending.mean(axis=1)
        return rows.assign(within_budget=self.within_budget, efficient=self.still_efficient)


def pareto_set(problem: Problem, trials: Trials, runs: PairedRuns) -> ParetoSet | None:
    """Run the Pareto set of the trials again with new seeds; None if no trial kept to the budget."""
    places = trials.pareto(problem)
    if not len(places):
        return None
    scenarios = [points_over(runs.base, [trials.points[place]], runs.name, place + 1)[0] for place in places.tolist()]
    return ParetoSet(
        problem,
        places,
        tuple(scenario.name for scenario in scenarios),
        [trials.points[place] for place in places.tolist()],
        Evaluated(trials.found.goals[places], trials.found.spending[places]),
        runs.again(scenarios, f"pareto-{len(trials):04d}"),
        runs.draws_repeated,
    )
