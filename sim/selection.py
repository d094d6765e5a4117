"""Picks firms for support by rank within groups, up to a quota a group."""

from __future__ import annotations

from collections import namedtuple

import numpy as np

from sim.firms.columns import LISTED, NEVER
from sim.firms.tile import TILE, cell_of, list_indices
from sim.ladder.application import is_sme
from sim.ladder.criteria import score
from sim.ladder.fields import read_fields
from sim.ladder.recognition import NOT_RANKED, RANK_BINS, rank_of
from sim.mechanisms.chain_links import leader_of
from sim.mechanisms.digital import digital_level
from sim.numerics.draws import Purpose, uniform
from sim.numerics.jit import equation, inlined, kernel
from sim.tiers import Tier

#: Ranks are counted in bins of 2^BIN_SHIFT, by group; the first bin that would exceed the quota is left out.
BIN_SHIFT = 4
BINS = RANK_BINS >> BIN_SHIFT

#: Whom a lever reaches: bool (units,), bool (sectors,), tier code, bool.
Target = namedtuple("Target", ["county", "sector", "lowest_tier", "clusters_only"])


@inlined
def is_target(firms, env, target, i):
    """Whether firm i is in a lever's target group."""
    if not target.county[firms.county[i]] or not target.sector[firms.sector[i]]:
        return False
    if firms.tier[i] < target.lowest_tier:
        return False
    return not target.clusters_only or (firms.cluster[i] >= 0 and env.cluster_active[firms.cluster[i]])


@inlined
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


@equation
def lot_rank(tier, weight, u):
    """Rank in a weighted lottery: (u + w · tier/3) / (1 + w) on the scale of ranks; certified firms stand better."""
    return np.uint16(1.0 + (u + weight * tier / Tier.little_giant) / (1.0 + weight) * (RANK_BINS - 2))


#: A weighted lottery among firms as kernels receive it.
Lottery = namedtuple(
    "Lottery",
    [
        "target",  # Target
        "key",  # uint64, stream of the draws
        "priority",  # weight of the held tier in the rank
        "ranks",  # uint16 (slots,), written
    ],
)


@kernel
def rank_for_programme(firms, quarter, lottery, eligibility, bins, slots):
    """Rank the SMEs a firm programme may support by weighted lottery: certified firms stand better.

    lottery: Lottery. eligibility: Eligibility of numbers. bins: int64 (BINS,), added to.
    """
    env, ranks = quarter.environment, lottery.ranks
    for i in range(slots.first, slots.end):
        ranks[i] = NOT_RANKED
        if firms.employment[i] == 0.0 or not is_target(firms, env, lottery.target, i):
            continue
        if not is_eligible(firms, env, eligibility, i) or not is_sme(firms, env, i):
            continue
        ranks[i] = lot_rank(firms.tier[i], lottery.priority, uniform(lottery.key, i))
        bins[ranks[i] >> BIN_SHIFT] += 1


#: What `support` gives: the programme's bit, uint32, ranks, uint16 (slots,), and the lowest bin admitted.
Support = namedtuple("Support", ["bit", "ranks", "threshold"])


@kernel
def support(firms, quarter, given, counts, slots):
    """Set a programme's bit for the firms ranked at or above the threshold, and clear it for all others.

    given: Support. counts: int64 (places, sectors), added to.
    """
    env, bit, ranks = quarter.environment, given.bit, given.ranks
    for i in range(slots.first, slots.end):
        if ranks[i] != NOT_RANKED and (ranks[i] >> BIN_SHIFT) >= given.threshold:
            firms.support[i] |= bit
            counts[cell_of(firms, env, i)] += 1
        else:
            firms.support[i] &= ~bit


@kernel
def rank_for_conversion(firms, quarter, lottery, county_pilot, slots):
    """Rank the SMEs that apply to the digital programme by weighted lottery: pilot cities prefer firms on the ladder.

    They stand in a pilot city, have `digital_min_employment` employees or more, are below level 4
    and were not supported before.

    lottery: Lottery. county_pilot: int16 (units,), running pilot city of each county, or -1.
    """
    env, p, ranks = quarter.environment, quarter.parameters, lottery.ranks
    for i in range(slots.first, slots.end):
        ranks[i] = NOT_RANKED
        if county_pilot[firms.county[i]] < 0 or not is_target(firms, env, lottery.target, i):
            continue
        if firms.employment[i] < p.digital_min_employment or firms.digitised_in[i] != NEVER:
            continue
        if digital_level(firms.digital[i], p) >= 4 or not is_sme(firms, env, i):
            continue
        ranks[i] = lot_rank(firms.tier[i], lottery.priority, uniform(lottery.key, i))


#: A contest as `rank_for_award` receives it: Target, Criteria whose score ranks, and ranks, uint16 (slots,), written.
Contest = namedtuple("Contest", ["target", "ranking", "ranks"])


@kernel
def rank_for_award(firms, quarter, contest, scratch, slots):
    """Rank little giants without an award by their score.

    contest: Contest. scratch: AssessmentScratch.
    """
    ranks = contest.ranks
    ranks[slots.first : slots.end] = NOT_RANKED
    for first in range(slots.first, slots.end, TILE):
        for j in scratch.indices[: list_indices(firms.tier[first : min(first + TILE, slots.end)], scratch.indices)]:
            i = first + j
            if firms.tier[i] < Tier.little_giant or firms.awarded_in[i] != NEVER:
                continue
            if not is_target(firms, quarter.environment, contest.target, i):
                continue
            read_fields(firms, quarter, i, scratch.fields)
            tie_break = uniform(quarter.keys[Purpose.LOTTERY], i)
            ranks[i] = rank_of(score(contest.ranking, scratch.fields), tie_break)


def lowest_bin(bins: np.ndarray, quota: int) -> int:
    """The lowest bin admitted so that no more than `quota` firms are; BINS if none is.

    bins: int64 (BINS,), ranked firms by bin.
    """
    return len(bins) - int(np.searchsorted(np.cumsum(bins[::-1]), quota, side="right"))


def within_quotas(ranks: np.ndarray, group: np.ndarray, quotas: np.ndarray) -> np.ndarray:
    """Which of the ranked firms are admitted so that no group has more than its quota: bool (firms,).

    ranks: uint16 (firms,). group: int (firms,), of each firm. quotas: int64 (groups,).
    """
    place = group.astype(np.int64) * BINS + (BINS - 1 - (ranks >> BIN_SHIFT))  # the best bin of a group first
    places, firms = np.unique(place, return_counts=True)
    of = places // BINS
    before = np.concatenate([[0], np.cumsum(firms)])
    start = before[np.searchsorted(of, np.arange(len(quotas)))]
    fits = before[1:] - start[of] <= quotas[of]
    last = np.full(len(quotas), -1)
    last[of[fits]] = places[fits]  # the last write of a group is its lowest bin that fits
    return place <= last[group]
