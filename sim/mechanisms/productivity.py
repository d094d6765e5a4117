"""Productivity: knowledge, digital maturity times governance, commons, and luck."""

from __future__ import annotations

from sim.draws import unit_noise
from sim.elementary import log
from sim.jit import rule


@rule
def knowledge_productivity(knowledge, revenue, p):
    """Log productivity that a firm's knowledge explains: e ln(1 + K / (k₀ R)).

    Source: elasticity 0.05-0.12 (Griliches; Hall, Mairesse and Mohnen 2010).
    """
    return p.knowledge_elasticity * log(1.0 + knowledge / (p.knowledge_unit * revenue))


@rule
def productivity_target(known, digital, governance, commons, supplies_leader, p):
    """Level (log, relative to the sector's frontier) that productivity moves towards.

    a* = known + b_d · d · g + x + b_l (leader's supplier), known as in `knowledge_productivity`.
    Source: density elasticity 0.02-0.08 (Combes and Gobillon 2015) bounds the channel x (cluster infrastructure).

    commons: x, the channel `productivity`.
    """
    learned = p.leader_learning if supplies_leader else 0.0
    return known + p.digital_productivity * digital * governance + commons + learned


@rule
def productivity_step(productivity, target, u, p):
    """Productivity after a quarter: a ← a + ρ (a* − a) + σ ε, kept within ±3."""
    moved = productivity + p.productivity_speed * (target - productivity) + p.productivity_noise * unit_noise(u)
    return min(max(moved, -3.0), 3.0)
