"""What happens to a slot when its firm closes, and when an entrant takes it."""

from __future__ import annotations

from sim.firms.columns import NEVER, log_parts
from sim.mechanisms.capability import LEAST_MAIN_SHARE
from sim.mechanisms.demand import annual_revenue, own_making
from sim.mechanisms.growth import carried_by_staff
from sim.mechanisms.productivity import permanent_part
from sim.mechanisms.research import rd_firm_effect
from sim.numerics.draws import Purpose, uniform, uniform_pair, unit_noise
from sim.numerics.elementary import exp
from sim.numerics.jit import inlined
from sim.tiers import Tier


@inlined
def close(firms, j):
    """Clear slot j whose firm has closed; certificates and links end with the firm."""
    firms.employment[j] = 0.0
    firms.revenue[j] = 0.0
    firms.rd_intensity[j] = 0.0
    firms.relabelled[j] = 0.0
    firms.rd_last_year[j] = 0.0
    firms.rd_before[j] = 0.0
    firms.knowledge[j] = 0.0
    firms.equity[j] = 0.0
    firms.customer[j] = NEVER
    firms.support[j] = 0
    firms.slack[j] = 0
    firms.demand[j] = 0
    firms.orders[j] = 0
    firms.flags[j] = 0
    firms.tier[j] = Tier.none
    firms.innovative_since[j] = NEVER
    firms.srdi_since[j] = NEVER
    firms.giant_since[j] = NEVER
    firms.awarded_in[j] = NEVER
    firms.digitised_in[j] = NEVER


@inlined
def found(firms, j, slot, quarter):
    """Put an entrant into slot j of the window: small and varied; R&D, if any, comes later.

    slot: its number in the whole population, which its draws go by.
    """
    env, keys, p = quarter.environment, quarter.keys, quarter.parameters
    u, v = uniform_pair(keys[Purpose.ENTRANT_SIZE], slot)
    employment = max(exp(p.entrant_log_size + p.entrant_size_spread * unit_noise(u)), 1.0)
    noise = unit_noise(v)
    productivity = p.entrant_productivity + p.productivity_spread * noise
    u, v = uniform_pair(keys[Purpose.ENTRANT_TRAITS], slot)
    sector = firms.sector[j]
    pressure = env.niche_pressure[firms.niche[j]]
    sales = env.sector_slack[sector] + env.niche_slack[firms.niche[j]] + pressure - carried_by_staff(pressure, p)
    firms.employment[j] = employment
    firms.productivity[j] = productivity
    other = unit_noise(uniform(keys[Purpose.ENTRANT_PERMANENT], slot))
    firms.permanent[j] = log_parts(permanent_part(noise, other, p))
    sales += own_making(rd_firm_effect(quarter.lasting_keys[Purpose.RESEARCH_NORM], slot, p), p)
    firms.revenue[j] = annual_revenue(employment, productivity, env.sector_revenue_per_worker[sector], 0.0, sales)
    firms.demand[j] = log_parts(pressure) if p.staff_response > 0.0 else 0
    firms.growth[j] = 0.0
    firms.main_share[j] = min(
        max(p.main_share_mean + p.entrant_main_share_spread * unit_noise(u), LEAST_MAIN_SHARE), 1.0
    )
    firms.leverage[j] = p.leverage_mean * (p.entrant_leverage_least + p.entrant_leverage_range * v)
    u, v = uniform_pair(keys[Purpose.ENTRANT_SKILLS], slot)
    firms.digital[j] = min(p.entrant_digital * 2.0 * u, 1.0)
    firms.governance[j] = min(p.entrant_governance * 2.0 * v, 1.0)
    quality = 1.0 + uniform(keys[Purpose.ENTRANT_QUALITY], slot)
    firms.refinement[j] = min(p.entrant_refinement * p.refinement_base * quality, 1.0)
    firms.green[j] = 0.0
    firms.constraint[j] = p.entrant_constraint
    firms.age[j] = 0
