"""What happens to a slot when its firm closes, and when an entrant takes it."""

from __future__ import annotations

from sim.columns import NEVER
from sim.draws import Purpose, uniform, uniform_pair, unit_noise
from sim.elementary import exp
from sim.jit import part
from sim.mechanisms.demand import annual_revenue

ENTRANT_SIZE = int(Purpose.ENTRANT_SIZE)
ENTRANT_TRAITS = int(Purpose.ENTRANT_TRAITS)
ENTRANT_SKILLS = int(Purpose.ENTRANT_SKILLS)
ENTRANT_QUALITY = int(Purpose.ENTRANT_QUALITY)


@part
def close(w, j):
    """Clear slot j whose firm has closed; certificates and links end with the firm."""
    w.employment[j] = 0.0
    w.revenue[j] = 0.0
    w.rd_intensity[j] = 0.0
    w.relabelled[j] = 0.0
    w.rd_last_year[j] = 0.0
    w.rd_before[j] = 0.0
    w.knowledge[j] = 0.0
    w.equity[j] = 0.0
    w.customer[j] = NEVER
    w.support[j] = 0
    w.slack[j] = 0
    w.orders[j] = 0
    w.flags[j] = 0
    w.tier[j] = 0
    w.innovative_since[j] = NEVER
    w.srdi_since[j] = NEVER
    w.giant_since[j] = NEVER
    w.awarded_in[j] = NEVER
    w.digitised_in[j] = NEVER


@part
def found(w, j, slot, env, keys, p):
    """Put an entrant into slot j of the window: small and varied; R&D, if any, comes later.

    slot: its number in the whole population, which its draws go by.
    """
    u, v = uniform_pair(keys[ENTRANT_SIZE], slot)
    employment = max(exp(p.entrant_log_size + p.entrant_size_spread * unit_noise(u)), 1.0)
    productivity = p.entrant_productivity + p.productivity_spread * unit_noise(v)
    u, v = uniform_pair(keys[ENTRANT_TRAITS], slot)
    sector = w.sector[j]
    sales = env.sector_slack[sector] + env.niche_slack[w.niche[j]]
    w.employment[j] = employment
    w.productivity[j] = productivity
    w.revenue[j] = annual_revenue(employment, productivity, env.sector_revenue_per_worker[sector], 0.0, sales, p)
    w.growth[j] = 0.0
    w.main_share[j] = min(max(p.main_share_mean + 0.15 * unit_noise(u), 0.2), 1.0)
    w.leverage[j] = p.leverage_mean * (0.6 + 0.8 * v)
    u, v = uniform_pair(keys[ENTRANT_SKILLS], slot)
    w.digital[j] = min(p.entrant_digital * 2.0 * u, 1.0)
    w.governance[j] = min(p.entrant_governance * 2.0 * v, 1.0)
    w.refinement[j] = 0.5 * p.refinement_base * (1.0 + uniform(keys[ENTRANT_QUALITY], slot))
    w.green[j] = 0.0
    w.constraint[j] = 0.5
    w.age[j] = 0
