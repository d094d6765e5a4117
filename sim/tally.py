"""Totals over firms: what the records show and what firms see in the next quarter.

All sums are integers (money in thousands of yuan or yuan, shares in fixed-point parts), so
they are exact and the same whatever the order or the number of threads.
"""

from __future__ import annotations

from collections import namedtuple

import numpy as np

from sim.columns import FUND_BACKED, LISTED, MOVED, NEVER, NEWCOMER
from sim.draws import uniform_pair
from sim.elementary import exp, log
from sim.flows import FLOWS
from sim.jit import kernel, part
from sim.mechanisms.chain_links import leader_of
from sim.mechanisms.digital import digital_level
from sim.mechanisms.exports import exports
from sim.mechanisms.research import added_research, next_threshold, research_staff
from sim.mechanisms.support import X_EXPORTS, X_RESEARCH_YUAN, programme_channel
from sim.terms import ended_in, has_award
from sim.tile import TILE, list_places, stretch_end, window

#: Parts per unit of the fixed-point sums of shares and ratios.
PARTS = 1 << 20
#: Parts of a person in the sums of employees and R&D staff.
PERSON_PARTS = 1024.0
#: Employees from which a firm counts in the means of digital level, governance, refinement and the like.
COUNTED_EMPLOYMENT = 20
#: A firm is young for this many quarters.
YOUNG_QUARTERS = 14

#: What is summed by place (province and county type) and sector.
CELL = (
    "firms",
    "employment",  # parts of a person
    "innovative_smes",
    "srdi_smes",
    "little_giants",
    "revenue",  # thousand yuan per year
    "rd_true",  # yuan per year
    "rd_reported",  # yuan per year
    "rd_firms",
    "suppliers",  # of chain leaders
    "counted",  # firms of COUNTED_EMPLOYMENT or more
    "digital_levels",
    "governance",  # parts
    "productivity",  # employees times exp(productivity), parts of a person
    "awarded",  # little giants with a running award
    "constraint",  # parts, of counted firms
    "refinement",  # parts, of counted firms
    "green",  # parts, of counted firms
    "level_1",  # counted firms by digital level
    "level_2",
    "level_3",
    "level_4",
    "exports",  # thousand yuan per year
    "listed",
    "fund_backed",
    "young",
    "linked",  # firms with a main customer
    "newcomers",
    "moved",
    "rd_staff",  # parts of a person
    "genuine_srdi",  # certified firms whose true R&D meets their tier's intensity
    "genuine_giants",
    "equity",  # thousand yuan
    "supplier_digital",  # parts, of suppliers of chain leaders
    "supplier_refinement",  # parts, of suppliers of chain leaders
)
# Places in a cell, as constants for the compiler.
FIRMS = CELL.index("firms")
EMPLOYMENT = CELL.index("employment")
INNOVATIVE = CELL.index("innovative_smes")
SRDI = CELL.index("srdi_smes")
GIANTS = CELL.index("little_giants")
REVENUE = CELL.index("revenue")
RD_TRUE = CELL.index("rd_true")
RD_REPORTED = CELL.index("rd_reported")
RD_FIRMS = CELL.index("rd_firms")
SUPPLIERS = CELL.index("suppliers")
COUNTED = CELL.index("counted")
LEVELS = CELL.index("digital_levels")
GOVERNANCE = CELL.index("governance")
EFFECTIVE = CELL.index("productivity")
AWARDED = CELL.index("awarded")
CONSTRAINT = CELL.index("constraint")
REFINEMENT = CELL.index("refinement")
GREEN = CELL.index("green")
LEVEL_1 = CELL.index("level_1")
EXPORTS = CELL.index("exports")
LISTED_FIRMS = CELL.index("listed")
BACKED = CELL.index("fund_backed")
YOUNG = CELL.index("young")
LINKED = CELL.index("linked")
NEWCOMERS = CELL.index("newcomers")
MOVED_FIRMS = CELL.index("moved")
RD_STAFF = CELL.index("rd_staff")
GENUINE_SRDI = CELL.index("genuine_srdi")
GENUINE_GIANTS = CELL.index("genuine_giants")
EQUITY = CELL.index("equity")
SUPPLIER_DIGITAL = CELL.index("supplier_digital")
SUPPLIER_REFINEMENT = CELL.index("supplier_refinement")

#: What is summed by cluster (C_) and, of the leader's suppliers, by chain (S_): units as in CELL, knowledge and
#: strength, which is revenue times capability, in thousand yuan.
CLUSTER = ("firms", "srdi_smes", "little_giants", "revenue", "digital", "governance", "knowledge")
C_FIRMS, C_SRDI, C_GIANTS, C_REVENUE, C_DIGITAL, C_GOVERNANCE, C_KNOWLEDGE = range(len(CLUSTER))
CHAIN = ("suppliers", "little_giants", "strength", "newcomers")
S_SUPPLIERS, S_GIANTS, S_STRENGTH, S_NEWCOMERS = range(len(CHAIN))
#: What is summed by highest certificate (none, innovative, SRDI, little giant) (T_): units as in CELL.
BY_TIER = ("firms", "employment", "revenue", "rd_true", "rd_reported", "counted", "digital_levels", "productivity")
T_FIRMS, T_EMPLOYMENT, T_REVENUE, T_RD_TRUE, T_RD_REPORTED, T_COUNTED, T_LEVELS, T_EFFECTIVE = range(len(BY_TIER))

Totals = namedtuple(
    "Totals",
    [
        "cells",  # (places, sectors, len(CELL))
        "tiers",  # (4, len(BY_TIER))
        "county_giants",  # (units,)
        "niche_revenue",  # (niches,), thousand yuan per year
        "niche_qualified",  # (niches,), the part of qualified suppliers
        "niche_lost",  # (niches,), thousand yuan per year lost to a missing foreign supplier
        "clusters",  # (clusters, len(CLUSTER))
        "chains",  # (chains, len(CHAIN))
        "supported",  # (programmes,), firms whose support bit is set
        "flows",  # (places, sectors, len(FLOWS)), what happened in the quarter
    ],
)


def by_name(totals: np.ndarray, names: tuple[str, ...]) -> dict[str, np.ndarray]:
    """Views of the last axis of totals by name, such as ``by_name(totals.cells, CELL)``; numbers of the only axis."""
    return {name: totals[..., index][()] for index, name in enumerate(names)}


def new_totals(
    places: int, sectors: int, units: int, niches: int, clusters: int, chains: int, programmes: int
) -> Totals:
    """Zeroed totals, all int64."""
    shapes = (
        (places, sectors, len(CELL)),
        (4, len(BY_TIER)),
        (units,),
        (niches,),
        (niches,),
        (niches,),
        (clusters, len(CLUSTER)),
        (chains, len(CHAIN)),
        (programmes,),
        (places, sectors, len(FLOWS)),
    )
    return Totals(*(np.zeros(shape, dtype=np.int64) for shape in shapes))


@part
def count_tile(w, env, aspiration_key, p, moment, cells, able, odds, performers, count, totals, lo, n):
    """Add the firms of a tile to the totals, all but what certificates decide (see `count_certified`).

    w: the tile's columns. cells: float64 (TILE,), numbers of the firms' cells. able: float64 (TILE,), capability
    as a supplier. odds: float64 (TILE,), working memory. performers, count: places of the firms with R&D, and
    their number. lo: slot of the first firm.
    """
    for j in range(n):
        odds[j] = 0.0
        if w.support[j] != 0:
            odds[j] = programme_channel(w.support[j], env.programme_effects, X_EXPORTS)
            for programme in range(totals.supported.size):
                totals.supported[programme] += (w.support[j] >> programme) & 1
    first = 0
    while first < n:
        last = stretch_end(cells, first, n)
        sector = w.sector[first]
        cell = totals.cells[env.county_place[w.county[first]], sector]
        run = window(w, first, last)
        _add_run(run, cell, p, last - first)
        if env.sector_manufacturing[sector]:
            _add_exports(run, odds[first:last], cell, aspiration_key, p, lo + first, last - first)
        first = last
    _add_to_clusters(w, totals.clusters, n)
    _add_to_niches(w, env, able, p, totals, n)
    for j in range(n):
        leader = leader_of(w.customer[j])
        if leader >= 0:
            _add_supplier(w, env, able[j], leader, p, totals, j)
    for m in range(count):
        j = performers[m]
        if w.rd_intensity[j] > 0.0:
            true, reported, staff = research_sums(w, env, p, moment, j)
            cell = totals.cells[env.county_place[w.county[j]], w.sector[j]]
            cell[RD_TRUE] += true
            cell[RD_REPORTED] += reported
            cell[RD_FIRMS] += 1
            cell[RD_STAFF] += staff


@kernel
def count_certified(firms, env, p, moment, places, totals, lo, hi):
    """Add the firms with a certificate in slots lo … hi-1 to the totals, once recognition is done."""
    for start in range(lo, hi, TILE):
        n = min(start + TILE, hi) - start
        for m in range(list_places(firms.tier[start : start + n], places, n)):
            _add_certified(firms, env, p, moment, totals, start + places[m])


def complete(totals: Totals) -> None:
    """Write the firms without a certificate: all less those with one."""
    cells = totals.cells.sum(axis=(0, 1))
    totals.tiers[0] = cells[[CELL.index(name) for name in BY_TIER]] - totals.tiers[1:].sum(axis=0)


@part
def _add_run(w, cell, p, n):
    """Add neighbours of one place and sector to its cell: what every firm has, and means over the larger ones."""
    firms, people, thousands, effective, young, equity = 0, 0, 0, 0, 0, 0
    for j in range(n):
        employment = float(w.employment[j])
        firms += employment != 0.0
        people += np.int64(employment * PERSON_PARTS)
        thousands += np.int64(w.revenue[j] * 1e-3 + 0.5)
        effective += np.int64(employment * exp(w.productivity[j]) * PERSON_PARTS)
        young += (employment != 0.0) & (w.age[j] < YOUNG_QUARTERS)
        equity += np.int64(w.equity[j] * 1e-3)
    listed, backed, linked, newcomers, moved = 0, 0, 0, 0, 0
    for j in range(n):
        flags = w.flags[j]
        listed += flags & LISTED != 0
        backed += flags & FUND_BACKED != 0
        newcomers += flags & NEWCOMER != 0
        moved += flags & MOVED != 0
        linked += w.customer[j] != NEVER
    counted, above_1, above_2, above_3 = 0, 0, 0, 0
    for j in range(n):
        counts = w.employment[j] >= COUNTED_EMPLOYMENT
        counted += counts
        above_1 += counts & (w.digital[j] >= p.digital_level2)
        above_2 += counts & (w.digital[j] >= p.digital_level3)
        above_3 += counts & (w.digital[j] >= p.digital_level4)
    governance, constraint, refinement, green = 0, 0, 0, 0
    for j in range(n):
        counts = w.employment[j] >= COUNTED_EMPLOYMENT
        governance += np.int64(w.governance[j] * PARTS) if counts else 0
        constraint += np.int64(w.constraint[j] * PARTS) if counts else 0
        refinement += np.int64(w.refinement[j] * PARTS) if counts else 0
        green += np.int64(w.green[j] * PARTS) if counts else 0
    cell[FIRMS] += firms
    cell[EMPLOYMENT] += people
    cell[REVENUE] += thousands
    cell[EFFECTIVE] += effective
    cell[YOUNG] += young
    cell[EQUITY] += equity
    cell[LISTED_FIRMS] += listed
    cell[BACKED] += backed
    cell[LINKED] += linked
    cell[NEWCOMERS] += newcomers
    cell[MOVED_FIRMS] += moved
    cell[COUNTED] += counted
    cell[LEVELS] += counted + above_1 + above_2 + above_3
    cell[LEVEL_1] += counted - above_1
    cell[LEVEL_1 + 1] += above_1 - above_2
    cell[LEVEL_1 + 2] += above_2 - above_3
    cell[LEVEL_1 + 3] += above_3
    cell[GOVERNANCE] += governance
    cell[CONSTRAINT] += constraint
    cell[REFINEMENT] += refinement
    cell[GREEN] += green


@part
def _add_exports(w, odds, cell, aspiration_key, p, lo, n):
    """Add what manufacturers of one place and sector sell abroad."""
    sold = 0
    for j in range(n):
        employment = max(float(w.employment[j]), 1.0)
        _, draw = uniform_pair(aspiration_key, lo + j)
        abroad = exports(draw, w.productivity[j], log(employment), odds[j], p)
        sold += np.int64(p.export_share * (w.revenue[j] * 1e-3)) if abroad else 0
    cell[EXPORTS] += sold


@part
def _add_to_clusters(w, clusters, n):
    """Add the firms of a tile to the clusters they are in; neighbours mostly share one."""
    first = 0
    while first < n:
        cluster = w.cluster[first]
        last = stretch_end(w.cluster, first, n)
        if cluster >= 0:
            _add_members(window(w, first, last), clusters[cluster], last - first)
        first = last


@part
def _add_members(w, sums, n):
    """Add n members of one cluster to its sums."""
    firms, thousands, digital, governance, knowledge = 0, 0, 0, 0, 0
    for j in range(n):
        alive = w.employment[j] != 0.0
        firms += alive
        thousands += np.int64(w.revenue[j] * 1e-3 + 0.5)
        digital += np.int64(w.digital[j] * PARTS) if alive else 0
        governance += np.int64(w.governance[j] * PARTS) if alive else 0
        knowledge += np.int64(w.knowledge[j] * 1e-3)
    sums[C_FIRMS] += firms
    sums[C_REVENUE] += thousands
    sums[C_DIGITAL] += digital
    sums[C_GOVERNANCE] += governance
    sums[C_KNOWLEDGE] += knowledge


@part
def _add_to_niches(w, env, able, p, totals, n):
    """Add the revenue of a tile's firms to their niches, that of qualified suppliers apart."""
    revenue, qualified = totals.niche_revenue, totals.niche_qualified
    for j in range(n):
        thousands = np.int64(w.revenue[j] * 1e-3 + 0.5)
        revenue[w.niche[j]] += thousands
        if able[j] >= p.qualified_capability:
            qualified[w.niche[j]] += thousands
    if env.disturbed[0]:
        for j in range(n):
            slack = env.niche_slack[w.niche[j]]
            if slack < 0.0:
                thousands = np.int64(w.revenue[j] * 1e-3 + 0.5)
                totals.niche_lost[w.niche[j]] += np.int64(thousands * (exp(-slack) - 1.0))


@part
def _add_supplier(w, env, able, leader, p, totals, j):
    """Add firm j to the chain of the leader it supplies."""
    thousands = np.int64(w.revenue[j] * 1e-3 + 0.5)
    cell = totals.cells[env.county_place[w.county[j]], w.sector[j]]
    cell[SUPPLIERS] += 1
    cell[SUPPLIER_DIGITAL] += np.int64(w.digital[j] * PARTS)
    cell[SUPPLIER_REFINEMENT] += np.int64(w.refinement[j] * PARTS)
    chain = totals.chains[leader]
    chain[S_SUPPLIERS] += 1
    chain[S_STRENGTH] += np.int64(able * thousands)
    if w.flags[j] & NEWCOMER != 0:
        chain[S_NEWCOMERS] += 1
        weakest = env.chain_weakest[leader]
        if weakest >= 0 and able >= p.qualified_capability:
            totals.niche_qualified[weakest] += np.int64(p.newcomer_supply * thousands)


@part
def research_sums(w, env, p, moment, j):
    """True and reported R&D in yuan per year and R&D staff in parts of a person of firm j, int64 each.

    A little giant that loses its title in the quarter has done the R&D its award paid for.
    """
    revenue = float(w.revenue[j])
    awarded = has_award(w, moment, j) or w.awarded_in[j] == ended_in(moment.index)
    support_yuan = programme_channel(w.support[j], env.programme_effects, X_RESEARCH_YUAN)
    funded = w.rd_intensity[j] + added_research(awarded, moment.award_yuan, support_yuan, revenue, p)
    staff = research_staff(funded, revenue, p)
    reported = funded * revenue / (1.0 - w.relabelled[j])
    return np.int64(funded * revenue), np.int64(reported), np.int64(staff * PERSON_PARTS)


@part
def _add_certified(w, env, p, moment, totals, j):
    """Add certified firm j to the sums of its certificate, place, cluster and chain."""
    county = w.county[j]
    tier = w.tier[j]
    revenue = float(w.revenue[j])
    employment = float(w.employment[j])
    cell = totals.cells[env.county_place[county], w.sector[j]]
    cell[INNOVATIVE] += 1
    cell[SRDI] += tier >= 2
    cell[GIANTS] += tier >= 3
    cell[AWARDED] += has_award(w, moment, j)
    held = totals.tiers[tier]
    held[T_FIRMS] += 1
    held[T_EMPLOYMENT] += np.int64(employment * PERSON_PARTS)
    held[T_REVENUE] += np.int64(revenue * 1e-3 + 0.5)
    if w.rd_intensity[j] > 0.0:
        true, reported, _ = research_sums(w, env, p, moment, j)
        held[T_RD_TRUE] += true
        held[T_RD_REPORTED] += reported
    if employment >= COUNTED_EMPLOYMENT:
        held[T_COUNTED] += 1
        held[T_LEVELS] += digital_level(w.digital[j], p)
    held[T_EFFECTIVE] += np.int64(employment * exp(w.productivity[j]) * PERSON_PARTS)
    if tier >= 2:
        # A badge is genuine if last year's true R&D meets the intensity its own tier asks for.
        asked = moment.srdi_rd
        if tier == 3 and revenue >= moment.giant_revenue_mid:
            asked = next_threshold(tier, revenue, moment)
        genuine = w.rd_last_year[j] * (1.0 - w.relabelled[j]) >= asked
        cell[GENUINE_SRDI] += genuine
        cell[GENUINE_GIANTS] += tier >= 3 and genuine
    if tier >= 3:
        totals.county_giants[county] += 1
        leader = leader_of(w.customer[j])
        if leader >= 0:
            totals.chains[leader, S_GIANTS] += 1
    if w.cluster[j] >= 0:
        cluster = totals.clusters[w.cluster[j]]
        cluster[C_SRDI] += tier >= 2
        cluster[C_GIANTS] += tier >= 3
