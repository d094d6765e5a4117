"""Governance: ownership structure and formal management of a firm (现代企业治理)."""

from __future__ import annotations

from sim.jit import rule


@rule
def governance_step(governance, size_factor, peers, demonstration, training, equity_backed, p):
    """Governance after a quarter, 0-1.

    g ← g + (1 − g) · min(½, a₀ size + x_demo · max(0, ḡ − g) + x_train + a_equity): larger firms
    formalise faster, recognised clusters demonstrate good practice and spread it to members below their
    mean ḡ, training and advice act directly, outside equity brings control rights.

    Args:
        demonstration, training: the channels `demonstration` and `governance`, per quarter.
    """
    rate = p.governance_own * size_factor + demonstration * max(0.0, peers - governance) + training
    if equity_backed:
        rate += p.governance_equity
    return min(governance + (1.0 - governance) * min(rate, 0.5), 1.0)
