"""Errors that a user can fix: each message is one sentence with the value, its location and what is allowed."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from importlib.util import find_spec
from typing import TYPE_CHECKING

from sim.wording import QUOTED, nearest, shortened

if TYPE_CHECKING:
    from pathlib import Path

    from pydantic import ValidationError

#: Largest length of a message from a library, such as a parser or validator, which may quote a value in full and then
#: list what is allowed.
MAX_MESSAGE_LENGTH = 1000
#: Messages for values of the wrong type, by pydantic's name of the error.
_TYPE_MESSAGES = {
    "bool_type": "it must be true or false",
    "tuple_type": 'it must be a list, such as ["Zhejiang", "Jiangsu"]',
}
#: Control characters, which a terminal would execute, characters that change the order of text, and lone surrogates, by
#: which Python represents bytes of a file name that are not valid text.
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")

#: A name in pydantic's list of allowed values.
_NAME = re.compile("'([^']*)'")


class InputError(Exception):
    """Bad input: a scenario, an option or a directory that cannot be used."""


class ScenarioError(InputError):
    """A scenario file or setting that is not valid."""


class ResultsError(InputError):
    """A results directory that is missing, unfinished, foreign or damaged."""


def printable(text: str, lines: bool = False) -> str:
    """A text from any source, with its control characters escaped as in Python.

    Args:
        lines: keep line breaks.
    """
    return _UNPRINTABLE.sub(
        lambda match: match[0] if lines and match[0] == "\n" else match[0].encode("unicode_escape").decode(), text
    )


def refuse_undecodable(path: Path) -> None:
    """Raise InputError if the name of a results directory is not valid text, which Parquet requires."""
    try:
        str(path).encode()
    except UnicodeEncodeError:
        raise InputError(f"the name of {path} is not UTF-8 text; choose another name for the directory") from None


def first_fault(error: ValidationError, known_keys: Callable[[list[str]], list[str]]) -> str:
    """The first error of a validation in words: the key, the value, and what is allowed.

    Args:
        known_keys: function that returns the keys allowed below a path of keys.
    """
    from pydantic import BaseModel  # imported here, because srdi --help loads this file

    fault = error.errors()[0]
    path = [str(key) for key in fault["loc"]]
    key = shortened(".".join(path))
    if fault["type"] == "extra_forbidden":
        known = known_keys(path[:-1])
        return f"unknown key {key}{nearest(path[-1], known)} (allowed: {', '.join(known)})"
    if fault["type"] == "missing":
        return f"{key} is missing"
    message = _TYPE_MESSAGES.get(fault["type"]) or shortened(
        fault["msg"].removeprefix("Value error, "), MAX_MESSAGE_LENGTH
    )
    if not message.startswith("SME"):
        message = message[0].lower() + message[1:]
    value = fault["input"]
    names = _NAME.findall(fault["ctx"]["expected"]) if fault["type"] == "literal_error" else []
    if names:
        return f"{key} is {shortened(repr(value))}{nearest(str(value), names)} (allowed: {', '.join(names)})"
    if not path:
        return message
    if isinstance(value, date):
        return f"{key} is {value}: {message}"
    if isinstance(value, dict | list | BaseModel) or len(str(value)) > QUOTED:
        return f"{key}: {message}"
    return f"{key} is {value!r}: {message}"


def require_extra(caller: str, extra: str, *modules: str) -> None:
    """Raise InputError if a module of an optional extra of the package is not installed.

    Args:
        caller: name of what needs it, such as a command.
    """
    missing = [name for name in modules if find_spec(name) is None]
    if missing:
        raise InputError(
            f"{caller} needs the extra {extra!r} ({' and '.join(missing)} cannot be found): "
            f'pip install "srdi[{extra}]", or in a checkout pip install -e ".[{extra}]"'
        )
