"""Chain leaders (链主企业): large firms that lead an industrial chain and choose suppliers."""

from __future__ import annotations

import numpy as np

from sim.institutions.institution import Institution
from sim.institutions.targeting import reached_leaders, strength
from sim.mechanisms.support import Channel
from sim.numerics.arrays import log

#: Most of a leader's output that missing supply can cost (assumed); the log of what is left stays finite.
_MOST_LOST = 0.95


class ChainLeader(Institution):
    """The leader of one industrial chain.

    Attributes:
        index: number of the chain. sector: sector code. province: home province code.
    """

    def __init__(self, model, index: int) -> None:
        super().__init__(model)
        self.index = index
        self.sector = int(model.industry.chain_sector[index])
        self.province = int(model.industry.chain_home[index])

    @property
    def openness(self) -> float:
        """How readily capable firms of the chain are admitted, 0-1."""
        return float(self.model.environment.chain_openness[self.index])

    @property
    def invitation(self) -> float:
        """How readily firms new to the field are brought in by joint design, 0-1."""
        return float(self.model.environment.chain_invitation[self.index])


def lead_chains(model) -> None:
    """Open the leaders up towards new suppliers as far as key links lack a qualified one or policy engages them.

    o ← o + s (min(ō + (1 − ō) · gaps + e, 1) − o), with gaps the share of a chain's key niches that
    no qualified domestic supply fills, ō the leader's own openness and e what engagement adds.
    Newcomers are invited in proportion to the gaps: w = gaps · (1 + engagement).

    The log output of a leader relative to an undisturbed quarter is z_s + ln(1 − b · share of its chain's output lost
    to missing foreign supply): a missing part stops more than its own value (`bottleneck`).
    """
    env, industry, health, p = model.environment, model.industry, model.chain_health, model.parameters
    lever, engagement = model.policy.levers.chain_leader_openness, model.engagement["chain_leader_openness"]
    own, gaps = industry.chain_openness, 1.0 - health.filled
    target = own + (1.0 - own) * gaps + engagement * lever.openness
    env.chain_openness[:] += p.openness_response * (np.minimum(target, 1.0) - env.chain_openness)
    env.chain_invitation[:] = np.minimum(gaps * (1.0 + engagement * lever.invitation), 1.0)
    released = model.engagement["innovation_release"]
    env.chain_effects[:, Channel.transfer] = p.release_transfer * (p.release_base + released)
    lost = np.minimum(p.bottleneck * health.lost, _MOST_LOST)
    env.chain_slack[:] = env.sector_slack[industry.chain_sector] + log(1.0 - lost)


#: Levers whose recipients are chain leaders.
LEADER_LEVERS = ("chain_leader_openness", "innovation_release")


def engage(model, name: str) -> np.ndarray:
    """Pay the leaders that take part in a lever this quarter; returns their engagement, float64 (chains,).

    Every reached leader wants ¼ · leader_yuan · intensity. If an even share of the money left over the
    quarters left is less, all take part in proportion. Leaders count as firms of their home province's urban districts.
    """
    lever, account = getattr(model.policy.levers, name), model.ledger[name]
    engagement = np.zeros(len(model.chain_leaders))
    if not lever.acts_in(model.quarter):
        return engagement
    leaders = reached_leaders(model, lever)
    if not leaders.any():
        return engagement
    wanted = 0.25 * lever.leader_yuan * lever.intensity * leaders.sum()
    share = account.available / lever.quarters_left(model.quarter)
    industry = model.industry
    urban = industry.chain_home[leaders] + len(model.provinces)
    paid = account.spend(min(wanted, share), model.count_at(urban, industry.chain_sector[leaders]))
    account.refused += wanted - paid
    account.recipients += int(leaders.sum()) if paid > 0.0 else 0
    engagement[leaders] = strength(model, lever) * paid / wanted
    return engagement
