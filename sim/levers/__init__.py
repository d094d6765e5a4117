"""The policy levers: each is declared here once.

The scenario files, ``srdi show``, ``--set``, ``srdi effects`` and the web page read these
classes; the mechanism a lever acts on is named in its docstring. A field's ``unit`` stands in
``json_schema_extra``. Defaults are the reference intensity of a lever that is switched
on; every lever is off until a scenario enables it.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from sim.levers.base import FirmProgramme, Lever
from sim.levers.chains import (
    ChainInteroperability,
    ChainLeaderOpenness,
    InnovationRelease,
    JointBranding,
    OrderBasedResearch,
)
from sim.levers.clusters import ClusterRecognition, CountyPreference, CountyRelocation, OpenInnovation
from sim.levers.digital import DigitalEmpowerment, GovernanceTraining, GreenTransition
from sim.levers.finance import CreditGuarantees, ListingSupport, SmeFund
from sim.levers.ladder import FirstEquipment, LittleGiantAwards, StrategicProgrammes, TalentProgramme
from sim.levers.services import (
    ExportPromotion,
    Incubation,
    MatchmakingFinance,
    MatchmakingResearch,
    MatchmakingSales,
    ProducerServices,
    PublicServices,
)

__all__ = ["PROGRAMMES", "Lever", "Levers"]


class Levers(BaseModel):
    """All policy levers of a scenario, by the name used in scenario files."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    little_giant_awards: LittleGiantAwards = LittleGiantAwards()
    digital_empowerment: DigitalEmpowerment = DigitalEmpowerment()
    governance_training: GovernanceTraining = GovernanceTraining()
    green_transition: GreenTransition = GreenTransition()
    cluster_recognition: ClusterRecognition = ClusterRecognition()
    open_innovation: OpenInnovation = OpenInnovation()
    producer_services: ProducerServices = ProducerServices()
    chain_leader_openness: ChainLeaderOpenness = ChainLeaderOpenness()
    order_based_research: OrderBasedResearch = OrderBasedResearch()
    innovation_release: InnovationRelease = InnovationRelease()
    chain_interoperability: ChainInteroperability = ChainInteroperability()
    joint_branding: JointBranding = JointBranding()
    credit_guarantees: CreditGuarantees = CreditGuarantees()
    sme_fund: SmeFund = SmeFund()
    listing_support: ListingSupport = ListingSupport()
    public_services: PublicServices = PublicServices()
    incubation: Incubation = Incubation()
    talent_programme: TalentProgramme = TalentProgramme()
    matchmaking_research: MatchmakingResearch = MatchmakingResearch()
    matchmaking_sales: MatchmakingSales = MatchmakingSales()
    matchmaking_finance: MatchmakingFinance = MatchmakingFinance()
    export_promotion: ExportPromotion = ExportPromotion()
    first_equipment: FirstEquipment = FirstEquipment()
    strategic_programmes: StrategicProgrammes = StrategicProgrammes()
    county_preference: CountyPreference = CountyPreference()
    county_relocation: CountyRelocation = CountyRelocation()


#: Firm programmes by name, in the order of their bits in the column `support`.
PROGRAMMES = tuple(name for name, field in Levers.model_fields.items() if issubclass(field.annotation, FirmProgramme))
