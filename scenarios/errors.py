"""Errors that a user can fix: each message is one sentence with the value, its location and what is allowed.

An error that a visitor of the web page can cause also has a `Fault`, from which the page makes a sentence of its own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from difflib import get_close_matches
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
#: What the model says of settings that exclude each other, by kind of fault.
_OF_TABLE = {
    "announced_late": re.compile(r"announced (?P<value>\S+) lies after start (?P<start>\S+)"),
    "end_early": re.compile(r"end (?P<value>\S+) lies before start (?P<start>\S+)"),
    "no_weight": re.compile(r"the weights of the commons are all 0"),
}
#: Errors of pydantic for a value that stands where a table of settings belongs.
_NO_TABLE = ("model_type", "model_attributes_type", "dict_type")


@dataclass(frozen=True)
class Fault:
    """What is wrong with an input, for those who word it themselves.

    Attributes:
        kind: what is wrong, such as value or unknown. key: dotted key of the setting, or empty. value: the one found.
        about: more values by name, such as what is allowed.
    """

    kind: str
    key: str = ""
    value: object = None
    about: Mapping[str, object] = field(default_factory=dict)


class InputError(Exception):
    """Bad input: a scenario, an option or a directory that cannot be used.

    Attributes:
        fault: the same without words, or None.
    """

    def __init__(self, text: str = "", fault: Fault | None = None) -> None:
        super().__init__(text)
        self.fault = fault


class Inconsistent(ValueError):
    """A setting that a validator of the schema refuses.

    Attributes:
        fault: what is wrong with it.
    """

    def __init__(self, text: str, fault: Fault) -> None:
        super().__init__(text)
        self.fault = fault


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


def near_to(name: str, known: Iterable[str]) -> str:
    """The nearest known name, or an empty text."""
    return next(iter(get_close_matches(name, list(known), n=1, cutoff=0.5)), "")


def unknown(key: str, known: list[str]) -> Fault:
    """The fault of a key that there is not, with the keys that there are and the one that was perhaps meant.

    Args:
        known: names allowed in place of the last part of the key.
    """
    path, _, name = key.rpartition(".")
    near = near_to(name, known)
    return Fault("unknown", key, about={"near": f"{path}.{near}".lstrip(".") if near else "", "known": known})


def fault_of(error: ValidationError, known_keys: Callable[[list[str]], list[str]]) -> Fault:
    """The first error of a validation without words.

    Args:
        known_keys: as for `first_fault`.
    """
    found = error.errors()[0]
    path, value, raised = [str(key) for key in found["loc"]], found["input"], found.get("ctx", {}).get("error")
    key = ".".join(path)
    if isinstance(raised, Inconsistent):
        return raised.fault
    if found["type"] == "extra_forbidden":
        return unknown(key, known_keys(path[:-1]))
    if found["type"] == "missing":
        return Fault("missing", key)
    if found["type"] in _NO_TABLE:
        return Fault("no_table", key, value)
    for kind, pattern in _OF_TABLE.items():
        if match := pattern.match(str(raised)):
            return Fault(kind, key, about=match.groupdict())
    return Fault("value", key, value)


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
