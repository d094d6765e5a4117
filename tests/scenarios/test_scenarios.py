"""Scenario files: the catalogue, inheritance, settings, and every kind of bad input in one sentence."""

from __future__ import annotations

import re
from importlib.resources import files

import pytest

from scenarios import ScenarioError, load_scenario
from scenarios.catalogue import catalogue_groups, catalogue_names
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
        assert re.search(r"[\u4e00-\u9fff]{4}", scenario.description_zh)


def test_every_scenario_of_the_catalogue_is_in_one_group():
    shipped = {path.name.removesuffix(".toml") for path in files("scenarios.catalogue").iterdir()} - {"groups"}
    assert sorted(catalogue_names()) == sorted(name for name in shipped if not name.startswith("__"))
    assert len({group.name for group in catalogue_groups()}) == len(catalogue_groups())
    with pytest.raises(ScenarioError, match="unknown scenario 'groups'"):
        load_scenario("groups")


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
    (HEAD + '[levers.sme_fund]\nprovinces = ["Jiangsoo"]', "unknown province 'Jiangsoo'; did you mean 'Jiangsu'?"),
    (
        HEAD + '[levers.sme_fund]\nsectors = ["pharmaa"]',
        "unknown sector 'pharmaa'; did you mean 'pharmaceuticals'? (allowed: ",
    ),
    (
        HEAD + '[levers.sme_fund]\nlowest_tier = "srdy"',
        "levers.sme_fund.lowest_tier is 'srdy'; did you mean 'srdi'? (allowed: none, innovative, srdi, little_giant)",
    ),
    (HEAD + "[levers.sme_fund]\nlowest_tier = 3", "levers.sme_fund.lowest_tier is 3 (allowed: none, innovative, "),
    (HEAD + "[run]\nuntil = 2018", "run.until is 2018"),
    (HEAD + "[run]\nscale = 0", "run.scale is 0"),
    (HEAD + "[run]\nuntil = 2022\n[levers.digital_empowerment]\nenabled = true", "run.until is 2022"),
    (HEAD + '[levers.sme_fund]\nenabled = true\nstart = "2035Q1"\nend = "2036Q4"', "run.until is 2030"),
    (
        HEAD + '[levers.sme_fund]\nannounced = "1990Q1"',
        "levers.sme_fund.announced is 1990Q1; the first quarter of a run",
    ),
    (HEAD + '[rules]\nannounced = "1990Q1"', "rules.announced is 1990Q1; the first quarter of a run is 2019Q1"),
    (HEAD + '[rules]\nstart = "2031Q1"', "rules.start is 2031Q1, after the run's end; run.until is 2030"),
    (HEAD + '[rules]\nstart = "2990Q1"', "rules.start is 2990Q1; the latest allowed is 2048Q4"),
    (HEAD + '[shocks.credit_crunch]\nstart = "2035Q1"', "shocks.credit_crunch.start is 2035Q1, after the run's end"),
    (HEAD + '[shocks.credit_crunch]\nstart = "2990Q1"', "shocks.credit_crunch.start is 2990Q1; the latest allowed"),
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
    ("firms", "^setting 'firms' is not KEY=VALUE"),
    ("=3", "not KEY=VALUE"),
    ("lever.cluster_recognition.per_year=3", "did you mean 'levers'"),
    ("levers.cluster_recogntion.per_year=300", "did you mean 'cluster_recognition'"),
    ("levers.cluster_recognition.peryear=300", "did you mean 'per_year'"),
    ("levers.cluster_recognition=3", "is a table"),
    ("levers.cluster_recognition.per_year=many", "per_year is 'many'"),
    ("parameters.rd_sise=1", "did you mean 'rd_size'"),
    ("name=other", "unknown key name"),
    ("levers.sme_fund.budget_yuan=" + "[" * 2000, "levers.sme_fund.budget_yuan"),
]


@pytest.mark.parametrize(("setting", "words"), BAD_SETTINGS)
def test_a_bad_setting_is_refused_in_one_sentence(setting, words):
    with pytest.raises(ScenarioError, match=words):
        load_scenario("baseline", (setting,))


FUND_IN_2035 = ("levers.sme_fund.enabled=true", "levers.sme_fund.start=2035Q1", "levers.sme_fund.end=2036Q4")


@pytest.mark.parametrize(
    ("settings", "until", "words"),
    [
        (FUND_IN_2035, None, "levers.sme_fund.start is 2035Q1, after the run's end; run.until is 2030"),
        (FUND_IN_2035, 2022, "levers.sme_fund.start is 2035Q1, after the run's end; run.until is 2030"),
        (("run.until=2022", "levers.digital_empowerment.start=2023Q1"), None, "start is 2023Q1, .* run.until is 2022"),
        (("levers.digital_empowerment.start=2023Q1",), 2022, "start is 2023Q1, .* run.until is 2022"),
        (("rules.start=2031Q1",), None, "rules.start is 2031Q1, .* run.until is 2030"),
        (
            ("shocks.demand_slump.severity=0.2", "shocks.demand_slump.start=2035Q1"),
            None,
            "demand_slump.start is 2035Q1",
        ),
    ],
)
def test_what_is_set_to_start_after_the_run_is_refused(settings, until, words):
    with pytest.raises(ScenarioError, match=words):
        load_scenario("baseline", settings, until=until)


def test_what_is_switched_on_after_the_run_is_refused(write):
    path = write(HEAD + '[levers.sme_fund]\nstart = "2035Q1"\nend = "2036Q4"')
    assert not load_scenario(path).levers.sme_fund.enabled
    with pytest.raises(ScenarioError, match="after the run's end"):
        load_scenario(path, "levers.sme_fund.enabled=true")


@pytest.mark.parametrize(
    ("settings", "until"),
    [((), 2020), ("run.until=2020", None), (FUND_IN_2035, 2040), ((*FUND_IN_2035, "run.until=2040"), None)],
)
def test_a_run_may_be_shortened_or_lengthened(settings, until):
    """Levers of the baseline start in 2023 and end in 2030: in a shorter run they have no effect."""
    scenario = load_scenario("baseline", settings, until=until)
    assert scenario.levers.digital_empowerment.start == "2023Q3"
    assert scenario.levers.cluster_recognition.end == "2030Q4"


@pytest.mark.parametrize("path", ["nowhere.toml", "."])
def test_what_is_no_file_is_refused(path, tmp_path):
    with pytest.raises(ScenarioError):
        load_scenario(tmp_path / path if path != "." else f"{tmp_path}/")


def test_an_unknown_name_is_answered_with_the_nearest_one():
    with pytest.raises(ScenarioError, match="did you mean 'digital-doubled'"):
        load_scenario("digital-double")
