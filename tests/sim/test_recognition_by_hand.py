"""Recognition, review and audit of a handful of firms whose fate can be told in advance.

The kernels run interpreted: a few firms need no compiler.
"""

from __future__ import annotations

import numpy as np
import pytest

from sim.firms.columns import ENDED, NEVER, allocate
from sim.firms.tile import TILE, Slots, index_scratch
from sim.ladder import recognition
from sim.ladder.criteria import build_criteria, score
from sim.ladder.fields import Field, assessment_scratch, read_fields
from sim.ladder.recognition import Assessed, Batch, Grant, Review, Reviewed
from sim.levers import PROGRAMMES
from sim.mechanisms.support import Channel
from sim.numerics.draws import TIMELESS, Purpose, quarter_keys, uniform, uniform_pair, unit_noise
from sim.parameters import parameter_record
from sim.rules import Rules
from sim.tiers import TIERS
from sim.world.environment import Environment, Moment, QuarterInputs

P = parameter_record({"class1_cost": 7e6})
RULES = Rules()
KEYS, LASTING_KEYS = quarter_keys(1, 5), quarter_keys(1, TIMELESS)
NOW, VALIDITY = np.int64(20), 12  # 64 bits, as the model's clock: dates are far apart for the 8 of a column
COUNTIES, PLACES, SECTORS = 3, 2, 2
#: Slots: more than two tiles, the last one not full; firms stand where the tests put them.
SLOTS = 2 * TILE + 20

#: Meets every tier's criteria amply.
STRONG = {
    "employment": 200, "revenue": 200e6, "age": 40, "rd_last_year": 0.06, "rd_before": 0.06, "knowledge": 30e6,
    "main_share": 0.9, "growth": 0.12, "equity": 90e6, "digital": 0.9, "refinement": 0.9, "leverage": 0.3,
    "productivity": 0.5, "customer": -2, "rd_intensity": 0.06, "county": 1, "sector": 1, "niche": 0,
    "constraint": 0.4, "governance": 0.4,
}  # fmt: skip
#: Meets none, though it has some R&D.
WEAK = STRONG | {"rd_last_year": 0.001, "rd_before": 0.001, "equity": 0, "knowledge": 1e5, "main_share": 0.3}


def criteria(tier: str):
    """Tables of a tier under the rules as they are, built anew."""
    return build_criteria(tier, getattr(RULES, tier, None))


def interpreted(kernel):
    return getattr(kernel, "py_func", kernel)


def population(firms: dict[int, dict]):
    """Columns of SLOTS slots: the given firms by slot, dated NEVER, all other slots vacant."""
    columns = allocate(SLOTS)
    for name in ("innovative_since", "srdi_since", "giant_since", "awarded_in"):
        getattr(columns, name)[:] = NEVER
    for slot, firm in firms.items():
        for name, value in firm.items():
            getattr(columns, name)[slot] = value
    return columns


def environment(**parts) -> Environment:
    """Three counties in two provinces; the first sector is not manufacturing."""
    zeros = dict.fromkeys(Environment._fields, np.zeros(SECTORS))
    given = {
        "county_province": np.array([0, 1, 0]),
        "county_place": np.array([0, 1, 0]),
        "niche_promoted": np.array([True]),
        "niche_revenue": np.array([1e9]),
        "sector_manufacturing": np.array([False, True]),
        "sector_sme_employees": np.array([1000.0, 1000.0]),
        "sector_sme_revenue": np.array([4e8, 4e8]),
        "programme_effects": np.zeros((len(PROGRAMMES), len(Channel))),
    }
    return Environment(**zeros | given | parts)


def quarter(env=None, p=P, moment=None) -> QuarterInputs:
    """What firms see, of the parts given; the quarter is NOW unless a moment says otherwise."""
    record = (moment or Moment(index=int(NOW))).record()
    return QuarterInputs(env or environment(), KEYS, LASTING_KEYS, p, record, record)


def seen(columns, slot):
    """Fields of a firm, and the two draws of its assessment."""
    fields = np.empty(len(Field))
    read_fields(columns, quarter(), slot, fields)
    return fields, *uniform_pair(KEYS[Purpose.ASSESSMENT], slot)


# --- assessment

ASPIRATION, CALL = LASTING_KEYS[Purpose.ASPIRATION], LASTING_KEYS[Purpose.CALL]
#: All slots but the first and the last.
INNER = Slots(1, SLOTS - 1)


def assess(columns, *, tier=2, lowest=0, reach=(1.0, 1.0), called=(0.0, 1.0), bar=60.0, bonus=(0.0, 0.0, 0.0), **more):
    """Ranks and counts of an assessment for the SRDI tier of all slots but the first and the last."""
    asked, rush = more.pop("criteria", criteria("srdi")), more.pop("rush", 0.0)
    ranks = np.full(SLOTS, 7, dtype=np.uint16)
    batch = Batch(
        tier,
        lowest,
        asked,
        criteria("srdi"),
        np.array(reach),
        *called,
        rush,
        np.full(2, bar, dtype=float),
        np.array(bonus),
        ranks,
    )
    counts = np.zeros((PLACES, SECTORS, 4), dtype=np.int64)
    interpreted(recognition.assess)(columns, quarter(**more), batch, assessment_scratch(), counts, INNER)
    assert ranks[0] == ranks[-1] == 7
    return ranks[1:-1], counts


def test_strong_smes_are_ranked_wherever_they_stand():
    slots = (1, TILE, TILE + 1, 2 * TILE, SLOTS - 2)
    columns = population(dict.fromkeys(slots, STRONG) | {0: STRONG, SLOTS - 1: STRONG, 7: WEAK})
    ranks, counts = assess(columns)
    assert list(np.flatnonzero(ranks) + 1) == list(slots)
    for slot in slots:
        fields, u, v = seen(columns, slot)
        points = score(criteria("srdi"), fields) + P.assessment_noise * unit_noise(u)
        assert ranks[slot - 1] == recognition.rank_of(points, v)
    assert counts[1, 1].tolist() == [5, 5, 5, 0]
    assert counts.sum() == 15


def test_counts_stand_by_place_and_sector():
    columns = population({5: STRONG | {"county": 2, "sector": 0}, 6: STRONG | {"county": 1, "sector": 0}})
    _, counts = assess(columns)
    assert counts[0, 0, :3].tolist() == counts[1, 0, :3].tolist() == [1, 1, 1]
    assert counts.sum() == 6


@pytest.mark.parametrize(
    ("change", "eligible"),
    [
        ({"employment": 999, "revenue": 5e8}, 1),
        ({"employment": 1000, "revenue": 3.9e8}, 1),
        ({"employment": 1000, "revenue": 5e8}, 0),
        ({"tier": 1}, 1),
        ({"tier": 2}, 0),
        ({"tier": 3}, 0),
        ({"tier": 0}, 0),  # below the lowest tier that may apply
        ({"rd_last_year": 0.0, "rd_before": 0.0, "knowledge": 0.0, "equity": 0.0}, 0),
    ],
)
def test_who_is_eligible(change, eligible):
    columns = population({9: STRONG | {"tier": 1} | change})
    _, counts = assess(columns, lowest=1)
    assert counts[1, 1, Assessed.eligible] == counts[1, 1, Assessed.applied] == eligible


def test_a_call_on_all_is_open_to_every_lower_tier():
    firms = {slot: STRONG | {"tier": tier} for slot, tier in ((8, 0), (9, 1), (10, 2), (11, 3))}
    _, counts = assess(population(firms), tier=3, lowest=0, criteria=criteria("little_giant"))
    assert counts[1, 1].tolist() == [3, 3, 3, 0]


def test_firms_that_fall_out_do_not_end_the_assessment_of_the_rest():
    large = STRONG | {"employment": 1000, "revenue": 5e8}
    columns = population({5: large, 6: WEAK, 7: STRONG | {"county": 0}, 8: STRONG})
    ranks, counts = assess(columns, reach=(0.0, 1.0))
    assert list(np.flatnonzero(ranks) + 1) == [8]
    assert counts[0, 1].tolist() == [1, 0, 0, 0]
    assert counts[1, 1].tolist() == [1, 1, 1, 0]


def test_who_is_not_reached_does_not_apply():
    _, counts = assess(population({9: STRONG}), reach=(1.0, 0.0))
    assert counts[1, 1].tolist() == [1, 0, 0, 0]
    _, counts = assess(population({9: STRONG}), reach=(0.0, 1.0))
    assert counts[1, 1].tolist() == [1, 1, 1, 0]


def least_reach(worth):
    """The reach at which firm 9's aspiration draw is just enough."""
    u = uniform(ASPIRATION, 9)
    odds = u / (1 - u) / (4**P.reach_size * np.exp(worth))
    return odds / (1 + odds)


@pytest.mark.parametrize("case", ["plain", "constraint", "governance", "support", "hope", "rush"])
def test_application_depends_on_reach_size_and_worth(case):
    firm, env, moment = STRONG | {"constraint": P.constraint_reference, "governance": 0.4}, environment(), Moment()
    p = P.copy()
    p["apply_governance_reference"] = np.float64(np.float32(0.4))
    worth = 0.0
    if case == "constraint":
        firm["constraint"], worth = 0.75, P.apply_constraint * (0.75 - P.constraint_reference)
    if case == "governance":
        firm["governance"], worth = 0.75, P.apply_governance * (0.75 - p.apply_governance_reference)
    if case == "support":
        firm["support"], worth = 0b101, 0.7
        env.programme_effects[0, Channel.application], env.programme_effects[2, Channel.application] = 0.5, 0.2
    if case == "hope":
        moment.award_hope = worth = 0.3
    rush = 0.4 if case == "rush" else 0.0
    enough = least_reach(worth + rush)
    for reach, applied in ((enough * 1.0001, 1), (enough * 0.9999, 0)):
        _, counts = assess(population({9: firm}), reach=(0.0, reach), rush=rush, env=env, moment=moment, p=p)
        assert counts[1, 1, Assessed.applied] == applied


def test_a_call_is_for_the_lots_from_its_first_to_before_its_last():
    lot = uniform(CALL, 9)
    for called, applied in (
        ((lot, 1.0), 1),
        ((0.0, lot), 0),
        ((0.0, lot - 1e-9), 0),
        ((lot - 0.01, lot + 0.01), 1),
        ((lot + 1e-9, 1.0), 0),
    ):
        _, counts = assess(population({9: STRONG}), called=called)
        assert counts[1, 1, Assessed.applied] == applied


def test_a_lot_outside_the_call_does_not_end_it_for_the_rest():
    lots = {slot: uniform(CALL, slot) for slot in range(9, 20)}
    ranks, _ = assess(population(dict.fromkeys(lots, STRONG)), called=(lots[9] + 1e-9, 1.0))
    later = [slot for slot, lot in lots.items() if lot > lots[9]]
    assert later
    assert list(np.flatnonzero(ranks) + 1) == later


def test_an_applicant_passes_at_the_bar_with_noise_and_the_bonus_of_the_county():
    columns = population({9: STRONG})
    fields, u, _ = seen(columns, 9)
    points = score(criteria("srdi"), fields) + P.assessment_noise * unit_noise(u) - 5.0
    for bar, passed in ((points, 1), (points + 1e-6, 0)):
        ranks, counts = assess(columns, bar=bar, bonus=(3.0, -5.0, 7.0))
        assert counts[1, 1, Assessed.passed] == passed
        assert (ranks[8] > 0) == passed


def test_the_bar_is_that_of_the_firms_own_province():
    columns = population({9: STRONG, 11: STRONG | {"county": 2}})  # of the second and of the first province
    ranks, _ = assess(columns, bar=(0.0, 200.0))
    assert (ranks[8] > 0, ranks[10] > 0) == (False, True)
    ranks, _ = assess(columns, bar=(200.0, 0.0))
    assert (ranks[8] > 0, ranks[10] > 0) == (True, False)


def test_an_assessors_noise_decides_at_the_pass_mark():
    columns = population({9: STRONG})
    fields, u, _ = seen(columns, 9)
    innovative = criteria("innovative")
    noise = P.assessment_noise * unit_noise(u)
    for slack, eligible in ((-1e-6, 1), (1e-6, 0)):
        mark = np.array([score(innovative, fields) + noise + slack])
        nothing_direct = innovative._replace(score_min=mark, direct_start=np.array([0, 0]))
        _, counts = assess(columns, criteria=nothing_direct)
        assert counts[1, 1, Assessed.eligible] == eligible


def test_noise_means_nothing_to_a_tier_without_a_score():
    fields, _, _ = seen(population({9: STRONG}), 9)
    assert recognition.meets(criteria("little_giant"), fields, -100.0)
    assert not recognition.meets(criteria("innovative")._replace(direct_start=np.array([0, 0])), fields, -100.0)


def test_ranks_spread_the_score_and_break_ties_by_lot():
    assert recognition.rank_of(50.0, 0.5) == int(1 + 50 * 590 + 0.5 * 589)
    assert recognition.rank_of(-3.0, 0.1) == int(1 + 0.1 * 589)
    assert recognition.rank_of(200.0, 0.25) == int(1 + 109 * 590 + 0.25 * 589)
    assert recognition.rank_of(50.0, 0.99) == 1 + 29500 + 583  # of 589 lots


@pytest.mark.parametrize(
    ("ranks", "capacity", "threshold"),
    [
        ([5, 9, 9, 3, 0], 1, 10),
        ([5, 9, 9, 3, 0], 2, 6),
        ([5, 9, 9, 3, 0], 3, 4),
        ([5, 9, 9, 3, 0], 4, 1),
        ([5, 65535], 0, 65536),
        ([0, 0], 0, 1),
        ([1, 1], None, 1),
        ([1, 1], 1, 2),
    ],
)
def test_threshold_of_a_capacity(ranks, capacity, threshold):
    assert recognition.rank_threshold(np.array(ranks, dtype=np.uint16), capacity) == threshold


# --- granting


@pytest.mark.parametrize("tier", [1, 2, 3])
def test_a_certificate_brings_the_lower_ones_with_it(tier):
    slots = (4, TILE, TILE + 5, SLOTS - 2)
    columns = population(dict.fromkeys((*slots, 8, 0, SLOTS - 1), STRONG))
    ranks = np.zeros(SLOTS, dtype=np.uint16)
    ranks[[*slots, 8, 0, SLOTS - 1]] = [40, 45, 50, 41, 39, 90, 90]
    counts = np.zeros((PLACES, SECTORS, 4), dtype=np.int64)
    counts[1, 1, Assessed.granted] = 10
    given = Grant(tier, ranks, 40)
    interpreted(recognition.grant)(columns, quarter(moment=Moment(index=6)), given, index_scratch(), counts, INNER)
    assert counts[1, 1].tolist() == [0, 0, 0, 14]
    for name, lowest in (("innovative_since", 1), ("srdi_since", 2), ("giant_since", 3)):
        dates = getattr(columns, name)
        assert list(np.flatnonzero(dates == 6)) == (list(slots) if tier >= lowest else [])
        assert set(dates) <= {6, NEVER}
    assert list(np.flatnonzero(columns.tier)) == list(slots)
    assert set(columns.tier[list(slots)]) == {tier}


# --- review

CERTIFIED = {"tier": 3, "innovative_since": 9, "srdi_since": 9, "giant_since": 9, "awarded_in": 4}


def review(firm, tier=3, strictness=1.0, slot=TILE + 3, others=()):
    """Columns of the slot and counts (tier, what) after a review."""
    columns = population({slot: firm, 0: firm, SLOTS - 1: firm, **dict(others)})
    counts = np.zeros((3, PLACES, SECTORS, 4), dtype=np.int64)
    ladder = tuple(criteria(name) for name in TIERS)
    terms = Review(tier, ladder, VALIDITY, strictness)
    interpreted(recognition.review)(columns, quarter(), terms, assessment_scratch(), counts, INNER)
    assert columns.tier[0] == columns.tier[-1] == firm["tier"]
    assert counts.sum() == counts[:, 1, 1].sum()
    names = ("tier", "innovative_since", "srdi_since", "giant_since", "awarded_in")
    return tuple(int(getattr(columns, name)[slot]) for name in names), counts[:, 1, 1]


@pytest.mark.parametrize("tier", [1, 2, 3])
def test_only_certificates_that_would_outlive_their_validity_are_reviewed(tier):
    own = ("innovative_since", "srdi_since", "giant_since")[tier - 1]
    old = STRONG | CERTIFIED | {"innovative_since": 0, "srdi_since": 0, "giant_since": 0, "tier": tier}
    held, counts = review(old | {own: NOW - VALIDITY + 4}, tier)
    assert counts.sum() == 0
    assert held[0] == tier
    _, counts = review(old | {own: NOW - VALIDITY + 3}, tier)
    assert counts[tier - 1].tolist() == [1, 1, 0, 0]
    assert counts.sum() == 2
    _, counts = review(old | {own: 0, "tier": tier % 3 + 1}, tier)  # of another tier
    assert counts.sum() == 0


@pytest.mark.parametrize("slot", [1, TILE, TILE + 1, 2 * TILE, SLOTS - 2])
def test_certificates_are_reviewed_wherever_they_stand_behind_younger_ones(slot):
    due, young = STRONG | CERTIFIED | {"giant_since": 2}, STRONG | CERTIFIED | {"giant_since": NOW}
    younger = {other: young for other in range(slot // 4 + 1, slot)}
    held, counts = review(due, slot=slot, others=younger)
    assert held == (3, NOW, NOW, NOW, 4)
    assert counts.tolist() == [[0, 0, 0, 0], [0, 0, 0, 0], [1, 1, 0, 0]]


def test_who_still_meets_the_criteria_is_renewed_with_the_lower_certificates():
    held, counts = review(STRONG | CERTIFIED | {"giant_since": 2})
    assert held == (3, NOW, NOW, NOW, 4)
    assert counts[2, [Reviewed.reviewed, Reviewed.renewed, Reviewed.lapsed, Reviewed.revoked]].tolist() == [1, 1, 0, 0]
    held, _ = review(STRONG | {"tier": 2, "innovative_since": 2, "srdi_since": 2}, 2)
    assert held == (2, NOW, NOW, NEVER, NEVER)
    held, _ = review(STRONG | {"tier": 1, "innovative_since": 2}, 1)
    assert held == (1, NOW, NEVER, NEVER, NEVER)


def test_who_meets_nothing_falls_off_the_ladder_and_the_award_ends():
    held, counts = review(WEAK | CERTIFIED | {"giant_since": 2})
    assert held == (0, NEVER, NEVER, NEVER, ENDED)
    assert counts.tolist() == [[0, 0, 1, 0], [0, 0, 1, 0], [1, 0, 1, 0]]
    held, _ = review(WEAK | CERTIFIED | {"giant_since": 2, "awarded_in": NEVER})
    assert held == (0, NEVER, NEVER, NEVER, NEVER)
    # a title lost before, in the third quarter, while its award was being paid
    held, _ = review(WEAK | CERTIFIED | {"giant_since": 2, "awarded_in": ENDED + 1 + 3})
    assert held == (0, NEVER, NEVER, NEVER, ENDED)


@pytest.mark.parametrize(("awarded_in", "paid"), [(NOW, False), (NOW - 1, True), (NOW - 12, True), (NOW - 13, False)])
def test_an_award_that_is_being_paid_when_the_title_ends_is_dated(awarded_in, paid):
    held, _ = review(WEAK | CERTIFIED | {"giant_since": 2, "awarded_in": awarded_in})
    assert held[-1] == (ENDED + 1 + NOW if paid else ENDED)


def test_who_meets_the_next_lower_criteria_keeps_that_tier_from_now_on():
    held, counts = review(STRONG | CERTIFIED | {"giant_since": 2, "refinement": 0.5, "main_share": 0.65})
    assert held == (2, NOW, NOW, NEVER, ENDED)
    assert counts.tolist() == [[0, 0, 0, 0], [0, 0, 0, 0], [1, 0, 1, 0]]
    held, _ = review(STRONG | CERTIFIED | {"giant_since": 2, "main_share": 0.65, "age": 4})
    assert held == (1, NOW, NEVER, NEVER, ENDED)


def test_a_firm_that_is_no_longer_an_sme_loses_everything():
    held, counts = review(STRONG | CERTIFIED | {"giant_since": 2, "employment": 1000, "revenue": 5e8})
    assert held[0] == 0
    assert counts[:, Reviewed.lapsed].tolist() == [1, 1, 1]


def test_a_failed_review_ends_a_certificate_with_the_chance_of_strictness():
    draw = uniform(KEYS[Purpose.REVIEW], TILE + 3)
    failed = WEAK | CERTIFIED | {"giant_since": 2}
    for strictness in (draw, draw - 1e-6):
        assert review(failed, strictness=strictness)[0] == (3, NOW, NOW, NOW, 4)
    assert review(failed, strictness=draw + 1e-6)[0][0] == 0


@pytest.mark.parametrize(("noise", "kept"), [(1e-6, 1), (-1e-6, 0)])
def test_reviewers_see_the_score_with_the_noise_of_the_assessors(noise, kept):
    slot = TILE + 3
    firm = STRONG | {"tier": 1, "innovative_since": 2}
    columns = population({slot: firm})
    fields, u, _ = seen(columns, slot)
    fields[Field.growth] += P.review_allowance
    points = score(criteria("innovative"), fields) + P.assessment_noise * unit_noise(u)
    strict = criteria("innovative")._replace(score_min=np.array([points - noise]), direct_start=np.array([0, 0]))
    counts = np.zeros((3, PLACES, SECTORS, 4), dtype=np.int64)
    terms = Review(1, (strict,), VALIDITY, 1.0)
    interpreted(recognition.review)(columns, quarter(), terms, assessment_scratch(), counts, Slots(0, SLOTS))
    assert columns.tier[slot] == kept


# --- audit and champions


def audited(strictness, p):
    """A quarter in which audits are as strict as said."""
    return quarter(p=p, moment=Moment(index=int(NOW), audit_strictness=strictness))


@pytest.mark.parametrize("tier", [1, 2, 3])
def test_false_research_costs_every_certificate(tier):
    slots = (2, TILE, TILE + 9, 2 * TILE)
    firm = STRONG | CERTIFIED | {"tier": tier, "relabelled": 0.2}
    honest = firm | {"relabelled": 0.0}
    columns = population(dict.fromkeys((*slots, 0, SLOTS - 1), firm) | {7: honest, 8: WEAK | {"relabelled": 0.2}})
    counts = np.zeros((3, PLACES, SECTORS, 4), dtype=np.int64)
    p = P.copy()
    p["audit_coverage"] = 1.0
    interpreted(recognition.audit)(columns, audited(1.0, p), index_scratch(), counts, INNER)
    assert counts[tier - 1, 1, 1].tolist() == [0, 0, 0, 4]
    assert counts.sum() == 4
    assert list(np.flatnonzero(columns.tier)) == [0, 7, SLOTS - 1]
    for slot in slots:
        assert columns.innovative_since[slot] == NEVER
        assert (columns.srdi_since[slot] == NEVER) == (tier >= 2)
        assert (columns.giant_since[slot] == NEVER) == (tier == 3)
        assert columns.awarded_in[slot] == (ENDED if tier == 3 else 4)


def test_the_chance_of_being_caught_is_coverage_times_strictness():
    draw = uniform(KEYS[Purpose.AUDIT], 9)
    p = P.copy()
    for coverage, strictness, caught in (
        (0.8, draw / 0.8 * 1.0001, True),
        (0.8, draw / 0.8 * 0.9999, False),
        (1.0, np.nextafter(draw, 1.0), True),
        (1.0, draw, False),
    ):
        p["audit_coverage"] = coverage
        columns = population({9: STRONG | CERTIFIED | {"relabelled": 0.2}})
        counts = np.zeros((3, PLACES, SECTORS, 4), dtype=np.int64)
        interpreted(recognition.audit)(columns, audited(strictness, p), index_scratch(), counts, Slots(0, SLOTS))
        assert (columns.tier[9] == 0) == caught


def test_champions_are_manufacturers_of_any_size_that_do_research():
    champion = STRONG | {"revenue": 5e9, "employment": 5000, "niche": 0}
    columns = population(
        {
            3: champion,
            TILE: champion,
            TILE + 4: champion,
            SLOTS - 2: champion | {"county": 0},
            0: champion,
            SLOTS - 1: champion,
            5: champion | {"sector": 0},
            6: champion | {"rd_intensity": 0.0},
            7: champion | {"revenue": 9e8},
            8: champion | {"rd_intensity": 1e-6},
        }
    )
    counts = np.zeros((PLACES, SECTORS), dtype=np.int64)
    asked = criteria("single_champion")
    interpreted(recognition.count_champions)(columns, quarter(), asked, assessment_scratch(), counts, INNER)
    assert counts.tolist() == [[0, 1], [0, 4]]
