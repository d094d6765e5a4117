"""Which parameters the rows of a file discipline, their priors, and the runs from which effects are learned.

A parameter is drawn if a row that is fitted names it first, if its prior rests on a study of the file, if it sets the
strength of a lever, or if it is the power by which effects grow with money. Not drawn are parameters that the fit to
the reported figures draws (`srdi calibrate`): what is known of them stands there, and the baseline rests on them. For
the same reason statistics of the baseline are compared and not fitted.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import cache

import numpy as np

from calibration.evidence.baseline import baseline_statistics
from calibration.evidence.curves import terms_of
from calibration.evidence.niches import rivals_effect
from calibration.evidence.pairs import run_trial
from calibration.evidence.rows import Estimate, Evidence
from calibration.evidence.trials import RUN, Trial, obstacle, trial_of
from calibration.fitting.posterior import latin_hypercube
from calibration.fitting.priors import Lognormal, Prior, Priors, Uniform, read_priors
from scenarios.files.strengths import lever_strengths
from sim.parameters import parameter_table

#: Standard deviation of the log of a strength before any evidence: two of them are a seventh and seven times.
WIDE = 1.0
#: Power by which effects grow with money: of all levers.
DOSE = "dose_elasticity"
#: Runs per term of the polynomial that is learned from them.
_RUNS_PER_TERM = 2
#: Experiments whose figures are statistics of the baseline.
_BASELINE = ("moment", "panel_regression")


def is_fitted(row: Estimate, taken: Collection[str]) -> bool:
    """Whether a row enters the likelihood.

    Args:
        taken: parameters drawn by the fit to the reported figures.
    """
    known = row.parameter in parameter_table() and row.parameter not in taken
    return row.use == "fit" and known and row.experiment not in _BASELINE and not obstacle(row)


def drawn_parameters(evidence: Evidence, taken: Collection[str]) -> tuple[str, ...]:
    """Parameters for which the evidence gives draws, in the order of ``parameters.toml``."""
    named = {row.parameter for row in evidence.estimates if is_fitted(row, taken)}
    strengths = {name for names in lever_strengths().values() for name in names}
    wanted = (named | set(studies_of_priors(evidence)) | strengths | {DOSE}) - set(taken)
    return tuple(name for name in parameter_table() if name in wanted)


def studies_of_priors(evidence: Evidence) -> dict[str, tuple[str, ...]]:
    """Studies on which the priors of ``priors.toml`` rest, by parameter; with a fitted one, another prior is taken."""
    studies: dict[str, dict[str, None]] = {}
    for row in evidence.estimates:
        for name in row.in_prior:
            studies.setdefault(name, {})[row.study] = None
    resting = _written_priors().keys() - _set_by_fitted(evidence)
    return {name: tuple(found) for name, found in studies.items() if name in resting}


@cache
def _written_priors() -> dict[str, Prior]:
    """The priors of the package's ``priors.toml``, by parameter."""
    return read_priors().by_name


def _set_by_fitted(evidence: Evidence) -> set[str]:
    """Parameters whose value was set with a study that is fitted."""
    return {name for row in evidence.estimates if row.use == "fit" for name in row.in_prior}


def priors_of(names: Iterable[str], evidence: Evidence) -> Priors:
    """Priors before the evidence: those of ``priors.toml``; for other parameters lognormal and wide.

    Uniform over the allowed range if the value was set with a study that is fitted, so that the study counts once, or
    if the value is not above 0.
    """
    used, written = _set_by_fitted(evidence), _written_priors()
    priors: dict[str, Prior] = {}
    for name in names:
        entry = parameter_table()[name]
        about = {"source": "wide, before the evidence", "role": "free"}
        if name in used or (name not in written and entry.value <= 0.0):
            range_ = {"distribution": "uniform", "from": entry.low, "to": entry.high}
            priors[name] = Uniform.model_validate(about | range_)
        elif name in written:
            priors[name] = written[name]
        else:
            around = {"distribution": "lognormal", "median": entry.value, "log_sd": WIDE}
            priors[name] = Lognormal.model_validate(about | around)
    return Priors(dict(priors))


@dataclass(frozen=True)
class Arm:
    """The rows of one trial, and the parameters by which their effects are learned.

    Attributes:
        trial: what is run. rows: compared in it. names: of the parameters that are varied.
    """

    trial: Trial
    rows: tuple[Estimate, ...]
    names: tuple[str, ...]

    @property
    def points(self) -> int:
        """Runs of the design: one where nothing is varied."""
        return _RUNS_PER_TERM * terms_of(len(self.names)) if self.names else 1

    def values(self, priors: Priors, seed: int) -> np.ndarray:
        """Parameter values of the runs, float64 (points, parameters).

        Args:
            priors: of the parameters that are varied. seed: of the design.
        """
        return priors.values(self.cube(seed)) if self.names else np.empty((1, 0))

    def cube(self, seed: int) -> np.ndarray:
        """Points of the design in the unit cube of the priors, float64 (points, parameters)."""
        if len(self.names) == 1:
            return np.linspace(0.0, 1.0, self.points)[:, None]
        if not self.names:
            return np.empty((1, 0))
        return latin_hypercube(np.tile([0.0, 1.0], (len(self.names), 1)), self.points, seed)


def arms_of(evidence: Evidence, taken: Collection[str]) -> tuple[Arm, ...]:
    """All trials with their rows, in file order; rows that give the parameter itself need none.

    Varied are the drawn parameters that the fitted rows of a trial name or, without such rows, those that the others
    name first and that set the strength of the lever; and those whose prior rests on a study.
    """
    drawn, resting = drawn_parameters(evidence, taken), studies_of_priors(evidence)
    rows_of: dict[Trial, list[Estimate]] = {}
    for row in evidence.estimates:
        if row.experiment != "direct" and not obstacle(row):
            rows_of.setdefault(trial_of(row, evidence), []).append(row)
    arms = []
    for trial, rows in rows_of.items():
        named = {name for row in rows if is_fitted(row, taken) for name in row.parameters}
        if not named and trial.experiment in RUN:
            named = {row.parameter for row in rows} & set(lever_strengths().get(trial.lever, ()))
        named |= {row.parameter for row in rows if row.parameter in resting}
        arms.append(Arm(trial, tuple(rows), tuple(name for name in drawn if name in named)))
    return tuple(arms)


def run_experiment(
    trial: Trial, rows: tuple[Estimate, ...], parameters: dict[str, float], scale: float, seed: int
) -> np.ndarray:
    """Effect and sampling error of each row by one run or pair of runs: float64 (2 · rows,), row by row."""
    if trial.experiment == "niche_shares":
        return np.tile(rivals_effect(trial.settings, parameters, scale, seed), len(rows))
    if trial.experiment == "baseline":
        return baseline_statistics(rows, trial.settings, parameters, scale, seed).ravel()
    return run_trial(trial, rows, parameters, scale, seed).ravel()
