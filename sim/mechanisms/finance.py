"""Finance: margin, debt ratio, access to credit, outside equity."""

from __future__ import annotations

import math

from sim.draws import unit_noise
from sim.jit import rule

LOG_20 = math.log(20.0)


@rule
def net_margin(productivity, p):
    """Net margin (share of revenue) m = m̄ + s · a: more productive firms earn more."""
    return p.margin_mean + p.margin_productivity * productivity


@rule
def debt_ratio(leverage, margin, u, p):
    """Debt ratio reverts to a target that falls with the margin (cash flow), plus noise.

    λ ← λ + κ (λ̄ − b (m − m̄) − λ) + σ ε, kept within 0.02 to 1.5.
    """
    target = p.leverage_mean - p.leverage_margin * (margin - p.margin_mean)
    moved = leverage + p.leverage_speed * (target - leverage) + p.leverage_noise * unit_noise(u)
    return min(max(moved, 0.02), 1.5)


@rule
def credit_constraint(leverage, log_employment, certified, commons, p):
    """Share of wanted credit a firm is refused, 0-1.

    Logistic in leverage (+), size as collateral (−), an SRDI or higher certificate as a
    signal to lenders (−), and the financial services of the cluster's commons (−).
    """
    x = (
        p.constraint_base
        + p.constraint_leverage * (leverage - p.leverage_mean)
        - p.constraint_size * (log_employment - LOG_20)
        - p.constraint_commons * commons
    )
    if certified:
        x -= p.constraint_signal
    return 1.0 / (1.0 + math.exp(-x))


@rule
def outside_equity(equity, revenue, research_active, certified, u_event, u_amount, p):
    """New outside equity of about the last two years, yuan.

    The stock fades by 1/8 a quarter. A firm that does R&D closes a round with chance
    `equity_rate` a quarter, more often with a certificate; a round brings
    `equity_size` years' revenue times a factor between 0.3 and 1.7.
    """
    kept = 0.875 * equity
    if research_active:
        rate = p.equity_rate * (1.0 + p.equity_signal) if certified else p.equity_rate
        if u_event < rate:
            kept += p.equity_size * revenue * (0.3 + 1.4 * u_amount)
    return kept
