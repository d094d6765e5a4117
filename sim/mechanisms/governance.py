"""Governance: ownership structure and formal management of a firm (现代企业治理)."""

from __future__ import annotations

from sim.jit import rule


@rule
def governance_step(governance, size_factor, peers, commons, equity_backed, p):
    """Governance after a quarter, 0-1.

    g ← g + (1 − g) · [a₀ size + a_demo · commons · max(0, ḡ − g) + a_equity]: growing firms
    formalise, recognised clusters demonstrate and spread, outside equity brings control rights.
    """
    rate = p.governance_own * size_factor + p.governance_demo * commons * max(0.0, peers - governance)
    if equity_backed:
        rate += p.governance_equity
    return min(governance + (1.0 - governance) * rate, 1.0)
