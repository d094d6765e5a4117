"""The figures of the worked examples are those that their commands print."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from command_line import invoke

PAGE = Path("docs/how-to/ministry-questions.md")
#: Headings of the sections whose only command prints every row of their tables.
SECTIONS = (
    "Which lever does what?",
    "Which policy is better for the same money?",
    "What gets us there by a date?",
)


def section(heading: str) -> str:
    _, _, rest = PAGE.read_text(encoding="utf-8").partition(f"## {heading}\n")
    return rest.partition("\n## ")[0]


def command(text: str) -> list[str]:
    (line,) = re.findall(r"```sh\nuv run srdi (.*?)\n```", text, re.DOTALL)
    return shlex.split(line)


def write_files(text: str, directory: Path) -> None:
    """Write the files that a section gives in full, each named in backticks before its block."""
    for name, content in re.findall(r"\(`(\S+\.toml)`\):\n\n```toml\n(.*?)```", text, re.DOTALL):
        (directory / name).write_text(content, encoding="utf-8")


def rows(text: str) -> list[list[str]]:
    """The cells of every row of the tables, without those that are empty."""
    bodies = re.findall(r"^\|-.*\|\n((?:\|.*\|\n)+)", text, re.MULTILINE)
    lines = [line for body in bodies for line in body.splitlines()]
    return [[cell.strip() for cell in line.strip("|").split("|") if cell.strip()] for line in lines]


def is_printed(row: list[str], line: str) -> bool:
    """Whether the cells of a row stand in a printed line, in their order, with nothing but spaces between."""
    between = r"\s+".join(r"\s+".join(map(re.escape, cell.split())) for cell in row)
    return re.fullmatch(rf"\s*{between}\s*", line) is not None


def test_a_row_is_told_from_another():
    line = "clusters      assumed   +15.9    +13.6 … +18.6    ±1.40  "
    assert is_printed(["clusters", "assumed", "+15.9", "+13.6 … +18.6", "±1.40"], line)
    assert not is_printed(["clusters", "assumed", "+15.8", "+13.6 … +18.6", "±1.40"], line)
    assert not is_printed(["clusters", "assumed", "+15.9"], line)


@pytest.mark.parametrize("heading", SECTIONS)
def test_sections_have_a_command_and_rows(heading, tmp_path):
    text = section(heading)
    assert command(text)
    assert len(rows(text)) > 3
    write_files(text, tmp_path)
    files = [word for word in command(text) if word.endswith(".toml")]
    assert sorted(path.name for path in tmp_path.iterdir()) == files


@pytest.mark.slow
@pytest.mark.parametrize("heading", SECTIONS)
def test_printed_figures_are_those_of_the_page(heading, tmp_path, monkeypatch):
    text = section(heading)
    wanted, words = rows(text), command(text)
    write_files(text, tmp_path)
    monkeypatch.chdir(tmp_path)
    lines = invoke(*words, "--workers", "1").stdout.splitlines()
    for row in wanted:
        assert any(is_printed(row, line) for line in lines), row
