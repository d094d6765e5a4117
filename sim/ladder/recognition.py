"""Recognition and review: who is eligible, who applies, who passes, who keeps a certificate.

Tier codes: 0 none, 1 innovative SME, 2 SRDI SME, 3 little giant.
"""

from __future__ import annotations

import numpy as np

from sim.columns import ENDED, NEVER
from sim.draws import Purpose, uniform, uniform_pair, unit_noise
from sim.elementary import log
from sim.jit import kernel, part, rule
from sim.ladder.application import application_worth, is_reached, is_sme
from sim.ladder.criteria import has_direct_condition, mark_hopeful, meets_requirements, reaches_score, score
from sim.ladder.fields import read_fields
from sim.mechanisms.support import X_APPLICATION, programme_channel
from sim.terms import AWARD_QUARTERS, ended_in, runs
from sim.tile import TILE, list_places, window

ASSESSMENT = int(Purpose.ASSESSMENT)
REVIEW = int(Purpose.REVIEW)
AUDIT = int(Purpose.AUDIT)

#: What an assessment counts, by place and sector.
ASSESSED = ("eligible", "applied", "passed", "granted")
ELIGIBLE, APPLIED, PASSED, GRANTED = range(4)

#: What reviews and audits count, by place and sector.
REVIEWED = ("reviewed", "renewed", "lapsed", "revoked")
IN_REVIEW, RENEWED, LAPSED, REVOKED = range(4)

#: Rank of a firm that is not in the running; admitted firms have a rank of 1 or more.
NOT_RANKED = 0
RANK_BINS = 65536


@rule
def rank_of(points, u):
    """Rank 1 … 65535 of a score between 0 and about 110, ties broken by the draw u."""
    return np.uint16(1 + min(max(points, 0.0), 109.0) * 590.0 + u * 589.0)


@part
def meets(criteria, fields, noise):
    """Whether a firm meets a tier's criteria as an assessor sees it, `noise` points off the score."""
    if not meets_requirements(criteria, fields):
        return False
    if criteria.item_field.size == 0:
        return True
    return reaches_score(criteria, fields, noise) or has_direct_condition(criteria, fields)


@kernel
def assess(
    firms, env, keys, aspiration_key, call_key, p, moment, tier, lowest, criteria, ranking, reach, called, bar, bonus,
    ranks, fields, places, marks, counts, lo, hi
):  # fmt: skip
    """Yearly assessment of the firms in slots lo … hi-1 for a tier; writes ranks, grants nothing.

    An SME is eligible if it meets the criteria, and applies if the programme reaches it and it
    finds it worth the effort (its aspiration draw, see sim/ladder/application.py), in the call of
    the year in which its province asks it, by a lot it keeps. An applicant passes if its score
    under the ranking criteria, seen with noise, clears the assessors' bar.

    Args:
        tier: code of the tier. lowest: lowest tier code that may apply.
        criteria: Criteria of the tier. ranking: Criteria whose score ranks the applicants.
        reach: float64 (provinces,), share of firms reached.
        called: (from, to), lots of the firms this call is for, 0-1.
        bar: float64, points an applicant's score must reach under `ranking`.
        bonus: float64 (units,), points added by county.
        ranks: uint16 (slots,), written: rank of those who passed, else NOT_RANKED.
        fields, places, marks: working memory (see `assessment_scratch`).
        counts: int64 (places, sectors, len(ASSESSED)), added to.
    """
    ranks[lo:hi] = NOT_RANKED
    for start in range(lo, hi, TILE):
        n = min(start + TILE, hi) - start
        w = window(firms, start, start + n)
        mark_hopeful(criteria, w, p, marks, n)
        for j in range(n):
            marks[j] = marks[j] if (w.tier[j] < tier) & (w.tier[j] >= lowest) else 0.0
        for m in range(list_places(marks, places, n)):
            i = start + places[m]
            if not is_sme(firms, env, i):
                continue
            read_fields(firms, env, p, i, fields)
            u, v = uniform_pair(keys[ASSESSMENT], i)
            noise = p.assessment_noise * unit_noise(u)
            if not meets(criteria, fields, noise):
                continue
            county = firms.county[i]
            place = env.county_place[county]
            sector = firms.sector[i]
            counts[place, sector, ELIGIBLE] += 1
            log_employment = log(float(firms.employment[i]))
            served = programme_channel(firms.support[i], env.programme_effects, X_APPLICATION)
            worth = application_worth(firms.constraint[i], firms.governance[i], served, moment.award_hope, p)
            reached = reach[env.county_province[county]]
            if not is_reached(uniform(aspiration_key, i), reached, log_employment, worth, p):
                continue
            if not called[0] <= uniform(call_key, i) < called[1]:
                continue
            counts[place, sector, APPLIED] += 1
            points = score(ranking, fields) + noise + bonus[county]
            if points >= bar:
                counts[place, sector, PASSED] += 1
                ranks[i] = rank_of(points, v)


@kernel
def histogram(ranks, counts):
    """Count the slots of each rank into counts: int64 (RANK_BINS or more,)."""
    for i in range(ranks.size):
        if ranks[i] != NOT_RANKED:
            counts[ranks[i]] += 1


def rank_threshold(ranks: np.ndarray, capacity: int | None) -> int:
    """Lowest rank admitted so that no more than `capacity` are; 1 without a capacity.

    RANK_BINS, which admits nobody, if even the best rank has too many.
    """
    if capacity is None:
        return 1
    counts = np.zeros(RANK_BINS + 1, dtype=np.int64)
    histogram(ranks, counts)
    at_or_above = np.cumsum(counts[::-1])[::-1]
    return int(1 + np.argmax(at_or_above[1:] <= capacity))


@kernel
def grant(firms, env, ranks, threshold, tier, now, places, counts, lo, hi):
    """Give the tier's certificate to the firms in slots lo … hi-1 ranked at or above the threshold.

    A higher certificate brings the lower ones with it. places: working memory. counts as in `assess`.
    """
    for start in range(lo, hi, TILE):
        n = min(start + TILE, hi) - start
        for m in range(list_places(ranks[start : start + n], places, n)):
            i = start + places[m]
            if ranks[i] < threshold:
                continue
            firms.tier[i] = tier
            firms.innovative_since[i] = now
            if tier >= 2:
                firms.srdi_since[i] = now
            if tier >= 3:
                firms.giant_since[i] = now
            counts[env.county_place[firms.county[i]], firms.sector[i], GRANTED] += 1


@part
def _end_certificate(firms, tier, now, i):
    if tier == 3:
        firms.giant_since[i] = NEVER
        if firms.awarded_in[i] != NEVER:
            paid = runs(firms.awarded_in[i], now, AWARD_QUARTERS)
            firms.awarded_in[i] = ended_in(now) if paid else ENDED
    elif tier == 2:
        firms.srdi_since[i] = NEVER
    else:
        firms.innovative_since[i] = NEVER


@part
def _since(firms, tier, i):
    if tier == 3:
        return firms.giant_since[i]
    if tier == 2:
        return firms.srdi_since[i]
    return firms.innovative_since[i]


@kernel
def review(firms, env, keys, p, tier, ladder, validity, strictness, now, fields, places, counts, lo, hi):
    """Three-year review of the certificates of one tier in slots lo … hi-1.

    A certificate that would outlive `validity` before the next yearly review is renewed if the firm
    still meets the tier's criteria (as assessed, with noise) and is still an SME; otherwise it ends with chance
    `strictness`. A firm that loses a tier keeps the next lower one if it meets that one's
    criteria, whose clock then starts anew; else it falls further.

    Args:
        ladder: tuple of Criteria, innovative to little giant.
        validity: quarters. fields, places: working memory (see `field_scratch`).
        counts: int64 (3 tiers, places, sectors, len(REVIEWED)), added to.
    """
    for start in range(lo, hi, TILE):
        n = min(start + TILE, hi) - start
        for m in range(list_places(firms.tier[start : start + n], places, n)):
            i = start + places[m]
            if firms.tier[i] != tier or now - _since(firms, tier, i) <= validity - 4:
                continue
            place = env.county_place[firms.county[i]]
            sector = firms.sector[i]
            counts[tier - 1, place, sector, IN_REVIEW] += 1
            read_fields(firms, env, p, i, fields)
            # The same assessors as at recognition: who fails is not certified anew in the same quarter.
            u, _ = uniform_pair(keys[ASSESSMENT], i)
            noise = p.assessment_noise * unit_noise(u)
            v = uniform(keys[REVIEW], i)
            sme = is_sme(firms, env, i)
            held = tier
            while held > 0:
                criteria = ladder[held - 1]
                if sme and meets(criteria, fields, noise):
                    break
                if held == tier and v >= strictness:
                    break
                _end_certificate(firms, held, now, i)
                counts[held - 1, place, sector, LAPSED] += 1
                held -= 1
            if held == tier:
                counts[tier - 1, place, sector, RENEWED] += 1
            firms.tier[i] = held
            if held >= 1:
                firms.innovative_since[i] = now
            if held >= 2:
                firms.srdi_since[i] = now
            if held >= 3:
                firms.giant_since[i] = now


@kernel
def audit(firms, env, keys, p, strictness, now, places, counts, lo, hi):
    """Yearly audit of certified firms in slots lo … hi-1: false R&D costs every certificate (撤销).

    A certified firm whose last yearly report holds relabelled R&D is caught with chance
    `audit_coverage` · strictness and falls off the ladder.

    Args:
        strictness: 0-1. now: quarter. places: working memory.
        counts: int64 (3 tiers, places, sectors, len(REVIEWED)), added to.
    """
    for start in range(lo, hi, TILE):
        n = min(start + TILE, hi) - start
        for m in range(list_places(firms.tier[start : start + n], places, n)):
            i = start + places[m]
            tier = firms.tier[i]
            if firms.relabelled[i] == 0.0:
                continue
            if uniform(keys[AUDIT], i) < p.audit_coverage * strictness:
                counts[tier - 1, env.county_place[firms.county[i]], firms.sector[i], REVOKED] += 1
                for held in range(tier, 0, -1):
                    _end_certificate(firms, held, now, i)
                firms.tier[i] = 0


@kernel
def count_champions(firms, env, p, criteria, fields, places, marks, champions, lo, hi):
    """Count the firms of slots lo … hi-1, of any size, that meet the criteria of a single champion (单项冠军).

    fields, places, marks: working memory (see `assessment_scratch`). champions: int64 (places, sectors), added to.
    """
    for start in range(lo, hi, TILE):
        n = min(start + TILE, hi) - start
        w = window(firms, start, start + n)
        mark_hopeful(criteria, w, p, marks, n)
        for j in range(n):
            marks[j] = marks[j] if w.rd_intensity[j] > 0.0 else 0.0
        for m in range(list_places(marks, places, n)):
            i = start + places[m]
            if not env.sector_manufacturing[firms.sector[i]]:
                continue
            read_fields(firms, env, p, i, fields)
            if meets_requirements(criteria, fields):
                champions[env.county_place[firms.county[i]], firms.sector[i]] += 1
