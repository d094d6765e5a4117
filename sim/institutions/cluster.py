"""SME clusters (中小企业特色产业集群): candidates, the industrial commons, what members gain."""

from __future__ import annotations

import numpy as np

from sim.draws import Purpose
from sim.institutions.institution import Institution
from sim.levers.clusters import COMMONS
from sim.mechanisms.support import CHANNEL_INDEX, N_CHANNELS


class Cluster(Institution):
    """One sector concentrated in one county: a candidate, later perhaps a national cluster.

    Attributes:
        index: number of the cluster. county, sector, province: codes.
        size: expected firms at 1:1 at the start. concentration: location quotient.
        recognised: quarter index of the recognition, or None.
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

    @property
    def parts(self) -> np.ndarray:
        """The parts of its industrial commons, 0-1 each: float64 (len(COMMONS),)."""
        return self.model.commons[self.index]

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


def build_commons(model) -> None:
    """Invest the quarter's grants in the commons of recognised clusters; they decay at a steady rate.

    c_k ← c_k + (1 − c_k) · v · n w_k · grant/reference − d · c_k for each of the n parts, with w_k
    the part's share of the grant. All clusters at once: there are hundreds, and a quarter is short.
    Writes the model's `commons` and the environment's `cluster_effects`.
    """
    chosen = np.array([cluster.index for cluster in model.recognised_clusters], dtype=np.int64)
    if not len(chosen):
        return
    p, levers = model.parameters, model.policy.levers
    lever = levers.cluster_recognition
    share = _share_paid(model, "cluster_recognition", 0.25 * lever.commons_yuan * lever.intensity * len(chosen))
    grant = share * 0.25 * lever.commons_yuan * lever.intensity
    weights = np.array(lever.weights)
    growth = p.commons_speed * 4.0 * grant / p.commons_reference_yuan * weights / weights.mean()
    parts = model.commons[chosen]
    parts = np.clip(parts + (1.0 - parts) * growth - p.commons_decay * parts, 0.0, 1.0)
    model.commons[chosen] = parts
    effects = commons_effects(parts, p)
    effects[:, CHANNEL_INDEX["pooling"]] += p.open_pooling * _opened(model)
    model.environment.cluster_effects[chosen] = effects


def _opened(model) -> np.ndarray:
    """Strength of open innovation in each recognised cluster this quarter: float64 (recognised,).

    The lever's intensity where it reaches, as far as its money lasts.
    """
    lever = model.policy.levers.open_innovation
    counties, sectors = model.reach_of(lever)
    reached = np.array([counties[cluster.county] and sectors[cluster.sector] for cluster in model.recognised_clusters])
    wanted = 0.25 * lever.cluster_yuan * lever.intensity * reached.sum()
    share = _share_paid(model, "open_innovation", wanted)
    if share > 0.0:
        model.ledger["open_innovation"].recipients += float(reached.sum())
    return lever.intensity * share * reached


def _share_paid(model, name: str, wanted: float) -> float:
    """Pay `wanted` yuan through a lever if it acts this quarter; returns the share that its money covered."""
    if not getattr(model.policy.levers, name).acts_in(model.quarter) or wanted == 0.0:
        return 0.0
    return model.ledger[name].spend(wanted) / wanted


def commons_effects(parts: np.ndarray, p) -> np.ndarray:
    """What members gain from the commons, by channel: float64 (clusters, N_CHANNELS).

    finance eases credit; talent raises absorption and R&D starts; infrastructure raises productivity;
    brand raises refinement and sales; shared services speed adoption from peers; a culture of
    cooperation opens the knowledge pool and lets good governance be seen and copied.

    parts: 0-1, float64 (clusters, len(COMMONS)).
    """
    c = dict(zip(COMMONS, parts.T, strict=True))
    effects = np.zeros((len(parts), N_CHANNELS))
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
        effects[:, CHANNEL_INDEX[channel]] = value
    return effects


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
    commons = model.commons.mean(axis=1)
    rank_of = commons * model.draws(Purpose.MOVE_TARGET, len(model.clusters))
    best: dict[tuple[int, int], tuple[float, Cluster]] = {}
    for cluster in model.recognised_clusters:
        if model.geography.county_is_urban[cluster.county]:
            continue
        rank = rank_of[cluster.index]
        for province in (cluster.province, -1):
            key = (province, cluster.sector)
            if key not in best or rank > best[key][0]:
                best[key] = (rank, cluster)
    for province in range(env.move_cluster.shape[0]):
        for sector in range(env.move_cluster.shape[1]):
            _, cluster = best.get((province, sector)) or best.get((-1, sector), (0.0, None))
            if cluster is not None:
                env.move_cluster[province, sector] = cluster.index
                env.move_pull[province, sector] = commons[cluster.index]
