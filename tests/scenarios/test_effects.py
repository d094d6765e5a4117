"""The table of effects: what is compared with what, and what it says."""

from __future__ import annotations

import io
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from scenarios.analysis.effects import Case, _explanation, _interval, _row, cases, run_effects
from scenarios.commands.effects_tables import print_effects
from scenarios.errors import ScenarioError
from scenarios.files.labels import Label
from scenarios.files.loading import load_scenario
from sim.levers import Levers
from sim.records.outputs import NATIONAL
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
    assert effects.loc["export_promotion", "cost_lever_yuan"] == pytest.approx(3e9, rel=0.1)  # three of seven years
    assert effects.loc["cluster_recognition", "cost_lever_yuan"] > 1e9
    # Most of what is no longer relabelled is done in earnest: relief, some 1.7 trillion, falls by less.
    assert -0.105 * 1.7e12 < effects.loc["rules.audit_strictness", "cost_tax_yuan"] < -0.065 * 1.7e12
    parts = effects[["cost_lever_yuan", "cost_tax_yuan", "cost_title_yuan"]].sum(axis=1)
    np.testing.assert_allclose(parts, effects["cost_yuan"], rtol=1e-9, atol=1e-3)


def test_a_cost_has_the_interval_that_compare_gives_it(effects):
    assert (effects["cost_low_yuan"] <= effects["cost_yuan"]).all()
    assert (effects["cost_yuan"] <= effects["cost_high_yuan"]).all()
    low, high = (f"{effects.loc['export_promotion', f'cost_{end}_yuan'] / 1e9:.2f}" for end in ("low", "high"))
    assert low < high
    console = Console(width=400, record=True, file=io.StringIO())
    print_effects(effects.reset_index(), console)
    assert f"{low} … {high}" in console.export_text()


def test_the_table_can_be_printed_and_says_why_an_outcome_did_not_move(effects):
    table = effects.reset_index()
    table.loc[1, ["moved", "note"]] = [False, "smaller than the noise"]
    console = Console(width=220, record=True, file=io.StringIO())
    print_effects(table, console)
    text = console.export_text()
    assert "export_promotion *" in text
    assert "per cent" in text  # the share of relabelled R&D
    assert "* export_promotion: smaller than the noise" in text


def made_up(columns: dict[str, list[list[float]]], paid: list[float]) -> SimpleNamespace:
    """Results of two scenarios in two replicates and the year 2019: columns by scenario, quarter by quarter.

    Levers cost nothing without the change and `paid` with it; tax relief rises from 1 to 1.5 a quarter, awards for
    titles from 0 to 0.25.
    """
    quarters = pd.to_datetime(["2019-03-31", "2019-06-30", "2019-09-30", "2019-12-31"])
    rows = [
        {"scenario": scenario, "draw": 0, "replicate": replicate, "quarter": quarter}
        for scenario in ("plain", "with")
        for replicate in (0, 1)
        for quarter in quarters
    ]
    national = pd.DataFrame(rows).assign(**{name: np.ravel(values) for name, values in columns.items()})
    national["public_spending_yuan"] = [*[0.0] * 8, *paid]
    national["tax_relief_yuan"] = np.repeat([1.0, 1.5], 8)
    national["title_awards_yuan"] = np.repeat([0.0, 0.25], 8)
    parts = ["public_spending_yuan", "tax_relief_yuan", "title_awards_yuan"]
    national["public_cost_yuan"] = national[parts].sum(axis=1)
    return SimpleNamespace(
        national=national,
        manifest={"replicates": 2, "scale": 0.01},
        change_label=lambda before, after: Label("evidence", ("cai_szeidl_2018",)),
    )


def test_a_row_of_effects_is_the_one_computed_by_hand():
    lever = Case(name="sme_fund", changes={}, plain={}, outcome="revenue_yuan", sign=1, start="2019Q2", end="2019Q3")
    columns = {
        # Only the two quarters in the middle count: 20 and 40 against 23 and 45.
        "revenue_yuan": [[0, 10, 30, 0], [0, 30, 50, 0], [9, 13, 33, 9], [9, 35, 55, 9]],
        # Only the last counts.
        "little_giants": [[9, 9, 9, 100], [9, 9, 9, 200], [0, 0, 0, 104], [0, 0, 0, 202]],
        "srdi_smes": [[9, 9, 9, 500], [9, 9, 9, 600], [0, 0, 0, 520], [0, 0, 0, 620]],
    }
    paid = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]  # 10 and 26
    row = _row(made_up(columns, paid), lever, "plain", "with")
    half = 12.7062  # Student's t of one degree of freedom, times a standard error of 1
    assert (row["baseline"], row["effect"]) == (30.0, 4.0)
    assert (row["label"], row["studies"]) == ("evidence", "Cai Szeidl 2018")
    assert (row["low"], row["high"]) == pytest.approx((4.0 - half, 4.0 + half), rel=1e-5)
    assert (row["expected"], row["moved"]) == ("+", False)
    assert "simulation noise of 2 replicates" in row["note"]
    assert row["little_giants"] == 3.0
    ends = (row["little_giants_low"], row["little_giants_high"])
    assert ends == pytest.approx((3.0 - half, 3.0 + half), rel=1e-5)
    assert (row["srdi_smes"], row["srdi_smes_low"], row["srdi_smes_high"]) == (20.0, 20.0, 20.0)
    assert (row["cost_lever_yuan"], row["cost_tax_yuan"], row["cost_title_yuan"]) == (18.0, 2.0, 1.0)
    assert (row["cost_yuan"], row["cost_per_srdi_sme_yuan"]) == (21.0, 1.05)
    # 13 and 29: a standard error of 8.
    ends = (row["cost_low_yuan"], row["cost_high_yuan"])
    assert ends == pytest.approx((21.0 - 8.0 * half, 21.0 + 8.0 * half), rel=1e-5)


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
        (0.0, 0.0, "the lever reached no firm it acts on"),
        (-1.0, 1.0, "simulation noise of 8 replicates at scale 0.01"),
        (-2.0, -1.0, "against the expected sign"),
    ],
)
def test_why_an_outcome_did_not_move(low, high, words):
    results = SimpleNamespace(manifest={"replicates": 8, "scale": 0.01})
    assert words in _explanation(low, high, results)


def test_an_unknown_lever_is_refused_with_the_nearest_name(tmp_path):
    with pytest.raises(ScenarioError, match="did you mean 'sme_fund'"):
        run_effects(("sme_found",), out=tmp_path / "out")
    assert not (tmp_path / "out").exists()
