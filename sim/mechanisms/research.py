"""Research: who does R&D, how much, and how much of what is reported is relabelled.

Evidence: partial additionality of R&D support, and relabelling with bunching at the
statutory thresholds (Chen, Liu, Suárez Serrato and Xu, AER 2021).
"""

from __future__ import annotations

from sim.draws import unit_noise
from sim.elementary import exp, log
from sim.jit import rule
from sim.mechanisms.finance import LOG_20

#: No firm spends more of its revenue on R&D (assumed).
MOST_INTENSITY = 0.6
#: What a firm that relabels reports, over the threshold: a trace more than is asked for (assumed).
_TRACE = 1.002


@rule
def participation(log_employment, sector_offset, county_offset, trend, p):
    """Probability that a firm of this size, sector and place does R&D.

    Logistic: α_s + β (ln L − ln 20) + county offset + trend. The sector offsets α_s are set so
    that the start holds the reported number of firms with R&D (census of 2018).
    """
    x = sector_offset + p.rd_size * (log_employment - LOG_20) + county_offset + trend
    return 1.0 / (1.0 + exp(-x))


@rule
def research_norm(sector_norm, log_employment, p):
    """R&D intensity a performer of this size tends to: r̄_s · min(1, (L / L̄)^−γ).

    Small performers do R&D at their sector's norm; above `rd_norm_size` employees intensity falls,
    as large firms' R&D does not grow in step with their revenue.
    """
    excess = log_employment - log(p.rd_norm_size)
    return sector_norm * exp(-p.rd_norm_fall * excess) if excess > 0.0 else sector_norm


@rule
def switching_chance(intensity, chance, constraint, odds, p):
    """Yearly chance that an active firm stops R&D or an idle one starts.

    An active firm stops with hazard h; an idle one starts with hazard h π/(1−π) · (1−c)/(1−c̄), so
    that participation settles near π, the probability of `participation` (1 − π counts as 0.05 at
    least, so that the hazard stays finite); c is the firm's credit constraint. The channel
    `research_odds` (incubators, matchmaking, talent) multiplies the starting hazard by 1 + odds.
    """
    access = (1.0 - constraint) / (1.0 - p.constraint_reference)
    starting = p.rd_stop * (chance / max(1.0 - chance, 0.05)) * access * (1.0 + odds)
    return p.rd_stop if intensity > 0.0 else starting


@rule
def starting_intensity(norm, v, p):
    """True R&D intensity of a firm that starts: around its norm, lower by the starters' gap (log)."""
    return norm * exp(p.rd_spread * unit_noise(v) - p.rd_starter_gap)


@rule
def next_threshold(tier, revenue, moment):
    """R&D intensity that the next (or the held highest) tier asks of a firm of this revenue.

    Below the SRDI tier the least spending in yuan counts as well: max(τ, least spending / R). Below the
    little giants' middle revenue their rule asks for equity and staff instead, so the SRDI one stays.
    """
    if tier < 2 or revenue < moment.giant_revenue_mid:
        return max(moment.srdi_rd, moment.srdi_rd_spending / revenue)
    return moment.giant_rd_large if revenue >= moment.giant_revenue_large else moment.giant_rd_mid


@rule
def threshold_pull(intensity, threshold, aspires, constraint, p):
    """Log R&D intensity that a tier's threshold draws from a firm in a quarter.

    A firm that aspires to the next tier and stands between `pull_width` and `pull_aim` times its threshold
    raises R&D by `pull_speed` as far as credit allows.
    """
    if aspires and p.pull_width * threshold <= intensity < p.pull_aim * threshold:
        return p.pull_speed * (1.0 - constraint)
    return 0.0


@rule
def intensity_step(intensity, norm, pull, u, p):
    """True R&D intensity of an active firm after one quarter: ln r ← ln r + κ (ln r̄_s − ln r) + σ ε + pull.

    pull: `threshold_pull`. At most `MOST_INTENSITY`.
    """
    drift = p.rd_reversion * log(norm / intensity) + p.rd_noise * unit_noise(u) + pull
    return min(intensity * exp(drift), MOST_INTENSITY)


@rule
def relabelled_share(intensity, threshold, aspires, audit_strictness, u, p):
    """Share of reported R&D that is relabelled other spending, decided at the year's end.

    A firm whose true intensity r lies within `relabel_reach` below the threshold τ reports τ
    (and a trace more) with chance `relabel_chance` · (1 − audit strictness); then the share is 1 − r/τ.
    """
    lowest = (1.0 - p.relabel_reach) * threshold
    if aspires and lowest <= intensity < threshold and u < p.relabel_chance * (1.0 - audit_strictness):
        return 1.0 - intensity / (_TRACE * threshold)
    return 0.0


@rule
def added_research(awarded, award_yuan, support_yuan, revenue, p):
    """True R&D that public money adds, as a share of revenue; additionality is below one.

    α_a · 4 A (if an award runs) + X, over revenue: A paid in the quarter, X the channel
    `research_yuan` (yuan per year, each programme's own additionality included). revenue: yuan per year.
    """
    award = 4.0 * p.award_additionality * award_yuan if awarded else 0.0
    return min((award + support_yuan) / revenue, 0.5)


@rule
def research_staff(intensity, revenue, p):
    """R&D employees that a true R&D spending pays: staff cost over the cost of one."""
    return p.rd_staff_cost_share * intensity * revenue / p.rd_staff_cost
