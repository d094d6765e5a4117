"""SME clusters (中小企业特色产业集群): candidates, the industrial commons, what members gain."""

from __future__ import annotations

import mesa
import numpy as np

from sim.draws import Purpose
from sim.levers.clusters import COMMONS
from sim.mechanisms.support import CHANNEL_INDEX, N_CHANNELS


class Cluster(mesa.Agent):
    """One sector concentrated in one county: a candidate, later perhaps a national cluster.

    Attributes:
        index: number of the cluster. county, sector, province: codes.
        size: expected firms at 1:1 at the start. concentration: location quotient.
        recognised: quarter index of the recognition, or None.
        parts: 0-1 each, float64 (len(COMMONS),): the parts of the industrial commons.
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
        self.parts = np.zeros(len(COMMONS))

    @property
    def commons(self) -> float:
        """Strength of the industrial commons, 0-1: mean of its parts."""
        return float(self.parts.mean())

    def recognise(self) -> None:
        """Become a national cluster; its members see the commons from the next quarter on."""
        self.recognised = int(self.model.moment.index)
        self.model.recognised_clusters.append(self)
        self.model.environment.cluster_active[self.index] = True
        self.model.environment.county_active[self.county] = True

    def step(self) -> None:
        """Invest the quarter's grant in the commons, which decay at a steady rate. For recognised clusters.

        c_k ← c_k + (1 − c_k) · v · n w_k · grant/reference − d · c_k for each of the n parts, with w_k
        the part's share of the grant.
        """
        model, p = self.model, self.model.parameters
        lever = model.policy.levers.cluster_recognition
        grant = 0.0
        if lever.acts_in(model.quarter):
            grant = model.ledger["cluster_recognition"].spend(0.25 * lever.commons_yuan * lever.intensity)
        weights = np.array(lever.weights)
        growth = p.commons_speed * 4.0 * grant / p.commons_reference_yuan * weights / weights.mean()
        self.parts = np.clip(self.parts + (1.0 - self.parts) * growth - p.commons_decay * self.parts, 0.0, 1.0)
        effects = model.environment.cluster_effects[self.index]
        effects[:] = commons_effects(self.parts, p)
        effects[CHANNEL_INDEX["pooling"]] += p.open_pooling * self._opened()

    def _opened(self) -> float:
        """Strength of open innovation this quarter: the lever's intensity as far as its money lasts."""
        model, lever = self.model, self.model.policy.levers.open_innovation
        if not lever.acts_in(model.quarter) or not self._is_reached_by(lever):
            return 0.0
        account = model.ledger["open_innovation"]
        wanted = 0.25 * lever.cluster_yuan * lever.intensity
        paid = account.spend(wanted)
        account.recipients += paid > 0.0
        return lever.intensity * paid / wanted

    def _is_reached_by(self, lever) -> bool:
        counties, sectors = self.model.reach_of(lever)
        return bool(counties[self.county] and sectors[self.sector])


def commons_effects(parts: np.ndarray, p) -> np.ndarray:
    """What members gain from the commons, by channel: float64 (N_CHANNELS,).

    finance eases credit; talent raises absorption and R&D starts; infrastructure raises productivity;
    brand raises refinement and sales; shared services speed adoption from peers; a culture of
    cooperation opens the knowledge pool and lets good governance be seen and copied.
    """
    c = dict(zip(COMMONS, parts, strict=True))
    row = np.zeros(N_CHANNELS)
    for channel, value in (
        ("credit", p.constraint_commons * c["finance"]),
        ("absorption", p.commons_absorption * c["talent"]),
        ("research_odds", p.commons_research * c["talent"]),
        ("productivity", p.commons_productivity * c["infrastructure"]),
        ("refinement", p.commons_refinement * c["brand"]),
        ("sales", p.commons_sales * c["brand"]),
        ("peers", c["services"]),
        ("pooling", c["culture"]),
        ("demonstration", p.governance_demo * c["culture"]),
    ):
        row[CHANNEL_INDEX[channel]] = value
    return row


def spill_over(model) -> None:
    """Let a share of what members gain reach the other firms of the county (`commons_spillover`).

    A county with several recognised clusters gives the strongest of each effect.
    """
    env = model.environment
    env.county_effects[:] = 0.0
    if model.recognised_clusters:
        index = np.array([cluster.index for cluster in model.recognised_clusters])
        county = np.array([cluster.county for cluster in model.recognised_clusters])
        np.maximum.at(env.county_effects, county, model.parameters.commons_spillover * env.cluster_effects[index])


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


def attract(model) -> None:
    """Which county cluster draws the movers of each province and sector this year, and how strongly.

    The recognised county cluster of the sector with the best commons and luck, one of the firm's own
    province where there is one. Writes move_cluster and move_pull.
    """
    env = model.environment
    env.move_cluster[:] = -1
    env.move_pull[:] = 0.0
    luck = model.draws(Purpose.MOVE_TARGET, len(model.clusters))
    best: dict[tuple[int, int], tuple[float, Cluster]] = {}
    for cluster in model.recognised_clusters:
        if model.geography.county_is_urban[cluster.county]:
            continue
        rank = cluster.commons * luck[cluster.index]
        for province in (cluster.province, -1):
            key = (province, cluster.sector)
            if key not in best or rank > best[key][0]:
                best[key] = (rank, cluster)
    for province in range(env.move_cluster.shape[0]):
        for sector in range(env.move_cluster.shape[1]):
            _, cluster = best.get((province, sector)) or best.get((-1, sector), (0.0, None))
            if cluster is not None:
                env.move_cluster[province, sector] = cluster.index
                env.move_pull[province, sector] = cluster.commons
