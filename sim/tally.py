"""Totals over firms: what the records show and what firms see in the next quarter.

All sums are integers (money in thousands of yuan or yuan, shares in fixed-point parts), so
they are exact and the same whatever the order or the number of threads.
"""

from __future__ import annotations

from collections import namedtuple

import numpy as np

from sim.engine import AWARD_QUARTERS, runs
from sim.jit import kernel
from sim.mechanisms.chain_links import capability
from sim.mechanisms.digital import digital_level
from sim.mechanisms.research import award_intensity

#: Parts per unit of the fixed-point sums of shares and ratios.
PARTS = 1 << 20
#: Employees from which a firm counts in the means of digital level and governance.
COUNTED_EMPLOYMENT = 20

#: What is summed by province and sector.
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
    "suppliers",
    "counted",  # firms of COUNTED_EMPLOYMENT or more
    "digital_levels",
    "governance",  # parts
    "productivity",  # employees times exp(productivity), 1/1024
    "awarded",  # firms with a running award
)
CLUSTER = ("firms", "srdi_smes", "little_giants", "revenue", "digital", "governance", "knowledge")
CHAIN = ("suppliers", "little_giants", "strength")

Totals = namedtuple(
    "Totals",
    [
        "cells",  # (provinces, sectors, len(CELL))
        "county_giants",  # (units,)
        "niche_revenue",  # (niches,), thousand yuan per year
        "niche_qualified",  # (niches,), the part of qualified suppliers
        "clusters",  # (clusters, len(CLUSTER))
        "chains",  # (chains, len(CHAIN))
    ],
)


def new_totals(provinces: int, sectors: int, units: int, niches: int, clusters: int, chains: int) -> Totals:
    """Zeroed totals, all int64."""
    shapes = (
        (provinces, sectors, len(CELL)),
        (units,),
        (niches,),
        (niches,),
        (clusters, len(CLUSTER)),
        (chains, len(CHAIN)),
    )
    return Totals(*(np.zeros(shape, dtype=np.int64) for shape in shapes))


@kernel
def take_stock(firms, env, p, moment, totals, lo, hi):
    """Add the firms of slots lo … hi-1 to the totals."""
    now = moment.index
    for i in range(lo, hi):
        employment = float(firms.employment[i])
        if employment == 0.0:
            continue
        county = firms.county[i]
        tier = firms.tier[i]
        revenue = float(firms.revenue[i])
        thousands = np.int64(revenue * 1e-3 + 0.5)
        intensity = float(firms.rd_intensity[i])
        digital = float(firms.digital[i])
        niche = firms.niche[i]

        cell = totals.cells[env.county_province[county], firms.sector[i]]
        cell[0] += 1
        cell[1] += np.int64(employment * 1024.0)
        cell[2] += tier >= 1
        cell[3] += tier >= 2
        cell[4] += tier >= 3
        cell[5] += thousands
        if runs(firms.awarded_in[i], now, AWARD_QUARTERS):
            cell[14] += 1
            intensity += award_intensity(moment.award_yuan, revenue, p)
        if intensity > 0.0:
            cell[6] += np.int64(intensity * revenue)
            cell[7] += np.int64(intensity * revenue / (1.0 - firms.relabelled[i]))
            cell[8] += 1
        cell[9] += firms.customer[i] >= 0
        if employment >= COUNTED_EMPLOYMENT:
            cell[10] += 1
            cell[11] += digital_level(digital, p)
            cell[12] += np.int64(firms.governance[i] * PARTS)
        cell[13] += np.int64(employment * np.exp(float(firms.productivity[i])) * 1024.0)

        totals.county_giants[county] += tier >= 3
        able = capability(firms.refinement[i], digital, firms.knowledge[i], revenue, p)
        totals.niche_revenue[niche] += thousands
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
        if firms.customer[i] >= 0:
            chain = totals.chains[firms.customer[i]]
            chain[0] += 1
            chain[1] += tier >= 3
            chain[2] += np.int64(able * thousands)
