"""The tables of docs/how-to/ministry-questions.md and of its Chinese twin, as the commands on the page print them.

python -m benchmarks.questions
"""

from __future__ import annotations

import contextlib
import re
import shlex
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

import click
from rich.console import Console
from rich.table import Table as RichTable

from scenarios.cli import main as srdi
from scenarios.commands.command import Script, echo
from scenarios.display import screen
from scenarios.display.screen import Cells
from scenarios.errors import InputError

HOW_TO = Path(__file__).parent.parent / "docs" / "how-to"
PAGES = (HOW_TO / "ministry-questions.md", HOW_TO / "ministry-questions.zh.md")
#: First headings of the tables of formulas and options.
WITHOUT_RESULTS = ("Number", "Option")
#: Words of results in Chinese; all others are the same in both languages.
CHINESE = {"not used up": "未用完", " to ": "至"}

_BLOCK = re.compile(
    r"^```(?P<code>\w+)\n.*?\n```$"
    r"|^(?P<heading>#+ [^\n]*)"
    r"|(?P<table>(?:^\|[^\n]*\n)+)"
    r"|(?P<text>(?:^(?!```|\||#)[^\n]+\n)+)",
    re.MULTILINE | re.DOTALL,
)


class Block(NamedTuple):
    """A part of a page.

    Attributes:
        kind: "heading", "table", "text", or the language of a block of code.
        line: number of the first line, from 1.
    """

    kind: str
    line: int
    text: str


@dataclass
class Table:
    """A table of a page.

    Attributes:
        line: number of the line of its headings, from 1.
        is_number: for each column, whether it is right-aligned.
        rows, new: its cells, and those to be written.
        lead: the paragraphs between the table or heading before it and the table.
    """

    line: int
    heads: list[str]
    is_number: list[bool]
    rows: list[list[str]]
    new: list[list[str]]
    lead: str


def sections(page: str) -> list[list[Block]]:
    """The blocks of a page by section, from one heading of the second level to the next; the introduction first."""
    found: list[list[Block]] = [[]]
    for match in _BLOCK.finditer(page):
        kind = match["code"] or match.lastgroup or ""
        if match[0].startswith("## "):
            found.append([])
        found[-1].append(Block(kind, page.count("\n", 0, match.start()) + 1, match[0]))
    return found


def tables(section: list[Block]) -> list[Table]:
    """The tables of a section."""
    found, lead = [], ""
    for block in section:
        if block.kind == "text":
            lead += block.text
        elif block.kind == "table":
            heads, rule, *rows = map(_cells, block.text.splitlines())
            found.append(Table(block.line, heads, [each.endswith(":") for each in rule], rows, rows, lead))
            lead = ""
    return found


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.removeprefix("|").removesuffix("|").split("|")]


def rows_in(table: Table, printed: Cells) -> list[list[str]] | None:
    """The rows of a page's table with the numbers of a printed one; None if that lacks a column or a row.

    A row is found by the first columns of the page's table, as few as tell its rows apart; a name may be followed by a
    comma and a unit. Of rows that still look alike, the one is taken whose columns further left, which the page leaves
    out, stand in the paragraphs before the table.
    """
    heads = [head.removeprefix(">").replace("-\n", "-").replace("\n", " ") for head in printed.heads]
    columns: list[int] = []
    for head in table.heads:
        after = columns[-1] + 1 if columns else 0
        if head not in heads[after:]:
            return None
        columns.append(heads.index(head, after))
    keys = next(count for count in range(1, len(columns) + 1) if len({*_names(table, count)}) == len(table.rows))
    found = []
    for names in _names(table, keys):
        rows = [row for row in printed.rows if all(map(_is_name, names, (row[column].strip() for column in columns)))]
        if len(rows) > 1:
            rows = [row for row in rows if all(cell in table.lead for cell in row[: columns[0]])]
        if len(rows) != 1:
            return None
        found.append([*names, *(rows[0][column].strip() for column in columns[keys:])])
    return found


def _names(table: Table, count: int) -> list[tuple[str, ...]]:
    return [tuple(row[:count]) for row in table.rows]


def _is_name(on_page: str, printed: str) -> bool:
    return on_page == printed or on_page.startswith(f"{printed}, ")


def counterpart(table: Table, printed: Sequence[Cells], used: list[int]) -> list[list[str]] | None:
    """The rows of a page's table with the numbers of the printed table that it shows; None if there is none.

    Of several, the one is taken whose title has the most of the names in backticks before the page's table, and of
    those the next after the table used last.

    Args:
        used: places of the printed tables already used, to which the one found is added.
    """
    found = {}
    for place, each in enumerate(printed):
        if place not in used and (rows := rows_in(table, each)):
            found[place] = rows
    if not found:
        return None
    names = re.findall(r"`([^`\n]+)`", table.lead)
    last = used[-1] if used else -1
    best = min(found, key=lambda place: (-sum(name in printed[place].title for name in names), place < last, place))
    used.append(best)
    return found[best]


def chinese_rows(english: Table, chinese: Table) -> list[list[str]]:
    """New rows of the Chinese table: the English numbers, its own texts unless the English ones have changed."""
    return [
        [
            _in_chinese(new) if is_number or new != old else own
            for old, new, own, is_number in zip(*row, english.is_number, strict=True)
        ]
        for row in zip(english.rows, english.new, chinese.rows, strict=True)
    ]


def _in_chinese(cell: str) -> str:
    for english, chinese in CHINESE.items():
        cell = cell.replace(english, chinese)
    return re.sub(r"([\d,.]+) million", lambda match: f"{float(match[1].replace(',', '')) / 100:,.10g}亿", cell)


def to_check(section: list[Block], renewed: list[Table]) -> Iterator[Block]:
    """The paragraphs of a section with a number that its tables no longer have, or after a command or a new table."""
    changed = {table.line for table in renewed if table.new != table.rows}
    gone = _numbers(row for table in renewed for row in table.rows)
    gone -= _numbers(row for table in renewed for row in table.new)
    for before, block in pairwise(section if changed else []):
        if block.kind == "text":
            numbers = _numbers([[block.text]])
            is_statement = numbers or not block.text.rstrip().endswith((":", "："))
            if numbers & gone or (is_statement and (before.line in changed or before.kind == "sh")):
                yield block


def _numbers(rows: Iterable[list[str]]) -> set[str]:
    return {number for row in rows for cell in row for number in re.findall(r"\d(?:[\d,.Q]*\d)?", cell)}


class Renewed(NamedTuple):
    """Both pages with new tables, the tables that nothing printed belongs to, and the paragraphs to check."""

    pages: list[str]
    missing: list[str]
    paragraphs: list[str]


def renew(pages: Sequence[str], run: Callable[[list[Block]], Sequence[Cells]], only: str = "") -> Renewed:
    """Renew the tables of the English page and its Chinese twin.

    Args:
        run: runs the commands of a section of the English page and returns the tables they print.
        only: part of the English headings of the sections to renew.

    Raises:
        InputError: no section has such a heading, or the pages do not have the same tables.
    """
    introduction, *rest = zip(*map(sections, pages), strict=True)
    chosen = [pair for pair in rest if only.lower() in pair[0][0].text.lower() and tables(pair[0])]
    if not chosen:
        raise InputError(f"no section with tables has {only!r} in its heading")
    for pair in chosen:
        english, chinese = ([(len(each.heads), len(each.rows)) for each in tables(section)] for section in pair)
        if english != chinese:
            raise InputError(f"the tables of {pair[0][0].text!r} and of its twin differ in number, columns or rows")
    run(introduction[0])
    lines, missing, paragraphs = [page.splitlines() for page in pages], [], []
    for pair in chosen:
        printed, found, used = run(pair[0]), list(map(tables, pair)), list[int]()
        for original, twin in zip(*found, strict=True):
            if original.heads[0] in WITHOUT_RESULTS:
                continue
            rows = counterpart(original, printed, used)
            if rows is None:
                missing.append(f"{PAGES[0].name}:{original.line}: {' | '.join(original.heads)}")
            else:
                original.new = rows
                twin.new = chinese_rows(original, twin)
        for path, own, section, renewed in zip(PAGES, lines, pair, found, strict=True):
            for table in renewed:
                first = table.line + 1
                own[first : first + len(table.new)] = [f"| {' | '.join(row)} |" for row in table.new]
            for block in to_check(section, renewed):
                paragraphs.append(f"{path.name}:{block.line}: {' '.join(block.text.split())}")
    return Renewed(["\n".join(own) + "\n" for own in lines], missing, paragraphs)


class Recorder(Console):
    """A console that prints nothing and keeps the tables, each with the line printed before it as title."""

    def __init__(self) -> None:
        super().__init__(width=1_000_000)
        self.tables: list[Cells] = []
        self._title = ""

    def print(self, *objects: Any, **options: Any) -> None:
        """Keep tables and titles."""
        for each in objects:
            if isinstance(each, RichTable):
                rows = zip(*(map(str, column.cells) for column in each.columns), strict=True)
                self.tables.append(Cells(self._title, tuple(str(column.header) for column in each.columns), [*rows]))
            else:
                self._title = str(each)


def printed_tables(section: list[Block]) -> list[Cells]:
    """Write the files that a section shows into the current directory, run its commands and return what they print."""
    recorder, console = Recorder(), screen.console
    with patch.object(screen, "console", lambda err=False: console(err) if err else recorder):
        for before, block in pairwise(section):
            if block.kind == "toml":
                (name,) = re.findall(r"`([\w-]+\.toml)`", before.text)
                Path(name).write_text(block.text.split("\n", 1)[1].removesuffix("```"), encoding="utf-8")
            elif block.kind == "sh":
                for command in re.findall(r"^uv run (srdi .*)$", block.text, re.MULTILINE):
                    echo(command, err=True)
                    try:
                        srdi.main(shlex.split(command)[1:])
                    except SystemExit as end:
                        if end.code:
                            raise
    return recorder.tables


@click.command(cls=Script)
@click.option("--only", default="", metavar="TEXT", help="Renew only the sections with TEXT in their English heading.")
def main(only: str) -> None:
    """Run the commands of docs/how-to/ministry-questions.md and renew its tables in both languages.

    Takes some ten minutes on two cores. Sentences are not rewritten: those whose numbers may have changed are listed.
    """
    with tempfile.TemporaryDirectory() as directory, contextlib.chdir(directory):
        renewed = renew([path.read_text(encoding="utf-8") for path in PAGES], printed_tables, only)
    for path, page in zip(PAGES, renewed.pages, strict=True):
        path.write_text(page, encoding="utf-8")
    echo("Check by hand:" if renewed.paragraphs else "Nothing to check by hand.")
    for paragraph in renewed.paragraphs:
        echo(paragraph)
    if renewed.missing:
        raise InputError("no printed table has the columns and rows of " + "; ".join(renewed.missing))


if __name__ == "__main__":
    main()
