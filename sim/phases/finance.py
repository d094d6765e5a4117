"""Debt, credit and outside equity."""

from __future__ import annotations

from sim.firms.accounts import research_cost
from sim.firms.columns import FUND_BACKED, LISTED
from sim.firms.terms import has_award
from sim.firms.tile import cell_of, list_indices, stretch_end
from sim.flows import APPLICATION_PARTS, Flow
from sim.mechanisms.finance import (
    credit_constraint,
    credit_response,
    credit_risk,
    debt_ratio,
    energy_burden,
    equity_round,
    net_margin,
    outside_equity,
    research_burden,
)
from sim.mechanisms.listing import application_chance
from sim.mechanisms.support import Channel
from sim.numerics.draws import Purpose, uniform, uniform_pair
from sim.numerics.elementary import floor
from sim.numerics.jit import inlined
from sim.tiers import Tier


@inlined
def borrow(tile, quarter, scratch, performers, flows):
    """Margin, debt ratio and access to credit.

    performers: indices in the tile of the firms that do R&D. scratch: its indices are written.
    """
    firms, rows, p = tile.firms, tile.rows, quarter.parameters
    key, county_credit = quarter.keys[Purpose.FINANCE], quarter.environment.county_credit
    eased = tile.channels[Channel.credit]
    _charge_research(tile, quarter, scratch, performers)
    # Looked up in a loop of its own, so that the next one runs on vectors.
    for j in range(tile.length):
        rows.tightening[j] = quarter.moment.credit_tightening + county_credit[firms.county[j]]
    for j in range(tile.length):
        live = rows.live[j] != 0.0
        u, _ = uniform_pair(key, tile.first + j)
        burden = energy_burden(rows.energy_rise[j], firms.green[j], p)
        margin = net_margin(firms.productivity[j], burden, rows.research_cost[j], p)
        leverage = debt_ratio(firms.leverage[j], margin, u, p)
        risk = credit_risk(leverage, rows.log_employment[j], eased[j], rows.tightening[j], p)
        constraint = credit_constraint(risk, firms.tier[j] >= Tier.srdi, firms.flags[j] & LISTED != 0, p)
        rows.margin[j] = margin
        firms.leverage[j] = leverage if live else firms.leverage[j]
        firms.constraint[j] = constraint if live else firms.constraint[j]
    if quarter.moment.credit_counted != 0:
        _count_credit(tile, quarter, eased, flows)


@inlined
def _charge_research(tile, quarter, scratch, performers):
    """What R&D costs each firm over the usual of its sector; what is rare, money and false R&D, firm by firm."""
    firms, rows, p = tile.firms, tile.rows, quarter.parameters
    for j in range(tile.length):
        rows.research_cost[j] = research_burden(firms.rd_intensity[j], rows.rd_usual[j], 0.0, 0.0, p)
    if p.research_expensed > 0.0:
        for j in range(tile.length):
            rows.event[j] = 1.0 if (firms.support[j] != 0) | (firms.tier[j] == Tier.little_giant) else 0.0
        for j in scratch.indices[: list_indices(rows.event[: tile.length], scratch.indices)]:
            if rows.live[j] != 0.0 and (firms.support[j] != 0 or has_award(firms, quarter.moment, j)):
                rows.research_cost[j] = research_cost(firms, quarter, j)
        for j in performers:
            if firms.relabelled[j] != 0.0:
                rows.research_cost[j] = research_cost(firms, quarter, j)


@inlined
def _count_credit(tile, quarter, eased, flows):
    """Add what ease does to the credit of the firms of each place and sector to the flows."""
    firms, rows, n = tile.firms, tile.rows, tile.length
    first = 0
    while first < n:
        end = stretch_end(rows.cell, first, n)
        responsive, more = 0, 0
        for j in range(first, end):
            thousands = 1e-3 * firms.revenue[j] * credit_response(firms.constraint[j])
            responsive += floor(thousands if rows.live[j] != 0.0 else 0.0)
            more += floor(thousands * eased[j] if rows.live[j] != 0.0 else 0.0)
        cell_flows = flows[cell_of(firms, quarter.environment, first)]
        cell_flows[Flow.credit_responsive] += responsive
        cell_flows[Flow.credit_eased] += more
        first = end


@inlined
def raise_equity(tile, quarter, scratch, performers, flows):
    """Money from the development fund, listings and equity rounds.

    performers: indices in the tile of the firms that do R&D. scratch: its indices are written.
    """
    firms, rows, p = tile.firms, tile.rows, quarter.parameters
    keys, env, n = quarter.keys, quarter.environment, tile.length
    admitted = quarter.moment.listing_admitted
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
        if tier >= Tier.srdi and firms.flags[j] & LISTED == 0:
            chance = application_chance(tier, firms.revenue[j], rows.margin[j], listing[j], p)
            if chance > 0.0:
                cell_flows = flows[cell_of(firms, env, j)]
                cell_flows[Flow.listing_applications] += floor(chance * APPLICATION_PARTS)
                if uniform(keys[Purpose.LISTING], tile.first + j) < chance * admitted:
                    firms.flags[j] |= LISTED
                    rows.paid_in[j] += p.listing_raise * firms.revenue[j]
                    cell_flows[Flow.listings] += 1
    odds = tile.channels[Channel.equity_odds]
    for j in performers:
        u, v = uniform_pair(keys[Purpose.EQUITY], tile.first + j)
        rows.paid_in[j] += equity_round(firms.revenue[j], firms.tier[j] >= Tier.srdi, odds[j], u, v, p)
    for j in range(n):
        equity = outside_equity(firms.equity[j], rows.paid_in[j])
        firms.equity[j] = equity if rows.live[j] != 0.0 else firms.equity[j]
