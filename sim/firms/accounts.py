"""What a firm's R&D costs it, with the public money it receives."""

from __future__ import annotations

from sim.firms.terms import has_award
from sim.mechanisms.finance import research_burden
from sim.mechanisms.research import added_research
from sim.mechanisms.support import Channel, programme_channel
from sim.numerics.jit import inlined


@inlined
def research_cost(firms, quarter, i):
    """Net cost of firm i's R&D over the usual of its sector, share of revenue (see `research_burden`)."""
    env, moment, p = quarter.environment, quarter.moment, quarter.parameters
    revenue = float(firms.revenue[i])
    awarded = has_award(firms, moment, i)
    bought = programme_channel(firms.support[i], env.programme_effects, Channel.research_yuan)
    granted = programme_channel(firms.support[i], env.programme_effects, Channel.grant_yuan)
    granted += 4.0 * moment.award_yuan if awarded else 0.0
    intensity = firms.rd_intensity[i] + added_research(awarded, moment.award_yuan, bought, revenue, p)
    relabelled = firms.rd_last_year[i] * firms.relabelled[i] if firms.rd_intensity[i] > 0.0 else 0.0
    return research_burden(intensity, env.sector_rd_usual[firms.sector[i]], granted / revenue, relabelled, p)
