"""Levers on chain leaders and their suppliers (链主企业与大中小企业融通)."""

from __future__ import annotations

from typing import ClassVar

from sim.fieldtypes import Number, quantity
from sim.levers.base import Eligibility, FirmProgramme, Lever, budget, per_firm


class ChainLeaderOpenness(Lever):
    """Engagement of chain leaders (链主带动): openness to new suppliers and joint design with newcomers.

    Leaders that take part open up towards capable firms of their own chain, and invite firms with no
    earlier experience in the field to design with them where key links are weak.
    Acts on: links (sim/institutions/chain_leader.py, sim/mechanisms/chain_links.py).
    Defaults are assumptions.
    """

    group: ClassVar = "chains"
    mechanism: ClassVar = "sim/mechanisms/chain_links.py"
    cost_rule: ClassVar = "chain leaders that take part x leader_yuan x intensity, per year"
    outcome: ClassVar = ("newcomer_suppliers", 1)
    money_field: ClassVar = "leader_yuan"

    budget_yuan: Number = budget(4.2e9)
    leader_yuan: Number = quantity(
        10e6, "yuan per leader and year", "matchmaking and joint-design platforms of one leader", gt=0, le=1e10
    )
    openness: Number = quantity(0.3, "0-1", "openness added to a leader that takes part", ge=0, le=1)
    invitation: Number = quantity(1.0, "ratio", "rise of the invitation to newcomers", ge=0, le=20)


class InnovationRelease(Lever):
    """Release of leaders' innovations to their suppliers (创新成果释放, 创新能力共享).

    Leaders that take part share capacity and results: knowledge flows to suppliers, as far as they
    can absorb it.
    Acts on: knowledge (sim/mechanisms/knowledge.py).
    Defaults are assumptions.
    """

    group: ClassVar = "chains"
    mechanism: ClassVar = "sim/mechanisms/knowledge.py"
    cost_rule: ClassVar = "chain leaders that take part x leader_yuan x intensity, per year"
    outcome: ClassVar = ("knowledge_transfer_yuan", 1)
    money_field: ClassVar = "leader_yuan"

    budget_yuan: Number = budget(8.4e9)
    leader_yuan: Number = quantity(
        20e6, "yuan per leader and year", "open laboratories and licences of one leader", gt=0, le=1e10
    )


class OrderBasedResearch(FirmProgramme):
    """Order-based R&D (订单式研发): leaders order development from suppliers, public money matches.

    Acts on: research (sim/mechanisms/research.py).
    Defaults are assumptions.
    """

    group: ClassVar = "chains"
    mechanism: ClassVar = "sim/mechanisms/research.py"
    outcome: ClassVar = ("rd_true_yuan", 1)
    eligibility: ClassVar = Eligibility(research=True, supplier=True)

    budget_yuan: Number = budget(14e9)
    yuan_per_firm: Number = per_firm(500e3, "the public match of one development order")
    leader_share: Number = quantity(0.5, "share", "part of the order that the leader pays itself", ge=0, lt=1)

    def effects(self, p) -> dict[str, float]:
        """Additional R&D by the whole order."""
        order = self.yuan_per_firm / (1.0 - self.leader_share)
        return {"research_yuan": p.order_additionality * order, "grant_yuan": order}


class ChainInteroperability(FirmProgramme):
    """Supply-chain interoperability (供应链互通): suppliers join their leader's digital platform.

    Acts on: digital adoption (sim/mechanisms/digital.py).
    Defaults are assumptions.
    """

    group: ClassVar = "chains"
    mechanism: ClassVar = "sim/mechanisms/digital.py"
    outcome: ClassVar = ("supplier_digital_mean", 1)
    eligibility: ClassVar = Eligibility(supplier=True)

    budget_yuan: Number = budget(7e9)
    yuan_per_firm: Number = per_firm(50e3, "connection to the leader's platform")

    def effects(self, p) -> dict[str, float]:
        """Digital maturity gained a quarter."""
        return {"digital": p.interoperability_digital}


class JointBranding(FirmProgramme):
    """Brands together (品牌共享): suppliers use the leader's standards, tests and brand.

    Acts on: refinement (sim/mechanisms/capability.py), demand (sim/mechanisms/demand.py).
    Defaults are assumptions.
    """

    group: ClassVar = "chains"
    mechanism: ClassVar = "sim/mechanisms/capability.py"
    outcome: ClassVar = ("supplier_refinement_mean", 1)
    eligibility: ClassVar = Eligibility(supplier=True)

    budget_yuan: Number = budget(3.5e9)
    yuan_per_firm: Number = per_firm(50e3, "joint standards, tests and marketing")

    def effects(self, p) -> dict[str, float]:
        """A higher level of refinement, and some demand."""
        return {"refinement": p.branding_refinement, "sales": p.branding_sales}
