"""Provincial regions: they make the programme known and judge the two lower tiers."""

from __future__ import annotations

import math

from sim.institutions.institution import Institution
from sim.rules import TIERS

#: Parameters of each tier's diffusion: ceiling, middle and width.
_DIFFUSION = {
    tier: tuple(f"reach_{name}_{part}" for part in ("max", "mid", "width"))
    for tier, name in zip(TIERS, ("innovative", "srdi", "giant"), strict=True)
}


def diffusion(year: float, ceiling: float, middle: float, width: float) -> float:
    """Logistic diffusion: share reached in a (fractional) year."""
    return ceiling / (1.0 + math.exp(-(year - middle) / width))


class Province(Institution):
    """One provincial region.

    Attributes:
        index: code. name: English name.
    """

    def __init__(self, model, index: int, name: str) -> None:
        super().__init__(model)
        self.index = index
        self.name = name

    def step(self) -> None:
        """Make the programme known: each tier's reach follows a logistic diffusion over the years."""
        p, quarter = self.model.parameters, self.model.quarter
        year = quarter.year + 0.25 * quarter.number
        for tier, names in _DIFFUSION.items():
            self.model.reach[tier][self.index] = diffusion(year, *[getattr(p, name) for name in names])
