"""Listing: the way to public markets (北交所, 科创板) as an exit for equity and a source of capital."""

from __future__ import annotations

from sim.numerics.jit import equation
from sim.tiers import Tier


@equation
def lists(tier, revenue, margin, odds, u, p):
    """Whether a firm not yet listed goes public this quarter.

    Certified firms (SRDI or higher) of at least `listing_revenue` and `listing_margin` list with
    chance h (1 + x), x from the channel `listing`. It brings equity of `listing_raise` years'
    revenue once and eases credit for good (`listing_credit`).
    """
    if tier < Tier.srdi or revenue < p.listing_revenue or margin < p.listing_margin:
        return False
    return u < p.listing_rate * (1.0 + odds)
