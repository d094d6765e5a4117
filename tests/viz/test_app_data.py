"""What can be taken away: the bits of the command line, in every format; what the page tells of the model."""

import base64
import io
import re
import shlex
import tomllib
import zipfile
from types import SimpleNamespace

import pandas as pd
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from evidence_draws import central_params
from hostile import send, session

from scenarios.analysis.reported import reported_figures
from scenarios.catalogue import catalogue_names
from scenarios.cli import main
from scenarios.ensembles.default_draws import default_draws
from scenarios.ensembles.rerun import rerun
from scenarios.files.describe import scenario_toml
from scenarios.files.loading import load_scenario
from scenarios.records.layout import PARAMETER_DRAWS
from scenarios.records.results import load_results
from scenarios.records.storage import IDENTIFIERS
from sim.parameters import parameter_table
from sim.records.outputs import OPTIONAL_TABLES, TABLES
from viz import LANGUAGES
from viz.app.about import figures_table, odd_html, parameters_table
from viz.app.changes import moves_table
from viz.app.downloads import (
    CENTRAL,
    ENSEMBLE,
    PREVIEW,
    bundle_zip,
    columns_table,
    command,
    file_name,
    gathered,
    preview,
    runs_of,
    short_toml,
    tables_zip,
)
from viz.app.policies import policy_of, settings_of
from viz.app.state import written_scenario
from viz.app.uploads import read_offer, switched_off, take_offer
from viz.live.session import Answer
from viz.words.declared import column_meaning, declared, parameter_meaning, translations
from viz.words.language import Words, catalogue

SCALE, UNTIL, MEMBERS = 0.002, 2022, 2
SETTINGS = {"levers.little_giant_awards.award_yuan": 20e6, "levers.incubation.enabled": True}


@pytest.fixture(scope="module")
def scenario():
    return written_scenario(SETTINGS)


@pytest.fixture(scope="module")
def answer(runner, scenario):
    members = range(1, MEMBERS + 1)
    return Answer(
        policy_of(SETTINGS),
        1,
        runner.run(scenario.policy, 0),
        runner.baseline_run(0),
        tuple(runner.run(scenario.policy, member) for member in members),
        tuple(runner.baseline_run(member) for member in members),
    )


@pytest.fixture(scope="module")
def results(runner, answer, scenario):
    return gathered(runner, answer, scenario, ENSEMBLE)


def unzipped(content):
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def run_command(text, scenario, folder):
    """Run a command of the page in a folder that holds the scenario's file; the results."""
    (folder / file_name(scenario.name)).write_text(short_toml(scenario), encoding="utf-8")
    program, *arguments = shlex.split(text)
    assert program == "srdi"
    arguments = [str(folder / word) if word.endswith(".toml") else word for word in arguments]
    done = CliRunner().invoke(main, [*arguments, "--workers", "1", "--out", str(folder / "out")])
    assert done.exit_code == 0, done.output
    return load_results(folder / "out")


@pytest.mark.parametrize("runs", [ENSEMBLE, CENTRAL])
def test_the_command_gives_the_bits_of_the_page(runner, answer, scenario, runs, tmp_path):
    held = gathered(runner, answer, scenario, runs)
    again = run_command(command(held), scenario, tmp_path)
    assert set(again.columns) == set(held.columns)
    assert ("firms" in again.columns) == (runs == CENTRAL)
    for name in again.columns:
        pd.testing.assert_frame_equal(held.table(name), again.table(name), check_exact=True)
    folder = tmp_path / "page"
    folder.mkdir()
    held.write_files(folder)
    written = load_results(folder)
    assert written.manifest["files"] == again.manifest["files"]


def test_the_command_names_the_draws_the_scale_and_what_the_file_does_not_say(results):
    draws = default_draws().name
    assert command(results) == (
        f"srdi run my-policy.toml baseline --params {draws} --replicates {MEMBERS} --scale {SCALE:g} --until {UNTIL}"
    )


def test_the_page_at_its_defaults_gives_the_command_that_is_documented(results):
    manifest = results.manifest | {"scale": 0.02, "until": 2030, "replicates": 12}
    text = command(SimpleNamespace(manifest=manifest))
    assert text == f"srdi run my-policy.toml baseline --params {default_draws().name} --replicates 12 --scale 0.02"


def test_the_baseline_alone_is_run_once(runner):
    run = runner.baseline_run(0)
    baseline = written_scenario({})
    alone = gathered(runner, Answer(baseline, 1, run, run), baseline, runs_of(Answer(baseline, 1, run, run), ENSEMBLE))
    assert [each["name"] for each in alone.manifest["scenarios"]] == ["baseline"]
    assert command(alone).startswith(f"srdi run baseline {central_params()}--replicates 1")


@pytest.mark.parametrize("form", ["csv", "parquet", "dta"])
def test_every_table_is_in_every_format(results, form, tmp_path):
    files = unzipped(tables_zip(results, form))
    ending = f".{form}"
    found = {name.split("/")[1].removesuffix(ending): text for name, text in files.items() if name.endswith(ending)}
    assert {*TABLES, PARAMETER_DRAWS} <= set(found)
    national = results.table("national")
    if form == "csv":
        assert found["national"].startswith(b"\xef\xbb\xbf")
        frame = pd.read_csv(io.BytesIO(found["national"]), encoding="utf-8-sig")
        assert "columns" in found
    elif form == "parquet":
        table = pq.read_table(io.BytesIO(found["national"]))
        assert table.schema.field("little_giants").metadata[b"unit"] == b"firms"
        frame = table.to_pandas()
    else:
        frame = pd.read_stata(io.BytesIO(found["national"]))
        frame = frame.rename(columns={"lg": "little_giants"})
    assert len(frame) == len(national)
    assert frame["little_giants"].tolist() == national["little_giants"].tolist()


def test_parquet_is_a_results_directory_that_runs_again_to_the_same_bits(results, scenario, tmp_path):
    files = unzipped(bundle_zip(results, scenario, Words("en")))
    for name, content in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    folder = tmp_path / scenario.name
    assert load_scenario(folder / file_name(scenario.name)).policy == scenario.policy
    assert command(results) in (folder / "README.txt").read_text(encoding="utf-8")
    found = rerun(load_results(folder / "results"), tmp_path / "again", workers=1)
    assert not found.other
    assert not found.changed


@pytest.mark.parametrize("name", sorted(catalogue_names()))
def test_both_forms_of_a_file_are_the_scenario(name, tmp_path):
    scenario = load_scenario(name)
    for text in (scenario_toml(scenario), short_toml(scenario)):
        (tmp_path / "s.toml").write_text(text, encoding="utf-8")
        read = load_scenario(tmp_path / "s.toml")
        assert read.policy == scenario.policy
        assert (read.name, read.title, read.title_zh) == (scenario.name, scenario.title, scenario.title_zh)


def test_the_short_form_holds_only_what_differs(scenario):
    values = tomllib.loads(short_toml(scenario))
    assert values["extends"] == "baseline"
    assert values["levers"] == {"little_giant_awards": {"award_yuan": 20e6}, "incubation": {"enabled": True}}
    assert "run" not in values


def test_a_setting_that_is_nothing_needs_the_whole_file(monkeypatch):
    from viz.app import downloads

    scenario = written_scenario({"rules.little_giant.capacity": 1000})
    assert tomllib.loads(short_toml(scenario))["rules"] == {"little_giant": {"capacity": 1000}}
    monkeypatch.setattr(downloads, "settings_of", lambda scenario: {"rules.little_giant.capacity": None})
    assert "extends" not in tomllib.loads(short_toml(scenario))


def test_an_uploaded_file_becomes_the_policy(scenario):
    page = session()
    assert send(page, short_toml(scenario).encode()) == ""
    assert page.settings.value == settings_of(scenario)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_file_says_what_it_changes_before_it_acts_and_keeps_its_title(language):
    before = {"levers.incubation.enabled": True, "levers.cluster_recognition.per_year": 300}
    page = session(f"lang={language}&levers.incubation.enabled=true&levers.cluster_recognition.per_year=300")
    words = Words(language)
    text = 'name = "mine"\ntitle = "More clusters"\ntitle_zh = "更多集群"\nextends = "baseline"\n'
    content = f"{text}[levers.cluster_recognition]\nper_year = 400\n".encode()
    upload = {"name": "mine.toml", "size": len(content), "content": base64.b64encode(content).decode()}
    offered = read_offer(page, upload)
    assert page.settings.value == before
    after = settings_of(offered.scenario)
    # The lever that the file does not name would be off.
    assert switched_off(before, after, words) == [words.lever("incubation")]
    rows = moves_table(before, after, words).rows
    assert len(rows) == 2
    assert any("300" in row[2] and "400" in row[3] for row in rows)
    take_offer(page, offered)
    assert page.settings.value == {"levers.cluster_recognition.per_year": 400}
    title = {"en": "More clusters", "zh": "更多集群"}[language]
    assert page.title == page.name_to_keep == title
    assert page.scenario.title_zh == "更多集群"
    # A link keeps it, in both languages; another policy does not have it.
    assert session(page.query).title == title
    page.put({"levers.cluster_recognition.per_year": 410})
    assert page.title == words("policy.own")
    assert "title=" not in page.query
    page.undo()
    assert page.title == title


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"a = ", "not valid TOML"),
        (b'name = "x"\nextends = "basline"', "(baseline)"),
        (b'name = "x"\n[levers.nothing]', "unknown key levers.nothing"),
    ],
)
def test_a_file_that_is_no_scenario_is_refused_in_a_sentence(content, said):
    page = session()
    assert said in send(page, content)
    assert page.settings.value == {}


def test_a_preview_has_the_first_rows_and_the_meaning_of_every_column(results):
    for name in results.columns:
        table, rows = preview(results, name)
        frame = results.table(name)
        assert rows == len(frame)
        assert len(table.rows) == min(rows, PREVIEW)
        assert list(table.heads) == list(frame.columns)
        for language in LANGUAGES:
            words = Words(language)
            meanings = columns_table(results, name, words)
            assert [row[0] for row in meanings.rows] == list(frame.columns)
            assert all(row[1] for row in meanings.rows)
            assert words(f"data.table_{name}")
    row = dict(zip(table.heads, table.rows[0], strict=True))
    assert row["draw"] == "1"
    # A number that is shown as it is stored is no percentage.
    units = {row[0]: row[2] for row in columns_table(results, "national", Words("en")).rows}
    assert units["relabelled_rd_share"] == Words("en")("data.share")
    assert not [row for row in parameters_table(Words("en")).rows if row[2] == "per cent"]


# --- what the page tells of the model


def test_everything_declared_has_chinese_words_and_none_is_left_over():
    words = Words("zh")
    columns = [column for table in (*(TABLES | OPTIONAL_TABLES).values(), IDENTIFIERS) for column in table]
    parameters = list(parameter_table().values())
    figures = reported_figures()
    meanings = [column_meaning(column, words) for column in columns]
    meanings += [parameter_meaning(parameter, words) for parameter in parameters]
    assert [text for text in meanings if not re.search(r"[\u4e00-\u9fff]", text)] == []
    foreign = [text for figure in figures for text in (figure.source, figure.text) if re.search("[A-Za-z]{2}", text)]
    foreign += [parameter.source for parameter in parameters]
    assert {text for text in foreign if declared(text, words) == text} == set()
    known = {column.description for column in columns} | {parameter.source for parameter in parameters}
    known |= {text for figure in figures for text in (figure.source, figure.text)}
    assert set(translations("zh")["text"]) <= known
    assert set(translations("zh")["parameter"]) == set(parameter_table())
    assert {column.name for column in columns}.isdisjoint(parameter_table())
    units = {each.unit for each in (*columns, *parameters)} - {""}
    assert units <= set(catalogue("zh")["unit"])


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_figure_and_every_parameter_is_told_with_its_source(language):
    words = Words(language)
    figures, parameters = figures_table(words), parameters_table(words)
    assert len(figures.rows) == len(reported_figures())
    assert len(parameters.rows) == len(parameter_table())
    assert all(all(str(cell).strip() for cell in row) for row in (*figures.rows, *parameters.rows))
    assert [row[0] for row in parameters.rows] == list(parameter_table())


def test_a_search_finds_rows_that_hold_all_words():
    words = Words("en")
    rows = parameters_table(words, "cluster KNOWLEDGE").rows
    assert 0 < len(rows) < 20
    assert all("cluster" in " ".join(row).lower() and "knowledge" in " ".join(row).lower() for row in rows)
    assert parameters_table(words, "no such thing").rows == []
    assert {row[0].split(" (")[0] for row in figures_table(words, "Gansu").rows}


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_odd_protocol_has_its_parts_in_order(language):
    html = odd_html(language)
    assert re.findall(r"<h2>(\d)", html) == list("12345678")
    assert "<table>" in html
    assert "**" not in html
    assert "|---" not in html
