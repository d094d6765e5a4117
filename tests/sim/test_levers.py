"""Levers, rules and policies: declared once, with unit, range and help; strict about what they take."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from sim.calendar import Quarter
from sim.levers import DigitalEmpowerment, Lever, Levers
from sim.policy import Policy, find_policy
from sim.records.ledger import Account, Ledger
from sim.rules import Rules
from sim.tiers import TIERS


def fields_of(model):
    return [(name, field) for name, field in model.model_fields.items()]


@pytest.mark.parametrize("lever", list(Levers.model_fields))
def test_every_setting_has_help_and_every_quantity_a_unit_and_a_range(lever):
    kind = Levers.model_fields[lever].annotation
    assert kind.__doc__
    assert "Acts on:" in kind.__doc__
    for name, field in fields_of(kind):
        assert field.description, name
        if field.annotation in (float, int):
            assert field.json_schema_extra["unit"], name
            assert field.metadata, name


@pytest.mark.parametrize("tier", TIERS)
def test_every_rule_has_help_a_unit_and_a_range(tier):
    for name, field in fields_of(Rules.model_fields[tier].annotation):
        assert field.description, name
        assert field.json_schema_extra["unit"], name
        assert field.metadata, name


def test_levers_are_off_unless_switched_on():
    assert not any(getattr(Levers(), name).enabled for name in Levers.model_fields)


@pytest.mark.parametrize(
    "settings",
    [
        {"firm": 3},
        {"firms": -1},
        {"firms": "many"},
        {"firms": True},
        {"enabled": "yes"},
        {"start": "2024-01"},
        {"start": "2025Q1", "end": "2024Q4"},
        {"provinces": ["Atlantis"]},
        {"sectors": ["magic"]},
        {"budget_yuan": float("inf")},
        {"intensity": 99.0},
    ],
)
def test_what_makes_no_sense_is_refused(settings):
    with pytest.raises(ValidationError):
        DigitalEmpowerment.model_validate(settings)


def test_a_lever_acts_only_within_its_window():
    lever = Lever(enabled=True, start="2024Q2", end="2024Q3")
    acts = [lever.acts_in(Quarter(2024, number)) for number in (1, 2, 3, 4)]
    assert acts == [False, True, True, False]
    assert not Lever(enabled=True, intensity=0, start="2024Q1").acts_in(Quarter(2024, 2))


def test_rules_come_from_the_criteria_file():
    assert Rules().little_giant.niche_share_min == 0.10
    with pytest.raises(ValidationError):
        Rules.model_validate({"little_giant": {"niche_share_min": 1.5}})
    with pytest.raises(ValidationError):
        Rules.model_validate({"little_giant": {"niche_share": 0.1}})


def test_parameters_are_checked_by_name_and_range():
    assert Policy(parameters={"rd_size": 1.0}).parameters == {"rd_size": 1.0}
    with pytest.raises(ValidationError, match="did you mean 'rd_size'"):
        Policy(parameters={"rd_sise": 1.0})
    with pytest.raises(ValidationError, match="outside"):
        Policy(parameters={"rd_size": -1.0})


def test_named_policies_come_from_the_installed_catalogues():
    assert find_policy("baseline").levers.cluster_recognition.per_year == 100
    with pytest.raises(ValueError, match="no installed catalogue has a scenario named 'nowhere'"):
        find_policy("nowhere")


def test_an_account_never_commits_more_than_its_budget():
    account = Account(100.0, Ledger(Levers(), (1, 1)))
    assert account.commit(70.0) == 70.0
    assert account.commit(50.0) == 30.0
    assert (account.committed, account.refused, account.available) == (100.0, 20.0, 0.0)


@pytest.mark.parametrize(("text", "year", "number"), [("2024Q1", 2024, 1), ("2018Q4", 2018, 4)])
def test_quarters_are_read_and_printed(text, year, number):
    assert Quarter.parse(text) == Quarter(year, number)
    assert str(Quarter.parse(text)) == text


def test_quarter_arithmetic():
    assert Quarter(2018, 4) + 1 == Quarter(2019, 1)
    assert Quarter(2030, 4) - Quarter(2018, 4) == 48
    assert str(Quarter(2023, 2).end_date) == "2023-06-30"
