"""Application: whom the programme has reached by now."""

from __future__ import annotations

import math

from sim.jit import rule

LOG_50 = math.log(50.0)


@rule
def is_reached(draw, reach, log_employment, p):
    """Whether a tier's programme reaches a firm; larger firms hear of it and can apply first.

    Odds of being reached: reach/(1−reach) · (L/50)^β. `draw` is the firm's own uniform draw, the
    same in all years, so who is reached once stays reached while the reach grows.
    """
    if reach <= 0.0:
        return False
    odds = reach / max(1.0 - reach, 1e-6) * math.exp(p.reach_size * (log_employment - LOG_50))
    return draw < odds * (1.0 - draw)
