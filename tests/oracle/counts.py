"""The totals of a quarter, and what firms and leaders see of them in the next.

Shares and money are summed in whole parts per firm, as the model sums them: an employee in 1/1024, a share in
1/2^20, revenue in thousand yuan.
"""

from __future__ import annotations

import math
from collections import Counter
from types import SimpleNamespace

from oracle import markets
from oracle.behaviour import added_research, capability, exports, is_running, next_threshold, programme_effect
from oracle.firm import FUND_BACKED, LISTED, MOVED, NEVER, NEWCOMER, Firm
from oracle.ladder import digital_level

PARTS = 1 << 20
PERSON_PARTS = 1024
#: Employees from which a firm counts in means.
COUNTED = 20


def research_of(country) -> dict[int, tuple[int, int, int]]:
    """True and reported R&D in yuan and R&D staff of every performer, by slot: before recognition, as it was done.

    A little giant that loses its title in the quarter has done the R&D its award paid for.
    """
    p, sums = country.p, {}
    for firm in country.firms:
        if firm.rd_intensity > 0.0:
            added = added_research(firm, programme_effect(firm, country, "research_yuan"), country)
            yuan = (firm.rd_intensity + added) * firm.revenue
            staff = p.rd_staff_cost_share * yuan / (p.rd_staff_cost * country.research_wage)
            sums[firm.slot] = int(yuan), int(yuan / (1.0 - firm.relabelled)), int(staff * PERSON_PARTS)
    return sums


def public_cost(country) -> dict[str, float]:
    """Yuan of the quarter that the public pays beside levers, at 1:1: tax relief on R&D as reported, and new titles."""
    p = country.p
    reported = sum(reported for _, reported, _ in country.research.values())
    titles = Counter()
    for (name, *_), count in country.flows.items():
        titles[name] += count
    paid = p.title_award_srdi * titles["srdi", "granted"] + p.title_award_giant * titles["little_giant", "granted"]
    return {
        "tax_relief_yuan": p.tax_relief_counted * p.tax_relief * reported / 4.0 / country.scale,
        "title_awards_yuan": paid / country.scale,
    }


def take_stock(country) -> None:
    """Count all firms, after recognition."""
    world = country.world
    niches, chains = len(world.niche_chain), len(world.chain_sector)
    totals = SimpleNamespace(
        cells=Counter(),  # by name, place and sector
        tiers=Counter(),  # by name and tier code
        county_giants=Counter(),
        niche_revenue=[0] * niches,
        niche_qualified=[0] * niches,
        clusters=[
            SimpleNamespace(firms=0, srdi_smes=0, little_giants=0, revenue=0, digital=0, governance=0, knowledge=0)
            for _ in world.cluster_county
        ],
        chains=[SimpleNamespace(suppliers=0, little_giants=0, strength=0, newcomers=0) for _ in range(chains)],
    )
    for firm in country.firms:
        if not firm.vacant:
            _add(firm, totals, country)
    country.totals = totals
    show(country)


def show(country) -> None:
    """What firms and leaders see of the totals in the next quarter."""
    totals = country.totals
    country.niche_revenue = [thousands * 1e3 / max(country.scale, 1.0) for thousands in totals.niche_revenue]
    country.peers = [
        SimpleNamespace(
            digital=cluster.digital / PARTS / max(cluster.firms, 1),
            governance=cluster.governance / PARTS / max(cluster.firms, 1),
            knowledge=cluster.knowledge * 1e3 / max(cluster.firms, 1),
        )
        for cluster in totals.clusters
    ]
    markets.share_credit(country)
    markets.compete(country)
    _measure_chains(totals, country)


def _add(firm: Firm, totals: SimpleNamespace, country) -> None:
    p = country.p
    place, able = country.place(firm), capability(firm, p)
    thousands = int(firm.revenue * 1e-3 + 0.5)

    def add(name: str, amount: int = 1) -> None:
        totals.cells[name, place, firm.sector] += amount

    def add_tier(name: str, amount: int = 1) -> None:
        totals.tiers[name, firm.tier] += amount

    people = int(firm.employment * PERSON_PARTS)
    effective = int(firm.employment * math.exp(firm.productivity) * PERSON_PARTS)
    for both in (add, add_tier):
        both("firms")
        both("employment", people)
        both("revenue", thousands)
        both("effective_employment", effective)
    add("young", firm.age < 14)
    add("equity", int(firm.equity * 1e-3))
    add("fund_backed", firm.has(FUND_BACKED))
    add("newcomers", firm.has(NEWCOMER))
    add("moved", firm.has(MOVED))
    add("linked", firm.customer != NEVER)
    odds = programme_effect(firm, country, "exports")
    if exports(firm, math.log(max(firm.employment, 1.0)), odds, country):
        add("exports", int(p.export_share * (firm.revenue * 1e-3)))
    if firm.employment >= COUNTED:
        level = digital_level(firm, p)
        for both in (add, add_tier):
            both("counted")
            both("digital_levels", level)
        add(f"level_{level}")
        for name in ("governance", "constraint", "refinement", "green"):
            add(name, int(getattr(firm, name) * PARTS))
    if firm.slot in country.research:
        true, reported, staff = country.research[firm.slot]
        for both in (add, add_tier):
            both("rd_true", true)
            both("rd_reported", reported)
        add("rd_firms")
        if firm.revenue >= 20e6:
            add("rd_firms_designated")
        add("rd_staff", staff)
    if firm.tier > 0:
        _add_certificate(firm, add, totals, country)
    _add_niche(firm, thousands, able, totals, country)
    if firm.cluster >= 0:
        _add_member(firm, thousands, totals.clusters[firm.cluster])
    if firm.leader is not None:
        add("suppliers")
        add("supplier_digital", int(firm.digital * PARTS))
        add("supplier_refinement", int(firm.refinement * PARTS))
        chain = totals.chains[firm.leader]
        chain.suppliers += 1
        chain.little_giants += firm.tier == 3
        chain.strength += int(able * thousands)
        chain.newcomers += firm.has(NEWCOMER)
        weakest = country.weakest[firm.leader]
        if firm.has(NEWCOMER) and weakest is not None and able >= country.qualified:
            # Newcomers are set to work where the chain is weakest.
            totals.niche_qualified[weakest] += int(p.newcomer_supply * thousands)


def _add_certificate(firm: Firm, add, totals: SimpleNamespace, country) -> None:
    add("innovative_smes")
    add("srdi_smes", firm.tier >= 2)
    add("little_giants", firm.tier == 3)
    add("listed", firm.tier >= 2 and firm.has(LISTED))
    add("awarded", firm.tier == 3 and is_running(firm.awarded_in, country.now, 12))
    if firm.tier >= 2:
        # A badge is genuine if last year's true R&D meets the intensity its own tier asks for.
        rules = country.rules
        asked = rules.srdi.rd_intensity_min
        if firm.tier == 3 and firm.revenue >= rules.little_giant.revenue_mid:
            asked = next_threshold(firm, rules)
        genuine = firm.rd_last_year * (1.0 - firm.relabelled) >= asked
        add("genuine_srdi", genuine)
        add("genuine_giants", genuine and firm.tier == 3)
    if firm.tier == 3:
        totals.county_giants[firm.county] += 1


def _add_niche(firm: Firm, thousands: int, able: float, totals: SimpleNamespace, country) -> None:
    totals.niche_revenue[firm.niche] += thousands
    if able >= country.qualified:
        totals.niche_qualified[firm.niche] += thousands


def _add_member(firm: Firm, thousands: int, cluster: SimpleNamespace) -> None:
    cluster.firms += 1
    cluster.srdi_smes += firm.tier >= 2
    cluster.little_giants += firm.tier == 3
    cluster.revenue += thousands
    cluster.digital += int(firm.digital * PARTS)
    cluster.governance += int(firm.governance * PARTS)
    cluster.knowledge += int(firm.knowledge * 1e-3)


def replaced(niche: int, totals: SimpleNamespace, p) -> float:
    """Share of a missing foreign supply that domestic firms replace: in full once their link counts as filled."""
    revenue = totals.niche_revenue[niche]
    if revenue == 0:
        return 0.0
    return p.substitution_max * min(totals.niche_qualified[niche] / max(p.gap_share * revenue, 1.0), 1.0)


def _times_lost(slack: float) -> float:
    """What a missing foreign supply takes, as a multiple of what is still sold."""
    return math.exp(-slack) - 1.0 if slack < 0.0 else 0.0


def _measure_chains(totals: SimpleNamespace, country) -> None:
    """Health of every chain: key links filled, links served, output lost and at risk; and its weakest key link."""
    p, world = country.p, country.world
    chains = range(len(world.chain_sector))
    of_chain: list[list[int]] = [[] for _ in chains]
    for niche, chain in enumerate(world.niche_chain):
        of_chain[chain].append(niche)
    totals.filled, totals.extension, totals.resilience, totals.lost, country.weakest = [], [], [], [], []
    for niches in of_chain:
        key = [niche for niche in niches if world.niche_promoted[niche]]
        at_work = [niche for niche in key if totals.niche_revenue[niche] > 0]
        filled = sum(totals.niche_qualified[niche] >= p.gap_share * totals.niche_revenue[niche] for niche in at_work)
        totals.filled.append(filled / len(key) if key else 1.0)
        if country.policy.model.frontier and totals.chains[len(totals.filled) - 1].suppliers == 0:
            totals.filled[-1] = 0.0
        totals.extension.append(
            sum(totals.niche_qualified[niche] > 0 for niche in niches) / len(niches) if niches else 1.0
        )
        at_stake = sum(totals.niche_revenue[niche] for niche in key)
        # The standard shock takes a key link's foreign supply; domestic firms replace a part.
        withstood = sum(
            totals.niche_revenue[niche] * (1.0 - p.standard_shock * (1.0 - replaced(niche, totals, p))) for niche in key
        )
        totals.resilience.append(withstood / at_stake if at_stake else 1.0)
        lost = sum(totals.niche_revenue[niche] * _times_lost(country.niche_slack[niche]) for niche in niches)
        whole = sum(totals.niche_revenue[niche] for niche in niches) + lost
        totals.lost.append(lost / whole if whole else 0.0)
        shares = [(totals.niche_qualified[niche] / totals.niche_revenue[niche], niche) for niche in at_work]
        country.weakest.append(min(shares)[1] if shares else None)
