"""The core step in columnar NumPy, as an expert would write it.

The rules, parameters, columns and counter-based draws are those of `sim/engine.py`, so that the two can be
compared firm by firm. Written for speed: arithmetic in float32 as the columns are stored, blocks of slots that
stay in the processor's cache, rules for few firms (research, listing, links, moves) on those firms only, and a
channel that no lever feeds costs nothing. NumPy works on one thread.
"""

from __future__ import annotations

import math
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np

from benchmarks.state import CoreState, local_effects, plain_record, timed
from sim.columns import FUND_BACKED, LISTED, MOVED, NEVER, NEWCOMER, SLACK_PARTS, Columns
from sim.draws import Purpose
from sim.environment import Environment
from sim.flows import BIRTHS, CLOSED, DEATHS, FIRST_PRODUCTS, LISTINGS, LOST, MOVES, PASSED_ON, SPILLED
from sim.mechanisms.support import CHANNEL_INDEX
from sim.terms import AWARD_QUARTERS, SUPPORT_QUARTERS

#: Slots that go through the step at a time: the fastest of 2^12 to 2^18 where it was measured.
BLOCK = 1 << 17
LOG_20, LOG_50 = math.log(20.0), math.log(50.0)
GOLDEN, MIX_1, MIX_2 = (np.uint64(n) for n in (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB))
#: What a closed firm leaves in its slot.
CLEARED: tuple[str, ...]
CLEARED = ("employment", "revenue", "rd_intensity", "relabelled", "rd_last_year", "rd_before", "knowledge", "equity")
CLEARED += ("support", "slack", "orders", "flags", "tier")
FORGOTTEN = ("customer", "innovative_since", "srdi_since", "giant_since", "awarded_in", "digitised_in")


# --- draws, float32 in (0, 1) for slots given as uint64 positions (slot + 1) · GOLDEN


def raw_bits(key: np.uint64, position: np.ndarray) -> np.ndarray:
    """64 random bits, uint64."""
    x = position + key
    x ^= x >> np.uint64(30)
    x *= MIX_1
    x ^= x >> np.uint64(27)
    x *= MIX_2
    x ^= x >> np.uint64(31)
    return x


def high(raw: np.ndarray) -> np.ndarray:
    """First uniform draw: the upper 23 bits."""
    return ((raw >> np.uint64(41)).astype(np.int32).astype(np.float32) + np.float32(0.5)) * np.float32(2.0**-23)


def low(raw: np.ndarray) -> np.ndarray:
    """Second uniform draw: the lower 23 bits."""
    bits = raw.astype(np.uint32) & np.uint32(0x7FFFFF)
    return (bits.view(np.int32).astype(np.float32) + np.float32(0.5)) * np.float32(2.0**-23)


def noise(u: np.ndarray) -> np.ndarray:
    """Flat noise of mean 0 and variance 1."""
    return (u - np.float32(0.5)) * np.float32(3.4641016)


# --- the step


def step(state: CoreState) -> None:
    """Advance all firms of a state by one quarter, in place."""
    columns = state.columns
    take_orders(columns, state.environment)
    quarter = _quarter(state)
    slots = len(columns.employment)
    for start in range(0, slots, BLOCK):
        block = Columns(*(column[start : start + BLOCK] for column in columns))
        advance(block, np.uint64(start), quarter)


def take_orders(columns: Columns, env: Environment) -> None:
    """The main customers' slack, before the quarter changes it; links to closed customers end."""
    rows = np.flatnonzero(columns.customer != NEVER)
    customer = columns.customer[rows]
    led = customer <= -2
    leaders_slack = np.floor(env.chain_slack * SLACK_PARTS + 0.5).astype(np.int16)
    columns.orders[rows[led]] = leaders_slack[-2 - customer[led]]
    rows, customer = rows[~led], customer[~led]
    closed = columns.employment[customer] == 0.0
    columns.orders[rows] = np.where(closed, 0, columns.slack[customer])
    columns.customer[rows[closed]] = NEVER


def _quarter(state: CoreState) -> SimpleNamespace:
    """What holds for every block: float32 tables, Python numbers, one row of support for every place."""
    env, flows = state.environment, state.flows
    wide = {"buyer_weight", "buyer_revenue"}
    narrow = {
        name: value.astype(np.float32) if value.dtype == np.float64 and name not in wide else value
        for name, value in env._asdict().items()
    }
    places = local_effects(env).astype(np.float32)
    p = plain_record(state.parameters)
    return SimpleNamespace(
        env=SimpleNamespace(**narrow),
        key={purpose: state.keys[purpose] for purpose in Purpose},
        aspiration_key=state.aspiration_key,
        p=p,
        moment=plain_record(state.moment),
        flows=flows.reshape(-1, flows.shape[-1]),
        sectors=flows.shape[1],
        place_effects=np.ascontiguousarray(places.T),
        # Row -1 stands for firms without a cluster or a leader.
        chain_effects=np.pad(narrow["chain_effects"].T, ((0, 0), (0, 1))),
        peers={name: np.append(narrow[f"cluster_{name}"], np.float32(0)) for name in ("digital", "governance")},
        fed={
            name: [bool(effects[:, k].any()) for effects in (places, env.chain_effects, env.programme_effects)]
            for name, k in CHANNEL_INDEX.items()
        },
        calm=not (env.sector_slack.any() or env.niche_slack.any()),
    )


def advance(c: Columns, start: np.uint64, q: SimpleNamespace) -> None:
    """Advance one block of slots; `start` is its first slot."""
    living = c.employment > 0
    vacant = np.flatnonzero(~living)
    f = _exits(c, np.flatnonzero(living), start, q)
    _entries(c, vacant, start, q)
    _demand(c, f, q)
    _finance(c, f, q)
    _research(c, f, q)
    _knowledge(c, f, q)
    _adopt(c, f, q)
    _capabilities(c, f, q)
    _chain_links(c, f, q)
    if q.moment.number == 1:
        _moves(c, f, q)
    _grow(c, f, q)


def _place(c: Columns, rows: np.ndarray, start: np.uint64, q: SimpleNamespace) -> SimpleNamespace:
    """Firms in `rows` of the block: where they are and who supports them."""
    county, cluster, customer = c.county[rows], c.cluster[rows], c.customer[rows]
    return SimpleNamespace(
        rows=rows,
        start=int(start),
        position=(rows.astype(np.uint64) + (start + np.uint64(1))) * GOLDEN,
        county=county,
        cluster=cluster,
        sector=c.sector[rows],
        place=np.where(cluster >= 0, cluster, len(q.env.cluster_active) + county),
        leader=np.where(customer <= -2, -2 - customer, -1),
        customer=customer,
    )


def _cell(f: SimpleNamespace, q: SimpleNamespace, i: slice | np.ndarray = slice(None)) -> np.ndarray:
    """Row of the flows (place and sector) of the firms `i`."""
    return q.env.county_place[f.county[i]].astype(np.int64) * q.sectors + f.sector[i]


def _channel(c: Columns, f: SimpleNamespace, q: SimpleNamespace, name: str) -> Any:
    """Support of the firms `f` through a channel: float32 (firms,), or 0.0 if no lever feeds it."""
    k = CHANNEL_INDEX[name]
    local, leader, programme = q.fed[name]
    total: Any = 0.0
    if local:
        total = q.place_effects[k][f.place]
    if leader:
        total = total + q.chain_effects[k][f.leader]
    if programme:
        support = c.support[f.rows]
        some = np.flatnonzero(support)
        bits = (support[some, None] >> np.arange(len(q.env.programme_effects), dtype=np.uint32)) & np.uint32(1)
        added = np.zeros(len(f.rows), np.float32)
        added[some] = bits @ q.env.programme_effects[:, k]
        total = total + added
    return total


def _at(value, i):
    """Elements `i` of an array, or the number itself."""
    return value[i] if isinstance(value, np.ndarray) else value


def _exits(c: Columns, rows: np.ndarray, start: np.uint64, q: SimpleNamespace) -> SimpleNamespace:
    """Close firms; returns the survivors."""
    p = q.p
    f = _place(c, rows, start, q)
    employment, productivity, leverage = c.employment[rows], c.productivity[rows], c.leverage[rows]
    age = c.age[rows].astype(np.float32)
    log_employment = np.log(employment)
    x = p.exit_leverage * np.maximum(leverage - p.leverage_mean, 0.0)
    x -= p.exit_size * log_employment + p.exit_productivity * productivity + _channel(c, f, q, "survival")
    # (1 + age)^−γ inside the exponential: cheaper than a power.
    hazard = p.exit_base * np.exp(x - p.exit_age * np.log1p(0.25 * age))
    closing = high(raw_bits(q.key[Purpose.EXIT], f.position)) < np.minimum(hazard, 0.5)
    gone, stay = np.flatnonzero(closing), np.flatnonzero(~closing)
    cell, tier = _cell(f, q, gone), c.tier[rows[gone]]
    np.add.at(q.flows[:, DEATHS], cell, 1)
    np.add.at(q.flows, (cell[tier > 0], CLOSED + tier[tier > 0] - 1), 1)
    for name in CLEARED:
        getattr(c, name)[rows[gone]] = 0
    for name in FORGOTTEN:
        getattr(c, name)[rows[gone]] = NEVER
    s = SimpleNamespace(**{name: _at(value, stay) for name, value in vars(f).items()})
    s.employment, s.log_employment = employment[stay], log_employment[stay]
    s.productivity, s.leverage = productivity[stay], leverage[stay]
    c.age[s.rows] += 1
    s.linked = s.leader >= 0
    s.size = np.minimum(s.log_employment / 6.907755, 1.0)
    s.niche, s.tier, s.intensity = c.niche[s.rows], c.tier[s.rows], c.rd_intensity[s.rows]
    s.certified = np.flatnonzero(s.tier >= 2)
    return s


def _entries(c: Columns, vacant: np.ndarray, start: np.uint64, q: SimpleNamespace) -> None:
    """Found firms in vacant slots."""
    p, env = q.p, q.env
    position = (vacant.astype(np.uint64) + (start + np.uint64(1))) * GOLDEN
    chance = np.minimum(p.entry_rate * env.county_entry[c.county[vacant]], 0.5)
    new = np.flatnonzero(high(raw_bits(q.key[Purpose.ENTRY], position)) < chance)
    rows, position = vacant[new], position[new]
    size, traits, skills = (
        raw_bits(q.key[purpose], position)
        for purpose in (Purpose.ENTRANT_SIZE, Purpose.ENTRANT_TRAITS, Purpose.ENTRANT_SKILLS)
    )
    quality = high(raw_bits(q.key[Purpose.ENTRANT_QUALITY], position))
    sector = c.sector[rows]
    employment = np.maximum(np.exp(p.entrant_log_size + p.entrant_size_spread * noise(high(size))), 1.0)
    productivity = p.entrant_productivity + p.productivity_spread * noise(low(size))
    sales = env.sector_slack[sector] + env.niche_slack[c.niche[rows]]
    c.employment[rows] = employment
    c.productivity[rows] = productivity
    c.revenue[rows] = employment * env.sector_revenue_per_worker[sector] * np.exp(productivity + sales)
    c.main_share[rows] = np.clip(p.main_share_mean + 0.15 * noise(high(traits)), 0.2, 1.0)
    c.leverage[rows] = p.leverage_mean * (0.6 + 0.8 * low(traits))
    c.digital[rows] = np.minimum(p.entrant_digital * 2.0 * high(skills), 1.0)
    c.governance[rows] = np.minimum(p.entrant_governance * 2.0 * low(skills), 1.0)
    c.refinement[rows] = 0.5 * p.refinement_base * (1.0 + quality)
    c.growth[rows] = c.green[rows] = c.age[rows] = 0
    c.constraint[rows] = 0.5
    np.add.at(q.flows[:, BIRTHS], q.env.county_place[c.county[rows]].astype(np.int64) * q.sectors + sector, 1)


def _demand(c: Columns, f: SimpleNamespace, q: SimpleNamespace) -> None:
    """Slack, revenue and its growth, exports."""
    p, env, rows = q.p, q.env, f.rows
    before = c.revenue[rows]
    f.digital, f.knowledge, f.refinement = c.digital[rows], c.knowledge[rows], c.refinement[rows]
    orders = c.orders[rows]
    f.lost = 0.0
    if not q.calm or orders.any():
        depth = f.knowledge / (f.knowledge + p.capability_depth * before)
        able = (f.refinement + f.digital + depth) / 3.0
        passed = p.order_share * (1.0 - p.redirect * q.moment.substitution * able) * (orders / np.float32(SLACK_PARTS))
        f.lost = np.maximum(env.sector_slack[f.sector] + env.niche_slack[f.niche] + passed, -4.0)
    c.slack[rows] = np.floor(f.lost * SLACK_PARTS + 0.5)
    # Premium by what the customer is: none, a firm, a leader.
    premium = np.array([1.0, 1.0 + p.order_premium_buyer, 1.0 + p.order_premium], np.float32)
    premium = premium[2 * f.linked + (f.customer >= 0)]
    sales = _channel(c, f, q, "sales") + f.lost
    f.revenue = f.employment * env.sector_revenue_per_worker[f.sector] * np.exp(f.productivity + sales) * premium
    if isinstance(f.lost, np.ndarray):
        i = np.flatnonzero(f.lost < 0.0)
        yuan = 0.25e-3 * f.revenue[i].astype(np.float64) * np.expm1(-f.lost[i])
        np.add.at(q.flows[:, LOST], _cell(f, q, i), yuan.astype(np.int64))
    growth = c.growth[rows]
    yearly = np.clip(4.0 * np.log(f.revenue / before), -2.0, 2.0)
    c.growth[rows] = growth + p.growth_memory * (yearly - growth)
    c.revenue[rows] = f.revenue
    x = p.export_base + p.export_productivity * f.productivity + p.export_size * (f.log_employment - LOG_20)
    f.own_bits = raw_bits(q.aspiration_key, f.position)
    f.manufacturing = env.sector_manufacturing[f.sector]
    odds = np.exp(-(x + _channel(c, f, q, "exports")))
    f.exporter = f.manufacturing & (low(f.own_bits) * (1.0 + odds) < 1.0)


def _finance(c: Columns, f: SimpleNamespace, q: SimpleNamespace) -> None:
    """Debt, access to credit, listing, outside equity."""
    p, rows = q.p, f.rows
    f.green = c.green[rows]
    f.energy_rise = q.env.sector_energy_rise[f.sector]
    burden = p.energy_incidence * f.energy_rise * (1.0 - p.green_saving * f.green)
    margin = p.margin_mean + p.margin_productivity * f.productivity - burden
    target = p.leverage_mean - p.leverage_margin * (margin - p.margin_mean)
    u = high(raw_bits(q.key[Purpose.FINANCE], f.position))
    moved = f.leverage + p.leverage_speed * (target - f.leverage) + p.leverage_noise * noise(u)
    leverage = np.clip(moved, 0.02, 1.5)
    listed = np.flatnonzero(c.flags[rows] & LISTED)
    x = p.constraint_base + p.constraint_leverage * (leverage - p.leverage_mean) + q.moment.credit_tightening
    x -= p.constraint_size * (f.log_employment - LOG_20) + _channel(c, f, q, "credit")
    x[f.certified] -= p.constraint_signal
    x[listed] -= p.listing_credit
    f.constraint = 1.0 / (1.0 + np.exp(-x))
    paid_in = _channel(c, f, q, "equity_yuan")
    if isinstance(paid_in, np.ndarray):
        c.flags[rows[paid_in > 0.0]] |= FUND_BACKED
    f.equity = 0.875 * c.equity[rows] + paid_in
    i = np.setdiff1d(f.certified, listed)
    i = i[(f.revenue[i] >= p.listing_revenue) & (margin[i] >= p.listing_margin)]
    chance = p.listing_rate * (1.0 + _at(_channel(c, f, q, "listing"), i))
    i = i[high(raw_bits(q.key[Purpose.LISTING], f.position[i])) < chance]
    c.flags[rows[i]] |= LISTED
    f.equity[i] += p.listing_raise * f.revenue[i]
    np.add.at(q.flows[:, LISTINGS], _cell(f, q, i), 1)
    i = np.flatnonzero(f.intensity > 0.0)
    raw = raw_bits(q.key[Purpose.EQUITY], f.position[i])
    rate = np.where(f.tier[i] >= 2, p.equity_rate * (1.0 + p.equity_signal), p.equity_rate)
    paid = high(raw) < rate * (1.0 + _at(_channel(c, f, q, "equity_odds"), i))
    i, raw = i[paid], raw[paid]
    f.equity[i] += p.equity_size * np.minimum(f.revenue[i], p.equity_revenue_max) * (0.3 + 1.4 * low(raw))
    c.leverage[rows], c.constraint[rows], c.equity[rows] = leverage, f.constraint, f.equity


def _research(c: Columns, f: SimpleNamespace, q: SimpleNamespace) -> None:
    """Who does R&D and how much; sets `f.active`, and `f.funded` and `f.aspires` of the active firms."""
    p, env, moment, rows = q.p, q.env, q.moment, f.rows
    f.governance = c.governance[rows]
    if moment.number == 1:
        _start_or_stop(c, f, q)
    i = f.active = np.flatnonzero(f.intensity > 0.0)
    tier, revenue, intensity, constraint = f.tier[i], f.revenue[i], f.intensity[i], f.constraint[i]
    certified = tier >= 2
    giant = np.where(revenue >= moment.giant_revenue_large, moment.giant_rd_large, moment.giant_rd_mid)
    small = ~certified | (revenue < moment.giant_revenue_mid)
    f.threshold = np.where(small, np.maximum(moment.srdi_rd, moment.srdi_rd_spending / revenue), giant)
    reach = np.where(certified, moment.reach_giant, moment.reach_srdi)
    worth = p.apply_constraint * (constraint - p.constraint_reference) + moment.award_hope
    worth = worth + p.apply_governance * (f.governance[i] - p.apply_governance_reference)
    worth = worth + _at(_channel(c, f, q, "application"), i)
    odds = reach / np.maximum(1.0 - reach, 1e-6)
    odds = odds * np.exp(p.reach_size * (f.log_employment[i] - LOG_50) + worth)
    draw = high(f.own_bits[i])
    sector = f.sector[i]
    sme = (f.employment[i] < env.sector_sme_employees[sector]) | (revenue < env.sector_sme_revenue[sector])
    f.aspires = sme & (draw < odds * (1.0 - draw))
    drift = p.rd_reversion * np.log(_norm(f, q, i) / intensity)
    drift += p.rd_noise * noise(high(raw_bits(q.key[Purpose.RESEARCH], f.position[i])))
    near = (p.pull_width * f.threshold <= intensity) & (intensity < p.pull_aim * f.threshold)
    drift += np.where(f.aspires & near, p.pull_speed * (1.0 - constraint), np.float32(0))
    f.intensity[i] = intensity = np.minimum(intensity * np.exp(drift), 0.6)
    running = (tier == 3) & _runs(c.awarded_in[rows[i]], moment.index, AWARD_QUARTERS)
    award = running * (4.0 * p.award_additionality * moment.award_yuan)
    added = (award + _at(_channel(c, f, q, "research_yuan"), i)) / revenue
    f.funded = intensity + np.minimum(added, 0.5)
    c.rd_intensity[rows] = f.intensity
    if moment.number == 4:
        _report(c, f, q)


def _norm(f: SimpleNamespace, q: SimpleNamespace, i: np.ndarray) -> np.ndarray:
    """R&D intensity that the firms `i` tend to."""
    excess = np.maximum(f.log_employment[i] - math.log(q.p.rd_norm_size), 0.0)
    return q.env.sector_rd_norm[f.sector[i]] * np.exp(-q.p.rd_norm_fall * excess)


def _start_or_stop(c: Columns, f: SimpleNamespace, q: SimpleNamespace) -> None:
    """The yearly decision to start or stop R&D."""
    p, env = q.p, q.env
    x = env.sector_research[f.sector] + env.county_research[f.county] + q.moment.research_trend
    chance = 1.0 / (1.0 + np.exp(-(x + p.rd_size * (f.log_employment - LOG_20))))
    raw = raw_bits(q.key[Purpose.RESEARCH_START], f.position)
    access = (1.0 - f.constraint) / (1.0 - p.constraint_reference)
    start = p.rd_stop * (chance / np.maximum(1.0 - chance, 0.05)) * access
    start = start * (1.0 + _channel(c, f, q, "research_odds"))
    active = f.intensity > 0.0
    changing = high(raw) < np.where(active, np.float32(p.rd_stop), start)
    f.intensity[changing & active] = 0.0
    new = np.flatnonzero(changing & ~active)
    f.intensity[new] = _norm(f, q, new) * np.exp(p.rd_spread * noise(low(raw[new])) - p.rd_starter_gap)


def _report(c: Columns, f: SimpleNamespace, q: SimpleNamespace) -> None:
    """The year's reported R&D, some of it relabelled."""
    p, rows, i = q.p, f.rows, f.active
    u = high(raw_bits(q.key[Purpose.RELABEL], f.position[i]))
    near = ((1.0 - p.relabel_reach) * f.threshold <= f.funded) & (f.funded < f.threshold)
    relabels = f.aspires & near & (u < p.relabel_chance * (1.0 - q.moment.audit_strictness))
    share = np.where(relabels, 1.0 - f.funded / (1.002 * f.threshold), 0.0)
    c.rd_before[rows] = c.rd_last_year[rows]
    c.relabelled[rows] = c.rd_last_year[rows] = 0.0
    c.relabelled[rows[i]] = share
    c.rd_last_year[rows[i]] = f.funded / (1.0 - share)


def _runs(since: np.ndarray, now: int, quarters: int) -> np.ndarray:
    """Whether support granted at the end of quarter `since` is on."""
    passed = now - since.astype(np.int32)
    return (since != NEVER) & (passed > 0) & (passed <= quarters)


def _knowledge(c: Columns, f: SimpleNamespace, q: SimpleNamespace) -> None:
    """Knowledge stock, and domestic firsts in `f.first`."""
    p, rows, i = q.p, f.rows, f.active
    absorptive = np.minimum(f.digital + _channel(c, f, q, "absorption"), 1.0)
    f.knowledge = (1.0 - 0.25 * p.knowledge_depreciation) * f.knowledge
    f.knowledge[i] += 0.25 * f.funded * f.revenue[i]
    s, funded_cluster = i[f.cluster[i] >= 0], f.cluster[i[f.cluster[i] >= 0]]
    openness = p.commons_base + _at(_channel(c, f, q, "pooling"), s)
    spilled = 0.25 * p.knowledge_spillover * absorptive[s] * openness * q.env.cluster_knowledge[funded_cluster]
    f.knowledge[s] += spilled
    np.add.at(q.flows[:, SPILLED], _cell(f, q, s), spilled.astype(np.int64))
    share = _channel(c, f, q, "transfer")
    if isinstance(share, np.ndarray):
        t = np.flatnonzero(share)
        passed_on = 0.25 * absorptive[t] * share[t] * f.revenue[t]
        f.knowledge[t] += passed_on
        np.add.at(q.flows[:, PASSED_ON], _cell(f, q, t), passed_on.astype(np.int64))
    c.knowledge[rows] = f.knowledge
    i = i[f.manufacturing[i] & q.env.niche_promoted[f.niche[i]]]
    depth = f.knowledge[i] / (f.knowledge[i] + p.capability_depth * f.revenue[i])
    chance = p.first_rate * depth * (1.0 + _at(_channel(c, f, q, "firsts"), i))
    f.first = i[high(raw_bits(q.key[Purpose.FIRSTS], f.position[i])) < chance]
    np.add.at(q.flows[:, FIRST_PRODUCTS], _cell(f, q, f.first), 1)


def _adopt(c: Columns, f: SimpleNamespace, q: SimpleNamespace) -> None:
    """Digital adoption and governance."""
    p, rows = q.p, f.rows
    gap = np.maximum(q.peers["digital"][f.cluster] - f.digital, 0.0)
    rate = p.digital_own * f.size + p.digital_leader * f.linked
    rate += p.digital_peer * gap * (1.0 + _channel(c, f, q, "peers"))
    rate *= (0.5 + f.governance) * (1.0 - f.constraint)
    rate += _channel(c, f, q, "digital")
    rate += q.moment.digital_effect * _runs(c.digitised_in[rows], q.moment.index, SUPPORT_QUARTERS)
    f.digital = np.minimum(f.digital + (1.0 - f.digital) * np.minimum(rate, 0.5), 1.0)
    rate = p.governance_own * f.size + _channel(c, f, q, "governance")
    gap = np.maximum(q.peers["governance"][f.cluster] - f.governance, 0.0)
    rate += _channel(c, f, q, "demonstration") * gap
    rate += p.governance_equity * (f.equity > 0.05 * f.revenue)
    f.governance = np.minimum(f.governance + (1.0 - f.governance) * np.minimum(rate, 0.5), 1.0)
    c.digital[rows], c.governance[rows] = f.digital, f.governance


def _capabilities(c: Columns, f: SimpleNamespace, q: SimpleNamespace) -> None:
    """Specialise, refine, go green."""
    p, rows = q.p, f.rows
    raw = raw_bits(q.key[Purpose.CAPABILITY], f.position)
    main_share = c.main_share[rows]
    moved = main_share + p.main_share_speed * (p.main_share_mean - main_share) + p.main_share_noise * noise(high(raw))
    moved[f.active[f.aspires]] += p.main_share_speed * p.main_share_aspiration
    c.main_share[rows] = np.clip(moved, 0.2, 1.0)
    target = p.refinement_base + p.refinement_digital * f.digital + _channel(c, f, q, "refinement")
    target += p.refinement_leader * f.linked + p.refinement_export * f.exporter
    moved = f.refinement + p.refinement_speed * (target - f.refinement) + p.refinement_noise * noise(low(raw))
    f.refinement = np.clip(moved, 0.0, 1.0)
    c.refinement[rows] = f.refinement
    rate = p.green_own * (0.5 + f.governance) + p.green_price * f.energy_rise + _channel(c, f, q, "green")
    c.green[rows] = np.minimum(f.green + (1.0 - f.green) * np.minimum(rate, 0.5), 1.0)


def _chain_links(c: Columns, f: SimpleNamespace, q: SimpleNamespace) -> None:
    """Links that end, admissions, invitations and purchases: one draw, the chances side by side."""
    p, env, rows = q.p, q.env, f.rows
    raw = raw_bits(q.key[Purpose.CHAIN], f.position)
    depth = f.knowledge / (f.knowledge + p.capability_depth * f.revenue)
    able = (f.refinement + f.digital + depth) / 3.0
    x = high(raw) - p.unlink_rate * (1.5 - able)
    ends = rows[(f.customer != NEVER) & (x < 0.0)]
    c.customer[ends] = NEVER
    c.flags[ends] &= 255 - NEWCOMER
    c.orders[ends] = 0
    # Most draws lie above all chances: the rest of the rules looks at the others only.
    odds = _channel(c, f, q, "linking")
    most = p.link_rate * env.chain_openness.max() * (1.0 + np.max(odds))
    most += p.newcomer_rate * env.chain_invitation.max() + p.link_rate_buyer * (1.0 + np.max(odds))
    i = np.flatnonzero(~f.linked & (x >= 0.0) & (x < most))
    x, able, size, odds = x[i], able[i], f.size[i], _at(odds, i)
    chain = env.niche_chain[f.niche[i]]
    rate = np.where(env.niche_promoted[f.niche[i]], np.float32(p.link_rate), np.float32(p.link_rate_other))
    first = np.minimum(rate * env.chain_openness[chain] * able * able * size * (1.0 + odds), 1.0)
    other = (low(raw[i]) * len(env.chain_invitation)).astype(np.int64)
    second = np.minimum(p.newcomer_rate * env.chain_invitation[other] * able * able, 1.0)
    second[other == chain] = 0.0
    third = np.minimum(p.link_rate_buyer * able * size * (1.0 + odds), 1.0)
    admitted = x < first
    invited = ~admitted & (x < first + second)
    buys = (x >= first + second) & (x < first + second + third) & (f.customer[i] == NEVER)
    c.customer[rows[i[admitted]]] = -2 - chain[admitted]
    c.customer[rows[i[invited]]] = -2 - other[invited]
    c.flags[rows[i[invited]]] |= NEWCOMER
    i, chain = i[buys], chain[buys]
    raw = raw_bits(q.key[Purpose.CUSTOMER], f.position[i])
    c.customer[rows[i]] = find_buyers(env, p, chain, f.county[i], rows[i] + f.start, f.revenue[i], raw)


def find_buyers(
    env: Environment,
    p: SimpleNamespace,
    chain: np.ndarray,
    county: np.ndarray,
    slot: np.ndarray,
    revenue: np.ndarray,
    raw: np.ndarray,
) -> np.ndarray:
    """Slot of a larger firm of the chain as main customer, or -1, as `choose_buyer`; all arguments arrays (firms,).

    raw: uint64, draws of the purpose CUSTOMER.
    """
    provinces = env.move_cluster.shape[0]
    base = chain.astype(np.int64) * provinces
    home = base + env.county_province[county]
    first, last = env.buyer_start[home], env.buyer_start[home + 1]
    anywhere = (high(raw) >= p.link_local) | (first == last)
    first = np.where(anywhere, env.buyer_start[base], first)
    last = np.where(anywhere, env.buyer_start[base + provinces], last)
    found = np.full(len(chain), NEVER, np.int32)
    some = np.flatnonzero(last > first)
    first, last, v = first[some], last[some], low(raw[some]).astype(np.float64)
    wanted = env.buyer_weight[first] + v * (env.buyer_weight[last] - env.buyer_weight[first])
    buyer = np.clip(np.searchsorted(env.buyer_weight, wanted, side="right") - 1, first, last - 1)
    good = (env.buyer_slot[buyer] != slot[some]) & (env.buyer_revenue[buyer] > revenue[some])
    found[some[good]] = env.buyer_slot[buyer[good]]
    return found


def _moves(c: Columns, f: SimpleNamespace, q: SimpleNamespace) -> None:
    """Certified firms of urban districts move to the county cluster of their sector."""
    env = q.env
    member = (f.cluster >= 0) & env.cluster_active[f.cluster]
    i = np.flatnonzero((f.tier >= 1) & env.county_urban[f.county] & ~member)
    province, sector = env.county_province[f.county[i]], f.sector[i]
    target, pull = env.move_cluster[province, sector], env.move_pull[province, sector]
    chance = q.p.move_rate * pull * (1.0 + _at(_channel(c, f, q, "moving"), i))
    going = (target >= 0) & (high(raw_bits(q.key[Purpose.MOVE], f.position[i])) < chance)
    rows, target = f.rows[i[going]], target[going]
    c.cluster[rows], c.county[rows] = target, env.cluster_county[target]
    c.flags[rows] |= MOVED
    place = env.county_place[c.county[rows]].astype(np.int64)
    np.add.at(q.flows[:, MOVES], place * q.sectors + c.sector[rows], 1)


def _grow(c: Columns, f: SimpleNamespace, q: SimpleNamespace) -> None:
    """Productivity and employment."""
    p, rows = q.p, f.rows
    target = p.knowledge_elasticity * np.log1p(f.knowledge / (p.knowledge_unit * f.revenue))
    target += p.digital_productivity * f.digital * f.governance + p.leader_learning * f.linked
    target += _channel(c, f, q, "productivity")
    u = high(raw_bits(q.key[Purpose.PRODUCTIVITY], f.position))
    moved = f.productivity + p.productivity_speed * (target - f.productivity) + p.productivity_noise * noise(u)
    moved = np.clip(moved, -3.0, 3.0)
    moved[f.first] += p.first_gain
    c.productivity[rows] = moved
    change = p.growth_base + p.growth_productivity * f.productivity - p.growth_constraint * f.constraint
    change += p.growth_slack * f.lost - p.growth_size * f.log_employment + p.growth_orders * f.linked
    u = high(raw_bits(q.key[Purpose.GROWTH], f.position))
    i = np.flatnonzero(u < p.growth_lumps)
    tail = u[i] / p.growth_lumps
    laplace = np.copysign(np.log(2.0 * np.minimum(tail, 1.0 - tail)), tail - 0.5)
    scale = p.growth_noise / math.sqrt(p.growth_lumps) * np.exp(-p.growth_noise_size * f.log_employment[i])
    change[i] += scale * laplace
    c.employment[rows] = np.maximum(f.employment * np.exp(np.clip(change, -1.0, 1.0)), 1.0)


def nanoseconds_per_firm_quarter(state: CoreState, quarters: int) -> float:
    """Wall time of `step`, from `state` on."""
    s = state.copy()

    def one(quarter: int) -> None:
        keys, moment = state.ahead(quarter)
        step(replace(s, keys=keys, moment=moment))

    return timed(one, lambda: s.firms, quarters)
