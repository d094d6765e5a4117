"""Incidence: who gains and who loses by a policy, in places, sectors, tiers and size classes, and how concentrated.

A pair is one parameter draw and replicate, run under a scenario and the baseline. Public money is given by kind and
lever for the nation, and by kind for places and sectors. Results hold none by tier or size. Nor do they hold sizes of
firms: for these, some pairs are run again.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from scenarios.analysis.again import SIZES, all_pairs, manufacturing, not_repeated, size_class, some_pairs
from scenarios.analysis.comparison import common_quarters, common_scenarios
from scenarios.analysis.firm_runs import TITLES, FirmRun, follow
from scenarios.analysis.intervals import band_columns
from scenarios.analysis.metrics import COST_PARTS, CUMULATIVE, CUMULATIVE_COST
from scenarios.checks import single, whole_number
from scenarios.ensembles.ensemble import run_together
from scenarios.ensembles.jobs import Job
from scenarios.ensembles.rerun import jobs_again
from scenarios.errors import InputError, ResultsError, nearest
from scenarios.records.results import Results
from scenarios.records.storage import records
from sim.calendar import Quarter
from sim.records.outputs import TABLES, Output
from sim.reference import region_names

#: Dimensions and the table each is made of; by size it is the national one, divided by running pairs again.
BY_SIZE = "size"
DIMENSIONS = {
    "province": "province",
    "region": "province",
    "county_type": "county_type",
    "sector": "sector",
    "tier": "tier",
    BY_SIZE: "national",
}
#: Quantities compared by default, as far as the table has them.
DEFAULT_QUANTITIES = ("firms", "employment", "srdi_smes", "little_giants", "revenue_yuan", "rd_true_yuan")
#: Quantity of public money, and what is said of it where the table has none.
PAID, NOT_BOOKED = "paid_yuan", "not booked by {by}"
#: The row of the whole country, and the sum over kinds or levers.
NATION, ALL = "nation", "all"
#: Columns of public money in the tables by place and sector, by kind.
_PAID_BY_KIND = {kind: CUMULATIVE[name] for kind, name in {**COST_PARTS, ALL: CUMULATIVE_COST}.items()}
#: Units of columns that add up over places.
_ADDITIVE = ("firms", "persons", "clusters", "yuan per quarter")
_FLOWS = ("revenue_yuan", "rd_true_yuan", "exports_yuan")
#: Columns of the table of tiers that describe their stock, by the names they have in other tables; others are flows of
#: certificates, which do not add up to a national number of firms.
_STOCK = {"stock": "firms", **{name: name for name in ("employment", "revenue_yuan", "rd_true_yuan")}}
#: Columns of the national table that are known of single firms, and whether a firm's is that of a year.
_OF_FIRMS = ("firms", "employment", "innovative_smes", "srdi_smes", "little_giants", *_FLOWS)
_RUN = ["draw", "replicate"]


@dataclass(frozen=True)
class Incidence:
    """What the scenarios of an ensemble change, by place, sector or tier.

    Attributes:
        by: the dimension. baseline: the scenario the others are compared with. quarters: such as 2030Q4.
        quantities: columns of the tables that were compared.
        rows: one row per number. Columns: scenario, quantity, measure, by, place (``nation`` for the sum or a measure
            over all places), kind and lever (of public money, else empty), quarter, unit, value (mean over the pairs),
            low and high (10 and 90 % of them; NaN for one pair), note, label and studies (see
            `scenarios.files.labels`).
            Measures of each scenario: level, share_of_nation, gini and theil (of the levels of all places). Of each
            scenario against the baseline: change; change_per_1000_firms and change_per_1000_employees (of the place
            in the baseline); share_of_change (of the nation's, if that has one sign in all pairs); gains and losses
            (sums over the places that gain, or lose, in the mean of the pairs); gini_change; gini_gains and
            gini_losses (of what places gain, or lose, in a pair).
            Public money (quantity paid_yuan) is what was paid since the start: for the nation by kind and lever, and by
            place if `money_is_placed` (kind and lever are ``all`` for the total; lever is empty for a kind).
        pairs: their number, by size of those run again. available: pairs of the ensemble.
        parameters_vary: whether they differ in parameters, not only in random draws.
    """

    by: str
    baseline: str
    quarters: tuple[str, ...]
    quantities: tuple[str, ...]
    rows: pd.DataFrame
    pairs: int
    available: int
    parameters_vary: bool

    @property
    def money_is_placed(self) -> bool:
        """Whether public money is known by this dimension."""
        return bool((self.rows.loc[self.rows["quantity"] == PAID, "place"] != NATION).any())

    def by_place(self, scenario: str, quarter: str | None = None) -> dict[str, dict[str, dict[str, pd.Series]]]:
        """Rows of a scenario by quantity, place and measure, in their order; of public money the total.

        quarter: such as 2030Q4; none means the last compared. Money is left out if it is known for the nation alone.
        """
        rows = self.rows[(self.rows["scenario"] == scenario) & (self.rows["quarter"] == (quarter or self.quarters[-1]))]
        rows = rows[(rows["quantity"] != PAID) | (self.money_is_placed & (rows["kind"] == ALL))]
        found: dict[str, dict[str, dict[str, pd.Series]]] = {}
        for _, row in rows.iterrows():
            found.setdefault(row["quantity"], {}).setdefault(row["place"], {})[row["measure"]] = row
        return found

    def records(self) -> dict:
        """Plain values for JSON: baseline, by, rows; None for missing numbers."""
        return {"baseline": self.baseline, "by": self.by, "rows": records(self.rows)}


def incidence(
    results: Results,
    by: str,
    baseline: str = "baseline",
    *,
    quantities: Iterable[str] = (),
    quarters: Iterable[str] = (),
    pairs: int | None = None,
    workers: int | None = None,
    threads: int = 1,
    on_start: Callable[[int], None] = lambda pairs: None,
    on_pair: Callable[[], None] = lambda: None,
) -> Incidence:
    """Gains and losses of every scenario against the baseline, pair by pair, by place, sector, tier or size.

    By size, pairs are run again; a script that uses more than one worker needs a guard (see `scenarios.run_ensemble`).

    Args:
        results: an ensemble with the baseline and at least one other scenario.
        by: a key of `DIMENSIONS`.
        baseline: the scenario the others are compared with.
        quantities: one or several columns of the table; none means `DEFAULT_QUANTITIES`.
        quarters: one or several, such as 2030Q4; none means the last.
        pairs, workers, threads, on_start, on_pair: by size, as in `scenarios.additionality`; pairs of each quarter.

    Raises:
        InputError: an unknown dimension, baseline, quantity or quarter, a single scenario, pairs that are not run
            again, or runs that do not repeat the results, because another version made them.
        ResultsError: a table lacks rows.
        RunFailed: a run failed.

    Example:
        >>> incidence(load_results("results/fund"), "region").rows  # doctest: +SKIP
    """
    single("results", results, Results, "load_results")
    known = _quantities(by)
    chosen = tuple(dict.fromkeys([quantities] if isinstance(quantities, str) else quantities))
    chosen = chosen or tuple(name for name in DEFAULT_QUANTITIES if name in known)
    for name in chosen:
        if name not in known:
            raise InputError(f"quantity is {name!r}{nearest(str(name), known)} (allowed by {by}: {', '.join(known)})")
    scenarios = common_scenarios([results], baseline)
    scenarios = [baseline, *(name for name in scenarios if name != baseline)]
    if by != BY_SIZE and pairs is not None:
        raise InputError(f"pairs is {pairs!r}: only by size are pairs run again; by {by}, all are in the results")
    threads = whole_number("threads", threads, 1)
    again = some_pairs(results, pairs) if by == BY_SIZE else all_pairs(results)
    dates = common_quarters([results], [quarters] if isinstance(quarters, str) else quarters)
    if by == BY_SIZE:
        on_start(len(again) * len(dates))
    rows: list[dict] = []
    for quarter in dates:
        if by == BY_SIZE:
            jobs = jobs_again(results, scenarios, again, threads)
            levels = _by_size(results, scenarios, quarter, again, _found(jobs, workers, quarter, on_pair))
        else:
            levels = _levels(results, by, scenarios, quarter, {*chosen, "firms", "employment"})
        money = _Money(
            _money_by_lever(results, scenarios, quarter, again),
            _money_by_place(results, by, scenarios, quarter),
            NOT_BOOKED.format(by=by.replace("_", " ")),
        )
        for row in _rows(results, scenarios, levels, money, [known[name] for name in chosen]):
            rows.append({**row, "by": by, "quarter": str(quarter)})
    frame = pd.DataFrame(rows)[_COLUMNS]
    return Incidence(
        by=by,
        baseline=baseline,
        quarters=tuple(map(str, dates)),
        quantities=chosen,
        rows=frame,
        pairs=len(again),
        available=len(all_pairs(results)),
        parameters_vary=len({draw for draw, _ in again}) > 1,
    )


_COLUMNS = [
    *("scenario", "quantity", "measure", "by", "place", "kind", "lever", "quarter", "unit", "value", "low", "high"),
    *("note", "label", "studies"),
]


def _quantities(by: str) -> dict[str, Output]:
    """Columns of a dimension's table that add up over places, by name; raises InputError for an unknown dimension."""
    if not isinstance(by, str) or by not in DIMENSIONS:
        raise InputError(f"by is {by!r}{nearest(str(by), DIMENSIONS)} (allowed: {', '.join(DIMENSIONS)})")
    columns = {column.name: column for column in TABLES[DIMENSIONS[by]] if column.unit in _ADDITIVE}
    if by == "tier":
        return {_STOCK[name]: columns[name] for name in _STOCK}
    return {name: columns[name] for name in _OF_FIRMS} if by == BY_SIZE else columns


@dataclass(frozen=True)
class _Levels:
    """Levels in one quarter.

    Attributes:
        places: in the order of the table. values: by scenario and quantity, float64 (pairs, places).
    """

    places: tuple[str, ...]
    values: Mapping[tuple[str, str], np.ndarray]


def _levels(results: Results, by: str, scenarios: Sequence[str], quarter: Quarter, columns: Iterable[str]) -> _Levels:
    """Levels of every scenario by place; raises ResultsError if a scenario, pair or place is missing or there twice."""
    frame: pd.DataFrame = getattr(results, DIMENSIONS[by])
    now = frame[frame["quarter"] == pd.Timestamp(quarter.end_date)]
    if by == "tier":
        now = now.rename(columns=_STOCK)
    return _summed(results, by, scenarios, quarter, now, columns)


def _money_by_place(results: Results, by: str, scenarios: Sequence[str], quarter: Quarter) -> dict[str, _Levels]:
    """Yuan paid since the start by kind, and of all kinds; empty if the table has no public money."""
    frame: pd.DataFrame = getattr(results, DIMENSIONS[by])
    if by == BY_SIZE or not set(_PAID_BY_KIND.values()) <= set(frame):
        return {}
    so_far = frame[frame["quarter"] <= pd.Timestamp(quarter.end_date)]
    paid = _summed(results, by, scenarios, quarter, so_far, _PAID_BY_KIND.values())
    return {
        kind: _Levels(paid.places, {(name, PAID): paid.values[name, column] for name in scenarios})
        for kind, column in _PAID_BY_KIND.items()
    }


def _summed(
    results: Results, by: str, scenarios: Sequence[str], last: Quarter, now: pd.DataFrame, columns: Iterable[str]
) -> _Levels:
    """Sums of columns over the rows of each place, of which there is one for every scenario, pair and quarter."""
    table = DIMENSIONS[by]
    now = now.assign(**{name: now[name].astype(str) for name in ("scenario", table)})
    keys = ["scenario", *_RUN, "quarter", table]
    pairs = results.national[_RUN].drop_duplicates()
    whole = len(scenarios) * len(pairs) * now[table].nunique() * now["quarter"].nunique()
    if now.empty or len(now) != whole or now.duplicated(keys).any():
        raise ResultsError(f"{results.path} is damaged: {table}.parquet does not have every {table} in {last}")
    if by == "region":
        regions = now[table].map(region_names())
        if regions.isna().any():
            raise ResultsError(f"{results.path} is damaged: {table}.parquet has an unknown province")
        now = now.assign(region=regions)
    sums = now.groupby(["scenario", *_RUN, by], sort=False)[list(columns)].sum()
    order = tuple(dict.fromkeys(now[by]))
    values = {}
    for name in sums:
        by_place = sums[name].unstack(by)[list(order)].sort_index()
        for scenario in scenarios:
            values[scenario, str(name)] = by_place.loc[scenario].to_numpy(np.float64)
    return _Levels(order, values)


@dataclass(frozen=True)
class _Money:
    """Public money paid since the start, yuan.

    Attributes:
        by_lever: of the nation, float64 (pairs,), by scenario, kind and lever. by_place: by kind, and of all kinds;
            empty if it is known for the nation alone. not_booked: the note on that.
    """

    by_lever: Mapping[tuple[str, str, str], np.ndarray]
    by_place: Mapping[str, _Levels]
    not_booked: str


@dataclass(frozen=True)
class _Sizes:
    """What a worker gives of a run: sums by quantity, float64 (classes,), at 1:1, and national figures of the run."""

    sums: Mapping[str, np.ndarray]
    national: dict[str, float]


def sums_by_size(run: FirmRun) -> dict[str, np.ndarray]:
    """Sums over the firms of a run at the end, by quantity: float64 (SIZES,), at 1:1; flows of the quarter."""
    slots = np.flatnonzero(run.alive)
    staff, tier = run.amounts["employment"][slots], run.tier[slots]
    classes = size_class(staff, manufacturing()[run.sector[slots]])
    weights = {
        "firms": np.ones(len(slots)),
        "employment": staff,
        **{name: (tier >= code).astype(np.float64) for name, code in TITLES.items()},
        **{name: run.amounts[name][slots] / 4.0 for name in _FLOWS},
    }
    return {name: np.bincount(classes, values, len(SIZES)) / run.scale for name, values in weights.items()}


def _sizes_of(jobs: Sequence[Job], quarter: Quarter) -> list[_Sizes]:
    """The runs of one pair."""
    runs = (follow(job, (), quarter) for job in jobs)
    return [_Sizes(sums_by_size(run), run.national) for run in runs]


def _found(
    groups: Sequence[Sequence[Job]], workers: int | None, quarter: Quarter, on_pair: Callable[[], None]
) -> list[list[_Sizes]]:
    """What was found of each pair, in their order."""
    found = {}
    for index, sizes in run_together(_sizes_of, groups, workers, quarter):
        found[index] = sizes
        on_pair()
    return [found[index] for index in range(len(groups))]


def _by_size(
    results: Results,
    scenarios: Sequence[str],
    quarter: Quarter,
    runs: Sequence[tuple[int, int]],
    found: Sequence[Sequence[_Sizes]],
) -> _Levels:
    """Levels of every scenario by size class; raises InputError if the runs do not repeat the results."""
    other = not_repeated(results, scenarios, runs, [[each.national for each in pair] for pair in found], quarter)
    if other:
        raise InputError(
            f"{other} of {len(scenarios) * len(runs)} runs do not repeat the figures of {results.path}, which another "
            "version of the model or its packages made; run it again with this version, or use another --by"
        )
    values = {
        (name, quantity): np.stack([pair[place].sums[quantity] for pair in found])
        for place, name in enumerate(scenarios)
        for quantity in _OF_FIRMS
    }
    return _Levels(SIZES, values)


def _money_by_lever(
    results: Results, scenarios: Sequence[str], quarter: Quarter, runs: Sequence[tuple[int, int]]
) -> dict[tuple[str, str, str], np.ndarray]:
    """Yuan paid since the start in the nation, float64 (pairs,), by scenario, kind and lever; without what never moves.

    Args:
        runs: draw and replicate of the pairs.
    """
    spending = results.spending.merge(pd.DataFrame(runs, columns=_RUN), on=_RUN)
    so_far = spending[spending["quarter"] <= pd.Timestamp(quarter.end_date)]
    so_far = so_far.assign(**{name: so_far[name].astype(str) for name in ("scenario", "kind", "lever")})
    paid = so_far.groupby(["kind", "lever", "scenario", *_RUN], sort=False)["spending_yuan"].sum()
    paid = paid.sort_index()
    pairs = len(runs)
    found: dict[tuple[str, str, str], np.ndarray] = {}
    for kind, lever in so_far[["kind", "lever"]].drop_duplicates().itertuples(index=False, name=None):
        own = {name: paid.loc[kind, lever, name].to_numpy(np.float64) for name in scenarios}
        if any(len(values) != pairs for values in own.values()):
            raise ResultsError(f"{results.path} is damaged: spending.parquet does not have every run")
        if any(values.any() for values in own.values()):
            found |= {(name, kind, lever): values for name, values in own.items()}
    for name in scenarios:
        found[name, ALL, ALL] = sum(
            (values for (scenario, *_), values in found.items() if scenario == name), np.zeros(pairs)
        )
    return found


def _rows(
    results: Results,
    scenarios: Sequence[str],
    levels: _Levels,
    money: _Money,
    columns: Sequence[Output],
) -> Iterator[dict]:
    """Rows of one quarter; the first scenario is the baseline."""
    baseline = scenarios[0]
    labels = {name: results.level_label(name) for name in scenarios}
    changes = {name: results.change_label(baseline, name) for name in scenarios[1:]}
    bases = {name: levels.values[baseline, name] for name in ("firms", "employment")}
    compared = [("firms" if column.name == "stock" else column.name, column.unit, "", "", levels) for column in columns]
    compared += [(PAID, "yuan", kind, ALL if kind == ALL else "", paid) for kind, paid in money.by_place.items()]
    for name, unit, kind, lever, found in compared:
        before = found.values[baseline, name]
        for scenario in scenarios:
            now = found.values[scenario, name]
            shared = {"scenario": scenario, "quantity": name, "kind": kind, "lever": lever, "note": ""}
            for row in _level_rows(now, found.places, unit):
                yield {**shared, **row, **labels[scenario].columns}
            if scenario != baseline:
                for row in _change_rows(now, before, bases, found.places, unit):
                    yield {**shared, **row, **changes[scenario].columns}
    people = {name: values.sum(axis=1) for name, values in bases.items()}
    for (scenario, kind, lever), paid in money.by_lever.items():
        if money.by_place and kind == ALL:
            continue  # the nation's total stands below its places
        shared = {"scenario": scenario, "quantity": PAID, "place": NATION, "kind": kind, "lever": lever}
        shared["note"] = "" if money.by_place else money.not_booked
        yield {**shared, **_number("level", paid, "yuan"), **labels[scenario].columns}
        if scenario != baseline:
            for measure, values, unit in _per_head(paid - money.by_lever[baseline, kind, lever], people, "yuan"):
                yield {**shared, **_number(measure, values, unit), **changes[scenario].columns}


def _number(measure: str, values: np.ndarray, unit: str) -> dict:
    """Mean and band of one number of each pair."""
    return {"measure": measure, "unit": unit, **band_columns(values)}


def _per_head(change: np.ndarray, bases: Mapping[str, np.ndarray], unit: str) -> Iterator[tuple[str, np.ndarray, str]]:
    """A change (pairs,) in all and per 1,000 firms and employees in the mean baseline, which are the same for all."""
    yield "change", change, unit
    for name, what in (("firms", "firms"), ("employment", "employees")):
        base = bases[name].mean() / 1000.0
        yield f"change_per_1000_{what}", change / base if base > 0.0 else change * math.nan, f"{unit} per 1,000 {what}"


def _level_rows(now: np.ndarray, places: Sequence[str], unit: str) -> Iterator[dict]:
    """Levels of each place and the nation, each place's share of the nation, and how unequal they are."""
    nation = now.sum(axis=1)
    shares = _ratio(now, nation[:, None])
    for index, place in enumerate(places):
        yield {"place": place, **_number("level", now[:, index], unit)}
        yield {"place": place, **_number("share_of_nation", shares[:, index], "share")}
    yield {"place": NATION, **_number("level", nation, unit)}
    yield {"place": NATION, **_number("gini", gini(now), "0-1")}
    yield {"place": NATION, **_number("theil", theil(now), "nats")}


def _change_rows(
    now: np.ndarray, before: np.ndarray, bases: Mapping[str, np.ndarray], places: Sequence[str], unit: str
) -> Iterator[dict]:
    """Changes of each place and the nation, and how concentrated they are; arrays are (pairs, places)."""
    change = now - before
    nation = change.sum(axis=1)
    one_sign = bool((nation > 0.0).all() or (nation < 0.0).all())
    shares = change / nation.mean() if one_sign else change * math.nan
    for index, place in enumerate(places):
        own = {name: values[:, index] for name, values in bases.items()}
        for measure, values, what in _per_head(change[:, index], own, unit):
            yield {"place": place, **_number(measure, values, what)}
        yield {"place": place, **_number("share_of_change", shares[:, index], "share")}
    for measure, values, what in _per_head(nation, {name: each.sum(axis=1) for name, each in bases.items()}, unit):
        yield {"place": NATION, **_number(measure, values, what)}
    gaining = change.mean(axis=0) > 0.0
    yield {"place": NATION, **_number("gains", change[:, gaining].sum(axis=1), unit)}
    yield {"place": NATION, **_number("losses", change[:, ~gaining].sum(axis=1), unit)}
    yield {"place": NATION, **_number("gini_change", gini(now) - gini(before), "0-1")}
    yield {"place": NATION, **_number("gini_gains", gini(np.maximum(change, 0.0)), "0-1")}
    yield {"place": NATION, **_number("gini_losses", gini(np.maximum(-change, 0.0)), "0-1")}


def _ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """part / whole, NaN where the whole is zero."""
    return np.divide(part, whole, out=np.full(part.shape, math.nan), where=whole != 0.0)


def gini(values: np.ndarray) -> np.ndarray:
    """Gini coefficient over places: 0 if all have the same, 1 − 1/places if one has all; NaN if there is nothing.

    Args:
        values: float64 (pairs, places), not negative.

    Returns:
        float64 (pairs,).
    """
    places = values.shape[1]
    weights = 2.0 * np.arange(1, places + 1) - places - 1.0
    return _ratio((weights * np.sort(values, axis=1)).sum(axis=1), places * values.sum(axis=1))


def theil(values: np.ndarray) -> np.ndarray:
    """Theil index over places in nats: 0 if all have the same, ln(places) if one has all; NaN if there is nothing.

    Args:
        values: float64 (pairs, places), not negative.

    Returns:
        float64 (pairs,).
    """
    shares = _ratio(values, values.sum(axis=1)[:, None])
    logs = np.log(np.where(shares > 0.0, shares * values.shape[1], 1.0))
    return (shares * logs).sum(axis=1)
