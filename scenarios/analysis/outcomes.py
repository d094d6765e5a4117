"""Outcomes of a run as single numbers: a national column at its end, at a quarter, or summed over the run."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from scenarios.analysis.metrics import COLUMNS, CUMULATIVE
from scenarios.errors import InputError, nearest
from sim.calendar import START, Quarter

#: Public cost in full, and the part of it that is spent through levers.
COST, SPENDING = "public_cost_yuan", "public_spending_yuan"
#: Public cost and its parts, which are always summed over the run.
SUMMED = frozenset(CUMULATIVE.values())
#: Outcomes that designs report by default.
DEFAULT_OUTCOMES = ("little_giants", "srdi_smes", "productivity_index", COST, SPENDING)


@dataclass(frozen=True)
class Outcome:
    """One number of a run.

    Attributes:
        text: as written by the user. column: of the table `national`. quarter: None for the end of the run.
        total: whether it is summed over all quarters instead.
    """

    text: str
    column: str
    quarter: Quarter | None = None
    total: bool = False

    @property
    def unit(self) -> str:
        """Unit of the number."""
        unit = COLUMNS[self.column].unit
        return unit.removesuffix(" per quarter") if self.total else unit

    @property
    def when(self) -> str:
        """When it is measured, in words."""
        return "sum over the run" if self.total else f"in {self.quarter or 'the last quarter'}"


def read_outcome(text: str, until: int) -> Outcome:
    """An outcome from its text: ``NAME`` (end of the run), ``NAME@2024Q4`` or ``NAME:sum``.

    Args:
        until: last year of the run.

    Raises:
        InputError: the text is not valid.
    """
    name, _, suffix = text.partition(":")
    column, at, quarter = name.partition("@")
    if column not in COLUMNS:
        raise InputError(f"unknown output {column!r}{nearest(column, COLUMNS)} (a numeric column of national)")
    if suffix not in ("", "sum") or (at and suffix):
        raise InputError(f"output {text!r}: write {column}, {column}@2024Q4 or {column}:sum")
    if not at:
        return Outcome(text, column, total=bool(suffix) or column in SUMMED)
    try:
        requested = Quarter.parse(quarter)
    except ValueError as error:
        raise InputError(f"output {text!r}: {error}") from None
    if not START <= requested <= Quarter(until, 4):
        raise InputError(f"output {text!r}: {requested} lies outside the run, {START} to {until}Q4")
    return Outcome(text, column, requested)


def measure(national: pd.DataFrame, outcomes: tuple[Outcome, ...]) -> pd.DataFrame:
    """The outcomes of every run, one column per outcome, named by its text.

    Args:
        national: as in `scenarios.Results`.

    Returns:
        float64, indexed by scenario, draw and replicate.
    """
    runs = national.groupby(["scenario", "draw", "replicate"], observed=True)
    columns = {}
    for outcome in outcomes:
        if outcome.total:
            columns[outcome.text] = runs[outcome.column].sum()
            continue
        when = pd.Timestamp(outcome.quarter.end_date) if outcome.quarter else national["quarter"].max()
        rows = national[national["quarter"] == when]
        columns[outcome.text] = rows.set_index(["scenario", "draw", "replicate"])[outcome.column]
    return pd.DataFrame(columns)
