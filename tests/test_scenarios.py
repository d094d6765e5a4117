"""Scenario files: the catalogue, inheritance, settings, and every kind of bad input in one sentence."""

from __future__ import annotations

import pytest

from scenarios import ScenarioError, load_scenario
from scenarios.catalogue import catalogue_names
from scenarios.files.describe import scenario_toml, template

HEAD = 'schema = 1\nname = "mine"\n'


@pytest.fixture
def write(tmp_path):
    def write(text, name="mine.toml"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


def test_the_catalogue_loads_and_is_told_in_both_languages():
    assert catalogue_names()[0] == "baseline"
    assert {"no-policy", "digital-doubled", "clusters-300"} <= set(catalogue_names())
    for name in catalogue_names():
        scenario = load_scenario(name)
        assert scenario.name == name
        assert scenario.title
        assert scenario.title_zh
        assert scenario.description


def test_scenarios_differ_from_their_parent_only_where_they_say():
    base, doubled = load_scenario("baseline"), load_scenario("digital-doubled")
    assert doubled.levers.digital_empowerment.firms == 2 * base.levers.digital_empowerment.firms
    assert doubled.levers.digital_empowerment.start == base.levers.digital_empowerment.start
    assert doubled.levers.little_giant_awards == base.levers.little_giant_awards
    assert not any(dict(load_scenario("no-policy").levers)[name].enabled for name in type(base.levers).model_fields)


def test_a_file_extends_a_file_that_extends_the_catalogue(write):
    write(HEAD.replace("mine", "parent") + 'extends = "clusters-300"\n[run]\nuntil = 2026\n', "parent.toml")
    path = write(HEAD + 'extends = "parent.toml"\n[levers.cluster_recognition]\ncommons_yuan = 1e6\n')
    scenario = load_scenario(path)
    assert scenario.levers.cluster_recognition.per_year == 300
    assert scenario.levers.cluster_recognition.commons_yuan == 1e6
    assert scenario.run.until == 2026
    assert scenario.title == ""


def test_settings_win_over_the_file():
    scenario = load_scenario(
        "baseline",
        (
            "levers.cluster_recognition.per_year=300",
            "rules.little_giant.rd_intensity_min=0.04",
            "parameters.rd_size=1.1",
            "levers.digital_empowerment.start=2024Q1",
        ),
    )
    assert scenario.levers.cluster_recognition.per_year == 300
    assert scenario.rules.little_giant.rd_intensity_min == 0.04
    assert scenario.parameters == {"rd_size": 1.1}
    assert scenario.levers.digital_empowerment.start == "2024Q1"


def test_what_is_shown_can_be_saved_and_run(write):
    for name in catalogue_names():
        scenario = load_scenario(name)
        assert load_scenario(write(scenario_toml(scenario))) == scenario


def test_the_template_is_valid_and_names_every_setting(write):
    text = template("mine")
    assert load_scenario(write(text)).levers == load_scenario("baseline").levers
    for key in ("per_year", "award_yuan", "niche_share_min", "audit_strictness", "counties_only", "replicates"):
        assert f"# {key} = " in text


BAD_FILES = [
    ("", "name is missing"),
    (HEAD + "[levers.digital_empowermnt]\nfirms = 3", "did you mean 'digital_empowerment'"),
    (HEAD + "[levers.digital_empowerment]\nfirm = 3", "did you mean 'firms'"),
    (HEAD + '[levers.digital_empowerment]\nfirms = "a"', "levers.digital_empowerment.firms is 'a'"),
    (HEAD + "[levers.digital_empowerment]\nfirms = -3", "levers.digital_empowerment.firms is -3"),
    (HEAD + '[levers.digital_empowerment]\nstart = "2025Q5"', "write it as 2024Q1"),
    (HEAD + '[levers.digital_empowerment]\nstart = "2017Q1"', "the first quarter of a run is 2019Q1"),
    (HEAD + '[levers.digital_empowerment]\nend = "2090Q1"', "the latest allowed is 2048Q4"),
    (HEAD + '[levers.digital_empowerment]\nstart = "2025Q4"\nend = "2024Q1"', "before start 2025Q4"),
    (HEAD + "[levers.digital_empowerment\nfirms = 3", "is not valid TOML"),
    (HEAD + "[levers]\ndigital_empowerment = 3", "levers.digital_empowerment"),
    (HEAD + "[run]\nuntil = 2018", "run.until is 2018"),
    (HEAD + "[run]\nscale = 0", "run.scale is 0"),
    (HEAD + "[run]\nuntil = 2022\n[levers.digital_empowerment]\nenabled = true", "run.until is 2022"),
    (HEAD + "[rules.little_giant]\nrd_intensity = 0.1", "did you mean 'rd_intensity_min'"),
    (HEAD + "[rules.srdi]\ncapacity = 1.5", "rules.srdi.capacity is 1.5"),
    (HEAD + "[parameters]\nrd_sise = 1.0", "did you mean 'rd_size'"),
    (HEAD + "[parameters]\nrd_size = 99.0", "outside 0 to 3"),
    (HEAD + "[parameters]\nrd_size = nan", "parameters.rd_size"),
    (HEAD + 'extends = "basline"', "did you mean 'baseline'"),
    (HEAD + "extends = 3", "extends is 3"),
    (HEAD + 'extends = "mine.toml"', "extends itself"),
    (HEAD + "extend = 3", "did you mean 'extends'"),
    (HEAD + 'name = "x"', "not valid TOML"),
    ('schema = 2\nname = "mine"', "schema is 2"),
    ('schema = 1\nname = "../up"', "name is '../up'"),
    (b"\xff\xfe", "is not UTF-8 text"),
    ("a = " + "[" * 5000, "is not valid TOML"),
    ("#" * 1_000_001, "at most 1000000 are allowed"),
]


@pytest.mark.parametrize(("text", "words"), BAD_FILES)
def test_a_bad_file_is_refused_in_one_sentence(write, text, words):
    path = write(text)
    with pytest.raises(ScenarioError) as refused:
        load_scenario(path)
    message = str(refused.value)
    assert words in message
    assert message.startswith(str(path))
    assert "\n" not in message


BAD_SETTINGS = [
    ("foo", "not KEY=VALUE"),
    ("=3", "not KEY=VALUE"),
    ("lever.cluster_recognition.per_year=3", "did you mean 'levers'"),
    ("levers.cluster_recogntion.per_year=300", "did you mean 'cluster_recognition'"),
    ("levers.cluster_recognition.peryear=300", "did you mean 'per_year'"),
    ("levers.cluster_recognition=3", "is a table"),
    ("levers.cluster_recognition.per_year=many", "per_year is 'many'"),
    ("parameters.rd_sise=1", "did you mean 'rd_size'"),
    ("name=other", "unknown key name"),
]


@pytest.mark.parametrize(("setting", "words"), BAD_SETTINGS)
def test_a_bad_setting_is_refused_in_one_sentence(setting, words):
    with pytest.raises(ScenarioError, match=words):
        load_scenario("baseline", (setting,))


@pytest.mark.parametrize("path", ["nowhere.toml", "."])
def test_what_is_no_file_is_refused(path, tmp_path):
    with pytest.raises(ScenarioError):
        load_scenario(tmp_path / path if path != "." else f"{tmp_path}/")


def test_an_unknown_name_is_answered_with_the_nearest_one():
    with pytest.raises(ScenarioError, match="did you mean 'digital-doubled'"):
        load_scenario("digital-double")
