"""A target: levels of national outcomes that are to be met with a chance, and the problem of meeting them cheaply.

A run meets the target if it meets all levels. The chance is the share of the runs that do, over random draws and
parameter draws. Points are compared by their mean public cost over the base. A point keeps to the target if its k-th
best run meets it, where k runs are the share asked for; how far that run falls short leads the search there.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import product

import numpy as np
from pydantic import Field

from scenarios.analysis.outcomes import Outcome, read_outcome
from scenarios.errors import InputError
from scenarios.search.design import MAX_POINTS, DesignFile, Factor, Value
from scenarios.search.optimize import MAX_TRIALS, Direction, Evaluation, Search
from sim.arguments import quoted

#: How a level is written.
_LEVEL = re.compile(r"(?P<outcome>[^<>=≥≤]+?)\s*(?P<sign>>=|<=|≥|≤)\s*(?P<value>[^<>=≥≤]+)")
_AT = re.compile(r"\s+at\s+|\s*@\s*")
_EXAMPLE = "little_giants@2027Q4 >= 18000"
#: What a target may free: policy. Shocks, feedbacks and parameters are nobody's choice.
_FREE = ("levers", "rules")
#: Most factors of which every mixture of upper and lower ends is tried.
_MIXED_FACTORS = 3


class TargetFile(DesignFile):
    """A design file of ``srdi target``."""

    levels: tuple[str, ...] = Field(
        min_length=1, strict=False, description=f"levels that a run must meet together, each such as {_EXAMPLE!r}"
    )
    chance: float = Field(ge=0.01, le=0.99, description="share of the runs that must meet all levels")
    trials: int = Field(60, ge=2, le=MAX_TRIALS, description="points to try")
    batch: int = Field(12, ge=2, le=MAX_TRIALS, description="points evaluated at the same time")
    final: int = Field(100, ge=2, le=MAX_POINTS, description="runs of the answer on new luck")


@dataclass(frozen=True)
class Level:
    """A level that an outcome must reach or must not exceed.

    Attributes:
        outcome: what is measured, and when. at_least: whether the level is the least allowed, or else the most.
        value: the level, in the unit of the outcome.
    """

    outcome: Outcome
    at_least: bool
    value: float

    @property
    def text(self) -> str:
        """The level as it is written in a file."""
        return f"{self.outcome.text} {'>=' if self.at_least else '<='} {self.value:.10g}"

    def margins(self, values: np.ndarray) -> np.ndarray:
        """How far values are on the right side of the level, in the unit of the outcome; below 0 it is missed."""
        return values - self.value if self.at_least else self.value - values

    def reached(self, values: np.ndarray, chance: float) -> float:
        """The value that a share of the runs reach or keep to; the level is met with that chance if it does."""
        place = runs_needed(chance, len(values)) - 1
        return float(np.sort(values)[::-1][place] if self.at_least else np.sort(values)[place])


def read_levels(texts: tuple[str, ...], until: int) -> tuple[Level, ...]:
    """Levels from their texts: an outcome as in `read_outcome`, ``>=`` or ``<=``, and a number.

    Args:
        until: last year of the run.

    Raises:
        InputError: a text is not valid, given twice, or two levels exclude each other.
    """
    levels = tuple(_read_level(text, until) for text in texts)
    for place, level in enumerate(levels):
        for other in levels[:place]:
            if (level.outcome, level.at_least) == (other.outcome, other.at_least):
                raise InputError(f"levels has {level.outcome.text} twice: {other.text} and {level.text}; give one")
            least, most = (level, other) if level.at_least else (other, level)
            if level.outcome == other.outcome and least.value > most.value:
                raise InputError(f"levels exclude each other: {least.text} and {most.text}")
    return levels


def _read_level(text: str, until: int) -> Level:
    parts = _LEVEL.fullmatch(text.strip())
    if parts is None:
        raise InputError(f"level {quoted(text)} is not OUTCOME >= NUMBER or OUTCOME <= NUMBER, such as {_EXAMPLE}")
    try:
        value = float(parts["value"])
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise InputError(f"level {quoted(text)}: {quoted(parts['value'])} is not a number; write it as 18000 or 18e3")
    outcome = read_outcome(_AT.sub("@", parts["outcome"]), until)
    return Level(outcome, parts["sign"] in (">=", "≥"), value)


def check_free(keys: Iterable[str], source: str) -> None:
    """Raise InputError if the key of a factor is not a setting of policy."""
    for key in keys:
        if key.partition(".")[0] not in _FREE:
            raise InputError(
                f"{source}: factors.{key} is not a choice of policy; a target frees settings of {' and '.join(_FREE)}"
            )


def corners(factors: tuple[Factor, ...]) -> list[dict[str, Value]]:
    """Points at the ends of all ranges: all upper, all lower, and for few factors every mixture.

    They come first in a search, because what they do not reach is hardly within the ranges at all.
    """
    ends = [(1.0,) * len(factors), (0.0,) * len(factors)]
    if len(factors) <= _MIXED_FACTORS:
        ends += [mixed for mixed in product((1.0, 0.0), repeat=len(factors)) if mixed not in ends]
    return [{factor.key: factor.value_at(u) for factor, u in zip(factors, at, strict=True)} for at in ends]


def runs_needed(chance: float, runs: int) -> int:
    """The least number of runs that is a share `chance` of them."""
    return max(1, math.ceil(chance * runs - 1e-9))


@dataclass(frozen=True, kw_only=True)
class TargetProblem(Search):
    """Least public cost at which a share of the runs meet all levels.

    The goals of its points are the margins of `TargetRuns`, float64 (replicates, levels).

    Attributes:
        chance: the share asked for.
    """

    chance: float

    @classmethod
    def of(cls, file: TargetFile, factors: tuple[Factor, ...]) -> TargetProblem:
        """The problem of a file; its first points are `corners`, as many as half of the trials."""
        return cls(
            factors=factors,
            trials=file.trials,
            batch=file.batch,
            seed=file.seed,
            first=tuple(corners(factors)[: file.trials // 2]),
            chance=file.chance,
        )

    @property
    def directions(self) -> list[Direction]:
        """Public cost is minimised."""
        return ["minimize"]

    def numbers(self, goals: np.ndarray, spending: np.ndarray, cost: np.ndarray) -> list[float]:
        """Mean public cost over the base, in yuan."""
        return [float(cost.mean())]

    def excess(self, goals: np.ndarray, spending: np.ndarray, cost: np.ndarray) -> float:
        """By how much the run that must still meet the target misses it; not above 0 exactly if enough runs do."""
        margins = np.sort(goals.min(axis=1))[::-1]
        return -float(margins[runs_needed(self.chance, len(margins)) - 1])

    def misses(self, evaluation: Evaluation) -> np.ndarray:
        """By how much each point misses the target, float64 (points,); not above 0 if it meets it."""
        rows = zip(evaluation.goals, evaluation.spending, evaluation.cost, strict=True)
        return np.array([self.excess(*row) for row in rows])

    def met(self, evaluation: Evaluation) -> np.ndarray:
        """Whether each point keeps to the target, bool (points,)."""
        return self.misses(evaluation) <= 0.0


def met_share(margins: np.ndarray) -> float:
    """Share of the runs of a point that meet all levels, from its margins (replicates, levels)."""
    return float((margins.min(axis=1) >= 0.0).mean())
