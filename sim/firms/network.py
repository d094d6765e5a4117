"""The supply network between firms: larger firms that buy, the links at the start, supplier counts.

A supplier's main customer stands in its column `customer` (see sim/mechanisms/chain_links.py).
"""

from __future__ import annotations

import numpy as np

from sim.firms.columns import NEVER, Columns
from sim.mechanisms.chain_links import admission, buyers_of, capability, choose_buyer, ending, leader_code, purchase
from sim.mechanisms.size import size_factor
from sim.numerics.draws import Purpose, uniform, uniform_pair
from sim.numerics.elementary import log
from sim.numerics.jit import kernel


def find_buyers(firms: Columns, env, provinces: int, p) -> dict[str, np.ndarray]:
    """Firms of `buyer_min_employment` or more by chain and province, as the Environment's buyer_* arrays.

    provinces: their number.
    """
    slot = np.flatnonzero(firms.employment >= p.buyer_min_employment)
    chain = env.niche_chain[firms.niche[slot]].astype(np.int64)
    # Sorted by counting, which 16 bits allow: `chains_total` ends far below 65,536 / 31.
    group = (chain * provinces + env.county_province[firms.county[slot]]).astype(np.uint16)
    order = np.argsort(group, kind="stable")
    revenue = firms.revenue[slot[order]].astype(np.float64)
    groups = len(env.chain_openness) * provinces
    return {
        "buyer_slot": slot[order].astype(np.int32),
        "buyer_weight": np.concatenate([[0.0], np.cumsum(revenue)]),
        "buyer_revenue": revenue,
        "buyer_start": np.concatenate([[0], np.cumsum(np.bincount(group, minlength=groups))]),
    }


@kernel
def link_at_start(firms, quarter, slots):
    """Draw the main customers at the start, each link with the share of time its own rates imply.

    With chances a to win and u to lose a link in a quarter, a firm is linked a/(a + u) of the time;
    buyers also close, with chance `buyer_closing`.
    Writes the column `customer` of the given slots.
    """
    env, keys, p = quarter.environment, quarter.keys, quarter.parameters
    for i in range(slots.first, slots.end):
        if firms.employment[i] == 0.0:
            continue
        revenue = float(firms.revenue[i])
        able = capability(firms.refinement[i], firms.digital[i], firms.knowledge[i], revenue, p)
        size = size_factor(log(float(firms.employment[i])))
        niche = firms.niche[i]
        chain = env.niche_chain[niche]
        lose = ending(able, p)
        first = admission(able, size, env.chain_openness[chain], env.niche_promoted[niche], 0.0, p)
        second = purchase(able, size, 0.0, p)
        to_leader = first / (first + lose)
        to_buyer = (1.0 - to_leader) * second / (second + lose + p.buyer_closing)
        u = uniform(keys[Purpose.START_LINK], i)
        if u < to_leader:
            firms.customer[i] = leader_code(chain)
        elif u < to_leader + to_buyer:
            where, which = uniform_pair(keys[Purpose.CUSTOMER], i)
            buyers = buyers_of(env, chain, env.county_province[firms.county[i]], where, p)
            firms.customer[i] = choose_buyer(env, buyers, i, revenue, which)


def supplier_counts(customer: np.ndarray) -> np.ndarray:
    """Suppliers of every customer that has one, chain leaders included: int64 (customers,), unordered.

    customer: the column of that name.
    """
    return np.unique(customer[customer != NEVER], return_counts=True)[1]
