"""What one firm does in a quarter. Each function is one mechanism; `live` has them in their order.

A firm sees the country as it was when the quarter began, and of other firms only its main customer's state at the end
of the quarter before. So the order of the firms does not matter.
"""

from __future__ import annotations

import math
from types import SimpleNamespace

from oracle.draws import flat, laplace, uniform, uniform_pair
from oracle.firm import FUND_BACKED, LISTED, MOVED, NEVER, NEWCOMER, SINCE, Firm, close, found, rd_firm_effect, serves
from oracle.world import read

LOG_20, LOG_50 = math.log(20.0), math.log(50.0)
#: Log output is passed on in these parts.
PARTS = 4096


# ---------------------------------------------------------------- what several mechanisms ask


def size_of(log_employment: float) -> float:
    """0 for one employee, 1 from 1,000 on."""
    return min(log_employment / math.log(1000.0), 1.0)


def is_sme(firm: Firm, country) -> bool:
    """Employees or revenue below the sector's limit."""
    world = country.world
    return (
        firm.employment < world.sector_sme_employees[firm.sector]
        or firm.revenue < world.sector_sme_revenue[firm.sector]
    )


def capability(firm: Firm, p) -> float:
    """As a supplier: mean of refinement, digital maturity and the depth of knowledge."""
    depth = firm.knowledge / (firm.knowledge + p.capability_depth * firm.revenue)
    return (firm.refinement + firm.digital + depth) / 3.0


def is_running(since: int, now: int, quarters: int) -> bool:
    """Whether what was granted at the end of quarter `since` acts now."""
    return since != NEVER and since < now <= since + quarters


def programme_effect(firm: Firm, country, channel: str) -> float:
    """What the programmes that support the firm do on a channel."""
    return sum(
        effects.get(channel, 0.0) for bit, effects in enumerate(country.programme_effects) if firm.support >> bit & 1
    )


def exports(firm: Firm, log_employment: float, odds: float, country) -> bool:
    """Whether a manufacturer sells abroad: logistic in productivity, size and trade services."""
    p = country.p
    if not country.world.sector_manufacturing[firm.sector]:
        return False
    _, draw = uniform_pair(country.lifelong("aspiration"), firm.slot)
    x = p.export_base + p.export_productivity * firm.productivity + p.export_size * (log_employment - LOG_20) + odds
    return draw < 1.0 / (1.0 + math.exp(-x))


def is_reached(firm: Firm, reach: float, log_employment: float, extra_log_odds: float, country) -> bool:
    """Whether a programme that reaches the share `reach` reaches this firm and it finds applying worth the effort.

    Odds reach/(1 − reach) · (L/50)^β · exp(worth), against a draw the firm keeps for life; `extra_log_odds` adds to
    the worth.
    """
    p = country.p
    if reach <= 0.0:
        return False
    worth = (
        p.apply_constraint * (firm.constraint - p.constraint_reference)
        + p.apply_governance * (firm.governance - p.apply_governance_reference)
        + extra_log_odds
        + country.award_hope
    )
    odds = reach / max(1.0 - reach, 1e-6) * math.exp(p.reach_size * (log_employment - LOG_50) + worth)
    return uniform(country.lifelong("aspiration"), firm.slot) < odds / (1.0 + odds)


def added_research(firm: Firm, support_yuan: float, country) -> float:
    """True R&D that public money adds, share of revenue."""
    award = 0.0
    if firm.tier == 3 and is_running(firm.awarded_in, country.now, 12):
        award = 4.0 * country.p.award_additionality * country.award_yuan
    return min((award + support_yuan) / firm.revenue, 0.5)


def next_threshold(firm: Firm, rules) -> float:
    """R&D intensity the next tier, or the highest one held, asks of a firm of this revenue."""
    if firm.tier < 2 or firm.revenue < rules.little_giant.revenue_mid:
        return max(rules.srdi.rd_intensity_min, rules.srdi.rd_spending_min / firm.revenue)
    if firm.revenue < rules.little_giant.revenue_large:
        return rules.little_giant.rd_intensity_mid_min
    return rules.little_giant.rd_intensity_min


def own_threshold(firm: Firm, rules) -> float:
    """R&D intensity that a review of the held certificate asks for."""
    if firm.tier == 3:
        return next_threshold(firm, rules)
    return max(rules.srdi.rd_intensity_min, rules.srdi.rd_spending_min / firm.revenue)


def comes_up(firm: Firm, country) -> bool:
    """Whether an SRDI or little-giant certificate is in its last year."""
    name = {2: "srdi", 3: "little_giant"}.get(firm.tier)
    if name is None:
        return False
    years = getattr(country.rules, name).validity_years
    return country.now - getattr(firm, SINCE[firm.tier]) >= 4 * years - 4


# ---------------------------------------------------------------- the quarter


def look_at_customer(firm: Firm, country) -> None:
    """Lost orders of the main customer, before anybody acts; a link to a firm that has closed ends."""
    if firm.customer >= 0:
        customer = country.firms[firm.customer]
        if customer.vacant:
            firm.customer, firm.orders = NEVER, 0
        else:
            firm.orders = customer.slack
    elif firm.leader is not None:
        firm.orders = math.floor(country.chain_slack[firm.leader] * PARTS + 0.5)


def see(firm: Firm, country) -> SimpleNamespace:
    """What reaches the firm: commons of its place, its leader, its programmes; and its peers."""
    channels: dict[str, float] = {}

    def add(effects: dict[str, float]) -> None:
        for name, value in effects.items():
            channels[name] = channels.get(name, 0.0) + value

    if firm.cluster >= 0 and country.cluster_recognised[firm.cluster] is not None:
        add(country.cluster_effects.get(firm.cluster, {}))
    else:
        add(country.county_effects.get(firm.county, {}))
    if firm.leader is not None:
        add(country.chain_effects[firm.leader])
    for bit, effects in enumerate(country.programme_effects):
        if firm.support >> bit & 1:
            add(effects)
    employment = max(firm.employment, 1.0)
    return SimpleNamespace(
        channel=lambda name: channels.get(name, 0.0),
        peers=country.peers[firm.cluster] if firm.cluster >= 0 else country.no_peers,
        serves_leader=firm.leader is not None,
        employment=employment,
        log_employment=math.log(employment),
        size=size_of(math.log(employment)),
        energy_rise=country.energy_rise[firm.sector],
        lost=0.0,  # log output lost to shocks
        demand_change=0.0,
        rd_earlier=0.0,
        margin=0.0,
        funded=0.0,  # R&D with what public money adds, share of revenue
        aspires=False,
        first=False,
    )


def live(firm: Firm, country) -> None:
    """One quarter of one slot."""
    if firm.vacant:
        if uniform(country.key("entry"), firm.slot) < entry_chance(firm, country):
            found(firm, country)
            country.count("births", firm)
        return
    seen = see(firm, country)
    if uniform(country.key("exit"), firm.slot) < exit_chance(firm, seen, country.p):
        country.count("deaths", firm)
        if firm.tier > 0:
            country.count(("closed_innovative", "closed_srdi", "closed_little_giant")[firm.tier - 1], firm)
        close(firm)
        return
    feel_shocks(firm, seen, country)
    sell(firm, seen, country)
    borrow(firm, seen, country)
    raise_equity(firm, seen, country)
    if country.number == 1:
        start_or_stop_research(firm, seen, country)
    if firm.rd_intensity > 0.0:
        do_research(firm, seen, country)
    if country.number == 4:
        report_research(firm, seen, country)
    learn(firm, seen, country)
    make_a_first(firm, seen, country)
    adopt_digital(firm, seen, country)
    modernise_governance(firm, seen, country)
    specialise_and_refine(firm, seen, country)
    go_green(firm, seen, country)
    change_customer(firm, seen, country)
    if country.number == 1:
        move_to_county(firm, seen, country)
    grow(firm, seen, country)
    firm.age += 1


def entry_chance(firm: Firm, country) -> float:
    """Chance that the vacant slot is taken: rate times attraction of the county."""
    return min(country.p.entry_rate * country.world.county_entry[firm.county], 0.5)


def exit_chance(firm: Firm, seen, p) -> float:
    """h₀ exp(−a ln L − b prod + c max(0, λ − λ̄) − x) · (1 + age in years)^−γ."""
    x = -p.exit_size * seen.log_employment - p.exit_productivity * firm.productivity
    x += p.exit_leverage * max(0.0, firm.leverage - p.leverage_mean) - seen.channel("survival")
    return min(p.exit_base * math.exp(x) * (1.0 + firm.age / 4.0) ** -p.exit_age, 0.5)


def feel_shocks(firm: Firm, seen, country) -> None:
    """Own shock plus what a main customer's lost orders leave: s = z + θ (1 − ψ q) s_c, not below −4."""
    p = country.p
    own = country.sector_slack[firm.sector] + country.niche_slack[firm.niche]
    finds_others = p.redirect * country.substitution * capability(firm, p)
    seen.lost = max(own + p.order_share * (1.0 - finds_others) * firm.orders / PARTS, -4.0)
    firm.slack = math.floor(seen.lost * PARTS + 0.5)


def sell(firm: Firm, seen, country) -> None:
    """R = L · w · exp(a + x + s − e b) · (1 + o), and growth as a mean of about two years."""
    p = country.p
    premium = 0.0
    if seen.serves_leader:
        premium = p.order_premium
    elif firm.customer >= 0:
        premium = p.order_premium_buyer
    pressure = country.niche_pressure[firm.niche]
    # What lasts of demand counts once: the part that staff have followed is theirs.
    carried = p.staff_response * firm.demand / PARTS
    if p.staff_response > 0.0:
        demand = math.floor(PARTS * (seen.channel("sales") + pressure + math.log(1.0 + premium)) + 0.5)
        seen.demand_change, firm.demand = (demand - firm.demand) / PARTS, demand
    making = -p.rd_revenue_fall * rd_firm_effect(firm, country)
    level = math.exp(firm.productivity + seen.channel("sales") + seen.lost + pressure - carried + making)
    per_worker = country.revenue_per_worker[firm.sector] * level * (1.0 + premium)
    # R&D staff sell nothing: R = (L − n R) y.
    revenue = firm.employment * per_worker / (1.0 + idle_staff(country) * firm.rd_intensity * per_worker)
    seen.rd_earlier = firm.rd_intensity
    yearly = min(max(4.0 * math.log(revenue / firm.revenue), -2.0), 2.0)
    firm.growth = firm.growth + p.growth_memory * (yearly - firm.growth)
    firm.revenue = revenue
    if seen.lost < 0.0:
        country.count("lost", firm, int(0.25e-3 * firm.revenue * (math.exp(-seen.lost) - 1.0)))


def idle_staff(country) -> float:
    """R&D staff on the payroll per yuan of R&D."""
    p = country.p
    return p.research_staff_drawn * p.rd_staff_cost_share / (p.rd_staff_cost * country.research_wage)


def borrow(firm: Firm, seen, country) -> None:
    """Margin m̄ + s a − energy; debt reverts to a target that falls with it; logistic credit constraint."""
    p = country.p
    seen.margin = net_margin(firm, country)
    target = p.leverage_mean - p.leverage_margin * (seen.margin - p.margin_mean)
    noise = p.leverage_noise * flat(uniform(country.key("finance"), firm.slot))
    leverage = min(max(firm.leverage + p.leverage_speed * (target - firm.leverage) + noise, 0.02), 1.5)
    x = p.constraint_base + p.constraint_leverage * (leverage - p.leverage_mean)
    x -= p.constraint_size * (seen.log_employment - LOG_20)
    x += country.credit_tightening - seen.channel("credit")
    x += country.crowded_out[country.world.county_province[firm.county]]
    if firm.tier >= 2:
        x -= p.constraint_signal
    if firm.has(LISTED):
        x -= p.listing_credit
    firm.leverage = leverage
    firm.constraint = 1.0 / (1.0 + math.exp(-x))
    responds = 1e-3 * firm.revenue * firm.constraint * (1.0 - firm.constraint)
    if country.counts_credit:
        country.count("credit_responsive", firm, int(responds))
        country.count("credit_eased", firm, int(responds * seen.channel("credit")))


def net_margin(firm: Firm, country) -> float:
    """Margin, less the part of dearer energy that the firm bears and does not save."""
    p = country.p
    burden = p.energy_incidence * country.energy_rise[firm.sector] * (1.0 - p.green_saving * firm.green)
    return p.margin_mean + p.margin_productivity * firm.productivity - burden - research_cost(firm, country)


def research_cost(firm: Firm, country) -> float:
    """What R&D costs beyond the sector's usual, after tax, less the public money that pays for it."""
    p = country.p
    added = added_research(firm, programme_effect(firm, country, "research_yuan"), country)
    over = firm.rd_intensity + added - country.world.sector_rd_usual[firm.sector]
    paid = programme_effect(firm, country, "grant_yuan")
    if firm.tier == 3 and is_running(firm.awarded_in, country.now, 12):
        paid += 4.0 * country.award_yuan
    false = firm.rd_last_year * firm.relabelled if firm.rd_intensity > 0.0 else 0.0
    return p.research_expensed * ((1.0 - p.tax_relief) * over - paid / firm.revenue - p.tax_relief * false)


def raise_equity(firm: Firm, seen, country) -> None:
    """The fund, a listing, an equity round; the stock of new equity fades by an eighth a quarter."""
    p = country.p
    paid_in = seen.channel("equity_yuan")
    if paid_in > 0.0:
        firm.flags |= FUND_BACKED
    may_list = firm.tier >= 2 and not firm.has(LISTED)
    if may_list and firm.revenue >= p.listing_revenue and seen.margin >= p.listing_margin:
        chance = p.listing_rate * (1.0 if firm.tier == 3 else p.listing_srdi) * (1.0 + seen.channel("listing"))
        country.count("listing_applications", firm, int(chance * 2**20))
        if uniform(country.key("listing"), firm.slot) < chance * country.admitted:
            firm.flags |= LISTED
            paid_in += p.listing_raise * firm.revenue
            country.count("listings", firm)
    if firm.rd_intensity > 0.0:
        u, v = uniform_pair(country.key("equity"), firm.slot)
        rate = p.equity_rate * (1.0 + p.equity_signal if firm.tier >= 2 else 1.0)
        if u < rate * (1.0 + seen.channel("equity_odds")):
            paid_in += p.equity_size * min(firm.revenue, p.equity_revenue_max) * (0.3 + 1.4 * v)
    firm.equity = 0.875 * firm.equity + paid_in


def research_norm(firm: Firm, seen, country) -> float:
    """Intensity a performer tends to: its sector's, by a factor of its own, falling with size above `rd_norm_size`.

    The sector's is of performers, whose factors are larger than others', as they select themselves into R&D.
    """
    p = country.p
    variance = p.rd_lasting * p.rd_spread**2
    norm = p.rd_norm_level * country.world.sector_rd_norm[firm.sector] / math.exp(p.rd_size * p.rd_selection * variance)
    norm *= math.exp(rd_firm_effect(firm, country))
    return norm * min((seen.employment / p.rd_norm_size) ** -p.rd_norm_fall, 1.0)


def start_or_stop_research(firm: Firm, seen, country) -> None:
    """Yearly: who does R&D stops with h (1−π), not with an SRDI certificate; who does none starts with h π · access."""
    p, world = country.p, country.world
    u, v = uniform_pair(country.key("research_start"), firm.slot)
    trend = p.rd_shift + p.rd_trend * min(country.now / 4.0, p.rd_trend_years)
    x = world.sector_research[firm.sector] + world.county_research[firm.county] + trend
    x += p.rd_size * (seen.log_employment - LOG_20 + p.rd_selection * rd_firm_effect(firm, country))
    takes_part = 1.0 / (1.0 + math.exp(-x))
    if firm.rd_intensity > 0.0:
        if firm.tier < 2 and u < p.rd_reconsider * (1.0 - takes_part):
            firm.rd_intensity = 0.0
        return
    access = (1.0 - firm.constraint) / (1.0 - p.constraint_reference)
    access *= country.research_price**-p.research_price_elasticity
    if u < p.rd_reconsider * takes_part * access * (1.0 + seen.channel("research_odds")):
        passing = p.rd_spread * math.sqrt(1.0 - p.rd_lasting) * flat(v)
        firm.rd_intensity = research_norm(firm, seen, country) * math.exp(passing - p.rd_starter_gap)


def do_research(firm: Firm, seen, country) -> None:
    """ln r ← ln r + κ (ln r̄ − ln r) + pull of the next threshold + noise; public money adds to it."""
    p = country.p
    reach = country.reach["little_giant" if firm.tier >= 2 else "srdi"][country.world.county_province[firm.county]]
    seen.aspires = is_sme(firm, country) and is_reached(
        firm, reach, seen.log_employment, seen.channel("application"), country
    )
    threshold, effort = next_threshold(firm, country.aims), 0.0
    if firm.tier >= 2 and is_sme(firm, country) and not seen.aspires:
        seen.aspires, threshold = True, own_threshold(firm, country.aims)
    if p.review_effort and is_sme(firm, country) and comes_up(firm, country):
        effort, seen.aspires, threshold = p.review_effort, True, own_threshold(firm, country.aims)
    drift = p.rd_reversion * math.log(research_norm(firm, seen, country) / firm.rd_intensity)
    # An autoregressive process keeps its variance v if its noise has v (1 - (1 - reversion)^2).
    kept = 1.0 - p.rd_reversion
    noise = p.rd_spread * math.sqrt((1.0 - p.rd_lasting) * (1.0 - kept * kept))
    drift += noise * flat(uniform(country.key("research"), firm.slot)) - p.rd_smoothing * country.demand_swing
    aim = max([threshold, *worthwhile_bands(firm, country)])
    chance = relabelling_chance(firm.rd_intensity, threshold if firm.rd_intensity < threshold else aim, country)
    relabels = uniform(country.lifelong("relabel"), firm.slot) < chance
    pulled = seen.aspires and not (p.relabel_lasting and relabels)
    if pulled and p.pull_width * threshold <= firm.rd_intensity < p.pull_aim * aim:
        drift += p.pull_speed * (1.0 + effort) * (1.0 - firm.constraint)
    intensity = min(firm.rd_intensity * math.exp(drift), 0.6)
    seen.funded = intensity + added_research(firm, seen.channel("research_yuan"), country)
    seen.threshold = threshold
    firm.rd_intensity = intensity


def worthwhile_bands(firm: Firm, country) -> list[float]:
    """R&D that earns points, up to the first band with the same part of them as the pass mark is of 100.

    None for a firm that cares for the threshold alone.
    """
    if uniform_pair(country.lifelong("relabel"), firm.slot)[1] >= country.p.points_aim:
        return []
    bands = next(item["bands"] for item in read("criteria")["srdi"]["score"] if item["field"] == "rd_intensity")
    most = max(points for _, points in bands)
    enough = min(bound for bound, points in bands if 100.0 * points >= country.aims.srdi.score_min * most)
    return [bound for bound, _ in bands if bound <= enough]


def relabelling_chance(intensity: float, threshold: float, country) -> float:
    """Highest at the threshold and above; below, it falls with the square of the missing share, out to the reach."""
    p = country.p
    missing = max(0.0, 1.0 - intensity / threshold) if threshold else 0.0
    if intensity < (1.0 - p.relabel_reach) * threshold:
        return 0.0
    kept = 1.0 - p.relabel_fall * (missing / p.relabel_reach) ** 2 if missing else 1.0
    return p.relabel_chance * (1.0 - country.rules.audit_strictness) * kept


def report_research(firm: Firm, seen, country) -> None:
    """At the year's end, some relabel other spending to report a trace more than the threshold, or than a band above.

    Who holds a certificate and relabels goes on doing so when it aspires no more.
    """
    p = country.p
    firm.rd_before = firm.rd_last_year
    firm.relabelled = firm.rd_last_year = 0.0
    if firm.rd_intensity == 0.0:
        return
    share = 0.0
    threshold = seen.threshold if seen.aspires else own_threshold(firm, country.aims)
    if seen.aspires or (p.relabel_lasting and firm.tier >= 2):
        u = uniform(country.lifelong("relabel") if p.relabel_lasting else country.key("relabel"), firm.slot)
        levels = [threshold, *(band for band in worthwhile_bands(firm, country) if band > threshold)]
        dared = [level for level in levels if u < relabelling_chance(seen.funded, level, country)]
        if dared and seen.funded < max(dared):
            share = 1.0 - seen.funded / (1.002 * max(dared))
    firm.relabelled = share
    firm.rd_last_year = seen.funded / (1.0 - share)


def learn(firm: Firm, seen, country) -> None:
    """K ← (1 − δ/4) K + own R&D + spillover of the cluster (for performers) + transfer."""
    p = country.p
    absorbs = min(firm.digital + seen.channel("absorption"), 1.0)
    pool = seen.peers.knowledge if firm.rd_intensity > 0.0 else 0.0
    open_to_it = p.commons_base + seen.channel("pooling")
    spilled = p.knowledge_spillover / 4.0 * absorbs * open_to_it * pool
    passed_on = absorbs * seen.channel("transfer") * firm.revenue / 4.0
    own = seen.funded * firm.revenue / 4.0 / country.research_price
    firm.knowledge = (1.0 - p.knowledge_depreciation / 4.0) * firm.knowledge + own + spilled + passed_on
    country.count("spilled", firm, int(spilled))
    country.count("passed_on", firm, int(passed_on))


def make_a_first(firm: Firm, seen, country) -> None:
    """A domestic first by a manufacturer of a promoted product: chance f · depth of knowledge · (1 + x)."""
    p, world = country.p, country.world
    if firm.rd_intensity == 0.0 or not world.sector_manufacturing[firm.sector] or not world.niche_promoted[firm.niche]:
        return
    depth = firm.knowledge / (firm.knowledge + p.capability_depth * firm.revenue)
    if uniform(country.key("firsts"), firm.slot) < p.first_rate * depth * (1.0 + seen.channel("firsts")):
        seen.first = True
        country.count("firsts", firm)


def adopt_digital(firm: Firm, seen, country) -> None:
    """d ← d + (1 − d) · min[(own + peer + leader) · (½ + g) · (1 − c) + support, ½]."""
    p = country.p
    peer = p.digital_peer * max(0.0, seen.peers.digital - firm.digital) * (1.0 + seen.channel("peers"))
    leader = p.digital_leader if seen.serves_leader else 0.0
    support = seen.channel("digital")
    if is_running(firm.digitised_in, country.now, 4):
        support += country.digital_effect
    rate = (p.digital_own * seen.size + peer + leader) * (0.5 + firm.governance) * (1.0 - firm.constraint) + support
    firm.digital = min(firm.digital + (1.0 - firm.digital) * min(rate, 0.5), 1.0)


def modernise_governance(firm: Firm, seen, country) -> None:
    """g ← g + (1 − g) · min[own · size + demonstration · max(0, ḡ − g) + training + equity, ½]."""
    p = country.p
    rate = p.governance_own * seen.size + seen.channel("governance")
    rate += seen.channel("demonstration") * max(0.0, seen.peers.governance - firm.governance)
    if firm.equity > 0.05 * firm.revenue:
        rate += p.governance_equity
    firm.governance = min(firm.governance + (1.0 - firm.governance) * min(rate, 0.5), 1.0)


def specialise_and_refine(firm: Firm, seen, country) -> None:
    """Main share and refinement revert to levels that aspiration, and leader, exports and brand raise."""
    p = country.p
    u, v = uniform_pair(country.key("capability"), firm.slot)
    target = p.main_share_mean + (p.main_share_aspiration if seen.aspires else 0.0)
    moved = firm.main_share + p.main_share_speed * (target - firm.main_share) + p.main_share_noise * flat(u)
    target = p.refinement_base + p.refinement_digital * firm.digital + seen.channel("refinement")
    if seen.serves_leader:
        target += p.refinement_leader
    if exports(firm, seen.log_employment, seen.channel("exports"), country):
        target += p.refinement_export
    firm.main_share = min(max(moved, 0.2), 1.0)
    moved = firm.refinement + p.refinement_speed * (target - firm.refinement) + p.refinement_noise * flat(v)
    firm.refinement = min(max(moved, 0.0), 1.0)


def go_green(firm: Firm, seen, country) -> None:
    """g ← g + (1 − g) · min[a₀ (½ + gov) + a_p ε Δ + x, ½]."""
    p = country.p
    rate = p.green_own * (0.5 + firm.governance) + p.green_price * seen.energy_rise + seen.channel("green")
    firm.green = min(firm.green + (1.0 - firm.green) * min(rate, 0.5), 1.0)


def change_customer(firm: Firm, seen, country) -> None:
    """One draw decides: the link ends, the chain's leader admits, another leader invites, a larger firm buys."""
    p, world = country.p, country.world
    able = capability(firm, p)
    u, v = uniform_pair(country.key("chain"), firm.slot)
    chain = world.niche_chain[firm.niche]
    ends = p.unlink_rate * (1.5 - able)
    if u < ends:
        if firm.customer != NEVER:
            firm.customer, firm.orders = NEVER, 0
            firm.flags &= ~NEWCOMER
        return
    if seen.serves_leader:
        return
    u -= ends
    more = 1.0 + seen.channel("linking")
    rate = p.link_rate if world.niche_promoted[firm.niche] else p.link_rate_other
    admitted = min(rate * country.chain_openness[chain] * able * able * seen.size * more, 1.0)
    other = int(v * len(country.chain_invitation))
    invited = 0.0 if other == chain else min(p.newcomer_rate * country.chain_invitation[other] * able * able, 1.0)
    bought = min(p.link_rate_buyer * able * seen.size * more, 1.0)
    if u < admitted:
        firm.customer = serves(chain)
    elif u < admitted + invited:
        firm.customer = serves(other)
        firm.flags |= NEWCOMER
    elif firm.customer == NEVER and u < admitted + invited + bought:
        firm.customer = country.buyer_for(firm)


def move_to_county(firm: Firm, seen, country) -> None:
    """Yearly: firms on the ladder leave urban districts for this year's county cluster of their sector."""
    world = country.world
    if firm.tier == 0 or not world.county_urban[firm.county]:
        return
    if firm.cluster >= 0 and country.cluster_recognised[firm.cluster] is not None:
        return
    target = country.move_target(firm)
    if target is None:
        return
    chance = country.p.move_rate * country.strength_of(target) * (1.0 + seen.channel("moving"))
    if uniform(country.key("move"), firm.slot) < chance:
        firm.cluster = target
        firm.county = world.cluster_county[target]
        firm.flags |= MOVED
        country.count("moves", firm)


def grow(firm: Firm, seen, country) -> None:
    """Employment: Gibrat with a tent, in lumps; productivity: towards what its traits and commons explain."""
    p = country.p
    change = (
        p.growth_base
        + p.growth_productivity * firm.productivity
        - p.growth_constraint * firm.constraint
        - p.growth_size * seen.log_employment
        + p.growth_slack * seen.lost
        + (p.growth_orders if seen.serves_leader else 0.0)
    )
    change += p.staff_response * seen.demand_change
    change += idle_staff(country) * (firm.rd_intensity - seen.rd_earlier) * firm.revenue / firm.employment
    u = uniform(country.key("growth"), firm.slot)
    if u < p.growth_lumps:
        scale = p.growth_noise / math.sqrt(p.growth_lumps) * seen.employment**-p.growth_noise_size
        change += scale * laplace(u / p.growth_lumps)
    firm.employment = max(firm.employment * math.exp(min(max(change, -1.0), 1.0)), 1.0)

    target = p.knowledge_elasticity * math.log(1.0 + firm.knowledge / (p.knowledge_unit * firm.revenue))
    target += firm.permanent / PARTS
    target += p.governance_productivity * (firm.governance - p.governance_reference)
    target += p.digital_productivity * firm.digital * firm.governance
    target += seen.channel("productivity") + (p.leader_learning if seen.serves_leader else 0.0)
    noise = p.productivity_noise * flat(uniform(country.key("productivity"), firm.slot))
    moved = firm.productivity + p.productivity_speed * (target - firm.productivity) + noise
    firm.productivity = min(max(moved, -3.0), 3.0) + (p.first_gain if seen.first else 0.0)
