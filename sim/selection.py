"""Picks firms for support by rank within groups, up to a quota a group."""

from __future__ import annotations

import numpy as np

from sim.columns import NEVER
from sim.draws import Purpose, uniform
from sim.jit import kernel
from sim.ladder.criteria import score
from sim.ladder.fields import read_fields
from sim.ladder.recognition import NOT_RANKED, is_sme, rank_of
from sim.mechanisms.digital import digital_level

#: Ranks are counted in this many bins a group; a bin that would overrun the quota waits.
BINS = 4096
BIN_SHIFT = 4
LOTTERY = int(Purpose.LOTTERY)


@kernel
def rank_for_conversion(firms, env, keys, p, county_reached, sector_reached, county_group, ranks, bins, lo, hi):
    """Rank the SMEs that apply to the digital programme: by lot, certified firms first.

    They stand in a reached county and sector, have `digital_min_employment` employees or more,
    are below level 4 and were not supported before. Priority is (u + w · tier/3) / (1 + w), with
    u the lot and w = `digital_priority`: pilot cities prefer firms on the ladder.

    Args:
        county_reached: bool (units,). sector_reached: bool (sectors,).
        county_group: int16 (units,), group of each county.
        ranks: uint16 (slots,), written. bins: int64 (groups, BINS), added to.
    """
    for i in range(lo, hi):
        ranks[i] = NOT_RANKED
        county = firms.county[i]
        if not county_reached[county] or not sector_reached[firms.sector[i]]:
            continue
        if firms.employment[i] < p.digital_min_employment or firms.digitised_in[i] != NEVER:
            continue
        if digital_level(firms.digital[i], p) >= 4 or not is_sme(firms, env, i):
            continue
        priority = (uniform(keys[LOTTERY], i) + p.digital_priority * firms.tier[i] / 3.0) / (1.0 + p.digital_priority)
        ranks[i] = np.uint16(1.0 + priority * 65534.0)
        bins[county_group[county], ranks[i] >> BIN_SHIFT] += 1


@kernel
def rank_for_award(
    firms, env, keys, p, ranking, county_reached, sector_reached, county_group, ranks, fields, bins, lo, hi
):
    """Rank little giants without an award by their score; arguments as in `rank_for_conversion`.

    ranking: Criteria whose score ranks. fields: float64 (N_FIELDS,), scratch.
    """
    for i in range(lo, hi):
        ranks[i] = NOT_RANKED
        if firms.tier[i] < 3 or firms.awarded_in[i] != NEVER:
            continue
        county = firms.county[i]
        if not county_reached[county] or not sector_reached[firms.sector[i]]:
            continue
        read_fields(firms, env, p, i, fields)
        ranks[i] = rank_of(score(ranking, fields), uniform(keys[LOTTERY], i))
        bins[county_group[county], ranks[i] >> BIN_SHIFT] += 1


def bin_thresholds(bins: np.ndarray, quotas: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where to cut each group so that no quota is overrun.

    Returns the lowest admitted bin and the firms admitted, int64 (groups,) each.
    """
    at_or_above = np.cumsum(bins[:, ::-1], axis=1)[:, ::-1]
    at_or_above = np.concatenate([at_or_above, np.zeros((len(bins), 1), dtype=np.int64)], axis=1)
    lowest = np.argmax(at_or_above <= quotas[:, None], axis=1)
    return lowest, at_or_above[np.arange(len(bins)), lowest]


@kernel
def admit(firms, env, since, now, thresholds, county_group, ranks, counts, lo, hi):
    """Write `now` into the column `since` of the ranked firms at or above their group's threshold.

    counts: int64 (provinces, sectors), added to.
    """
    for i in range(lo, hi):
        county = firms.county[i]
        if ranks[i] != NOT_RANKED and (ranks[i] >> BIN_SHIFT) >= thresholds[county_group[county]]:
            since[i] = now
            counts[env.county_province[county], firms.sector[i]] += 1
