"""The parts of a firm's quarter, each a loop over one tile that applies rules of `sim/mechanisms`.

`w` are the tile's columns, `r` its working rows, `x` its channels of support (see sim/tile.py). Loops
over all firms hold no branch that the compiler could not turn into a selection: they compute vacant
slots along and keep those as they were. What is rare is marked as an event and handled firm by firm.
`lo` is the slot of the tile's first firm, `n` the number of its slots.
"""

from __future__ import annotations

import math

import numpy as np

from sim.columns import FUND_BACKED, LISTED, MOVED, NEVER, NEWCOMER, SLACK_PARTS
from sim.draws import Purpose, uniform, uniform_pair
from sim.elementary import exp, log
from sim.flows import BIRTHS, CLOSED, DEATHS, FIRST_PRODUCTS, LISTINGS, LOST, MOVES, PASSED_ON, SPILLED
from sim.jit import part, rule
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
    linking_bound,
    purchase,
)
from sim.mechanisms.demand import annual_revenue, order_premium, smoothed_growth
from sim.mechanisms.digital import adoption
from sim.mechanisms.exports import exports
from sim.mechanisms.finance import (
    credit_constraint,
    debt_ratio,
    energy_burden,
    equity_round,
    net_margin,
    outside_equity,
)
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
    starting_intensity,
    switching_chance,
)
from sim.mechanisms.stress import slack
from sim.mechanisms.support import (
    X_ABSORPTION,
    X_APPLICATION,
    X_CREDIT,
    X_DEMONSTRATION,
    X_DIGITAL,
    X_EQUITY_ODDS,
    X_EQUITY_YUAN,
    X_EXPORTS,
    X_FIRSTS,
    X_GOVERNANCE,
    X_GREEN,
    X_LINKING,
    X_LISTING,
    X_MOVING,
    X_PEERS,
    X_POOLING,
    X_PRODUCTIVITY,
    X_REFINEMENT,
    X_RESEARCH_ODDS,
    X_RESEARCH_YUAN,
    X_SALES,
    X_SURVIVAL,
    X_TRANSFER,
)
from sim.mechanisms.turnover import entry_chance, exit_chance
from sim.slots import close, found
from sim.terms import SUPPORT_QUARTERS, has_award, runs
from sim.tile import fill_cells, list_places, stretch_end

EXIT = int(Purpose.EXIT)
ENTRY = int(Purpose.ENTRY)
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

_LOG_1000 = 6.907755  # of so many places, on which the bits of runs hang
#: New outside equity over revenue above which a firm's governance counts as backed by it (assumed).
_BACKED_ABOVE = 0.05


@rule
def size_factor(log_employment):
    """0 for a firm of one, 1 from 1,000 employees on: how much size alone modernises."""
    return min(log_employment / _LOG_1000, 1.0)


@rule
def slack_parts(log_output):
    """Log output in the fixed-point parts of the columns `slack` and `orders`."""
    return math.floor(log_output * SLACK_PARTS + 0.5)


@part
def survey(w, r, env, p, performers, n):
    """Where firms do not act: what counting them needs; returns the number of `performers`."""
    fill_cells(w, r.cell, env, n)
    for j in range(n):
        r.able[j] = capability(w.refinement[j], w.digital[j], w.knowledge[j], w.revenue[j], p)
    return list_places(w.rd_intensity, performers, n)


@part
def see_surroundings(w, r, x, env, n):
    """Fill the channels and what else a firm sees of its county, cluster, sector, programmes and chain leader."""
    fill_cells(w, r.cell, env, n)
    for j in range(n):
        r.founding[j] = env.county_entry[w.county[j]]
    first = 0
    while first < n:
        end = stretch_end(r.cell, first, n)
        sector = w.sector[first]
        r.revenue_per_worker[first:end] = env.sector_revenue_per_worker[sector]
        r.energy_rise[first:end] = env.sector_energy_rise[sector]
        r.manufacturing[first:end] = 1.0 if env.sector_manufacturing[sector] else 0.0
        first = end
    for j in range(n):
        clustered = w.cluster[j] >= 0
        cluster = max(w.cluster[j], 0)
        r.peers_digital[j] = env.cluster_digital[cluster] if clustered else 0.0
        r.peers_governance[j] = env.cluster_governance[cluster] if clustered else 0.0
        r.pooled[j] = env.cluster_knowledge[cluster] if clustered else 0.0
    for k in env.channels_used:
        for j in range(n):
            x[k, j] = 0.0
    if env.places_active[0]:
        _see_places(w, x, env, n)
    supported = 0
    for j in range(n):
        r.supplies_leader[j] = 1.0 if w.customer[j] <= -2 else 0.0
        supported |= w.support[j]
    for j in range(n):
        if r.supplies_leader[j] != 0.0:
            _add_row(x, env.channels_used, env.chain_effects, leader_of(w.customer[j]), j)
    if supported != 0:
        for j in range(n):
            for programme in range(env.programme_effects.shape[0]):
                if (w.support[j] >> programme) & 1:
                    _add_row(x, env.channels_used, env.programme_effects, programme, j)


@part
def _see_places(w, x, env, n):
    """Write what recognised clusters do for their members and counties, by stretches that share both."""
    first = 0
    while first < n:
        county, cluster = w.county[first], w.cluster[first]
        end = stretch_end(w.cluster, first, stretch_end(w.county, first, n))
        member = cluster >= 0 and env.cluster_active[cluster]
        if member or env.county_active[county]:
            for k in env.channels_used:
                effect = env.cluster_effects[cluster, k] if member else env.county_effects[county, k]
                x[k, first:end] = effect
        first = end


@part
def _add_row(x, used, effects, row, j):
    """Add one row of effects, float64 (rows, N_CHANNELS), to the channels of firm j."""
    for k in used:
        x[k, j] += effects[row, k]


@part
def turn_over(w, r, x, env, keys, p, flows, lo, n):
    """Exit and entry. Firms that live through the quarter are marked as live."""
    enters, exits = keys[ENTRY], keys[EXIT]
    survival = x[X_SURVIVAL]
    for j in range(n):
        employment = float(w.employment[j])
        vacant = employment == 0.0
        log_employment = log(max(employment, 1.0))
        closing = exit_chance(log_employment, w.age[j], w.productivity[j], w.leverage[j], survival[j], p)
        chance = entry_chance(r.founding[j], p) if vacant else closing
        happens = uniform(enters if vacant else exits, lo + j) < chance
        r.log_employment[j] = log_employment
        r.event[j] = 1.0 if happens else 0.0
        r.live[j] = 0.0 if vacant or happens else 1.0
    for j in range(n):
        if r.event[j] != 0.0:
            counts = flows[env.county_place[w.county[j]], w.sector[j]]
            if w.employment[j] == 0.0:
                found(w, j, lo + j, env, keys, p)
                counts[BIRTHS] += 1
            else:
                tier = w.tier[j]
                counts[DEATHS] += 1
                if tier > 0:
                    counts[CLOSED + tier - 1] += 1
                close(w, j)


@part
def feel_shocks(w, r, env, p, moment, flows, n):
    """Slack from a slump, a missing foreign supply and customers' lost orders; nothing in calm times."""
    orders = 0
    for j in range(n):
        orders |= w.orders[j]
    if not (env.disturbed[0] or orders != 0):
        for j in range(n):
            r.lost[j] = 0.0
            w.slack[j] = 0
        return
    for j in range(n):
        r.lost[j] = 0.0
        if r.live[j] != 0.0:
            own = env.sector_slack[w.sector[j]] + env.niche_slack[w.niche[j]]
            able = capability(w.refinement[j], w.digital[j], w.knowledge[j], w.revenue[j], p)
            r.lost[j] = slack(own, w.orders[j] / SLACK_PARTS, able, moment.substitution, p)
            w.slack[j] = slack_parts(r.lost[j])


@part
def sell(w, r, x, p, n):
    """Revenue and its smoothed growth."""
    channel = x[X_SALES]
    for j in range(n):
        live = r.live[j] != 0.0
        before = float(w.revenue[j])
        orders = order_premium(r.supplies_leader[j] != 0.0, w.customer[j] >= 0, p)
        revenue = annual_revenue(
            w.employment[j], w.productivity[j], r.revenue_per_worker[j], orders, channel[j] + r.lost[j], p
        )
        growth = smoothed_growth(w.growth[j], revenue, before, p)
        w.growth[j] = growth if live else w.growth[j]
        w.revenue[j] = revenue if live else w.revenue[j]


@part
def count_lost(w, r, env, flows, n):
    """Add the output lost to shocks to the flows."""
    for j in range(n):
        if r.lost[j] < 0.0:
            lost = 0.25e-3 * w.revenue[j] * (exp(-r.lost[j]) - 1.0)
            flows[env.county_place[w.county[j]], w.sector[j], LOST] += int(lost)


@part
def borrow(w, r, x, keys, p, moment, lo, n):
    """Margin, debt ratio and access to credit."""
    key = keys[FINANCE]
    eased = x[X_CREDIT]
    for j in range(n):
        live = r.live[j] != 0.0
        u, _ = uniform_pair(key, lo + j)
        margin = net_margin(w.productivity[j], energy_burden(r.energy_rise[j], w.green[j], p), p)
        leverage = debt_ratio(w.leverage[j], margin, u, p)
        constraint = credit_constraint(
            leverage,
            r.log_employment[j],
            w.tier[j] >= 2,
            w.flags[j] & LISTED != 0,
            eased[j],
            moment.credit_tightening,
            p,
        )
        r.margin[j] = margin
        w.leverage[j] = leverage if live else w.leverage[j]
        w.constraint[j] = constraint if live else w.constraint[j]


@part
def raise_equity(w, r, x, env, keys, p, flows, certified, performers, count, lo, n):
    """Money from the development fund, listings and equity rounds."""
    funded = x[X_EQUITY_YUAN]
    largest = 0.0
    for j in range(n):
        r.paid_in[j] = funded[j]
        largest = max(largest, funded[j])
    if largest > 0.0:
        for j in range(n):
            if funded[j] > 0.0 and r.live[j] != 0.0:
                w.flags[j] |= FUND_BACKED
    for m in range(list_places(w.tier, certified, n)):
        j = certified[m]
        tier = w.tier[j]
        if tier >= 2 and w.flags[j] & LISTED == 0:
            u = uniform(keys[LISTING], lo + j)
            if lists(tier, w.revenue[j], r.margin[j], x[X_LISTING, j], u, p):
                w.flags[j] |= LISTED
                r.paid_in[j] += p.listing_raise * w.revenue[j]
                flows[env.county_place[w.county[j]], w.sector[j], LISTINGS] += 1
    for m in range(count):
        j = performers[m]
        u, v = uniform_pair(keys[EQUITY], lo + j)
        r.paid_in[j] += equity_round(w.revenue[j], w.tier[j] >= 2, x[X_EQUITY_ODDS, j], u, v, p)
    for j in range(n):
        equity = outside_equity(w.equity[j], r.paid_in[j])
        w.equity[j] = equity if r.live[j] != 0.0 else w.equity[j]


@part
def choose_research(w, r, x, env, keys, p, moment, lo, n):
    """The yearly decision to start or stop R&D."""
    key = keys[RESEARCH_START]
    odds = x[X_RESEARCH_ODDS]
    sector_offset, county_offset = r.event, r.draw
    for j in range(n):
        sector_offset[j] = env.sector_research[w.sector[j]]
        county_offset[j] = env.county_research[w.county[j]]
    for j in range(n):
        chance = participation(r.log_employment[j], sector_offset[j], county_offset[j], moment.research_trend, p)
        u, _ = uniform_pair(key, lo + j)
        switches = u < switching_chance(w.rd_intensity[j], chance, w.constraint[j], odds[j], p)
        r.event[j] = 1.0 if switches and r.live[j] != 0.0 else 0.0
    for j in range(n):
        if r.event[j] != 0.0:
            norm = research_norm(env.sector_rd_norm[w.sector[j]], r.log_employment[j], p)
            _, v = uniform_pair(key, lo + j)
            w.rd_intensity[j] = 0.0 if w.rd_intensity[j] > 0.0 else starting_intensity(norm, v, p)


@part
def do_research(w, r, x, env, keys, aspiration_key, p, moment, performers, count, lo, n):
    """R&D of the firms that do it."""
    for j in range(n):
        r.funded[j] = 0.0
        r.aspires[j] = 0.0
        r.gain[j] = 0.0
    for m in range(count):
        j = performers[m]
        tier = w.tier[j]
        certified = tier >= 2
        revenue = float(w.revenue[j])
        constraint = float(w.constraint[j])
        log_employment = r.log_employment[j]
        norm = research_norm(env.sector_rd_norm[w.sector[j]], log_employment, p)
        threshold = next_threshold(tier, revenue, moment)
        reach = moment.reach_giant if certified else moment.reach_srdi
        worth = application_worth(constraint, w.governance[j], x[X_APPLICATION, j], moment.award_hope, p)
        aspiration, _ = uniform_pair(aspiration_key, lo + j)
        aspires = is_sme(w, env, j) and is_reached(aspiration, reach, log_employment, worth, p)
        u = uniform(keys[RESEARCH], lo + j)
        intensity = intensity_step(w.rd_intensity[j], norm, threshold, aspires, constraint, u, p)
        awarded = has_award(w, moment, j)
        added = added_research(awarded, moment.award_yuan, x[X_RESEARCH_YUAN, j], revenue, p)
        w.rd_intensity[j] = intensity
        r.funded[j] = intensity + added
        r.aspires[j] = aspires


@part
def report_research(w, r, keys, p, moment, performers, count, lo, n):
    """The yearly R&D report, where some relabel other spending."""
    for j in range(n):
        live = r.live[j] != 0.0
        w.rd_before[j] = w.rd_last_year[j] if live else w.rd_before[j]
        w.rd_last_year[j] = np.float32(0.0) if live else w.rd_last_year[j]
        w.relabelled[j] = np.float32(0.0) if live else w.relabelled[j]
    for m in range(count):
        j = performers[m]
        u = uniform(keys[RELABEL], lo + j)
        threshold = next_threshold(w.tier[j], w.revenue[j], moment)
        share = relabelled_share(r.funded[j], threshold, r.aspires[j] != 0.0, moment.audit_strictness, u, p)
        w.relabelled[j] = share
        w.rd_last_year[j] = r.funded[j] / (1.0 - share)


@part
def learn(w, r, x, env, p, flows, n):
    """The knowledge stock: own R&D, spillovers in the cluster, transfer from leaders and partners."""
    talent, pooling, share = x[X_ABSORPTION], x[X_POOLING], x[X_TRANSFER]
    for j in range(n):
        pooled = r.pooled[j] if w.rd_intensity[j] > 0.0 else 0.0
        absorptive = absorptive_capacity(w.digital[j], talent[j])
        r.spilled[j] = spillover(pooled, absorptive, pooling[j], p)
        r.passed_on[j] = transfer(share[j], w.revenue[j], absorptive)
    for j in range(n):
        own = 0.25 * r.funded[j] * w.revenue[j]
        stock = knowledge_stock(w.knowledge[j], own, r.spilled[j] + r.passed_on[j], p)
        w.knowledge[j] = stock if r.live[j] != 0.0 else w.knowledge[j]
    first = 0
    while first < n:
        end = stretch_end(r.cell, first, n)
        counts = flows[env.county_place[w.county[first]], w.sector[first]]
        counts[SPILLED] += _whole_sum(r.spilled[first:end], r.live[first:end])
        counts[PASSED_ON] += _whole_sum(r.passed_on[first:end], r.live[first:end])
        first = end


@part
def _whole_sum(values, live):
    """Sum of the values of live firms in whole yuan."""
    total = 0
    for j in range(len(values)):
        total += int(values[j]) if live[j] != 0.0 else 0
    return total


@part
def innovate(w, r, x, env, keys, p, flows, performers, count, lo):
    """Domestic firsts of the firms that do R&D."""
    for m in range(count):
        j = performers[m]
        sector = w.sector[j]
        u = uniform(keys[FIRSTS], lo + j)
        promoted = env.niche_promoted[w.niche[j]]
        if achieves_first(
            env.sector_manufacturing[sector], promoted, w.knowledge[j], w.revenue[j], x[X_FIRSTS, j], u, p
        ):
            r.gain[j] = p.first_gain
            flows[env.county_place[w.county[j]], sector, FIRST_PRODUCTS] += 1


@part
def modernise(w, r, x, p, moment, n):
    """Digital adoption and governance."""
    gained, peer_factor = x[X_DIGITAL], x[X_PEERS]
    now = moment.index
    for j in range(n):
        supported = runs(w.digitised_in[j], now, SUPPORT_QUARTERS)
        support = gained[j] + (moment.digital_effect if supported else 0.0)
        digital = adoption(
            w.digital[j],
            w.governance[j],
            w.constraint[j],
            size_factor(r.log_employment[j]),
            r.peers_digital[j],
            peer_factor[j],
            r.supplies_leader[j],
            support,
            p,
        )
        w.digital[j] = digital if r.live[j] != 0.0 else w.digital[j]
    demonstration, training = x[X_DEMONSTRATION], x[X_GOVERNANCE]
    for j in range(n):
        governance = governance_step(
            w.governance[j],
            size_factor(r.log_employment[j]),
            r.peers_governance[j],
            demonstration[j],
            training[j],
            w.equity[j] > _BACKED_ABOVE * w.revenue[j],
            p,
        )
        w.governance[j] = governance if r.live[j] != 0.0 else w.governance[j]


@part
def specialise(w, r, x, keys, aspiration_key, p, lo, n):
    """Main share, refinement and green maturity."""
    key = keys[CAPABILITY]
    abroad, raised, support = x[X_EXPORTS], x[X_REFINEMENT], x[X_GREEN]
    for j in range(n):
        live = r.live[j] != 0.0
        u, v = uniform_pair(key, lo + j)
        _, draw = uniform_pair(aspiration_key, lo + j)
        exporter = exports(draw, w.productivity[j], r.log_employment[j], abroad[j], p) and r.manufacturing[j] != 0.0
        main_share = main_share_step(w.main_share[j], r.aspires[j] != 0.0, u, p)
        refinement = refinement_step(
            w.refinement[j], w.digital[j], r.supplies_leader[j] != 0.0, exporter, raised[j], v, p
        )
        w.main_share[j] = main_share if live else w.main_share[j]
        w.refinement[j] = refinement if live else w.refinement[j]
    for j in range(n):
        green = green_step(w.green[j], w.governance[j], r.energy_rise[j], support[j], p)
        w.green[j] = green if r.live[j] != 0.0 else w.green[j]


@part
def _largest(values):
    largest = 0.0
    for value in values:
        largest = max(largest, value)
    return largest


@part
def change_customer(w, r, x, env, keys, p, lo, n):
    """Win and lose main customers: chain leaders and larger firms."""
    key = keys[CHAIN]
    linking = x[X_LINKING]
    openness, invited = _largest(env.chain_openness), _largest(env.chain_invitation)
    for j in range(n):
        able = capability(w.refinement[j], w.digital[j], w.knowledge[j], w.revenue[j], p)
        bound = linking_bound(able, size_factor(r.log_employment[j]), openness, invited, linking[j], p)
        u, v = uniform_pair(key, lo + j)
        r.able[j] = able
        r.draw[j] = v
        r.event[j] = 1.0 if (u < ending(able, p) + bound) and r.live[j] != 0.0 else 0.0
    for j in range(n):
        if r.event[j] != 0.0:
            u, v = uniform_pair(key, lo + j)
            _change_customer(w, r, linking[j], env, keys, p, lo, j, u, v)


@part
def _change_customer(w, r, odds, env, keys, p, lo, j, u, v):
    """Decide with the draw u what happens to the main customer of firm j."""
    able = r.able[j]
    size = size_factor(r.log_employment[j])
    niche = w.niche[j]
    chain = env.niche_chain[niche]
    # One draw: the chances stand side by side, above the chance that a link ends.
    x = u - ending(able, p)
    if x < 0.0:
        if w.customer[j] != NEVER:
            w.customer[j] = NEVER
            w.flags[j] &= 255 - NEWCOMER
            w.orders[j] = 0
        return
    if r.supplies_leader[j] != 0.0:
        return
    first = admission(able, size, env.chain_openness[chain], env.niche_promoted[niche], odds, p)
    other = int(v * len(env.chain_invitation))
    second = invitation(able, env.chain_invitation[other], p) if other != chain else 0.0
    if x < first:
        w.customer[j] = leader_code(chain)
    elif x < first + second:
        w.customer[j] = leader_code(other)
        w.flags[j] |= NEWCOMER
    elif w.customer[j] == NEVER and x < first + second + purchase(able, size, odds, p):
        u, v = uniform_pair(keys[CUSTOMER], lo + j)
        province = env.county_province[w.county[j]]
        provinces = env.move_cluster.shape[0]
        w.customer[j] = choose_buyer(env, chain, province, lo + j, w.revenue[j], u, v, provinces, p)


@part
def migrate(w, r, x, env, keys, p, flows, certified, lo, n):
    """The yearly move of firms on the ladder from urban districts to county clusters."""
    for m in range(list_places(w.tier, certified, n)):
        j = certified[m]
        tier = w.tier[j]
        if not env.county_urban[w.county[j]]:
            continue
        if w.cluster[j] >= 0 and env.cluster_active[w.cluster[j]]:
            continue
        sector = w.sector[j]
        province = env.county_province[w.county[j]]
        target = env.move_cluster[province, sector]
        u = uniform(keys[MOVE], lo + j)
        if target >= 0 and moves(tier, env.move_pull[province, sector], x[X_MOVING, j], u, p):
            w.cluster[j] = target
            w.county[j] = env.cluster_county[target]
            w.flags[j] |= MOVED
            flows[env.county_place[w.county[j]], sector, MOVES] += 1
    fill_cells(w, r.cell, env, n)


@part
def grow(w, r, x, keys, p, lo, n):
    """Productivity, employment and age."""
    lift = x[X_PRODUCTIVITY]
    luck, shock = keys[PRODUCTIVITY], keys[GROWTH]
    for j in range(n):
        employment = employment_step(
            w.employment[j],
            r.log_employment[j],
            w.productivity[j],
            w.constraint[j],
            r.supplies_leader[j] != 0.0,
            r.lost[j],
            uniform(shock, lo + j),
            p,
        )
        w.employment[j] = employment if r.live[j] != 0.0 else w.employment[j]
    for j in range(n):
        productivity = float(w.productivity[j])
        target = productivity_target(
            w.knowledge[j], w.revenue[j], w.digital[j], w.governance[j], lift[j], r.supplies_leader[j] != 0.0, p
        )
        moved = r.gain[j] + productivity_step(productivity, target, uniform(luck, lo + j), p)
        w.productivity[j] = moved if r.live[j] != 0.0 else productivity
    for j in range(n):
        w.age[j] += np.int16(r.live[j])
