"""Texts of users come in with byte-order marks and any ends of lines, and what is printed is UTF-8 in any locale."""

from __future__ import annotations

import codecs
import io
import json
import os
import subprocess
import sys

import pytest
from click.testing import CliRunner

from calibration.forecasting.scores import read_actuals
from calibration.studies.validation import LAST_DAY
from scenarios import ScenarioError, load_scenario
from scenarios.cli import main
from scenarios.commands.command import choose_encodings
from scenarios.errors import InputError
from scenarios.files.loading import parameter_settings
from scenarios.search.design import DesignFile, read_design
from viz.app.policies import read_upload

SCENARIO = 'schema = 1\nname = "mine"\ntitle_zh = "我的情景"\nextends = "baseline"\n[run]\nuntil = 2025\n'
ACTUAL = '[[actual]]\nquantity = "little_giants"\ndate = "2024-12-31"\nlow = 14_600\nhigh = 14_700\nsource = "a"\n'
DESIGN = 'base = "baseline"\n[factors."parameters.exit_base"]\nfrom = 0.001\nto = 0.05\n'


def _child_of(path):
    """A file that extends another, beside it."""
    child = path.with_name("child.toml")
    child.write_text(f'schema = 1\nname = "child"\nextends = "./{path.name}"\n', encoding="utf-8")
    return child


@pytest.mark.parametrize("mark", [b"", codecs.BOM_UTF8])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize(
    ("text", "read"),
    [
        (SCENARIO, lambda path: load_scenario(_child_of(path)).run.until == 2025),
        (SCENARIO, lambda path: read_upload(path.read_bytes(), path.name).title_zh == "我的情景"),
        ("exit_base = 0.01\n", lambda path: parameter_settings(str(path)) == ("parameters.exit_base=0.01",)),
        (ACTUAL, lambda path: read_actuals(path, LAST_DAY)[0].low == 14_600),
        (DESIGN, lambda path: list(read_design(path, DesignFile).factors) == ["parameters.exit_base"]),
    ],
)
def test_marks_and_ends_of_lines_do_not_matter(tmp_path, mark, end, text, read):
    path = tmp_path / "case.toml"
    path.write_bytes(mark + text.replace("\n", end).encode())
    assert read(path)


@pytest.mark.parametrize(
    ("encoding", "words"),
    [
        ("utf-16", "is not UTF-8 text but UTF-16; save it as UTF-8"),
        ("utf-16-le", "UTF-16"),
        ("gbk", "is not UTF-8 text but perhaps GBK; save it as UTF-8"),
    ],
)
def test_another_encoding_is_named_with_the_one_to_use(tmp_path, encoding, words):
    path = tmp_path / "case.toml"
    path.write_bytes(SCENARIO.encode(encoding))
    for read in (load_scenario, lambda path: read_upload(path.read_bytes(), path.name)):
        with pytest.raises(ScenarioError, match=words):
            read(path)
        with pytest.raises(ScenarioError, match="save it as UTF-8"):
            read(path)


def printed(*arguments: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "scenarios.cli", *arguments]
    return subprocess.run(command, capture_output=True, env=os.environ | environment, check=True, timeout=60)


@pytest.mark.parametrize(
    "environment",
    [
        {"PYTHONIOENCODING": "cp1252"},
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    ],
)
def test_what_is_printed_into_a_file_is_utf_8_and_can_be_read_again(environment, tmp_path):
    whole = printed("show", "clusters-300", **environment).stdout
    assert load_scenario("clusters-300").title_zh in whole.decode("utf-8")
    path = tmp_path / "mine.toml"
    path.write_bytes(whole)
    assert load_scenario(path) == load_scenario("clusters-300")


def test_a_line_of_json_is_ascii(tmp_path):
    done = CliRunner().invoke(main, ["list", "--json"])
    last = done.stdout.splitlines()[-1]
    assert last.isascii()
    assert json.loads(last)["scenarios"][0]["title_zh"] == load_scenario("baseline").title_zh


class Terminal(io.TextIOWrapper):
    """A text stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "gbk", "latin-1"])
def test_a_terminal_keeps_its_encoding_and_a_minus_stays_one(encoding, tmp_path, monkeypatch):
    path = tmp_path / "screen"
    with path.open("wb") as file:
        monkeypatch.setattr("sys.stdout", Terminal(file, encoding=encoding))
        choose_encodings()
        print("−0.5 … 🎉")
        sys.stdout.flush()
    assert path.read_text(encoding=encoding).replace("−", "-").replace("…", "...") == "-0.5 ... ?\n"


def test_docstrings_that_python_removed_are_read_from_the_source(tmp_path):
    code = (
        "import sys; from click.testing import CliRunner; from scenarios.cli import main\n"
        "for words in (['show', 'levers'], ['--help'], ['run', '--help'], ['new', 'mine', '--out', sys.argv[1]]):\n"
        "    print(CliRunner().invoke(main, words).stdout)"
    )
    printed = []
    for option in ("-O", "-OO"):
        path = tmp_path / f"{option}.toml"
        command = [sys.executable, option, "-c", code, str(path)]
        done = subprocess.run(command, capture_output=True, encoding="utf-8", check=True, timeout=60)
        printed.append((done.stdout.replace(str(path), ""), path.read_text(encoding="utf-8")))
    assert printed[0] == printed[1]
    assert "Each year the ministry picks" in printed[1][0]


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("provinces=[Zhejiang,Jiangsu]", ("Zhejiang", "Jiangsu")),
        ('provinces=["Zhejiang", Jiangsu]', ("Zhejiang", "Jiangsu")),
        ("enabled=True", True),
        ("enabled=yes", True),
        ("enabled=on", True),
        ("enabled=FALSE", False),
        ("enabled=off", False),
        ("intensity=.5", 0.5),
        ("intensity=1.", 1.0),
        ("intensity=+1", 1.0),
        ("budget_yuan=1e9", 1e9),
        ("budget_yuan=1_000", 1000.0),
        ("start=2024q1", "2024Q1"),
        ("start=2024-Q1", "2024Q1"),
        ("start=2024 Q1", "2024Q1"),
        ('start="2024q1"', "2024Q1"),
    ],
)
def test_a_setting_may_be_written_as_people_write_it(setting, value):
    fund = load_scenario("baseline", (f"levers.sme_fund.{setting}",)).levers.sme_fund
    assert getattr(fund, setting.partition("=")[0]) == value


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        (
            "budget_yuan=12,000",
            "write a number with a decimal point and without commas or %, such as 12000",
        ),
        ("intensity=0,5", "such as 12000, 12_000, 0.5"),
        ("intensity=5%", "such as 12000, 12_000, 0.5 or 0.05"),
        ("intensity=half", "it must be a number"),
        ("enabled=maybe", "it must be true or false"),
        ("provinces=Zhejiang", r'it must be a list, such as \["Zhejiang", "Jiangsu"\]'),
        (f"provinces={'[' * 5000}x{']' * 5000}", "it must be a list"),
        ("start=Q1 2024", "'Q1 2024' is not a quarter; write it as 2024Q1"),
        ("start=2024-01", "'2024-01' is not a quarter; write it as 2024Q1"),
    ],
)
def test_a_setting_that_is_not_clear_is_refused_with_the_right_spelling(setting, words):
    with pytest.raises(InputError, match=words):
        load_scenario("baseline", (f"levers.sme_fund.{setting}",))
