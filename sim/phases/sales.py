"""Shocks and sales."""

from __future__ import annotations

import math

from sim.columns import SLACK_PARTS
from sim.elementary import exp
from sim.flows import Flow
from sim.jit import part, rule
from sim.mechanisms.chain_links import capability
from sim.mechanisms.demand import annual_revenue, order_premium, smoothed_growth
from sim.mechanisms.stress import slack
from sim.mechanisms.support import Channel


@rule
def slack_parts(log_output):
    """Log output in the fixed-point parts of the columns `slack` and `orders`."""
    return math.floor(log_output * SLACK_PARTS + 0.5)


@part
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
            rows.lost[j] = slack(own, firms.orders[j] / SLACK_PARTS, able, quarter.moment.substitution, p)
            firms.slack[j] = slack_parts(rows.lost[j])


@part
def sell(tile, quarter):
    """Revenue and its smoothed growth."""
    firms, rows, p = tile.firms, tile.rows, quarter.parameters
    sales = tile.channels[Channel.sales]
    for j in range(tile.length):
        live = rows.live[j] != 0.0
        before = float(firms.revenue[j])
        orders = order_premium(rows.supplies_leader[j] != 0.0, firms.customer[j] >= 0, p)
        revenue = annual_revenue(
            firms.employment[j], firms.productivity[j], rows.revenue_per_worker[j], orders, sales[j] + rows.lost[j]
        )
        growth = smoothed_growth(firms.growth[j], revenue, before, p)
        firms.growth[j] = growth if live else firms.growth[j]
        firms.revenue[j] = revenue if live else firms.revenue[j]


@part
def count_lost(tile, quarter, flows):
    """Add the output lost to shocks to the flows."""
    firms, lost = tile.firms, tile.rows.lost
    for j in range(tile.length):
        if lost[j] < 0.0:
            output = 0.25e-3 * firms.revenue[j] * (exp(-lost[j]) - 1.0)
            flows[quarter.environment.county_place[firms.county[j]], firms.sector[j], Flow.lost] += int(output)
