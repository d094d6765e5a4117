"""Checks of the arguments of public functions; an error is reported in one sentence."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

import numpy as np

from scenarios.errors import InputError
from sim import arguments

Kind = TypeVar("Kind")


def whole_number(name: str, value: object, least: int) -> int:
    """`sim.arguments.whole_number`, with InputError instead of ValueError."""
    try:
        return arguments.whole_number(name, value, least)
    except ValueError as error:
        raise InputError(str(error)) from None


def refuse_beyond(name: str, number: object, low: float, high: float) -> None:
    """Raise InputError unless an argument is a number within a range."""
    known = not isinstance(number, bool) and isinstance(number, int | float | np.number)
    if not known or not low <= number <= high:  # type: ignore[operator]
        raise InputError(f"{name} is {arguments.quoted(number)}: it must be a number from {low:g} to {high:g}")


def single(name: str, value: Kind, kind: type[Kind], source: str) -> Kind:
    """One object of a kind; raises InputError for anything else, naming `source`, the function that makes them."""
    if not isinstance(value, kind):
        raise InputError(f"{name} is {arguments.quoted(value)}; allowed is one object returned by {source}")
    return value


def as_list(name: str, values: Kind | Iterable[Kind], kind: type[Kind], source: str) -> list[Kind]:
    """One object of a kind, or several, as a list.

    Raises:
        InputError: something else was given. The message names `source`, the function that makes such objects.
    """
    items = [values] if isinstance(values, kind | str) or not isinstance(values, Iterable) else list(values)
    for value in items:
        if not isinstance(value, kind):
            raise InputError(
                f"{name} has {arguments.quoted(value)}; allowed are one or several objects returned by {source}"
            )
    return items
