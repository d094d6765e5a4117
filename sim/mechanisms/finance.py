"""Finance: margin, debt ratio, access to credit, outside equity."""

from __future__ import annotations

import math

from sim.draws import unit_noise
from sim.elementary import exp
from sim.jit import rule

LOG_20 = math.log(20.0)
#: Bounds of the debt ratio: beyond 1.5 a firm is bankrupt (assumed).
LEAST_LEVERAGE, MOST_LEVERAGE = 0.02, 1.5


@rule
def net_margin(productivity, energy_cost, p):
    """Net margin (share of revenue) m = m̄ + s · a − e: more productive firms earn more.

    energy_cost: e, extra cost of energy or carbon as a share of revenue (see `energy_burden`).
    """
    return p.margin_mean + p.margin_productivity * productivity - energy_cost


@rule
def energy_burden(rise, green, p):
    """Extra cost a firm bears when energy or carbon grows dearer, as a share of revenue.

    e = ι · ε_s Δ · (1 − s g), with `rise` = ε_s Δ the sector's energy share times the price rise:
    greener firms (g) save up to `green_saving` of it; firms bear the part `energy_incidence` (ι),
    buyers the rest (assumed).
    """
    return p.energy_incidence * rise * (1.0 - p.green_saving * green)


@rule
def debt_ratio(leverage, margin, u, p):
    """Debt ratio reverts to a target that falls with the margin (cash flow), plus noise.

    λ ← λ + κ (λ̄ − b (m − m̄) − λ) + σ ε, kept within 0.02 to 1.5.
    """
    target = p.leverage_mean - p.leverage_margin * (margin - p.margin_mean)
    moved = leverage + p.leverage_speed * (target - leverage) + p.leverage_noise * unit_noise(u)
    return min(max(moved, LEAST_LEVERAGE), MOST_LEVERAGE)


@rule
def credit_risk(leverage, log_employment, eased, tightening, p):
    """Log-odds that a lender refuses a firm nobody vouches for.

    Rises with leverage and a credit crunch (`tightening`), falls with size as collateral and the channel `credit`
    (guarantees, matchmaking, the cluster's financial services; `eased`).
    """
    return (
        p.constraint_base
        + p.constraint_leverage * (leverage - p.leverage_mean)
        - p.constraint_size * (log_employment - LOG_20)
        - eased
        + tightening
    )


@rule
def credit_constraint(risk, certified, listed, p):
    """Share of wanted credit a firm is refused, 0-1: logistic in its credit risk, less a signal to lenders.

    An SRDI or higher certificate is such a signal, and so is a listing (log-odds). risk: `credit_risk`.
    """
    x = risk
    if certified:
        x -= p.constraint_signal
    if listed:
        x -= p.listing_credit
    return 1.0 / (1.0 + exp(-x))


@rule
def equity_round(revenue, certified, odds, u_event, u_amount, p):
    """Yuan that an equity round brings this quarter to a firm that does R&D; mostly 0.

    A round closes with chance `equity_rate` a quarter, more often with a certificate or through the
    channel `equity_odds`; it brings `equity_size` years' revenue, of at most `equity_revenue_max`, times a
    factor between 0.3 and 1.7.
    """
    rate = p.equity_rate * (1.0 + p.equity_signal) if certified else p.equity_rate
    if u_event < rate * (1.0 + odds):
        return p.equity_size * min(revenue, p.equity_revenue_max) * (0.3 + 1.4 * u_amount)
    return 0.0


@rule
def outside_equity(equity, paid_in):
    """New outside equity of about the last two years, yuan: the stock fades by 1/8 a quarter.

    paid_in: yuan of the quarter from rounds, a listing, the SME development fund and its co-investors.
    """
    return 0.875 * equity + paid_in
