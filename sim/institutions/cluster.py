"""SME clusters (中小企业特色产业集群): candidates, the industrial commons, what members gain."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from sim.firms.columns import NEVER
from sim.institutions.institution import Institution
from sim.institutions.targeting import strength
from sim.levers.clusters import COMMONS
from sim.mechanisms.dose import dose_response
from sim.mechanisms.support import Channel
from sim.numerics.draws import Purpose


@dataclass
class Candidates:
    """Cells of a county and a sector that are large and concentrated enough to be a cluster; by county.

    Thousands of cells, of which hundreds become clusters: as columns they cost nothing to copy when a run branches.

    Attributes:
        county, sector, province: int64 (candidates,), codes.
        concentration: float64 (candidates,), location quotient.
        recognised: int64 (candidates,), quarter index of the recognition, or NEVER.
        clusters: int64 (recognised,), numbers of the recognised ones in order of their recognition.
    """

    county: np.ndarray
    sector: np.ndarray
    province: np.ndarray
    concentration: np.ndarray
    recognised: np.ndarray = field(init=False)
    clusters: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        self.recognised = np.full(len(self), NEVER, dtype=np.int64)
        self.clusters = np.zeros(0, dtype=np.int64)

    def __len__(self) -> int:
        return len(self.county)

    def recognise(self, chosen: np.ndarray, quarter: int) -> None:
        """Note the recognition of candidates, int64 (chosen,), in a quarter by index."""
        self.recognised[chosen] = quarter
        self.clusters = np.concatenate([self.clusters, chosen])

    def count(self, chosen: np.ndarray, model) -> np.ndarray:
        """How many candidates, int64 (chosen,), are in each place and sector: int64 (places, sectors)."""
        return model.count_at(model.geography.county_place[self.county[chosen]], self.sector[chosen])


class Cluster(Institution):
    """A recognised national cluster: one sector concentrated in one county.

    Attributes:
        index: its number among the model's candidates. county, sector, province: codes.
    """

    def __init__(self, model, index: int) -> None:
        super().__init__(model)
        self.index = index
        self.county = int(model.candidates.county[index])
        self.sector = int(model.candidates.sector[index])
        self.province = int(model.candidates.province[index])

    @property
    def recognised(self) -> int:
        """Quarter index of the recognition."""
        return int(self.model.candidates.recognised[self.index])

    @property
    def components(self) -> np.ndarray:
        """The components of its industrial commons, 0-1 each: float64 (len(COMMONS),)."""
        return self.model.commons[self.index]

    @property
    def commons(self) -> float:
        """Strength of the industrial commons, 0-1: mean of its components."""
        return float(self.components.mean())


def recognise(model, chosen: np.ndarray) -> None:
    """Make national clusters of candidates, int64 (chosen,); members see the commons from the next quarter on."""
    model.candidates.recognise(chosen, model.moment.index)
    model.clusters += [Cluster(model, int(index)) for index in chosen]
    model.environment.cluster_active[chosen] = True
    model.environment.county_active[model.candidates.county[chosen]] = True


def build_commons(model) -> None:
    """Invest the quarter's grants in the commons of recognised clusters; they decay at a steady rate.

    c_k ← c_k + (1 − c_k) · v · n w_k · grant/reference − d · c_k for each of the n components, with
    w_k its share of the grant. All clusters at once: there are hundreds, and a quarter is short.
    Writes the model's `commons` and the environment's `cluster_effects`.
    """
    chosen = model.candidates.clusters
    if not len(chosen):
        return
    p, levers = model.parameters, model.policy.levers
    lever = levers.cluster_recognition
    wanted = 0.25 * lever.commons_yuan * lever.intensity * len(chosen)
    share = _share_paid(model, "cluster_recognition", wanted, chosen)
    grant = share * 0.25 * lever.commons_yuan * lever.intensity
    weights = np.array(lever.weights)
    growth = p.commons_speed * 4.0 * grant / p.commons_reference_yuan * weights / weights.mean()
    if model.policy.model.dose and grant > 0.0:
        dose = 4.0 * grant / p.commons_reference_yuan
        growth *= dose_response(dose, p) / dose
    components = model.commons[chosen]
    components = np.clip(components + (1.0 - components) * growth - p.commons_decay * components, 0.0, 1.0)
    model.commons[chosen] = components
    effects = commons_effects(components, p)
    if levers.open_innovation.acts_in(model.quarter):
        effects[:, Channel.pooling] += p.open_pooling * _opened(model)
    model.environment.cluster_effects[chosen] = effects


def _opened(model) -> np.ndarray:
    """Strength of open innovation in each recognised cluster while it acts: float64 (recognised,).

    The lever's strength where it reaches, as far as its money lasts.
    """
    lever = model.policy.levers.open_innovation
    counties, sectors = model.reach_of(lever)
    candidates, chosen = model.candidates, model.candidates.clusters
    reached = counties[candidates.county[chosen]] & sectors[candidates.sector[chosen]]
    wanted = 0.25 * lever.cluster_yuan * lever.intensity * reached.sum()
    share = _share_paid(model, "open_innovation", wanted, chosen[reached])
    if share > 0.0:
        model.ledger["open_innovation"].recipients += float(reached.sum())
    return strength(model, lever) * share * reached


def _share_paid(model, name: str, wanted: float, clusters: np.ndarray) -> float:
    """Pay clusters, by number, `wanted` yuan if the lever acts this quarter; returns the share its money covered."""
    if not getattr(model.policy.levers, name).acts_in(model.quarter) or wanted == 0.0:
        return 0.0
    return model.ledger[name].spend(wanted, model.candidates.count(clusters, model)) / wanted


def commons_effects(components: np.ndarray, p) -> np.ndarray:
    """What members gain from the commons, by channel: float64 (clusters, channels).

    finance eases credit; talent raises absorption and R&D starts; infrastructure raises productivity;
    brand raises refinement and sales; shared services speed adoption from peers; a culture of
    cooperation opens the knowledge pool and lets good governance be seen and copied.

    components: 0-1, float64 (clusters, len(COMMONS)).
    """
    c = dict(zip(COMMONS, components.T, strict=True))
    effects = np.zeros((len(components), len(Channel)))
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
        effects[:, getattr(Channel, channel)] = value
    return effects


def spill_over(model) -> None:
    """Let a share of what members gain reach the other firms of the county (`commons_spillover`).

    A county with several recognised clusters gives the strongest of each effect.
    """
    env = model.environment
    chosen = np.sort(model.candidates.clusters)
    if len(chosen):
        # Candidates are in order of county, so those of one county are neighbours.
        county, first = np.unique(model.candidates.county[chosen], return_index=True)
        strongest = np.maximum.reduceat(model.parameters.commons_spillover * env.cluster_effects[chosen], first)
        env.county_effects[county] = np.maximum(strongest, 0.0)


def find_candidates(geography, industry, p) -> Candidates:
    """County-sector cells with at least `cluster_firms_min` firms and a quotient of `cluster_concentration_min`."""
    firms = geography.firms
    share = firms / firms.sum(axis=1, keepdims=True)
    quotient = share / (firms.sum(axis=0) / firms.sum())
    chosen = (firms >= p.cluster_firms_min) & (quotient >= p.cluster_concentration_min)
    chosen &= industry.sector_manufacturing
    county, sector = np.nonzero(chosen)
    province = geography.county_province[county].astype(np.int64)
    return Candidates(county, sector, province, quotient[county, sector])


def attract(model) -> None:
    """Which county cluster draws the movers of each province and sector this year, and how strongly.

    The recognised county cluster of the sector that does best on commons times a random draw, one of the firm's own
    province where there is one. Writes move_cluster and move_pull.
    """
    env, candidates = model.environment, model.candidates
    commons = model.commons.mean(axis=1)
    merit = commons * model.draws(Purpose.MOVE_TARGET, len(candidates))
    rural = candidates.clusters[~model.geography.county_is_urban[candidates.county[candidates.clusters]]]
    # The best last, of equals the one recognised first: the last write of a province and sector is what stays.
    rising = rural[np.argsort(-merit[rural], kind="stable")[::-1]]
    of_nation = np.full(env.move_cluster.shape[1], -1)
    of_nation[candidates.sector[rising]] = rising
    env.move_cluster[:] = of_nation
    env.move_cluster[candidates.province[rising], candidates.sector[rising]] = rising
    env.move_pull[:] = np.where(env.move_cluster >= 0, commons[env.move_cluster], 0.0)
