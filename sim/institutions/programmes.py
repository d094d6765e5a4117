"""Firm programmes: the levers that support single firms for a year at a time."""

from __future__ import annotations

import numpy as np

from sim.institutions.targeting import strength, target_of
from sim.levers import PROGRAMMES
from sim.levers.base import Eligibility
from sim.mechanisms.support import Channel
from sim.numerics.draws import Purpose, substream_key
from sim.selection import BINS, Lottery, Support, lowest_bin, rank_for_programme, support

#: Quarters that support runs before it is granted anew.
TERM = 4


class Programme:
    """One firm programme at work: who is supported this year, and what it costs.

    `lever` is a FirmProgramme (see sim/levers/base.py for the rule).
    """

    def __init__(self, model, name: str) -> None:
        self.model = model
        self.name = name
        self.lever = getattr(model.policy.levers, name)
        self.bit = np.uint32(1 << PROGRAMMES.index(name))
        self.account = model.ledger[name]
        self._effects = self._effect_row()
        self._granted_until = -1

    def _effect_row(self) -> np.ndarray:
        """Effects at the lever's intensity, float64 (channels,): money in proportion, the rest as its dose allows."""
        row, by_dose = np.zeros(len(Channel)), strength(self.model, self.lever)
        for channel, value in self.lever.effects(self.model.parameters).items():
            row[getattr(Channel, channel)] = value * (self.lever.intensity if channel.endswith("_yuan") else by_dose)
        return row

    def open_quarter(self) -> None:
        """Before the firms act: grant a new year of support when one is due, and switch the effects."""
        model, lever = self.model, self.lever
        row = model.environment.programme_effects[PROGRAMMES.index(self.name)]
        if not lever.acts_in(model.quarter):
            row[:] = 0.0
            if self._granted_until == model.moment.index - 1:
                self._support(threshold=BINS, ranks=np.zeros(model.blocks.slots, dtype=np.uint16))
            return
        if self._granted_until < model.moment.index:
            self._grant()
        row[:] = self._effects

    def pay(self) -> None:
        """After the firms have acted: pay the quarter of the supported firms that are alive."""
        supported = self.model.totals.supported[..., PROGRAMMES.index(self.name)]
        if alive := supported.sum():
            self.account.pay(alive / self.model.scale * self._quarterly(), supported)

    def _quarterly(self) -> float:
        """Yuan per firm and quarter."""
        return 0.25 * self.lever.yuan_per_firm * self.lever.intensity

    def _grant(self) -> None:
        """Draw the firms of the coming term: as many as its even share of the money left pays for."""
        model, lever = self.model, self.lever
        self.account.release()
        left = lever.quarters_left(model.quarter)
        term = min(TERM, left)
        self._granted_until = model.moment.index + term - 1
        unit = self._quarterly() * term
        money, slots = self.account.available * term / left, model.blocks.slots
        quota = slots if money * model.scale >= slots * unit else int(money / unit * model.scale)
        bins = np.zeros(BINS, dtype=np.int64)
        key = substream_key(model.keys[Purpose.LOTTERY], PROGRAMMES.index(self.name))
        lottery = Lottery(target_of(model, lever), key, model.parameters.programme_priority, model.ranks)
        eligibility = Eligibility(*map(float, lever.eligibility))  # one type, so one compiled kernel
        model.run_pass(rank_for_programme, lottery, eligibility, totals=bins)
        granted = self._support(lowest_bin(bins, quota), model.ranks).sum() / model.scale
        self.account.grant(granted, bins.sum() / model.scale - granted, unit)

    def _support(self, threshold: int, ranks: np.ndarray) -> np.ndarray:
        """Mark the firms ranked at or above the threshold; returns them by place and sector, int64."""
        model = self.model
        counts = np.zeros(model.places_and_sectors, dtype=np.int64)
        model.run_pass(support, Support(self.bit, ranks, threshold), totals=counts)
        return counts
