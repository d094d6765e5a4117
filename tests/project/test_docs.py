"""Documents name only what exists and leave no cell empty; every lever has a scenario."""

from __future__ import annotations

import ast
import importlib.util
import json
import re
from pathlib import Path

import click
import pytest

from benchmarks.suite import TARGETS
from scenarios.catalogue import catalogue_names
from scenarios.cli import main
from scenarios.files.labels import Label, lever_labels
from scenarios.files.loading import load_scenario
from scenarios.search.design import factors_of, read_design
from scenarios.search.target import TargetFile, check_free, read_levels
from sim.levers import Levers
from sim.policy import Policy
from sim.records.outputs import TABLES
from sim.shocks import Shocks

ROOT = Path(__file__).parents[2]
#: Where documents are.
PLACES = ("*.md", "docs/**/*.md", "viz/**/*.md")
#: Documents on the current state; the changelog is about the past.
DOCUMENTS = sorted({path for place in PLACES for path in ROOT.glob(place)} - {ROOT / "CHANGELOG.md"})
TABLE = (ROOT / "docs" / "mechanisms.md").read_text(encoding="utf-8")
ROWS = [line.strip("| ").split(" | ") for line in TABLE.splitlines() if line.startswith("| ") and "`" in line]


@pytest.mark.parametrize("place", PLACES)
def test_every_place_has_documents(place):
    assert any(ROOT.glob(place))


def test_every_statement_of_the_brief_has_a_row():
    assert [row[0] for row in ROWS if row[0].isdigit()] == [str(number) for number in range(1, 20)]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0][:20])
def test_no_cell_is_empty_and_everything_named_exists(row):
    assert all(cell.strip() for cell in row)
    files, levers, outputs, tests = (re.findall(r"`([^`]+)`", cell) for cell in row[-4:])
    assert files
    assert levers
    assert outputs
    assert tests
    assert all((ROOT / file).is_file() for file in files)
    for lever in levers:
        value = Policy()
        for part in lever.split("."):
            assert part in type(value).model_fields, lever
            value = getattr(value, part)
    for output in outputs:
        table, column = output.split(".")
        assert column in {known.name for known in TABLES[table]}, output
    for test in tests:
        file, name = test.split("::")
        functions = {
            node.name
            for node in ast.parse((ROOT / file).read_text(encoding="utf-8")).body
            if isinstance(node, ast.FunctionDef)
        }
        assert name in functions, test


def test_every_lever_and_shock_is_shown_by_a_scenario_of_the_catalogue():
    scenarios = [load_scenario(name) for name in catalogue_names() if name != "all-levers"]
    baseline = load_scenario("baseline")
    for name in Levers.model_fields:
        assert any(getattr(s.levers, name) != getattr(baseline.levers, name) for s in scenarios), name
    for name in Shocks.model_fields:
        assert any(getattr(s.shocks, name).severity > 0 for s in scenarios), name
    assert any(s.rules != baseline.rules for s in scenarios)


def test_every_lever_names_a_mechanism_that_exists():
    for name, field in Levers.model_fields.items():
        assert (ROOT / field.annotation.mechanism).is_file(), name
        assert field.annotation.cost_rule, name


def test_the_performance_table_has_every_row_of_the_benchmark_with_its_target():
    text = (ROOT / "docs" / "performance.md").read_text(encoding="utf-8")
    for target in TARGETS:
        limit = f"{'≥' if target.at_least else '≤'} {target.limit:g} {target.unit}"
        assert re.search(rf"^\| {re.escape(target.label)} \| [^|]+ \| {limit} \| (yes|no) \|$", text, re.MULTILINE), (
            target.label
        )
    for file in re.findall(r"`([a-z]+/[a-z_/]+\.py)`", text):
        assert (ROOT / file).is_file(), file


def unguarded_runs(text: str) -> list[str]:
    """Calls in a script's text that start worker processes outside a function and outside the guard of scripts."""
    calls, waiting = [], list(ast.parse(text).body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.FunctionDef) or (isinstance(node, ast.If) and "__name__" in ast.unparse(node.test)):
            continue
        if isinstance(node, ast.Call) and ast.unparse(node.func) in STARTING_WORKERS:
            calls.append(ast.unparse(node))
        waiting += ast.iter_child_nodes(node)
    return calls


#: What starts worker processes, as it is called in a script.
STARTING_WORKERS = {
    *("additionality", "run_ensemble", "decompose", "equal_money", "calibrate", "validate", "run_library"),
    "run_sensitivity",
    "in_processes",
}


def test_a_call_that_starts_workers_is_found():
    assert unguarded_runs("x = len(run_ensemble([]).national)") == ["run_ensemble([])"]
    assert unguarded_runs("if __name__ == '__main__':\n    run_ensemble([])") == []


@pytest.mark.parametrize("document", [*DOCUMENTS, *ROOT.glob("examples/*.py")], ids=lambda path: path.name)
def test_scripts_to_copy_start_workers_under_the_guard(document):
    text = document.read_text(encoding="utf-8")
    blocks = (
        [text] if document.suffix == ".py" else re.findall(r"^```python\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    )
    for block in blocks:
        assert unguarded_runs(block) == []


def documented_commands(text: str) -> list[list[str]]:
    """The words of every shell command of a document, in blocks and in lines."""
    blocks = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    spans = re.findall(r"`([^`]+)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL))
    lines = (*"\n".join(blocks).splitlines(), *(" ".join(span.split()) for span in spans))
    return [part.split() for line in lines for part in re.split(r"&&|[|;#]", line)]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_command_of_a_document_exists_with_its_options(document):
    for words in documented_commands(document.read_text(encoding="utf-8")):
        if "srdi" in words[:-1]:
            name, *rest = words[words.index("srdi") + 1 :]
            if name in ("--help", "…"):
                continue
            command = main.get_command(click.Context(main), name)
            assert command is not None, words
            known = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
            given = {word.partition("=")[0] for word in rest if word.startswith("--")}
            assert given <= {*known, "--help"}, words
        if "-m" in words[:-1] and "python" in words[words.index("-m") - 1]:
            assert importlib.util.find_spec(words[words.index("-m") + 1]), words


def test_commands_are_found_in_documents():
    """Guards against the test above passing on nothing."""
    commands = [words for document in DOCUMENTS for words in documented_commands(document.read_text(encoding="utf-8"))]
    assert sum("srdi" in words[:-1] for words in commands) > 40
    assert sum("-m" in words[:-1] for words in commands) > 10


@pytest.mark.parametrize(("document", "place"), [("index.md", 1), ("ministry-questions.md", 0)])
def test_the_targets_of_the_how_to_are_valid(document, place, tmp_path):
    text = (ROOT / "docs" / "how-to" / document).read_text(encoding="utf-8")
    path = tmp_path / "target.toml"
    path.write_text(re.findall(r"```toml\n(.*?)```", text, re.DOTALL)[place], encoding="utf-8")
    file = read_design(path, TargetFile)
    check_free(file.factors, str(path))
    assert factors_of(file, load_scenario(file.base), str(path))
    assert read_levels(file.levels, 2030)


def test_the_readmes_say_what_evidence_the_package_holds():
    """Counts of the adopted evidence; labels from its file, so that a changed model does not change them."""
    held = json.loads((ROOT / "calibration" / "evidence.json").read_text(encoding="utf-8"))
    labels = lever_labels({row["parameter"]: Label(row["label"]) for row in held["parameters"]})
    met = [held["inside"][use] for use in ("fit", "check", "sign")]
    estimates, studies = len(held["rows"]), len({row["study"] for row in held["rows"]})
    by_evidence = sum(label.word == "evidence" for label in labels.values())
    english = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    assert f"{estimates} estimates of {studies} studies" in english
    for counts in met:
        assert re.search(rf"{counts['inside']} of (?:the )?{counts['of']} ", english)
    assert f"{by_evidence} of {len(labels)} levers rest on evidence" in english
    chinese = "".join((ROOT / "README.zh-CN.md").read_text(encoding="utf-8").split())
    assert f"{studies}项研究、{estimates}个估计值" in chinese
    for counts in met:
        assert re.search(rf"{counts['of']}个(?:估计值)?中有{counts['inside']}个", chinese)
    assert f"{len(labels)}项政策工具中有{by_evidence}项" in chinese
