"""The ladder: criteria clause by clause, application, assessment, ranking, review, audit."""

from __future__ import annotations

import math
from collections import Counter

from oracle.behaviour import is_reached, is_running, is_sme, net_margin, programme_effect
from oracle.draws import flat, uniform, uniform_pair
from oracle.firm import ENDED, NEVER, SINCE, Firm
from oracle.world import TIERS, read

CRITERIA = read("criteria")
CALENDAR = read("calendar")


# ---------------------------------------------------------------- what an assessor sees


def digital_level(firm: Firm, p) -> int:
    """Level 1 to 4."""
    return 1 + sum(firm.digital >= bound for bound in (p.digital_level2, p.digital_level3, p.digital_level4))


def seen_by_assessor(firm: Firm, country) -> dict[str, float]:
    """The fields that criteria may name."""
    p, world = country.p, country.world
    spending = firm.rd_last_year * firm.revenue
    patents = firm.knowledge / p.class1_cost
    promoted = 1 if world.niche_promoted[firm.niche] else 0
    needed = 0.05 if firm.revenue < 50e6 else 0.04 if firm.revenue < 200e6 else 0.03
    market = max(p.niche_claim * country.niche_revenue[firm.niche], 1.0)
    brand = firm.refinement >= p.brand_refinement
    return {
        "niche_years": firm.age / 4,
        "main_share": firm.main_share,
        "growth": firm.growth,
        "revenue_yuan": firm.revenue,
        "rd_intensity": firm.rd_last_year,
        "rd_intensity_before": firm.rd_before,
        "rd_spending_yuan": spending,
        "rd_spending_mean_yuan": (firm.rd_last_year + firm.rd_before) / 2 * firm.revenue,
        "equity_yuan": firm.equity,
        "digital_level": digital_level(firm, p),
        "quality_marks": (firm.refinement >= p.certificate_refinement)
        + brand
        + (firm.refinement >= p.standards_refinement),
        "own_brand": 1 if brand else 0,
        "net_margin": net_margin(firm, country),
        "debt_ratio": firm.leverage,
        "niche_share": min(firm.revenue / market, 1.0),
        "chain_role": promoted + (firm.leader is not None),
        "promoted": promoted,
        "class1_ip": patents,
        "rd_staff_share": min(
            p.rd_staff_cost_share * spending / p.rd_staff_cost / country.research_wage / firm.employment, 1.0
        ),
        "rd_institute": sum(spending >= bound for bound in (p.institute_own, p.institute_city, p.institute_provincial)),
        "high_tech": 1 if firm.rd_last_year >= needed and patents >= 1.0 else 0,
    }


# ---------------------------------------------------------------- the file of criteria, read as it stands


def holds(condition: dict, fields: dict, rules) -> bool:
    """A condition: a field with a bound, a number or the name of a threshold of the rules."""

    def bound(value):
        return getattr(rules, value) if isinstance(value, str) else value

    value = fields[condition["field"]]
    if "at_most" in condition:
        return value <= bound(condition["at_most"])
    return value >= bound(condition["at_least"])


def all_hold(alternative: dict, fields: dict, rules) -> bool:
    """An alternative: all its conditions hold."""
    return all(holds(condition, fields, rules) for condition in alternative["all"])


def meets_requirements(tier: str, fields: dict, rules) -> bool:
    """Every requirement has an alternative that holds."""
    return all(
        any(all_hold(alternative, fields, rules) for alternative in requirement["any"])
        for requirement in CRITERIA[tier].get("require", ())
    )


def points_of(item: dict, fields: dict) -> float:
    """Points of the first band reached."""
    value = fields[item["field"]]
    for bound, points in item["bands"]:
        if value <= bound if item.get("at_most") else value >= bound:
            return points
    return 0


def score(tier: str, fields: dict) -> float:
    """Points of 100."""
    return sum(points_of(item, fields) for item in CRITERIA[tier]["score"])


def passes_score(tier: str, fields: dict, rules, noise: float) -> bool:
    """Every group reaches its least points, and the score with the assessor's noise the pass mark."""
    for group, least in CRITERIA[tier].get("group_min", {}).items():
        if sum(points_of(item, fields) for item in CRITERIA[tier]["score"] if item["group"] == group) < least:
            return False
    return score(tier, fields) + noise >= rules.score_min


def meets(tier: str, fields: dict, rules, noise: float) -> bool:
    """Requirements, and the score or a condition that stands in for it."""
    if not meets_requirements(tier, fields, rules):
        return False
    if "score" not in CRITERIA[tier]:
        return True
    return passes_score(tier, fields, rules, noise) or any(
        all_hold(alternative, fields, rules) for alternative in CRITERIA[tier].get("direct", ())
    )


# ---------------------------------------------------------------- rounds


def hold_rounds(country) -> None:
    """What the calendar sets for this quarter: audit, reviews, batches."""
    when, p = CALENDAR["quarters"], country.p
    provincial = ("innovative", "srdi")
    if country.number == when["audit"]:
        audit(country)
    if country.number == when["provincial_recognition"]:
        for tier in provincial:
            review(tier, country)
            recognise(tier, 0.0, (p.second_call, 1.0), country)
    if country.number == when["national_batch"]:
        review("little_giant", country)
        recognise("little_giant", national_bar(country), (0.0, 1.0), country)
        count_champions(country)
    if country.number == when["provincial_second_call"]:
        for tier in provincial:
            recognise(tier, 0.0, (0.0, p.second_call), country)


def pilot_batch(country) -> dict | None:
    """This year's pilot batch of little giants, if there is one."""
    for batch in CALENDAR["pilot_batch"]:
        if batch["year"] == country.year:
            return batch
    return None


def national_bar(country) -> float:
    """Points asked of little giants: none in a pilot, more before the measures of 2022, others once the goal is met."""
    if pilot_batch(country):
        return 0.0
    bar = country.p.giant_bar + (country.p.early_notice if country.year < CALENDAR["measures"] else 0.0)
    return bar + (country.p.bar_after_goal if country.year >= CALENDAR["goal_met"] else 0.0)


def recognise(tier: str, bar: float, called: tuple[float, float], country) -> None:
    """One batch: who is eligible, applies and passes, ranked; the best within the year's capacity are certified."""
    if country.year < CALENDAR["first_year"][tier]:
        return
    ranks = {firm.slot: rank for firm in country.firms if (rank := assess(firm, tier, bar, called, country))}
    lowest = lowest_admitted(ranks.values(), room_left(tier, country))
    for slot, rank in ranks.items():
        if rank >= lowest:
            certify(country.firms[slot], TIERS.index(tier) + 1, country.now)
            country.count((tier, "granted"), country.firms[slot])
            country.granted_this_year[tier] += 1
    country.bound[tier] = "capacity" if lowest > 1 else "eligibility"


def assess(firm: Firm, tier: str, bar: float, called: tuple[float, float], country) -> int | None:
    """Rank of an applicant that passes; None for all others."""
    p, code = country.p, TIERS.index(tier) + 1
    if firm.vacant or not lowest_applicant(tier, country) <= firm.tier < code or not is_sme(firm, country):
        return None
    u, v = uniform_pair(country.key("assessment"), firm.slot)
    noise = p.assessment_noise * flat(u)
    fields = seen_by_assessor(firm, country)
    if not meets(tier, fields, getattr(country.rules, tier), noise):
        return None
    country.count((tier, "eligible"), firm)
    served = programme_effect(firm, country, "application")
    reach = country.reach[tier][country.world.county_province[firm.county]]
    if not is_reached(firm, reach, math.log(firm.employment), served + rush(tier, country), country):
        return None
    if not called[0] <= uniform(country.lifelong("call"), firm.slot) < called[1]:
        return None
    country.count((tier, "applied"), firm)
    points = score("srdi", fields) + noise
    if tier == "little_giant":
        points += country.county_bonus(firm.county)
    if tier == "srdi":
        own = country.world.province_srdi[country.world.county_province[firm.county]].bar
        bar = p.provincial_bar + p.province_differences * own
    if points < bar:
        return None
    country.count((tier, "passed"), firm)
    return rank_of(points, v)


def rush(tier: str, country) -> float:
    """Log-odds by which firms hurry in the last year before rules that let fewer of them pass."""
    now, then = (getattr(rules, tier).model_dump() for rules in (country.rules, country.policy.rules))

    def harder(name: str) -> bool:
        if name == "capacity":
            return then[name] is not None and (now[name] is None or then[name] < now[name])
        return then[name] > now[name] if name.endswith("_min") else name.endswith("_max") and then[name] < now[name]

    return country.p.apply_rush if 1 <= country.ahead <= 4 and any(map(harder, now)) else 0.0


def rank_of(points: float, u: float) -> int:
    """590 ranks a point, from 1; the draw parts those of equal points."""
    return int(1 + min(max(points, 0.0), 109.0) * 590.0 + u * 589.0)


def lowest_applicant(tier: str, country) -> int:
    """Code of the tier an applicant must hold: the one below, once it exists; none in a pilot batch."""
    below = TIERS.index(tier)
    if below == 0 or country.year < CALENDAR["first_year"][TIERS[below - 1]]:
        return 0
    batch = pilot_batch(country) if tier == "little_giant" else None
    return 0 if batch and batch["recommended_directly"] else below


def room_left(tier: str, country) -> int | None:
    """Certificates the year's capacity leaves, in simulated firms; None without a capacity."""
    limits = [getattr(country.rules, tier).capacity]
    if tier == "little_giant" and pilot_batch(country):
        limits.append(pilot_batch(country)["capacity"])
    limits = [limit for limit in limits if limit is not None]
    if not limits:
        return None
    return max(round(min(limits) * country.scale) - country.granted_this_year[tier], 0)


def lowest_admitted(ranks, room: int | None) -> int:
    """The lowest rank at which no more than `room` firms are admitted; firms of equal rank stand or fall together."""
    if room is None:
        return 1
    best_first = sorted(ranks, reverse=True)
    if len(best_first) <= room:
        return 1
    return best_first[room] + 1


def certify(firm: Firm, code: int, now: int) -> None:
    """A certificate brings the lower ones with it."""
    firm.tier = code
    for lower in range(1, code + 1):
        setattr(firm, SINCE[lower], now)


def end_certificate(firm: Firm, code: int, now: int) -> None:
    """A certificate ends; a little giant's award ends with it for good."""
    setattr(firm, SINCE[code], NEVER)
    if code == 3 and firm.awarded_in != NEVER:
        firm.awarded_in = ENDED + 1 + now if is_running(firm.awarded_in, now, 12) else ENDED


def review(tier: str, country) -> None:
    """Certificates that would outlive their validity before the next review are renewed, or the firm falls."""
    code, rules = TIERS.index(tier) + 1, getattr(country.rules, tier)
    strictness = rules.review_strictness
    if 0.0 < strictness < 1.0:
        log_odds = math.log(strictness / (1.0 - strictness))
        log_odds += country.p.review_spread * flat(uniform(country.key("review_year"), code - 1))
        strictness = 1.0 / (1.0 + math.exp(-log_odds))
    for firm in country.firms:
        if firm.tier != code or country.now - getattr(firm, SINCE[code]) <= 4 * rules.validity_years - 4:
            continue
        country.count((tier, "reviewed"), firm)
        u, _ = uniform_pair(country.key("assessment"), firm.slot)
        noise = country.p.assessment_noise * flat(u)
        fields = seen_by_assessor(firm, country)
        fields["growth"] += country.p.review_allowance
        lenient = uniform(country.key("review"), firm.slot) >= strictness
        held = code
        while held > 0:
            name = TIERS[held - 1]
            if is_sme(firm, country) and meets(name, fields, getattr(country.rules, name), noise):
                break
            if held == code and lenient:
                break
            end_certificate(firm, held, country.now)
            country.count((name, "lapsed"), firm)
            held -= 1
        if held == code:
            country.count((tier, "renewed"), firm)
        certify(firm, held, country.now)


def audit(country) -> None:
    """A certified firm caught with relabelled R&D loses every certificate."""
    for firm in country.firms:
        if firm.tier == 0 or firm.relabelled == 0.0:
            continue
        chance = country.p.audit_coverage * country.rules.audit_strictness
        if uniform(country.key("audit"), firm.slot) < chance:
            country.count((TIERS[firm.tier - 1], "revoked"), firm)
            for code in range(firm.tier, 0, -1):
                end_certificate(firm, code, country.now)
            firm.tier = 0


def count_champions(country) -> None:
    """Manufacturers of any size with R&D that meet a single champion's criteria."""
    country.champions = Counter()
    for firm in country.firms:
        makes_and_researches = country.world.sector_manufacturing[firm.sector] and firm.rd_intensity > 0.0
        if makes_and_researches and meets_requirements("single_champion", seen_by_assessor(firm, country), None):
            country.champions[country.place(firm), firm.sector] += 1
