"""Slow capabilities: specialise (专), refine (精), go green."""

from __future__ import annotations

from sim.draws import unit_noise
from sim.jit import rule


@rule
def main_share_step(main_share, aspires, u, p):
    """Share of revenue from the main product: reverts to its mean, more so upward for firms
    that aspire to a certificate; kept within 0.2 to 1."""
    target = p.main_share_mean + (p.main_share_aspiration if aspires else 0.0)
    moved = main_share + p.main_share_speed * (target - main_share) + p.main_share_noise * unit_noise(u)
    return min(max(moved, 0.2), 1.0)


@rule
def refinement_step(refinement, digital, supplies_leader, u, p):
    """Quality and management process, 0-1: reverts to a level that digital maturity and the
    standards of a chain leader raise."""
    target = p.refinement_base + p.refinement_digital * digital
    if supplies_leader:
        target += p.refinement_leader
    moved = refinement + p.refinement_speed * (target - refinement) + p.refinement_noise * unit_noise(u)
    return min(max(moved, 0.0), 1.0)


@rule
def green_step(green, governance, p):
    """Green maturity, 0-1: slow adoption that better-governed firms lead."""
    return min(green + (1.0 - green) * p.green_own * (0.5 + governance), 1.0)
