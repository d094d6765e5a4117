"""Shocks and sales."""

from __future__ import annotations

from sim.firms.columns import LOG_PARTS, log_parts
from sim.firms.tile import cell_of
from sim.flows import Flow
from sim.mechanisms.chain_links import capability
from sim.mechanisms.demand import annual_revenue, order_premium, own_making, selling_share, smoothed_growth
from sim.mechanisms.growth import carried_by_staff, demand_hiring
from sim.mechanisms.research import rd_firm_effect, staff_load
from sim.mechanisms.stress import slack
from sim.mechanisms.support import Channel
from sim.numerics.draws import Purpose
from sim.numerics.elementary import exp, log
from sim.numerics.jit import inlined


@inlined
def feel_shocks(tile, quarter):
    """Slack from a slump, a missing foreign supply and customers' lost orders; nothing in calm times."""
    firms, rows, p = tile.firms, tile.rows, quarter.parameters
    env, n = quarter.environment, tile.length
    orders = 0
    for j in range(n):
        orders |= firms.orders[j]
    if not (env.disturbed[0] or orders != 0):
        for j in range(n):
            rows.lost[j] = 0.0
            firms.slack[j] = 0
        return
    for j in range(n):
        rows.lost[j] = 0.0
        if rows.live[j] != 0.0:
            own = env.sector_slack[firms.sector[j]] + env.niche_slack[firms.niche[j]]
            able = capability(firms.refinement[j], firms.digital[j], firms.knowledge[j], firms.revenue[j], p)
            rows.lost[j] = slack(own, firms.orders[j] / LOG_PARTS, able, quarter.moment.substitution, p)
            firms.slack[j] = log_parts(rows.lost[j])


@inlined
def sell(tile, quarter, performers):
    """Revenue and its smoothed growth.

    performers: indices in the tile of the firms with R&D.
    """
    firms, rows, p = tile.firms, tile.rows, quarter.parameters
    sales, key = tile.channels[Channel.sales], quarter.lasting_keys[Purpose.RESEARCH_NORM]
    for j in range(tile.length):
        making = own_making(rd_firm_effect(key, tile.first + j, p), p)
        orders = order_premium(rows.supplies_leader[j] != 0.0, firms.customer[j] >= 0, p)
        demand = sales[j] + rows.lost[j] + rows.pressure[j] - carried_by_staff(firms.demand[j] / LOG_PARTS, p)
        rows.sold[j] = annual_revenue(
            firms.employment[j], firms.productivity[j], rows.revenue_per_worker[j], orders, making + demand
        )
    _follow_demand(tile, sales, p)
    load = staff_load(quarter.moment.research_wage, p)
    if load > 0.0:
        for j in performers:
            per_worker = rows.sold[j] / firms.employment[j]
            rows.sold[j] *= selling_share(per_worker, load * firms.rd_intensity[j])
    for j in range(tile.length):
        live = rows.live[j] != 0.0
        growth = smoothed_growth(firms.growth[j], rows.sold[j], float(firms.revenue[j]), p)
        firms.growth[j] = growth if live else firms.growth[j]
        firms.revenue[j] = rows.sold[j] if live else firms.revenue[j]


@inlined
def _follow_demand(tile, sales, p):
    """Let staff follow what has lastingly changed of each firm's demand; orders lost to shocks do not last."""
    firms, rows = tile.firms, tile.rows
    for j in range(tile.length):
        rows.hired[j] = 0.0
    if p.staff_response > 0.0:
        by_leader, by_buyer = log(1.0 + p.order_premium), log(1.0 + p.order_premium_buyer)
        for j in range(tile.length):
            orders = by_leader if rows.supplies_leader[j] != 0.0 else (by_buyer if firms.customer[j] >= 0 else 0.0)
            demand = log_parts(sales[j] + rows.pressure[j] + orders)
            rows.hired[j] = demand_hiring((demand - firms.demand[j]) / LOG_PARTS, p)
            firms.demand[j] = demand if rows.live[j] != 0.0 else firms.demand[j]


@inlined
def count_lost(tile, quarter, flows):
    """Add the output lost to shocks to the flows."""
    firms, lost = tile.firms, tile.rows.lost
    for j in range(tile.length):
        if lost[j] < 0.0:
            output = 0.25e-3 * firms.revenue[j] * (exp(-lost[j]) - 1.0)
            flows[cell_of(firms, quarter.environment, j)][Flow.lost] += int(output)
