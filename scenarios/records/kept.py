"""Answers of commands kept as JSON files beside their runs, so that a report and the page can show them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Protocol, Self, TypeVar

import numpy as np
import pandas as pd

from scenarios.errors import InputError, ResultsError
from scenarios.records.storage import write_json


class Keepable(Protocol):
    """An answer that can be kept.

    Attributes:
        FILE: name of its file. COMMAND: the command that gives it.
    """

    FILE: ClassVar[str]
    COMMAND: ClassVar[str]

    def stored(self) -> dict:
        """Plain values for JSON, from which `of_stored` makes the same answer again."""

    @classmethod
    def of_stored(cls, values: Mapping[str, Any]) -> Self:
        """The answer of `stored`."""


Answer = TypeVar("Answer", bound=Keepable)


def keep(found: Keepable, folder: Path) -> Path:
    """Write an answer into an existing folder, in place of an earlier one; returns the file.

    Raises:
        InputError: the file cannot be written.
    """
    path = folder / found.FILE
    try:
        write_json(found.stored(), path)
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror or error}") from None
    return path


def kept(folder: Path, kind: type[Answer]) -> Answer | None:
    """The answer of a kind in a folder; None if it has none.

    Raises:
        ResultsError: the file is damaged, or another version wrote it.
    """
    path = folder / kind.FILE
    if not path.is_file():
        return None
    try:
        return kind.of_stored(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, LookupError, TypeError, InputError):
        raise ResultsError(f"{path} is damaged or of another version; run {kind.COMMAND} again") from None


def table_of(rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """A table from its records, with NaN for None; columns without any number are taken for numbers."""
    table = pd.DataFrame(list(rows))
    return table.astype({name: np.float64 for name in table if table[name].isna().all()})
