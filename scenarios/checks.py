"""Arguments of public functions: what is not allowed is refused in one sentence."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from scenarios.errors import InputError
from sim import arguments

Kind = TypeVar("Kind")


def whole_number(name: str, value: object, least: int) -> int:
    """As `sim.arguments.whole_number`, for what reports bad input as InputError."""
    try:
        return arguments.whole_number(name, value, least)
    except ValueError as error:
        raise InputError(str(error)) from None


def several(name: str, values: Kind | Iterable[Kind], kind: type[Kind], source: str) -> list[Kind]:
    """What was given as one object of a kind or as several, as a list.

    Raises:
        InputError: something else was given; `source` is the function that makes such objects.
    """
    found = [values] if isinstance(values, kind | str) or not isinstance(values, Iterable) else list(values)
    for value in found:
        if not isinstance(value, kind):
            raise InputError(f"{name} has {arguments.quoted(value)}; allowed is what {source} gives, one or several")
    return found
