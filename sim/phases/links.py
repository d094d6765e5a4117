"""Main customers won and lost, and moves to the counties."""

from __future__ import annotations

from sim.firms.columns import MOVED, NEVER, NEWCOMER
from sim.firms.tile import cell_of, fill_cells, list_indices
from sim.flows import Flow
from sim.mechanisms.chain_links import (
    admission,
    buyers_of,
    capability,
    choose_buyer,
    ending,
    invitation,
    leader_code,
    linking_bound,
    purchase,
)
from sim.mechanisms.migration import moves
from sim.mechanisms.size import size_factor
from sim.mechanisms.support import Channel
from sim.numerics.draws import Purpose, uniform, uniform_pair
from sim.numerics.jit import inlined


@inlined
def _largest(values):
    largest = 0.0
    for k in range(len(values)):
        largest = max(largest, values[k])
    return largest


@inlined
def change_customer(tile, quarter, scratch):
    """Win and lose main customers: chain leaders and larger firms.

    scratch: its indices are written.
    """
    firms, rows, p = tile.firms, tile.rows, quarter.parameters
    env = quarter.environment
    key = quarter.keys[Purpose.CHAIN]
    linking = tile.channels[Channel.linking]
    openness, invited = _largest(env.chain_openness), _largest(env.chain_invitation)
    for j in range(tile.length):
        able = capability(firms.refinement[j], firms.digital[j], firms.knowledge[j], firms.revenue[j], p)
        bound = linking_bound(able, size_factor(rows.log_employment[j]), openness, invited, linking[j], p)
        u, _ = uniform_pair(key, tile.first + j)
        rows.able[j] = able
        rows.event[j] = 1.0 if (u < ending(able, p) + bound) and rows.live[j] != 0.0 else 0.0
    for j in scratch.indices[: list_indices(rows.event[: tile.length], scratch.indices)]:
        u, v = uniform_pair(key, tile.first + j)
        _change_customer_of(tile, quarter, j, u, v)


@inlined
def _change_customer_of(tile, quarter, j, u, v):
    """Decide with the draw u what happens to the main customer of firm j, with v which other leader invites it."""
    firms, rows, p = tile.firms, tile.rows, quarter.parameters
    env = quarter.environment
    able, size, odds = rows.able[j], size_factor(rows.log_employment[j]), tile.channels[Channel.linking, j]
    niche = firms.niche[j]
    chain = env.niche_chain[niche]
    # One draw: the chances stand side by side, above the chance that a link ends.
    x = u - ending(able, p)
    if x < 0.0:
        if firms.customer[j] != NEVER:
            firms.customer[j] = NEVER
            firms.flags[j] &= 255 - NEWCOMER
            firms.orders[j] = 0
        return
    if rows.supplies_leader[j] != 0.0:
        return
    first = admission(able, size, env.chain_openness[chain], env.niche_promoted[niche], odds, p)
    other = int(v * len(env.chain_invitation))
    second = invitation(able, env.chain_invitation[other], p) if other != chain else 0.0
    if x < first:
        firms.customer[j] = leader_code(chain)
    elif x < first + second:
        firms.customer[j] = leader_code(other)
        firms.flags[j] |= NEWCOMER
    elif firms.customer[j] == NEVER and x < first + second + purchase(able, size, odds, p):
        slot = tile.first + j
        where, which = uniform_pair(quarter.keys[Purpose.CUSTOMER], slot)
        buyers = buyers_of(env, chain, env.county_province[firms.county[j]], where, p)
        firms.customer[j] = choose_buyer(env, buyers, slot, firms.revenue[j], which)


@inlined
def migrate(tile, quarter, scratch, flows):
    """The yearly move of firms on the ladder from urban districts to county clusters.

    scratch: its indices are written.
    """
    firms, env, p = tile.firms, quarter.environment, quarter.parameters
    moving = tile.channels[Channel.moving]
    for j in scratch.indices[: list_indices(firms.tier, scratch.indices)]:
        if not env.county_urban[firms.county[j]]:
            continue
        if firms.cluster[j] >= 0 and env.cluster_active[firms.cluster[j]]:
            continue
        sector = firms.sector[j]
        province = env.county_province[firms.county[j]]
        target = env.move_cluster[province, sector]
        u = uniform(quarter.keys[Purpose.MOVE], tile.first + j)
        if target >= 0 and moves(firms.tier[j], env.move_pull[province, sector], moving[j], u, p):
            firms.cluster[j] = target
            firms.county[j] = env.cluster_county[target]
            firms.flags[j] |= MOVED
            flows[cell_of(firms, env, j)][Flow.moves] += 1
    fill_cells(tile, env)
