"""Searches settings for several goals at once under a budget, with Optuna: points in, Pareto set out.

Nothing here knows the model: what evaluates points is handed in (`paired.PairedRuns` for the model). Points
are asked for in batches, so that all cores are busy; each finished batch is in the study's file. Every request seeds
its sampler by the number of the point, so a search that was interrupted goes on as if it had not been.
"""

from __future__ import annotations

import json
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

MOST_TRIALS = 2000
_ASKED = "asked"
#: Attribute that holds what the last batch gave.
_BATCH = "batch"


class SearchFile(DesignFile):
    """A design file of ``srdi optimize``."""

    budget_yuan: float | None = Field(None, ge=0, description="most public spending over the run, mean of replicates")
    trials: int = Field(60, ge=2, le=MOST_TRIALS, description="points to try")
    batch: int = Field(12, ge=2, le=MOST_TRIALS, description="points tried side by side; the population of nsga2")
    sampler: Literal["tpe", "nsga2"] = Field("tpe", description="how Optuna chooses points")
    goals: dict[str, Literal["max", "min"]] = Field(min_length=1, description="outcomes and where they should go")


@dataclass(frozen=True)
class Problem:
    """What is searched for.

    Attributes:
        factors: what is varied. goals: names. signs: float64 (goals,), 1 to maximise and -1 to minimise.
        budget: most spending, in yuan, or None. trials, batch, sampler, seed: as in `SearchFile`.
    """

    factors: tuple[Factor, ...]
    goals: tuple[str, ...]
    signs: np.ndarray
    budget: float | None = None
    trials: int = 60
    batch: int = 12
    sampler: str = "tpe"
    seed: int = 1

    @classmethod
    def of(cls, file: SearchFile, factors: tuple[Factor, ...]) -> Problem:
        """The problem a file states."""
        signs = np.array([1.0 if way == "max" else -1.0 for way in file.goals.values()])
        return cls(
            factors, tuple(file.goals), signs, file.budget_yuan, file.trials, file.batch, file.sampler, file.seed
        )


@dataclass(frozen=True)
class Evaluated:
    """What points give.

    Attributes:
        goals: float64 (points, replicates, goals), for the model as differences to the base.
        spending: float64 (points, replicates), yuan over the run.
    """

    goals: np.ndarray
    spending: np.ndarray

    def within(self, budget: float | None) -> np.ndarray:
        """Whether the mean spending keeps to the budget (None: there is none), bool (points,)."""
        return self.spending.mean(axis=1) <= (np.inf if budget is None else budget)


#: Points by key, and how many were evaluated before them, to what they give.
Evaluate = Callable[[list[dict[str, Value]], int], Evaluated]


@dataclass(frozen=True)
class Trials:
    """Finished trials, in the order they were asked for.

    Attributes:
        points: values by key. found: what they gave.
    """

    points: list[dict[str, Value]]
    found: Evaluated

    def __len__(self) -> int:
        return len(self.points)

    def pareto(self, problem: Problem) -> np.ndarray:
        """Places of the trials within the budget that no other of them dominates, each point once, int64."""
        allowed = np.flatnonzero(self.found.within(problem.budget))
        chosen = allowed[efficient(problem.signs * self.found.goals[allowed].mean(axis=1))]
        firsts = {repr(self.points[place]): place for place in reversed(chosen.tolist())}
        return np.array(sorted(firsts.values()), dtype=np.int64)


def efficient(values: np.ndarray) -> np.ndarray:
    """Whether no other point is as good in every goal and better in one, bool (points,).

    Args:
        values: float64 (points, goals), more is better.
    """
    no_worse = np.all(values[:, None] >= values[None], axis=2)
    better = np.any(values[:, None] > values[None], axis=2)
    return ~np.any(no_worse & better, axis=0)


def knee(values: np.ndarray) -> int:
    """Place of the point nearest to the ideal one, which has the best of each goal (Zeleny 1973).

    Distances are Euclidean after each goal is scaled to run from 0 to 1 over the points.

    Args:
        values: float64 (points, goals), more is better.
    """
    span = np.ptp(values, axis=0)
    short = (values.max(axis=0) - values) / np.where(span > 0, span, 1.0)
    return int(np.argmin(np.linalg.norm(short, axis=1)))


def open_study(path: Path, problem: Problem, asked: dict) -> optuna.Study:
    """The study in a file, begun if there is none.

    Args:
        asked: all that decides what points give, as plain values.

    Raises:
        InputError: the file is of another search.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    asked = json.loads(json.dumps(asked))
    try:
        study = optuna.create_study(
            study_name="srdi",
            storage=JournalStorage(JournalFileBackend(str(path))),
            directions=["maximize" if sign > 0 else "minimize" for sign in problem.signs],
            load_if_exists=True,
        )
    except (json.JSONDecodeError, KeyError, TypeError):
        raise InputError(f"{path} is damaged: it is not the file of a search") from None
    found = study.user_attrs.get(_ASKED)
    if found is None:
        study.set_user_attr(_ASKED, asked)
    elif changed := next(differences(found, asked), None):
        raise InputError(f"{path} cannot be resumed, what is asked for has changed: {changed}")
    return study


def finished(study: optuna.Study) -> Trials:
    """The finished trials of a study."""
    done = _completed(study)
    goals = np.array([trial.user_attrs["goals"] for trial in done], dtype=np.float64)
    spending = np.array([trial.user_attrs["spending"] for trial in done], dtype=np.float64)
    return Trials([dict(trial.params) for trial in done], Evaluated(goals, spending))


def _completed(study: optuna.Study) -> list[FrozenTrial]:
    return study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))


def search(
    problem: Problem, study: optuna.Study, evaluate: Evaluate, on_batch: Callable[[Trials], None] = lambda trials: None
) -> Trials:
    """Try points until the study has as many as the problem asks for; all finished ones.

    Args:
        on_batch: called with all finished trials after each batch.

    Raises:
        ValueError: a goal of a point is no number.
    """
    _tell_batch(problem, study)
    for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
        study.tell(trial.number, state=TrialState.FAIL)  # asked for before an interruption: it is asked for again
    while (done := len(_completed(study))) < problem.trials:
        size = min(problem.batch - done % problem.batch, problem.trials - done)
        batch = [_ask(problem, study, done + place) for place in range(size)]
        found = evaluate([dict(trial.params) for trial in batch], done)
        if not np.isfinite(found.goals).all():
            raise ValueError(f"a goal is not a number in one of the trials {done + 1} to {done + size}")
        # One line in the file, there or not: a batch half told would change what the next one is drawn from.
        study.set_user_attr(
            _BATCH,
            {
                "trials": [trial.number for trial in batch],
                "goals": found.goals.tolist(),
                "spending": found.spending.tolist(),
            },
        )
        _tell_batch(problem, study)
        on_batch(finished(study))
    return finished(study)


def _ask(problem: Problem, study: optuna.Study, number: int) -> Trial:
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


def _tell_batch(problem: Problem, study: optuna.Study) -> None:
    """Hand back the points of the last batch that are not handed back yet: goals (replicates, goals), spending."""
    batch = study.user_attrs.get(_BATCH, {"trials": [], "goals": [], "spending": []})
    waiting = {trial.number: trial for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))}
    for number, goals, spending in zip(batch["trials"], batch["goals"], batch["spending"], strict=True):
        if number not in waiting:
            continue
        trial = Trial(study, waiting[number]._trial_id)  # Optuna has no other way back to a trial asked for
        trial.set_user_attr("goals", goals)
        trial.set_user_attr("spending", spending)
        if problem.budget is not None:
            trial.set_constraint("budget", float(np.mean(spending) - problem.budget))
        study.tell(trial, np.mean(goals, axis=0).tolist())
