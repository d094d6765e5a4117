"""How long awards and conversions run, and what the columns of their dates tell.

A date is the quarter in which support was granted, `NEVER` without any. The award of a little giant that loses its
title ends: its date is then `ENDED` or, in the quarter in which it was still being paid, what `ended_in` gives.
"""

from __future__ import annotations

from sim.columns import ENDED, NEVER
from sim.jit import part, rule

#: Quarters over which an award is paid, from the one after its grant on.
AWARD_QUARTERS = 12
#: Quarters in which a firm that the digital programme supports is converted, from the one after its grant on.
SUPPORT_QUARTERS = 4


@rule
def runs(since, now, quarters):
    """Whether support granted at the end of quarter `since` for the next `quarters` is on."""
    return (since != NEVER) & (now > since) & (now - since <= quarters)


@rule
def ended_in(quarter):
    """Award date of a firm whose award was being paid when its title ended in `quarter`."""
    return ENDED + 1 + quarter


@part
def has_award(firms, moment, i):
    """Whether an award to little giant i is being paid."""
    return firms.tier[i] == 3 and runs(firms.awarded_in[i], moment.index, AWARD_QUARTERS)
