"""Size: how far a firm's size alone lets it modernise."""

from __future__ import annotations

from sim.jit import rule

#: ln 1000 to seven digits; more digits would change every result.
LOG_1000 = 6.907755


@rule
def size_factor(log_employment):
    """0 for a firm of one, 1 from 1,000 employees on: ln L / ln 1000 (assumed)."""
    return min(log_employment / LOG_1000, 1.0)
