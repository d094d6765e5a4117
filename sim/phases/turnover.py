"""Exit and entry."""

from __future__ import annotations

from sim.firms.slots import close, found
from sim.firms.tile import cell_of, list_indices
from sim.flows import Flow
from sim.mechanisms.support import Channel
from sim.mechanisms.turnover import entry_chance, exit_chance
from sim.numerics.draws import Purpose, uniform
from sim.numerics.elementary import log
from sim.numerics.jit import inlined
from sim.tiers import Tier


@inlined
def turn_over(tile, quarter, scratch, flows):
    """Firms close and are founded. Those that live through the quarter are marked as live.

    scratch: its indices are written.
    """
    firms, rows, p = tile.firms, tile.rows, quarter.parameters
    env = quarter.environment
    enters, exits = quarter.keys[Purpose.ENTRY], quarter.keys[Purpose.EXIT]
    survival = tile.channels[Channel.survival]
    for j in range(tile.length):
        employment = float(firms.employment[j])
        vacant = employment == 0.0
        log_employment = log(max(employment, 1.0))
        closing = exit_chance(log_employment, firms.age[j], firms.productivity[j], firms.leverage[j], survival[j], p)
        chance = entry_chance(rows.founding[j], p) if vacant else closing
        happens = uniform(enters if vacant else exits, tile.first + j) < chance
        rows.log_employment[j] = log_employment
        rows.event[j] = 1.0 if happens else 0.0
        rows.live[j] = 0.0 if vacant or happens else 1.0
    for j in scratch.indices[: list_indices(rows.event[: tile.length], scratch.indices)]:
        cell_flows = flows[cell_of(firms, env, j)]
        if firms.employment[j] == 0.0:
            found(firms, j, tile.first + j, quarter)
            cell_flows[Flow.births] += 1
        else:
            tier = firms.tier[j]
            cell_flows[Flow.deaths] += 1
            if tier != Tier.none:
                cell_flows[Flow.closed_innovative + tier - Tier.innovative] += 1
            close(firms, j)
