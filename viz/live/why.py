"""What a policy changes most, and which regions, types of place and sectors gain or lose by it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from sim.reference import region_names
from sim.world.geography import COUNTY_TYPES
from viz.live.measures import Effect, best_runs, by_key, days, effect, four_quarters
from viz.live.runner import Run
from viz.live.session import Answer
from viz.shared.doubt import effects_of
from viz.shared.units import PER_QUARTER, unit_of, unit_per_quarter

#: National quantities among which the largest movers are found. Public cost is what they are bought with.
MOVING = (
    *("innovative_smes", "srdi_smes", "genuine_srdi_smes", "little_giants", "genuine_little_giants"),
    *("counties_with_little_giant", "county_share_of_little_giants", "manufacturing_share_of_little_giants"),
    *("clusters", "listed_firms", "employment", "revenue_yuan", "rd_true_yuan", "rd_firms", "productivity_index"),
    *("digital_level_mean", "chain_gaps_filled_share", "chain_extension_share", "chain_resilience"),
    "chain_strength_yuan",
)
#: Dimensions and the table and key column each is made of.
DIMENSIONS = {
    "region": ("province", "province"),
    "county_type": ("county_type", "county_type"),
    "sector": ("sector", "sector"),
}
#: Quantities by place or sector.
GAINS = ("little_giants", "srdi_smes", "employment", "rd_true_yuan")


@dataclass(frozen=True)
class Mover:
    """A national quantity that a policy changes.

    Attributes:
        effect: in a quarter. share: of the difference in the baseline's value; infinite where that is 0.
    """

    quantity: str
    effect: Effect
    share: float


def movers(answer: Answer, at: int = -1) -> list[Mover]:
    """The quantities of MOVING that differ from the baseline, by relative size, the largest first.

    With intervals, only those whose interval excludes zero.

    Args:
        at: position of the quarter, by default the last.
    """
    found = []
    for quantity in MOVING:
        seen = effect(answer, quantity, at)
        difference = seen.difference
        if not math.isfinite(difference.mean) or difference.mean == 0.0 or (difference.known and not difference.clear):
            continue
        share = difference.mean / abs(seen.baseline) if seen.baseline else math.copysign(math.inf, difference.mean)
        found.append(Mover(quantity, seen, share))
    return sorted(found, key=lambda mover: -abs(mover.share))


@dataclass(frozen=True, eq=False)
class Incidence:
    """What a policy changes in places or sectors; float64 (places,) by quantity of GAINS.

    Attributes:
        places: keys of the dimension. baseline: mean over runs.
        difference: mean over pairs. low, high: its 90 % interval, NaN for one pair. pairs: their number.
    """

    places: list[str]
    baseline: dict[str, np.ndarray]
    difference: dict[str, np.ndarray]
    low: dict[str, np.ndarray]
    high: dict[str, np.ndarray]
    pairs: int

    def unclear(self, quantity: str) -> np.ndarray:
        """Whether the interval includes zero, bool (places,); false without an interval, and where all pairs agree."""
        low, high = self.low[quantity], self.high[quantity]
        return (low <= 0.0) & (high >= 0.0) & (low < high)


def incidence(answer: Answer, dimension: str, at: int = -1) -> Incidence:
    """Differences from the baseline by place or sector, pair by pair; flows are summed over four quarters.

    Args:
        answer: a whole one. dimension: a key of DIMENSIONS. at: position of the quarter, by default the last.
    """
    found = Incidence(_levels(answer.central, dimension, GAINS[0], at)[0], {}, {}, {}, {}, len(best_runs(answer)[0]))
    day = days(answer.central)[at]
    for quantity in GAINS:
        policy, baseline = (
            np.stack([_levels(run, dimension, quantity, at)[1] for run in runs]) for runs in best_runs(answer)
        )
        found.baseline[quantity] = baseline.mean(axis=0)
        by_date = effects_of((policy - baseline)[:, None], baseline[:, None], quantity, unit_of(quantity), [day])
        found.difference[quantity], found.low[quantity], found.high[quantity] = (each[0] for each in by_date)
    return found


def _levels(run: Run, dimension: str, quantity: str, at: int) -> tuple[list[str], np.ndarray]:
    """The places of a dimension, and a quantity there, float64 (places,)."""
    table, key = DIMENSIONS[dimension]
    names, values = by_key(run, table, key, quantity)
    if unit_per_quarter(quantity).endswith(PER_QUARTER):
        values = four_quarters(values)
    if dimension == "region":
        regions = region_names()
        places = list(dict.fromkeys(regions.values()))
        own = np.array([places.index(regions[name]) for name in names])
        return places, np.array([values[at, own == place].sum() for place in range(len(places))])
    if dimension == "county_type":
        return list(COUNTY_TYPES), values[at, [names.index(name) for name in COUNTY_TYPES]]
    return names, values[at]
