"""Texts that may come from anybody, as messages quote them."""

from __future__ import annotations

#: Most letters of a value that a message quotes.
QUOTED = 60


def shortened(text: str, most: int = 80) -> str:
    """The text with its middle left out where it is longer than `most` letters."""
    return text if len(text) <= most else f"{text[: most // 2]}…{text[-(most // 2) :]}"
