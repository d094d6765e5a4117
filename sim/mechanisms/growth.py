"""Employment growth: Gibrat's law with a tent."""

from __future__ import annotations

import math

from sim.numerics.draws import laplace
from sim.numerics.elementary import exp
from sim.numerics.jit import equation


@equation
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


@equation
def demand_hiring(change, p):
    """Log change of employment in a quarter from a lasting change of demand: β Δx.

    Staff follow a lasting change of demand at given productivity: β (`staff_response`) is the elasticity of employment.
    Ferraz, Finan and Szerman (2015): a quarter in which a firm wins a public contract adds 2.2 points of growth, which
    lasts; suppliers of large firms grow in jobs about as in sales (Alfaro-Urena and others 2022).

    change: Δx, log, of the firm's demand: channels, main customer, competition.
    """
    return p.staff_response * change


@equation
def carried_by_staff(demand, p):
    """Log sales that staff already carry: β x. Taken off sales per employee, so that a change of demand counts once.

    A lasting change x raises sales by x at once; staff then grow by β x, and sales per employee fall back to (1 − β) x.

    demand: x, log, that staff have followed.
    """
    return p.staff_response * demand


@equation
def research_hiring(change, load, revenue, employment):
    """Log change of employment in a quarter from R&D: l Δr R / L, staff taken on or let go with a change of R&D.

    Only R&D staff drawn from the employees (`research_staff_drawn`, a tenth), so that those who sell stay as many.

    change: Δr, of true R&D intensity. load: l, such staff per yuan of R&D (`sim.mechanisms.research.staff_load`).
    """
    return load * change * revenue / employment


@equation
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
