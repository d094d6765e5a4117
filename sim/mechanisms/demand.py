"""Demand: what a firm sells, and how fast its sales grow."""

from __future__ import annotations

from sim.numerics.elementary import exp, log
from sim.numerics.jit import equation


@equation
def annual_revenue(employment, productivity, revenue_per_worker, orders, sales):
    """Annualised revenue in yuan of employees who all sell: L · w_s(t) · exp(a + x) · (1 + o).

    Args:
        revenue_per_worker: w_s(t), of the sector at productivity 0; moves with nominal demand.
        orders: o, premium of a firm with a main customer (`order_premium`, `order_premium_buyer`).
        sales: x, log demand from channels (matchmaking, brand), slack (shocks) and competition in the niche.
    """
    return employment * revenue_per_worker * exp(productivity + sales) * (1.0 + orders)


@equation
def own_making(firm_effect, p):
    """Log sales per worker that a firm's own making takes away: −e b, b as in `sim.mechanisms.research.rd_firm_effect`.

    A firm that makes more of its product itself, and buys less material for it, does more R&D per yuan of sales and
    sells less per worker; at e = 1 (`rd_revenue_fall`) R&D per worker would be alike. So a required R&D intensity
    selects firms of low sales per worker: reported SRDI SMEs sell 0.6 to 0.9 million yuan per employee, industry
    1.7 million.
    """
    return -p.rd_revenue_fall * firm_effect


@equation
def selling_share(per_worker, research_staff):
    """Share of a firm's employees who sell: (L − S) / L = 1 / (1 + n y), as S = n R and R = (L − S) y.

    per_worker: y, yearly sales of one who sells (`annual_revenue`). research_staff: n, R&D staff per yuan of revenue:
    R&D intensity times `sim.mechanisms.research.staff_load`.
    """
    return 1.0 / (1.0 + research_staff * per_worker)


@equation
def order_premium(supplies_leader, supplies_buyer, p):
    """Extra sales of a firm with a main customer: more with a chain leader than with another buyer."""
    if supplies_leader:
        return p.order_premium
    return p.order_premium_buyer if supplies_buyer else 0.0


@equation
def smoothed_growth(growth, revenue, revenue_before, p):
    """Mean annual revenue growth g ← g + m · (4 ln(R/R₋₁) − g), memory m per quarter.

    m = 1/8 (`growth_memory`) makes g the mean of about two years, the measure the rules use.
    """
    yearly = 4.0 * log(revenue / revenue_before)
    return growth + p.growth_memory * (min(max(yearly, -2.0), 2.0) - growth)
