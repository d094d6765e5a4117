"""SME clusters (中小企业特色产业集群): candidates, recognition, the industrial commons."""

from __future__ import annotations

import mesa
import numpy as np


class Cluster(mesa.Agent):
    """One sector concentrated in one county: a candidate, later perhaps a national cluster.

    Attributes:
        index: number of the cluster. county, sector, province: codes.
        size: expected firms at 1:1 at the start. concentration: location quotient.
        recognised: quarter index of the recognition, or None.
        commons: 0-1, strength of shared services, finance and knowledge pooling.
    """

    def __init__(self, model, index: int, county: int, sector: int, size: float, concentration: float) -> None:
        super().__init__(model)
        self.index = index
        self.county = county
        self.sector = sector
        self.province = int(model.geography.county_province[county])
        self.size = size
        self.concentration = concentration
        self.recognised: int | None = None
        self.commons = 0.0

    def step(self) -> None:
        """Invest the quarter's grant in the commons; without one they decay. For recognised clusters.

        c ← c + (1 − c) · v · grant/reference − d · c.
        """
        model, p = self.model, self.model.parameters
        lever = model.policy.levers.cluster_recognition
        grant = 0.0
        if lever.acts_in(model.quarter):
            account = model.ledger["cluster_recognition"]
            grant = account.commit(0.25 * lever.commons_yuan * lever.intensity)
            account.pay(grant)
        growth = p.commons_speed * 4.0 * grant / p.commons_reference_yuan
        self.commons += (1.0 - self.commons) * growth - p.commons_decay * self.commons
        self.commons = min(max(self.commons, 0.0), 1.0)
        model.environment.cluster_commons[self.index] = self.commons


def find_candidates(geography, industry, p) -> list[tuple[int, int, float, float]]:
    """County-sector cells that are large and concentrated enough to be a cluster.

    Returns (county, sector, expected firms at 1:1, location quotient) of each, by county.
    """
    firms = geography.firms
    share = firms / firms.sum(axis=1, keepdims=True)
    quotient = share / (firms.sum(axis=0) / firms.sum())
    chosen = (firms >= p.cluster_firms_min) & (quotient >= p.cluster_concentration_min)
    chosen &= industry.sector_manufacturing
    return [(int(c), int(s), float(firms[c, s]), float(quotient[c, s])) for c, s in np.argwhere(chosen)]
