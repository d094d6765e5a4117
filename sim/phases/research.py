"""R&D, what is reported of it, and the knowledge it builds."""

from __future__ import annotations

import numpy as np

from sim.draws import Purpose, uniform, uniform_pair
from sim.flows import Flow
from sim.jit import part
from sim.ladder.application import application_worth, is_reached, is_sme
from sim.mechanisms.first_of_a_kind import achieves_first
from sim.mechanisms.knowledge import absorptive_capacity, knowledge_stock, spillover, transfer
from sim.mechanisms.research import (
    added_research,
    intensity_step,
    next_threshold,
    participation,
    relabelled_share,
    research_norm,
    starting_intensity,
    switching_chance,
    threshold_pull,
)
from sim.mechanisms.support import Channel
from sim.terms import has_award
from sim.tile import stretch_end


@part
def choose_research(tile, quarter):
    """The yearly decision to start or stop R&D."""
    firms, rows, p = tile.firms, tile.rows, quarter.parameters
    env, n = quarter.environment, tile.length
    key = quarter.keys[Purpose.RESEARCH_START]
    odds = tile.channels[Channel.research_odds]
    for j in range(n):
        rows.sector_research[j] = env.sector_research[firms.sector[j]]
        rows.county_research[j] = env.county_research[firms.county[j]]
    trend = quarter.moment.research_trend
    for j in range(n):
        chance = participation(rows.log_employment[j], rows.sector_research[j], rows.county_research[j], trend, p)
        u, _ = uniform_pair(key, tile.first + j)
        switches = u < switching_chance(firms.rd_intensity[j], chance, firms.constraint[j], odds[j], p)
        rows.event[j] = 1.0 if switches and rows.live[j] != 0.0 else 0.0
    for j in range(n):
        if rows.event[j] != 0.0:
            norm = research_norm(env.sector_rd_norm[firms.sector[j]], rows.log_employment[j], p)
            _, v = uniform_pair(key, tile.first + j)
            firms.rd_intensity[j] = 0.0 if firms.rd_intensity[j] > 0.0 else starting_intensity(norm, v, p)


@part
def do_research(tile, quarter, performers):
    """R&D of the firms that do it."""
    firms, rows, p = tile.firms, tile.rows, quarter.parameters
    env, moment = quarter.environment, quarter.moment
    served, bought = tile.channels[Channel.application], tile.channels[Channel.research_yuan]
    for j in range(tile.length):
        rows.funded[j] = 0.0
        rows.aspires[j] = 0.0
        rows.gain[j] = 0.0
    for j in performers:
        tier = firms.tier[j]
        revenue = float(firms.revenue[j])
        constraint = float(firms.constraint[j])
        log_employment = rows.log_employment[j]
        norm = research_norm(env.sector_rd_norm[firms.sector[j]], log_employment, p)
        threshold = next_threshold(tier, revenue, moment)
        reach = moment.reach_giant if tier >= 2 else moment.reach_srdi
        worth = application_worth(constraint, firms.governance[j], served[j], moment.award_hope, p)
        aspiration, _ = uniform_pair(quarter.lasting_keys[Purpose.ASPIRATION], tile.first + j)
        aspires = is_sme(firms, env, j) and is_reached(aspiration, reach, log_employment, worth, p)
        pull = threshold_pull(firms.rd_intensity[j], threshold, aspires, constraint, p)
        u = uniform(quarter.keys[Purpose.RESEARCH], tile.first + j)
        intensity = intensity_step(firms.rd_intensity[j], norm, pull, u, p)
        added = added_research(has_award(firms, moment, j), moment.award_yuan, bought[j], revenue, p)
        firms.rd_intensity[j] = intensity
        rows.funded[j] = intensity + added
        rows.aspires[j] = aspires


@part
def report_research(tile, quarter, performers):
    """The yearly R&D report, where some relabel other spending."""
    firms, rows, p = tile.firms, tile.rows, quarter.parameters
    moment = quarter.moment
    for j in range(tile.length):
        live = rows.live[j] != 0.0
        firms.rd_before[j] = firms.rd_last_year[j] if live else firms.rd_before[j]
        firms.rd_last_year[j] = np.float32(0.0) if live else firms.rd_last_year[j]
        firms.relabelled[j] = np.float32(0.0) if live else firms.relabelled[j]
    for j in performers:
        u = uniform(quarter.keys[Purpose.RELABEL], tile.first + j)
        threshold = next_threshold(firms.tier[j], firms.revenue[j], moment)
        share = relabelled_share(rows.funded[j], threshold, rows.aspires[j] != 0.0, moment.audit_strictness, u, p)
        firms.relabelled[j] = share
        firms.rd_last_year[j] = rows.funded[j] / (1.0 - share)


@part
def learn(tile, quarter, flows):
    """The knowledge stock: own R&D, spillovers in the cluster, transfer from leaders and partners."""
    firms, rows, p = tile.firms, tile.rows, quarter.parameters
    channels, n = tile.channels, tile.length
    talent, pooling, share = channels[Channel.absorption], channels[Channel.pooling], channels[Channel.transfer]
    for j in range(n):
        pooled = rows.pooled[j] if firms.rd_intensity[j] > 0.0 else 0.0
        absorptive = absorptive_capacity(firms.digital[j], talent[j])
        rows.spilled[j] = spillover(pooled, absorptive, pooling[j], p)
        rows.passed_on[j] = transfer(share[j], firms.revenue[j], absorptive)
    for j in range(n):
        own = 0.25 * rows.funded[j] * firms.revenue[j]
        stock = knowledge_stock(firms.knowledge[j], own, rows.spilled[j] + rows.passed_on[j], p)
        firms.knowledge[j] = stock if rows.live[j] != 0.0 else firms.knowledge[j]
    first = 0
    while first < n:
        end = stretch_end(rows.cell, first, n)
        counts = flows[quarter.environment.county_place[firms.county[first]], firms.sector[first]]
        counts[Flow.spilled] += _whole_sum(rows.spilled[first:end], rows.live[first:end])
        counts[Flow.passed_on] += _whole_sum(rows.passed_on[first:end], rows.live[first:end])
        first = end


@part
def _whole_sum(values, live):
    """Sum of the values of live firms in whole yuan."""
    total = 0
    for j in range(len(values)):
        total += int(values[j]) if live[j] != 0.0 else 0
    return total


@part
def innovate(tile, quarter, performers, flows):
    """Domestic firsts of the firms that do R&D."""
    firms, env, p = tile.firms, quarter.environment, quarter.parameters
    odds = tile.channels[Channel.firsts]
    for j in performers:
        sector = firms.sector[j]
        promoted = env.sector_manufacturing[sector] and env.niche_promoted[firms.niche[j]]
        u = uniform(quarter.keys[Purpose.FIRSTS], tile.first + j)
        if achieves_first(promoted, firms.knowledge[j], firms.revenue[j], odds[j], u, p):
            tile.rows.gain[j] = p.first_gain
            flows[env.county_place[firms.county[j]], sector, Flow.firsts] += 1
