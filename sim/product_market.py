"""The product market: how far sales of a niche and of its sector have moved from their start, and what that does."""

from __future__ import annotations

import numpy as np

from sim.mechanisms.competition import competitive_pressure
from sim.numerics.arrays import exp, log


class ProductMarket:
    """Competition for demand, renewed at each stock-taking; firms feel it in the next quarter.

    The potential of a niche is what its firms would sell without competitive pressure, in yuan of the start's demand.
    While a shock lowers output, pressure is frozen: lost output does not weaken competition.
    """

    def __init__(self, model) -> None:
        self.model = model
        self._sector = model.industry.niche_sector.astype(np.int64)
        self._at_home = 1.0 - model.industry.sector_export_share
        self._demand_at_start = model.environment.sector_revenue_per_worker.copy()
        self._niche_at_start, self._sector_at_start = self._potential()

    def _potential(self) -> tuple[np.ndarray, np.ndarray]:
        """Potential of the niches and of the sectors, in thousand yuan a year of the start's demand: float64."""
        env, sectors = self.model.environment, len(self._at_home)
        demand = env.sector_revenue_per_worker / self._demand_at_start
        niche = self.model.totals.niche_revenue / exp(env.niche_pressure) / demand[self._sector]
        return niche, np.bincount(self._sector, niche, minlength=sectors)

    def update(self) -> None:
        """Renew the pressure from the new totals."""
        model, p = self.model, self.model.parameters
        if model.environment.disturbed[0] or (p.displacement == 0.0 and p.sector_displacement == 0.0):
            return
        trend = p.potential_trend * model.moment.index / 4.0
        niche, sector = (
            log(np.maximum(now, 1.0) / np.maximum(start, 1.0)) - trend
            for now, start in zip(self._potential(), (self._niche_at_start, self._sector_at_start), strict=True)
        )
        model.environment.niche_pressure[:] = competitive_pressure(niche, sector, self._sector, self._at_home, p)
