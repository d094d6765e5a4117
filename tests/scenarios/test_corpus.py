"""Every input of `tests/corpus`, each of which once failed, ends as it should (see `tests/corpus/README.md`)."""

from __future__ import annotations

import json
import shlex
import shutil
import time
import tomllib
from pathlib import Path

import duckdb
import pytest
from accounts import check_accounts
from click.testing import CliRunner
from hostile import READABLE, SOON, follow_link
from made_up import SEARCH

from calibration.evidence.rows import read_evidence
from scenarios import InputError, load_results, load_scenario, run_ensemble
from scenarios.cli import main
from scenarios.commands.command import EXIT_BAD_INPUT
from scenarios.records.layout import MANIFEST
from scenarios.records.storage import checksum
from viz.app.policies import read_upload

CORPUS = Path(__file__).parents[1] / "corpus"
CASES = sorted(path for path in CORPUS.glob("*/*") if path.is_file())
#: Where work begins that takes longer than a case may.
WORK = (
    "sim.model.SRDIModel.__init__",
    "scenarios.ensembles.processes.ProcessPoolExecutor",
    "calibration.fitting.screening.screen_all",
    "calibration.studies.study.calibrate",
)


class Begun(BaseException):
    """Work would begin now, in the function named. No Exception: the command would make a sentence of it."""


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A results directory of two scenarios, with seeds beyond 32 bits."""
    out = tmp_path_factory.mktemp("corpus") / "whole"
    scenarios = [load_scenario("baseline"), load_scenario("no-policy")]
    run_ensemble(scenarios, out=out, replicates=2, scale=0.0005, until=2019, seed=2**40, workers=1)
    return out


def read(path: Path) -> tuple[dict[str, str], str]:
    """Head of a case, by key, and what follows it."""
    head, lines = {}, path.read_text(encoding="utf-8").splitlines()
    while lines and lines[0].startswith("# "):
        key, _, text = lines.pop(0).removeprefix("# ").partition(": ")
        head[key] = text
    return head, "\n".join(lines)


def names(folder: Path) -> set[str]:
    """All that stands in a folder, at any depth."""
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def replay_scenarios(path, head, body, request, monkeypatch):
    begun = time.monotonic()
    with pytest.raises(InputError) as refused:
        load_scenario(path)
    assert time.monotonic() - begun < SOON
    assert head["says"] in str(refused.value)
    assert len(str(refused.value)) < READABLE
    if "run's end" in head["says"]:
        return  # the page has an end of its own
    with pytest.raises(InputError) as refused:
        read_upload(path.read_bytes(), "case.toml")
    assert len(str(refused.value)) < READABLE


def replay_evidence(path, head, body, request, monkeypatch):
    with pytest.raises(InputError) as refused:
        read_evidence(path)
    assert head["says"] in str(refused.value)
    assert len(str(refused.value)) < READABLE


def replay_runs(path, head, body, request, monkeypatch):
    scenario = load_scenario(path)
    run = scenario.run
    check_accounts(scenario.policy, {"scale": run.scale, "until": run.until, "rng": run.seed})


def replay_addresses(path, head, body, request, monkeypatch):
    assert head.get("says", "") in follow_link(body)


def replay_lines(path, head, body, request, monkeypatch):
    folder, ends = request.getfixturevalue("tmp_path"), head.get("ends", "refused")
    (folder / "search.toml").write_text(SEARCH)
    for other in ("foreign/notes.txt", "foreign-runs/runs/thesis.csv"):
        (folder / other).parent.mkdir(parents=True)
        (folder / other).write_text("mine")
    if ends == "done":
        shutil.copytree(request.getfixturevalue("whole"), folder / "whole")
    else:
        for function in WORK:

            def begin(*arguments, function=function, **named):
                raise Begun(function)

            monkeypatch.setattr(function, begin)
    before, reached = names(folder), None
    monkeypatch.chdir(folder / head.get("in", "."))
    try:
        done = CliRunner().invoke(main, shlex.split(body))
    except Begun as begun:
        reached = str(begun)
    assert reached == (ends if "." in ends else None)
    if reached:
        return
    assert head["says"] in done.output
    assert "Traceback" not in done.output
    assert done.exit_code == {"done": 0, "refused": EXIT_BAD_INPUT}[ends]
    assert names(folder) >= before
    if ends == "refused":
        assert names(folder) == before


def replay_damages(path, head, body, request, monkeypatch):
    folder, recipe = request.getfixturevalue("tmp_path"), tomllib.loads(body)
    shutil.copytree(request.getfixturevalue("whole"), folder / "case")
    manifest = json.loads((folder / "case" / MANIFEST).read_text(encoding="utf-8"))
    for key, value in recipe.get("manifest", {}).items():
        both = isinstance(value, dict) and isinstance(manifest[key], dict)
        manifest[key] = manifest[key] | value if both else value
    for key in recipe.get("missing", ()):
        del manifest[key]
    for name, file in ((name, folder / "case" / name) for name in manifest["files"]):
        if name in recipe.get("cut", {}):
            file.write_bytes(file.read_bytes()[: int(recipe["cut"][name] * file.stat().st_size)])
        elif name in recipe.get("instead", {}):
            shutil.copyfile(folder / "case" / recipe["instead"][name], file)
        elif name in recipe.get("query", {}):
            duckdb.read_parquet(str(file)).query("this", recipe["query"][name]).df().to_parquet(file)
        else:
            continue
        manifest["files"][name] = checksum(file)
    (folder / "case" / MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")
    before = names(folder)
    monkeypatch.chdir(folder)
    if "command" in recipe:
        done = CliRunner().invoke(main, recipe["command"])
        assert done.exit_code == EXIT_BAD_INPUT, done.output
        assert head["says"] in done.stderr
    else:
        with pytest.raises(InputError) as refused:
            load_results("case")
        assert head["says"] in str(refused.value)
    assert names(folder) == before


REPLAYS = {
    "scenarios": replay_scenarios,
    "evidence": replay_evidence,
    "runs": replay_runs,
    "addresses": replay_addresses,
    "lines": replay_lines,
    "damages": replay_damages,
}


@pytest.mark.parametrize("path", CASES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_what_once_failed_ends_as_it_should(path, request, monkeypatch):
    head, body = read(path)
    assert head["was"]
    REPLAYS[path.parent.name](path, head, body, request, monkeypatch)


def test_no_kind_of_case_is_empty():
    assert {path.parent.name for path in CASES} == set(REPLAYS)
