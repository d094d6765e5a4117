"""Totals over firms: what the records show and what firms see in the next quarter.

All sums are integers (money in thousands of yuan or yuan, shares in fixed-point parts), so
they are exact and the same whatever the order or the number of threads.
"""

from __future__ import annotations

from collections import namedtuple

import numpy as np

from sim.columns import FUND_BACKED, LISTED, MOVED, NEWCOMER
from sim.draws import uniform_pair
from sim.phases import AWARD_QUARTERS, runs
from sim.jit import kernel
from sim.mechanisms.chain_links import capability, leader_of
from sim.mechanisms.digital import digital_level
from sim.mechanisms.exports import exports
from sim.mechanisms.research import added_research, next_threshold, research_staff
from sim.mechanisms.support import X_EXPORTS, X_RESEARCH_YUAN, programme_channel

#: Parts per unit of the fixed-point sums of shares and ratios.
PARTS = 1 << 20
#: Employees from which a firm counts in the means of digital level, governance, refinement and the like.
COUNTED_EMPLOYMENT = 20
#: A firm is young for this many quarters.
YOUNG_QUARTERS = 14

#: What is summed by place (province and county type) and sector.
CELL = (
    "firms",
    "employment",  # parts of a person, 1/1024
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
    "productivity",  # employees times exp(productivity), 1/1024
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
    "rd_staff",  # parts of a person, 1/1024
    "genuine_srdi",  # certified firms whose true R&D meets their tier's intensity
    "genuine_giants",
    "equity",  # thousand yuan
    "supplier_digital",  # parts, of suppliers of chain leaders
    "supplier_refinement",  # parts, of suppliers of chain leaders
)
CLUSTER = ("firms", "srdi_smes", "little_giants", "revenue", "digital", "governance", "knowledge")
CHAIN = ("suppliers", "little_giants", "strength", "newcomers")
#: What is summed by highest certificate (none, innovative, SRDI, little giant); units as in CELL.
BY_TIER = ("firms", "employment", "revenue", "rd_true", "rd_reported", "counted", "digital_levels", "productivity")

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
    ],
)


def by_name(totals: np.ndarray, names: tuple[str, ...]) -> dict[str, np.ndarray]:
    """Views of the last axis of totals by name, such as ``by_name(totals.cells, CELL)``."""
    return {name: totals[..., index] for index, name in enumerate(names)}


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
    )
    return Totals(*(np.zeros(shape, dtype=np.int64) for shape in shapes))


@kernel
def take_stock(firms, env, aspiration_key, p, moment, totals, lo, hi):
    """Add the firms of slots lo … hi-1 to the totals."""
    now = moment.index
    for i in range(lo, hi):
        employment = float(firms.employment[i])
        if employment == 0.0:
            continue
        county = firms.county[i]
        sector = firms.sector[i]
        tier = firms.tier[i]
        flags = firms.flags[i]
        revenue = float(firms.revenue[i])
        thousands = np.int64(revenue * 1e-3 + 0.5)
        intensity = float(firms.rd_intensity[i])
        digital = float(firms.digital[i])
        productivity = float(firms.productivity[i])
        niche = firms.niche[i]
        leader = leader_of(firms.customer[i])

        cell = totals.cells[env.county_place[county], sector]
        held = totals.tiers[tier]
        people = np.int64(employment * 1024.0)
        effective = np.int64(employment * np.exp(productivity) * 1024.0)
        cell[0] += 1
        cell[1] += people
        cell[2] += tier >= 1
        cell[3] += tier >= 2
        cell[4] += tier >= 3
        cell[5] += thousands
        cell[13] += effective
        held[0] += 1
        held[1] += people
        held[2] += thousands
        held[7] += effective
        awarded = tier == 3 and runs(firms.awarded_in[i], now, AWARD_QUARTERS)
        cell[14] += awarded
        if intensity > 0.0:
            support_yuan = programme_channel(firms.support[i], env.programme_effects, X_RESEARCH_YUAN)
            funded = intensity + added_research(awarded, moment.award_yuan, support_yuan, revenue, p)
            true = np.int64(funded * revenue)
            reported = np.int64(funded * revenue / (1.0 - firms.relabelled[i]))
            cell[6] += true
            cell[7] += reported
            cell[8] += 1
            cell[29] += np.int64(research_staff(funded, revenue, p) * 1024.0)
            held[3] += true
            held[4] += reported
        if tier >= 2:
            # A badge is genuine if last year's true R&D meets the intensity its own tier asks for.
            asked = moment.srdi_rd
            if tier == 3 and revenue >= moment.giant_revenue_mid:
                asked = next_threshold(tier, revenue, moment)
            genuine = firms.rd_last_year[i] * (1.0 - firms.relabelled[i]) >= asked
            cell[30] += genuine
            cell[31] += tier >= 3 and genuine
        if employment >= COUNTED_EMPLOYMENT:
            level = digital_level(digital, p)
            cell[10] += 1
            cell[11] += level
            cell[12] += np.int64(firms.governance[i] * PARTS)
            cell[15] += np.int64(firms.constraint[i] * PARTS)
            cell[16] += np.int64(firms.refinement[i] * PARTS)
            cell[17] += np.int64(firms.green[i] * PARTS)
            cell[17 + level] += 1
            held[5] += 1
            held[6] += level
        if env.sector_manufacturing[sector]:
            _, draw = uniform_pair(aspiration_key, i)
            odds = programme_channel(firms.support[i], env.programme_effects, X_EXPORTS)
            if exports(draw, productivity, np.log(employment), odds, p):
                cell[22] += np.int64(p.export_share * thousands)
        cell[23] += flags & LISTED != 0
        cell[24] += flags & FUND_BACKED != 0
        cell[25] += firms.age[i] < YOUNG_QUARTERS
        cell[26] += firms.customer[i] != -1
        cell[27] += flags & NEWCOMER != 0
        cell[28] += flags & MOVED != 0
        cell[32] += np.int64(firms.equity[i] * 1e-3)
        if firms.support[i] != 0:
            for programme in range(totals.supported.size):
                totals.supported[programme] += (firms.support[i] >> programme) & 1

        totals.county_giants[county] += tier >= 3
        able = capability(firms.refinement[i], digital, firms.knowledge[i], revenue, p)
        totals.niche_revenue[niche] += thousands
        if env.niche_slack[niche] < 0.0:
            totals.niche_lost[niche] += np.int64(thousands * (np.exp(-env.niche_slack[niche]) - 1.0))
        if able >= p.qualified_capability:
            totals.niche_qualified[niche] += thousands
        if firms.cluster[i] >= 0:
            cluster = totals.clusters[firms.cluster[i]]
            cluster[0] += 1
            cluster[1] += tier >= 2
            cluster[2] += tier >= 3
            cluster[3] += thousands
            cluster[4] += np.int64(digital * PARTS)
            cluster[5] += np.int64(firms.governance[i] * PARTS)
            cluster[6] += np.int64(firms.knowledge[i] * 1e-3)
        if leader >= 0:
            cell[9] += 1
            cell[33] += np.int64(digital * PARTS)
            cell[34] += np.int64(firms.refinement[i] * PARTS)
            chain = totals.chains[leader]
            chain[0] += 1
            chain[1] += tier >= 3
            chain[2] += np.int64(able * thousands)
            if flags & NEWCOMER != 0:
                chain[3] += 1
                weakest = env.chain_weakest[leader]
                if weakest >= 0 and able >= p.qualified_capability:
                    totals.niche_qualified[weakest] += np.int64(p.newcomer_supply * thousands)
