"""What a firm sees of its county, cluster, sector, programmes and chain leader."""

from __future__ import annotations

from sim.firms.columns import log_parts
from sim.firms.tile import fill_cells, list_indices, stretch_end
from sim.mechanisms.chain_links import capability, is_leader, leader_of
from sim.mechanisms.demand import order_premium
from sim.numerics.elementary import log
from sim.numerics.jit import inlined


@inlined
def survey(tile, quarter):
    """Fill only the rows that counting needs, where firms do not act."""
    firms, rows, p = tile.firms, tile.rows, quarter.parameters
    fill_cells(tile, quarter.environment)
    for j in range(tile.length):
        rows.manufacturing[j] = 1.0 if quarter.environment.sector_manufacturing[firms.sector[j]] else 0.0
        rows.able[j] = capability(firms.refinement[j], firms.digital[j], firms.knowledge[j], firms.revenue[j], p)
    if p.staff_response > 0.0:
        for j in range(tile.length):
            orders = order_premium(is_leader(firms.customer[j]), firms.customer[j] >= 0, p)
            firms.demand[j] = log_parts(log(1.0 + orders)) if firms.employment[j] != 0.0 else 0


@inlined
def see_surroundings(tile, quarter, scratch):
    """Fill the channels and the rows that tell of the firms' surroundings.

    scratch: its indices are written.
    """
    firms, rows, channels = tile.firms, tile.rows, tile.channels
    env, n = quarter.environment, tile.length
    fill_cells(tile, env)
    for j in range(n):
        rows.founding[j] = env.county_entry[firms.county[j]]
    first = 0
    while first < n:
        end = stretch_end(rows.cell, first, n)
        sector = firms.sector[first]
        rows.revenue_per_worker[first:end] = env.sector_revenue_per_worker[sector]
        rows.energy_rise[first:end] = env.sector_energy_rise[sector]
        rows.rd_usual[first:end] = env.sector_rd_usual[sector]
        rows.manufacturing[first:end] = 1.0 if env.sector_manufacturing[sector] else 0.0
        first = end
    for j in range(n):
        rows.pressure[j] = env.niche_pressure[firms.niche[j]]
    for j in range(n):
        clustered = firms.cluster[j] >= 0
        cluster = max(firms.cluster[j], 0)
        rows.peers_digital[j] = env.cluster_digital[cluster] if clustered else 0.0
        rows.peers_governance[j] = env.cluster_governance[cluster] if clustered else 0.0
        rows.pooled[j] = env.cluster_knowledge[cluster] if clustered else 0.0
    for channel in env.channels_used:
        for j in range(n):
            channels[channel, j] = 0.0
    if env.local_effects_active[0]:
        _see_local_effects(tile, env)
    for j in range(n):
        rows.supplies_leader[j] = 1.0 if is_leader(firms.customer[j]) else 0.0
    for j in scratch.indices[: list_indices(rows.supplies_leader[:n], scratch.indices)]:
        _add_effects(channels, env.channels_used, env.chain_effects[leader_of(firms.customer[j])], j)
    for j in scratch.indices[: list_indices(firms.support, scratch.indices)]:
        for programme in range(env.programme_effects.shape[0]):
            if (firms.support[j] >> programme) & 1:
                _add_effects(channels, env.channels_used, env.programme_effects[programme], j)


@inlined
def _see_local_effects(tile, env):
    """Write what recognised clusters do for their members and counties, by stretches that share both."""
    firms, n = tile.firms, tile.length
    first = 0
    while first < n:
        county, cluster = firms.county[first], firms.cluster[first]
        end = stretch_end(firms.cluster, first, stretch_end(firms.county, first, n))
        member = cluster >= 0 and env.cluster_active[cluster]
        if member or env.county_active[county]:
            for channel in env.channels_used:
                effect = env.cluster_effects[cluster, channel] if member else env.county_effects[county, channel]
                tile.channels[channel, first:end] = effect
        first = end


@inlined
def _add_effects(channels, used, effects, j):
    """Add effects, float64 (channels,), to the channels of firm j."""
    for k in range(len(used)):
        channels[used[k], j] += effects[used[k]]
