"""A tile: a few hundred neighbouring firms that the engine carries through a whole quarter.

A tile's columns and working rows fit in the processor's first caches, so the mechanisms can be loops
over it, which the compiler vectorises, while the firms cross the memory bus once.
"""

from __future__ import annotations

from collections import namedtuple

import numpy as np

from sim.columns import Columns
from sim.jit import part
from sim.mechanisms.support import N_CHANNELS

#: Firms of a tile.
TILE = 512

#: Working rows of a tile, float64 (TILE,) each: what one mechanism hands to the next.
Rows = namedtuple(
    "Rows",
    [
        "cell",  # number of the firm's cell: place · sectors + sector
        "live",  # 1 for firms that live through the quarter, 0 for vacant, closing and newly founded ones
        "event",  # 1 where something rare happens that is handled firm by firm
        "draw",  # the draw that decides on it
        "founding",  # relative founding rate of the county
        "peers_digital",  # mean of the cluster, 0 outside
        "peers_governance",
        "pooled",  # mean knowledge of the cluster, yuan
        "revenue_per_worker",  # yuan per year, of the sector
        "energy_rise",  # share of revenue, of the sector
        "manufacturing",  # 1 or 0
        "supplies_leader",  # 1 for suppliers of a chain leader at the start of the quarter
        "log_employment",
        "able",  # capability as a supplier
        "lost",  # log output lost to shocks
        "margin",  # net margin
        "paid_in",  # yuan of outside equity from the fund or a listing
        "funded",  # R&D with what public money adds, share of revenue
        "aspires",  # 1 for firms that aim at the next certificate
        "spilled",  # yuan of knowledge from the cluster
        "passed_on",  # yuan of knowledge from leaders and partners
        "gain",  # log productivity from a domestic first
    ],
)
N_ROWS = len(Rows._fields)


def tile_scratch() -> tuple[np.ndarray, ...]:
    """Working memory of a thread: rows and channels, float64 (N_ROWS, TILE) and (N_CHANNELS, TILE), and twice
    `place_scratch`."""
    return np.zeros((N_ROWS, TILE)), np.zeros((N_CHANNELS, TILE)), *place_scratch(), *place_scratch()


@part
def rows_of(scratch):
    """The named rows of a tile's scratch."""
    s = scratch
    return Rows(
        s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7], s[8], s[9],
        s[10], s[11], s[12], s[13], s[14], s[15], s[16], s[17], s[18], s[19], s[20], s[21],
    )  # fmt: skip


def place_scratch() -> tuple[np.ndarray]:
    """Working memory of a thread that lists firms of a tile: their places, int64 (TILE,)."""
    return (np.zeros(TILE, dtype=np.int64),)


#: Slots looked at together, which the compiler does at once.
_STRIDE = 32


@part
def list_places(marks, places, n):
    """Write the places of the non-zero marks among the first n to `places`, in order; returns how many."""
    count = 0
    for start in range(0, n, _STRIDE):
        group = marks[start : min(start + _STRIDE, n)]
        some = 0
        for mark in group:
            some |= mark != 0
        if some:
            for j in range(len(group)):
                places[count] = start + j
                count += group[j] != 0
    return count


@part
def stretch_end(values, first, n):
    """End of the stretch of equal values that begins at `first`, at most n."""
    value = values[first]
    end = first + 1
    while end + _STRIDE <= n:
        differ = 0
        for other in values[end : end + _STRIDE]:
            differ |= other != value
        if differ:
            break
        end += _STRIDE
    while end < n and values[end] == value:
        end += 1
    return end


@part
def fill_cells(w, cell, env, n):
    """Write the number of each firm's cell to the row `cell`; neighbours mostly share one."""
    sectors = len(env.sector_rd_norm)
    for j in range(n):
        cell[j] = env.county_place[w.county[j]] * sectors + w.sector[j]


@part
def window(firms, lo, hi):
    """Views of the slots lo … hi-1 of all columns, as Columns."""
    return Columns(
        firms.employment[lo:hi],
        firms.productivity[lo:hi],
        firms.revenue[lo:hi],
        firms.growth[lo:hi],
        firms.rd_intensity[lo:hi],
        firms.relabelled[lo:hi],
        firms.rd_last_year[lo:hi],
        firms.rd_before[lo:hi],
        firms.knowledge[lo:hi],
        firms.main_share[lo:hi],
        firms.refinement[lo:hi],
        firms.digital[lo:hi],
        firms.governance[lo:hi],
        firms.green[lo:hi],
        firms.leverage[lo:hi],
        firms.constraint[lo:hi],
        firms.equity[lo:hi],
        firms.age[lo:hi],
        firms.county[lo:hi],
        firms.niche[lo:hi],
        firms.cluster[lo:hi],
        firms.customer[lo:hi],
        firms.support[lo:hi],
        firms.slack[lo:hi],
        firms.orders[lo:hi],
        firms.flags[lo:hi],
        firms.sector[lo:hi],
        firms.tier[lo:hi],
        firms.innovative_since[lo:hi],
        firms.srdi_since[lo:hi],
        firms.giant_since[lo:hi],
        firms.awarded_in[lo:hi],
        firms.digitised_in[lo:hi],
    )
