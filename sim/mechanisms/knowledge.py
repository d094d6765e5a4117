"""Knowledge: the stock that R&D and spillovers build.

First link of the chain R&D → knowledge → productivity (Crépon, Duguet and Mairesse 1998).
"""

from __future__ import annotations

from sim.jit import rule


@rule
def knowledge_stock(stock, research_flow, pooled, absorption, commons, p):
    """Knowledge stock in yuan after a quarter, by perpetual inventory with spillovers.

    K ← (1 − δ/4) K + R&D flow + φ/4 · absorption · (base + commons) · K̄, with K̄ the mean stock
    of the cluster's members and absorption the firm's digital maturity. Only firms with
    research of their own absorb (the caller passes pooled = 0 for the others).
    """
    spillover = 0.25 * p.knowledge_spillover * absorption * (p.commons_base + commons) * pooled
    return (1.0 - 0.25 * p.knowledge_depreciation) * stock + research_flow + spillover


@rule
def class1_patents(stock, p):
    """Class-I intellectual property in force: knowledge stock over its cost per right."""
    return stock / p.class1_cost
