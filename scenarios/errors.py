"""Errors a user can mend: each message is one sentence saying what, where, and what is allowed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import date
from difflib import get_close_matches
from importlib.util import find_spec
from typing import TYPE_CHECKING

from sim.wording import QUOTED, shortened

if TYPE_CHECKING:
    from pathlib import Path

    from pydantic import ValidationError

#: Most letters of a sentence by others, such as a reader or a validator: it may quote what it found, as long as that
#: is, and then lists what is allowed.
MOST_SAID = 1000
#: What is wanted where another kind of value stands, by pydantic's name of the fault.
_WANTED = {
    "bool_type": "true or false is wanted here",
    "tuple_type": 'a list is wanted here, such as ["Zhejiang", "Jiangsu"]',
}
#: What a terminal would act on, or show in another order than it is written; and halves of letters, as which Python
#: holds the bytes of a file name that are no text.
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


class InputError(Exception):
    """Bad input: a scenario, an option or a directory that cannot be used."""


class ScenarioError(InputError):
    """A scenario file or setting that is not valid."""


class ResultsError(InputError):
    """A results directory that is missing, unfinished, foreign or damaged."""


def printable(text: str, lines: bool = False) -> str:
    """A text that may come from anybody, its control characters written as Python escapes them.

    Args:
        lines: leave the ends of lines as they are.
    """
    return _UNPRINTABLE.sub(
        lambda found: found[0] if lines and found[0] == "\n" else found[0].encode("unicode_escape").decode(), text
    )


def refuse_undecodable(path: Path) -> None:
    """Raise InputError if the name of a results directory holds bytes that are no text, as Parquet wants it."""
    try:
        str(path).encode()
    except UnicodeEncodeError:
        raise InputError(f"the name of {path} is not UTF-8 text; name the directory otherwise") from None


def first_fault(error: ValidationError, known_keys: Callable[[list[str]], list[str]]) -> str:
    """The first fault of a validation in words: the key, what was found, and what is allowed.

    Args:
        known_keys: keys that are allowed below a path of keys.
    """
    from pydantic import BaseModel  # not for srdi --help, which loads this file

    fault = error.errors()[0]
    path = [str(part) for part in fault["loc"]]
    key = shortened(".".join(path))
    if fault["type"] == "extra_forbidden":
        known = known_keys(path[:-1])
        return f"unknown key {key}{nearest(path[-1], known)} (allowed: {', '.join(known)})"
    if fault["type"] == "missing":
        return f"{key} is missing"
    message = _WANTED.get(fault["type"]) or shortened(fault["msg"].removeprefix("Value error, "), MOST_SAID)
    if not message.startswith("SME"):
        message = message[0].lower() + message[1:]
    found = fault["input"]
    if not path:
        return message
    if isinstance(found, date):
        return f"{key} is {found}: {message}"
    if isinstance(found, dict | list | BaseModel) or len(str(found)) > QUOTED:
        return f"{key}: {message}"
    return f"{key} is {found!r}: {message}"


def nearest(name: str, known: Iterable[str]) -> str:
    """``; did you mean 'x'?`` for the nearest known name, or nothing."""
    near = get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f"; did you mean {near[0]!r}?" if near else ""


def require_extra(asker: str, extra: str, *modules: str) -> None:
    """Raise InputError if a module of an optional extra of the package is not installed.

    Args:
        asker: what needs it, such as a command.
    """
    missing = [name for name in modules if find_spec(name) is None]
    if missing:
        raise InputError(
            f"{asker} needs the extra {extra!r} ({' and '.join(missing)} cannot be found): "
            f'pip install "srdi[{extra}]", or in a checkout pip install -e ".[{extra}]"'
        )
