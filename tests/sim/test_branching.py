"""A run that goes on under another policy is the same bits as that policy from the start."""

import numpy as np
import pytest

from scenarios import load_scenario
from sim import SRDIModel
from sim.branching import branch, first_difference
from sim.calendar import START, Quarter
from sim.policy import Policy

SCALE, UNTIL = 0.002, 2029


@pytest.fixture(scope="module")
def checkpoints():
    """The baseline at the ends of 2021Q2 and 2023Q4; kept as copies."""
    model = SRDIModel("baseline", scale=SCALE, rng=3, until=UNTIL)
    kept = {}
    while model.quarter < Quarter(2023, 4):
        model.step()
        if str(model.quarter) in ("2021Q2", "2023Q4"):
            kept[str(model.quarter)] = branch(model, model.policy)
    return kept


def same(one: dict, other: dict) -> None:
    assert one.keys() == other.keys()
    for table, columns in one.items():
        for name, values in columns.items():
            np.testing.assert_array_equal(values, other[table][name], err_msg=f"{table}.{name}")


def whole_run(policy: Policy) -> dict:
    model = SRDIModel(policy, scale=SCALE, rng=3, until=UNTIL)
    model.run_model()
    return model.tables()


@pytest.mark.parametrize(
    ("settings", "at"),
    [
        ((), "2023Q4"),
        (("levers.incubation.enabled=true", "levers.open_innovation.enabled=true"), "2023Q4"),
        (("levers.chain_leader_openness.enabled=true", "levers.county_preference.enabled=true"), "2023Q4"),
        (("rules.start='2026Q1'", "rules.little_giant.rd_intensity_min=0.05"), "2023Q4"),
        (("shocks.demand_slump.severity=0.2", "shocks.foreign_supply.severity=0.5"), "2023Q4"),
        (("levers.little_giant_awards.budget_yuan=20e9",), "2021Q2"),
        (("levers.digital_empowerment.intensity=2", "levers.cluster_recognition.enabled=false"), "2021Q2"),
    ],
)
def test_a_branch_is_the_policy_from_the_start(checkpoints, settings, at):
    policy = load_scenario("baseline", settings).policy
    before = checkpoints[at].tables()
    branched = branch(checkpoints[at], policy, threads=2)
    branched.run_model()
    same(branched.tables(), whole_run(policy))
    branched.close()
    assert checkpoints[at].quarter == Quarter.parse(at)
    same(checkpoints[at].tables(), before)


def test_two_branches_do_not_touch_each_other(checkpoints):
    policies = [
        load_scenario("baseline", (f"levers.green_transition.enabled={on}",)).policy for on in ("true", "false")
    ]
    models = [branch(checkpoints["2023Q4"], policy) for policy in policies]
    while models[0].running:
        for model in models:
            model.step()
    for model, policy in zip(models, policies, strict=True):
        same(model.tables(), whole_run(policy))


def test_a_policy_that_has_acted_is_refused(checkpoints):
    policy = load_scenario("baseline", ("levers.little_giant_awards.budget_yuan=20e9",)).policy
    with pytest.raises(ValueError, match="from 2021Q3 on; the model stands in 2023Q4"):
        branch(checkpoints["2023Q4"], policy)


@pytest.mark.parametrize(
    ("settings", "first"),
    [
        ((), None),
        (("levers.incubation.budget_yuan=1e9",), None),
        (("levers.incubation.enabled=true", "levers.incubation.start='2025Q2'"), "2025Q2"),
        (("levers.cluster_recognition.start='2024Q4'",), "2022Q4"),
        (("rules.start='2026Q1'",), None),
        (("rules.start='2026Q1'", "rules.audit_strictness=0.9"), "2026Q1"),
        (("rules.audit_strictness=0.9",), str(START + 1)),
        (("shocks.energy_price.severity=0.5", "shocks.energy_price.start='2027Q3'"), "2027Q3"),
        (("shocks.energy_price.start='2027Q3'", "shocks.energy_price.severity=0"), None),
        (("parameters.rd_urban=0.5",), str(START)),
    ],
)
def test_first_difference(settings, first):
    baseline, other = load_scenario("baseline").policy, load_scenario("baseline", settings).policy
    found = first_difference(baseline, other)
    assert (found and str(found)) == first
    assert first_difference(other, baseline) == found
