"""Texts of messages: long ones that they quote, and the name that was meant."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

#: Most characters of a value that a message quotes.
QUOTED = 60


def shortened(text: str, most: int = 80) -> str:
    """The text with its middle left out where it is longer than `most` characters."""
    return text if len(text) <= most else f"{text[: most // 2]}…{text[-(most // 2) :]}"


def nearest(name: str, known: Iterable[str], likeness: float = 0.5) -> str:
    """``; did you mean 'x'?`` with the nearest known name, or an empty text.

    Args:
        likeness: least that the names must have in common, 0-1 (see `difflib`).
    """
    matches = get_close_matches(name, list(known), n=1, cutoff=likeness)
    return f"; did you mean {matches[0]!r}?" if matches else ""
