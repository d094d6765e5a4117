"""Levers on the firms of the ladder: awards, strategic programmes, talent, first-of-a-kind products."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from sim.fieldtypes import Number, QuarterText, quantity
from sim.levers.base import Eligibility, FirmLever, FirmProgramme, budget, per_firm
from sim.tiers import Tier


class LittleGiantAwards(FirmLever):
    """Central awards to key little giants (中央财政奖补重点“小巨人”).

    Each year the ministry picks little giants not yet awarded, best scores first, as long
    as the budget lasts, and pays each award in equal quarterly parts over three years, as long as
    the firm remains a little giant. While money is left, the hope of an award draws applicants.
    Acts on: research (sim/mechanisms/research.py), application (sim/ladder/application.py).
    Source of the defaults: about 10 billion yuan for 2021-2025 (mark C in the fact sheet).
    """

    group: ClassVar = "funds"
    mechanism: ClassVar = "sim/mechanisms/research.py"
    cost_rule: ClassVar = "award_yuan x intensity per firm, paid over twelve quarters while it is a little giant"
    outcome: ClassVar = ("rd_true_yuan", 1)

    start: QuarterText = Field("2021Q3", description="first quarter in which the lever acts")
    end: QuarterText = Field("2025Q4", description="last quarter in which the lever acts")
    budget_yuan: Number = budget(10e9)
    award_yuan: Number = quantity(
        6e6, "yuan per firm", "award to one little giant, paid over three years", gt=0, le=1e9
    )


class StrategicProgrammes(FirmProgramme):
    """Access of private firms to national strategic programmes (民营企业参与国家重大战略, 31 measures of 2023).

    Certified firms with promoted products win contracts of national programmes: part of the money is
    additional R&D, and the contract is a reference that wins customers.
    Acts on: research (sim/mechanisms/research.py), links (sim/mechanisms/chain_links.py).
    Defaults are assumptions.
    """

    group: ClassVar = "innovation"
    mechanism: ClassVar = "sim/mechanisms/research.py"
    outcome: ClassVar = ("rd_true_yuan", 1)
    eligibility: ClassVar = Eligibility(lowest_tier=Tier.srdi, research=True, promoted=True)

    budget_yuan: Number = budget(21e9)
    yuan_per_firm: Number = per_firm(2e6, "a contract in a national programme")

    def effects(self, p) -> dict[str, float]:
        """Additional R&D and better chances with customers."""
        return {
            "research_yuan": p.contract_additionality * self.yuan_per_firm,
            "grant_yuan": self.yuan_per_firm,
            "linking": p.contract_linking,
        }


class TalentProgramme(FirmProgramme):
    """Talent programme: engineers and R&D staff for SMEs (人才支持, 工程师下企业).

    Part of the grant becomes R&D staff the firm would not have had, and staff raise what a firm can
    absorb from its cluster and partners.
    Acts on: research (sim/mechanisms/research.py), knowledge (sim/mechanisms/knowledge.py).
    Defaults are assumptions.
    """

    group: ClassVar = "talent"
    mechanism: ClassVar = "sim/mechanisms/research.py"
    outcome: ClassVar = ("rd_staff", 1)
    eligibility: ClassVar = Eligibility(research=True)

    budget_yuan: Number = budget(14e9)
    yuan_per_firm: Number = per_firm(200e3, "wages of seconded engineers")

    def effects(self, p) -> dict[str, float]:
        """Additional R&D staff and absorptive capacity."""
        return {
            "research_yuan": p.talent_additionality * self.yuan_per_firm,
            "grant_yuan": self.yuan_per_firm,
            "absorption": p.talent_absorption,
        }


class FirstEquipment(FirmProgramme):
    """Support of first-of-a-kind equipment (首台套保险补偿).

    Insurance and purchase support take the first buyer's risk, so that more domestic firsts sell.
    Acts on: first-of-a-kind products (sim/mechanisms/first_of_a_kind.py).
    Defaults are assumptions.
    """

    group: ClassVar = "innovation"
    mechanism: ClassVar = "sim/mechanisms/first_of_a_kind.py"
    outcome: ClassVar = ("domestic_firsts", 1)
    eligibility: ClassVar = Eligibility(research=True, promoted=True, manufacturing=True)

    budget_yuan: Number = budget(7e9)
    yuan_per_firm: Number = per_firm(300e3, "premium subsidy for the insured first sales")

    def effects(self, p) -> dict[str, float]:
        """A higher chance of a first sale."""
        return {"firsts": p.first_support}
