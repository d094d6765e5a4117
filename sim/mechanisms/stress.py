"""Stress: how shocks reach a firm and travel upstream from customers to suppliers."""

from __future__ import annotations

import numpy as np

from sim.numerics.arrays import log
from sim.numerics.jit import equation

#: A firm's log output falls by no more: e^-4 is 2 % of the usual (assumed).
_LEAST_SLACK = -4.0
#: Share of its output that a niche keeps at least without its foreign input (assumed).
_LEAST_OUTPUT = 0.02


@equation
def slack(own, orders, able, substitution, p):
    """Log output relative to an undisturbed quarter, ≤ 0.

    s_i = z_i + θ (1 − ψ q_i) s_c, with z_i the firm's own shock (demand of its sector, a missing
    foreign supplier in its niche), s_c the main customer's slack and θ the main customer's share of
    sales (`order_share`). A firm passes on its slack of the quarter before, so a shock moves one link
    upstream a quarter; a chain leader passes a slump of its own sector on at once.
    A capable supplier (q_i) finds other buyers, as far as substitution ψ (`redirect`, 0 where a
    scenario switches substitution off) lets it. Production-network models of this kind:
    Acemoglu and others 2012; Barrot and Sauvagnat 2016 (assumed parameters).
    """
    passed = p.order_share * (1.0 - p.redirect * substitution * able) * orders
    return max(own + passed, _LEAST_SLACK)


def replaced(qualified: np.ndarray, revenue: np.ndarray, p) -> np.ndarray:
    """Share of a missing foreign supply that domestic firms of each niche replace, 0-1.

    σ = σ̄ min(1, Q / (g R)): in full (`substitution_max`) once qualified suppliers hold the share
    `gap_share` at which the link counts as filled.
    """
    share = qualified / np.maximum(p.gap_share * revenue, 1.0)
    return p.substitution_max * np.minimum(share, 1.0) * (revenue > 0)


def supply_loss(severity: float, replaced_share: np.ndarray) -> np.ndarray:
    """Log output of firms that lack `severity` of their foreign input, `replaced_share` of it replaced."""
    return log(np.maximum(1.0 - severity * (1.0 - replaced_share), _LEAST_OUTPUT))
