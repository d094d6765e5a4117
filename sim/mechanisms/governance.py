"""Governance: ownership structure and formal management of a firm (现代企业治理)."""

from __future__ import annotations

from sim.numerics.jit import equation


@equation
def copied_governance(governance, peers, demonstration):
    """Governance a member copies from its cluster in a quarter: x · max(0, ḡ − g).

    Recognised clusters demonstrate good practice (x, the channel `demonstration`) and spread it to members below
    their mean ḡ (`peers`).
    """
    return demonstration * max(0.0, peers - governance)


@equation
def governance_step(governance, size, copied, training, equity_backed, p):
    """Governance after a quarter, 0-1: g ← g + (1 − g) · min(½, a₀ size + copied + x + a_equity).

    Larger firms formalise faster, good practice is copied (`copied_governance`), training and advice act directly
    (x, the channel `governance`), outside equity brings control rights.
    """
    rate = p.governance_own * size + copied + training
    if equity_backed:
        rate += p.governance_equity
    return min(governance + (1.0 - governance) * min(rate, 0.5), 1.0)
