"""The controls of the policy page say what the declarations say."""

import math

import pytest

from scenarios.errors import ScenarioError
from scenarios.files.loading import load_scenario
from sim.levers import Levers
from viz import LANGUAGES
from viz.app.address import MOST_SAVED, Saved, State, from_query, text_value, to_query, value_text
from viz.app.controls import control_groups, defaults
from viz.app.policies import policy_of, preset_of, presets, read_upload, settings_of


def controls(language):
    return [
        control
        for group in control_groups(language)
        for item in group["items"]
        for control in (*item["controls"], *item["more"])
    ]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_setting_has_one_control(language):
    keys = [control["key"] for control in controls(language)]
    switches = [item["switch"] for group in control_groups(language) for item in group["items"] if item["switch"]]
    assert len(set(keys)) == len(keys)
    # A lever without public money has a budget in its file, which its control panel need not show.
    free = {f"levers.{name}.budget_yuan" for name, lever in Levers() if lever.budget_yuan == 0.0}
    assert {*keys, *switches} == set(defaults()) - free


@pytest.mark.parametrize("language", LANGUAGES)
def test_sliders_reach_the_default_within_what_is_allowed(language):
    for control in controls(language):
        if control["kind"] not in ("number", "count"):
            continue
        assert control["low"] <= control["least"] < control["most"] <= control["high"], control
        assert control["step"] > 0
        if control["default"] is not None:
            assert control["least"] <= control["default"] <= control["most"], control
        assert math.isfinite(control["high"])
        if control["kind"] == "count":
            assert isinstance(control["step"], int)


def test_ends_of_sliders_are_valid_settings():
    for control in controls("en"):
        if control["kind"] in ("number", "count"):
            for end in ("least", "most"):
                value = round(control[end]) if control["kind"] == "count" else control[end]
                policy_of({control["key"]: value})


def test_units_of_money_fit_the_language():
    found = {language: {c["key"]: c for c in controls(language)} for language in LANGUAGES}
    budget = "levers.little_giant_awards.budget_yuan"
    assert (found["en"][budget]["factor"], found["zh"][budget]["factor"]) == (1e9, 1e8)
    assert found["zh"][budget]["unit"] == "亿元"
    assert found["en"]["levers.digital_empowerment.firm_share"]["factor"] == 0.01


def test_settings_and_presets_are_each_other():
    for name, scenario in presets().items():
        settings = settings_of(scenario)
        assert policy_of(settings).policy == scenario.policy, name
        assert preset_of(settings) is not None
    assert settings_of(presets()["baseline"]) == {}
    assert preset_of({"levers.cluster_recognition.per_year": 123}) is None


def test_an_invalid_setting_is_one_sentence():
    with pytest.raises(ScenarioError, match=r"levers.cluster_recognition.per_year is 5000: .*2000"):
        policy_of({"levers.cluster_recognition.per_year": 5000})
    with pytest.raises(ScenarioError, match=r"unknown key levers.clusters.*cluster_recognition"):
        policy_of({"levers.clusters.per_year": 5})


def test_keys_that_contradict_each_other_are_one_sentence_or_the_later():
    with pytest.raises(ScenarioError, match=r"unknown key levers\.x"):
        policy_of({"levers": 3, "levers.x.y": 1})
    with pytest.raises(ScenarioError, match="levers"):
        policy_of({"levers": 3})


@pytest.mark.parametrize(
    "value", [1.5, 300, True, False, None, "2025Q3", ["Jiangsu", "Anhui"], [], 1e10], ids=lambda value: repr(value)
)
def test_values_survive_the_address(value):
    assert text_value(value_text(value)) == value
    state = State({"levers.x.y": value}, "zh", False, {"measure": "srdi_smes"}, (Saved("两 ~b", {"rules.a": value}),))
    back = from_query(to_query(state), ("measure",))
    assert back.settings == state.settings
    assert back.saved[0].settings == state.saved[0].settings
    assert (back.language, back.dark, back.view) == ("zh", False, {"measure": "srdi_smes"})


def test_the_default_address_is_empty_and_junk_is_passed_over():
    assert to_query(State({})) == ""
    junk = from_query("lang=xx&foo=1&levers=3&measure=%00&policy=&policy=a&policy=b&policy=c&policy=d&dark=", ())
    assert (junk.language, junk.dark) == (None, None)
    assert junk.settings == {"levers": 3}
    assert len(junk.saved) == MOST_SAVED


def test_an_uploaded_file_is_read_like_one_of_the_catalogue():
    text = 'schema = 1\nname = "mine"\nextends = "clusters-300"\n[levers.incubation]\nenabled = true\n'
    scenario = read_upload(text.encode(), "mine.toml")
    assert scenario.levers.cluster_recognition.per_year == 300
    assert scenario.levers.incubation.enabled
    assert scenario.policy == load_scenario("clusters-300", ("levers.incubation.enabled=true",)).policy
