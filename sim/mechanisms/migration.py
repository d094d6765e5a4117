"""Migration: good firms move from urban districts to clusters in the counties (梯度转移)."""

from __future__ import annotations

from sim.numerics.jit import equation
from sim.tiers import Tier


@equation
def moves(tier, pull, odds, u, p):
    """Whether a firm in an urban district moves to this year's county cluster of its sector.

    Yearly chance m · c · (1 + x) for firms on the ladder, with c the commons of the cluster that
    draws them and x the channel `moving`: nobody moves where no county cluster is recognised. A firm
    takes its slot along, so the place it leaves stays closed and its successors start in the cluster.
    """
    return tier >= Tier.innovative and u < p.move_rate * pull * (1.0 + odds)
