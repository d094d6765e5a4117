"""Exogenous stress: shocks a scenario may add. None is on unless the scenario writes its table.

A shock acts for `quarters` quarters from `start` on and then ends; what it did to firms stays.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from sim.calendar import Quarter
from sim.fieldtypes import Count, Number, QuarterText, Sectors, Switch, quantity


class Shock(BaseModel):
    """What every shock has: a window and a severity."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    start: QuarterText = Field("2026Q1", description="first quarter of the shock")
    quarters: Count = quantity(4, "quarters", "how long the shock lasts", ge=1, le=120)

    def acts_in(self, quarter: Quarter) -> bool:
        """Whether the quarter lies in the shock's window."""
        return 0 <= quarter - Quarter.parse(self.start) < self.quarters


class DemandSlump(Shock):
    """Demand slump: customers buy less of some or all sectors' goods.

    Acts on: slack (sim/mechanisms/stress.py), and from customers upstream on their suppliers.
    """

    severity: Number = quantity(0.1, "share of demand", "demand lost", ge=0, le=0.95)
    sectors: Sectors = Field((), description="sectors that are hit; empty means all")


class ForeignSupply(Shock):
    """Loss of a foreign supplier in some product niches (断供): their firms lack an input.

    Acts on: slack (sim/mechanisms/stress.py). Domestic firms of the niche replace part of the input,
    the leader of the chain is held up, and lost orders travel upstream.
    """

    severity: Number = quantity(0.6, "share of output", "output lost in a niche that replaces nothing", ge=0, le=0.95)
    niches_share: Number = quantity(0.05, "share of niches", "product niches that are hit", ge=0, le=1)
    sectors: Sectors = Field((), description="sectors whose niches may be hit; empty means all")
    substitution: Switch = Field(
        True, description="whether firms may turn to other suppliers and buyers; false shows what that is worth"
    )


class CreditCrunch(Shock):
    """Credit crunch: lenders refuse more.

    Acts on: credit constraint (sim/mechanisms/finance.py).
    """

    severity: Number = quantity(1.0, "log-odds", "added to every firm's credit constraint", ge=0, le=5)


class EnergyPrice(Shock):
    """Dearer energy or carbon.

    Acts on: net margin (sim/mechanisms/finance.py) and green adoption (sim/mechanisms/capability.py).
    """

    severity: Number = quantity(0.5, "share", "rise of energy or carbon prices", ge=0, le=10)


class Shocks(BaseModel):
    """All shocks of a scenario, by the name used in scenario files."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    demand_slump: DemandSlump = DemandSlump(severity=0.0)
    foreign_supply: ForeignSupply = ForeignSupply(severity=0.0)
    credit_crunch: CreditCrunch = CreditCrunch(severity=0.0)
    energy_price: EnergyPrice = EnergyPrice(severity=0.0)
