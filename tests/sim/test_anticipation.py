"""Between announcement and start: what firms do once they know, and that nothing acts before."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from sim.branching import first_difference
from sim.calendar import Quarter
from sim.feedbacks import Feedbacks
from sim.ladder.rounds import Rounds
from sim.levers import Levers
from sim.model import SRDIModel
from sim.policy import Policy
from sim.rules import REPORTED, Rules, SrdiRules

STRICTER = {"srdi": {"rd_intensity_min": 0.05}}


def awards(**window) -> Levers:
    lever = {"enabled": True, "budget_yuan": 1e11, "end": "2030Q4", **window}
    return Levers.model_validate({"little_giant_awards": lever})


def applications(policy: Policy, *, until: int) -> list[float]:
    """Applications to the SRDI tier by quarter."""
    model = SRDIModel(policy, scale=0.01, rng=3, until=until)
    model.run_model()
    tiers = model.tables()["tier"]
    return tiers["applied"][tiers["tier"] == "srdi"].tolist()


def test_hope_of_awards_rises_to_its_full_size_as_they_come_near():
    model = SRDIModel(Policy(levers=awards(announced="2019Q2", start="2020Q1")), scale=0.001, rng=1)
    hopes = []
    for _ in range(6):
        model.step()
        hopes.append(model.moment.award_hope)
    full = model.parameters.apply_award
    assert hopes == pytest.approx([0.0, full * 0.8**3, full * 0.8**2, full * 0.8, full, full])


def test_without_the_feedback_an_announcement_changes_nothing():
    plain, announced = (
        Policy(
            levers=awards(start="2021Q1", announced=known),
            rules=Rules(announced=known, start="2021Q1", **STRICTER),
            model=Feedbacks(anticipation=False),
        )
        for known in (None, "2019Q2")
    )
    assert applications(plain, until=2021) == applications(announced, until=2021)


def test_firms_hurry_before_stricter_rules():
    """More apply in the last year before a bar rises, and no fewer quarters before the announcement."""
    sudden, announced = (Policy(rules=Rules(announced=known, start="2022Q1", **STRICTER)) for known in (None, "2020Q3"))
    before, after = applications(sudden, until=2022), applications(announced, until=2022)
    first = Quarter.parse("2020Q3") - Quarter.parse("2018Q4")
    assert before[:first] == after[:first]
    year = slice(Quarter.parse("2021Q1") - Quarter.parse("2018Q4"), Quarter.parse("2022Q1") - Quarter.parse("2018Q4"))
    assert sum(after[year]) > 1.05 * sum(before[year])
    assert first_difference(sudden, announced) == Quarter.parse("2020Q3")


def test_the_rush_is_for_the_tier_whose_rules_become_stricter():
    rules = Rules(announced="2019Q1", start="2020Q1", **STRICTER)
    model = SRDIModel(Policy(rules=rules), scale=0.001, rng=1)
    model.step()
    rounds: Rounds = model.rounds
    assert rounds._rush("srdi") == model.parameters.apply_rush
    assert rounds._rush("innovative") == rounds._rush("little_giant") == 0.0


def test_firms_work_towards_an_announced_threshold_a_year_ahead():
    rules = Rules(announced="2019Q2", start="2021Q1", **STRICTER)
    model = SRDIModel(Policy(rules=rules), scale=0.001, rng=1)
    seen = []
    for _ in range(9):
        model.step()
        seen.append((str(model.quarter), float(model.inputs.aims.srdi_rd), model.rules.srdi.rd_intensity_min))
    aimed = {quarter: aim for quarter, aim, _ in seen}
    assert (aimed["2019Q4"], aimed["2020Q1"]) == (0.03, 0.05)
    assert next(quarter for quarter, _, rule in seen if rule == 0.05) == "2021Q1"


@pytest.mark.parametrize(
    ("changes", "stricter"),
    [
        ({"rd_intensity_min": 0.031}, True),
        ({"rd_intensity_min": 0.029}, False),
        ({"capacity": 100}, True),
        ({"validity_years": 2}, False),
        ({}, False),
    ],
)
def test_what_makes_rules_stricter(changes, stricter):
    assert SrdiRules(**changes).is_stricter_than(REPORTED.srdi) is stricter


def test_a_lower_upper_limit_is_stricter():
    giants = REPORTED.little_giant
    lower, higher = (giants.model_copy(update={"debt_ratio_max": value}) for value in (0.6, 0.8))
    assert lower.is_stricter_than(giants)
    assert not higher.is_stricter_than(giants)
    assert giants.is_stricter_than(giants.model_copy(update={"capacity": 10})) is False


@pytest.mark.parametrize("made", [awards, Rules])
def test_an_announcement_after_the_start_is_refused(made):
    with pytest.raises(ValidationError, match="announced 2022Q1 lies after start 2021Q1"):
        made(announced="2022Q1", start="2021Q1")
