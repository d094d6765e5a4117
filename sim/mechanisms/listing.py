"""Listing: the way to public markets (北交所, 科创板) as an exit for equity and a source of capital."""

from __future__ import annotations

from sim.numerics.jit import equation
from sim.tiers import Tier


@equation
def application_chance(tier, revenue, margin, odds, p):
    """Chance per quarter that a firm not yet listed applies for a listing: h φ (1 + x), or 0 if it may not list.

    Certified firms (SRDI or higher) of at least `listing_revenue` and `listing_margin` may. h is `listing_rate`, x the
    channel `listing`; φ is 1 for little giants, whom the Beijing exchange and local offices prepare first, and
    `listing_srdi` for others. A listing brings equity of `listing_raise` years' revenue once and eases credit for good
    (`listing_credit`).
    """
    if tier < Tier.srdi or revenue < p.listing_revenue or margin < p.listing_margin:
        return 0.0
    return p.listing_rate * (1.0 if tier == Tier.little_giant else p.listing_srdi) * (1.0 + odds)


def admitted_share(applications, places):
    """Share of the applications for a listing that the exchanges admit: min(1, N / A).

    Listings per year follow what the regulator lets through and the market takes up, not how many firms apply. Once
    places are scarce, what raises one firm's chance lowers that of the others.

    applications: A, firms expected to apply, of the last quarter: a rise is felt a quarter later. places: N, a quarter
    of `listing_places`, which are for certified firms alone and the same every year.
    """
    return places / max(applications, places) if places > 0.0 else 0.0


@equation
def start_listing_chance(does_rd, revenue, p):
    """Chance that a firm is listed at the start: λ min(1, R / R₁) with R&D and a revenue of `listing_revenue`, else 0.

    λ is `start_listed`, R₁ `start_listed_revenue`. The larger a firm is, the more likely it is listed.
    """
    if not does_rd or revenue < p.listing_revenue:
        return 0.0
    return p.start_listed * min(revenue / p.start_listed_revenue, 1.0)
