"""The yearly rounds of recognition and review over all firms."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from sim.firms.tile import index_scratch
from sim.ladder.criteria import build_criteria
from sim.ladder.fields import assessment_scratch
from sim.ladder.recognition import (
    Assessed,
    Batch,
    Grant,
    Review,
    Reviewed,
    assess,
    audit,
    count_champions,
    grant,
    rank_threshold,
    review,
)
from sim.mechanisms.anticipation import last_rush
from sim.numerics.arrays import log, logistic
from sim.numerics.draws import Purpose, unit_noise
from sim.numerics.jit import interpreted
from sim.reference import read_data
from sim.tiers import TIERS, Tier


@dataclass
class TierFlows:
    """What a tier's round and review counted in a quarter, in simulated firms.

    Attributes:
        assessed, reviewed: int64 (places, sectors, len(Assessed)) and (places, sectors, len(Reviewed)).
        bound: what limited the batch, "capacity" or "eligibility"; empty without a batch.
    """

    assessed: np.ndarray
    reviewed: np.ndarray
    bound: str = ""

    def count(self, name: str) -> np.ndarray:
        """Counts of one kind, int64 (places, sectors)."""
        if name in Assessed._fields:
            return self.assessed[..., getattr(Assessed, name)]
        return self.reviewed[..., getattr(Reviewed, name)]


class Rounds:
    """Runs the rounds of the three tiers for a model.

    Attributes:
        criteria: Criteria by tier, from the regulation's file and the rules in force.
        ranking: Criteria whose score ranks the applicants of every tier: the SRDI tier's.
        flows: what was counted in the quarter, by tier.
        champions: firms that met the criteria of a single champion at the last count, int64 (places, sectors).
    """

    def __init__(self, model) -> None:
        self.model = model
        self.flows: dict[str, TierFlows] = {}
        self._calendar = read_data("calendar")
        self._champion_criteria = build_criteria("single_champion", None)
        self.champions = np.zeros(model.places_and_sectors, dtype=np.int64)
        self._rules = None
        self._granted_this_year = dict.fromkeys(TIERS, 0)
        self.open_quarter()

    def open_quarter(self) -> None:
        """Zero the quarter's counts, a year's with its first quarter, and take up the rules in force."""
        if self.model.quarter.number == 1:
            self._granted_this_year = dict.fromkeys(TIERS, 0)
        rules = self.model.rules
        if rules is not self._rules:
            self._rules = rules
            self.criteria = {tier: build_criteria(tier, getattr(rules, tier)) for tier in TIERS}
            self.ranking = self.criteria["srdi"]
        shape = self.model.places_and_sectors
        self.flows = {
            tier: TierFlows(
                np.zeros((*shape, len(Assessed)), dtype=np.int64), np.zeros((*shape, len(Reviewed)), dtype=np.int64)
            )
            for tier in TIERS
        }

    def is_pilot(self, tier: str) -> bool:
        """Whether this year's batch is a pilot whose size was set from outside."""
        return self._pilot_batch(tier, self.model.quarter.year) is not None

    def _pilot_batch(self, tier: str, year: int) -> dict | None:
        """The pilot batch of the year, if there was one."""
        batches = self._calendar["pilot_batch"] if tier == "little_giant" else ()
        return next((batch for batch in batches if batch["year"] == year), None)

    def capacity(self, tier: str, year: int) -> int | None:
        """Upper limit on the year's certificates at 1:1: the lesser of the rule's and a pilot batch's, or None."""
        limit = getattr(self.model.rules, tier).capacity
        pilot = self._pilot_batch(tier, year)
        limits = [most for most in (limit, pilot and pilot["capacity"]) if most is not None]
        return min(limits, default=None)

    def recognise(self, tier: str, bar: ArrayLike, called: tuple[float, float] = (0.0, 1.0)) -> None:
        """One batch of a tier: assess all applicants, then certify by rank within what the year's capacity leaves.

        Args:
            tier: name of the tier.
            bar: points an applicant's score must reach under the SRDI table; one for all, or one a province.
            called: this batch is open to firms whose fixed draw, 0-1, lies from the first number on, below the second.
        """
        model = self.model
        year = model.quarter.year
        if year < self._calendar["first_year"][tier]:
            return
        code = getattr(Tier, tier)
        flows = self.flows[tier]
        batch = Batch(
            tier=code,
            lowest=self._lowest_applicant(tier, year),
            criteria=self.criteria[tier],
            ranking=self.ranking,
            reach=model.reach[tier],
            called_from=float(called[0]),
            called_to=float(called[1]),
            rush=self._rush(tier),
            bar=np.broadcast_to(np.asarray(bar, dtype=np.float64), len(model.provinces)).copy(),
            bonus=self._county_bonus(tier),
            ranks=model.ranks,
        )
        model.run_pass(assess, batch, totals=flows.assessed, scratch=assessment_scratch)
        capacity = self.capacity(tier, year)
        room = None if capacity is None else max(round(capacity * model.scale) - self._granted_this_year[tier], 0)
        threshold = rank_threshold(model.ranks, room)
        model.run_pass(grant, Grant(code, model.ranks, threshold), totals=flows.assessed, scratch=index_scratch)
        self._granted_this_year[tier] += int(flows.count("granted").sum())
        flows.bound = "capacity" if threshold > 1 else "eligibility"

    def _rush(self, tier: str) -> float:
        """Log-odds that stricter rules announced for a tier add to its applications."""
        rules, quarter = self.model.policy.rules, self.model.quarter
        stricter = getattr(rules, tier).is_stricter_than(getattr(rules.in_force(quarter), tier))
        return last_rush(rules.quarters_ahead(quarter), stricter, self.model.parameters)

    def _county_bonus(self, tier: str) -> np.ndarray:
        """Points the county preference adds to the assessors' score in the national batch, float64 (units,)."""
        geography, lever = self.model.geography, self.model.policy.levers.county_preference
        bonus = np.zeros(geography.units)
        if tier == "little_giant" and lever.acts_in(self.model.quarter):
            counties, _ = self.model.reach_of(lever)
            bonus[counties & ~geography.county_is_urban] = lever.bonus_points * lever.intensity
        return bonus

    def _lowest_applicant(self, tier: str, year: int) -> int:
        """Lowest tier code that may apply: the tier below, once that tier exists and is asked for."""
        below = TIERS.index(tier)
        pilot = self._pilot_batch(tier, year)
        if below and year < self._calendar["first_year"][TIERS[below - 1]]:
            return Tier.none
        if pilot and pilot["recommended_directly"]:
            return Tier.none
        return below

    def review(self, tier: str) -> None:
        """Review the tier's certificates that have reached the end of their validity."""
        rules = getattr(self.model.rules, tier)
        terms = Review(
            tier=getattr(Tier, tier),
            ladder=tuple(self.criteria.values()),
            validity=4 * rules.validity_years,
            strictness=self._strictness(TIERS.index(tier), rules.review_strictness),
        )
        self._count_reviewed(review, terms, scratch=assessment_scratch)

    def _strictness(self, tier: int, usual: float) -> float:
        """The year's strictness of a tier's reviews: the rules', moved by a draw of the year (`review_spread`)."""
        spread = self.model.parameters.review_spread
        if spread == 0.0 or not 0.0 < usual < 1.0:
            return usual
        noise = interpreted(unit_noise)(self.model.draws(Purpose.REVIEW_YEAR, len(TIERS))[tier])
        return logistic(log(usual / (1.0 - usual)) + spread * noise)

    def audit(self) -> None:
        """Yearly audit of the certified firms' R&D reports."""
        self._count_reviewed(audit, scratch=index_scratch)

    def count_champions(self) -> None:
        """Count the firms that meet the criteria of a single champion (reported only, no certificate)."""
        self.champions[:] = 0
        self.model.run_pass(count_champions, self._champion_criteria, totals=self.champions, scratch=assessment_scratch)

    def _count_reviewed(self, kernel, *terms, scratch) -> None:
        """Run a kernel that counts Reviewed by tier, place and sector."""
        counts = np.stack([self.flows[name].reviewed for name in TIERS])
        self.model.run_pass(kernel, *terms, totals=counts, scratch=scratch)
        for name, counted in zip(TIERS, counts, strict=True):
            self.flows[name].reviewed[:] = counted
