"""Employment growth: Gibrat's law with a tent."""

from __future__ import annotations

import math

from sim.draws import laplace
from sim.elementary import exp
from sim.jit import rule


@rule
def employment_trend(productivity, constraint, log_employment, slack, p):
    """Mean log growth of employment in a quarter: Δ ln L = μ + b_a a − b_c c − b_L ln L + b_s s.

    s ≤ 0 is the log output lost to shocks (`slack`).
    """
    return (
        p.growth_base
        + p.growth_productivity * productivity
        - p.growth_constraint * constraint
        - p.growth_size * log_employment
        + p.growth_slack * slack
    )


@rule
def employment_step(employment, log_employment, trend, supplies_leader, u, p):
    """Employees after a quarter: Δ ln L = trend + b_o (leader's supplier) + σ₀ L^−η · ε.

    Within ±1 and not below one employee. Adjustment is lumpy: with chance q a quarter (`growth_lumps`) ε is Laplace
    over √q, else 0, which keeps its variance and makes a year's growth, not a quarter's, nearly Laplace (excess
    kurtosis of four quarters 1.5/q − 0.75, 3 at q = 0.4).
    Sources: Laplace tent and variance falling with size as about L^−0.15 to −0.2
    (Stanley et al. 1996; Bottazzi and Secchi 2006).

    trend: `employment_trend`.
    """
    often = 1.0 / p.growth_lumps
    scale = p.growth_noise * math.sqrt(often) * exp(-p.growth_noise_size * log_employment)
    change = trend
    if u < p.growth_lumps:
        change += scale * laplace(u * often)
    if supplies_leader:
        change += p.growth_orders
    return max(employment * exp(min(max(change, -1.0), 1.0)), 1.0)
