"""Knowledge: the stock that R&D and spillovers build.

First link of the chain R&D → knowledge → productivity (Crépon, Duguet and Mairesse 1998).
"""

from __future__ import annotations

from sim.numerics.jit import equation


@equation
def absorptive_capacity(digital, added):
    """Absorptive capacity A, 0-1: digital maturity plus the channel `absorption` (talent)."""
    return min(digital + added, 1.0)


@equation
def spillover(pooled, absorptive, pooling, p):
    """Knowledge in yuan that a firm takes from its cluster's pool in a quarter: φ/4 · A · (base + x) · K̄.

    pooled: K̄, mean stock of the members; the caller passes 0 for firms without research of their own.
    pooling: x, the channel `pooling` (open innovation, a culture of cooperation).
    """
    return 0.25 * p.knowledge_spillover * absorptive * (p.commons_base + pooling) * pooled


@equation
def transfer(share, revenue, absorptive):
    """Knowledge in yuan that leaders, institutes and partners pass on in a quarter: A · x R/4.

    share: x, the channel `transfer`, of yearly revenue.
    """
    return 0.25 * absorptive * share * revenue


@equation
def knowledge_stock(stock, research_flow, absorbed, p):
    """Knowledge stock in yuan after a quarter, by perpetual inventory: K ← (1 − δ/4) K + F + absorbed.

    research_flow: F, the firm's own R&D of the quarter. absorbed: spillover plus transfer.
    """
    return (1.0 - 0.25 * p.knowledge_depreciation) * stock + research_flow + absorbed


@equation
def knowledge_depth(knowledge, revenue, p):
    """Depth of a firm's knowledge, 0-1: K / (K + k₀ R), with k₀ `capability_depth`."""
    return knowledge / (knowledge + p.capability_depth * revenue)


@equation
def class1_patents(stock, p):
    """Class-I intellectual property in force: knowledge stock over its cost per right."""
    return stock / p.class1_cost
