"""Size: sizes that equations refer to, and how far a firm's size alone lets it modernise."""

from __future__ import annotations

from sim.numerics.jit import equation

#: Revenue from which official statistics cover an industrial firm (above designated size, 规模以上), yuan per year.
DESIGNATED_REVENUE = 20e6
#: Sizes to which equations relate a firm's: ln 20 and ln 50 employees.
LOG_20, LOG_50 = 2.995732273553991, 3.912023005428146
#: ln 1000 to seven digits; more digits would change every result.
LOG_1000 = 6.907755


@equation
def size_factor(log_employment):
    """0 for a firm of one, 1 from 1,000 employees on: ln L / ln 1000 (assumed)."""
    return min(log_employment / LOG_1000, 1.0)
