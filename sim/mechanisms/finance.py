"""Finance: margin, debt ratio, access to credit, outside equity."""

from __future__ import annotations

import numpy as np

from sim.mechanisms.size import LOG_20
from sim.numerics.draws import unit_noise
from sim.numerics.elementary import exp
from sim.numerics.jit import equation

#: Bounds of the debt ratio: beyond 1.5 a firm is bankrupt (assumed).
LEAST_LEVERAGE, MOST_LEVERAGE = 0.02, 1.5
#: Size of an equity round over the usual: the least, and the range above it (assumed).
_LEAST_ROUND, _ROUND_RANGE = 0.3, 1.4
#: Share of new outside equity that a quarter leaves: 1 - 1/8, so that it tells of about the last two years, as the
#: measures of 2022 ask for it.
_EQUITY_MEMORY = 0.875


@equation
def net_margin(productivity, energy_cost, research_cost, p):
    """Net margin (share of revenue) m = m̄ + s · a − e − k: more productive firms earn more.

    energy_cost: e, extra cost of energy or carbon as a share of revenue (see `energy_burden`).
    research_cost: k, net cost of R&D over what is usual in the sector (see `research_burden`).
    """
    return p.margin_mean + p.margin_productivity * productivity - energy_cost - research_cost


@equation
def research_burden(intensity, usual, granted, relabelled, p):
    """Net cost of a firm's R&D over the usual of its sector, share of revenue: χ [(1 − τ)(r − r̄) − g − τ f].

    Args:
        intensity: r, R&D over revenue, what public money adds included.
        usual: r̄, R&D over revenue of the whole sector at the start, which the mean margin m̄ already bears.
        granted: g, public money for R&D over revenue.
        relabelled: f, other spending last reported as R&D, over revenue: relieved, but no extra cost.

    χ (`research_expensed`) is the share of R&D charged to the year, τ (`tax_relief`) the tax saved by a yuan of R&D:
    the extra deduction of 100 % at tax rates of 15 to 25 % (加计扣除, manufacturing since 2021).
    """
    return p.research_expensed * ((1.0 - p.tax_relief) * (intensity - usual) - granted - p.tax_relief * relabelled)


@equation
def energy_burden(rise, green, p):
    """Extra cost a firm bears when energy or carbon grows dearer, as a share of revenue.

    e = ι · ε_s Δ · (1 − s g), with `rise` = ε_s Δ the sector's energy share times the price rise:
    greener firms (g) save up to `green_saving` of it; firms bear the part `energy_incidence` (ι),
    buyers the rest (assumed).
    """
    return p.energy_incidence * rise * (1.0 - p.green_saving * green)


@equation
def debt_ratio(leverage, margin, u, p):
    """Debt ratio reverts to a target that falls with the margin (cash flow), plus noise.

    λ ← λ + κ (λ̄ − b (m − m̄) − λ) + σ ε, kept within 0.02 to 1.5.
    """
    target = p.leverage_mean - p.leverage_margin * (margin - p.margin_mean)
    moved = leverage + p.leverage_speed * (target - leverage) + p.leverage_noise * unit_noise(u)
    return min(max(moved, LEAST_LEVERAGE), MOST_LEVERAGE)


@equation
def credit_risk(leverage, log_employment, eased, tightening, p):
    """Log-odds that a lender refuses a firm nobody vouches for.

    Rises with leverage, and with a credit crunch and crowding-out in the province (`tightening`); falls with size as
    collateral and the channel `credit` (guarantees, matchmaking, the cluster's financial services; `eased`).
    """
    return (
        p.constraint_base
        + p.constraint_leverage * (leverage - p.leverage_mean)
        - p.constraint_size * (log_employment - LOG_20)
        - eased
        + tightening
    )


@equation
def credit_response(constraint):
    """Change of the constraint per log-odds, c (1 − c): how much of its wanted credit a lender's ease would give."""
    return constraint * (1.0 - constraint)


def crowding_out(eased, responsive, p):
    """Log-odds by which eased credit tightens that of all firms of a province: ψ E / Σ w c (1 − c).

    Lenders' funds are given in the short run: of what eased firms borrow more (E), the share ψ (`credit_crowding`) is
    missing for the others. Cai and Szeidl (2018): a new loan mostly does not crowd out existing ones; Barrot and others
    (drafts of 2019-2020): guarantees hold back reallocation between firms. So 0 to one half.

    Args:
        eased: E, Σ w c (1 − c) x over firms by province, x the channel `credit`, w revenue; float64 (provinces,).
        responsive: Σ w c (1 − c) over all firms, float64 (provinces,).
    """
    return p.credit_crowding * eased / np.maximum(responsive, 1.0)


@equation
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


@equation
def equity_round(revenue, certified, odds, u_event, u_amount, p):
    """Yuan that an equity round brings this quarter to a firm that does R&D; mostly 0.

    A round closes with chance `equity_rate` a quarter, more often with a certificate or through the
    channel `equity_odds`; it brings `equity_size` years' revenue, of at most `equity_revenue_max`, times a
    factor between 0.3 and 1.7.
    """
    rate = p.equity_rate * (1.0 + p.equity_signal) if certified else p.equity_rate
    if u_event < rate * (1.0 + odds):
        return p.equity_size * min(revenue, p.equity_revenue_max) * (_LEAST_ROUND + _ROUND_RANGE * u_amount)
    return 0.0


@equation
def outside_equity(equity, paid_in):
    """New outside equity of about the last two years, yuan: the stock fades by 1/8 a quarter.

    paid_in: yuan of the quarter from rounds, a listing, the SME development fund and its co-investors.
    """
    return _EQUITY_MEMORY * equity + paid_in
