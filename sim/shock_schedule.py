"""The schedule of a scenario's shocks: what is hit, when, and how hard."""

from __future__ import annotations

from sim.institutions.targeting import among
from sim.mechanisms.stress import replaced, supply_loss
from sim.numerics.arrays import log
from sim.reference import sector_names
from sim.world.geography import Structure, structure_draws


class ShockSchedule:
    """Writes the scenario's shocks into what firms see, quarter by quarter.

    Attributes:
        hit: bool (niches,), niches whose foreign supplier fails.
    """

    def __init__(self, model) -> None:
        self.model = model
        self.shocks = model.policy.shocks
        foreign = self.shocks.foreign_supply
        reached = among(sector_names(), foreign.sectors)[model.industry.niche_sector]
        self.hit = reached & (structure_draws(Structure.niches_hit, len(reached)) < foreign.niches_share)
        model.moment.substitution = 1.0 if foreign.substitution else 0.0

    def step(self) -> None:
        """Write the quarter's shocks into what firms see."""
        model, shocks = self.model, self.shocks
        env, moment, quarter = model.environment, model.moment, model.quarter
        slump, foreign, crunch, energy = (
            getattr(shocks, name) for name in ("demand_slump", "foreign_supply", "credit_crunch", "energy_price")
        )
        env.sector_slack[:] = 0.0
        if slump.acts_in(quarter):
            env.sector_slack[among(sector_names(), slump.sectors)] = log(1.0 - slump.severity)
        env.niche_slack[:] = 0.0
        if foreign.acts_in(quarter) and foreign.severity > 0.0:
            share = moment.substitution * replaced(
                model.totals.niche_qualified, model.totals.niche_revenue, model.parameters
            )
            env.niche_slack[self.hit] = supply_loss(foreign.severity, share[self.hit])
        moment.credit_tightening = crunch.severity if crunch.acts_in(quarter) else 0.0
        rise = energy.severity if energy.acts_in(quarter) else 0.0
        env.sector_energy_rise[:] = rise * model.industry.sector_energy
