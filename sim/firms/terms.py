"""How long awards and conversions run, and what the columns of their dates tell.

A date is the quarter in which support was granted, `NEVER` without any. The award of a little giant that loses its
title ends: its date is then `ENDED` or, in the quarter in which it was still being paid, what `ended_in` gives.
"""

from __future__ import annotations

from sim.firms.columns import ENDED, NEVER
from sim.numerics.jit import equation, inlined
from sim.tiers import Tier

#: Quarters over which an award is paid, from the one after its grant on.
AWARD_QUARTERS = 12
#: Quarters in which a firm that the digital programme supports is converted, from the one after its grant on.
SUPPORT_QUARTERS = 4


@equation
def runs(since, now, quarters):
    """Whether support granted at the end of quarter `since` for the next `quarters` is on."""
    return (since != NEVER) & (now > since) & (now - since <= quarters)


@equation
def ended_in(quarter):
    """Award date of a firm whose award was being paid when its title ended in `quarter`."""
    return ENDED + 1 + quarter


@inlined
def held_since(firms, tier, i):
    """Date of firm i's certificate of a tier."""
    if tier == Tier.little_giant:
        return firms.giant_since[i]
    if tier == Tier.srdi:
        return firms.srdi_since[i]
    return firms.innovative_since[i]


@inlined
def comes_up(firms, moment, i):
    """Whether the SRDI or little-giant certificate of firm i is in its last year, which a review ends."""
    tier = firms.tier[i]
    validity = moment.validity_giant if tier == Tier.little_giant else moment.validity_srdi
    return tier >= Tier.srdi and moment.index - held_since(firms, tier, i) >= validity - 4


@inlined
def has_award(firms, moment, i):
    """Whether an award to little giant i is being paid."""
    return firms.tier[i] == Tier.little_giant and runs(firms.awarded_in[i], moment.index, AWARD_QUARTERS)
