"""Research: who does R&D, how much, and how much of what is reported is relabelled.

Evidence: partial additionality of R&D support, and relabelling with bunching at the
statutory thresholds (Chen, Liu, Suárez Serrato and Xu, AER 2021).
"""

from __future__ import annotations

import math

from sim.mechanisms.size import LOG_20
from sim.numerics import arrays
from sim.numerics.draws import round_noise, uniform_pair, unit_noise
from sim.numerics.elementary import exp, log
from sim.numerics.jit import equation
from sim.tiers import Tier

#: No firm spends more of its revenue on R&D (assumed).
MOST_INTENSITY = 0.6
#: R&D that a relabelling firm reports, over the threshold: a trace more than is asked for (assumed).
_TRACE = 1.002
#: Public money adds no more R&D than this share of revenue (assumed).
_MOST_ADDED = 0.5


@equation
def size_log_odds(log_employment, p):
    """What size adds to the log-odds of doing R&D: β (ln L − ln 20)."""
    return p.rd_size * (log_employment - LOG_20)


@equation
def participation(log_employment, firm_effect, sector_offset, county_offset, trend, p):
    """Probability that a firm of this size, firm effect, sector and place does R&D.

    Logistic: α_s + β (ln L − ln 20 + λ b_i) + county offset + trend, b as in `rd_firm_effect`. The sector offsets α_s
    are set so that the start holds the reported number of firms with R&D (census of 2018).

    Who would do more R&D is more likely to do any (λ, `rd_selection`): R&D pays if what it returns exceeds a fixed
    cost, so log-odds rise with the R&D of a firm, as with its size. With λ = 1 both count alike. Participation and
    intensity are decided together in Crépon, Duguet and Mairesse (1998).
    """
    x = sector_offset + size_log_odds(log_employment + p.rd_selection * firm_effect, p) + county_offset + trend
    return 1.0 / (1.0 + exp(-x))


@equation
def lasting_spread(p):
    """The sd of log R&D intensity that lasts: σ √s."""
    return p.rd_spread * math.sqrt(p.rd_lasting)


@equation
def rd_firm_effect(key, slot, p):
    """b_i = σ √s η_i, the lasting part of a firm's log R&D intensity; η_i is of mean 0 and variance 1.

    Firms of one sector and size differ for good in how much R&D they do: of the variance σ² of log intensity
    (`rd_spread`) the share s (`rd_lasting`) lasts. Differences in R&D intensity between firms are highly persistent
    (Klette and Kortum 2004, stylised facts).

    key: of the stream RESEARCH_NORM in the quarter TIMELESS.
    """
    u, v = uniform_pair(key, slot)
    return lasting_spread(p) * round_noise(u, v)


@equation
def research_norm(sector_norm, log_employment, firm_effect, p):
    """R&D intensity that firm i tends to: r̄_i = f r̄_s · min(1, (L / L̄)^−γ) · exp(b_i − b̄), b as in `rd_firm_effect`.

    f r̄_s is typical of small firms with R&D, whom participation selects: b̄ = β λ s σ² is the mean of b among performers
    where few firms are. Large firms do R&D more often, so theirs is less intense. Above `rd_norm_size` employees
    intensity falls further, by γ (`rd_norm_fall`), as R&D may grow less than in step with size.
    """
    excess = max(log_employment - log(p.rd_norm_size), 0.0)
    selected = p.rd_size * p.rd_selection * p.rd_lasting * p.rd_spread * p.rd_spread
    return p.rd_norm_level * sector_norm * exp(firm_effect - selected - p.rd_norm_fall * excess)


@equation
def starting_chance(chance, constraint, odds, dear, p):
    """Yearly chance that an idle firm starts R&D: h π · (1−c)/(1−c̄) · d · (1 + odds).

    With chance h (`rd_reconsider`) a firm decides anew. It then does R&D with the probability π of `participation`, at
    which participation settles where credit, price and support neither help nor hinder and no certificate holds firms
    to R&D; c is the firm's credit constraint.

    odds: the channel `research_odds` (incubators, matchmaking, talent). dear: d, the price of R&D over its trend to the
    power of −`research_price_elasticity`.
    """
    access = (1.0 - constraint) / (1.0 - p.constraint_reference) * dear
    return p.rd_reconsider * chance * access * (1.0 + odds)


@equation
def stopping_chance(tier, chance, p):
    """Yearly chance that an active firm stops R&D: h (1 − π), h and π as in `starting_chance`.

    Firms with a high π rarely stop. R&D persists because firms differ for good (π) and because past R&D has sunk costs
    (h below 1; Peters 2009, Máñez and others 2009). Who holds an SRDI certificate does not stop: its review asks for
    R&D.
    """
    return p.rd_reconsider * (1.0 - chance) if tier < Tier.srdi else 0.0


@equation
def starting_intensity(norm, v, p):
    """True R&D intensity of a firm that starts: r̄_i exp(σ √(1 − s) ε), lower by the starters' gap (log)."""
    return norm * exp(passing_spread(p) * unit_noise(v) - p.rd_starter_gap)


@equation
def passing_spread(p):
    """The sd of log R&D intensity that does not last, from which firms revert to their norms: σ √(1 − s)."""
    return p.rd_spread * math.sqrt(1.0 - p.rd_lasting)


@equation
def passing_noise(p):
    """The sd of a quarter's noise in log R&D intensity: σ √(1 − s) √(κ (2 − κ)), κ the reversion (`rd_reversion`).

    With it the spread of what does not last stays what it is at the start; with any other, R&D would rise or fall for
    years because of how the model starts.
    """
    return passing_spread(p) * math.sqrt(p.rd_reversion * (2.0 - p.rd_reversion))


@equation
def next_threshold(tier, revenue, moment):
    """R&D intensity that the next (or the held highest) tier asks of a firm of this revenue.

    Below the SRDI tier the least spending in yuan counts as well: max(τ, least spending / R). Below the
    little giants' middle revenue their rule asks for equity and staff instead, so the SRDI one stays.
    """
    if tier < Tier.srdi or revenue < moment.giant_revenue_mid:
        return max(moment.srdi_rd, moment.srdi_rd_spending / revenue)
    return moment.giant_rd_large if revenue >= moment.giant_revenue_large else moment.giant_rd_mid


@equation
def intensity_aimed_at(threshold, draw, moment, p):
    """R&D intensity a firm works towards: the share `points_aim` of firms towards what earns points enough for a title.

    The others, and all where that is less, work towards the threshold alone. draw: the firm's own, for its whole life.
    """
    return max(threshold, moment.rd_aim) if draw < p.points_aim else threshold


@equation
def threshold_pull(intensity, threshold, aim, constraint, effort, p):
    """Log R&D intensity that a tier's threshold, and the points beyond it, draw from a firm in a quarter.

    A firm that aspires to the next tier, or comes up for review, and stands between `pull_width` times the threshold
    and `pull_aim` times what it aims at raises R&D by `pull_speed` as far as credit allows.

    aim: R&D intensity the firm aims at, the threshold or more; 0 if it aims at none. effort: `review_effort` in the
    year before a review, else 0: how much faster it does so then.
    """
    if p.pull_width * threshold <= intensity < p.pull_aim * aim:
        return p.pull_speed * (1.0 + effort) * (1.0 - constraint)
    return 0.0


@equation
def own_threshold(tier, revenue, moment):
    """R&D intensity that the review of the held tier asks of a firm of this revenue."""
    return next_threshold(tier if tier == Tier.little_giant else Tier.none, revenue, moment)


@equation
def intensity_step(intensity, norm, pull, swing, u, p):
    """True R&D intensity of an active firm after one quarter: ln r ← ln r + κ (ln r̄_i − ln r) − s w + ν ε + pull.

    R&D budgets follow the trend of demand: of a swing w around it the share s (`rd_smoothing`) does not reach them,
    since most R&D is staff whom firms keep (Hall 2002; Brown and Petersen 2011). At most `MOST_INTENSITY`.

    ν: `passing_noise`. pull: `threshold_pull`. swing: w, growth of the nation's demand in the quarter less its trend,
    log.
    """
    drift = p.rd_reversion * log(norm / intensity) + passing_noise(p) * unit_noise(u) + pull - p.rd_smoothing * swing
    return min(intensity * exp(drift), MOST_INTENSITY)


@equation
def relabelling_chance(intensity, threshold, audit_strictness, p):
    """Chance that a firm of true R&D intensity r relabels to reach the threshold τ: c (1 − a) (1 − φ (g/ρ)²).

    g = max(0, 1 − r/τ) is the share of the report that would be false, at most ρ (`relabel_reach`). The cost of
    relabelling is convex in that share (Chen et al. 2021), so the chance falls ever faster, in all by `relabel_fall` φ.

    With `relabel_lasting` the inclination is a lasting trait, and a firm so inclined relabels instead of raising R&D;
    without, it is drawn anew each year and R&D rises all the same.

    audit_strictness: a. Of c see `relabel_chance`.
    """
    if intensity < (1.0 - p.relabel_reach) * threshold:
        return 0.0
    gap = 1.0 - intensity / threshold if intensity < threshold else 0.0
    fall = p.relabel_fall * (gap / p.relabel_reach) ** 2 if gap > 0.0 else 0.0
    return p.relabel_chance * (1.0 - audit_strictness) * (1.0 - fall)


@equation
def relabelled_share(intensity, threshold, aspires, audit_strictness, u, p):
    """Share of reported R&D that is relabelled other spending, decided at the year's end.

    A firm whose true intensity r lies below the threshold τ reports τ (and a trace more) with the chance of
    `relabelling_chance`; then the share is 1 − r/τ.
    """
    if aspires and intensity < threshold and u < relabelling_chance(intensity, threshold, audit_strictness, p):
        return 1.0 - intensity / (_TRACE * threshold)
    return 0.0


@equation
def added_research(awarded, award_yuan, support_yuan, revenue, p):
    """True R&D that public money adds, as a share of revenue; additionality is below one.

    α_a · 4 A (if an award runs) + X, over revenue: A paid in the quarter, X the channel
    `research_yuan` (yuan per year, each programme's own additionality included). revenue: yuan per year.
    """
    award = 4.0 * p.award_additionality * award_yuan if awarded else 0.0
    return min((award + support_yuan) / revenue, _MOST_ADDED)


@equation
def research_staff(intensity, revenue, wage, p):
    """R&D employees that a true R&D spending pays: staff cost over the cost of one, which moves with the wage index."""
    return p.rd_staff_cost_share * intensity * revenue / (p.rd_staff_cost * wage)


@equation
def staff_load(wage, p):
    """R&D employees per yuan of R&D who do not produce (see `research_staff`): χ s / (c w).

    χ (`research_staff_drawn`): the part of R&D staff drawn from the employees that sell; the rest comes on top of them.
    At 0.1, nine tenths come on top and one tenth is drawn from them.
    """
    return p.research_staff_drawn * p.rd_staff_cost_share / (p.rd_staff_cost * wage)


def research_wage(money: float, years: float, p) -> float:
    """Wage index of R&D staff, 1 at the start: ln w = g_w t + h [ln M − (g_S + g_w) t].

    Demand for R&D staff beyond the growth of their supply raises their wage: of each per cent of R&D money beyond the
    trend, the share h (`research_wage_share`) is absorbed by wages; h = 1/(1 + ε) with ε the elasticity of supply.
    Goolsbee (1998): 30-50 %; other studies 17-55 % or nothing.

    Args:
        money: M, true R&D of the last quarter over that at the start. years: t, since the start.
    """
    beyond = arrays.log(max(money, 1e-9)) - (p.research_staff_trend + p.research_wage_trend) * years
    return arrays.exp(p.research_wage_trend * years + p.research_wage_share * beyond)


def research_price(wage: float, years: float, p) -> float:
    """Price of a unit of R&D over its trend: (w / w̄)^s, with s the staff's share of the cost."""
    return arrays.exp(p.rd_staff_cost_share * (arrays.log(wage) - p.research_wage_trend * years))
