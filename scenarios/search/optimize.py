"""Search for settings that reach several goals under a budget, with Optuna.

This module does not depend on the model: the function that evaluates points is an argument (`evaluation.PairedRuns` for
the model). Points are evaluated in batches, so that all cores are busy; each finished batch is stored in the file of
the study. The sampler is seeded by the number of the point, so an interrupted search continues as if it had not been
interrupted.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import FrozenTrial, Trial, TrialState
from pydantic import Field

from scenarios.ensembles.plan import differences
from scenarios.errors import InputError
from scenarios.search.design import DesignFile, Factor, Value

MAX_TRIALS = 2000
Direction = Literal["maximize", "minimize"]
#: Attribute with the request of the search.
_REQUEST = "asked"
#: Attribute with the results of the last batch.
_BATCH = "batch"
#: Attributes of a trial with its results, as in `Evaluation`.
_RESULTS = ("goals", "spending", "cost")


class SearchFile(DesignFile):
    """A design file of ``srdi optimize``."""

    budget_yuan: float | None = Field(
        None, ge=0, description="upper limit of spending through levers over the run, mean of replicates"
    )
    trials: int = Field(60, ge=2, le=MAX_TRIALS, description="points to try")
    batch: int = Field(
        12, ge=2, le=MAX_TRIALS, description="points evaluated at the same time; the population of nsga2"
    )
    sampler: Literal["tpe", "nsga2"] = Field("tpe", description="how Optuna chooses points")
    goals: dict[str, Literal["max", "min"]] = Field(
        min_length=1, description="outcomes, each to be maximised or minimised"
    )


@dataclass(frozen=True, kw_only=True)
class Search(ABC):
    """What a search varies and how it judges a point.

    Attributes:
        factors: settings that are varied. trials, batch, sampler, seed: as in `SearchFile`.
        first: points that are tried before Optuna chooses, values by key.
    """

    factors: tuple[Factor, ...]
    trials: int = 60
    batch: int = 12
    sampler: str = "tpe"
    seed: int = 1
    first: tuple[dict[str, Value], ...] = ()

    @property
    @abstractmethod
    def directions(self) -> list[Direction]:
        """What Optuna does with each number of a point: ``maximize`` or ``minimize``."""

    @abstractmethod
    def numbers(self, goals: np.ndarray, spending: np.ndarray, cost: np.ndarray) -> list[float]:
        """The numbers of a point that are maximised or minimised, from its results as in `Evaluation`."""

    @abstractmethod
    def excess(self, goals: np.ndarray, spending: np.ndarray, cost: np.ndarray) -> float | None:
        """How far a point is beyond its limit, not above 0 if it keeps to it; None if there is no limit."""


@dataclass(frozen=True, kw_only=True)
class Problem(Search):
    """Several goals under a budget.

    Attributes:
        goals: names. signs: float64 (goals,), 1 to maximise and -1 to minimise.
        budget: upper limit of spending, in yuan, or None.
    """

    goals: tuple[str, ...]
    signs: np.ndarray
    budget: float | None = None

    @property
    def directions(self) -> list[Direction]:
        """One direction per goal."""
        return ["maximize" if sign > 0 else "minimize" for sign in self.signs]

    def numbers(self, goals: np.ndarray, spending: np.ndarray, cost: np.ndarray) -> list[float]:
        """Means of the goals over the replicates."""
        return np.mean(goals, axis=0).tolist()

    def excess(self, goals: np.ndarray, spending: np.ndarray, cost: np.ndarray) -> float | None:
        """Mean spending beyond the budget, in yuan."""
        return None if self.budget is None else float(np.mean(spending) - self.budget)

    @classmethod
    def of(cls, file: SearchFile, factors: tuple[Factor, ...]) -> Problem:
        """The problem defined in a file."""
        signs = np.array([1.0 if direction == "max" else -1.0 for direction in file.goals.values()])
        return cls(
            factors=factors,
            goals=tuple(file.goals),
            signs=signs,
            budget=file.budget_yuan,
            trials=file.trials,
            batch=file.batch,
            sampler=file.sampler,
            seed=file.seed,
        )


@dataclass(frozen=True)
class Evaluation:
    """Results of points.

    Attributes:
        goals: float64 (points, replicates, goals); for the model, differences from the base (`evaluation.PairedRuns`).
        spending: float64 (points, replicates), yuan over the run; for the model, through levers.
        cost: float64 (points, replicates), yuan over the run; for the model, public cost over that of the base.
    """

    goals: np.ndarray
    spending: np.ndarray
    cost: np.ndarray

    def of(self, indices: np.ndarray) -> Evaluation:
        """Results of some of the points."""
        return Evaluation(self.goals[indices], self.spending[indices], self.cost[indices])

    def within(self, budget: float | None) -> np.ndarray:
        """Whether mean spending is within the budget (None: no budget), bool (points,)."""
        return self.spending.mean(axis=1) <= (np.inf if budget is None else budget)


#: Function of points (values by key) and the number of points evaluated before.
Evaluate = Callable[[list[dict[str, Value]], int], Evaluation]


@dataclass(frozen=True)
class Trials:
    """Finished trials, in the order in which they were requested.

    Attributes:
        points: values by key. evaluation: their results.
    """

    points: list[dict[str, Value]]
    evaluation: Evaluation

    def __len__(self) -> int:
        return len(self.points)

    def pareto(self, problem: Problem) -> np.ndarray:
        """Indices of the trials within the budget that are not dominated by another; each point once, int64."""
        allowed = np.flatnonzero(self.evaluation.within(problem.budget))
        chosen = allowed[efficient(problem.signs * self.evaluation.goals[allowed].mean(axis=1))]
        firsts = {repr(self.points[index]): index for index in reversed(chosen.tolist())}
        return np.array(sorted(firsts.values()), dtype=np.int64)


def efficient(values: np.ndarray) -> np.ndarray:
    """Whether no other point is at least as good in every goal and better in one, bool (points,).

    Args:
        values: float64 (points, goals); higher is better.
    """
    no_worse = np.all(values[:, None] >= values[None], axis=2)
    better = np.any(values[:, None] > values[None], axis=2)
    return ~np.any(no_worse & better, axis=0)


def knee(values: np.ndarray) -> int:
    """Index of the point nearest to the ideal point, which has the best value of each goal (Zeleny 1973).

    Distances are Euclidean, with each goal scaled to 0…1 over the points.

    Args:
        values: float64 (points, goals); higher is better.
    """
    span = np.ptp(values, axis=0)
    shortfall = (values.max(axis=0) - values) / np.where(span > 0, span, 1.0)
    return int(np.argmin(np.linalg.norm(shortfall, axis=1)))


def open_study(path: Path, problem: Search, request: dict) -> optuna.Study:
    """The study in a file; it is created if there is none.

    Args:
        request: everything that determines the results of points, as plain values.

    Raises:
        InputError: the file belongs to another search.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    request = json.loads(json.dumps(request))
    try:
        study = optuna.create_study(
            study_name="srdi",
            storage=JournalStorage(JournalFileBackend(str(path))),
            directions=problem.directions,
            load_if_exists=True,
        )
    except (json.JSONDecodeError, KeyError, TypeError):
        raise InputError(f"{path} is damaged: it is not the file of a search") from None
    stored = study.user_attrs.get(_REQUEST)
    if stored is None:
        study.set_user_attr(_REQUEST, request)
    elif changed := next(differences(stored, request), None):
        raise InputError(f"{path} cannot be resumed, because the request has changed: {changed}")
    return study


def finished(study: optuna.Study) -> Trials:
    """The finished trials of a study."""
    done = _completed(study)
    results = (np.array([trial.user_attrs[name] for trial in done], dtype=np.float64) for name in _RESULTS)
    return Trials([dict(trial.params) for trial in done], Evaluation(*results))


def _completed(study: optuna.Study) -> list[FrozenTrial]:
    return study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))


def search(
    problem: Search, study: optuna.Study, evaluate: Evaluate, on_batch: Callable[[Trials], None] = lambda trials: None
) -> Trials:
    """Evaluate points until the study has the number of trials of the problem; returns all finished trials.

    Args:
        on_batch: called with all finished trials after each batch.

    Raises:
        ValueError: a goal of a point is not a number.
    """
    _tell_batch(problem, study)
    for _ in study.get_trials(deepcopy=False, states=(TrialState.WAITING,)):
        study.ask()  # a first point that an interruption left behind
    for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
        study.tell(trial.number, state=TrialState.FAIL)  # requested before an interruption; requested again below
    while (done := len(_completed(study))) < problem.trials:
        size = min(problem.batch - done % problem.batch, problem.trials - done)
        batch = [_ask(problem, study, done + index) for index in range(size)]
        evaluation = evaluate([dict(trial.params) for trial in batch], done)
        if not np.isfinite(evaluation.goals).all():
            raise ValueError(f"a goal is not a number in one of the trials {done + 1} to {done + size}")
        # Stored as one line of the file: a partly stored batch would change the points of the next one.
        study.set_user_attr(
            _BATCH,
            {
                "trials": [trial.number for trial in batch],
                **{name: getattr(evaluation, name).tolist() for name in _RESULTS},
            },
        )
        _tell_batch(problem, study)
        on_batch(finished(study))
    return finished(study)


def _ask(problem: Search, study: optuna.Study, number: int) -> Trial:
    if number < len(problem.first):
        study.enqueue_trial(problem.first[number])
    seed = int(np.random.SeedSequence([problem.seed, number]).generate_state(1)[0])
    if problem.sampler == "nsga2":
        study.sampler = optuna.samplers.NSGAIISampler(population_size=problem.batch, seed=seed)
    else:
        study.sampler = optuna.samplers.TPESampler(multivariate=True, constant_liar=True, seed=seed)
    return study.ask({factor.key: _distribution(factor) for factor in problem.factors})


def _distribution(factor: Factor) -> BaseDistribution:
    if factor.values is not None:
        return CategoricalDistribution(factor.values)
    if factor.whole:
        return IntDistribution(int(factor.low), int(factor.high), log=factor.log)
    return FloatDistribution(factor.low, factor.high, log=factor.log)


def _tell_batch(problem: Search, study: optuna.Study) -> None:
    """Report those results of the last batch to Optuna that it does not have yet."""
    batch = study.user_attrs.get(_BATCH, {"trials": [], **{name: [] for name in _RESULTS}})
    waiting = {trial.number: trial for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))}
    for number, *results in zip(batch["trials"], *(batch[name] for name in _RESULTS), strict=True):
        if number not in waiting:
            continue
        trial = Trial(study, waiting[number]._trial_id)  # Optuna has no public way to get a pending trial
        for name, result in zip(_RESULTS, results, strict=True):
            trial.set_user_attr(name, result)
        arrays = [np.array(result, dtype=np.float64) for result in results]
        if (excess := problem.excess(*arrays)) is not None:
            trial.set_constraint("limit", excess)
        study.tell(trial, problem.numbers(*arrays))
