"""Application: who may apply, whom the programme has reached by now, who finds it worth the effort."""

from __future__ import annotations

from sim.mechanisms.size import LOG_50
from sim.numerics.elementary import exp
from sim.numerics.jit import equation, inlined


@inlined
def is_sme(firms, env, i):
    """Whether the firm is an SME: employees or revenue below its sector's limit (2011 rules)."""
    sector = firms.sector[i]
    return firms.employment[i] < env.sector_sme_employees[sector] or firms.revenue[i] < env.sector_sme_revenue[sector]


@equation
def is_reached(draw, reach, log_employment, worth, p):
    """Whether a tier's programme reaches a firm; larger firms hear of it and can apply first.

    Odds of applying: reach/(1−reach) · (L/50)^β · exp(worth). `draw` is the firm's own uniform draw, the
    same in all years, so who is reached once stays reached while the reach grows.
    """
    if reach <= 0.0:
        return False
    odds = reach / max(1.0 - reach, 1e-6) * exp(p.reach_size * (log_employment - LOG_50) + worth)
    return draw < odds * (1.0 - draw)


@equation
def application_worth(constraint, governance, served, hope, p):
    """Log-odds that benefit and cost add to an application, 0 for a firm of mean constraint and governance.

    b (c − c̄) + a (g − ḡ) + x + h: a certificate is worth more to a firm that lenders refuse (c), the
    paperwork costs less where management is formal (g), public services help to apply (channel
    `application`, x), and running awards to little giants (h) draw applicants (assumed).
    """
    return (
        p.apply_constraint * (constraint - p.constraint_reference)
        + p.apply_governance * (governance - p.apply_governance_reference)
        + served
        + hope
    )
