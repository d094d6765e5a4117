"""Links between suppliers and their main customers: chain leaders (链主企业) and other larger firms.

The column `customer` is a directed network: the slot of a firm, or `leader_code` of a chain
leader. Chain leaders stand outside the sampled population, so a chain has one at every scale.
"""

from __future__ import annotations

from sim.mechanisms.knowledge import knowledge_depth
from sim.numerics.jit import equation, inlined

#: The column `customer` of the suppliers of the first chain's leader; those of further chains lie below.
FIRST_LEADER = -2

#: The frontier moves no further than this: some suppliers always qualify (assumed).
_MOST_QUALIFIED = 0.95
#: Capability at which a link would never end: half above the highest (assumed).
_LASTING = 1.5


@equation
def leader_code(chain):
    """The column `customer` of a supplier of this chain's leader."""
    return FIRST_LEADER - chain


@equation
def is_leader(customer):
    """Whether a main customer is a chain leader."""
    return customer <= FIRST_LEADER


@equation
def leader_of(customer):
    """Chain whose leader is the main customer, or -1."""
    return FIRST_LEADER - customer if is_leader(customer) else -1


@equation
def capability(refinement, digital, knowledge, revenue, p):
    """Capability of a supplier, 0-1: mean of refinement, digital maturity and knowledge depth."""
    return (refinement + digital + knowledge_depth(knowledge, revenue, p)) * (1 / 3)


def qualified_level(years: float, p) -> float:
    """Capability that makes a supplier qualified, 0-1: q₀ + f t, at most 0.95.

    The frontier moves (f, `frontier_trend`), so a link stays filled only where suppliers keep up.
    years: since the start.
    """
    return min(p.qualified_capability + p.frontier_trend * years, _MOST_QUALIFIED)


@equation
def admission(able, size, openness, promoted, odds, p):
    """Chance in a quarter that the leader of a firm's own chain makes it a supplier.

    a = r · o · q² · size · (1 + x): openness o, capability q, size from 0 to 1 (`size_factor`), x the channel
    `linking`; r is lower outside key niches.
    """
    rate = p.link_rate if promoted else p.link_rate_other
    return min(rate * openness * able * able * size * (1.0 + odds), 1.0)


@equation
def invitation(able, invited, p):
    """Chance in a quarter that another chain's leader brings a firm in by joint design.

    n · w · q²: w the leader's invitation to newcomers, which grows with the chain's gaps. Fact
    sheet: a satellite maker brought in suppliers with no earlier experience in space.
    """
    return min(p.newcomer_rate * invited * able * able, 1.0)


@equation
def purchase(able, size, odds, p):
    """Chance in a quarter that a larger firm of the chain becomes the main customer: r_b q size (1 + x)."""
    return min(p.link_rate_buyer * able * size * (1.0 + odds), 1.0)


@equation
def linking_bound(able, size, openness, invited, odds, p):
    """An upper bound of `admission`, `invitation` and `purchase` together, for any chain and niche.

    openness, invited: the largest of any chain.
    """
    own = max(p.link_rate, p.link_rate_other) * openness * able * able
    return (own + p.link_rate_buyer * able) * size * (1.0 + odds) + p.newcomer_rate * invited * able * able


@equation
def ending(able, p):
    """Chance in a quarter that a link ends: u (1.5 − q)."""
    return p.unlink_rate * (_LASTING - able)


@inlined
def buyers_of(env, chain, province, u, p):
    """Where a supplier looks for a buyer: first and last + 1 of the chain's buyers in its own province or anywhere.

    In its own province, if there are any, with chance `link_local` (decided by the draw u).
    """
    provinces = env.move_cluster.shape[0]
    first, last = env.buyer_start[chain * provinces + province], env.buyer_start[chain * provinces + province + 1]
    if u >= p.link_local or first == last:
        first, last = env.buyer_start[chain * provinces], env.buyer_start[(chain + 1) * provinces]
    return first, last


@inlined
def choose_buyer(env, among, slot, revenue, v):
    """A larger firm as the main customer of the firm in `slot`, or -1 if it finds none.

    Drawn (v) among buyers (`buyers_of`) in proportion to their revenue, so that supplier counts inherit the heavy
    tail of size; itself or a firm that is not larger is none.
    """
    first, last = among
    if first == last:
        return -1
    wanted = env.buyer_weight[first] + v * (env.buyer_weight[last] - env.buyer_weight[first])
    low, high = first, last - 1
    while low < high:
        middle = (low + high) // 2
        if env.buyer_weight[middle + 1] <= wanted:
            low = middle + 1
        else:
            high = middle
    if env.buyer_slot[low] == slot or env.buyer_revenue[low] <= revenue:
        return -1
    return env.buyer_slot[low]
