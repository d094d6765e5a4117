"""Public money over time: what is committed and paid by year, kind and lever, and when a budget is used up."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from scenarios.analysis.intervals import BAND, band_columns
from scenarios.checks import single
from scenarios.errors import InputError, ResultsError, nearest
from scenarios.records.results import Results
from scenarios.records.storage import records
from sim.calendar import Quarter

#: Name of the sum over levers, and over kinds.
ALL = "all"
#: Share of a budget that has to be committed for it to count as used up. What is left may be too little for one more.
USED_UP = 0.99
#: The answer for a budget that lasts.
NOT_USED_UP = "not used up"
#: Note on the kinds that nobody commits beforehand.
NOT_RECORDED = "commitments are recorded for levers only"

_RUN = ["draw", "replicate"]
_ITEM = ["year", "kind", "lever"]


@dataclass(frozen=True)
class Cash:
    """Commitments and payments of the scenarios of an ensemble.

    Attributes:
        rows: one row per number of a year. Columns: scenario; quantity; year; quarters (recorded in the year: a run
            begins with the last quarter of 2018); kind and lever, or ``all`` for their sums; unit; value (mean over the
            runs), low and high (10 and 90 % of them; NaN for one run); note; label and studies (see
            `scenarios.files.labels`). Quantities: paid_yuan and paid_cumulative_yuan; of levers also committed_yuan (in
            the year, less what became free again), committed_cumulative_yuan and refused_yuan (cost of the eligible
            left out).
        budgets: rows with the same columns but for the year, of each lever with a budget. Quantities: budget_yuan;
            budget_used_share (committed at the end of the run); used_up_share (of the runs, those in which it is used
            up); used_up_quarter, whose value, low and high are texts such as 2025Q4, the median over the runs and its
            10 and 90 %, or ``not used up``.
        scenarios: their names. used_up: share of a budget at which it counts as used up.
        runs: of each scenario. parameters_vary: whether they differ in parameters, not only in random draws.
    """

    rows: pd.DataFrame
    budgets: pd.DataFrame
    scenarios: tuple[str, ...]
    used_up: float
    runs: int
    parameters_vary: bool

    def records(self) -> dict:
        """Plain values for JSON: rows, those of budgets last and without a year; None for missing numbers."""
        of_budgets = [row | {"year": None, "quarters": None} for row in records(self.budgets)]
        return {"rows": records(self.rows) + of_budgets}


def cash(results: Results, scenarios: Iterable[str] = (), used_up: float = USED_UP) -> Cash:
    """Commitments and payments by year, kind and lever, and the quarter in which each budget is used up.

    Args:
        results: an ensemble. scenarios: one name or several; none means all.
        used_up: a budget is used up in the first quarter at whose end this share of it has been committed.

    Raises:
        InputError: an unknown scenario, or a share that is not above 0 and at most 1.
        ResultsError: the table `spending` lacks rows.

    Example:
        >>> cash(load_results("results/first"), "baseline").rows  # doctest: +SKIP
    """
    single("results", results, Results, "load_results")
    if isinstance(used_up, bool) or not isinstance(used_up, int | float) or not 0.0 < used_up <= 1.0:
        raise InputError(f"used_up is {used_up!r}: it must be a number above 0 and at most 1")
    known = {scenario["name"]: scenario for scenario in results.manifest["scenarios"]}
    chosen = tuple(dict.fromkeys([scenarios] if isinstance(scenarios, str) else scenarios)) or tuple(known)
    for name in chosen:
        if name not in known:
            raise InputError(f"scenario is {name!r}{nearest(str(name), known)} (allowed: {', '.join(known)})")
    runs = results.national[results.national["scenario"] == chosen[0]][_RUN].drop_duplicates()
    rows: list[dict] = []
    budgets: list[dict] = []
    for name in chosen:
        spending = results.spending[results.spending["scenario"] == name]
        spending = spending.assign(kind=spending["kind"].astype(str), lever=spending["lever"].astype(str))
        _refuse_incomplete(spending, len(runs), results)
        label = results.level_label(name).columns
        rows += [{"scenario": name, **row, **label} for row in _by_year(spending)]
        budgets += [{"scenario": name, **row, **label} for row in _budgets(spending, used_up)]
    of_budgets = pd.DataFrame(budgets, columns=[name for name in rows[0] if name not in ("year", "quarters")])
    return Cash(pd.DataFrame(rows), of_budgets, chosen, used_up, len(runs), runs["draw"].nunique() > 1)


def _refuse_incomplete(spending: pd.DataFrame, runs: int, results: Results) -> None:
    """Raise ResultsError unless every run has every lever in every quarter, once."""
    keys = spending[[*_RUN, "quarter", "kind", "lever"]]
    items = len(keys[["kind", "lever"]].drop_duplicates())
    if len(keys) != runs * keys["quarter"].nunique() * items or keys.duplicated().any() or keys.empty:
        raise ResultsError(f"{results.path} is damaged: spending.parquet does not have every lever in every quarter")


def _active(spending: pd.DataFrame) -> list[tuple[str, str]]:
    """Kind and lever of what was paid, committed, refused or budgeted in any run, in the order of the table."""
    money = ["spending_yuan", "committed_yuan", "budget_yuan", "refused_yuan"]
    moved = spending[(spending[money] != 0.0).any(axis=1)]
    known = spending[["kind", "lever"]].drop_duplicates().itertuples(index=False, name=None)
    found = set(moved[["kind", "lever"]].itertuples(index=False, name=None))
    return [each for each in known if each in found]


def _by_year(spending: pd.DataFrame) -> list[dict]:
    """Rows of each year: every lever that moved money, every kind, and all."""
    active = _active(spending)
    frame = spending.sort_values("quarter", kind="stable")
    frame = frame.assign(year=frame["quarter"].dt.year)
    quarters = frame.groupby("year")["quarter"].nunique()
    groups = frame.groupby([*_RUN, *_ITEM])
    # One row per year, kind and lever; one column per run.
    paid = groups["spending_yuan"].sum().unstack(_RUN)
    refused = groups["refused_yuan"].sum().unstack(_RUN)
    committed = groups["committed_yuan"].last().unstack(_RUN)
    since = {"paid_cumulative_yuan": _running(paid), "committed_cumulative_yuan": committed}
    in_year = {"paid_yuan": paid, "committed_yuan": _change(committed), "refused_yuan": refused}
    rows = []
    for quantity, table in {**in_year, **since}.items():
        for_levers_only = quantity not in ("paid_yuan", "paid_cumulative_yuan")
        for (year, kind, lever), values in _with_sums(table, active).items():
            if for_levers_only and kind != "lever":
                continue
            rows.append(
                {
                    "quantity": quantity,
                    "year": int(year),
                    "quarters": int(quarters[year]),
                    "kind": kind,
                    "lever": lever,
                    "unit": "yuan",
                    **band_columns(values),
                    "note": "" if for_levers_only or kind == "lever" else NOT_RECORDED,
                }
            )
    return rows


def _running(table: pd.DataFrame) -> pd.DataFrame:
    return table.groupby(level=["kind", "lever"]).cumsum()


def _change(table: pd.DataFrame) -> pd.DataFrame:
    """Difference from the year before; of the first year, the value itself."""
    return table.groupby(level=["kind", "lever"]).diff().fillna(table)


def _with_sums(table: pd.DataFrame, active: list[tuple[str, str]]) -> dict[tuple[int, str, str], np.ndarray]:
    """Values of the runs by year, kind and lever, year by year: all, then each kind and its levers."""
    values = {key: np.asarray(row) for key, row in zip(table.index, table.to_numpy(np.float64), strict=True)}
    found: dict[tuple[int, str, str], np.ndarray] = {}
    for year in table.index.unique("year"):
        parts = {each: values[year, *each] for each in active}
        nothing = np.zeros(table.shape[1])
        found[year, ALL, ALL] = sum(parts.values(), nothing)
        for kind in dict.fromkeys(kind for kind, _ in active):
            of_kind = {each: part for each, part in parts.items() if each[0] == kind}
            found[year, kind, ALL] = sum(of_kind.values(), nothing)
            found |= {(year, *each): part for each, part in of_kind.items()}
    return found


def _budgets(spending: pd.DataFrame, used_up: float) -> list[dict]:
    """Rows of each lever with a budget: how much of it is committed at the end, and when it is used up."""
    rows = []
    for lever in dict.fromkeys(spending.loc[spending["budget_yuan"] > 0.0, "lever"]):
        own = spending[spending["lever"] == lever].sort_values("quarter", kind="stable")
        committed, budget = (
            own.pivot(index="quarter", columns=_RUN, values=f"{name}_yuan").to_numpy(np.float64).T
            for name in ("committed", "budget")
        )
        dates = [Quarter(date.year, date.quarter) for date in own["quarter"].unique()]
        first = first_used_up(committed, budget, used_up)
        ever = (first < len(dates)).astype(np.float64)
        share = np.divide(committed[:, -1], budget[:, -1], out=np.zeros(len(first)), where=budget[:, -1] > 0.0)
        about = {"kind": "lever", "lever": lever, "note": ""}
        for quantity, unit, values in (
            ("budget_yuan", "yuan", budget[:, -1]),
            ("budget_used_share", "share", share),
            ("used_up_share", "share", ever),
        ):
            ends = band_columns(values)
            if quantity == "used_up_share":  # a share of the runs, which no single run has
                ends |= {"low": math.nan, "high": math.nan}
            rows.append({"quantity": quantity, "unit": unit, **about, **ends})
        rows.append({"quantity": "used_up_quarter", "unit": "quarter", **about, **used_up_quarters(first, dates)})
    return rows


def first_used_up(committed: np.ndarray, budget: np.ndarray, used_up: float = USED_UP) -> np.ndarray:
    """Position of the quarter in which each run uses up a budget, int64 (runs,); their number where it never does.

    Args:
        committed: up to the end of each quarter. budget: of the whole run. Both yuan, float64 (runs, quarters).
        used_up: share of the budget.
    """
    # Sums of grants are exact up to rounding alone.
    reached = (committed >= used_up * budget * (1.0 - 1e-12)) & (budget > 0.0)
    return np.where(reached.any(axis=1), reached.argmax(axis=1), committed.shape[1])


def used_up_quarters(first: np.ndarray, dates: Sequence[Quarter]) -> dict[str, str | float]:
    """Median of the quarters in which runs use up a budget, and its band, as texts: each is the quarter of a run.

    Args:
        first: of `first_used_up`. dates: the quarters.
    """
    texts = [*map(str, dates), NOT_USED_UP]
    middle, low, high = np.quantile(first, (0.5, *BAND), method="inverted_cdf").astype(int)
    single = len(first) < 2
    return {
        "value": texts[middle],
        "low": math.nan if single else texts[low],
        "high": math.nan if single else texts[high],
    }
