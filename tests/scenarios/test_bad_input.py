"""Bad input ends in one clear sentence: never in a traceback, a hang or half a result.

The ordinary suite tries some hundreds of cases. The slow part (``pytest -m slow -s tests/scenarios/test_bad_input.py``)
tries more than ten thousand and says how many. Inputs that fail are kept in `tests/corpus` and replayed by
`test_corpus.py`.
"""

from __future__ import annotations

import json
import shutil
from collections import Counter
from datetime import date
from pathlib import Path

import pytest
import tomli_w
from click.testing import CliRunner
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from made_up import SEARCH, TARGET

from calibration.forecasting.scores import read_actuals
from scenarios import InputError, load_results, load_scenario, run_ensemble
from scenarios.catalogue import catalogue_names, read_catalogue_file
from scenarios.cli import main
from scenarios.files.describe import field_rows, lever_rows, parameter_rows, rule_rows, shock_rows
from scenarios.files.loading import nest
from scenarios.files.schema import RunDefaults
from scenarios.records.storage import checksum
from scenarios.search.design import factors_of, read_design
from scenarios.search.optimize import Problem, SearchFile
from scenarios.search.sweep import SweepFile
from scenarios.search.target import TargetFile, TargetProblem, check_free, read_levels
from viz.app.address import from_query, text_value, to_query
from viz.app.policies import policy_of, read_upload

#: Cases of each kind in the ordinary suite and in the slow part.
FEW, MANY = 60, 1500
KEYS = [
    *(row["key"] for part in (*lever_rows(), *shock_rows()) for row in part["settings"]),
    *(row["key"] for row in (*rule_rows(), *parameter_rows(), *field_rows(RunDefaults, "run"))),
    *("schema", "name", "title", "title_zh", "description", "extends", "levers", "rules", "nonsense.key"),
]
tried: Counter = Counter()

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(-3, 3),
    st.sampled_from([10**400, -(10**30), 2**63]),
    st.floats(),
    st.text(max_size=12),
    st.sampled_from(["2024Q1", "2019Q9", "baseline", "../x.toml", "0x", "𠀀", "\u202e", "no-policy"]),
    st.dates(),
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
mappings = st.dictionaries(st.sampled_from(KEYS), values, max_size=6)


def without_nothing(value):
    """A value as TOML can hold it: nothing left out."""
    if isinstance(value, dict):
        return {key: without_nothing(each) for key, each in value.items() if each is not None}
    if isinstance(value, list):
        return [without_nothing(each) for each in value if each is not None]
    return value


def as_toml(mapping: dict) -> bytes:
    whole = {"schema": 1, "name": "fuzzed", "extends": "baseline"} | nest(mapping)
    return tomli_w.dumps(without_nothing(whole)).encode("utf-8", "surrogatepass")


@st.composite
def damaged(draw, texts: list[str]) -> bytes:
    """One of some texts with pieces cut out, doubled or overwritten."""
    content = bytearray(draw(st.sampled_from(texts)).encode())
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(content)))
        length = draw(st.integers(0, 40))
        piece = draw(st.binary(max_size=8) | st.just(bytes(content[at : at + length]) * 2))
        content[at : at + length] = piece
    return bytes(content)


CATALOGUE = [read_catalogue_file(name) for name in catalogue_names()]
scenario_files = mappings.map(as_toml) | damaged(CATALOGUE) | st.binary(max_size=80)


def as_text(content: bytes) -> str:
    return content.decode("utf-8", "replace")


def attempt(kind: str, function, *arguments):
    """Call and count; what may be raised is a clear InputError."""
    tried[kind] += 1
    try:
        return function(*arguments)
    except InputError as error:
        message = str(error)
        assert message.strip(), kind
        assert "Traceback" not in message
        assert len(message) < 20_000
        return None


def fuzz(strategy, examples: int, check) -> None:
    """Try a check on so many examples."""
    # Derandomised: a failure is one for everybody. Not shrunk: a case may take a second.
    profile = settings(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
        database=None,
    )
    profile(given(strategy)(check))()


def written(folder: Path, content: bytes) -> Path:
    path = folder / "case.toml"
    path.write_bytes(content)
    return path


def check_scenario_file(folder: Path, content: bytes) -> None:
    scenario = attempt("scenario files", load_scenario, written(folder, content))
    if scenario is not None:
        # What is accepted is whole: it can be written down and read again.
        assert scenario.policy is not None
    attempt("uploads", read_upload, content, "case.toml")


def check_settings(key: str, value) -> None:
    try:
        text = value if isinstance(value, str) else json.dumps(value, default=str)
    except (TypeError, ValueError):  # keys that JSON cannot hold
        return
    attempt("settings", load_scenario, "baseline", (f"{key}={text}",))
    attempt("settings of the page", policy_of, {key: text_value(text)})


def check_address(query: str) -> None:
    tried["addresses"] += 1
    state = from_query(query, ("measure", "quarter"))
    attempt("policies of addresses", policy_of, state.settings)
    again = from_query(to_query(state), ("measure", "quarter"))
    assert again.language == state.language
    assert len(again.saved) == len(state.saved)


QUERY = "lang=zh&levers.sme_fund.enabled=true&policy=a~levers.sme_fund.intensity=2"
SWEEP = """base = "baseline"
method = "grid"
[factors."levers.sme_fund.intensity"]
from = 0.0
to = 2.0
levels = 3
[factors."levers.cluster_recognition.per_year"]
values = [50, 100]
"""
ACTUALS = """[[actual]]
quantity = "little_giants"
date = "2024-12-31"
low = 14600
high = 14600
source = "a test"
"""


def check_design(folder: Path, content: bytes) -> None:
    path = written(folder, content)

    def read(schema):
        file = read_design(path, schema)
        factors = factors_of(file, load_scenario(file.base), str(path))
        return Problem.of(file, factors) if schema is SearchFile else factors

    attempt("sweep files", read, SweepFile)
    attempt("search files", read, SearchFile)
    attempt("target files", read_target, path)


def read_target(path: Path):
    file = read_design(path, TargetFile)
    check_free(file.factors, str(path))
    factors = factors_of(file, load_scenario(file.base), str(path))
    return TargetProblem.of(file, factors), read_levels(file.levels, 2030)


def check_actuals(folder: Path, content: bytes) -> None:
    attempt("actuals", read_actuals, written(folder, content), date(2030, 12, 31))


LINES = {
    "run": (
        "--replicates",
        "--scale",
        "--seed",
        "--until",
        "--set",
        "--params",
        "--draws",
        "--workers",
        "--firms-panel",
    ),
    "compare": ("--baseline", "--json"),
    "decompose": ("--baseline", "--group", "--runs", "--quantity", "--quarter", "--scale"),
    "equal-money": ("--cost", "--tolerance", "--quantity", "--quarter", "--replicates"),
    "export": ("--format", "--out"),
    "report": ("--language", "--out", "--baseline"),
    "brief": ("--language", "--out", "--format", "--scenario", "--baseline"),
    "show": ("--json",),
    "check": ("--json",),
    "new": ("--out",),
    "sweep": ("--scale", "--out", "--resume"),
    "optimize": ("--scale", "--replicates", "--resume"),
    "target": ("--scale", "--out", "--params", "--resume"),
    "rerun": ("--json",),
    "effects": ("--scale", "--levers"),
    "sensitivity": ("--until", "--json"),
    "validate": ("--actuals", "--params"),
    "ui": ("--port", "--scale", "--members"),
}
words = st.text(max_size=10) | st.sampled_from(
    ["-1", "0", "1e400", "nan", "baseline", "levers", "/", "/dev/null", "..", "x.toml", "posterior", "levers.x=1", "--"]
)


@st.composite
def command_lines(draw) -> list[str]:
    command = draw(st.sampled_from(sorted(LINES)) | st.text(max_size=6))
    options = LINES.get(command, ("--help",))
    parts = draw(st.lists(st.tuples(st.sampled_from(options), words) | st.tuples(words), max_size=4))
    return [command, *(word for part in parts for word in part)]


class ReachedTheModel(BaseException):
    """A command line was in order: work would begin now. No Exception: the command would make a sentence of it."""


@pytest.fixture
def no_model(monkeypatch):
    """Commands end where the model, a server or a fit would begin; all before that is as ever."""

    def reached(*arguments, **named):
        raise ReachedTheModel

    for begun in (
        "sim.model.SRDIModel.__init__",
        "scenarios.ensembles.processes.ProcessPoolExecutor",
        "viz.app.server.serve",
        "calibration.fitting.simulator.run_library",
    ):
        monkeypatch.setattr(begun, reached)


def check_command_line(folder: Path, line: list[str]) -> None:
    tried["command lines"] += 1
    before = {path.name for path in folder.iterdir()}
    try:
        result = CliRunner().invoke(main, line)
    except ReachedTheModel:
        for path in folder.iterdir():  # where the work would have been written
            if path.name not in before:
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        return
    assert result.exit_code in (0, 1, 2), (line, result.exit_code, result.output)
    assert "Traceback" not in result.output, line
    assert result.exit_code != 1 or result.output.strip(), line
    if result.exit_code:
        assert {path.name for path in folder.iterdir()} == before, line


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    out = tmp_path_factory.mktemp("results") / "whole"
    run_ensemble(
        [load_scenario("baseline"), load_scenario("no-policy")],
        out=out,
        replicates=2,
        scale=0.0005,
        until=2019,
        workers=1,
    )
    return out


@st.composite
def damages(draw):
    """What happens to a results directory: a list of (file number, kind, place, bytes or value)."""
    kind = st.sampled_from(["cut", "overwrite", "delete", "swap", "folder", "manifest", "sealed"])
    return draw(
        st.lists(
            st.tuples(st.integers(0, 40), kind, st.floats(0, 1), st.binary(min_size=1, max_size=6), values),
            min_size=1,
            max_size=3,
        )
    )


def damage(folder: Path, number: int, kind: str, place: float, content: bytes, value) -> None:
    files = sorted(path for path in folder.iterdir() if path.is_file())
    if not files:
        return
    file = files[number % len(files)]
    manifest = folder / "manifest.json"
    if kind == "cut":
        file.write_bytes(file.read_bytes()[: int(place * file.stat().st_size)])
    elif kind == "overwrite":
        whole = bytearray(file.read_bytes())
        at = int(place * len(whole))
        whole[at : at + len(content)] = content
        file.write_bytes(bytes(whole))
    elif kind == "delete":
        file.unlink()
    elif kind == "swap":
        other = files[(number + 1) % len(files)]
        first, second = file.read_bytes(), other.read_bytes()
        file.write_bytes(second)
        other.write_bytes(first)
    elif kind == "folder":
        file.unlink()
        file.mkdir()
    elif manifest.is_file():
        try:
            content = json.loads(manifest.read_text(encoding="utf-8"))
        except ValueError:
            return
        if not isinstance(content, dict) or not content:
            return
        if kind == "manifest":
            content[sorted(content)[number % len(content)]] = value
        elif isinstance(content.get("files"), dict):  # damaged, with checksums that agree
            target = folder / sorted(content["files"])[number % len(content["files"])] if content["files"] else None
            if target is None or not target.is_file():
                return
            target.write_bytes(target.read_bytes()[: int(place * target.stat().st_size)])
            content["files"][target.name] = checksum(target)
        manifest.write_text(json.dumps(content, default=str), encoding="utf-8")


def check_results(whole: Path, folder: Path, done) -> None:
    case = folder / "case"
    shutil.rmtree(case, ignore_errors=True)
    shutil.copytree(whole, case)
    for each in done:
        damage(case, *each)
    attempt("results directories", load_results, case)
    out = folder / "out"
    for line in (["compare", str(case), "--json"], ["export", str(case), "--format", "csv", "--out", str(out)],
                 ["report", str(case), "--out", str(folder / "out.html")], ["rerun", str(case)]):  # fmt: skip
        if line[0] in ("report", "rerun") and tried["results directories"] % 10:
            continue  # these take a second each
        tried[f"{line[0]} of damaged results"] += 1
        result = CliRunner().invoke(main, line)
        assert result.exit_code in (0, 1, 2), (line[0], done, result.output)
        assert "Traceback" not in result.output, (line[0], done)
        assert result.exception is None or isinstance(result.exception, SystemExit), (line[0], done, result.exception)
        # A sentence that was meant, not the words of some library.
        assert result.exit_code != 1 or line[0] == "rerun", (line[0], done, result.output)
        written_file = folder / "out.html"
        if result.exit_code and line[0] == "export":
            assert not out.exists(), (done, result.output)
        if result.exit_code and line[0] == "report":
            assert not written_file.exists(), (done, result.output)
        shutil.rmtree(out, ignore_errors=True)
        written_file.unlink(missing_ok=True)


def cases(examples: int, folder: Path, whole: Path, only: str) -> None:
    """So many cases of one of KINDS."""
    kinds = {
        "scenarios": (scenario_files, lambda content: check_scenario_file(folder, content)),
        "settings": (st.tuples(st.sampled_from(KEYS), values), lambda pair: check_settings(*pair)),
        "addresses": (st.text(max_size=60) | damaged([QUERY]).map(as_text), check_address),
        "designs": (
            damaged([SWEEP, SEARCH, TARGET]) | mappings.map(as_toml),
            lambda content: check_design(folder, content),
        ),
        "actuals": (damaged([ACTUALS]), lambda content: check_actuals(folder, content)),
        "lines": (command_lines(), lambda line: check_command_line(folder, line)),
        "results": (damages(), lambda done: check_results(whole, folder, done)),
    }
    strategy, check = kinds[only]
    fuzz(strategy, examples, check)


def test_what_is_damaged_was_whole(tmp_path):
    """Else every case would end at the fault that it began with."""
    for text, schema in ((SWEEP, SweepFile), (SEARCH, SearchFile)):
        assert read_design(written(tmp_path, text.encode()), schema).factors
    assert read_target(written(tmp_path, TARGET.encode()))
    assert len(read_actuals(written(tmp_path, ACTUALS.encode()), date(2030, 12, 31))) == 1
    assert from_query(QUERY, ()).settings
    assert all(load_scenario(name) for name in catalogue_names())


KINDS = ("scenarios", "settings", "addresses", "designs", "actuals", "lines", "results")


@pytest.mark.parametrize("kind", KINDS)
def test_bad_input_is_a_sentence(kind, tmp_path, results, no_model, monkeypatch):
    monkeypatch.chdir(tmp_path)
    if kind == "results":
        monkeypatch.undo()
    cases(FEW if kind != "results" else FEW // 6, tmp_path, results, kind)


@pytest.mark.slow
def test_ten_thousand_cases_of_bad_input(tmp_path, results, no_model, monkeypatch, capsys):
    tried.clear()
    monkeypatch.chdir(tmp_path)
    for kind in KINDS[:-1]:
        cases(MANY, tmp_path, results, kind)
    monkeypatch.undo()
    cases(MANY // 10, tmp_path, results, "results")
    with capsys.disabled():
        print(f"\n{sum(tried.values()):,} cases: " + ", ".join(f"{kind} {count:,}" for kind, count in tried.items()))
    assert sum(tried.values()) >= 10_000
