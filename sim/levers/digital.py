"""Levers on the two main weaknesses, digital level and modern governance, and on the green transition."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from sim.fieldtypes import Count, Number, QuarterText, quantity
from sim.levers.base import Eligibility, FirmLever, FirmProgramme, budget, per_firm


class DigitalEmpowerment(FirmLever):
    """Digital empowerment of SMEs with pilot cities (中小企业数字化赋能, 数字化转型试点城市).

    Each year in the third quarter a batch of cities is designated; a city is a pilot for
    two years. SMEs there that are below digital level 4 apply and are converted at the
    public subsidy, up to the quota of firms and the budget, by weighted lottery; firms on the ladder have
    higher weights. With a fixed budget a higher intensity converts fewer firms more thoroughly.
    Acts on: digital adoption (sim/mechanisms/digital.py).
    Source of the defaults: the brief (40,000+ firms over three years) and the notice of
    14 June 2023 (30 cities in the first batch, three batches, 100 or 150 million yuan a city,
    80 % or more to the firms).
    """

    group: ClassVar = "digital"
    mechanism: ClassVar = "sim/mechanisms/digital.py"
    cost_rule: ClassVar = (
        "firms converted x subsidy (firm_share x budget_yuan / firms), and the platforms' part of each pilot's support"
    )
    outcome: ClassVar = ("digital_level_mean", 1)

    start: QuarterText = Field("2023Q3", description="first quarter in which the lever acts")
    end: QuarterText = Field("2027Q2", description="last quarter in which the lever acts")
    budget_yuan: Number = budget(10.5e9)
    firms: Count = quantity(40_000, "firms", "SMEs to be supported over the whole window", ge=0, le=10_000_000)
    city_batches: Count = quantity(3, "batches", "yearly batches of pilot cities from the start on", ge=0, le=12)
    cities_per_batch: Count = quantity(30, "cities", "pilot cities designated in each batch", ge=0, le=337)
    city_years: Count = quantity(2, "years", "how long a city stays a pilot", ge=1, le=10)
    city_yuan: Number = quantity(100e6, "yuan per city", "central support to an ordinary pilot city", ge=0, le=1e10)
    capital_city_yuan: Number = quantity(
        150e6, "yuan per city", "central support to a pilot that is its province's first city", ge=0, le=1e10
    )
    firm_share: Number = quantity(0.8, "share", "part of a city's support spent on the firms' conversion", gt=0, le=1)

    @property
    def subsidy(self) -> float:
        """Public money a converted firm receives: the firms' part of the budget over the quota of firms, yuan."""
        return self.intensity * self.firm_share * self.budget_yuan / max(self.firms, 1)

    @property
    def dose(self) -> float:
        """The subsidy of a converted firm over that at the defaults."""
        return self.subsidy / type(self)().subsidy


class GovernanceTraining(FirmProgramme):
    """Training for modern governance (现代企业治理): ownership structure, formal management.

    Trained firms modernise; in recognised clusters they demonstrate, and the others follow
    (the channel `demonstration`). `clusters_only` makes it a pilot of the clusters.
    Acts on: governance (sim/mechanisms/governance.py).
    Defaults are assumptions.
    """

    group: ClassVar = "governance"
    mechanism: ClassVar = "sim/mechanisms/governance.py"
    outcome: ClassVar = ("governance_mean", 1)
    eligibility: ClassVar = Eligibility(employment_min=20.0)

    budget_yuan: Number = budget(7e9)
    yuan_per_firm: Number = per_firm(20e3, "courses and advice")

    def effects(self, p) -> dict[str, float]:
        """Governance gained a quarter."""
        return {"governance": p.training_governance}


class GreenTransition(FirmProgramme):
    """Green transition of manufacturing SMEs (绿色低碳转型).

    Energy audits and equipment subsidies raise green maturity, which saves energy cost when prices rise.
    Acts on: green maturity (sim/mechanisms/capability.py), energy cost (sim/mechanisms/finance.py).
    Defaults are assumptions.
    """

    group: ClassVar = "green"
    mechanism: ClassVar = "sim/mechanisms/capability.py"
    outcome: ClassVar = ("green_mean", 1)
    eligibility: ClassVar = Eligibility(employment_min=20.0, manufacturing=True)

    budget_yuan: Number = budget(21e9)
    yuan_per_firm: Number = per_firm(200e3, "audits and equipment")

    def effects(self, p) -> dict[str, float]:
        """Green maturity gained a quarter."""
        return {"green": p.transition_green}
