"""The criteria of the regulation, evaluated clause by clause on firms made by hand."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from sim.ladder.criteria import (
    _least_bound,
    _needs_research,
    build_criteria,
    has_direct_condition,
    mark_hopeful,
    meets_requirements,
    reaches_score,
    score,
)
from sim.ladder.fields import Field
from sim.ladder.recognition import meets
from sim.parameters import parameter_record
from sim.reference import read_data
from sim.rules import Rules
from sim.tiers import TIERS

RULES = Rules()

#: A firm that meets every clause of the little-giant criteria, each just so.
JUST_A_GIANT = {
    "niche_years": 3,
    "main_share": 0.70,
    "growth": 0.05,
    "revenue_yuan": 100e6,
    "rd_intensity": 0.03,
    "rd_intensity_before": 0.03,
    "digital_level": 2,
    "quality_marks": 1,
    "debt_ratio": 0.70,
    "niche_share": 0.10,
    "own_brand": 1,
    "rd_institute": 1,
    "class1_ip": 2,
    "chain_role": 1,
    "promoted": 1,
}


def criteria(tier: str):
    """Tables of a tier under the rules as they are, built anew."""
    return build_criteria(tier, getattr(RULES, tier, None))


def fields(**values) -> np.ndarray:
    """A firm as an assessor sees it, 0 in the fields not named: float64 (fields,)."""
    made = np.zeros(len(Field))
    for name, value in values.items():
        made[getattr(Field, name)] = value
    return made


def test_a_firm_that_just_meets_every_clause_is_a_little_giant():
    assert meets_requirements(criteria("little_giant"), fields(**JUST_A_GIANT))


@pytest.mark.parametrize("name", sorted(set(JUST_A_GIANT) - {"revenue_yuan"}))
def test_missing_one_clause_by_a_hair_is_not_enough(name):
    worse = 1.01 if name == "debt_ratio" else 0.99
    firm = JUST_A_GIANT | {name: JUST_A_GIANT[name] * worse}
    assert not meets_requirements(criteria("little_giant"), fields(**firm))


@pytest.mark.parametrize(
    ("change", "eligible"),
    [
        ({"revenue_yuan": 99e6}, False),  # the middle band asks for 6 %
        ({"revenue_yuan": 50e6, "rd_intensity": 0.06, "rd_intensity_before": 0.06}, True),
        ({"revenue_yuan": 50e6, "rd_intensity": 0.06, "rd_intensity_before": 0.059}, False),
        ({"revenue_yuan": 49e6, "rd_intensity": 0.5, "rd_intensity_before": 0.5}, False),
        ({"revenue_yuan": 49e6, "equity_yuan": 80e6, "rd_spending_yuan": 30e6, "rd_staff_share": 0.5}, True),
        ({"revenue_yuan": 49e6, "equity_yuan": 79e6, "rd_spending_yuan": 30e6, "rd_staff_share": 0.5}, False),
    ],
)
def test_research_is_asked_for_by_revenue_band(change, eligible):
    assert meets_requirements(criteria("little_giant"), fields(**JUST_A_GIANT | change)) == eligible


SRDI_MINIMUM = {"niche_years": 2, "rd_spending_yuan": 1e6, "rd_intensity": 0.03, "revenue_yuan": 10e6}


@pytest.mark.parametrize("name", sorted(SRDI_MINIMUM))
def test_the_four_srdi_conditions(name):
    firm = SRDI_MINIMUM | {name: SRDI_MINIMUM[name] * 0.99}
    assert meets_requirements(criteria("srdi"), fields(**SRDI_MINIMUM))
    assert not meets_requirements(criteria("srdi"), fields(**firm))


def test_new_equity_stands_in_for_srdi_revenue():
    assert meets_requirements(criteria("srdi"), fields(**SRDI_MINIMUM | {"revenue_yuan": 1e6, "equity_yuan": 20e6}))


def test_srdi_score_of_a_firm_counted_by_hand():
    firm = fields(
        main_share=0.75,  # 3
        growth=0.07,  # 6
        niche_years=7,  # 3
        chain_role=1,  # 3
        digital_level=2,  # 3
        quality_marks=2,  # 5
        net_margin=0.065,  # 6
        debt_ratio=0.55,  # 3
        niche_share=0.02,  # 12
        class1_ip=2,  # 8
        rd_intensity=0.05,  # 4
        rd_staff_share=0.12,  # 3
        rd_institute=1,  # 2
    )
    assert score(criteria("srdi"), firm) == 61


def test_innovative_score_of_a_firm_counted_by_hand():
    firm = fields(class1_ip=2, rd_intensity=0.035, growth=0.12, debt_ratio=0.6, promoted=1, main_share=0.65)
    assert score(criteria("innovative"), firm) == 15 + 15 + 15 + 5 + 10 + 15


def test_the_best_possible_score_is_one_hundred():
    best = dict.fromkeys(Field._fields, 1e9) | {"debt_ratio": 0.0}
    assert score(criteria("srdi"), fields(**best)) == 100
    assert score(criteria("innovative"), fields(**best)) == 100


def test_each_part_of_the_innovative_score_has_its_minimum():
    strong = {"class1_ip": 4, "rd_intensity": 0.05, "growth": 0.15, "debt_ratio": 0.5, "main_share": 0.7}
    assert reaches_score(criteria("innovative"), fields(**strong), 0.0)
    no_research = strong | {"class1_ip": 0, "rd_intensity": 0.03}  # 15 of the 20 points asked for
    assert score(criteria("innovative"), fields(**no_research)) == 70
    assert not reaches_score(criteria("innovative"), fields(**no_research), 0.0)


def test_direct_conditions_stand_in_for_the_score_but_not_for_the_requirements():
    direct = {"rd_spending_mean_yuan": 10e6}
    firm = fields(**SRDI_MINIMUM | direct)
    assert not reaches_score(criteria("srdi"), firm, 0.0)
    assert has_direct_condition(criteria("srdi"), firm)
    assert meets(criteria("srdi"), firm, 0.0)
    assert not meets(criteria("srdi"), fields(**direct), 0.0)


def test_a_scenario_changes_a_threshold_in_one_place():
    rules = Rules.model_validate({"little_giant": {"niche_share_min": 0.2}})
    strict = build_criteria("little_giant", rules.little_giant)
    assert not meets_requirements(strict, fields(**JUST_A_GIANT))
    assert meets_requirements(strict, fields(**JUST_A_GIANT | {"niche_share": 0.2}))


@pytest.mark.parametrize("tier", TIERS)
def test_every_threshold_of_the_file_is_used(tier):
    data = read_data("criteria")[tier]
    alternatives = [a for requirement in data.get("require", ()) for a in requirement["any"]] + data.get("direct", [])
    conditions = [condition for alternative in alternatives for condition in alternative["all"]]
    named = {c.get("at_least", c.get("at_most")) for c in conditions} | {"score_min"}
    assert set(data["threshold"]) <= named


# --- boundaries, generated from the file


def conditions_of(tier: str):
    """Every alternative of the tier's clauses with one of its conditions, and what it stands for."""
    data = read_data("criteria")[tier]
    for requirement in data.get("require", ()):
        for alternative in requirement["any"]:
            yield from ((tier, "require", requirement["clause"], alternative["all"], c) for c in alternative["all"])
    for alternative in data.get("direct", ()):
        yield from ((tier, "direct", alternative["clause"], alternative["all"], c) for c in alternative["all"])


def bound_of(tier: str, condition: dict) -> float:
    bound = condition.get("at_least", condition.get("at_most"))
    return float(read_data("criteria")[tier]["threshold"][bound]["value"] if isinstance(bound, str) else bound)


def just_meeting(tier: str, kind: str, clause: str, conditions: list[dict]) -> dict[str, float]:
    """A firm that meets one alternative just so, nothing else of its clause, and all other clauses amply."""
    firm = dict.fromkeys(Field._fields, 0.0)
    requirements = read_data("criteria")[tier].get("require", ())
    for requirement in requirements:
        if kind == "direct" or requirement["clause"] != clause:
            firm |= {c["field"]: 0.0 if "at_most" in c else 1e12 for c in requirement["any"][0]["all"]}
    for requirement in requirements:
        if kind == "require" and requirement["clause"] == clause:
            firm |= {c["field"]: 0.0 for alternative in requirement["any"] for c in alternative["all"]}
    return firm | {c["field"]: bound_of(tier, c) for c in conditions}


CASES = [case for tier in TIERS for case in conditions_of(tier)]


@pytest.mark.parametrize(
    ("tier", "kind", "clause", "conditions", "condition"),
    CASES,
    ids=[f"{tier}-{kind}-{c['field']}-{c.get('at_least', c.get('at_most'))}" for tier, kind, _, _, c in CASES],
)
def test_each_condition_holds_at_its_bound_and_fails_a_hair_beyond(tier, kind, clause, conditions, condition):
    holds = meets_requirements if kind == "require" else has_direct_condition
    firm = just_meeting(tier, kind, clause, conditions)
    assert holds(criteria(tier), fields(**firm))
    bound = bound_of(tier, condition)
    beyond = np.nextafter(bound, np.inf if "at_most" in condition else -np.inf)
    assert not holds(criteria(tier), fields(**firm | {condition["field"]: beyond}))


BANDS = [
    (tier, item["field"], item.get("at_most", False), place, item["bands"])
    for tier in TIERS
    for item in read_data("criteria")[tier].get("score", ())
    for place in range(len(item["bands"]))
]


@pytest.mark.parametrize(
    ("tier", "field", "at_most", "place", "bands"), BANDS, ids=[f"{t}-{f}-{b[k][0]}" for t, f, _, k, b in BANDS]
)
def test_each_score_band_begins_at_its_bound(tier, field, at_most, place, bands):
    bound, points = bands[place]
    next_points = bands[place + 1][1] if place + 1 < len(bands) else 0
    rest = score(criteria(tier), fields(**{field: np.inf if at_most else -np.inf}))
    beyond = np.nextafter(bound, np.inf if at_most else -np.inf)
    assert score(criteria(tier), fields(**{field: bound})) - rest == points
    assert score(criteria(tier), fields(**{field: beyond})) - rest == next_points
    assert points > next_points


@pytest.mark.parametrize(
    ("before", "last", "eligible"), [(10e6, 10e6, True), (8e6, 12e6, True), (12e6, 8e6, True), (8e6, 11.9e6, False)]
)
def test_the_direct_srdi_condition_is_on_the_mean_of_two_years(before, last, eligible):
    """Interim measures of 2022: mean R&D of two years of 10 million or more stands in for the score."""
    firm = SRDI_MINIMUM | {"rd_spending_yuan": last, "rd_spending_mean_yuan": 0.5 * (before + last)}
    assert has_direct_condition(criteria("srdi"), fields(**firm)) == eligible


# --- tables of the criteria


def stated(field, bound, at_most=False, direct=False):
    """Criteria of one condition, and an item for the score if the condition is a direct one."""
    made = criteria("little_giant")._replace(
        condition_field=np.array([getattr(Field, field)]),
        condition_at_most=np.array([at_most]),
        condition_value=np.array([bound]),
        alternative_start=np.array([0, 1]),
        requirement_start=np.array([0] if direct else [0, 1]),
        direct_start=np.array([0, 1] if direct else [1, 1]),
    )
    if not direct:
        return made
    innovative = criteria("innovative")
    items = {name: getattr(innovative, name) for name in innovative._fields if name.startswith(("item", "group", "b"))}
    return made._replace(**items)


def test_research_is_needed_where_no_other_way_leads_to_the_certificate():
    assert all(criteria(tier).needs_research[0] for tier in TIERS)
    assert criteria("single_champion").needs_research[0]
    assert _needs_research(stated("rd_intensity", 0.03))
    assert not _needs_research(stated("rd_intensity", 0.0))
    assert not _needs_research(stated("rd_intensity", -0.1))
    assert not _needs_research(stated("rd_intensity", 0.03, at_most=True))
    assert not _needs_research(stated("growth", 0.03))
    assert not _needs_research(stated("growth", 0.03, direct=True))
    assert _needs_research(stated("class1_ip", 1.0, direct=True))


def test_research_is_needed_where_a_group_of_the_score_cannot_do_without():
    innovative = criteria("innovative")
    assert _needs_research(innovative)  # 20 points of the group innovation are all from research
    assert _needs_research(innovative._replace(group_min=np.array([1.0, 15.0, 15.0])))
    assert not _needs_research(innovative._replace(group_min=np.array([0.0, 30.0, 30.0])))
    assert _needs_research(innovative._replace(group_min=np.array([0.0, 30.0, 31.0])))
    assert _needs_research(innovative._replace(group_min=np.array([0.0, 31.0, 30.0])))
    free = innovative.band_value.copy()
    for least in (0.0, -1.0):
        free[:4] = least  # patents: points for none at all
        assert not _needs_research(innovative._replace(band_value=free))
    upper = innovative.item_at_most.copy()
    upper[:2] = True  # few patents and little R&D earn the points
    assert not _needs_research(innovative._replace(item_at_most=upper))
    both = np.array([40.0, 15.0, 15.0])
    assert not _needs_research(innovative._replace(item_at_most=upper, band_value=free, group_min=both))


def test_least_bounds_of_patents_and_equity():
    least = {tier: (criteria(tier).least_patents[0], criteria(tier).least_equity[0]) for tier in TIERS}
    assert least == {"innovative": (0.3, 5e6), "srdi": (0.3, 20e6), "little_giant": (2.0, 80e6)}
    assert (
        criteria("single_champion").least_patents[0],
        criteria("single_champion").least_equity[0],
    ) == (4.0, np.inf)


def test_a_least_bound_is_positive():
    innovative = criteria("innovative")
    assert _least_bound(innovative, "promoted") == 1.0  # the other band begins at 0
    lowest = np.where(innovative.band_value == 0.3, -1.0, innovative.band_value)
    assert _least_bound(innovative._replace(band_value=lowest), "class1_ip") == 1.0


def test_tables_of_the_innovative_tier():
    made = criteria("innovative")
    assert made.needs_research.shape == made.least_patents.shape == made.least_equity.shape == made.score_min.shape
    assert made.score_min.shape == (1,)
    assert made.alternative_start.tolist() == [0, 1, 2, 3]
    assert made.requirement_start.tolist() == [0]
    assert made.direct_start.tolist() == [0, 3]
    names = ("class1_ip", "rd_intensity", "growth", "debt_ratio", "promoted", "main_share")
    assert made.item_field.tolist() == [getattr(Field, name) for name in names]
    assert made.item_at_most.tolist() == [name == "debt_ratio" for name in names]
    assert made.group_start.tolist() == [0, 2, 4, 6]
    assert made.group_min.tolist() == [20, 15, 15]
    assert made.band_start.tolist() == [0, 4, 8, 12, 14, 16, 20]
    assert made.score_min.tolist() == [60]


def test_tables_of_the_other_tiers():
    srdi, giant = criteria("srdi"), criteria("little_giant")
    assert srdi.alternative_start.tolist() == [0, 1, 3, 4, 5, 6, 7]
    assert srdi.requirement_start.tolist() == [0, 1, 2, 4]
    assert srdi.direct_start.tolist() == [4, 6]
    assert srdi.group_min.tolist() == [0, 0, 0, 0]
    assert giant.requirement_start.tolist() == [0, 1, 2, 3, 6, 7, 8, 9]
    assert giant.direct_start.tolist() == [9, 9]
    assert giant.condition_at_most.sum() == 1
    assert giant.score_min.tolist() == [0]
    assert giant.item_field.size == giant.group_min.size == 0


@pytest.mark.parametrize(
    ("change", "hopeful"),
    [
        ({}, 0),
        ({"rd_last_year": 0.5}, 1),
        ({"rd_before": 0.5}, 1),
        ({"equity": 20e6}, 1),
        ({"equity": 21e6}, 1),
        ({"equity": 19e6}, 0),
        ({"knowledge": 0.3 * 2**20}, 1),
        ({"knowledge": 0.4 * 2**20}, 1),
        ({"knowledge": 0.29 * 2**20}, 0),
        ({"rd_last_year": 0.5, "employment": 0.0}, 0),
    ],
)
def test_hopeful_are_firms_with_research_patents_or_equity(change, hopeful):
    p = parameter_record().copy()
    p["class1_cost"] = 2.0**20
    firm = {"rd_last_year": 0.0, "rd_before": 0.0, "equity": 0.0, "knowledge": 0.0, "employment": 5.0} | change
    w = SimpleNamespace(**{name: np.array([9.0, value]) for name, value in firm.items()})
    marks = np.full(3, 5.0)
    mark_hopeful(criteria("srdi"), w, p, marks[:2])
    assert marks.tolist() == [1.0, hopeful, 5.0]
    undemanding = criteria("srdi")._replace(needs_research=np.array([False]))
    mark_hopeful(undemanding, w, p, marks[:2])
    assert marks.tolist() == [1.0, float(firm["employment"] > 0), 5.0]


def test_the_score_reaches_the_pass_mark_in_every_group():
    firm = fields(class1_ip=4, growth=0.15, main_share=0.6)
    innovative = criteria("innovative")  # 20, 20 + 10 (no debt), 15 + 5 (any field)
    assert score(innovative, firm) == 70
    assert reaches_score(innovative, firm, -10.0)
    assert not reaches_score(innovative, firm, -10.1)
    assert not reaches_score(innovative._replace(group_min=np.array([20.0, 15.0, 21.0])), firm, 0.0)
    assert reaches_score(innovative._replace(group_min=np.array([20.0, 30.0, 20.0])), firm, 0.0)
    assert meets_requirements(innovative, firm)
