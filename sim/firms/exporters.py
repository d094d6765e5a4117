"""Which firms of a tile sell abroad."""

from __future__ import annotations

from sim.firms.tile import stretch_end
from sim.mechanisms.exports import exports
from sim.numerics.draws import Purpose, uniform_pair
from sim.numerics.jit import inlined


@inlined
def find_exporters(tile, quarter, odds):
    """Mark the manufacturers that sell abroad in the row `exporter`.

    odds: the channel `exports` of each firm, float64 (TILE,).
    """
    firms, rows, p = tile.firms, tile.rows, quarter.parameters
    key = quarter.lasting_keys[Purpose.ASPIRATION]
    first = 0
    while first < tile.length:
        end = stretch_end(rows.manufacturing, first, tile.length)
        exporter = rows.exporter[first:end]
        if rows.manufacturing[first] != 0.0:
            productivity, size = firms.productivity[first:end], rows.log_employment[first:end]
            lift, slot = odds[first:end], tile.first + first
            for j in range(end - first):
                _, draw = uniform_pair(key, slot + j)
                exporter[j] = 1.0 if exports(draw, productivity[j], size[j], lift[j], p) else 0.0
        else:
            exporter[:] = 0.0
        first = end
