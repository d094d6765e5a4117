"""Picks firms for support by rank within groups, up to a quota a group."""

from __future__ import annotations

from collections import namedtuple

import numpy as np

from sim.columns import LISTED, NEVER
from sim.draws import Purpose, uniform
from sim.jit import kernel, part, rule
from sim.ladder.application import is_sme
from sim.ladder.criteria import score
from sim.ladder.fields import read_fields
from sim.ladder.recognition import NOT_RANKED, RANK_BINS, rank_of
from sim.mechanisms.chain_links import leader_of
from sim.mechanisms.digital import digital_level
from sim.tile import TILE, list_places

#: Ranks are counted in bins of 2^BIN_SHIFT, by group; a bin that would overrun the quota waits.
BIN_SHIFT = 4
BINS = RANK_BINS >> BIN_SHIFT
LOTTERY = int(Purpose.LOTTERY)

#: Whom a lever reaches: bool (units,), bool (sectors,), tier code, bool.
Target = namedtuple("Target", ["county", "sector", "lowest_tier", "clusters_only"])


@part
def is_target(firms, env, target, i):
    """Whether firm i is in a lever's target group."""
    if not target.county[firms.county[i]] or not target.sector[firms.sector[i]]:
        return False
    if firms.tier[i] < target.lowest_tier:
        return False
    return not target.clusters_only or (firms.cluster[i] >= 0 and env.cluster_active[firms.cluster[i]])


@part
def is_eligible(firms, env, eligibility, i):
    """Whether firm i may receive a programme; `eligibility` is an Eligibility of numbers."""
    if firms.tier[i] < eligibility.lowest_tier or firms.employment[i] < eligibility.employment_min:
        return False
    if firms.age[i] > eligibility.age_max or firms.constraint[i] < eligibility.constraint_min:
        return False
    if eligibility.research and firms.rd_intensity[i] == 0.0:
        return False
    if eligibility.supplier and leader_of(firms.customer[i]) < 0:
        return False
    if eligibility.promoted and not env.niche_promoted[firms.niche[i]]:
        return False
    if eligibility.manufacturing and not env.sector_manufacturing[firms.sector[i]]:
        return False
    if eligibility.urban and not env.county_urban[firms.county[i]]:
        return False
    return not eligibility.unlisted or firms.flags[i] & LISTED == 0


@rule
def lot_rank(tier, weight, u):
    """Rank by lot, certified firms first: (u + w · tier/3) / (1 + w) on the scale of ranks."""
    return np.uint16(1.0 + (u + weight * tier / 3.0) / (1.0 + weight) * 65534.0)


@kernel
def rank_for_programme(firms, env, key, weight, eligibility, target, ranks, bins, lo, hi):
    """Rank the SMEs a firm programme may support, by lot, certified firms first.

    Args:
        key: uint64, the programme's own stream of the quarter. weight: of the held tier in the rank.
        ranks: uint16 (slots,), written. bins: int64 (1, BINS), added to.
    """
    for i in range(lo, hi):
        ranks[i] = NOT_RANKED
        if firms.employment[i] == 0.0 or not is_target(firms, env, target, i):
            continue
        if not is_eligible(firms, env, eligibility, i) or not is_sme(firms, env, i):
            continue
        ranks[i] = lot_rank(firms.tier[i], weight, uniform(key, i))
        bins[0, ranks[i] >> BIN_SHIFT] += 1


@kernel
def support(firms, env, bit, threshold, ranks, counts, lo, hi):
    """Set a programme's bit for the firms ranked at or above the threshold, and clear it for all others.

    bit: uint32, a power of two. counts: int64 (places, sectors), added to.
    """
    for i in range(lo, hi):
        if ranks[i] != NOT_RANKED and (ranks[i] >> BIN_SHIFT) >= threshold:
            firms.support[i] |= bit
            counts[env.county_place[firms.county[i]], firms.sector[i]] += 1
        else:
            firms.support[i] &= ~bit


@kernel
def rank_for_conversion(firms, env, keys, p, target, county_group, ranks, bins, lo, hi):
    """Rank the SMEs that apply to the digital programme: by lot, certified firms first.

    They stand in a pilot city, have `digital_min_employment` employees or more, are below level 4
    and were not supported before. Pilot cities prefer firms on the ladder (`digital_priority`).

    Args:
        county_group: int16 (units,), running pilot city of each county, or -1.
        ranks: uint16 (slots,), written. bins: int64 (pilots, BINS), added to.
    """
    for i in range(lo, hi):
        ranks[i] = NOT_RANKED
        pilot = county_group[firms.county[i]]
        if pilot < 0 or not is_target(firms, env, target, i):
            continue
        if firms.employment[i] < p.digital_min_employment or firms.digitised_in[i] != NEVER:
            continue
        if digital_level(firms.digital[i], p) >= 4 or not is_sme(firms, env, i):
            continue
        ranks[i] = lot_rank(firms.tier[i], p.digital_priority, uniform(keys[LOTTERY], i))
        bins[pilot, ranks[i] >> BIN_SHIFT] += 1


@kernel
def rank_for_award(firms, env, keys, p, ranking, target, ranks, fields, places, bins, lo, hi):
    """Rank little giants without an award by their score.

    ranking: Criteria whose score ranks. fields, places: working memory (see `field_scratch`).
    ranks: uint16 (slots,), written. bins: int64 (1, BINS), added to.
    """
    ranks[lo:hi] = NOT_RANKED
    for start in range(lo, hi, TILE):
        n = min(start + TILE, hi) - start
        for m in range(list_places(firms.tier[start : start + n], places, n)):
            i = start + places[m]
            if firms.tier[i] < 3 or firms.awarded_in[i] != NEVER or not is_target(firms, env, target, i):
                continue
            read_fields(firms, env, p, i, fields)
            ranks[i] = rank_of(score(ranking, fields), uniform(keys[LOTTERY], i))
            bins[0, ranks[i] >> BIN_SHIFT] += 1


def bin_thresholds(bins: np.ndarray, quotas: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where to cut each group so that no quota is overrun.

    Args:
        bins: int64 (groups, BINS), ranked firms by bin. quotas: int64 (groups,), most firms admitted.

    Returns:
        The lowest admitted bin and the firms admitted, int64 (groups,) each.
    """
    lowest, admitted = np.empty(len(bins), dtype=np.int64), np.empty(len(bins), dtype=np.int64)
    _cut(bins, quotas, lowest, admitted)
    return lowest, admitted


@kernel
def _cut(bins, quotas, lowest, admitted):
    for group in range(bins.shape[0]):
        bin_, total = bins.shape[1], 0
        while bin_ > 0 and total + bins[group, bin_ - 1] <= quotas[group]:
            bin_ -= 1
            total += bins[group, bin_]
        lowest[group], admitted[group] = bin_, total


@kernel
def admit(firms, env, since, now, thresholds, county_group, ranks, counts, lo, hi):
    """Write `now` into the column `since` of the ranked firms at or above their group's threshold.

    Args:
        since: int8 (slots,), column of firms. now: quarter.
        thresholds: int64 (groups,), see `bin_thresholds`. county_group: int16 (units,).
        counts: int64 (places, sectors), added to.
    """
    for i in range(lo, hi):
        county = firms.county[i]
        if ranks[i] != NOT_RANKED and (ranks[i] >> BIN_SHIFT) >= thresholds[county_group[county]]:
            since[i] = now
            counts[env.county_place[county], firms.sector[i]] += 1
