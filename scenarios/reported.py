"""Reported figures, and what a run says at their dates."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import pandas as pd

#: Figure that is no column: little giants kept at review over those reviewed, in a year.
REVIEW_PASS_RATE = "review_pass_rate"


@dataclass(frozen=True)
class ReportedFigure:
    """One reported figure with its rounding interval, source and role (see ``reported.toml``)."""

    id: str
    label: str
    quantity: str
    date: str
    text: str
    low: float
    high: float
    source: str
    mark: str
    role: str
    whole_year: bool = False

    @property
    def middle(self) -> float:
        """Middle of the rounding interval."""
        return 0.5 * (self.low + self.high)


@cache
def reported_figures() -> tuple[ReportedFigure, ...]:
    """All reported figures, in file order."""
    text = files("scenarios").joinpath("reported.toml").read_text(encoding="utf-8")
    return tuple(ReportedFigure(**figure) for figure in tomllib.loads(text)["figure"])


def simulated(national: pd.DataFrame, tier: pd.DataFrame, figure: ReportedFigure) -> pd.Series:
    """What each replicate says of a figure, indexed by replicate.

    Empty if the run ends before the figure's date; a replicate without any review has no pass rate.

    Args:
        national, tier: rows of one scenario of these tables.
    """
    date = pd.Timestamp(figure.date)
    if not figure.whole_year:
        return national[national["quarter"] == date].set_index("replicate")[figure.quantity]
    if not (national["quarter"] >= date).any():
        return pd.Series(dtype=float)
    if figure.quantity == REVIEW_PASS_RATE:
        giants = _year(tier[tier["tier"] == "little_giant"], date)
        sums = giants.groupby("replicate")[["renewed", "reviewed"]].sum()
        return (sums["renewed"] / sums["reviewed"]).dropna()
    return _year(national, date).groupby("replicate")[figure.quantity].sum()


def _year(rows: pd.DataFrame, date: pd.Timestamp) -> pd.DataFrame:
    return rows[(rows["quarter"].dt.year == date.year) & (rows["quarter"] <= date)]


def compare_with_reported(national: pd.DataFrame, tier: pd.DataFrame) -> pd.DataFrame:
    """Reported against simulated, one row a figure the run reaches.

    Args:
        national, tier: rows of one scenario of these tables, all replicates.

    Returns:
        Columns id, label, date, text, low, high, role, median, p05, p95 and deviation (of the
        median from the middle of the reported interval, share).
    """
    rows = []
    for figure in reported_figures():
        values = simulated(national, tier, figure)
        if values.empty:
            continue
        median = values.median()
        rows.append(
            {
                "id": figure.id,
                "label": figure.label,
                "date": figure.date,
                "text": figure.text,
                "low": figure.low,
                "high": figure.high,
                "role": figure.role,
                "median": median,
                "p05": values.quantile(0.05),
                "p95": values.quantile(0.95),
                "deviation": median / figure.middle - 1.0,
            }
        )
    return pd.DataFrame(rows)
