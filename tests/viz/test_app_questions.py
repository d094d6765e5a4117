"""Questions that pages answer in the background: their answers are those of the commands, on the same runs."""

import tomllib

import pandas as pd
import pytest

from scenarios.analysis.additionality import additionality
from scenarios.analysis.decomposition import QUANTITIES, decompose
from scenarios.analysis.equal_money import TOLERANCE, equal_money
from scenarios.ensembles.ensemble import run_ensemble
from scenarios.search.design import make_design
from scenarios.search.target import TargetFile, read_levels
from viz.app.least_cost import Aim, read_level, target_toml, usual_levers, with_budget
from viz.app.policies import policy_of
from viz.live.background import Progress, Stopped
from viz.live.gathered import GatheredResults
from viz.live.questions import additional, decomposed
from viz.live.rescaling import at_equal_money
from viz.shared.equal_money import policies_table, titles_of
from viz.words.language import Words

SCALE, UNTIL, MEMBERS = 0.002, 2025, 2
TRAINING = {"levers.governance_training.enabled": True, "levers.governance_training.start": "2022Q1"}
FUND = {"levers.sme_fund.enabled": True, "levers.sme_fund.start": "2022Q1"}
RUN = {"replicates": MEMBERS, "scale": SCALE, "until": UNTIL, "workers": 1}


def noted():
    """A progress and what it tells."""
    told = []
    return Progress(lambda done, of: told.append((done, of))), told


def same(found, expected):
    """Rows without what rests on where they were made."""
    pd.testing.assert_frame_equal(found, expected, check_exact=False, rtol=1e-9)


def test_the_split_is_that_of_the_command(runner, tmp_path):
    scenario = policy_of(TRAINING | FUND, "both")
    progress, told = noted()
    found = decomposed(runner, scenario, progress)
    expected = decompose(
        scenario, runner.baseline, out=tmp_path / "parts", draws=runner.draws, quantities=QUANTITIES, **RUN
    )
    assert found.exact
    assert found.parts == expected.parts == ("governance_training", "sme_fund")
    same(found.rows, expected.rows)
    assert told == [(done, 3 * MEMBERS) for done in range(3 * MEMBERS)]


def test_what_would_have_been_anyway_is_that_of_the_command(runner, tmp_path):
    scenario = policy_of(TRAINING, "training")
    pairs = range(1, MEMBERS + 1)
    runs = {
        scenario.name: [runner.run(scenario.policy, member) for member in pairs],
        runner.baseline.name: [runner.baseline_run(member) for member in pairs],
    }
    results = GatheredResults(runner, [scenario, runner.baseline], runs)
    progress, told = noted()
    found = additional(runner, results, runner.baseline.name, progress, MEMBERS)
    stored = run_ensemble([scenario, runner.baseline], out=tmp_path / "runs", draws=runner.draws, **RUN)
    expected = additionality(stored, pairs=MEMBERS, workers=1)
    same(found.rows, expected.rows)
    # Runs that did not repeat those in view would be named here.
    assert [caveat.key for caveat in found.caveats] == []
    assert found.rows.set_index(["by", "quantity", "measure"]).loc[("lever", "supported", "count"), "value"].max() > 0
    assert told == [(done, 2 * MEMBERS) for done in range(2 * MEMBERS)]
    progress.stop()
    with pytest.raises(Stopped):
        additional(runner, results, runner.baseline.name, progress, MEMBERS)


def test_equal_money_is_that_of_the_command(runner, tmp_path):
    policies = [policy_of(TRAINING, "training"), policy_of(FUND, "fund")]
    progress, told = noted()
    found, rescaled = at_equal_money(runner, policies, None, progress)
    # What the panel draws first: the policies by their titles.
    titles = titles_of(Words("zh"), found)
    assert list(titles) == [each.name for each in policies]
    assert policies_table(Words("zh"), found).rows
    expected = equal_money(policies, runner.baseline, out=tmp_path / "equal", draws=runner.draws, **RUN)
    assert found.cost_yuan == pytest.approx(expected.cost_yuan)
    for column in ("factor", "cost_yuan", "cost_given_yuan", "off", "tried"):
        assert found.policies[column].tolist() == pytest.approx(expected.policies[column].tolist())
    columns = ["scenario", "quantity", "quarter", "value", "low", "high", "per_billion_yuan"]
    same(found.rows[columns], expected.rows[columns])
    assert found.chances["wins"].tolist() == pytest.approx(expected.chances["wins"].tolist(), nan_ok=True)
    assert [abs(each.cost - each.wanted) <= TOLERANCE * each.wanted for each in rescaled] == [
        each.within for each in rescaled
    ]
    assert len(told) == MEMBERS * sum(each.tried for each in rescaled)


def test_the_file_of_a_target_is_one_that_the_search_takes():
    scenario = policy_of(FUND, "my-policy")
    aim = Aim("little_giants", 18_000.0, 2027, 80, usual_levers(FUND))
    written = tomllib.loads(target_toml(aim, scenario))
    assert written["base"] == "my-policy.toml"
    design = make_design(written, TargetFile, "target", "target")
    (level,) = read_levels(design.levels, 2030)
    assert (level.outcome.column, str(level.outcome.quarter)) == ("little_giants", "2027Q4")
    assert (level.at_least, level.value, design.chance) == (True, 18_000.0, 0.8)
    budget = scenario.levers.sme_fund.budget_yuan
    assert list(design.factors) == ["levers.sme_fund.budget_yuan"]
    assert design.factors["levers.sme_fund.budget_yuan"].ends == (0.0, 4.0 * budget)
    assert tomllib.loads(target_toml(aim, policy_of({})))["base"] == "policy.toml"


def test_levers_are_freed_that_the_policy_changes_and_have_a_budget():
    assert usual_levers(FUND) == ("sme_fund",)
    assert set(usual_levers({})) <= set(with_budget())
    assert "little_giant_awards" in usual_levers({})
    assert [read_level(text) for text in ("18,000", "0", "-3", "many", "nan", "inf")] == [18_000.0] + [None] * 5
