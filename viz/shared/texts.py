"""Tables of texts for a page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class TextTable:
    """A table of texts; all columns after the first `words` contain numbers."""

    heads: Sequence[str]
    rows: Sequence[Sequence[str]]
    words: int = 1
