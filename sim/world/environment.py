"""What firms see of the world around them, in the form kernels receive it."""

from __future__ import annotations

from collections import namedtuple
from dataclasses import dataclass, fields
from operator import attrgetter

import numpy as np

from sim.levers import PROGRAMMES
from sim.mechanisms.support import Channel
from sim.numerics.arrays import power
from sim.reference import province_names
from sim.rules import Rules
from sim.world.research_points import research_aim, research_bands

#: Arrays by place, sector, niche, cluster and chain. Set-up fills the fixed ones; the
#: institutions and the tally renew the others every quarter.
Environment = namedtuple(
    "Environment",
    [
        "county_province",  # int16 (units,)
        "county_urban",  # bool (units,)
        "province_reach_srdi",  # float64 (provinces,), share of firms the tier's programme reaches
        "province_reach_giant",
        "county_place",  # int64 (units,), province plus the number of provinces for urban districts
        "county_research",  # float64 (units,), log-odds of doing R&D relative to the mean
        "county_entry",  # float64 (units,), founding rate relative to the mean
        "sector_revenue_per_worker",  # float64 (sectors,), yuan per year at productivity 0; moves with demand
        "sector_rd_norm",  # float64 (sectors,), share of revenue
        "sector_research",  # float64 (sectors,), log-odds of doing R&D
        "sector_manufacturing",  # bool (sectors,)
        "sector_rd_usual",  # float64 (sectors,), R&D over revenue of all its firms at the start
        "rd_bands",  # float64 (bands,), R&D over revenue at which the SRDI score gives more points, rising
        "sector_energy_rise",  # float64 (sectors,), extra energy or carbon cost, share of revenue
        "sector_slack",  # float64 (sectors,), log demand lost to a slump
        "sector_sme_employees",  # float64 (sectors,), persons
        "sector_sme_revenue",  # float64 (sectors,), yuan per year
        "niche_chain",  # int16 (niches,)
        "niche_promoted",  # bool (niches,)
        "niche_revenue",  # float64 (niches,), yuan per year at 1:1, of the last quarter
        "niche_slack",  # float64 (niches,), log output lost to a missing foreign supplier
        "niche_pressure",  # float64 (niches,), log sales that competition takes or leaves, from the last quarter
        "county_credit",  # float64 (units,), log-odds by which eased credit crowds out others, from the last quarter
        "disturbed",  # bool (1,), a shock lowers output somewhere
        "channels_used",  # int64 (channels used,), those on which some programme, cluster or leader has an effect
        "programme_effects",  # float64 (programmes, channels), of a supported firm
        "cluster_active",  # bool (clusters,), recognised
        "cluster_effects",  # float64 (clusters, channels), of a member of a recognised cluster
        "local_effects_active",  # bool (1,), some cluster or county has an effect
        "county_active",  # bool (units,), has a recognised cluster
        "county_effects",  # float64 (units, channels), of the other firms of its county
        "chain_effects",  # float64 (chains, channels), of a leader's supplier
        "cluster_digital",  # float64 (clusters,), mean digital maturity of members
        "cluster_governance",  # float64 (clusters,), mean governance of members
        "cluster_knowledge",  # float64 (clusters,), mean knowledge stock of members, yuan
        "chain_openness",  # float64 (chains,), 0-1, towards capable firms of the chain's own niches
        "chain_invitation",  # float64 (chains,), 0-1, towards newcomers to the chain (joint design)
        "chain_weakest",  # int32 (chains,), key niche with the least qualified supply, or -1
        "chain_slack",  # float64 (chains,), log output of the leader relative to an undisturbed quarter
        "buyer_slot",  # int32 (buyers,), larger firms that buy, by chain and province
        "buyer_weight",  # float64 (buyers + 1,), their cumulative revenue
        "buyer_revenue",  # float64 (buyers,), yuan per year
        "buyer_start",  # int64 (chains * provinces + 1,), first buyer of each chain and province
        "move_cluster",  # int32 (provinces, sectors), county cluster that draws movers, or -1
        "move_pull",  # float64 (provinces, sectors), 0-1, its commons
        "cluster_county",  # int16 (clusters,)
    ],
)


#: What a pass over firms reads, the same for all of them.
QuarterInputs = namedtuple(
    "QuarterInputs",
    [
        "environment",  # Environment
        "keys",  # uint64 (purposes,), stream keys of the quarter, by Purpose
        "lasting_keys",  # the same for draws that hold for a slot's whole run
        "parameters",  # parameter record
        "moment",  # MOMENT record
        "aims",  # the same, with the R&D thresholds that firms work towards
    ],
)


def new_environment(
    geography, industry, candidates, *, county_research, sector_research, revenue_per_worker, p
) -> Environment:
    """The environment at the start: what is fixed, and the rest as it is before institutions and firms have acted.

    Args:
        candidates: Candidates. county_research: float64 (units,), sector_research: float64 (sectors,), log-odds of R&D.
        revenue_per_worker: float64 (sectors,), yuan per year at productivity 0.
        p: parameters.
    """
    clusters, chains, sectors = len(candidates), len(industry.chain_sector), len(industry.sector_firms)
    niches, provinces = len(industry.niche_sector), len(province_names())
    attraction = power(geography.county_attraction, p.entry_attraction)
    return Environment(
        county_province=geography.county_province,
        county_urban=geography.county_is_urban,
        province_reach_srdi=np.zeros(provinces),
        province_reach_giant=np.zeros(provinces),
        county_place=geography.county_place.astype(np.int64),
        county_research=county_research,
        county_entry=attraction / np.average(attraction, weights=geography.firms.sum(axis=1)),
        sector_revenue_per_worker=revenue_per_worker,
        sector_rd_norm=industry.sector_rd_norm,
        sector_research=sector_research,
        sector_manufacturing=industry.sector_manufacturing,
        sector_rd_usual=np.zeros(sectors),
        rd_bands=research_bands(),
        sector_energy_rise=np.zeros(sectors),
        sector_slack=np.zeros(sectors),
        sector_sme_employees=industry.sector_sme_employees,
        sector_sme_revenue=industry.sector_sme_revenue,
        niche_chain=industry.niche_chain,
        niche_promoted=industry.niche_promoted,
        niche_revenue=np.zeros(niches),
        niche_slack=np.zeros(niches),
        niche_pressure=np.zeros(niches),
        county_credit=np.zeros(geography.units),
        disturbed=np.zeros(1, dtype=bool),
        channels_used=np.zeros(0, dtype=np.int64),
        programme_effects=np.zeros((len(PROGRAMMES), len(Channel))),
        cluster_active=np.zeros(clusters, dtype=bool),
        cluster_effects=np.zeros((clusters, len(Channel))),
        local_effects_active=np.zeros(1, dtype=bool),
        county_active=np.zeros(geography.units, dtype=bool),
        county_effects=np.zeros((geography.units, len(Channel))),
        chain_effects=np.zeros((chains, len(Channel))),
        cluster_digital=np.zeros(clusters),
        cluster_governance=np.zeros(clusters),
        cluster_knowledge=np.zeros(clusters),
        chain_openness=industry.chain_openness.copy(),
        chain_invitation=np.zeros(chains),
        chain_weakest=np.full(chains, -1, dtype=np.int32),
        chain_slack=np.zeros(chains),
        buyer_slot=np.zeros(0, dtype=np.int32),
        buyer_weight=np.zeros(1),
        buyer_revenue=np.zeros(0),
        buyer_start=np.zeros(chains * provinces + 1, dtype=np.int64),
        move_cluster=np.full((provinces, sectors), -1, dtype=np.int32),
        move_pull=np.zeros((provinces, sectors)),
        cluster_county=candidates.county.astype(np.int16),
    )


@dataclass(slots=True)
class Moment:
    """Numbers of the quarter that are the same for every firm.

    Kept as plain numbers, from which `record` makes what kernels receive: a NumPy record that was pickled
    silently drops assignments.
    """

    index: int = 0  # quarters since the start
    number: int = 0  # quarter of the year, 1-4
    research_trend: float = 0.0  # log-odds added to R&D participation since the start
    audit_strictness: float = 0.0  # 0-1
    srdi_rd: float = 0.0  # R&D intensity that the rules ask for, share of revenue
    srdi_rd_spending: float = 0.0  # least R&D spending that the rules ask for, yuan per year
    rd_aim: float = 0.0  # R&D intensity that firms may work towards for the points of the SRDI score
    giant_rd_large: float = 0.0  # share of revenue, from giant_revenue_large on
    giant_rd_mid: float = 0.0  # share of revenue, from giant_revenue_mid on
    giant_revenue_large: float = 0.0  # yuan per year
    giant_revenue_mid: float = 0.0  # yuan per year
    award_yuan: float = 0.0  # paid per quarter to a firm with a running award
    digital_effect: float = 0.0  # digital maturity gained per quarter of support
    award_hope: float = 0.0  # log-odds that running awards add to applications
    credit_tightening: float = 0.0  # log-odds that a credit crunch adds to the constraint
    substitution: float = 0.0  # 1 if firms may turn to other suppliers and buyers, 0 if not
    qualified: float = 0.0  # capability of a qualified supplier, 0-1
    validity_srdi: int = 0  # quarters a certificate lasts before its review
    validity_giant: int = 0
    credit_counted: int = 0  # 1 if eased credit crowds out other firms' and so is counted
    research_wage: float = 1.0  # index of the cost of R&D staff, 1 at the start
    research_price: float = 1.0  # price of a unit of R&D over its trend
    research_dear: float = 1.0  # factor on starting R&D by that price
    listing_admitted: float = 1.0  # share of the applications for a listing that the exchanges admit
    demand_swing: float = 0.0  # growth of the nation's demand in the quarter less its trend, log

    def take_thresholds(self, rules: Rules) -> None:
        """Set what the rules ask of R&D."""
        self.rd_aim = research_aim(rules.srdi.score_min)
        self.srdi_rd = rules.srdi.rd_intensity_min
        self.srdi_rd_spending = rules.srdi.rd_spending_min
        self.giant_revenue_mid = rules.little_giant.revenue_mid
        self.giant_rd_large = rules.little_giant.rd_intensity_min
        self.giant_rd_mid = rules.little_giant.rd_intensity_mid_min
        self.giant_revenue_large = rules.little_giant.revenue_large

    def record(self) -> np.record:
        """The numbers as they are now, as a record of the type MOMENT."""
        return np.array(_in_order(self), dtype=_RECORD)[()]


#: A Moment as kernels receive it: int64 and float64 fields.
MOMENT = np.dtype([(field.name, {"int": np.int64, "float": np.float64}[field.type]) for field in fields(Moment)])
_RECORD = np.dtype((np.record, MOMENT))
_in_order = attrgetter(*MOMENT.names)
