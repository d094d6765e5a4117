"""Debt, credit and outside equity."""

from __future__ import annotations

from sim.columns import FUND_BACKED, LISTED
from sim.draws import Purpose, uniform, uniform_pair
from sim.flows import Flow
from sim.jit import part
from sim.mechanisms.finance import (
    credit_constraint,
    credit_risk,
    debt_ratio,
    energy_burden,
    equity_round,
    net_margin,
    outside_equity,
)
from sim.mechanisms.listing import lists
from sim.mechanisms.support import Channel
from sim.tile import list_indices


@part
def borrow(tile, quarter):
    """Margin, debt ratio and access to credit."""
    firms, rows, p = tile.firms, tile.rows, quarter.parameters
    key = quarter.keys[Purpose.FINANCE]
    tightening = quarter.moment.credit_tightening
    eased = tile.channels[Channel.credit]
    for j in range(tile.length):
        live = rows.live[j] != 0.0
        u, _ = uniform_pair(key, tile.first + j)
        margin = net_margin(firms.productivity[j], energy_burden(rows.energy_rise[j], firms.green[j], p), p)
        leverage = debt_ratio(firms.leverage[j], margin, u, p)
        risk = credit_risk(leverage, rows.log_employment[j], eased[j], tightening, p)
        constraint = credit_constraint(risk, firms.tier[j] >= 2, firms.flags[j] & LISTED != 0, p)
        rows.margin[j] = margin
        firms.leverage[j] = leverage if live else firms.leverage[j]
        firms.constraint[j] = constraint if live else firms.constraint[j]


@part
def raise_equity(tile, quarter, scratch, performers, flows):
    """Money from the development fund, listings and equity rounds.

    performers: indices in the tile of the firms that do R&D. scratch: its indices are written.
    """
    firms, rows, p = tile.firms, tile.rows, quarter.parameters
    keys, env, n = quarter.keys, quarter.environment, tile.length
    funded, listing = tile.channels[Channel.equity_yuan], tile.channels[Channel.listing]
    largest = 0.0
    for j in range(n):
        rows.paid_in[j] = funded[j]
        largest = max(largest, funded[j])
    if largest > 0.0:
        for j in range(n):
            if funded[j] > 0.0 and rows.live[j] != 0.0:
                firms.flags[j] |= FUND_BACKED
    for j in scratch.indices[: list_indices(firms.tier, scratch.indices)]:
        tier = firms.tier[j]
        if tier >= 2 and firms.flags[j] & LISTED == 0:
            u = uniform(keys[Purpose.LISTING], tile.first + j)
            if lists(tier, firms.revenue[j], rows.margin[j], listing[j], u, p):
                firms.flags[j] |= LISTED
                rows.paid_in[j] += p.listing_raise * firms.revenue[j]
                flows[env.county_place[firms.county[j]], firms.sector[j], Flow.listings] += 1
    odds = tile.channels[Channel.equity_odds]
    for j in performers:
        u, v = uniform_pair(keys[Purpose.EQUITY], tile.first + j)
        rows.paid_in[j] += equity_round(firms.revenue[j], firms.tier[j] >= 2, odds[j], u, v, p)
    for j in range(n):
        equity = outside_equity(firms.equity[j], rows.paid_in[j])
        firms.equity[j] = equity if rows.live[j] != 0.0 else firms.equity[j]
