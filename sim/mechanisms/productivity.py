"""Productivity: a permanent part, and a fast one that follows knowledge, governance, digital maturity and commons.

Log productivity of firm i: a = z_i + f_it. z is drawn once, f reverts to what its target explains. The year-to-year
correlation of a is s + (1 − s)(1 − κ)⁴ with s the permanent share of the variance. Published: 0.75-0.90 a year for
firms' TFP (Foster, Haltiwanger and Syverson 2008: about 0.8), but 0.37-0.41 for the fast part among US plants.
"""

from __future__ import annotations

import math

from sim.numerics.draws import unit_noise
from sim.numerics.elementary import log
from sim.numerics.jit import equation


@equation
def knowledge_productivity(knowledge, revenue, p):
    """Log productivity that a firm's knowledge explains: e ln(1 + K / (k₀ R)).

    Source: elasticity 0.05-0.12 (Griliches; Hall, Mairesse and Mohnen 2010).
    """
    return p.knowledge_elasticity * log(1.0 + knowledge / (p.knowledge_unit * revenue))


@equation
def productivity_target(known, digital, governance, commons, supplies_leader, p):
    """Level (log, relative to the sector's frontier) that productivity moves towards.

    a* = known + b_g (g − g₀) + b_d · d · g + x + b_l (leader's supplier), known as in `knowledge_productivity`.
    Source: b_g 0.42-0.65 log per unit of management practices in India (Bloom, Eifert, Mahajan, McKenzie and Roberts
    2013); density elasticity 0.02-0.08 (Combes and Gobillon 2015) bounds the channel x (cluster infrastructure).

    commons: x, the channel `productivity`.
    """
    managed = p.governance_productivity * (governance - p.governance_reference)
    learned = p.leader_learning if supplies_leader else 0.0
    return known + managed + p.digital_productivity * digital * governance + commons + learned


@equation
def permanent_part(noise, other, p):
    """The permanent part z of a firm's productivity, log: s·ε + √(s (1 − s))·ε′, times the spread between firms.

    noise: ε, the draw behind the firm's whole productivity; other: ε′, independent; variance 1 each. So z has the share
    s of the variance (`permanent_share`), is uncorrelated with the rest, and leaves the whole as it was drawn.
    """
    share = p.permanent_share
    return p.productivity_spread * (share * noise + math.sqrt(share * (1.0 - share)) * other)


def steady_noise(spread: float, permanent_share: float, speed: float) -> float:
    """σ at which the spread between firms stays what it is at the start: σ² = (2κ − κ²) (1 − s) sd².

    Args:
        spread: sd of log productivity. permanent_share: s. speed: κ per quarter.
    """
    return spread * math.sqrt((1.0 - permanent_share) * (2.0 * speed - speed * speed))


@equation
def productivity_step(productivity, target, u, p):
    """Productivity after a quarter: a ← a + κ (z + a* − a) + σ ε, kept within ±3; target: z + a*."""
    moved = productivity + p.productivity_speed * (target - productivity) + p.productivity_noise * unit_noise(u)
    return min(max(moved, -3.0), 3.0)
