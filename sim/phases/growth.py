"""Employment, productivity and age."""

from __future__ import annotations

import numpy as np

from sim.firms.columns import LOG_PARTS
from sim.mechanisms.growth import employment_step, employment_trend
from sim.mechanisms.productivity import knowledge_productivity, productivity_step, productivity_target
from sim.mechanisms.support import Channel
from sim.numerics.draws import Purpose, uniform
from sim.numerics.jit import inlined


@inlined
def grow(tile, quarter):
    """Employment, productivity and age."""
    firms, rows, p = tile.firms, tile.rows, quarter.parameters
    lift = tile.channels[Channel.productivity]
    luck, shock = quarter.keys[Purpose.PRODUCTIVITY], quarter.keys[Purpose.GROWTH]
    for j in range(tile.length):
        log_employment, supplies = rows.log_employment[j], rows.supplies_leader[j] != 0.0
        trend = employment_trend(firms.productivity[j], firms.constraint[j], log_employment, rows.lost[j], p)
        trend += rows.hired[j]
        u = uniform(shock, tile.first + j)
        employment = employment_step(firms.employment[j], log_employment, trend, supplies, u, p)
        firms.employment[j] = employment if rows.live[j] != 0.0 else firms.employment[j]
    for j in range(tile.length):
        productivity = float(firms.productivity[j])
        known = knowledge_productivity(firms.knowledge[j], firms.revenue[j], p)
        supplies = rows.supplies_leader[j] != 0.0
        target = productivity_target(known, firms.digital[j], firms.governance[j], lift[j], supplies, p)
        target += firms.permanent[j] / LOG_PARTS
        moved = rows.gain[j] + productivity_step(productivity, target, uniform(luck, tile.first + j), p)
        firms.productivity[j] = moved if rows.live[j] != 0.0 else productivity
    for j in range(tile.length):
        firms.age[j] += np.int16(rows.live[j])
