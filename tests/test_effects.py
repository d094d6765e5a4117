"""The table of effects: what is compared with what, and what it says."""

from __future__ import annotations

import io
from types import SimpleNamespace

import numpy as np
import pytest
from rich.console import Console

from scenarios.effects import _interval, _why, cases, run_effects
from scenarios.errors import ScenarioError
from scenarios.loading import load_scenario
from scenarios.tables import print_effects
from sim.levers import Levers
from sim.outputs import NATIONAL
from sim.shocks import Shocks


@pytest.fixture(scope="module")
def effects(tmp_path_factory):
    """A lever of the baseline, one that is not, a rule and a shock."""
    names = ("cluster_recognition", "export_promotion", "rules.audit_strictness", "shocks.credit_crunch")
    out = tmp_path_factory.mktemp("effects") / "results"
    return run_effects(names, out=out, replicates=8, scale=0.01, until=2026).set_index("lever")


def test_every_lever_and_shock_has_a_case_with_a_known_outcome():
    found = cases(load_scenario("baseline"))
    assert set(found) >= {*Levers.model_fields, *(f"shocks.{name}" for name in Shocks.model_fields)}
    known = {column.name for column in NATIONAL}
    assert all(case.outcome in known and case.sign in (-1, 1) for case in found.values())


def test_a_lever_of_the_baseline_is_compared_with_the_baseline_without_it():
    found = cases(load_scenario("baseline"))
    assert found["digital_empowerment"].changes == {}
    assert found["digital_empowerment"].plain == {"levers": {"digital_empowerment": {"enabled": False}}}
    assert found["sme_fund"].plain == {}
    assert found["sme_fund"].changes["levers"]["sme_fund"]["enabled"] is True


def test_outcomes_move_as_expected_and_cost_what_the_ledger_says(effects):
    assert effects["moved"].all()
    assert (np.sign(effects["effect"]) == np.where(effects["expected"] == "+", 1, -1)).all()
    assert (effects["low"] <= effects["effect"]).all()
    assert (effects["effect"] <= effects["high"]).all()
    assert effects.loc["export_promotion", "cost_yuan"] == pytest.approx(3e9, rel=0.1)  # three of seven years
    assert effects.loc["cluster_recognition", "cost_yuan"] > 1e9
    assert (effects.loc[["rules.audit_strictness", "shocks.credit_crunch"], "cost_yuan"] == 0).all()


def test_the_table_can_be_printed_and_says_why_an_outcome_did_not_move(effects):
    table = effects.reset_index()
    table.loc[1, ["moved", "note"]] = [False, "smaller than the luck"]
    console = Console(width=190, record=True, file=io.StringIO())
    print_effects(table, console)
    text = console.export_text()
    assert "export_promotion *" in text
    assert "per cent" in text  # the share of relabelled R&D
    assert "* export_promotion: smaller than the luck" in text


def test_intervals_are_those_of_students_t():
    mean, low, high, p_value = _interval(np.array([1.0, 2.0, 3.0, 4.0]))
    half = 3.182446 * np.std([1, 2, 3, 4], ddof=1) / 2
    assert (mean, low, high) == pytest.approx((2.5, 2.5 - half, 2.5 + half), rel=1e-5)
    assert 0 < p_value < 0.05
    assert _interval(np.zeros(4)) == (0.0, 0.0, 0.0, 1.0)
    assert np.isnan(_interval(np.ones(1))).all()


def test_a_lever_that_starts_after_the_run_is_said_not_to_act(tmp_path):
    table = run_effects(("sme_fund",), out=tmp_path / "out", replicates=2, scale=0.001, until=2022)
    assert not table["moved"].any()
    assert "does not act" in table["note"][0]


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [
        (0.0, 0.0, "nothing the lever acts on was in reach"),
        (-1.0, 1.0, "the luck of 8 replicates at scale 0.01"),
        (-2.0, -1.0, "against the expected sign"),
    ],
)
def test_why_an_outcome_did_not_move(low, high, words):
    results = SimpleNamespace(manifest={"replicates": 8, "scale": 0.01})
    assert words in _why(low, high, results)


def test_an_unknown_lever_is_refused_with_the_nearest_name(tmp_path):
    with pytest.raises(ScenarioError, match="did you mean 'sme_fund'"):
        run_effects(("sme_found",), out=tmp_path / "out")
    assert not (tmp_path / "out").exists()
