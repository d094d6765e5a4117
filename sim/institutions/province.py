"""Provincial regions: they make the programme known and judge the two lower tiers."""

from __future__ import annotations

import numpy as np

from sim.institutions.institution import Institution
from sim.numerics.arrays import exp, logistic
from sim.reference import read_data
from sim.tiers import TIERS

#: Parameters of each tier's diffusion: ceiling, middle and width.
_DIFFUSION = {
    tier: tuple(f"reach_{name}_{suffix}" for suffix in ("max", "mid", "width"))
    for tier, name in zip(TIERS, ("innovative", "srdi", "giant"), strict=True)
}


def diffusion(year: float, ceiling, middle, width: float):
    """Logistic diffusion: share reached in a (fractional) year; ceiling and middle, and so the share, may be arrays."""
    return ceiling * logistic((year - middle) / width)


def shifted(share: float, log_odds):
    """A share, 0-1, moved by so many log-odds, which may be an array."""
    return np.where(np.equal(log_odds, 0.0), share, share / (share + (1.0 - share) * exp(np.negative(log_odds))))


class Province(Institution):
    """One provincial region.

    Attributes:
        index: code. name: English name.
        delay: years by which its SRDI programme comes later than the mean. reach_odds: log-odds by which it reaches
            more firms in the end. bar: points under the SRDI table below which it turns SRDI applicants away.
    """

    def __init__(self, model, index: int, name: str) -> None:
        super().__init__(model)
        self.index = index
        self.name = name
        row, p = read_data("provinces")["province"][index], model.parameters
        self.delay = p.province_differences * row["srdi_delay"]
        self.reach_odds = p.province_differences * row["srdi_reach"]
        self.bar = p.provincial_bar + p.province_differences * row["srdi_bar"]


def make_known(model) -> None:
    """Make the programme known: each tier's reach follows a logistic diffusion over the years, in its own way by
    province for the SRDI tier."""
    p, quarter = model.parameters, model.quarter
    year = quarter.year + 0.25 * quarter.number
    for tier, names in _DIFFUSION.items():
        ceiling, middle, width = (getattr(p, name) for name in names)
        if tier == "srdi":
            odds, delay = np.array([(province.reach_odds, province.delay) for province in model.provinces]).T
            ceiling, middle = shifted(ceiling, odds), middle + delay
        model.reach[tier][:] = diffusion(year, ceiling, middle, width)
