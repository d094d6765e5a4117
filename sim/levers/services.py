"""Levers on services: public services, incubators, producer services, matchmaking, trade."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field

from sim.fieldtypes import Number, known_names
from sim.levers.base import Eligibility, FirmProgramme, budget, per_firm


class PublicServices(FirmProgramme):
    """Public-service system and service activities (公共服务体系, “一起益企”服务行动).

    Service centres inform, help with applications and give first advice.
    Acts on: application (sim/ladder/application.py), governance (sim/mechanisms/governance.py).
    Defaults are assumptions.
    """

    group: ClassVar = "services"
    mechanism: ClassVar = "sim/ladder/application.py"
    outcome: ClassVar = ("applications", 1)

    budget_yuan: Number = budget(7e9)
    yuan_per_firm: Number = per_firm(3e3, "information and first advice")

    def effects(self, p) -> dict[str, float]:
        """Better odds of applying, and a little governance."""
        return {"application": p.service_application, "governance": p.service_governance}


class Incubation(FirmProgramme):
    """Incubation platforms (孵化平台): young firms up to three and a half years old.

    Acts on: closing (sim/mechanisms/turnover.py), starting R&D (sim/mechanisms/research.py).
    Defaults are assumptions.
    """

    group: ClassVar = "services"
    mechanism: ClassVar = "sim/mechanisms/turnover.py"
    outcome: ClassVar = ("deaths", -1)
    eligibility: ClassVar = Eligibility(employment_min=1.0, age_max=14)

    budget_yuan: Number = budget(14e9)
    yuan_per_firm: Number = per_firm(20e3, "space and services of one tenant")

    def effects(self, p) -> dict[str, float]:
        """Better survival, and a higher chance to start R&D."""
        return {"survival": p.incubation_survival, "research_odds": p.incubation_research}


#: Kinds of producer services and the channel and parameter each acts through.
PRODUCER_SERVICES = {
    "design": ("refinement", "service_design"),
    "testing": ("refinement", "service_testing"),
    "technology_transfer": ("transfer", "service_transfer"),
    "advice": ("governance", "service_advice"),
    "training": ("digital", "service_training"),
}
Kinds = Annotated[tuple[str, ...], AfterValidator(known_names("kind of service", tuple(PRODUCER_SERVICES)))]


class ProducerServices(FirmProgramme):
    """Producer services (生产性服务): design, testing, technology transfer, advice, training.

    Vouchers for the kinds offered; the voucher's value is shared evenly among them.
    Acts on: refinement (sim/mechanisms/capability.py), knowledge, governance and digital adoption.
    Defaults are assumptions.
    """

    group: ClassVar = "services"
    mechanism: ClassVar = "sim/mechanisms/capability.py"
    outcome: ClassVar = ("refinement_mean", 1)
    eligibility: ClassVar = Eligibility(employment_min=20.0, manufacturing=True)

    budget_yuan: Number = budget(14e9)
    yuan_per_firm: Number = per_firm(50e3, "vouchers")
    kinds: Kinds = Field(
        tuple(PRODUCER_SERVICES),
        description=f"kinds of services offered: {', '.join(PRODUCER_SERVICES)}",
        min_length=1,
    )

    def effects(self, p) -> dict[str, float]:
        """The offered kinds' effects, each with its share of the voucher."""
        kinds = dict.fromkeys(self.kinds)
        effects: dict[str, float] = {}
        for kind in kinds:
            channel, parameter = PRODUCER_SERVICES[kind]
            effects[channel] = effects.get(channel, 0.0) + getattr(p, parameter) / len(kinds)
        return effects


class MatchmakingResearch(FirmProgramme):
    """Matchmaking in research with central and state firms and institutes (央企民企协同创新).

    Acts on: starting R&D (sim/mechanisms/research.py), knowledge (sim/mechanisms/knowledge.py).
    Defaults are assumptions.
    """

    group: ClassVar = "matchmaking"
    mechanism: ClassVar = "sim/mechanisms/research.py"
    outcome: ClassVar = ("rd_firms", 1)
    eligibility: ClassVar = Eligibility(employment_min=20.0)

    budget_yuan: Number = budget(3.5e9)
    yuan_per_firm: Number = per_firm(20e3, "events and brokers")

    def effects(self, p) -> dict[str, float]:
        """A higher chance to start R&D, and knowledge from partners."""
        return {"research_odds": p.match_research, "transfer": p.match_transfer}


class MatchmakingSales(FirmProgramme):
    """Matchmaking in sales with central and state firms and platforms (百场万企大中小企业融通对接).

    Acts on: links (sim/mechanisms/chain_links.py), demand (sim/mechanisms/demand.py).
    Defaults are assumptions.
    """

    group: ClassVar = "matchmaking"
    mechanism: ClassVar = "sim/mechanisms/chain_links.py"
    outcome: ClassVar = ("linked_firms", 1)
    eligibility: ClassVar = Eligibility(employment_min=20.0)

    budget_yuan: Number = budget(3.5e9)
    yuan_per_firm: Number = per_firm(20e3, "events, brokers and platform fees")

    def effects(self, p) -> dict[str, float]:
        """A higher chance to win a main customer, and some demand."""
        return {"linking": p.match_linking, "sales": p.match_sales}


class MatchmakingFinance(FirmProgramme):
    """Matchmaking in finance with banks, platforms and investors (产融对接, “一链一策”).

    Acts on: credit constraint and equity rounds (sim/mechanisms/finance.py).
    Defaults are assumptions.
    """

    group: ClassVar = "matchmaking"
    mechanism: ClassVar = "sim/mechanisms/finance.py"
    outcome: ClassVar = ("constraint_mean", -1)
    eligibility: ClassVar = Eligibility(employment_min=20.0)

    budget_yuan: Number = budget(3.5e9)
    yuan_per_firm: Number = per_firm(20e3, "events, brokers and credit reports")

    def effects(self, p) -> dict[str, float]:
        """A lower credit constraint, and more equity rounds."""
        return {"credit": p.match_credit, "equity_odds": p.match_equity}


class ExportPromotion(FirmProgramme):
    """Export promotion (国际化, 跨境电商): trade services for firms that go abroad.

    Acts on: exports (sim/mechanisms/exports.py), and through them on refinement.
    Defaults are assumptions.
    """

    group: ClassVar = "matchmaking"
    mechanism: ClassVar = "sim/mechanisms/exports.py"
    outcome: ClassVar = ("exports_yuan", 1)
    eligibility: ClassVar = Eligibility(employment_min=20.0, manufacturing=True)

    budget_yuan: Number = budget(7e9)
    yuan_per_firm: Number = per_firm(50e3, "fairs, certificates and platform fees")

    def effects(self, p) -> dict[str, float]:
        """Better odds of exporting."""
        return {"exports": p.trade_exports}
