"""Chain leaders (链主企业): large firms that lead an industrial chain and choose suppliers."""

from __future__ import annotations

import math

import numpy as np

from sim.institutions.institution import Institution
from sim.institutions.targeting import reached_leaders, strength
from sim.mechanisms.support import Channel

#: Most of a leader's output that missing supply can cost (assumed); the log of what is left stays finite.
_MOST_LOST = 0.95


class ChainLeader(Institution):
    """The leader of one industrial chain.

    Attributes:
        index: number of the chain. sector: sector code. province: home province code.
        openness: 0-1, how readily capable firms of the chain are admitted.
        invitation: 0-1, how readily firms new to the field are brought in by joint design.
    """

    def __init__(self, model, index: int, sector: int, province: int, openness: float) -> None:
        super().__init__(model)
        self.index = index
        self.sector = sector
        self.province = province
        self.openness = openness
        self.invitation = 0.0
        self._own_openness = openness

    def step(self) -> None:
        """Open up towards new suppliers as far as key links lack a qualified one or policy engages the leader.

        o ← o + s (min(ō + (1 − ō) · gaps + e, 1) − o), with gaps the share of the chain's key niches that
        no qualified domestic supply fills, ō the leader's own openness and e what engagement adds.
        Newcomers are invited in proportion to the gaps: w = gaps · (1 + engagement).
        """
        model, p = self.model, self.model.parameters
        env = model.environment
        gaps = 1.0 - model.chain_health.filled[self.index]
        engagement = model.engagement["chain_leader_openness"][self.index]
        lever = model.policy.levers.chain_leader_openness
        target = self._own_openness + (1.0 - self._own_openness) * gaps + engagement * lever.openness
        self.openness += p.openness_response * (min(target, 1.0) - self.openness)
        self.invitation = min(gaps * (1.0 + engagement * lever.invitation), 1.0)
        env.chain_openness[self.index] = self.openness
        env.chain_invitation[self.index] = self.invitation
        released = model.engagement["innovation_release"][self.index]
        env.chain_effects[self.index, Channel.transfer] = p.release_transfer * (p.release_base + released)
        env.chain_slack[self.index] = self._slack()

    def _slack(self) -> float:
        """Log output of the leader relative to an undisturbed quarter.

        z_s + ln(1 − b · share of its chain's output lost to missing foreign supply): a missing part
        stops more than its own value (`bottleneck`).
        """
        lost = min(self.model.parameters.bottleneck * self.model.chain_health.lost[self.index], _MOST_LOST)
        return float(self.model.environment.sector_slack[self.sector]) + math.log(1.0 - lost)


#: Levers whose recipients are chain leaders.
LEADER_LEVERS = ("chain_leader_openness", "innovation_release")


def engage(model, name: str) -> np.ndarray:
    """Pay the leaders that take part in a lever this quarter; returns their engagement, float64 (chains,).

    Every reached leader wants ¼ · leader_yuan · intensity. If an even share of the money left over the
    quarters left is less, all take part in proportion.
    """
    lever, account = getattr(model.policy.levers, name), model.ledger[name]
    engagement = np.zeros(len(model.chain_leaders))
    leaders = reached_leaders(model, lever)
    if not lever.acts_in(model.quarter) or not leaders.any():
        return engagement
    wanted = 0.25 * lever.leader_yuan * lever.intensity * leaders.sum()
    share = account.available / lever.quarters_left(model.quarter)
    paid = account.spend(min(wanted, share))
    account.refused += wanted - paid
    account.recipients += int(leaders.sum()) if paid > 0.0 else 0
    engagement[leaders] = strength(model, lever) * paid / wanted
    return engagement
