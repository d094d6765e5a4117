"""Chain leaders (链主企业): large firms that lead an industrial chain and choose suppliers."""

from __future__ import annotations

import mesa


class ChainLeader(mesa.Agent):
    """The leader of one industrial chain.

    Attributes:
        index: number of the chain. sector: sector code. province: home province code.
        openness: 0-1, how readily new suppliers are admitted.
    """

    def __init__(self, model, index: int, sector: int, province: int, openness: float) -> None:
        super().__init__(model)
        self.index = index
        self.sector = sector
        self.province = province
        self.openness = openness
        self._own_openness = openness

    def step(self) -> None:
        """Open up towards new suppliers as far as key links of the chain lack a qualified one.

        o ← o + s (ō + (1 − ō) · gaps − o), with gaps the share of the chain's key niches that
        no qualified domestic supply fills and ō the leader's own openness.
        """
        gaps = 1.0 - self.model.chain_filled[self.index]
        target = self._own_openness + (1.0 - self._own_openness) * gaps
        self.openness += self.model.parameters.openness_response * (target - self.openness)
        self.model.environment.chain_openness[self.index] = self.openness
