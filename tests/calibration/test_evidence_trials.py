"""Studies repeated in the model: the policies of a trial, the firms followed, and effects known beforehand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from calibration.evidence.baseline import baseline_statistics
from calibration.evidence.design import arms_of, run_experiment
from calibration.evidence.niches import OWN, last_coefficient, rivals_effect
from calibration.evidence.outcomes import NOT_MEASURED, OUTCOMES
from calibration.evidence.pairs import run_trial
from calibration.evidence.rows import Estimate, read_evidence
from calibration.evidence.trials import RUN, Trial, obstacle, quarters_to, trial_of
from scenarios.ensembles.parameter_draws import read_parameter_draws
from sim.branching import first_difference
from sim.calendar import Quarter
from sim.feedbacks import Feedbacks

EVIDENCE = read_evidence()
ROWS = {row.id: row for row in EVIDENCE.estimates}
#: Without feedbacks a channel does what its equation says and nothing else.
PLAIN = tuple(f"model.{name}=false" for name in Feedbacks.model_fields)
SCALE = 0.004


def row(outcome: str, years: float = 1.0, like: str = "cai_szeidl_2018", **changes) -> Estimate:
    """A row of another outcome and horizon."""
    return ROWS[like].model_copy(update={"outcome": outcome, "horizon_years": years} | changes)


def effects(trial: Trial, *rows: Estimate, seed: int = 3, **parameters: float) -> np.ndarray:
    """Effects of a trial on some rows, float64 (rows,)."""
    return run_trial(trial, rows, parameters, SCALE, seed)[:, 0]


# ---------------------------------------------------------------- what is run


def test_every_row_is_run_or_says_why_not():
    for each in EVIDENCE.estimates:
        reason = obstacle(each)
        assert reason or each.experiment == "direct" or trial_of(each, EVIDENCE), each.id
        assert "\n" not in reason
    left_out = [each.id for each in EVIDENCE.estimates if each.use == "fit" and obstacle(each)]
    assert left_out == ["chen_2021_rise"]


def test_policies_of_a_trial_are_one_until_they_branch():
    trials = {trial_of(each, EVIDENCE) for each in EVIDENCE.estimates if each.experiment in RUN and not obstacle(each)}
    assert len(trials) > 30
    for trial in trials:
        plan = trial.plan({})
        first = first_difference(plan.treated, plan.control)
        assert first is not None, trial.name
        assert plan.branch <= first, trial.name
        assert plan.first <= plan.last, trial.name
        assert plan.treated.parameters == plan.control.parameters, trial.name


def test_money_settings_and_levers_of_a_trial_are_those_of_the_study():
    bloom = trial_of(ROWS["bloom_2013_practices"], EVIDENCE)
    assert bloom.plan({}).treated.levers.governance_training.yuan_per_firm == pytest.approx(965_361, rel=1e-4)
    cornet = trial_of(ROWS["cornet_2006_additional"], EVIDENCE).plan({}).treated.levers.producer_services
    assert cornet.kinds == ("technology_transfer",)
    assert not trial_of(ROWS["cai_szeidl_2022_direct"], EVIDENCE).plan({}).control.model.credit
    assert trial_of(ROWS["banerjee_duflo_2014_revenue"], EVIDENCE).lever == "credit_guarantees"
    push = trial_of(ROWS["fadic_2020"], EVIDENCE).plan({"match_sales": 0.3, "staff_response": 0.5}).treated
    assert push.parameters["match_sales"] == pytest.approx(math.log(1.1))
    assert push.parameters["staff_response"] == 0.5


def test_a_year_after_the_first_support_is_the_end_of_its_fourth_quarter():
    assert [quarters_to(row("log_revenue", years)) for years in (0.0, 0.25, 0.75, 1.0, 8.0)] == [1, 1, 3, 4, 32]
    assert quarters_to(row("log_exit_hazard", 5.0)) == 4, "closings count while firms are supported"


def test_rows_of_one_trial_share_its_runs():
    taken = read_parameter_draws("posterior").names
    arms = arms_of(EVIDENCE, taken)
    trials = [arm.trial for arm in arms]
    assert len(set(trials)) == len(trials)
    by_lever = {arm.trial.name: arm for arm in arms}
    assert len(by_lever["award little_giant_awards"].rows) > 15
    assert by_lever["award little_giant_awards"].names == ("award_additionality",)
    assert set(by_lever["new_supplier chain_leader_openness"].names) == {
        "order_premium",
        "growth_orders",
        "staff_response",
        "leader_learning",
    }
    assert not {name for arm in arms for name in arm.names} & set(taken), "the fit's own parameters stay as fitted"


def test_outcomes_are_measured_or_named_as_not_measured():
    assert not set(OUTCOMES) & set(NOT_MEASURED)


# ---------------------------------------------------------------- effects known beforehand


def test_added_demand_shows_in_sales_while_it_lasts_and_not_after():
    trial = Trial("programme_once", "matchmaking_sales", PLAIN)
    now, later, productivity = effects(
        trial,
        row("log_revenue", 0.25),
        row("log_revenue", 2.0),
        row("productivity", 0.25),
        match_sales=0.05,
        match_linking=0.0,
    )
    assert now == pytest.approx(0.05, abs=0.002)
    assert abs(later) < 0.005
    assert abs(productivity) < 5e-4, "only through knowledge over higher sales"


def test_the_share_that_used_an_offer_and_a_loss_turn_the_effect():
    trial, parameters = Trial("programme_once", "matchmaking_sales", PLAIN), {"match_sales": 0.05, "match_linking": 0.0}
    rows = (row("log_revenue"), row("log_revenue", take_up=0.5), row("log_revenue", reverse=True))
    whole, half, lost = effects(trial, *rows, **parameters)
    assert half == pytest.approx(0.5 * whole)
    assert lost == -whole


def test_a_strength_of_nothing_has_no_effect():
    trial = Trial("programme_once", "governance_training")
    assert effects(trial, row("governance"), training_governance=0.0)[0] == 0.0
    trained = effects(trial, row("governance"), row("governance", 2.0), training_governance=0.02)
    assert 0.02 < trained[0] < 0.08, "four quarters of a fiftieth of what is missing"
    assert trained[1] > 0.8 * trained[0]


def test_training_raises_productivity_by_what_governance_is_worth():
    """The steady state is b_g times the gain of governance; a year on, less the delay of the fast part."""
    trial = Trial("programme_once", "governance_training")
    rows = (row("governance", 4.0), row("productivity"), row("productivity", 4.0), row("log_revenue", 4.0))
    strengths = {"training_governance": 0.02, "digital_productivity": 0.0}
    governance, soon, late, sold = effects(trial, *rows, governance_productivity=0.6, **strengths)
    assert 0.2 * late < soon < 0.8 * late
    assert late == pytest.approx(0.6 * governance, rel=0.15)
    assert sold > 0.5 * late
    assert abs(effects(trial, rows[2], governance_productivity=0.0, **strengths)[0]) < 0.1 * late


def test_public_money_adds_what_its_additionality_says():
    def added(value: float) -> tuple[float, float]:
        rows = (row("research_added_per_yuan"), row("own_research_per_yuan"))
        trial = Trial("programme_once", "talent_programme", PLAIN)
        return tuple(effects(trial, *rows, talent_additionality=value))

    (half, half_own), (whole, whole_own) = added(0.5), added(1.0)
    assert 0.35 < half <= 0.51
    assert whole == pytest.approx(2.0 * half, rel=0.1)
    assert half_own == pytest.approx(half - 1.0)
    assert whole_own == pytest.approx(whole - 1.0)


def test_guaranteed_firms_obtain_the_credit_that_the_odds_say():
    value = effects(Trial("programme_once", "credit_guarantees", PLAIN), row("log_credit", 0.25), guarantee_credit=0.4)
    assert 0.05 < value[0] < 0.4, "the log of 1 - c moves by c times the log-odds at most"


def test_subsets_split_the_treated_firms():
    trial = Trial("programme_once", "matchmaking_sales", PLAIN)
    rows = [row("log_employment", 3.0, subset=name) for name in ("small", "large", "young", "mature")]
    values = run_trial(trial, [row("log_employment", 3.0), *rows], {"match_sales": 0.2}, SCALE, 3)
    assert np.isfinite(values).all()
    assert values[1, 0] != values[2, 0]
    assert values[3, 0] != values[4, 0]


def test_too_few_firms_give_no_effect():
    value, error = run_trial(Trial("award", "little_giant_awards"), [row("log_revenue")], {}, 0.0005, 1)[0]
    assert np.isnan(value)
    assert np.isnan(error)


def test_a_pair_gives_the_same_numbers_again():
    trial, rows = Trial("programme_once", "matchmaking_sales"), (row("log_revenue"), row("new_customer_rise"))
    first, again = (run_trial(trial, rows, {}, 0.002, 5) for _ in range(2))
    np.testing.assert_array_equal(first, again)


# ---------------------------------------------------------------- niches and the baseline


def test_rivals_lose_what_displacement_says():
    none, none_error = rivals_effect((), {"displacement": 0.0, "sector_displacement": 0.0}, 0.01, 5)
    much, much_error = rivals_effect((), {"displacement": 0.9}, 0.01, 5)
    assert none == pytest.approx(0.0, abs=4.0 * none_error)
    assert -1.1 * OWN < much < -0.5 * OWN
    assert 0.0 < much_error < 0.01


def test_the_last_coefficient_of_a_regression_and_its_error():
    rng = np.random.default_rng(1)
    terms = np.column_stack([np.ones(2000), rng.normal(size=2000)])
    value, error = last_coefficient(terms, 1.0 + 0.5 * terms[:, 1] + 0.2 * rng.normal(size=2000))
    assert error == pytest.approx(0.2 / math.sqrt(2000), rel=0.1)
    assert value == pytest.approx(0.5, abs=4.0 * error)


def test_statistics_of_the_baseline_are_read_from_one_run():
    rows = [ROWS[name] for name in ("saic_2013_rate", "mizuno_2014_survival", "goto_souma_2020")]
    values = baseline_statistics(rows, (), {"unlink_rate": 0.03}, 0.002, 1)
    rate, link, five_years = values[:, 0]
    assert 0.04 < rate < 0.2
    assert 0.6 < link < 1.0
    assert five_years < link
    fewer = baseline_statistics(rows, (), {"unlink_rate": 0.3}, 0.002, 1)
    assert fewer[1, 0] < link
    flat = run_experiment(Trial("baseline", ""), tuple(rows), {"unlink_rate": 0.03}, 0.002, 1)
    np.testing.assert_array_equal(flat.reshape(3, 2), values)


def test_members_of_closed_clusters_are_those_when_the_grants_end():
    plan = trial_of(ROWS["chen_lu_timmins_xiang_2019"], EVIDENCE).plan({})
    assert plan.first == plan.last == Quarter(2023, 4)
    assert plan.treated.levers.cluster_recognition.end == "2023Q4"
