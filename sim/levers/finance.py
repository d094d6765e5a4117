"""Levers on finance."""

from __future__ import annotations

from typing import ClassVar

from sim.fieldtypes import Number, quantity
from sim.levers.base import Eligibility, FirmProgramme, budget, per_firm
from sim.tiers import Tier


class CreditGuarantees(FirmProgramme):
    """Public credit guarantees (融资担保) for firms that lenders refuse.

    The cost is the expected compensation and the fee subsidy, not the loans.
    Acts on: credit constraint (sim/mechanisms/finance.py).
    Defaults are assumptions: loans of about 3 million at a loss and fee of 2 %.
    """

    group: ClassVar = "finance"
    mechanism: ClassVar = "sim/mechanisms/finance.py"
    outcome: ClassVar = ("constraint_mean", -1)
    eligibility: ClassVar = Eligibility(constraint_min=0.3)

    budget_yuan: Number = budget(21e9)
    yuan_per_firm: Number = per_firm(60e3, "expected compensation and fee subsidy of one loan")

    def effects(self, p) -> dict[str, float]:
        """A lower credit constraint, and a higher hazard of default."""
        return {"credit": p.guarantee_credit, "survival": -p.guarantee_default}


class SmeFund(FirmProgramme):
    """National SME development fund (国家中小企业发展基金): equity with private co-investment.

    Booked as spent when invested; returns of the stakes are not credited.
    Acts on: outside equity (sim/mechanisms/finance.py), and through it on governance.
    Defaults are assumptions.
    """

    group: ClassVar = "finance"
    mechanism: ClassVar = "sim/mechanisms/finance.py"
    outcome: ClassVar = ("new_equity_yuan", 1)
    eligibility: ClassVar = Eligibility(lowest_tier=Tier.innovative, research=True, unlisted=True)

    budget_yuan: Number = budget(35e9)
    yuan_per_firm: Number = per_firm(10e6, "the fund's stake, paid in over a year")
    co_investment: Number = quantity(
        2.0, "yuan per yuan", "private equity that follows a yuan of the fund", ge=0, le=20
    )

    def effects(self, p) -> dict[str, float]:
        """Equity paid in a quarter, co-investors' included."""
        return {"equity_yuan": 0.25 * self.yuan_per_firm * (1.0 + self.co_investment)}


class ListingSupport(FirmProgramme):
    """Listing support (北交所绿色通道, 上市培育): advice and fees on the way to public markets.

    Once places at the exchanges are scarce (`listing_places`), it decides who lists and hardly how many.

    Acts on: listing (sim/mechanisms/listing.py).
    Defaults are assumptions.
    """

    group: ClassVar = "finance"
    mechanism: ClassVar = "sim/mechanisms/listing.py"
    outcome: ClassVar = ("listed_firms", 1)
    eligibility: ClassVar = Eligibility(lowest_tier=Tier.srdi, unlisted=True, employment_min=50.0)

    budget_yuan: Number = budget(3.5e9)
    yuan_per_firm: Number = per_firm(500e3, "advice and fees of a firm in preparation")

    def effects(self, p) -> dict[str, float]:
        """A higher chance to apply for a listing."""
        return {"listing": p.listing_support}
