"""Totals over firms: what the records show and what firms see in the next quarter.

All sums are integers (money in thousands of yuan or yuan, shares in fixed-point parts), so
they are exact and the same whatever the order or the number of threads.
"""

from __future__ import annotations

from collections import namedtuple

import numpy as np

from sim.firms.columns import FUND_BACKED, LISTED, MOVED, NEVER, NEWCOMER
from sim.firms.exporters import find_exporters
from sim.firms.terms import ended_in, has_award
from sim.firms.tile import TILE, cell_of, list_indices, stretch_end, window
from sim.flows import Flow
from sim.mechanisms.chain_links import is_leader, leader_of
from sim.mechanisms.digital import digital_level
from sim.mechanisms.research import added_research, next_threshold, research_staff
from sim.mechanisms.size import DESIGNATED_REVENUE
from sim.mechanisms.support import Channel, programme_channel
from sim.numerics.elementary import exp, floor, log
from sim.numerics.jit import inlined, kernel
from sim.numerics.positions import positions
from sim.tiers import Tier

#: Parts per unit of the fixed-point sums of shares and ratios.
PARTS = 1 << 20
#: Parts of a person in the sums of employees and R&D staff.
PERSON_PARTS = 1024.0
#: Employees from which a firm counts in the means of digital level, governance, refinement and the like.
COUNTED_EMPLOYMENT = 20
#: A firm is young for this many quarters.
YOUNG_QUARTERS = 14

#: What is summed by place (province and county type) and sector.
Cell = positions(
    "Cell",
    [
        "firms",
        "employment",  # parts of a person
        "innovative_smes",
        "srdi_smes",
        "little_giants",
        "revenue",  # thousand yuan per year
        "rd_true",  # yuan per year
        "rd_reported",  # yuan per year
        "rd_firms",
        "rd_firms_designated",  # of them above designated size
        "suppliers",  # of chain leaders
        "counted",  # firms of COUNTED_EMPLOYMENT or more
        "digital_levels",
        "governance",  # parts
        "effective_employment",  # employees times exp(productivity), parts of a person
        "awarded",  # little giants with a running award
        "constraint",  # parts, of counted firms
        "refinement",  # parts, of counted firms
        "green",  # parts, of counted firms
        "level_1",  # counted firms by digital level
        "level_2",
        "level_3",
        "level_4",
        "exports",  # thousand yuan per year
        "listed",  # of the SRDI tier or higher
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
    ],
)
#: What is summed by cluster and, of the leader's suppliers, by chain: units as in Cell, knowledge and strength, which
#: is revenue times capability, in thousand yuan.
ClusterSum = positions(
    "ClusterSum", ["firms", "srdi_smes", "little_giants", "revenue", "digital", "governance", "knowledge"]
)
ChainSum = positions("ChainSum", ["suppliers", "little_giants", "strength", "newcomers"])
#: What is summed by highest certificate (none, innovative, SRDI, little giant): names and units as in Cell.
TierSum = positions(
    "TierSum",
    [
        "firms",
        "employment",
        "revenue",
        "rd_true",
        "rd_reported",
        "counted",
        "digital_levels",
        "effective_employment",
    ],
)

Totals = namedtuple(
    "Totals",
    [
        "cells",  # (places, sectors, len(Cell))
        "tiers",  # (len(Tier), len(TierSum))
        "county_giants",  # (units,)
        "niche_revenue",  # (niches,), thousand yuan per year
        "niche_qualified",  # (niches,), that of qualified suppliers
        "clusters",  # (clusters, len(ClusterSum))
        "chains",  # (chains, len(ChainSum))
        "supported",  # (places, sectors, programmes), firms whose support bit is set
        "flows",  # (places, sectors, len(Flow)), what happened in the quarter
    ],
)


def by_name(totals: np.ndarray, positions) -> dict[str, np.ndarray]:
    """Views of the last axis of totals by name, such as ``by_name(totals.cells, Cell)``; numbers of the only axis."""
    return dict(zip(positions._fields, totals.transpose(-1, *range(totals.ndim - 1)), strict=True))


def new_totals(
    places: int, sectors: int, *, units: int, niches: int, clusters: int, chains: int, programmes: int
) -> Totals:
    """Zeroed totals, all int64."""
    shapes = Totals(
        cells=(places, sectors, len(Cell)),
        tiers=(len(Tier), len(TierSum)),
        county_giants=units,
        niche_revenue=niches,
        niche_qualified=niches,
        clusters=(clusters, len(ClusterSum)),
        chains=(chains, len(ChainSum)),
        supported=(places, sectors, programmes),
        flows=(places, sectors, len(Flow)),
    )
    return Totals(*(np.zeros(shape, dtype=np.int64) for shape in shapes))


@inlined
def count_tile(tile, quarter, scratch, performers, totals):
    """Add the firms of a tile to the totals, except what depends on certificates (see `count_certified`).

    performers: indices in the tile of the firms with R&D. scratch: its indices are written.
    """
    firms, rows, n = tile.firms, tile.rows, tile.length
    env = quarter.environment
    _add_supported(tile, env, scratch, totals.supported)
    for j in range(n):
        employment = float(firms.employment[j])
        rows.log_employment[j] = log(max(employment, 1.0))
        rows.effective[j] = employment * exp(firms.productivity[j]) * PERSON_PARTS
    find_exporters(tile, quarter, rows.export_odds)
    first = 0
    while first < n:
        end = stretch_end(rows.cell, first, n)
        cell = totals.cells[cell_of(firms, env, first)]
        _add_run(window(firms, first, end), cell, quarter.parameters)
        effective, thousands = 0, 0
        for j in range(first, end):
            sold = quarter.parameters.export_share * (firms.revenue[j] * 1e-3)
            effective += floor(rows.effective[j])
            thousands += floor(sold if rows.exporter[j] != 0.0 else 0.0)
        cell[Cell.effective_employment] += effective
        cell[Cell.exports] += thousands
        first = end
    _add_to_clusters(firms, totals.clusters)
    _add_to_niches(tile, quarter, totals)
    for j in range(n):
        rows.event[j] = 1.0 if is_leader(firms.customer[j]) else 0.0
    for j in scratch.indices[: list_indices(rows.event[:n], scratch.indices)]:
        _add_supplier(tile, quarter, totals, j)
    for j in performers:
        if firms.rd_intensity[j] > 0.0:
            true, reported, staff = research_sums(firms, quarter, j)
            cell = totals.cells[cell_of(firms, env, j)]
            cell[Cell.rd_true] += true
            cell[Cell.rd_reported] += reported
            cell[Cell.rd_firms] += 1
            cell[Cell.rd_firms_designated] += firms.revenue[j] >= DESIGNATED_REVENUE
            cell[Cell.rd_staff] += staff


@inlined
def _add_supported(tile, env, scratch, supported):
    """Write the channel `exports` of every firm to its row, and count the supported firms by programme."""
    firms, odds = tile.firms, tile.rows.export_odds
    for j in range(tile.length):
        odds[j] = 0.0
    for j in scratch.indices[: list_indices(firms.support, scratch.indices)]:
        odds[j] = programme_channel(firms.support[j], env.programme_effects, Channel.exports)
        counts = supported[cell_of(firms, env, j)]
        for programme in range(len(counts)):
            counts[programme] += (firms.support[j] >> programme) & 1


@kernel
def count_certified(firms, quarter, indices, totals, slots):
    """Add the firms with a certificate in the given slots to the totals, once recognition is done.

    indices: working memory (see `sim.firms.tile.index_scratch`).
    """
    for first in range(slots.first, slots.end, TILE):
        end = min(first + TILE, slots.end)
        for j in indices[: list_indices(firms.tier[first:end], indices)]:
            _add_certified(firms, quarter, totals, first + j)


def total(counts: np.ndarray) -> np.ndarray:
    """Sum over places and sectors, the first two axes: one after the other, which takes a third of the time of both."""
    return counts.sum(axis=0).sum(axis=0)


def complete(totals: Totals) -> None:
    """Write the totals of firms without a certificate: those of all firms less those with one."""
    cells = total(totals.cells)
    totals.tiers[Tier.none] = cells[[getattr(Cell, name) for name in TierSum._fields]] - totals.tiers[1:].sum(axis=0)


@inlined
def _add_run(firms, cell, p):
    """Add neighbours of one place and sector to its cell: what every firm has, and means over the larger ones."""
    n = len(firms.employment)
    alive, people, thousands, young, equity = 0, 0, 0, 0, 0
    for j in range(n):
        employment = float(firms.employment[j])
        alive += employment != 0.0
        people += floor(employment * PERSON_PARTS)
        thousands += floor(firms.revenue[j] * 1e-3 + 0.5)
        young += (employment != 0.0) & (firms.age[j] < YOUNG_QUARTERS)
        equity += floor(firms.equity[j] * 1e-3)
    backed, linked, newcomers, moved = 0, 0, 0, 0
    for j in range(n):
        flags = firms.flags[j]
        backed += flags & FUND_BACKED != 0
        newcomers += flags & NEWCOMER != 0
        moved += flags & MOVED != 0
        linked += firms.customer[j] != NEVER
    counted, above_1, above_2, above_3 = 0, 0, 0, 0
    for j in range(n):
        counts = firms.employment[j] >= COUNTED_EMPLOYMENT
        counted += counts
        above_1 += counts & (firms.digital[j] >= p.digital_level2)
        above_2 += counts & (firms.digital[j] >= p.digital_level3)
        above_3 += counts & (firms.digital[j] >= p.digital_level4)
    governance, constraint, refinement, green = 0, 0, 0, 0
    for j in range(n):
        counts = firms.employment[j] >= COUNTED_EMPLOYMENT
        governance += floor(firms.governance[j] * PARTS) if counts else 0
        constraint += floor(firms.constraint[j] * PARTS) if counts else 0
        refinement += floor(firms.refinement[j] * PARTS) if counts else 0
        green += floor(firms.green[j] * PARTS) if counts else 0
    cell[Cell.firms] += alive
    cell[Cell.employment] += people
    cell[Cell.revenue] += thousands
    cell[Cell.young] += young
    cell[Cell.equity] += equity
    cell[Cell.fund_backed] += backed
    cell[Cell.linked] += linked
    cell[Cell.newcomers] += newcomers
    cell[Cell.moved] += moved
    cell[Cell.counted] += counted
    cell[Cell.digital_levels] += counted + above_1 + above_2 + above_3
    cell[Cell.level_1] += counted - above_1
    cell[Cell.level_2] += above_1 - above_2
    cell[Cell.level_3] += above_2 - above_3
    cell[Cell.level_4] += above_3
    cell[Cell.governance] += governance
    cell[Cell.constraint] += constraint
    cell[Cell.refinement] += refinement
    cell[Cell.green] += green


@inlined
def _add_to_clusters(firms, clusters):
    """Add the firms of a tile to the clusters they are in; neighbours mostly share one."""
    n = len(firms.cluster)
    first = 0
    while first < n:
        cluster = firms.cluster[first]
        end = stretch_end(firms.cluster, first, n)
        if cluster >= 0:
            _add_members(window(firms, first, end), clusters[cluster])
        first = end


@inlined
def _add_members(firms, sums):
    """Add the members of one cluster to its sums."""
    members, thousands, digital, governance, knowledge = 0, 0, 0, 0, 0
    for j in range(len(firms.employment)):
        alive = firms.employment[j] != 0.0
        members += alive
        thousands += np.int64(firms.revenue[j] * 1e-3 + 0.5)
        digital += np.int64(firms.digital[j] * PARTS) if alive else 0
        governance += np.int64(firms.governance[j] * PARTS) if alive else 0
        knowledge += np.int64(firms.knowledge[j] * 1e-3)
    sums[ClusterSum.firms] += members
    sums[ClusterSum.revenue] += thousands
    sums[ClusterSum.digital] += digital
    sums[ClusterSum.governance] += governance
    sums[ClusterSum.knowledge] += knowledge


@inlined
def _add_to_niches(tile, quarter, totals):
    """Add the revenue of a tile's firms to their niches, that of qualified suppliers apart."""
    firms = tile.firms
    revenue, qualified = totals.niche_revenue, totals.niche_qualified
    for j in range(tile.length):
        thousands = np.int64(firms.revenue[j] * 1e-3 + 0.5)
        revenue[firms.niche[j]] += thousands
        if tile.rows.able[j] >= quarter.moment.qualified:
            qualified[firms.niche[j]] += thousands


@inlined
def _add_supplier(tile, quarter, totals, j):
    """Add firm j to the chain of the leader it supplies."""
    firms, env, p = tile.firms, quarter.environment, quarter.parameters
    able, leader = tile.rows.able[j], leader_of(firms.customer[j])
    thousands = np.int64(firms.revenue[j] * 1e-3 + 0.5)
    cell = totals.cells[cell_of(firms, env, j)]
    cell[Cell.suppliers] += 1
    cell[Cell.supplier_digital] += np.int64(firms.digital[j] * PARTS)
    cell[Cell.supplier_refinement] += np.int64(firms.refinement[j] * PARTS)
    chain = totals.chains[leader]
    chain[ChainSum.suppliers] += 1
    chain[ChainSum.strength] += np.int64(able * thousands)
    if firms.flags[j] & NEWCOMER != 0:
        chain[ChainSum.newcomers] += 1
        weakest = env.chain_weakest[leader]
        if weakest >= 0 and able >= quarter.moment.qualified:
            totals.niche_qualified[weakest] += np.int64(p.newcomer_supply * thousands)


@inlined
def research_sums(firms, quarter, j):
    """True and reported R&D in yuan per year and R&D staff in parts of a person of firm j, int64 each.

    A little giant that loses its title in the quarter has done the R&D its award paid for.
    """
    moment, p = quarter.moment, quarter.parameters
    revenue = float(firms.revenue[j])
    awarded = has_award(firms, moment, j) or firms.awarded_in[j] == ended_in(moment.index)
    support_yuan = programme_channel(firms.support[j], quarter.environment.programme_effects, Channel.research_yuan)
    funded = firms.rd_intensity[j] + added_research(awarded, moment.award_yuan, support_yuan, revenue, p)
    staff = research_staff(funded, revenue, moment.research_wage, p)
    reported = funded * revenue / (1.0 - firms.relabelled[j])
    return np.int64(funded * revenue), np.int64(reported), np.int64(staff * PERSON_PARTS)


@inlined
def _add_certified(firms, quarter, totals, j):
    """Add certified firm j to the sums of its certificate, place, cluster and chain."""
    env, p, moment = quarter.environment, quarter.parameters, quarter.moment
    tier = firms.tier[j]
    revenue = float(firms.revenue[j])
    employment = float(firms.employment[j])
    cell = totals.cells[cell_of(firms, env, j)]
    cell[Cell.innovative_smes] += 1
    cell[Cell.srdi_smes] += tier >= Tier.srdi
    cell[Cell.little_giants] += tier >= Tier.little_giant
    cell[Cell.listed] += (tier >= Tier.srdi) & (firms.flags[j] & LISTED != 0)
    cell[Cell.awarded] += has_award(firms, moment, j)
    held = totals.tiers[tier]
    held[TierSum.firms] += 1
    held[TierSum.employment] += np.int64(employment * PERSON_PARTS)
    held[TierSum.revenue] += np.int64(revenue * 1e-3 + 0.5)
    if firms.rd_intensity[j] > 0.0:
        true, reported, _ = research_sums(firms, quarter, j)
        held[TierSum.rd_true] += true
        held[TierSum.rd_reported] += reported
    if employment >= COUNTED_EMPLOYMENT:
        held[TierSum.counted] += 1
        held[TierSum.digital_levels] += digital_level(firms.digital[j], p)
    held[TierSum.effective_employment] += np.int64(employment * exp(firms.productivity[j]) * PERSON_PARTS)
    if tier >= Tier.srdi:
        # A badge is genuine if last year's true R&D meets the intensity its own tier asks for.
        asked = moment.srdi_rd
        if tier == Tier.little_giant and revenue >= moment.giant_revenue_mid:
            asked = next_threshold(tier, revenue, moment)
        genuine = firms.rd_last_year[j] * (1.0 - firms.relabelled[j]) >= asked
        cell[Cell.genuine_srdi] += genuine
        cell[Cell.genuine_giants] += tier >= Tier.little_giant and genuine
    if tier >= Tier.little_giant:
        totals.county_giants[firms.county[j]] += 1
        leader = leader_of(firms.customer[j])
        if leader >= 0:
            totals.chains[leader, ChainSum.little_giants] += 1
    if firms.cluster[j] >= 0:
        cluster = totals.clusters[firms.cluster[j]]
        cluster[ClusterSum.srdi_smes] += tier >= Tier.srdi
        cluster[ClusterSum.little_giants] += tier >= Tier.little_giant
