"""Where commands print: tables that no width cuts, sentences, a progress bar; texts of users stand as they are."""

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
#: Columns of what is no terminal: a file or pipe has room for any line.
_ANY_WIDTH = 1_000_000
#: Most columns of a line of sentences.
_READABLE = 100
#: Columns and lines of a terminal that does not tell how many it has.
_USUAL = (80, 24)


@dataclass(frozen=True)
class Cells:
    """A table of text.

    Attributes:
        title: stands above; may be empty.
        heads: one a column; a head that begins with > is of numbers, set to the right and never folded. The others
            are of names and words, which fold at spaces. If all are empty there is no line of heads.
        rows: as many texts each as there are heads.
    """

    title: str
    heads: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]


def console(err: bool = False) -> Console:
    """Standard output, or standard error, as wide as the terminal; what is no terminal has any width.

    Rich itself takes 80 columns where colour is forced or the terminal is dumb, whatever there is.
    """
    columns, lines = _size(sys.stderr if err else sys.stdout)
    return Console(stderr=err, width=columns, height=lines, markup=False, highlight=False)


def _size(stream: TextIO) -> tuple[int, int]:
    """Columns and lines of a stream; COLUMNS wins, as everywhere."""
    if not stream.isatty():
        return _ANY_WIDTH, _USUAL[1]
    try:
        columns, lines = os.get_terminal_size(stream.fileno())
    except OSError:
        columns, lines = _USUAL
    wanted = os.environ.get("COLUMNS", "")
    return int(wanted) if wanted.isdecimal() and int(wanted) else columns or _USUAL[0], lines or _USUAL[1]


def progress(keep: bool = False, elapsed: bool = False) -> Progress:
    """Bars on standard error: description, number done of all, time to go; the narrower, the shorter the bar.

    Args:
        keep: leave them standing when they are done. elapsed: tell the time gone by, where steps are not alike.
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


def say(screen: Console, text: str, style: str = "", indent: int = 0, as_wide: bool = False) -> None:
    """Print sentences, folded between words.

    Args:
        as_wide: fold where the screen ends, not where lines become hard to read.
    """
    width = screen.width if as_wide else min(screen.width, _READABLE)
    for line in Text(printable(text, lines=True), style).wrap(screen, max(width - indent, 1)):
        line.pad_left(indent)
        line.rstrip()
        screen.print(line, soft_wrap=True)


def say_where(screen: Console, text: str, path: Path) -> None:
    """Print a sentence that ends in a path, after an empty line: in one piece, as a folded path cannot be copied."""
    screen.print()
    screen.print(Text(printable(f"{text} {path}")), soft_wrap=True)


def print_table(table: Cells, screen: Console) -> None:
    """Print a table so that no number is cut or folded, and no column left out, whatever the width.

    Where the columns do not fit side by side, words fold, heads too. Where that is not enough, the table is printed in
    sections, each with the columns that name the row, and at last row by row, a line for each head with its value.
    """
    if table.title:
        say(screen, printable(table.title), "italic", as_wide=True)
    names = _naming(table.rows)
    sections = _sections([_Column(table, place) for place in range(len(table.heads))], names, screen.width)
    if sections is None:
        _print_stacked(table, names, screen)
        return
    for number, columns in enumerate(sections):
        if number:
            screen.print()
        screen.print(_grid(columns, screen.width))


class _Column:
    """A column of a table, with the width it would take and the least it can do with."""

    def __init__(self, table: Cells, place: int) -> None:
        self.head = table.heads[place].removeprefix(">")
        self.is_number = self.head != table.heads[place]
        self.texts = [printable(row[place], lines=True) for row in table.rows]
        lines = [line for text in self.texts for line in text.split("\n")]
        self.width = max(map(cell_len, [*lines, *self.head.split("\n")]))
        whole = lines if self.is_number else [word for line in lines for word in line.split()]
        self.least = max(map(cell_len, [*whole, *self.head.split()]), default=0)


def _naming(rows: Sequence[tuple[str, ...]]) -> int:
    """How many columns, from the first on, tell the rows apart; one if none do."""
    several = range(1, len(rows[0]) if rows else 1)
    return next((count for count in several if len({row[:count] for row in rows}) == len(rows)), 1)


def _sections(columns: list[_Column], names: int, room: int) -> list[list[_Column]] | None:
    """Columns that fit side by side, the first `names` of them in every section; None if some do not fit at all."""
    sections = [columns[:names]]
    for column in columns[names:]:
        if not _fit([*sections[-1], column], room) and len(sections[-1]) > names:
            sections.append(columns[:names])
        sections[-1].append(column)
    return sections if all(_fit(section, room) for section in sections) else None


def _fit(columns: list[_Column], room: int) -> bool:
    return _side_by_side([column.least for column in columns]) <= room


def _side_by_side(widths: list[int]) -> int:
    return sum(widths) + _GAP * (len(widths) - 1)


def _grid(columns: list[_Column], room: int) -> Table:
    """Columns side by side, the widest made narrower until they fit."""
    widths = [column.width for column in columns]
    while _side_by_side(widths) > room:
        narrowed = [place for place, column in enumerate(columns) if widths[place] > column.least]
        widths[max(narrowed, key=widths.__getitem__)] -= 1
    grid = Table(box=None, pad_edge=False, padding=(0, _GAP, 0, 0), show_header=any(each.head for each in columns))
    for column, width in zip(columns, widths, strict=True):
        grid.add_column(Text(column.head), justify="right" if column.is_number else "left", width=width)
    for texts in zip(*(column.texts for column in columns), strict=True):
        grid.add_row(*map(Text, texts))
    return grid


def _print_stacked(table: Cells, names: int, screen: Console) -> None:
    for row in table.rows:
        for place, (head, value) in enumerate(zip(table.heads, row, strict=True)):
            head, indent = head.removeprefix(">").replace("\n", " "), 0 if place < names else 2
            if head and ("\n" in value or cell_len(f"{head}: {value}") + indent > screen.width):
                say(screen, f"{head}:", indent=indent)
                say(screen, value, indent=indent + 2)
            else:
                say(screen, f"{head}: {value}" if head else value, indent=indent)
