"""Demand: what a firm sells, and how fast its sales grow."""

from __future__ import annotations

import math

from sim.jit import rule


@rule
def annual_revenue(employment, productivity, revenue_per_worker, supplies_leader, p):
    """Annualised revenue in yuan: L · w_s(t) · exp(a) · (1 + orders).

    L employees, w_s(t) the sector's revenue per worker at productivity 0 (moves with nominal
    demand), a log productivity, orders the premium of a chain leader's supplier
    (`order_premium`, assumed).
    """
    orders = p.order_premium if supplies_leader else 0.0
    return employment * revenue_per_worker * math.exp(productivity) * (1.0 + orders)


@rule
def smoothed_growth(growth, revenue, revenue_before, p):
    """Mean annual revenue growth g ← g + m · (4 ln(R/R₋₁) − g), memory m per quarter.

    m = 1/8 (`growth_memory`) makes g the mean of about two years, the measure the rules use.
    """
    yearly = 4.0 * math.log(revenue / revenue_before)
    return growth + p.growth_memory * (min(max(yearly, -2.0), 2.0) - growth)
