"""A tile: a few hundred neighbouring firms that the engine carries through a whole quarter.

A tile's columns and working rows fit in the processor's first caches, so the mechanisms can be loops
over it, which the compiler vectorises, while the firms cross the memory bus once.
"""

from __future__ import annotations

from collections import namedtuple

import numpy as np

from sim.firms.columns import COLUMNS, Columns
from sim.mechanisms.support import Channel
from sim.numerics.bits import STRIDE, differing, lowest_bit
from sim.numerics.jit import inlined

#: Firms of a tile.
TILE = 512

#: Working rows of a tile, float64 (TILE,) each: what one mechanism hands to the next.
Rows = namedtuple(
    "Rows",
    [
        "cell",  # number of the firm's cell: place · sectors + sector
        "live",  # 1 for firms that live through the quarter, 0 for vacant, closing and newly founded ones
        "event",  # 1 where something rare happens that is handled firm by firm
        "founding",  # relative founding rate of the county
        "peers_digital",  # mean of the cluster, 0 outside
        "peers_governance",
        "pooled",  # mean knowledge of the cluster, yuan
        "revenue_per_worker",  # yuan per year, of the sector
        "energy_rise",  # share of revenue, of the sector
        "rd_usual",  # R&D over revenue of the sector at the start
        "manufacturing",  # 1 or 0
        "supplies_leader",  # 1 for suppliers of a chain leader at the start of the quarter
        "log_employment",
        "able",  # capability as a supplier
        "lost",  # log output lost to shocks
        "pressure",  # log sales that competition in the niche takes or leaves
        "sold",  # annualised revenue of the quarter, yuan
        "hired",  # log change of employment from demand and R&D
        "tightening",  # log-odds by which a crunch, and credit that others got, tighten credit
        "research_cost",  # net cost of R&D over the sector's usual, share of revenue
        "margin",  # net margin
        "paid_in",  # yuan of outside equity from the fund or a listing
        "funded",  # R&D with what public money adds, share of revenue
        "aspires",  # 1 for firms that aim at the next certificate
        "threshold",  # R&D intensity they aim at, share of revenue
        "spilled",  # yuan of knowledge from the cluster
        "passed_on",  # yuan of knowledge from leaders and partners
        "gain",  # log productivity from a domestic first
        "sector_research",  # log-odds of doing R&D, of the sector
        "county_research",  # the same, of the county
        "export_odds",  # the channel `exports`, when firms are counted
        "exporter",  # 1 for manufacturers that sell abroad
        "effective",  # employees times exp(productivity), parts of a person
    ],
)

#: What a thread works with in a pass over tiles: the working rows, float64 (rows, TILE), the channels, float64
#: (channels, TILE), and two lists of indices in the tile, int64 (TILE,).
TileScratch = namedtuple("TileScratch", ["rows", "channels", "performers", "indices"])

#: A tile as the phases of the quarter receive it.
Tile = namedtuple(
    "Tile",
    [
        "firms",  # Columns, of the tile's slots only
        "rows",  # Rows
        "channels",  # float64 (channels, TILE), what programmes, clusters and leaders do for each firm
        "first",  # slot of the tile's first firm: a firm's draws go by its slot
        "length",  # slots of the tile, TILE or fewer in the last one
    ],
)

#: The slots a pass is about: those from `first` on, before `end`.
Slots = namedtuple("Slots", ["first", "end"])


def tile_scratch() -> TileScratch:
    """Working memory of a thread that lets firms act or counts them."""
    rows, channels = np.zeros((len(Rows._fields), TILE)), np.zeros((len(Channel), TILE))
    return TileScratch(rows, channels, index_scratch(), index_scratch())


def index_scratch() -> np.ndarray:
    """Working memory of a thread that lists firms of a tile: their indices, int64 (TILE,)."""
    return np.zeros(TILE, dtype=np.int64)


@inlined
def _differing_before(values, first, end, value):
    """Bit k tells whether ``values[first + k]`` differs from `value`; of STRIDE values, but only those before `end`."""
    if first + STRIDE <= end:
        return differing(values, first, value)
    if end >= STRIDE:
        return differing(values, end - STRIDE, value) >> (first + STRIDE - end)
    bits = 0
    for i in range(first, end):
        bits |= np.int64(values[i] != value) << (i - first)
    return bits


@inlined
def list_indices(marks, indices):
    """Write the indices of the non-zero marks to `indices`, in order; returns how many."""
    count, n = 0, len(marks)
    for first in range(0, n, STRIDE):
        bits = _differing_before(marks, first, n, 0)
        while bits != 0:
            indices[count] = first + lowest_bit(bits)
            count += 1
            bits &= bits - 1
    return count


@inlined
def stretch_end(values, first, n):
    """End of the stretch of equal values that begins at `first`, at most n."""
    value = values[first]
    for end in range(first, n, STRIDE):
        bits = _differing_before(values, end, n, value)
        if bits != 0:
            return end + lowest_bit(bits)
    return n


@inlined
def fill_cells(tile, env):
    """Write the number of each firm's cell to the row `cell`; neighbours mostly share one."""
    sectors = len(env.sector_rd_norm)
    for j in range(tile.length):
        tile.rows.cell[j] = env.county_place[tile.firms.county[j]] * sectors + tile.firms.sector[j]


@inlined
def cell_of(firms, env, i):
    """Place and sector of firm i, the position of its cell in counts: ``counts[cell_of(firms, env, i)]``.

    The position and not a view of the counts: without reference counting, compiled functions return no views.
    """
    return env.county_place[firms.county[i]], firms.sector[i]


def _spelled_out(name, arguments, made, items):
    """A function that returns `made(*items)`, its source spelled out: Numba cannot build a named tuple in a loop."""
    namespace = {made.__name__: made}
    exec(f"def {name}({arguments}):\n    return {made.__name__}({', '.join(items)})\n", namespace)
    return namespace[name]


#: ``rows_of(scratch.rows)``: the working rows by name.
rows_of = inlined(_spelled_out("rows_of", "rows", Rows, [f"rows[{index}]" for index in range(len(Rows._fields))]))

#: ``window(firms, first, end)``: views of the slots from `first` on, before `end`, of all columns.
window = inlined(
    _spelled_out("window", "firms, first, end", Columns, [f"firms.{column.name}[first:end]" for column in COLUMNS])
)
