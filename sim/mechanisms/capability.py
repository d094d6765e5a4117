"""Slow capabilities: specialise (专), refine (精), go green."""

from __future__ import annotations

from sim.numerics.draws import unit_noise
from sim.numerics.jit import equation

#: A firm's main product brings at least this share of its revenue (assumed).
LEAST_MAIN_SHARE = 0.2


@equation
def main_share_step(main_share, aspires, u, p):
    """Share of revenue from the main product: reverts to its mean, more so upward for firms
    that aspire to a certificate; kept within 0.2 to 1."""
    target = p.main_share_mean + (p.main_share_aspiration if aspires else 0.0)
    moved = main_share + p.main_share_speed * (target - main_share) + p.main_share_noise * unit_noise(u)
    return min(max(moved, LEAST_MAIN_SHARE), 1.0)


@equation
def refinement_target(digital, supplies_leader, exporter, raised, p):
    """Level that refinement moves towards: digital maturity, the standards of a chain leader or of buyers abroad,
    and the channel `refinement` (design, testing, brand; `raised`) lift it."""
    target = p.refinement_base + p.refinement_digital * digital
    if supplies_leader:
        target += p.refinement_leader
    if exporter:
        target += p.refinement_export
    return target + raised


@equation
def refinement_step(refinement, target, u, p):
    """Quality and management process after a quarter, 0-1: q ← q + κ (q* − q) + σ ε."""
    moved = refinement + p.refinement_speed * (target - refinement) + p.refinement_noise * unit_noise(u)
    return min(max(moved, 0.0), 1.0)


@equation
def green_step(green, governance, energy_rise, support, p):
    """Green maturity, 0-1: g ← g + (1 − g) [ a₀ (½ + gov) + a_p ε_s Δ + x ].

    Slow adoption that better-governed firms lead; dearer energy or carbon (`energy_rise` = ε_s Δ, the
    sector's energy share times the price rise) and the channel `green` (transition support) speed it.
    """
    rate = p.green_own * (0.5 + governance) + p.green_price * energy_rise + support
    return min(green + (1.0 - green) * min(rate, 0.5), 1.0)
