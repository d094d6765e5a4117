"""Recognition and review: eligibility, application, assessment, renewal."""

from __future__ import annotations

from collections import namedtuple

import numpy as np

from sim.firms.columns import ENDED, NEVER
from sim.firms.terms import AWARD_QUARTERS, ended_in, held_since, runs
from sim.firms.tile import TILE, cell_of, list_indices, window
from sim.ladder.application import application_worth, is_reached, is_sme
from sim.ladder.criteria import has_direct_condition, mark_hopeful, meets_requirements, reaches_score, score
from sim.ladder.fields import Field, read_fields
from sim.mechanisms.support import Channel, programme_channel
from sim.numerics.draws import Purpose, uniform, uniform_pair, unit_noise
from sim.numerics.elementary import log
from sim.numerics.jit import equation, inlined, kernel
from sim.numerics.positions import positions
from sim.tiers import Tier

#: What an assessment counts, by place and sector.
Assessed = positions("Assessed", ["eligible", "applied", "passed", "granted"])
#: What reviews and audits count, by place and sector.
Reviewed = positions("Reviewed", ["reviewed", "renewed", "lapsed", "revoked"])

#: Rank of a firm that is not in the running; admitted firms have a rank of 1 or more.
NOT_RANKED = 0
RANK_BINS = 65536
#: Scores beyond this rank alike: 100 points, a bonus and noise (assumed).
_MOST_POINTS = 109.0
#: Ranks of a point, within which a draw breaks ties; so many that the highest rank is a bin.
_RANKS_A_POINT = RANK_BINS // (int(_MOST_POINTS) + 2)


@equation
def rank_of(points, u):
    """Rank, 1 or more and below RANK_BINS, of a score between 0 and about 110, ties broken by the draw u."""
    return np.uint16(1 + min(max(points, 0.0), _MOST_POINTS) * _RANKS_A_POINT + u * (_RANKS_A_POINT - 1))


@inlined
def meets(criteria, fields, noise):
    """Whether a firm meets a tier's criteria as an assessor sees it, `noise` points off the score."""
    if not meets_requirements(criteria, fields):
        return False
    if criteria.item_field.size == 0:
        return True
    return reaches_score(criteria, fields, noise) or has_direct_condition(criteria, fields)


#: A batch as `assess` receives it.
Batch = namedtuple(
    "Batch",
    [
        "tier",  # code of the tier (Tier)
        "lowest",  # lowest tier code that may apply
        "criteria",  # Criteria of the tier
        "ranking",  # Criteria whose score ranks the applicants
        "reach",  # float64 (provinces,), share of firms reached
        "called_from",  # the call is for firms whose fixed draw, 0-1, lies from here on …
        "called_to",  # … and below this
        "rush",  # log-odds that stricter rules announced for the tier add to applications
        "bar",  # float64 (provinces,), points an applicant's score must reach under `ranking`
        "bonus",  # float64 (units,), points added by county
        "ranks",  # uint16 (slots,), written: rank of those who passed, else NOT_RANKED
    ],
)


@kernel
def assess(firms, quarter, batch, scratch, counts, slots):
    """Yearly assessment of firms for a tier; writes ranks, grants nothing.

    An SME is eligible if it meets the criteria. It applies if the programme reaches it and it
    finds the effort worthwhile (its aspiration draw, see sim/ladder/application.py), in the call of
    the year to which its own fixed draw assigns it. An applicant passes if its score
    under the ranking criteria, seen with noise, clears the assessors' bar.

    Args:
        batch: Batch, whose ranks are written. scratch: AssessmentScratch.
        counts: int64 (places, sectors, len(Assessed)), added to.
    """
    env, p = quarter.environment, quarter.parameters
    batch.ranks[slots.first : slots.end] = NOT_RANKED
    for first in range(slots.first, slots.end, TILE):
        tile = window(firms, first, min(first + TILE, slots.end))
        marks = scratch.marks[: len(tile.tier)]
        mark_hopeful(batch.criteria, tile, p, marks)
        for j in range(len(marks)):
            marks[j] = marks[j] if (tile.tier[j] < batch.tier) & (tile.tier[j] >= batch.lowest) else 0.0
        for j in scratch.indices[: list_indices(marks, scratch.indices)]:
            i = first + j
            if not is_sme(firms, env, i):
                continue
            read_fields(firms, quarter, i, scratch.fields)
            u, v = uniform_pair(quarter.keys[Purpose.ASSESSMENT], i)
            noise = p.assessment_noise * unit_noise(u)
            if not meets(batch.criteria, scratch.fields, noise):
                continue
            count = counts[cell_of(firms, env, i)]
            count[Assessed.eligible] += 1
            if not _applies(firms, quarter, batch, i):
                continue
            count[Assessed.applied] += 1
            points = score(batch.ranking, scratch.fields) + noise + batch.bonus[firms.county[i]]
            if points >= batch.bar[env.county_province[firms.county[i]]]:
                count[Assessed.passed] += 1
                batch.ranks[i] = rank_of(points, v)


@inlined
def _applies(firms, quarter, batch, i):
    """Whether the eligible firm i is reached, finds an application worthwhile, and is called in this batch."""
    env, p = quarter.environment, quarter.parameters
    served = programme_channel(firms.support[i], env.programme_effects, Channel.application)
    hope = quarter.moment.award_hope + batch.rush
    worth = application_worth(firms.constraint[i], firms.governance[i], served, hope, p)
    reach = batch.reach[env.county_province[firms.county[i]]]
    draw = uniform(quarter.lasting_keys[Purpose.ASPIRATION], i)
    if not is_reached(draw, reach, log(float(firms.employment[i])), worth, p):
        return False
    return batch.called_from <= uniform(quarter.lasting_keys[Purpose.CALL], i) < batch.called_to


def rank_threshold(ranks: np.ndarray, capacity: int | None) -> int:
    """Lowest rank admitted so that no more than `capacity` are; 1 without a capacity.

    RANK_BINS, which admits no firm, if even the best rank has too many.
    """
    if capacity is None:
        return 1
    passed = ranks[ranks != NOT_RANKED]
    refused = len(passed) - capacity
    return int(np.partition(passed, refused - 1)[refused - 1]) + 1 if refused > 0 else 1


#: What `grant` gives: the tier's code, ranks, uint16 (slots,), and the lowest rank admitted.
Grant = namedtuple("Grant", ["tier", "ranks", "threshold"])


@kernel
def grant(firms, quarter, given, indices, counts, slots):
    """Give a tier's certificate to the firms ranked at or above the threshold.

    given: Grant. indices: working memory (see `sim.firms.tile.index_scratch`). counts as in `assess`.
    """
    env = quarter.environment
    for first in range(slots.first, slots.end, TILE):
        for j in indices[: list_indices(given.ranks[first : min(first + TILE, slots.end)], indices)]:
            i = first + j
            if given.ranks[i] < given.threshold:
                continue
            _certify(firms, given.tier, quarter.moment.index, i)
            counts[cell_of(firms, env, i)][Assessed.granted] += 1


@inlined
def _certify(firms, tier, now, i):
    """Give firm i a tier's certificate, which brings the lower ones with it; `Tier.none` leaves it none."""
    firms.tier[i] = tier
    if tier >= Tier.innovative:
        firms.innovative_since[i] = now
    if tier >= Tier.srdi:
        firms.srdi_since[i] = now
    if tier >= Tier.little_giant:
        firms.giant_since[i] = now


@inlined
def _end_certificate(firms, tier, now, i):
    if tier == Tier.little_giant:
        firms.giant_since[i] = NEVER
        if firms.awarded_in[i] != NEVER:
            paid = runs(firms.awarded_in[i], now, AWARD_QUARTERS)
            firms.awarded_in[i] = ended_in(now) if paid else ENDED
    elif tier == Tier.srdi:
        firms.srdi_since[i] = NEVER
    else:
        firms.innovative_since[i] = NEVER


#: What is reviewed, and how: the tier's code, Criteria of all tiers from the lowest up, the validity in quarters, and
#: the chance that a firm which no longer meets the criteria is refused.
Review = namedtuple("Review", ["tier", "ladder", "validity", "strictness"])


@kernel
def review(firms, quarter, terms, scratch, counts, slots):
    """Three-year review of the certificates of one tier.

    A certificate that would outlive its validity before the next yearly review is renewed if the firm
    still meets the tier's criteria (as assessed, with noise) and is still an SME; otherwise it ends with chance
    `strictness`. A firm that loses a tier keeps the next lower one if it meets that one's
    criteria, whose clock then starts anew; else it falls further.

    Args:
        terms: Review. scratch: AssessmentScratch.
        counts: int64 (3 tiers, places, sectors, len(Reviewed)), added to.
    """
    env, keys, p = quarter.environment, quarter.keys, quarter.parameters
    now, tier = quarter.moment.index, terms.tier
    for first in range(slots.first, slots.end, TILE):
        for j in scratch.indices[: list_indices(firms.tier[first : min(first + TILE, slots.end)], scratch.indices)]:
            i = first + j
            if firms.tier[i] != tier or now - held_since(firms, tier, i) <= terms.validity - 4:
                continue
            counts[tier - 1][cell_of(firms, env, i)][Reviewed.reviewed] += 1
            read_fields(firms, quarter, i, scratch.fields)
            scratch.fields[Field.growth] += p.review_allowance
            # The same assessors as at recognition: a firm that fails is not certified anew in the same quarter.
            u, _ = uniform_pair(keys[Purpose.ASSESSMENT], i)
            noise = p.assessment_noise * unit_noise(u)
            refused = uniform(keys[Purpose.REVIEW], i) < terms.strictness
            sme = is_sme(firms, env, i)
            held = tier
            while held > 0:
                if sme and meets(terms.ladder[held - 1], scratch.fields, noise):
                    break
                if held == tier and not refused:
                    break
                _end_certificate(firms, held, now, i)
                counts[held - 1][cell_of(firms, env, i)][Reviewed.lapsed] += 1
                held -= 1
            if held == tier:
                counts[tier - 1][cell_of(firms, env, i)][Reviewed.renewed] += 1
            _certify(firms, held, now, i)


@kernel
def audit(firms, quarter, indices, counts, slots):
    """Yearly audit of certified firms: false R&D costs every certificate (撤销).

    A certified firm whose last yearly report holds relabelled R&D is caught with chance
    `audit_coverage` · strictness and falls off the ladder.

    Args:
        indices: working memory (see `sim.firms.tile.index_scratch`).
        counts: int64 (3 tiers, places, sectors, len(Reviewed)), added to.
    """
    env, moment = quarter.environment, quarter.moment
    chance = quarter.parameters.audit_coverage * moment.audit_strictness
    for first in range(slots.first, slots.end, TILE):
        for j in indices[: list_indices(firms.tier[first : min(first + TILE, slots.end)], indices)]:
            i = first + j
            if firms.relabelled[i] == 0.0:
                continue
            if uniform(quarter.keys[Purpose.AUDIT], i) < chance:
                tier = firms.tier[i]
                counts[tier - 1][cell_of(firms, env, i)][Reviewed.revoked] += 1
                for held in range(tier, 0, -1):
                    _end_certificate(firms, held, moment.index, i)
                firms.tier[i] = Tier.none


@kernel
def count_champions(firms, quarter, criteria, scratch, champions, slots):
    """Count the firms, of any size, that meet the criteria of a single champion (单项冠军).

    scratch: AssessmentScratch. champions: int64 (places, sectors), added to.
    """
    env = quarter.environment
    for first in range(slots.first, slots.end, TILE):
        tile = window(firms, first, min(first + TILE, slots.end))
        marks = scratch.marks[: len(tile.tier)]
        mark_hopeful(criteria, tile, quarter.parameters, marks)
        for j in range(len(marks)):
            marks[j] = marks[j] if tile.rd_intensity[j] > 0.0 else 0.0
        for j in scratch.indices[: list_indices(marks, scratch.indices)]:
            i = first + j
            if not env.sector_manufacturing[firms.sector[i]]:
                continue
            read_fields(firms, quarter, i, scratch.fields)
            if meets_requirements(criteria, scratch.fields):
                champions[cell_of(firms, env, i)] += 1
