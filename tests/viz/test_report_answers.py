"""Answers of further commands: kept and read again, and shown by the report in both languages."""

from __future__ import annotations

import json
import shutil
from functools import cache

import pandas as pd
import pytest
from click.testing import CliRunner
from command_line import invoke, last
from conftest import EARLY
from pypdf import PdfReader
from seen import HtmlPage

from scenarios import InputError, ResultsError, load_answers, load_results
from scenarios.analysis.additionality import ALL, RIVALS, SAME_NICHE, Additionality, Caveat
from scenarios.analysis.decomposition import AND, TOGETHER, WHOLE
from scenarios.analysis.metrics import COLUMNS, choose_metrics
from scenarios.analysis.outcomes import read_outcome
from scenarios.analysis.recipients import SUPPORTING
from scenarios.analysis.waterfall import bars_of
from scenarios.cli import main
from scenarios.files.loading import load_scenario
from scenarios.files.parts import differing_parts
from scenarios.files.scaling import TIMES
from scenarios.records.kept import keep, kept
from sim.levers import Levers
from viz import LANGUAGES
from viz.report.answers import COMMANDS
from viz.report.document import SECTIONS, compared_by, render
from viz.shared.additionality import group_name, notes, per_100, supported_sentences
from viz.shared.answers import outcome_name, part_name, quarterly_title, setting_name
from viz.words.language import Words

TINY = ("--scale", "0.0005", "--until", "2020", "--workers", "1", "--params", "default", "--replicates", "2")
BOTH = """
schema = 1
name = "both"
title = "Both of them"
title_zh = "两项并举"
extends = "baseline"
[levers.incubation]
enabled = true
start = "2019Q1"
end = "2020Q4"
[levers.credit_guarantees]
enabled = true
start = "2019Q1"
end = "2020Q4"
"""
TARGET = """
base = "./early.toml"
levels = ["public_spending_yuan >= 3e9", "births@2020Q3 >= 0"]
chance = 0.75
trials = 4
batch = 4
final = 6
[factors."levers.incubation.budget_yuan"]
from = 0.0
to = 10e9
[factors."rules.audit_strictness"]
values = [0.5, 0.9]
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Directories parts (with additionality), equal and target."""
    folder = tmp_path_factory.mktemp("answers")
    (folder / "both.toml").write_text(BOTH, encoding="utf-8")
    (folder / "early.toml").write_text(EARLY)
    (folder / "target.toml").write_text(TARGET)
    quantities = ("--quantity", "public_cost_cumulative_yuan", "--quantity", "births", "--quantity", "digital_level_1")
    invoke("decompose", folder / "both.toml", *TINY, *quantities, "--out", folder / "parts")
    invoke("additionality", folder / "parts", "--pairs", "2", "--workers", "1", "--keep")
    policies = []
    for lever in ("credit_guarantees", "incubation"):
        policies.append(folder / f"{lever}.toml")
        policies[-1].write_text(
            f'schema = 1\nname = "{lever.replace("_", "-")}"\nextends = "baseline"\n[model]\nfull_cost = false\n'
            f'[levers.{lever}]\nenabled = true\nstart = "2019Q1"\nend = "2019Q4"\nbudget_yuan = 2e9\n'
        )
    equal = ("--set", "model.full_cost=false", "--cost", "1e9", "--tolerance", "0.2", "--quantity", "births")
    invoke("equal-money", *policies, *TINY, *equal, "--quantity", "deaths", "--out", folder / "equal")
    invoke("target", folder / "target.toml", *TINY, "--out", folder / "target")
    return folder


@cache  # drawing takes seconds
def page_of(directory, language):
    """The report of a directory: its text, its parts, the words, and the answers."""
    answers = load_answers(directory)
    results = load_results(answers.runs)
    text = render(compared_by(results, None, answers), language, answers)
    return text, HtmlPage(text), Words(language), answers


@pytest.fixture(params=LANGUAGES)
def language(request):
    return request.param


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("parts", ["additionality", "decomposition"]),
        ("equal", ["equal_money"]),
        ("target", ["target"]),
    ],
)
def test_a_kept_answer_has_a_section_and_the_others_one_line(folder, language, name, shown):
    text, found, words, _ = page_of(folder / name, language)
    after = SECTIONS.index("value") + 1
    wanted = [*SECTIONS[:after], *shown, *SECTIONS[after:]]
    assert [section for section in found.texts if section] == wanted
    assert not found.open
    assert found.unnamed == 0
    assert found.charts == found.toggles
    assert {f"#{section}" for section in wanted} <= set(found.links)
    line = text[text.index('<p id="more">') :].partition("</p>")[0]
    for section, command in COMMANDS.items():
        assert (command.split(" {")[0] in line) == (section not in shown)
        assert (words(f"section.{section}") in line) == (section not in shown)


def test_nothing_is_missing_from_a_directory_with_all_answers(folder, language, tmp_path):
    whole = tmp_path / "whole"
    shutil.copytree(folder / "parts", whole)
    for name, file in (("equal", "equal-money.json"), ("target", "target.json")):
        shutil.copy(folder / name / file, whole)
    text, found, *_ = page_of(whole, language)
    assert set(COMMANDS) <= set(found.texts)
    assert 'id="more"' not in text


@pytest.mark.parametrize("kind", ["additionality", "decomposition", "equal_money", "target"])
def test_an_answer_is_read_as_it_was_kept(folder, tmp_path, kind):
    directory = folder / {"equal_money": "equal", "target": "target"}.get(kind, "parts")
    found = getattr(load_answers(directory), kind)
    assert keep(found, tmp_path) == tmp_path / found.FILE
    again = kept(tmp_path, type(found))
    assert again.stored() == found.stored() == json.loads((directory / found.FILE).read_text(encoding="utf-8"))
    pd.testing.assert_frame_equal(again.rows, found.rows)
    for name in ("value", "low", "high"):
        assert again.rows[name].dtype == float
    (tmp_path / found.FILE).write_text('{"rows": []}')
    with pytest.raises(ResultsError, match=rf"{found.FILE} is damaged or of another version; run {found.COMMAND} "):
        kept(tmp_path, type(found))
    with pytest.raises(InputError, match="cannot be written"):
        keep(found, tmp_path / "none")


def test_a_directory_without_answers_has_none(folder, tmp_path):
    answers = load_answers(folder / "equal" / "equal")
    assert (answers.additionality, answers.decomposition, answers.equal_money, answers.target) == (None,) * 4
    assert load_answers(tmp_path / "none").runs == tmp_path / "none"


def test_the_report_of_parts_compares_the_policy_and_shows_what_each_does(folder, language):
    _, page, words, answers = page_of(folder / "parts", language)
    found, section = answers.decomposition, page.texts["decomposition"]
    compared = compared_by(load_results(folder / "parts"), None, answers)
    assert compared.names == ["baseline", "both"]
    assert compared_by(compared.results, "both", answers).names == ["both", "baseline"]
    # Both are titles of scenarios, each in its language.
    assert {"en": "Both of them", "zh": "两项并举"}[language] in section
    for metric in found.quantities:
        measures = found.measures(metric.name, "2020Q4")
        assert quarterly_title(words, metric.name, "2020Q4") in section
        for measure, part in (
            *((measure, part) for measure in ("alone", "last", "shapley") for part in found.parts),
            ("together", TOGETHER),
            ("whole", WHOLE),
        ):
            row = measures[measure].loc[part]
            for text in words.estimate(row["value"], row["low"], row["high"], metric.unit, signed=True):
                assert text in section
        bars = bars_of(found, metric, "2020Q4")
        assert bars["start"].iloc[-1] == 0.0
        assert (bars["start"] + bars["value"]).iloc[-2] == pytest.approx(bars["value"].iloc[-1])
    assert words.lever("incubation") in section
    assert words("label.assumed") in section


def test_the_section_on_additionality_has_the_numbers_of_the_command(folder, language):
    _, page, words, answers = page_of(folder / "parts", language)
    found, section = answers.additionality, page.texts["additionality"]
    assert set(found.levers) == {"both", "only-1", "only-2"}
    groups = found.groups("both")
    numbers = groups[ALL, "lever", ALL]
    assert words.value(numbers["supported", "count"]["value"], "firms") in section
    for key in (("firms", "added"), ("srdi_smes", "anyway"), ("anything", "changed")):
        assert per_100(words, numbers[key])[0] in section
    net = groups[ALL, RIVALS, SAME_NICHE]["revenue_yuan", "net"]
    assert words.estimate(net["value"], net["low"], net["high"], net["unit"], signed=True)[0] in section
    for size in ("micro", "small"):
        assert group_name(words, "size", size) in section
    assert words("additionality.basis", label=words("label.assumed")) in section
    # Told in a sentence, if there are such firms: at this scale none may have become one in two years.
    told = supported_sentences(words, ALL, numbers | {("srdi_smes", name): {"value": 0.9} for name in SHARES})
    assert words("additionality.anyway_of", title=words.column("srdi_smes"), share="90%", since="90%") in told


SHARES = ("anyway_share", "reached_anyway_share")


def test_caveats_are_said_in_both_languages(folder, language):
    words, found = Words(language), load_answers(folder / "parts").additionality
    caveats = (
        Caveat("repeats", {"some": "1", "runs": "2", "path": "results/x"}),
        Caveat("differs", {"scenario": "both", "others": "rules"}),
        Caveat("left_out", {"scenario": "both", "baseline": "baseline"}),
    )
    told = notes(words, Additionality(**{**found.__dict__, "caveats": caveats}), {"both": "BOTH"})
    assert sum("BOTH" in sentence for sentence in told) == 2
    assert "rules" in told[1]
    assert len(told) == len(notes(words, found, {})) + 3


def test_the_section_on_equal_money_has_costs_effects_and_chances(folder, language):
    _, page, words, answers = page_of(folder / "equal", language)
    found, section = answers.equal_money, page.texts["equal_money"]
    compared = compared_by(load_results(answers.runs), None, answers)
    assert compared.names == ["baseline", "credit-guarantees-scaled", "incubation-scaled"]
    for row in found.policies.to_dict("records"):
        ends = (row[f"cost_{name}yuan"] for name in ("", "low_", "high_"))
        assert words.estimate(*ends, "yuan", signed=True)[0] in section
        assert words.number(row["factor"]) in section
    for row in found.rows.to_dict("records"):
        assert words.estimate(row["value"], row["low"], row["high"], row["unit"], signed=True)[0] in section
    for row in found.chances[found.chances["measure"] == "in_all"].to_dict("records"):
        low, high = (f"{100.0 * row[end]:.0f}" for end in ("low", "high"))
        assert words.percent(round(row["value"], 2)) in section
        assert f"{low}–{high}%" in section
    assert TIMES not in section
    # Fewer closed firms are better.
    assert "{less}" not in section
    assert words.quarterly("deaths") in section


def test_the_section_on_a_target_has_verdict_settings_levels_and_cost(folder, language):
    _, page, words, answers = page_of(folder / "target", language)
    found, section = answers.target, page.texts["target"]
    assert answers.runs == folder / "target" / "final-0004-0006"
    assert compared_by(load_results(answers.runs), None, answers).names == ["early", found.scenario.name]
    chance, cost = found.number("chance"), found.number("public_cost_yuan")
    assert words.percent(chance["value"]) in section
    assert words.percent(found.chance) in section
    assert words.estimate(cost["value"], cost["low"], cost["high"], "yuan", signed=True)[0] in section
    for level in found.levels:
        assert outcome_name(words, level.outcome, "2020Q4") in section
    for key in ("levers.incubation.budget_yuan", "rules.audit_strictness"):
        assert setting_name(words, key) in section
        assert words.setting(found.point[key]) in section
    assert words("target.listed") in section
    assert len(found.tried) == 4


def test_the_command_reports_the_directory_of_each(folder, language):
    for name, baseline in (("parts", "baseline"), ("equal", "baseline"), ("target", "early")):
        done = CliRunner().invoke(main, ["report", str(folder / name), "--language", language, "--json"])
        assert done.exit_code == 0, done.output
        told = last(done)
        assert told["baseline"] == baseline
        assert told["out"] == str(folder / name / f"report-{language}.html")


@pytest.mark.parametrize(
    ("name", "about"),
    [
        ("equal", {"baseline": "baseline", "scenarios": {"credit-guarantees", "incubation"}}),
        ("target", {"baseline": "early", "scenario": "answer", "reachable": True}),
    ],
)
def test_the_command_writes_a_note_of_one_page_on_each(folder, language, name, about):
    done = last(invoke("brief", folder / name, "--language", language, "--json"))
    path = folder / name / f"brief-{language}.pdf"
    assert (done["out"], done["bytes"]) == (str(path), path.stat().st_size)
    assert len(PdfReader(path).pages) == 1
    text = "".join(PdfReader(path).pages[0].extract_text().split())
    assert f"Madeby:srdibrief{name}" in text or f"生成命令：srdibrief{name}" in text
    assert {key: set(done[key]) if key == "scenarios" else done[key] for key in about} == about
    found = load_answers(folder / name)
    kept = found.target or found.equal_money
    assert done["numbers"][0]["value"] in list(kept.rows["value"] if found.target else kept.chances["value"])


def test_a_damaged_answer_is_told_in_one_sentence(folder, tmp_path):
    shutil.copytree(folder / "parts", tmp_path / "parts")
    (tmp_path / "parts" / "decomposition.json").write_text("{")
    done = invoke("report", tmp_path / "parts", status=2)
    assert done.stderr.strip().endswith("run srdi decompose --out DIR --resume again")


# --- names


def test_every_metric_and_outcome_has_a_title(language):
    words = Words(language)
    for metric in choose_metrics([*COLUMNS, "public_cost_cumulative_yuan", "genuine_srdi_smes"]):
        assert words.quarterly(metric.name)
    assert words.quarterly("public_cost_yuan") != words.column("public_cost_yuan")
    for text in ("births@2020Q4", "deaths:sum", "public_cost_yuan", "little_giants"):
        title = outcome_name(words, read_outcome(text, 2027), "2027Q4")
        assert ("2027" in title) == (text == "little_giants")


def test_every_part_of_a_policy_has_a_name_in_words(language):
    words = Words(language)
    baseline = load_scenario("baseline")
    settings = (
        *(f"levers.{name}.enabled=true" for name in Levers.model_fields),
        *("rules.srdi.capacity=9000", "rules.audit_strictness=0.9", "shocks.credit_crunch.severity=2.0"),
        *("model.credit=false", "parameters.start_digital=0.5"),
    )
    parts = [part.name for part in differing_parts(baseline, load_scenario("baseline", settings))]
    names = {part: part_name(words, part) for part in [*parts, *SUPPORTING]}
    assert all(name and name != part for part, name in names.items())
    assert len(set(names.values())) == len(names)
    both = part_name(words, f"incubation{AND}rules.srdi")
    assert words.lever("incubation") in both
    assert names["rules.srdi"] in both
    assert part_name(words, "my group") == "my group"
