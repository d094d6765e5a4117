"""Chains, the firms that supply their leaders, clusters by stage, and the histories of single firms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from sim.calendar import START, Quarter
from sim.firms.columns import NEVER
from sim.mechanisms.chain_links import leader_code
from sim.reference import province_names, sector_names
from sim.tiers import TIERS
from sim.world.geography import COUNTY_TYPES
from viz.live.measures import Course, best_runs, by_key, course_of, days, four_quarters
from viz.live.regions import clusters_at, geography
from viz.live.runner import Links, Run
from viz.live.session import Answer
from viz.shared.doubt import effects_of

#: Measures of a chain with their units: columns of the chain table; quarterly flows are summed over a year.
MEASURES: dict[str, str] = {
    "openness": "0-1",
    "suppliers": "firms",
    "little_giant_suppliers": "firms",
    "strength": "yuan per year",
    "gaps_filled_share": "share",
    "extension_share": "share",
    "resilience": "share",
}
_SUMMED = ("strength",)
#: Upper ends of the classes for the strength of a cluster's commons.
STEPS = (0.2, 0.4, 0.6, 0.8, 1.0)
#: Tiers by the code in the column `tier`.
TIER_NAMES = ("none", *TIERS)
#: Maximum number of firms to choose from.
MOST_FIRMS = 300
_SINCE = ("innovative_since", "srdi_since", "giant_since")


# --- chains


@dataclass(frozen=True, eq=False)
class Chains:
    """All chains at the end of a run.

    Attributes:
        sector, province: of the chain, and of its leader's home, by number of the chain.
        value: by measure, float64 (chains,), mean over the policy's runs.
        difference: by measure, the mean over pairs and the ends of its 90 % interval (NaN for one pair), float64
            (chains,) each.
        pairs: number of pairs of runs.
    """

    sector: list[str]
    province: list[str]
    value: Mapping[str, np.ndarray]
    difference: Mapping[str, tuple[np.ndarray, np.ndarray, np.ndarray]]
    pairs: int


def chains(answer: Answer) -> Chains:
    """All chains at the end of the run, under the policy and relative to the baseline."""
    runs, baselines = best_runs(answer)
    table = answer.central.tables["chain"]
    number = len(np.unique(table["chain"]))
    value, difference = {}, {}
    for measure in MEASURES:
        policy, baseline = (np.stack([chain_values(run, measure)[-1] for run in each]) for each in (runs, baselines))
        value[measure] = policy.mean(axis=0)
        change, before = (each[:, None] for each in (policy - baseline, baseline))
        found = effects_of(change, before, _quantity(measure), MEASURES[measure], days(answer.central)[-1:])
        mean, low, high = (each[0] for each in found)
        difference[measure] = mean, low, high
    sector, province = (table[column][:number].tolist() for column in ("sector", "province"))
    return Chains(sector, province, value, difference, len(runs))


def chain_values(run: Run, measure: str) -> np.ndarray:
    """A measure of all chains by quarter: float64 (quarters, chains)."""
    values = by_key(run, "chain", "chain", measure)[1]
    return four_quarters(values) if measure in _SUMMED else values


def chain_course(answer: Answer, chain: int, measure: str) -> Course:
    """A measure of one chain over time."""
    unit = MEASURES[measure]
    return course_of(answer, lambda run: chain_values(run, measure)[:, chain], _quantity(measure), unit)


def _quantity(measure: str) -> str:
    """Name of a measure of a chain among quantities, which has no reported figure."""
    return f"chain.{measure}"


# --- the firms that supply a leader


@dataclass(frozen=True, eq=False)
class Supply:
    """A chain's leader and its direct and indirect suppliers; one entry per node, the leader first.

    Attributes:
        row: int64, row of the node in the links; -1 for the leader.
        parent: int64, node it supplies; -1 for the leader.
        depth: int64, 0 for the leader, 1 for direct suppliers, 2 for their suppliers and so on.
        group: int64, niche of the direct supplier that the node is or supplies; -1 for the leader.
    """

    row: np.ndarray
    parent: np.ndarray
    depth: np.ndarray
    group: np.ndarray

    def __len__(self) -> int:
        return len(self.row)


def supply(links: Links, chain: int) -> Supply:
    """The direct and indirect suppliers of a chain's leader.

    Every firm has one main customer, so they form a tree. Direct suppliers are ordered by niche, then as in the links.
    """
    node_of = np.full(int(max(links.slot.max(initial=0), links.customer.max(initial=0))) + 1, -1, dtype=np.int64)
    firms = np.flatnonzero(links.customer == leader_code(chain))
    firms = firms[np.argsort(links.niche[firms], kind="stable")]
    rows, parents, depths, groups = ([np.array([value])] for value in (-1, -1, 0, -1))
    first, depth = 1, 1
    parent, group = np.zeros(len(firms), dtype=np.int64), links.niche[firms].astype(np.int64)
    buyers = np.where(links.customer >= 0, links.customer, 0)
    while len(firms):
        ring: tuple[ArrayLike, ...] = (firms, parent, depth, group)
        for rings, values in zip((rows, parents, depths, groups), ring, strict=True):
            rings.append(np.broadcast_to(values, firms.shape))
        node_of[links.slot[firms]] = np.arange(first, first + len(firms))
        customer_node = np.where(links.customer >= 0, node_of[buyers], -1)
        # The next ring: firms whose customer is in this one.
        following = np.flatnonzero(customer_node >= first)
        first, depth = first + len(firms), depth + 1
        firms, parent = following, customer_node[following]
        group = np.concatenate(groups)[parent]
    return Supply(*(np.concatenate(rings).astype(np.int64) for rings in (rows, parents, depths, groups)))


def edges(supplied: Supply) -> np.ndarray:
    """Supplier and customer of every link: int32 (nodes - 1, 2)."""
    nodes = np.arange(1, len(supplied))
    return np.column_stack([nodes, supplied.parent[1:]]).astype(np.int32)


def tier_counts(links: Links, supplied: Supply) -> np.ndarray:
    """Direct and indirect suppliers of a leader by tier: int64 (tiers,)."""
    return np.bincount(links.tier[supplied.row[1:]], minlength=len(TIER_NAMES))


def firm_places(links: Links) -> tuple[list[str], list[str]]:
    """Names of the provinces and keys of the sectors of linked firms."""
    provinces, sectors = province_names(), sector_names()
    homes = geography().county_province[links.county]
    return [provinces[home] for home in homes.tolist()], [sectors[sector] for sector in links.sector.tolist()]


# --- clusters


@dataclass(frozen=True, eq=False)
class Stages:
    """Clusters at a year end by stage.

    Attributes:
        years: of recognition, in order.
        by_year: int64 (years, county types); by_step: int64 (len(STEPS), county types).
        crossed: int64 (years, len(STEPS)).
        commons: float64 (years,), mean strength. firms, little_giants: float64 (years,), totals over the clusters.
    """

    years: list[int]
    by_year: np.ndarray
    by_step: np.ndarray
    crossed: np.ndarray
    commons: np.ndarray
    firms: np.ndarray
    little_giants: np.ndarray


def stages(run: Run, year: int) -> Stages:
    """Clusters at the end of a year by year of recognition, strength of their commons and county type."""
    clusters = clusters_at(run, year)
    years, position = np.unique(clusters["recognised"].to_numpy(dtype=np.int64), return_inverse=True)
    kind = np.array([COUNTY_TYPES.index(each) for each in clusters["county_type"]], dtype=np.int64)
    strength = clusters["commons"].to_numpy(dtype=np.float64)
    # A class includes its upper end; rounding error must not push a mean beyond it.
    step = np.searchsorted(np.array(STEPS) + 1e-9, strength).clip(max=len(STEPS) - 1)

    def cross_table(first: np.ndarray, firsts: int, second: np.ndarray, seconds: int) -> np.ndarray:
        return np.bincount(first * seconds + second, minlength=firsts * seconds).reshape(firsts, seconds)

    def total(column: str) -> np.ndarray:
        return np.bincount(position, clusters[column].to_numpy(dtype=np.float64), minlength=len(years))

    kinds, steps = len(COUNTY_TYPES), len(STEPS)
    by_year = cross_table(position, len(years), kind, kinds)
    return Stages(
        years=years.tolist(),
        by_year=by_year,
        by_step=cross_table(step, steps, kind, kinds),
        crossed=cross_table(position, len(years), step, steps),
        commons=total("commons") / by_year.sum(axis=1),
        firms=total("firms"),
        little_giants=total("little_giants"),
    )


# --- single firms


@dataclass(frozen=True)
class Event:
    """An event in the certificates of a firm.

    Attributes:
        kind: granted, renewed, fell or ended. when: quarter such as 2024Q1, or the year if only that is known.
        tier: granted, renewed or lost. left: tier after a fall.
    """

    kind: str
    when: str
    tier: str
    left: str = "none"


@dataclass(frozen=True, eq=False)
class Life:
    """A firm of the panel, from the first to the last year end at which it existed.

    Attributes:
        firm: its id. founded: quarter. province, county_type, sector: at the last of these year ends.
        years: of the panel; the arrays are float64 (years,), NaN where the firm did not exist.
        employment: persons. rd_intensity: share of revenue. digital: 0-1. tier: 0-3.
        certificates: in chronological order. closed: year in which it closed, or None.
    """

    firm: str
    founded: Quarter
    province: str
    county_type: str
    sector: str
    years: list[int]
    employment: np.ndarray
    rd_intensity: np.ndarray
    digital: np.ndarray
    tier: np.ndarray
    certificates: list[Event]
    closed: int | None


def panel(run: Run) -> pd.DataFrame:
    """The rows of single firms with the year instead of the quarter."""
    frame = pd.DataFrame(run.tables["firms"])
    return frame.assign(year=frame["quarter"].dt.year.astype(int)).drop(columns="quarter")


def firm_list(rows: pd.DataFrame, most: int = MOST_FIRMS) -> pd.DataFrame:
    """Firms to choose from, sorted by the highest tier they reached, then by size.

    Returns:
        columns firm, tier (highest, 0-3), employment (largest), province, sector (last), at most `most` rows.
    """
    highest = {column: (column, "max") for column in ("tier", "employment")}
    last = {column: (column, "last") for column in ("province", "sector")}
    firms = rows.groupby("firm", sort=False).agg(**highest, **last).reset_index()
    return firms.sort_values(["tier", "employment", "firm"], ascending=[False, False, True]).head(most)


def founded(firm: str) -> Quarter:
    """Quarter in which a firm of the panel was founded: its id is its slot and the quarter counted from the start."""
    return START + int(firm.partition("-")[2])


def life(rows: pd.DataFrame, firm: str) -> Life | None:
    """The history of a firm of the panel; None if there is no such firm."""
    own = rows[rows["firm"] == firm].sort_values("year")
    if own.empty:
        return None
    years = sorted(rows["year"].unique().tolist())
    last = own.iloc[-1]
    at = own.set_index("year")
    values = {
        name: at[name].reindex(years).to_numpy(dtype=np.float64)
        for name in ("employment", "rd_intensity", "digital", "tier")
    }
    end = int(last["year"])
    return Life(
        firm=firm,
        founded=founded(firm),
        province=last["province"],
        county_type=last["county_type"],
        sector=last["sector"],
        years=years,
        **values,
        certificates=_certificates(own),
        closed=end + 1 if end < years[-1] else None,
    )


def _certificates(own: pd.DataFrame) -> list[Event]:
    """Certificates that a firm was granted, renewed and lost, from year end to year end."""
    events: list[Event] = []
    before_tier, before_since = 0, [NEVER] * len(_SINCE)
    for row in own.itertuples():
        tier, since = int(row.tier), [int(getattr(row, name)) for name in _SINCE]
        if tier > before_tier:
            # A higher certificate also renews the dates of the lower ones, so each date belongs to the highest tier
            # with it.
            gained = {since[each - 1]: TIER_NAMES[each] for each in range(before_tier + 1, tier + 1)}
            events += [Event("granted", str(START + date), name) for date, name in sorted(gained.items())]
        elif tier < before_tier:
            kind = "fell" if tier else "ended"
            events.append(Event(kind, str(row.year), TIER_NAMES[before_tier], TIER_NAMES[tier]))
        elif tier and since[tier - 1] != before_since[tier - 1]:
            events.append(Event("renewed", str(START + since[tier - 1]), TIER_NAMES[tier]))
        before_tier, before_since = tier, since
    return events
