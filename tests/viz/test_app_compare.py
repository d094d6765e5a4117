"""Policies kept to compare: names, what they change in words, links; results directories beside each other."""

from types import SimpleNamespace

import pytest

from scenarios import load_scenario, run_ensemble
from scenarios.errors import InputError
from viz import LANGUAGES
from viz.app.address import MOST_SAVED, Saved, from_query
from viz.app.changes import changes_sentence, changes_table
from viz.app.pages.compare import directory_sentence, findings_of, kept_policies, report_page
from viz.app.policies import presets, settings_of
from viz.app.state import VIEWS, Session
from viz.words.language import Words


class NoRunner:
    """Stands where a session asks for no run."""


@pytest.fixture
def session():
    return Session(NoRunner(), "levers.incubation.enabled=true&levers.incubation.intensity=2.0")


def test_names_are_free_short_and_fit_into_a_link(session):
    session.keep(session.name_to_keep)
    assert session.saved.value[0].name == "Policy 1"
    assert session.name_to_keep == "Policy 2"
    session.rename("Policy 1", "  more ~ tenants\n" + "x" * 100)
    name = session.saved.value[0].name
    assert name.startswith("more tenants x")
    assert len(name) <= 60
    assert from_query(session.query, tuple(VIEWS)).saved == session.saved.value
    assert session.name_to_keep == "Policy 1"


def test_names_the_page_gave_follow_its_language_and_others_stay(session):
    preset = presets()["no-policy"]
    session.keep(session.name_to_keep)
    session.keep(preset.title, {"levers.sme_fund.enabled": True})
    session.keep("mine", {"levers.sme_fund.enabled": True})
    session.choose_language("zh")
    assert [saved.name for saved in session.saved.value] == ["政策1", preset.title_zh, "mine"]
    # A link without a language is in that of its reader.
    reader = Session(NoRunner(), session.query.replace("lang=zh", ""))
    assert [saved.name for saved in reader.saved.value] == ["Policy 1", preset.title, "mine"]


def test_a_name_that_is_taken_or_empty_is_refused(session):
    session.keep("a")
    session.keep("b")
    session.rename("a", "b")
    assert "b" in session.message.value
    session.rename("a", "  ")
    assert [saved.name for saved in session.saved.value] == ["a", "b"]
    assert session.message.value == session.words("compare.name_empty")
    session.rename("a", "c")
    assert [saved.name for saved in session.saved.value] == ["c", "b"]
    assert session.message.value == ""


def test_no_more_are_kept_than_can_be_compared(session):
    for number in range(MOST_SAVED + 1):
        session.keep(f"p{number}")
    assert len(session.saved.value) == MOST_SAVED
    assert session.message.value == session.words("compare.full", most=MOST_SAVED)
    session.drop("p0")
    session.keep("other", {"levers.sme_fund.enabled": True})
    assert session.saved.value[-1].settings == {"levers.sme_fund.enabled": True}


def test_a_kept_policy_that_is_not_valid_is_told_and_the_others_are_compared():
    saved = (Saved("a", {"levers.cluster_recognition.per_year": 5000}), Saved("b", {"levers.sme_fund.enabled": True}))
    fault, policy = kept_policies(saved)
    assert isinstance(fault, InputError)
    assert "2000" in str(fault)
    assert (policy.name, policy.title, policy.title_zh) == ("policy-2", "b", "b")
    assert policy.levers.sme_fund.enabled


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_a_policy_changes_is_told_in_words(language):
    words = Words(language)
    settings = {
        "levers.cluster_recognition.per_year": 300,
        "levers.incubation.enabled": True,
        "levers.little_giant_awards.budget_yuan": 20e9,
        "levers.sme_fund.provinces": ["Gansu"],
        "levers.producer_services.start": "2025Q1",
        "rules.audit_strictness": 0.9,
        "shocks.credit_crunch.severity": 1.5,
        "parameters.knowledge_depreciation": 0.2,
    }
    rows = {row[1]: row for row in changes_table(settings, words).rows}
    assert rows[words.setting_label("levers.cluster_recognition.per_year")][3].startswith("300")
    assert rows[words.setting_label("levers.sme_fund.provinces")][3] == words.province("Gansu")
    assert rows[words.setting_label("levers.producer_services.start")][3] == words.quarter("2025Q1")
    enabled = rows[words.setting_label("levers.incubation.enabled")]
    assert enabled[2:] == [words("number.no"), words("number.yes")]
    assert rows["knowledge_depreciation"][3] == "0.2"
    assert words.lever("incubation") in changes_sentence(settings, words)
    assert all(all(cell for cell in row) for row in rows.values())


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_scenario_of_the_catalogue_can_be_told(language):
    for scenario in presets().values():
        table = changes_table(settings_of(scenario), Words(language))
        assert len(table.rows) == len(settings_of(scenario))


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    scenarios = [load_scenario("baseline"), load_scenario("no-policy")]
    folder = tmp_path_factory.mktemp("results") / "first"
    return run_ensemble(scenarios, out=folder, scale=0.002, until=2022, replicates=2, workers=1)


def test_a_results_directory_is_compared_from_its_own_runs(directory):
    found = findings_of(directory, "no-policy")
    assert found.compared.others == ["baseline"]
    assert found.pairs == 2
    assert findings_of(directory, "no-policy") is found
    national = directory.national.query("quarter == quarter.max()").groupby("scenario", observed=True)["clusters"]
    assert national.mean()["baseline"] > national.mean()["no-policy"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_its_report_is_one_page_in_the_readers_language(directory, language):
    page = report_page(directory, "baseline", language).decode("utf-8")
    words = Words(language)
    assert f'<html lang="{words("page.lang")}">' in page
    assert "2" in directory_sentence(directory, words)
    drawn = directory.manifest | {"parameter_draws": {"names": ["x"]}}
    assert directory_sentence(SimpleNamespace(manifest=drawn), words) != directory_sentence(directory, words)
