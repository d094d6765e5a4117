"""R&D, what is reported of it, and the knowledge it builds."""

from __future__ import annotations

import numpy as np

from sim.firms.terms import comes_up, has_award
from sim.firms.tile import cell_of, list_indices, stretch_end
from sim.flows import Flow
from sim.ladder.application import application_worth, is_reached, is_sme
from sim.mechanisms.first_of_a_kind import achieves_first
from sim.mechanisms.growth import research_hiring
from sim.mechanisms.knowledge import absorptive_capacity, knowledge_stock, spillover, transfer
from sim.mechanisms.research import (
    added_research,
    intensity_aimed_at,
    intensity_step,
    next_threshold,
    own_threshold,
    participation,
    rd_firm_effect,
    relabelled_share,
    relabelling_chance,
    research_norm,
    staff_load,
    starting_chance,
    starting_intensity,
    stopping_chance,
    threshold_pull,
)
from sim.mechanisms.support import Channel
from sim.numerics.draws import Purpose, uniform, uniform_pair
from sim.numerics.elementary import floor
from sim.numerics.jit import inlined
from sim.tiers import Tier


@inlined
def _own_norm(tile, quarter, j):
    """R&D intensity that firm j of the tile tends to."""
    p = quarter.parameters
    firm_effect = rd_firm_effect(quarter.lasting_keys[Purpose.RESEARCH_NORM], tile.first + j, p)
    return research_norm(
        quarter.environment.sector_rd_norm[tile.firms.sector[j]], tile.rows.log_employment[j], firm_effect, p
    )


@inlined
def choose_research(tile, quarter, scratch):
    """The yearly decision to start or stop R&D.

    scratch: its indices are written.
    """
    firms, rows, p = tile.firms, tile.rows, quarter.parameters
    env, n = quarter.environment, tile.length
    key, lasting = quarter.keys[Purpose.RESEARCH_START], quarter.lasting_keys[Purpose.RESEARCH_NORM]
    odds = tile.channels[Channel.research_odds]
    for j in range(n):
        rows.sector_research[j] = env.sector_research[firms.sector[j]]
        rows.county_research[j] = env.county_research[firms.county[j]]
    trend, dear = quarter.moment.research_trend, quarter.moment.research_dear
    for j in range(n):
        firm_effect = rd_firm_effect(lasting, tile.first + j, p)
        chance = participation(
            rows.log_employment[j], firm_effect, rows.sector_research[j], rows.county_research[j], trend, p
        )
        u, _ = uniform_pair(key, tile.first + j)
        starting = starting_chance(chance, firms.constraint[j], odds[j], dear, p)
        switches = u < (stopping_chance(firms.tier[j], chance, p) if firms.rd_intensity[j] > 0.0 else starting)
        rows.event[j] = 1.0 if switches and rows.live[j] != 0.0 else 0.0
    load = staff_load(quarter.moment.research_wage, p)
    for j in scratch.indices[: list_indices(rows.event[:n], scratch.indices)]:
        norm = _own_norm(tile, quarter, j)
        _, v = uniform_pair(key, tile.first + j)
        before = firms.rd_intensity[j]
        firms.rd_intensity[j] = 0.0 if before > 0.0 else starting_intensity(norm, v, p)
        change = firms.rd_intensity[j] - before
        rows.hired[j] += research_hiring(change, load, firms.revenue[j], firms.employment[j])


@inlined
def do_research(tile, quarter, performers):
    """R&D of the firms that do it."""
    firms, rows, p = tile.firms, tile.rows, quarter.parameters
    env, moment = quarter.environment, quarter.moment
    served, bought = tile.channels[Channel.application], tile.channels[Channel.research_yuan]
    for j in range(tile.length):
        rows.funded[j] = 0.0
        rows.aspires[j] = 0.0
        rows.gain[j] = 0.0
    load = staff_load(moment.research_wage, p)
    for j in performers:
        tier = firms.tier[j]
        revenue = float(firms.revenue[j])
        constraint = float(firms.constraint[j])
        log_employment = rows.log_employment[j]
        norm = _own_norm(tile, quarter, j)
        threshold = next_threshold(tier, revenue, quarter.aims)
        reached = env.province_reach_giant if tier >= Tier.srdi else env.province_reach_srdi
        reach = reached[env.county_province[firms.county[j]]]
        worth = application_worth(constraint, firms.governance[j], served[j], moment.award_hope, p)
        aspiration, _ = uniform_pair(quarter.lasting_keys[Purpose.ASPIRATION], tile.first + j)
        sme = is_sme(firms, env, j)
        aspires = sme and is_reached(aspiration, reach, log_employment, worth, p)
        if tier >= Tier.srdi and sme and not aspires:
            # The certificate is reviewed by the same criteria, so its holder keeps up what they ask for.
            aspires, threshold = True, own_threshold(tier, revenue, quarter.aims)
        effort = 0.0
        if p.review_effort > 0.0 and sme and comes_up(firms, moment, j):
            effort, aspires, threshold = p.review_effort, True, own_threshold(tier, revenue, quarter.aims)
        inclination, ambition = uniform_pair(quarter.lasting_keys[Purpose.RELABEL], tile.first + j)
        aim = intensity_aimed_at(threshold, ambition, quarter.aims, p)
        asked = threshold if firms.rd_intensity[j] < threshold else aim
        relabels = relabelling_chance(firms.rd_intensity[j], asked, moment.audit_strictness, p)
        inclined = inclination < relabels
        pulled = aspires and not (inclined and p.relabel_lasting > 0.0)
        pull = threshold_pull(firms.rd_intensity[j], threshold, aim if pulled else 0.0, constraint, effort, p)
        u = uniform(quarter.keys[Purpose.RESEARCH], tile.first + j)
        intensity = intensity_step(firms.rd_intensity[j], norm, pull, moment.demand_swing, u, p)
        added = added_research(has_award(firms, moment, j), moment.award_yuan, bought[j], revenue, p)
        change = intensity - firms.rd_intensity[j]
        rows.hired[j] += research_hiring(change, load, revenue, firms.employment[j])
        firms.rd_intensity[j] = intensity
        rows.funded[j] = intensity + added
        rows.aspires[j] = aspires
        rows.threshold[j] = threshold


@inlined
def report_research(tile, quarter, performers):
    """The yearly R&D report, where some relabel other spending."""
    firms, rows, p = tile.firms, tile.rows, quarter.parameters
    env, moment = quarter.environment, quarter.moment
    for j in range(tile.length):
        live = rows.live[j] != 0.0
        firms.rd_before[j] = firms.rd_last_year[j] if live else firms.rd_before[j]
        firms.rd_last_year[j] = np.float32(0.0) if live else firms.rd_last_year[j]
        firms.relabelled[j] = np.float32(0.0) if live else firms.relabelled[j]
    for j in performers:
        u, ambition = uniform_pair(quarter.lasting_keys[Purpose.RELABEL], tile.first + j)
        if p.relabel_lasting == 0.0:
            u = uniform(quarter.keys[Purpose.RELABEL], tile.first + j)
        relabels, strictness = rows.aspires[j] != 0.0, moment.audit_strictness
        threshold = rows.threshold[j]
        if p.relabel_lasting > 0.0 and firms.tier[j] >= Tier.srdi and not relabels:
            # The certificate obliges to a yearly report, of firms grown large too: who relabelled for it goes on.
            relabels, threshold = True, own_threshold(firms.tier[j], float(firms.revenue[j]), quarter.aims)
        level = threshold
        aim = intensity_aimed_at(threshold, ambition, quarter.aims, p)
        for band in env.rd_bands:
            # The chance falls from band to band, so this is the highest that the firm dares to report.
            wanted = threshold < band <= aim
            level = band if wanted and u < relabelling_chance(rows.funded[j], band, strictness, p) else level
        share = relabelled_share(rows.funded[j], level, relabels, strictness, u, p)
        firms.relabelled[j] = share
        firms.rd_last_year[j] = rows.funded[j] / (1.0 - share)


@inlined
def learn(tile, quarter, flows):
    """The knowledge stock: own R&D, spillovers in the cluster, transfer from leaders and partners."""
    firms, rows, p = tile.firms, tile.rows, quarter.parameters
    channels, n = tile.channels, tile.length
    talent, pooling, share = channels[Channel.absorption], channels[Channel.pooling], channels[Channel.transfer]
    price = quarter.moment.research_price
    for j in range(n):
        pooled = rows.pooled[j] if firms.rd_intensity[j] > 0.0 else 0.0
        absorptive = absorptive_capacity(firms.digital[j], talent[j])
        rows.spilled[j] = spillover(pooled, absorptive, pooling[j], p)
        rows.passed_on[j] = transfer(share[j], firms.revenue[j], absorptive)
    for j in range(n):
        own = 0.25 * rows.funded[j] * firms.revenue[j] / price
        stock = knowledge_stock(firms.knowledge[j], own, rows.spilled[j] + rows.passed_on[j], p)
        firms.knowledge[j] = stock if rows.live[j] != 0.0 else firms.knowledge[j]
    first = 0
    while first < n:
        end = stretch_end(rows.cell, first, n)
        cell_flows = flows[cell_of(firms, quarter.environment, first)]
        cell_flows[Flow.spilled] += _whole_sum(rows.spilled[first:end], rows.live[first:end])
        cell_flows[Flow.passed_on] += _whole_sum(rows.passed_on[first:end], rows.live[first:end])
        first = end


@inlined
def _whole_sum(values, live):
    """Sum of the values of live firms in whole yuan."""
    total = 0
    for j in range(len(values)):
        total += floor(values[j]) if live[j] != 0.0 else 0
    return total


@inlined
def innovate(tile, quarter, performers, flows):
    """Domestic firsts of the firms that do R&D."""
    firms, env, p = tile.firms, quarter.environment, quarter.parameters
    odds = tile.channels[Channel.firsts]
    for j in performers:
        promoted = env.sector_manufacturing[firms.sector[j]] and env.niche_promoted[firms.niche[j]]
        u = uniform(quarter.keys[Purpose.FIRSTS], tile.first + j)
        if achieves_first(promoted, firms.knowledge[j], firms.revenue[j], odds[j], u, p):
            tile.rows.gain[j] = p.first_gain
            flows[cell_of(firms, env, j)][Flow.firsts] += 1
