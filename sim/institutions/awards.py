"""Central awards to key little giants (中央财政奖补)."""

from __future__ import annotations

import numpy as np

from sim.calendar import Quarter
from sim.firms.columns import NEVER
from sim.firms.terms import AWARD_QUARTERS
from sim.institutions.targeting import admit_by_rank, target_of
from sim.ladder.fields import assessment_scratch
from sim.mechanisms.anticipation import felt_ahead
from sim.reference import read_data
from sim.selection import Contest, rank_for_award
from sim.tiers import Tier


class Awards:
    """The lever little_giant_awards at work: yearly picks, quarterly payment."""

    def __init__(self, model) -> None:
        self.model = model
        self.lever = model.policy.levers.little_giant_awards
        self.account = model.ledger["little_giant_awards"]
        self._quarter = read_data("calendar")["quarters"]["awards"]
        model.moment.award_yuan = self._award() / AWARD_QUARTERS if self.lever.enabled else 0.0

    def _award(self) -> float:
        return self.lever.award_yuan * self.lever.intensity

    def open_quarter(self) -> None:
        """Before the firms act: awards still to be had, or announced, draw applicants everywhere."""
        model, lever = self.model, self.lever
        hope = 0.0
        if lever.is_known_in(model.quarter) and self.account.available >= self._award():
            felt = felt_ahead(Quarter.parse(lever.start) - model.quarter, model.parameters)
            hope = model.parameters.apply_award * lever.intensity * felt
        model.moment.award_hope = hope

    def step(self) -> None:
        """In its quarter: pick the best little giants without an award, an even share of the money a round."""
        model, lever = self.model, self.lever
        if model.quarter.number != self._quarter or not lever.acts_in(model.quarter):
            return
        self.account.release(self._owed())
        rounds = lever.rounds_left(model.quarter, self._quarter)
        quota = int(min(self.account.available / rounds / self._award() * model.scale, model.blocks.slots))
        everywhere = np.zeros(model.geography.units, dtype=np.int16)
        contest = Contest(target_of(model, lever), model.rounds.ranking, model.ranks)
        model.run_pass(rank_for_award, contest, scratch=assessment_scratch)
        admitted, ranked = admit_by_rank(model, model.firms.columns.awarded_in, np.array([quota]), everywhere)
        granted = len(admitted) / model.scale
        self.account.grant(granted, len(ranked) / model.scale - granted, self._award())

    def _owed(self) -> float:
        """Yuan still due to awarded firms that live and are little giants, this quarter's part included."""
        model, firms = self.model, self.model.firms.columns
        granted = firms.awarded_in[(firms.awarded_in != NEVER) & (firms.tier == Tier.little_giant)].astype(int)
        paid = model.moment.index - 1 - granted
        return np.clip(AWARD_QUARTERS - paid, 0, AWARD_QUARTERS).sum() / model.scale * model.moment.award_yuan

    def pay(self, awarded: np.ndarray) -> None:
        """Pay the quarter's part of running awards. awarded: int64 (places, sectors), simulated firms that have one."""
        self.account.pay(awarded.sum() / self.model.scale * self.model.moment.award_yuan, awarded)
