"""The page once the package has draws from published evidence: its runs, commands and labels."""

import shlex

import pytest
from click.testing import CliRunner
from evidence_draws import STRENGTHS, STUDY, evidence_folder, use_package
from markupsafe import escape

from scenarios import run_ensemble
from scenarios.cli import main
from scenarios.records.results import load_results
from sim.levers import Levers
from viz import LANGUAGES
from viz.app.about import parameters_table
from viz.app.controls import control_groups
from viz.app.downloads import CENTRAL, ENSEMBLE, command, file_name, gathered, short_toml
from viz.app.policies import policy_of
from viz.app.state import written_scenario
from viz.live.runner import Runner
from viz.live.session import Answer
from viz.report.document import render
from viz.shared.compared import Compared
from viz.words.language import Words

SCALE, UNTIL, MEMBERS = 0.001, 2021, 2
SETTINGS = {"levers.matchmaking_sales.enabled": True, "levers.matchmaking_sales.start": "2020Q1"}


@pytest.fixture(scope="module", autouse=True)
def package(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        use_package(evidence_folder(tmp_path_factory.mktemp("package")), patch)
        control_groups.cache_clear()
        yield
    control_groups.cache_clear()


@pytest.fixture(scope="module")
def runner():
    return Runner(scale=SCALE, members=MEMBERS, until=UNTIL, cores=1)


@pytest.fixture(scope="module")
def answer(runner):
    policy, members = policy_of(SETTINGS), range(1, MEMBERS + 1)
    return Answer(
        policy,
        1,
        runner.run(policy.policy, 0),
        runner.baseline_run(0),
        tuple(runner.run(policy.policy, member) for member in members),
        tuple(runner.baseline_run(member) for member in members),
    )


def test_the_page_draws_strengths_and_its_central_run_has_their_median(runner):
    assert (runner.draws.source, runner.central.source, runner.note) == ("evidence", "median", "")
    strength = runner.central.parameters(1)["match_sales"]
    assert runner.baseline.policy.parameters.get("match_sales") is None
    assert runner._with_parameters(runner.baseline.policy, 0).parameters["match_sales"] == strength


@pytest.mark.parametrize(("runs", "params"), [(ENSEMBLE, "evidence"), (CENTRAL, "median")])
def test_the_command_names_the_draws_of_the_page_and_gives_its_bits(runner, answer, runs, params, tmp_path):
    scenario = written_scenario(SETTINGS)
    held = gathered(runner, answer, scenario, runs)
    text = command(held)
    assert f" --params {params} " in text
    (tmp_path / file_name(scenario.name)).write_text(short_toml(scenario), encoding="utf-8")
    words = [str(tmp_path / word) if word.endswith(".toml") else word for word in shlex.split(text)[1:]]
    done = CliRunner().invoke(main, [*words, "--workers", "1", "--out", str(tmp_path / "out")])
    assert done.exit_code == 0, done.output
    again = load_results(tmp_path / "out")
    (tmp_path / "page").mkdir()
    held.write_files(tmp_path / "page")
    written = load_results(tmp_path / "page")
    assert written.manifest["files"] == again.manifest["files"]
    for key in ("parameter_draws", "labels"):
        assert written.manifest[key] == again.manifest[key]
    assert again.change_label("baseline", scenario.name).word == "evidence"
    assert held.change_label("baseline", scenario.name) == again.change_label("baseline", scenario.name)


@pytest.mark.parametrize(("language", "basis"), [("en", "published evidence"), ("zh", "已发表研究")])
def test_levers_and_parameters_say_what_they_rest_on(runner, language, basis):
    items = {item["key"]: item for group in control_groups(language) for item in group["items"]}
    assert items["levers.matchmaking_sales"]["basis"].startswith(basis)
    assert "Cai Szeidl 2018" in items["levers.matchmaking_sales"]["basis"]
    words = Words(language)
    assert items["levers.joint_branding"]["basis"] == words("label.assumed")
    assert items["shocks.demand_slump"]["basis"] == ""
    rows = {row[0]: row for row in parameters_table(words, "", runner.central, runner.draws.labels).rows}
    assert rows["match_sales"][3].startswith(basis)
    assert rows["match_sales"][5] == f"{runner.central.parameters(1)['match_sales']:g}"
    assert rows["rd_trend"][3] == words("label.fitted")


def test_a_report_says_what_its_numbers_rest_on(runner, tmp_path):
    scenarios = [runner.baseline, written_scenario(SETTINGS)]
    small = {"replicates": 2, "scale": SCALE, "until": UNTIL, "workers": 1}
    results = run_ensemble(scenarios, out=tmp_path / "out", draws=runner.draws, **small)
    fitted = len(runner.draws.names) - len(STRENGTHS)
    for language in LANGUAGES:
        words, page = Words(language), render(Compared(results), language)
        assert escape(words("label.difference", label=words.label(STUDY))) in page
        assert escape(words("caveat.doubt_evidence", fitted=fitted, strengths=len(STRENGTHS), draws="2")) in page
        assert words("label.evidence_levers", evidence="1", all=words.number(len(Levers.model_fields))) in page
        assert words("label.assumed_levers") not in page
