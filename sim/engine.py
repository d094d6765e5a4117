"""The fused quarter: one pass over the firms that composes the mechanisms in model order."""

from __future__ import annotations

import math

from sim.columns import NEVER
from sim.draws import Purpose, uniform, uniform_pair, unit_noise
from sim.jit import kernel, rule
from sim.ladder.application import is_reached
from sim.mechanisms.capability import green_step, main_share_step, refinement_step
from sim.mechanisms.chain_links import capability, link_step
from sim.mechanisms.demand import annual_revenue, smoothed_growth
from sim.mechanisms.digital import adoption
from sim.mechanisms.finance import credit_constraint, debt_ratio, net_margin, outside_equity
from sim.mechanisms.governance import governance_step
from sim.mechanisms.growth import employment_step
from sim.mechanisms.knowledge import knowledge_stock
from sim.mechanisms.productivity import productivity_step, productivity_target
from sim.mechanisms.research import (
    award_intensity,
    intensity_step,
    next_threshold,
    participation,
    relabelled_share,
    research_norm,
    start_or_stop,
)
from sim.mechanisms.turnover import entry_chance, exit_chance

EXIT = int(Purpose.EXIT)
ENTRY = int(Purpose.ENTRY)
ENTRANT_SIZE = int(Purpose.ENTRANT_SIZE)
ENTRANT_TRAITS = int(Purpose.ENTRANT_TRAITS)
GROWTH = int(Purpose.GROWTH)
PRODUCTIVITY = int(Purpose.PRODUCTIVITY)
FINANCE = int(Purpose.FINANCE)
EQUITY = int(Purpose.EQUITY)
RESEARCH = int(Purpose.RESEARCH)
RESEARCH_START = int(Purpose.RESEARCH_START)
RELABEL = int(Purpose.RELABEL)
CAPABILITY = int(Purpose.CAPABILITY)
CHAIN = int(Purpose.CHAIN)

#: Flows that the quarter's pass counts, by province and sector.
FLOWS = ("births", "deaths", "closed_innovative", "closed_srdi", "closed_little_giant")
BIRTHS, DEATHS, CLOSED = 0, 1, 2  # CLOSED + tier - 1 is the column of a closed certificate

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


@kernel
def advance(firms, env, keys, aspiration_key, p, moment, flows, lo, hi):
    """Advance the firms in slots lo … hi-1 by one quarter, in place.

    Args:
        firms: Columns; changed in place.
        env: Environment of the quarter.
        keys: uint64 (purposes,), stream keys of the quarter.
        aspiration_key: uint64, stream of the draws that hold for a slot's whole run.
        p: parameter record. moment: MOMENT record.
        flows: int64 (provinces, sectors, len(FLOWS)), added to.
    """
    now = moment.index
    for i in range(lo, hi):
        sector = firms.sector[i]
        county = firms.county[i]
        if firms.employment[i] == 0.0:
            if uniform(keys[ENTRY], i) < entry_chance(env.county_entry[county], p):
                found(firms, env, keys, p, i)
                flows[env.county_province[county], sector, BIRTHS] += 1
            continue

        employment = float(firms.employment[i])
        log_employment = math.log(employment)
        productivity = float(firms.productivity[i])
        age = firms.age[i]
        tier = firms.tier[i]
        if uniform(keys[EXIT], i) < exit_chance(log_employment, age, productivity, firms.leverage[i], p):
            flows[env.county_province[county], sector, DEATHS] += 1
            if tier > 0:
                flows[env.county_province[county], sector, CLOSED + tier - 1] += 1
            close(firms, i)
            continue

        cluster = firms.cluster[i]
        commons = 0.0
        peers_digital = 0.0
        peers_governance = 0.0
        pooled = 0.0
        if cluster >= 0:
            commons = env.cluster_commons[cluster]
            peers_digital = env.cluster_digital[cluster]
            peers_governance = env.cluster_governance[cluster]
            pooled = env.cluster_knowledge[cluster]
        certified = tier >= 2
        size = size_factor(log_employment)
        niche = firms.niche[i]
        linked = firms.customer[i] >= 0

        # Demand
        revenue_before = float(firms.revenue[i])
        revenue = annual_revenue(employment, productivity, env.sector_revenue_per_worker[sector], linked, p)
        firms.growth[i] = smoothed_growth(firms.growth[i], revenue, revenue_before, p)
        firms.revenue[i] = revenue

        # Finance
        u, v = uniform_pair(keys[FINANCE], i)
        leverage = debt_ratio(firms.leverage[i], net_margin(productivity, p), u, p)
        constraint = credit_constraint(leverage, log_employment, certified, commons, p)
        intensity = float(firms.rd_intensity[i])
        u, v = uniform_pair(keys[EQUITY], i)
        equity = outside_equity(firms.equity[i], revenue, intensity > 0.0, certified, u, v, p)
        firms.leverage[i] = leverage
        firms.constraint[i] = constraint
        firms.equity[i] = equity

        # Research
        norm = research_norm(env.sector_rd_norm[sector], log_employment, p)
        if moment.number == 1:
            chance = participation(
                log_employment, env.sector_research[sector], env.county_research[county], moment.research_trend, p
            )
            u, v = uniform_pair(keys[RESEARCH_START], i)
            intensity = start_or_stop(intensity, chance, norm, constraint, u, v, p)
        threshold = next_threshold(tier, revenue, moment)
        aspires = False
        if intensity > 0.0:
            reach = moment.reach_giant if certified else moment.reach_srdi
            aspires = is_reached(uniform(aspiration_key, i), reach, log_employment, p)
            u = uniform(keys[RESEARCH], i)
            intensity = intensity_step(intensity, norm, threshold, aspires, constraint, u, p)
        firms.rd_intensity[i] = intensity
        funded = intensity
        if runs(firms.awarded_in[i], now, AWARD_QUARTERS):
            funded += award_intensity(moment.award_yuan, revenue, p)
        if moment.number == 4:
            u = uniform(keys[RELABEL], i)
            share = relabelled_share(funded, threshold, aspires, moment.audit_strictness, u, p)
            firms.relabelled[i] = share
            firms.rd_before[i] = firms.rd_last_year[i]
            firms.rd_last_year[i] = funded / (1.0 - share)
        elif intensity == 0.0:
            firms.relabelled[i] = 0.0

        # Knowledge
        if intensity == 0.0:
            pooled = 0.0
        digital = float(firms.digital[i])
        knowledge = knowledge_stock(firms.knowledge[i], 0.25 * funded * revenue, pooled, digital, commons, p)
        firms.knowledge[i] = knowledge

        # Digital adoption and governance
        governance = float(firms.governance[i])
        support = moment.digital_effect if runs(firms.digitised_in[i], now, SUPPORT_QUARTERS) else 0.0
        digital = adoption(
            digital, governance, constraint, size, peers_digital, 1.0 if linked else 0.0, commons, support, p
        )
        governance = governance_step(governance, size, peers_governance, commons, equity > 0.05 * revenue, p)
        firms.digital[i] = digital
        firms.governance[i] = governance

        # Specialise, refine, go green
        u, v = uniform_pair(keys[CAPABILITY], i)
        firms.main_share[i] = main_share_step(firms.main_share[i], aspires, u, p)
        refinement = refinement_step(firms.refinement[i], digital, linked, v, p)
        firms.refinement[i] = refinement
        firms.green[i] = green_step(firms.green[i], governance, p)

        # Chain links
        chain = env.niche_chain[niche]
        able = capability(refinement, digital, knowledge, revenue, p)
        u = uniform(keys[CHAIN], i)
        if link_step(linked, able, size, env.chain_openness[chain], env.niche_promoted[niche], u, p):
            firms.customer[i] = chain
        else:
            firms.customer[i] = -1

        # Productivity and growth
        target = productivity_target(knowledge, revenue, digital, governance, commons, linked, p)
        firms.productivity[i] = productivity_step(productivity, target, uniform(keys[PRODUCTIVITY], i), p)
        firms.employment[i] = employment_step(
            employment, log_employment, productivity, constraint, linked, uniform(keys[GROWTH], i), p
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
    firms.customer[i] = -1
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
    firms.employment[i] = employment
    firms.productivity[i] = productivity
    firms.revenue[i] = annual_revenue(employment, productivity, env.sector_revenue_per_worker[sector], False, p)
    firms.growth[i] = 0.0
    firms.main_share[i] = min(max(p.main_share_mean + 0.15 * unit_noise(u), 0.2), 1.0)
    firms.refinement[i] = 0.5 * p.refinement_base * (1.0 + u)
    firms.digital[i] = p.entrant_digital * 2.0 * v
    firms.governance[i] = p.entrant_governance * 2.0 * v
    firms.green[i] = 0.0
    firms.leverage[i] = p.leverage_mean * (0.6 + 0.8 * u)
    firms.constraint[i] = 0.5
    firms.age[i] = 0
