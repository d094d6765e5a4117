"""Terminal output of commands: tables that are never truncated, sentences, a progress bar.

Texts from users are not interpreted as markup.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from rich.cells import cell_len
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Column, Table
from rich.text import Text

from scenarios.errors import printable

#: Spaces between two columns.
_GAP = 2
#: Width of a file or pipe, which is not limited.
_ANY_WIDTH = 1_000_000
#: Largest width of a line of sentences.
_MAX_LINE_WIDTH = 100
#: Columns and lines of a terminal that does not report its size.
_DEFAULT_SIZE = (80, 24)


@dataclass(frozen=True)
class Cells:
    """A table of text.

    Attributes:
        title: printed above the table; may be empty.
        heads: one per column. A heading that begins with > marks a column of numbers, which is right-aligned and never
            wrapped; other columns are text, which wraps at spaces. If all headings are empty, there is no heading line.
        rows: each with as many texts as there are headings.
    """

    title: str
    heads: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]


def markdown(table: Cells) -> str:
    """A table as Markdown, below a heading of the third level with its title."""
    alignment = ["---:" if head.startswith(">") else "---" for head in table.heads]
    lines = [[head.removeprefix(">") for head in table.heads], alignment, *table.rows]
    return f"### {table.title}\n\n" + "\n".join(f"| {' | '.join(line)} |" for line in lines)


def between(page: str, begin: str, end: str, content: str) -> str:
    """A page of Markdown with other content between two marks.

    Raises:
        ValueError: one of the two marks is missing in the page.
    """
    before, found_begin, rest = page.partition(begin)
    _, found_end, after = rest.partition(end)
    if not found_begin or not found_end:
        raise ValueError(f"the page has no {begin} … {end}")
    return f"{before}{begin}\n\n{content}\n\n{end}{after}"


def console(err: bool = False) -> Console:
    """Standard output or standard error, as wide as the terminal; the width of files and pipes is not limited.

    Rich itself assumes 80 columns if colour is forced or the terminal is dumb.
    """
    columns, lines = _size(sys.stderr if err else sys.stdout)
    return Console(stderr=err, width=columns, height=lines, markup=False, highlight=False)


def _size(stream: TextIO) -> tuple[int, int]:
    """Columns and lines of a stream; the environment variable COLUMNS takes precedence."""
    if not stream.isatty():
        return _ANY_WIDTH, _DEFAULT_SIZE[1]
    try:
        columns, lines = os.get_terminal_size(stream.fileno())
    except OSError:
        columns, lines = _DEFAULT_SIZE
    setting = os.environ.get("COLUMNS", "")
    return int(setting) if setting.isdecimal() and int(setting) else columns or _DEFAULT_SIZE[
        0
    ], lines or _DEFAULT_SIZE[1]


def progress(keep: bool = False, elapsed: bool = False) -> Progress:
    """Progress bars on standard error: description, number done, time left.

    Args:
        keep: leave the bars on the screen when done. elapsed: show the elapsed time, for steps of unequal length.
    """
    clock = TimeElapsedColumn if elapsed else TimeRemainingColumn
    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=None, table_column=Column(max_width=40)),
        MofNCompleteColumn(table_column=Column(no_wrap=True)),
        clock(table_column=Column(no_wrap=True)),
        console=console(err=True),
        transient=not keep,
    )


def say(screen: Console, text: str, style: str = "", indent: int = 0, full_width: bool = False) -> None:
    """Print sentences, wrapped between words.

    Args:
        full_width: wrap at the width of the screen, even if lines become hard to read.
    """
    width = screen.width if full_width else min(screen.width, _MAX_LINE_WIDTH)
    for line in Text(printable(text, lines=True), style).wrap(screen, max(width - indent, 1)):
        line.pad_left(indent)
        line.rstrip()
        screen.print(line, soft_wrap=True)


def print_path(screen: Console, text: str, path: Path) -> None:
    """Print an empty line, then a sentence that ends in a path. It is not wrapped, so that the path can be copied."""
    screen.print()
    screen.print(Text(printable(f"{text} {path}")), soft_wrap=True)


def print_table(table: Cells, screen: Console) -> None:
    """Print a table at any width without truncating or wrapping a number and without dropping a column.

    If the columns do not fit side by side, text and headings wrap. If that is not enough, the table is printed in
    sections, each with the columns that name the row; and if that is not enough, row by row, one line per value.
    """
    if table.title:
        say(screen, printable(table.title), "italic", full_width=True)
    key_columns = _count_key_columns(table.rows)
    sections = _sections([_Column(table, index) for index in range(len(table.heads))], key_columns, screen.width)
    if sections is None:
        _print_stacked(table, key_columns, screen)
        return
    for number, columns in enumerate(sections):
        if number:
            screen.print()
        screen.print(_grid(columns, screen.width))


class _Column:
    """A column of a table, with its preferred and its minimum width."""

    def __init__(self, table: Cells, index: int) -> None:
        self.head = table.heads[index].removeprefix(">")
        self.is_number = self.head != table.heads[index]
        self.texts = [printable(row[index], lines=True) for row in table.rows]
        lines = [line for text in self.texts for line in text.split("\n")]
        self.width = max(map(cell_len, [*lines, *self.head.split("\n")]))
        whole = lines if self.is_number else [word for line in lines for word in line.split()]
        self.min_width = max(map(cell_len, [*whole, *self.head.split()]), default=0)


def _count_key_columns(rows: Sequence[tuple[str, ...]]) -> int:
    """Number of leading columns that identify the rows; 1 if no number does."""
    several = range(1, len(rows[0]) if rows else 1)
    return next((count for count in several if len({row[:count] for row in rows}) == len(rows)), 1)


def _sections(columns: list[_Column], key_columns: int, room: int) -> list[list[_Column]] | None:
    """Sections of columns that fit side by side, each with the `key_columns` first columns; None if some do not fit."""
    sections = [columns[:key_columns]]
    for column in columns[key_columns:]:
        if not _fits([*sections[-1], column], room) and len(sections[-1]) > key_columns:
            sections.append(columns[:key_columns])
        sections[-1].append(column)
    return sections if all(_fits(section, room) for section in sections) else None


def _fits(columns: list[_Column], room: int) -> bool:
    return _side_by_side([column.min_width for column in columns]) <= room


def _side_by_side(widths: list[int]) -> int:
    return sum(widths) + _GAP * (len(widths) - 1)


def _grid(columns: list[_Column], room: int) -> Table:
    """Columns side by side; the widest is narrowed until they fit."""
    widths = [column.width for column in columns]
    while _side_by_side(widths) > room:
        shrinkable = [index for index, column in enumerate(columns) if widths[index] > column.min_width]
        widths[max(shrinkable, key=widths.__getitem__)] -= 1
    grid = Table(box=None, pad_edge=False, padding=(0, _GAP, 0, 0), show_header=any(each.head for each in columns))
    for column, width in zip(columns, widths, strict=True):
        grid.add_column(Text(column.head), justify="right" if column.is_number else "left", width=width)
    for texts in zip(*(column.texts for column in columns), strict=True):
        grid.add_row(*map(Text, texts))
    return grid


def _print_stacked(table: Cells, key_columns: int, screen: Console) -> None:
    for row in table.rows:
        for index, (head, value) in enumerate(zip(table.heads, row, strict=True)):
            head, indent = head.removeprefix(">").replace("\n", " "), 0 if index < key_columns else 2
            if head and ("\n" in value or cell_len(f"{head}: {value}") + indent > screen.width):
                say(screen, f"{head}:", indent=indent)
                say(screen, value, indent=indent + 2)
            else:
                say(screen, f"{head}: {value}" if head else value, indent=indent)
