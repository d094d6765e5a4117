"""A table whose rows can be sorted by column heading and selected; sorting happens in the browser."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import solara


@dataclass(frozen=True)
class Column:
    """A column: heading, one text per row, and sort keys.

    Attributes:
        values: sort keys; the texts themselves if None. NaN comes last.
        second: texts below the first ones, with `second_values` and the heading `second_title`, or None.
        words: whether the column contains words rather than numbers.
    """

    title: str
    texts: Sequence[str]
    values: Sequence[float] | None = None
    second: Sequence[str] | None = None
    second_values: Sequence[float] | None = None
    second_title: str = ""
    words: bool = False


def sorted_table(keys: Sequence[str], columns: Sequence[Column], *, title: str, sort: str, choose: str = "") -> dict:
    """The spec of a `SortedTable`.

    Args:
        keys: of the rows, in their initial order. title: of the table, for screen readers.
        sort: "Sort by {name}". choose: "Show {name}", if rows can be selected.

    Raises:
        ValueError: a column does not have one text per row.
    """
    for column in columns:
        if any(part is not None and len(part) != len(keys) for part in _parts(column)):
            raise ValueError(f"column {column.title!r} has not one entry for each of {len(keys)} rows")
    return {
        "title": title,
        "sort": sort,
        "choose": choose,
        "keys": list(keys),
        "columns": [
            {
                "title": column.title,
                "texts": list(column.texts),
                "values": _sortable(column.texts if column.values is None else column.values),
                "second": None if column.second is None else list(column.second),
                "second_values": None if column.second_values is None else _sortable(column.second_values),
                "second_title": column.second_title,
                "words": column.words,
            }
            for column in columns
        ],
    }


@solara.component_vue("sorted.vue", vuetify=False)
def SortedTable(spec: dict, chosen: str = "", event_choose: Callable[[str], None] = lambda key: None) -> None:
    """A sortable table.

    Args:
        spec: of `sorted_table`. chosen: key of the marked row.
        event_choose: called with the key of the selected row.
    """


def _parts(column: Column) -> tuple:
    return column.texts, column.values, column.second, column.second_values


def _sortable(values: Sequence) -> list:
    """Values for JSON: NaN becomes None."""
    return [
        None if isinstance(value, float | np.floating) and not np.isfinite(value) else _plain(value) for value in values
    ]


def _plain(value):
    return value if isinstance(value, str) else float(value)
