"""Shocks, provinces, chain leaders, larger firms that buy, clusters with their commons, and the cluster contest."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import Counter
from itertools import accumulate

from oracle.counts import PARTS, replaced
from oracle.draws import uniform, uniform_pair
from oracle.firm import NEVER, Firm
from oracle.ladder import CALENDAR
from oracle.support import reaches_county, reaches_sector, share_paid, strength
from oracle.world import TIERS

COMMONS = ("finance", "talent", "infrastructure", "brand", "services", "culture")


def bring_shocks(country) -> None:
    """The scenario's shocks of this quarter: lost demand, missing supply, credit, energy."""
    shocks, world = country.policy.shocks, country.world

    def severity(shock) -> float:
        return shock.severity if shock.acts_in(country.quarter) else 0.0

    slump, foreign = severity(shocks.demand_slump), severity(shocks.foreign_supply)
    for sector, name in enumerate(world.sector_names):
        hit = not shocks.demand_slump.sectors or name in shocks.demand_slump.sectors
        country.sector_slack[sector] = math.log(1.0 - slump) if hit else 0.0
        country.energy_rise[sector] = severity(shocks.energy_price) * world.sector_energy[sector]
    country.substitution = 1.0 if shocks.foreign_supply.substitution else 0.0
    for niche, hit in enumerate(world.niche_hit):
        # Qualified domestic firms of the niche replace a part.
        missing = foreign * (1.0 - country.substitution * replaced(niche, country.totals, country.p))
        country.niche_slack[niche] = math.log(max(1.0 - missing, 0.02)) if hit else 0.0
    country.credit_tightening = severity(shocks.credit_crunch)


def make_known(country) -> None:
    """Each tier's reach follows a logistic diffusion over the years; SRDI programmes differ between provinces."""
    p, year = country.p, country.year + country.number / 4.0
    for tier, name in zip(TIERS, ("innovative", "srdi", "giant"), strict=True):
        ceiling, middle, width = (getattr(p, f"reach_{name}_{part}") for part in ("max", "mid", "width"))
        country.reach[tier] = []
        for own in country.world.province_srdi:
            most, late = ceiling, 0.0
            if tier == "srdi" and p.province_differences * own.reach != 0.0:
                odds = ceiling / (1.0 - ceiling) if ceiling < 1.0 else math.inf
                odds *= math.exp(p.province_differences * own.reach)
                most = odds / (1.0 + odds) if odds < math.inf else 1.0
            if tier == "srdi":
                late = p.province_differences * own.delay
            country.reach[tier].append(most / (1.0 + math.exp(-(year - middle - late) / width)))


# ---------------------------------------------------------------- chains


def lead_chains(country) -> None:
    """Leaders open up where key links of their chain lack qualified supply, or policy engages them."""
    p, world = country.p, country.world
    openness = country.policy.levers.chain_leader_openness
    engaged, released = engage("chain_leader_openness", country), engage("innovation_release", country)
    for chain, own in enumerate(world.chain_openness):
        gaps = 1.0 - country.totals.filled[chain]
        target = own + (1.0 - own) * gaps + engaged[chain] * openness.openness
        country.chain_openness[chain] += p.openness_response * (min(target, 1.0) - country.chain_openness[chain])
        country.chain_invitation[chain] = min(gaps * (1.0 + engaged[chain] * openness.invitation), 1.0)
        country.chain_effects[chain] = {"transfer": p.release_transfer * (p.release_base + released[chain])}
        held_up = min(p.bottleneck * country.totals.lost[chain], 0.95)
        country.chain_slack[chain] = country.sector_slack[world.chain_sector[chain]] + math.log(1.0 - held_up)


def engage(name: str, country) -> list[float]:
    """Engagement of every leader; if an even share of the money over the quarters left is short, in proportion."""
    lever, account, world = getattr(country.policy.levers, name), country.accounts[name], country.world
    leaders = [
        (not lever.provinces or world.province_names[home] in lever.provinces) and reaches_sector(lever, sector, world)
        for home, sector in zip(world.chain_home, world.chain_sector, strict=True)
    ]
    if not country.acts(name) or not any(leaders):
        return [0.0] * len(leaders)
    wanted = lever.leader_yuan / 4.0 * lever.intensity * sum(leaders)
    # A leader counts as a firm of its home province's urban districts.
    at = Counter(
        (home + len(world.province_names), sector)
        for home, sector, reached in zip(world.chain_home, world.chain_sector, leaders, strict=True)
        if reached
    )
    paid = account.spend(min(wanted, account.available / lever.quarters_left(country.quarter)), at)
    engaged = strength(lever, lever.leader_yuan, country) * paid / wanted
    return [engaged if reached else 0.0 for reached in leaders]


def find_buyers(country) -> None:
    """Firms of `buyer_min_employment` or more by chain and province, in proportion to whose revenue firms link."""
    world = country.world
    country.buyers = {}
    for firm in country.firms:
        if firm.employment >= country.p.buyer_min_employment:
            chain = world.niche_chain[firm.niche]
            province = world.county_province[firm.county]
            # Those of the whole chain stand by province, then by slot.
            country.buyers.setdefault((chain, province), []).append((firm.slot, firm.revenue))


def choose_buyer(firm: Firm, country) -> int:
    """A buyer of the firm's chain, of its own province first; none if the one drawn is not larger than the firm."""
    world = country.world
    chain, province = world.niche_chain[firm.niche], world.county_province[firm.county]
    u, v = uniform_pair(country.key("customer"), firm.slot)
    buyers = country.buyers.get((chain, province), [])
    if u >= country.p.link_local or not buyers:
        groups = (country.buyers.get((chain, other), []) for other in range(len(world.province_names)))
        buyers = [buyer for group in groups for buyer in group]
    if not buyers:
        return NEVER
    upto = list(accumulate(revenue for _, revenue in buyers))
    slot, revenue = buyers[min(bisect_right(upto, v * upto[-1]), len(buyers) - 1)]
    return NEVER if slot == firm.slot or revenue <= firm.revenue else slot


# ---------------------------------------------------------------- clusters


def strength_of(parts: list[float]) -> float:
    """Strength of a cluster's commons."""
    return sum(parts) / len(parts)


def build_commons(country) -> None:
    """c ← c + (1 − c) · growth by the grant − decay; what members gain from each part."""
    p, levers, recognised = country.p, country.policy.levers, country.recognised
    if not recognised:
        return
    lever = levers.cluster_recognition
    unit = lever.commons_yuan / 4.0 * lever.intensity
    grant = unit * share_paid("cluster_recognition", unit * len(recognised), recognised, country)
    opened = open_up(country)
    weights = [getattr(lever, f"{part}_weight") for part in COMMONS]
    for cluster in recognised:
        parts = country.commons[cluster]
        for k, weight in enumerate(weights):
            dose = 4.0 * grant / p.commons_reference_yuan
            if country.policy.model.dose:
                dose **= p.dose_elasticity
            growth = p.commons_speed * dose * weight / strength_of(weights)
            parts[k] = min(max(parts[k] + (1.0 - parts[k]) * growth - p.commons_decay * parts[k], 0.0), 1.0)
        c = dict(zip(COMMONS, parts, strict=True))
        country.cluster_effects[cluster] = {
            "credit": p.constraint_commons * c["finance"],
            "absorption": p.commons_absorption * c["talent"],
            "research_odds": p.commons_research * c["talent"],
            "productivity": p.commons_productivity * c["infrastructure"],
            "refinement": p.commons_refinement * c["brand"],
            "sales": p.commons_sales * c["brand"],
            "peers": c["services"],
            "pooling": c["culture"] + p.open_pooling * opened[cluster],
            "demonstration": p.governance_demo * c["culture"],
        }


def open_up(country) -> dict[int, float]:
    """Strength of open innovation in each recognised cluster."""
    lever, world = country.policy.levers.open_innovation, country.world
    reached = {
        cluster: reaches_county(lever, world.cluster_county[cluster], world)
        and reaches_sector(lever, world.cluster_sector[cluster], world)
        for cluster in country.recognised
    }
    wanted = lever.cluster_yuan / 4.0 * lever.intensity * sum(reached.values())
    share = share_paid("open_innovation", wanted, [one for one, here in reached.items() if here], country)
    opened = strength(lever, lever.cluster_yuan, country) * share
    return {cluster: opened * here for cluster, here in reached.items()}


def spill_over(country) -> None:
    """A share of the members' gains reaches the other firms of the county, the strongest of each effect."""
    country.county_effects = {}
    for cluster in country.recognised:
        here = country.county_effects.setdefault(country.world.cluster_county[cluster], {})
        for name, value in country.cluster_effects[cluster].items():
            here[name] = max(here.get(name, 0.0), country.p.commons_spillover * value)


def attract(country) -> None:
    """Yearly: the county cluster that draws each sector's movers, of their own province if it has one."""
    world, key = country.world, country.key("move_target")
    country.movers_to = {}
    best: dict[tuple[int | None, int], float] = {}
    for cluster in country.recognised:
        if world.county_urban[world.cluster_county[cluster]]:
            continue
        rank = strength_of(country.commons[cluster]) * uniform(key, cluster)
        province = world.county_province[world.cluster_county[cluster]]
        for place in (province, None):
            where = place, world.cluster_sector[cluster]
            if where not in best or rank > best[where]:
                best[where] = rank
                country.movers_to[where] = cluster


def hold_contest(country) -> None:
    """Yearly: recognise the best cluster candidates, no province with more than its share."""
    world, p, totals = country.world, country.p, country.totals
    lever, preference = country.policy.levers.cluster_recognition, country.policy.levers.county_preference
    if country.number != CALENDAR["quarters"]["cluster_recognition"] or not country.acts("cluster_recognition"):
        return
    sums = totals.clusters
    national = sum(cluster.srdi_smes for cluster in sums) / max(sum(cluster.firms for cluster in sums), 1)
    weight = 50.0 * country.scale
    merit = []
    for cluster, (county, seen) in enumerate(zip(world.cluster_county, sums, strict=True)):
        quality = (seen.srdi_smes + weight * national) / (seen.firms + weight)
        points = min(10.0 * quality, 1.0) + seen.digital / PARTS / max(seen.firms, 1)
        points += 0.1 * math.log(world.cluster_concentration[cluster])
        if country.acts("county_preference") and not world.county_urban[county]:
            points += preference.contest_bonus * preference.intensity
        merit.append(points + p.cluster_contest_noise * uniform(country.key("cluster_contest"), cluster))
    most = max(1, round(p.cluster_province_share * lever.per_year))
    won: dict[int, int] = {}
    places = lever.per_year
    for cluster in sorted(range(len(merit)), key=lambda cluster: (-merit[cluster], cluster)):
        county, sector = world.cluster_county[cluster], world.cluster_sector[cluster]
        province = world.county_province[county]
        if places == 0:
            break
        reached = reaches_county(lever, county, world) and reaches_sector(lever, sector, world)
        if country.cluster_recognised[cluster] is not None or not reached or won.get(province, 0) >= most:
            continue
        won[province] = won.get(province, 0) + 1
        country.cluster_recognised[cluster] = country.now
        country.recognised.append(cluster)
        places -= 1
