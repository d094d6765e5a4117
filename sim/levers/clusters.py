"""Levers on clusters and places."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field, model_validator

from sim.fieldtypes import Count, Number, QuarterText, quantity
from sim.levers.base import Eligibility, FirmProgramme, PlacedLever, budget, per_firm
from sim.tiers import Tier

#: Components of the industrial commons (产业公地) of a recognised cluster.
COMMONS = ("finance", "talent", "infrastructure", "brand", "services", "culture")


def _weight(what: str):
    return quantity(1.0, "ratio", f"weight of {what} in the use of the grant", ge=0, le=100)


class ClusterRecognition(PlacedLever):
    """Recognition of national SME clusters (中小企业特色产业集群) and their commons.

    Each year in the fourth quarter the ministry recognises the best-scored candidates.
    Recognised clusters invest the grant in the commons, by the weights below: finance (access to
    credit), talent (absorption, R&D starts), infrastructure (productivity), brand (quality, sales),
    shared services (digital adoption), culture (knowledge pooling, demonstration of governance).
    Acts on: commons (sim/institutions/cluster.py), and through its channels on finance, knowledge,
    digital adoption, governance, refinement and productivity.
    Source of the defaults: 100 clusters a year from 2022 (the brief); the yearly grant is
    an assumption.
    """

    group: ClassVar = "clusters"
    mechanism: ClassVar = "sim/institutions/cluster.py"
    cost_rule: ClassVar = "recognised clusters x commons_yuan x intensity, per year"
    outcome: ClassVar = ("knowledge_spillover_yuan", 1)

    start: QuarterText = Field("2022Q4", description="first quarter in which the lever acts")
    budget_yuan: Number = budget(50e9)
    per_year: Count = quantity(100, "clusters per year", "clusters recognised in each fourth quarter", ge=0, le=2000)
    commons_yuan: Number = quantity(
        5e6, "yuan per cluster and year", "grant for the commons of a recognised cluster", ge=0, le=1e9
    )
    finance_weight: Number = _weight("financial services")
    talent_weight: Number = _weight("talent")
    infrastructure_weight: Number = _weight("infrastructure")
    brand_weight: Number = _weight("the regional brand")
    services_weight: Number = _weight("shared services")
    culture_weight: Number = _weight("a culture of cooperation")

    @model_validator(mode="after")
    def _some_weight(self):
        if sum(self.weights) == 0:
            raise ValueError("the weights of the commons are all 0; at least one must be above 0")
        return self

    @property
    def weights(self) -> tuple[float, ...]:
        """Weights in the order of COMMONS."""
        return tuple(getattr(self, f"{component}_weight") for component in COMMONS)


class OpenInnovation(PlacedLever):
    """Open innovation in recognised clusters (开放式创新): shared laboratories, pooled problems and results.

    Acts on: the cluster's knowledge pool (sim/mechanisms/knowledge.py).
    Defaults are assumptions.
    """

    group: ClassVar = "clusters"
    mechanism: ClassVar = "sim/mechanisms/knowledge.py"
    cost_rule: ClassVar = "recognised clusters x cluster_yuan x intensity, per year"
    outcome: ClassVar = ("knowledge_spillover_yuan", 1)
    money_field: ClassVar = "cluster_yuan"

    budget_yuan: Number = budget(10e9)
    cluster_yuan: Number = quantity(
        2e6, "yuan per cluster and year", "shared laboratories and platforms of a recognised cluster", gt=0, le=1e9
    )


class CountyPreference(PlacedLever):
    """County preference in recognition (县域倾斜): bonus points for firms and clusters of the counties.

    Added to the assessors' score in the national batch and to the merit of county candidates in the
    cluster contest; the statutory criteria stay as they are.
    Acts on: recognition (sim/ladder/recognition.py), the contest (sim/institutions/cluster_contest.py).
    """

    group: ClassVar = "counties"
    mechanism: ClassVar = "sim/ladder/recognition.py"
    cost_rule: ClassVar = "none: a rule, not public money"
    outcome: ClassVar = ("county_share_of_little_giants", 1)

    bonus_points: Number = quantity(5.0, "points of 100", "bonus in the assessors' score", ge=0, le=50)
    contest_bonus: Number = quantity(0.3, "score", "bonus in the merit of the cluster contest", ge=0, le=5)


class CountyRelocation(FirmProgramme):
    """Moving good firms to county clusters (产业梯度转移, 优质中小企业向县域布局).

    Firms on the ladder that stand in urban districts move to a recognised county cluster of their
    sector, sooner where its commons are strong and the move is supported.
    Acts on: migration (sim/mechanisms/migration.py).
    Defaults are assumptions.
    """

    group: ClassVar = "counties"
    mechanism: ClassVar = "sim/mechanisms/migration.py"
    outcome: ClassVar = ("moved_to_counties", 1)
    eligibility: ClassVar = Eligibility(lowest_tier=Tier.innovative, manufacturing=True, urban=True)

    budget_yuan: Number = budget(7e9)
    yuan_per_firm: Number = per_firm(300e3, "moving and plant")

    def effects(self, p) -> dict[str, float]:
        """A higher chance to move."""
        return {"moving": p.relocation_support}
