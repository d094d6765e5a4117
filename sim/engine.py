"""The fused quarter: one pass over the firms that composes the mechanisms in model order."""

from __future__ import annotations

import math

from sim.columns import FUND_BACKED, LISTED, MOVED, NEVER, NEWCOMER, SLACK_PARTS
from sim.draws import Purpose, uniform, uniform_pair, unit_noise
from sim.jit import kernel, rule
from sim.ladder.application import application_worth, is_reached, is_sme
from sim.mechanisms.capability import green_step, main_share_step, refinement_step
from sim.mechanisms.chain_links import (
    admission,
    capability,
    choose_buyer,
    ending,
    invitation,
    leader_code,
    leader_of,
    purchase,
)
from sim.mechanisms.demand import annual_revenue, order_premium, smoothed_growth
from sim.mechanisms.digital import adoption
from sim.mechanisms.exports import exports
from sim.mechanisms.finance import credit_constraint, debt_ratio, energy_burden, net_margin, outside_equity
from sim.mechanisms.first_of_a_kind import achieves_first
from sim.mechanisms.governance import governance_step
from sim.mechanisms.growth import employment_step
from sim.mechanisms.knowledge import absorptive_capacity, knowledge_stock, spillover, transfer
from sim.mechanisms.listing import lists
from sim.mechanisms.migration import moves
from sim.mechanisms.productivity import productivity_step, productivity_target
from sim.mechanisms.research import (
    added_research,
    intensity_step,
    next_threshold,
    participation,
    relabelled_share,
    research_norm,
    start_or_stop,
)
from sim.mechanisms.stress import slack
from sim.mechanisms.support import CHANNEL_INDEX, add_programmes, add_row, clear
from sim.mechanisms.turnover import entry_chance, exit_chance

EXIT = int(Purpose.EXIT)
ENTRY = int(Purpose.ENTRY)
ENTRANT_SIZE = int(Purpose.ENTRANT_SIZE)
ENTRANT_TRAITS = int(Purpose.ENTRANT_TRAITS)
ENTRANT_SKILLS = int(Purpose.ENTRANT_SKILLS)
ENTRANT_QUALITY = int(Purpose.ENTRANT_QUALITY)
GROWTH = int(Purpose.GROWTH)
PRODUCTIVITY = int(Purpose.PRODUCTIVITY)
FINANCE = int(Purpose.FINANCE)
EQUITY = int(Purpose.EQUITY)
LISTING = int(Purpose.LISTING)
RESEARCH = int(Purpose.RESEARCH)
RESEARCH_START = int(Purpose.RESEARCH_START)
RELABEL = int(Purpose.RELABEL)
CAPABILITY = int(Purpose.CAPABILITY)
CHAIN = int(Purpose.CHAIN)
CUSTOMER = int(Purpose.CUSTOMER)
FIRSTS = int(Purpose.FIRSTS)
MOVE = int(Purpose.MOVE)

# Channels of support (see sim/mechanisms/support.py).
X_SURVIVAL = CHANNEL_INDEX["survival"]
X_SALES = CHANNEL_INDEX["sales"]
X_EXPORTS = CHANNEL_INDEX["exports"]
X_CREDIT = CHANNEL_INDEX["credit"]
X_EQUITY_ODDS = CHANNEL_INDEX["equity_odds"]
X_EQUITY_YUAN = CHANNEL_INDEX["equity_yuan"]
X_LISTING = CHANNEL_INDEX["listing"]
X_RESEARCH_ODDS = CHANNEL_INDEX["research_odds"]
X_RESEARCH_YUAN = CHANNEL_INDEX["research_yuan"]
X_ABSORPTION = CHANNEL_INDEX["absorption"]
X_POOLING = CHANNEL_INDEX["pooling"]
X_TRANSFER = CHANNEL_INDEX["transfer"]
X_DIGITAL = CHANNEL_INDEX["digital"]
X_PEERS = CHANNEL_INDEX["peers"]
X_GOVERNANCE = CHANNEL_INDEX["governance"]
X_DEMONSTRATION = CHANNEL_INDEX["demonstration"]
X_REFINEMENT = CHANNEL_INDEX["refinement"]
X_GREEN = CHANNEL_INDEX["green"]
X_PRODUCTIVITY = CHANNEL_INDEX["productivity"]
X_LINKING = CHANNEL_INDEX["linking"]
X_FIRSTS = CHANNEL_INDEX["firsts"]
X_APPLICATION = CHANNEL_INDEX["application"]
X_MOVING = CHANNEL_INDEX["moving"]

#: Flows that the quarter's pass counts, by place (province and county type) and sector.
FLOWS = (
    "births",
    "deaths",
    "closed_innovative",
    "closed_srdi",
    "closed_little_giant",
    "firsts",
    "listings",
    "moves",
    "spilled",  # yuan of knowledge
    "passed_on",  # yuan of knowledge
    "lost",  # thousand yuan of output
)
BIRTHS, DEATHS, CLOSED = 0, 1, 2  # CLOSED + tier - 1 is the column of a closed certificate
FIRST_PRODUCTS, LISTINGS, MOVES, SPILLED, PASSED_ON, LOST = 5, 6, 7, 8, 9, 10

#: An award is paid over three years, programme support acts for one year.
AWARD_QUARTERS = 12
SUPPORT_QUARTERS = 4


@rule
def size_factor(log_employment):
    """0 for a firm of one, 1 from 1,000 employees on: how much size alone modernises."""
    return min(log_employment / 6.907755, 1.0)


@rule
def runs(since, now, quarters):
    """Whether support granted at the end of quarter `since` for the next `quarters` is on."""
    return since != NEVER and 0 < now - since <= quarters


@rule
def parts(log_output):
    """Log output in the fixed-point parts of the columns `slack` and `orders`."""
    return math.floor(log_output * SLACK_PARTS + 0.5)


@kernel
def take_orders(firms, env, lo, hi):
    """Read the slack of every firm's main customer before the quarter's pass changes it.

    A link to a customer that has closed ends here. Writes the columns `orders` and `customer` of slots
    lo … hi-1 only, so that no pass reads what another thread writes.
    """
    for i in range(lo, hi):
        customer = firms.customer[i]
        if customer >= 0:
            if firms.employment[customer] == 0.0:
                firms.customer[i] = NEVER
                firms.orders[i] = 0
            else:
                firms.orders[i] = firms.slack[customer]
        elif customer <= -2:
            firms.orders[i] = parts(env.chain_slack[leader_of(customer)])


@kernel
def advance(firms, env, keys, aspiration_key, p, moment, channels, flows, lo, hi):
    """Advance the firms in slots lo … hi-1 by one quarter, in place.

    Args:
        firms: Columns; changed in place, only in the slots lo … hi-1.
        env: Environment of the quarter.
        keys: uint64 (purposes,), stream keys of the quarter.
        aspiration_key: uint64, stream of the draws that hold for a slot's whole run.
        p: parameter record. moment: MOMENT record.
        channels: float64 (N_CHANNELS,), scratch.
        flows: int64 (places, sectors, len(FLOWS)), added to.
    """
    now = moment.index
    provinces = env.move_cluster.shape[0]
    clear(channels)
    supported = False
    for i in range(lo, hi):
        sector = firms.sector[i]
        county = firms.county[i]
        place = env.county_place[county]
        if firms.employment[i] == 0.0:
            if uniform(keys[ENTRY], i) < entry_chance(env.county_entry[county], p):
                found(firms, env, keys, p, i)
                flows[place, sector, BIRTHS] += 1
            continue

        # What programmes, cluster and chain leader add
        cluster = firms.cluster[i]
        member = cluster >= 0 and env.cluster_active[cluster]
        leader = leader_of(firms.customer[i])
        linked = leader >= 0
        if supported:
            clear(channels)
            supported = False
        if firms.support[i] != 0:
            add_programmes(channels, firms.support[i], env.programme_effects)
            supported = True
        if member:
            add_row(channels, env.cluster_effects, cluster)
            supported = True
        elif env.county_active[county]:
            add_row(channels, env.county_effects, county)
            supported = True
        if linked:
            add_row(channels, env.chain_effects, leader)
            supported = True

        employment = float(firms.employment[i])
        log_employment = math.log(employment)
        productivity = float(firms.productivity[i])
        age = firms.age[i]
        tier = firms.tier[i]
        closing = exit_chance(log_employment, age, productivity, firms.leverage[i], channels[X_SURVIVAL], p)
        if uniform(keys[EXIT], i) < closing:
            flows[place, sector, DEATHS] += 1
            if tier > 0:
                flows[place, sector, CLOSED + tier - 1] += 1
            close(firms, i)
            continue

        peers_digital = 0.0
        peers_governance = 0.0
        pooled = 0.0
        if cluster >= 0:
            peers_digital = env.cluster_digital[cluster]
            peers_governance = env.cluster_governance[cluster]
            pooled = env.cluster_knowledge[cluster]
        certified = tier >= 2
        size = size_factor(log_employment)
        niche = firms.niche[i]
        promoted = env.niche_promoted[niche]
        digital = float(firms.digital[i])
        green = float(firms.green[i])
        knowledge = float(firms.knowledge[i])
        refinement = float(firms.refinement[i])
        aspiration, export_draw = uniform_pair(aspiration_key, i)

        # Demand
        revenue_before = float(firms.revenue[i])
        able = capability(refinement, digital, knowledge, revenue_before, p)
        own = env.sector_slack[sector] + env.niche_slack[niche]
        lost = slack(own, firms.orders[i] / SLACK_PARTS, able, moment.substitution, p)
        firms.slack[i] = parts(lost)
        orders = order_premium(linked, firms.customer[i] >= 0, p)
        sales = channels[X_SALES] + lost
        revenue = annual_revenue(employment, productivity, env.sector_revenue_per_worker[sector], orders, sales, p)
        if lost < 0.0:
            flows[place, sector, LOST] += int(0.25e-3 * revenue * (math.exp(-lost) - 1.0))
        firms.growth[i] = smoothed_growth(firms.growth[i], revenue, revenue_before, p)
        firms.revenue[i] = revenue
        exporter = env.sector_manufacturing[sector] and exports(
            export_draw, productivity, log_employment, channels[X_EXPORTS], p
        )

        # Finance
        u, v = uniform_pair(keys[FINANCE], i)
        burden = energy_burden(env.sector_energy_rise[sector], green, p)
        margin = net_margin(productivity, burden, p)
        leverage = debt_ratio(firms.leverage[i], margin, u, p)
        listed = firms.flags[i] & LISTED != 0
        constraint = credit_constraint(
            leverage, log_employment, certified, listed, channels[X_CREDIT], moment.credit_tightening, p
        )
        intensity = float(firms.rd_intensity[i])
        paid_in = channels[X_EQUITY_YUAN]
        if paid_in > 0.0:
            firms.flags[i] |= FUND_BACKED
        if certified and not listed and lists(tier, revenue, margin, channels[X_LISTING], uniform(keys[LISTING], i), p):
            firms.flags[i] |= LISTED
            paid_in += p.listing_raise * revenue
            flows[place, sector, LISTINGS] += 1
        u, v = uniform_pair(keys[EQUITY], i)
        equity = outside_equity(
            firms.equity[i], revenue, intensity > 0.0, certified, channels[X_EQUITY_ODDS], paid_in, u, v, p
        )
        firms.leverage[i] = leverage
        firms.constraint[i] = constraint
        firms.equity[i] = equity

        # Research
        governance = float(firms.governance[i])
        norm = research_norm(env.sector_rd_norm[sector], log_employment, p)
        if moment.number == 1:
            chance = participation(
                log_employment, env.sector_research[sector], env.county_research[county], moment.research_trend, p
            )
            u, v = uniform_pair(keys[RESEARCH_START], i)
            intensity = start_or_stop(intensity, chance, norm, constraint, channels[X_RESEARCH_ODDS], u, v, p)
        threshold = next_threshold(tier, revenue, moment)
        aspires = False
        added = 0.0
        if intensity > 0.0:
            reach = moment.reach_giant if certified else moment.reach_srdi
            worth = application_worth(constraint, governance, channels[X_APPLICATION], moment.award_hope, p)
            aspires = is_sme(firms, env, i) and is_reached(aspiration, reach, log_employment, worth, p)
            u = uniform(keys[RESEARCH], i)
            intensity = intensity_step(intensity, norm, threshold, aspires, constraint, u, p)
            awarded = tier == 3 and runs(firms.awarded_in[i], now, AWARD_QUARTERS)
            added = added_research(awarded, moment.award_yuan, channels[X_RESEARCH_YUAN], revenue, p)
        firms.rd_intensity[i] = intensity
        funded = intensity + added
        if moment.number == 4:
            u = uniform(keys[RELABEL], i)
            share = relabelled_share(funded, threshold, aspires, moment.audit_strictness, u, p)
            firms.relabelled[i] = share
            firms.rd_before[i] = firms.rd_last_year[i]
            firms.rd_last_year[i] = funded / (1.0 - share)

        # Knowledge and innovation
        if intensity == 0.0:
            pooled = 0.0
        absorptive = absorptive_capacity(digital, channels[X_ABSORPTION])
        spilled = spillover(pooled, absorptive, channels[X_POOLING], p)
        passed_on = transfer(channels[X_TRANSFER], revenue, absorptive)
        knowledge = knowledge_stock(knowledge, 0.25 * funded * revenue, spilled + passed_on, p)
        flows[place, sector, SPILLED] += int(spilled)
        flows[place, sector, PASSED_ON] += int(passed_on)
        firms.knowledge[i] = knowledge
        gain = 0.0
        if intensity > 0.0 and achieves_first(
            env.sector_manufacturing[sector],
            promoted,
            knowledge,
            revenue,
            channels[X_FIRSTS],
            uniform(keys[FIRSTS], i),
            p,
        ):
            gain = p.first_gain
            flows[place, sector, FIRST_PRODUCTS] += 1

        # Digital adoption and governance
        support = channels[X_DIGITAL]
        if runs(firms.digitised_in[i], now, SUPPORT_QUARTERS):
            support += moment.digital_effect
        digital = adoption(
            digital,
            governance,
            constraint,
            size,
            peers_digital,
            channels[X_PEERS],
            1.0 if linked else 0.0,
            support,
            p,
        )
        governance = governance_step(
            governance,
            size,
            peers_governance,
            channels[X_DEMONSTRATION],
            channels[X_GOVERNANCE],
            equity > 0.05 * revenue,
            p,
        )
        firms.digital[i] = digital
        firms.governance[i] = governance

        # Specialise, refine, go green
        u, v = uniform_pair(keys[CAPABILITY], i)
        firms.main_share[i] = main_share_step(firms.main_share[i], aspires, u, p)
        refinement = refinement_step(refinement, digital, linked, exporter, channels[X_REFINEMENT], v, p)
        firms.refinement[i] = refinement
        firms.green[i] = green_step(green, governance, env.sector_energy_rise[sector], channels[X_GREEN], p)

        # Chain links
        able = capability(refinement, digital, knowledge, revenue, p)
        u, v = uniform_pair(keys[CHAIN], i)
        chain = env.niche_chain[niche]
        if firms.customer[i] != NEVER and u < ending(able, p):
            firms.customer[i] = NEVER
            firms.flags[i] &= 255 - NEWCOMER
            firms.orders[i] = 0
        elif not linked:
            odds = channels[X_LINKING]
            first = admission(able, size, env.chain_openness[chain], promoted, odds, p)
            other = int(v * len(env.chain_invitation))
            second = invitation(able, env.chain_invitation[other], p) if other != chain else 0.0
            # One draw: the chances stand side by side, above the chance that a link ends.
            x = u - ending(able, p)
            if 0.0 <= x < first:
                firms.customer[i] = leader_code(chain)
            elif first <= x < first + second:
                firms.customer[i] = leader_code(other)
                firms.flags[i] |= NEWCOMER
            elif firms.customer[i] == NEVER and first + second <= x < first + second + purchase(able, size, odds, p):
                u, v = uniform_pair(keys[CUSTOMER], i)
                province = env.county_province[county]
                firms.customer[i] = choose_buyer(env, chain, province, i, revenue, u, v, provinces, p)

        # Move to a county cluster
        if moment.number == 1 and env.county_urban[county] and not member:
            province = env.county_province[county]
            target = env.move_cluster[province, sector]
            if target >= 0 and moves(
                tier, env.move_pull[province, sector], channels[X_MOVING], uniform(keys[MOVE], i), p
            ):
                firms.cluster[i] = target
                firms.county[i] = env.cluster_county[target]
                firms.flags[i] |= MOVED
                flows[env.county_place[firms.county[i]], sector, MOVES] += 1

        # Productivity and growth
        target_level = productivity_target(knowledge, revenue, digital, governance, channels[X_PRODUCTIVITY], linked, p)
        firms.productivity[i] = gain + productivity_step(productivity, target_level, uniform(keys[PRODUCTIVITY], i), p)
        firms.employment[i] = employment_step(
            employment, log_employment, productivity, constraint, linked, lost, uniform(keys[GROWTH], i), p
        )
        firms.age[i] = age + 1


@rule
def close(firms, i):
    """Clear a slot whose firm has closed; certificates and links end with the firm."""
    firms.employment[i] = 0.0
    firms.revenue[i] = 0.0
    firms.rd_intensity[i] = 0.0
    firms.relabelled[i] = 0.0
    firms.rd_last_year[i] = 0.0
    firms.rd_before[i] = 0.0
    firms.knowledge[i] = 0.0
    firms.equity[i] = 0.0
    firms.customer[i] = NEVER
    firms.support[i] = 0
    firms.slack[i] = 0
    firms.orders[i] = 0
    firms.flags[i] = 0
    firms.tier[i] = 0
    firms.innovative_since[i] = NEVER
    firms.srdi_since[i] = NEVER
    firms.giant_since[i] = NEVER
    firms.awarded_in[i] = NEVER
    firms.digitised_in[i] = NEVER


@rule
def found(firms, env, keys, p, i):
    """Put an entrant into slot i: small and varied; R&D, if any, comes later."""
    u, v = uniform_pair(keys[ENTRANT_SIZE], i)
    employment = max(math.exp(p.entrant_log_size + p.entrant_size_spread * unit_noise(u)), 1.0)
    productivity = p.entrant_productivity + p.productivity_spread * unit_noise(v)
    u, v = uniform_pair(keys[ENTRANT_TRAITS], i)
    sector = firms.sector[i]
    sales = env.sector_slack[sector] + env.niche_slack[firms.niche[i]]
    firms.employment[i] = employment
    firms.productivity[i] = productivity
    firms.revenue[i] = annual_revenue(employment, productivity, env.sector_revenue_per_worker[sector], 0.0, sales, p)
    firms.growth[i] = 0.0
    firms.main_share[i] = min(max(p.main_share_mean + 0.15 * unit_noise(u), 0.2), 1.0)
    firms.leverage[i] = p.leverage_mean * (0.6 + 0.8 * v)
    u, v = uniform_pair(keys[ENTRANT_SKILLS], i)
    firms.digital[i] = p.entrant_digital * 2.0 * u
    firms.governance[i] = p.entrant_governance * 2.0 * v
    firms.refinement[i] = 0.5 * p.refinement_base * (1.0 + uniform(keys[ENTRANT_QUALITY], i))
    firms.green[i] = 0.0
    firms.constraint[i] = 0.5
    firms.age[i] = 0
