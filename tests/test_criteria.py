"""The criteria of the regulation, evaluated clause by clause on firms made by hand."""

from __future__ import annotations

import numpy as np
import pytest

from sim.columns import allocate
from sim.environment import Environment
from sim.ladder.criteria import build_criteria, has_direct_condition, meets_requirements, reaches_score, score
from sim.ladder.fields import FIELD_INDEX, FIELDS, read_fields
from sim.ladder.recognition import meets
from sim.parameters import parameter_record
from sim.reference import read_data
from sim.rules import TIERS, Rules

RULES = Rules()
CRITERIA = {tier: build_criteria(tier, getattr(RULES, tier)) for tier in TIERS}

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


def fields(**values) -> np.ndarray:
    made = np.zeros(len(FIELDS))
    for name, value in values.items():
        made[FIELD_INDEX[name]] = value
    return made


def test_a_firm_that_just_meets_every_clause_is_a_little_giant():
    assert meets_requirements(CRITERIA["little_giant"], fields(**JUST_A_GIANT))


@pytest.mark.parametrize("name", sorted(set(JUST_A_GIANT) - {"revenue_yuan"}))
def test_missing_one_clause_by_a_hair_is_not_enough(name):
    worse = 1.01 if name == "debt_ratio" else 0.99
    firm = JUST_A_GIANT | {name: JUST_A_GIANT[name] * worse}
    assert not meets_requirements(CRITERIA["little_giant"], fields(**firm))


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
    assert meets_requirements(CRITERIA["little_giant"], fields(**JUST_A_GIANT | change)) == eligible


SRDI_MINIMUM = {"niche_years": 2, "rd_spending_yuan": 1e6, "rd_intensity": 0.03, "revenue_yuan": 10e6}


@pytest.mark.parametrize("name", sorted(SRDI_MINIMUM))
def test_the_four_srdi_conditions(name):
    firm = SRDI_MINIMUM | {name: SRDI_MINIMUM[name] * 0.99}
    assert meets_requirements(CRITERIA["srdi"], fields(**SRDI_MINIMUM))
    assert not meets_requirements(CRITERIA["srdi"], fields(**firm))


def test_new_equity_stands_in_for_srdi_revenue():
    assert meets_requirements(CRITERIA["srdi"], fields(**SRDI_MINIMUM | {"revenue_yuan": 1e6, "equity_yuan": 20e6}))


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
    assert score(CRITERIA["srdi"], firm) == 61


def test_innovative_score_of_a_firm_counted_by_hand():
    firm = fields(class1_ip=2, rd_intensity=0.035, growth=0.12, debt_ratio=0.6, promoted=1, main_share=0.65)
    assert score(CRITERIA["innovative"], firm) == 15 + 15 + 15 + 5 + 10 + 15


def test_the_best_possible_score_is_one_hundred():
    best = dict.fromkeys(FIELD_INDEX, 1e9) | {"debt_ratio": 0.0}
    assert score(CRITERIA["srdi"], fields(**best)) == 100
    assert score(CRITERIA["innovative"], fields(**best)) == 100


def test_each_part_of_the_innovative_score_has_its_minimum():
    strong = {"class1_ip": 4, "rd_intensity": 0.05, "growth": 0.15, "debt_ratio": 0.5, "main_share": 0.7}
    assert reaches_score(CRITERIA["innovative"], fields(**strong), 0.0)
    no_research = strong | {"class1_ip": 0, "rd_intensity": 0.03}  # 15 of the 20 points asked for
    assert score(CRITERIA["innovative"], fields(**no_research)) == 70
    assert not reaches_score(CRITERIA["innovative"], fields(**no_research), 0.0)


def test_direct_conditions_stand_in_for_the_score_but_not_for_the_requirements():
    direct = {"rd_spending_yuan": 10e6, "rd_spending_before_yuan": 10e6}
    firm = fields(**SRDI_MINIMUM | direct)
    assert not reaches_score(CRITERIA["srdi"], firm, 0.0)
    assert has_direct_condition(CRITERIA["srdi"], firm)
    assert meets(CRITERIA["srdi"], firm, 0.0)
    assert not meets(CRITERIA["srdi"], fields(**direct), 0.0)


def test_a_scenario_changes_a_threshold_in_one_place():
    rules = Rules.model_validate({"little_giant": {"niche_share_min": 0.2}})
    strict = build_criteria("little_giant", rules.little_giant)
    assert not meets_requirements(strict, fields(**JUST_A_GIANT))
    assert meets_requirements(strict, fields(**JUST_A_GIANT | {"niche_share": 0.2}))


@pytest.mark.parametrize("tier", TIERS)
def test_every_field_and_threshold_of_the_file_is_used(tier):
    data = read_data("criteria")[tier]
    alternatives = [a for requirement in data.get("require", ()) for a in requirement["any"]] + data.get("direct", [])
    conditions = [condition for alternative in alternatives for condition in alternative["all"]]
    named = {c.get("at_least", c.get("at_most")) for c in conditions} | {"score_min"}
    assert set(data["threshold"]) <= named


def test_read_fields_writes_each_field_where_it_is_declared():
    p = parameter_record()
    firms = allocate(1)
    firms.employment[0], firms.revenue[0], firms.age[0] = 200, 200e6, 40
    firms.rd_last_year[0], firms.rd_before[0] = 0.05, 0.04
    firms.knowledge[0], firms.main_share[0], firms.growth[0] = 30e6, 0.8, 0.07
    firms.equity[0], firms.digital[0], firms.refinement[0] = 5e6, 0.5, 0.7
    firms.leverage[0], firms.productivity[0], firms.customer[0] = 0.4, 0.3, 2
    parts = dict.fromkeys(Environment._fields, np.zeros(1))
    parts |= {"niche_promoted": np.array([True]), "niche_revenue": np.array([8e9])}
    out = np.full(len(FIELDS), np.nan)
    read_fields.py_func(firms, Environment(**parts), p, 0, out)
    got = {name: out[index] for name, index in FIELD_INDEX.items()}
    wanted = {
        "niche_years": 10,
        "main_share": 0.8,
        "growth": 0.07,
        "revenue_yuan": 200e6,
        "rd_intensity": 0.05,
        "rd_intensity_before": 0.04,
        "rd_spending_yuan": 10e6,
        "rd_spending_before_yuan": 8e6,
        "equity_yuan": 5e6,
        "digital_level": 3,
        "quality_marks": 3,
        "own_brand": 1,
        "net_margin": p.margin_mean + 0.3 * p.margin_productivity,
        "debt_ratio": 0.4,
        "niche_share": 200e6 / (p.niche_claim * 8e9),
        "chain_role": 2,
        "promoted": 1,
        "class1_ip": 30e6 / p.class1_cost,
        "rd_staff_share": p.rd_staff_cost_share * 10e6 / (p.rd_staff_cost * 200),
        "rd_institute": 2,
        "high_tech": 1,
    }
    assert got == pytest.approx(wanted, rel=1e-5)
