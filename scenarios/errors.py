"""Errors a user can mend: each message is one sentence saying what, where, and what is allowed."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class InputError(Exception):
    """Bad input: a scenario, an option or a directory that cannot be used."""


class ScenarioError(InputError):
    """A scenario file or setting that is not valid."""


class ResultsError(InputError):
    """A results directory that is missing, unfinished, foreign or damaged."""


def shortened(text: str, most: int = 80) -> str:
    """A text that may come from anybody, with its middle left out where it is longer than `most` letters."""
    return text if len(text) <= most else f"{text[: most // 2]}…{text[-(most // 2) :]}"


def nearest(name: str, known: Iterable[str]) -> str:
    """``; did you mean 'x'?`` for the nearest known name, or nothing."""
    near = get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f"; did you mean {near[0]!r}?" if near else ""
