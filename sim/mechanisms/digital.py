"""Digital adoption: diffusion with an own, a peer, a leader and a programme term."""

from __future__ import annotations

from sim.numerics.jit import equation


@equation
def adoption_drive(digital, size, peers, peer_factor, leader_push, p):
    """What drives a firm to adopt, per quarter: a₀ size + a_peer · max(0, d̄ − d) · (1 + x) + a_leader.

    Args:
        size: 0-1 (`size_factor`), larger firms adopt by themselves.
        peers: d̄, mean maturity of the cluster's members, 0 outside clusters.
        peer_factor: x, the channel `peers` (shared services of the cluster).
        leader_push: 1 for suppliers of a chain leader, else 0.
    """
    own = p.digital_own * size
    peer = p.digital_peer * max(0.0, peers - digital) * (1.0 + peer_factor)
    return own + peer + p.digital_leader * leader_push


@equation
def adoption(digital, drive, governance, constraint, support):
    """Digital maturity after a quarter, 0-1: d ← d + (1 − d) · min(½, drive · (½ + g) · (1 − c) + support).

    Adoption slows as d nears 1, good governance g speeds it, a credit constraint c holds it back, public support
    (a gain a quarter from the digital programme and the channel `digital`) acts directly. drive: `adoption_drive`.
    """
    rate = drive * (0.5 + governance) * (1.0 - constraint)
    return min(digital + (1.0 - digital) * min(rate + support, 0.5), 1.0)


@equation
def digital_level(digital, p):
    """Reported level 1-4 of a maturity between 0 and 1."""
    return 1 + int(digital >= p.digital_level2) + int(digital >= p.digital_level3) + int(digital >= p.digital_level4)
