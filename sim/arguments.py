"""Checks of numeric arguments; invalid ones are refused in one sentence."""

from __future__ import annotations

from numbers import Integral, Real

import numpy as np

from sim.calendar import LATEST_UNTIL, SCALE_RANGE, START
from sim.wording import QUOTED, shortened

#: Seeds the model tells apart: draws are made of 64 bits.
SEED_RANGE = (0, 2**64 - 1)
UNTIL_RANGE = (START.year + 1, LATEST_UNTIL)


def whole_number(name: str, value: object, least: int, most: int | None = None) -> int:
    """The argument as an int: a whole number of Python or NumPy, or a float such as 2030.0.

    Raises:
        ValueError: it is something else (a bool, text, None), or not from `least` to `most`; None is no limit.
    """
    if _is_number(value) and (isinstance(value, Integral) or float(value).is_integer()):
        found = int(value)
        if least <= found and (most is None or found <= most):
            return found
    span = f"of at least {least}" if most is None else f"from {least} to {most}"
    raise ValueError(f"{name} is {quoted(value)}; it must be a whole number {span}")


def scale_number(value: object) -> float:
    """The scale as a float; raises ValueError as `whole_number` does."""
    low, high = SCALE_RANGE
    if _is_number(value) and low <= value <= high:
        return float(value)
    raise ValueError(f"scale is {quoted(value)}; it must be a number from {low:g} to {high:g}")


def seed_number(name: str, value: object) -> int:
    """The seed of an argument: a number, also as text, or the next number of a generator.

    Raises:
        ValueError: it is not a seed.
    """
    if value is None or isinstance(value, np.random.Generator | np.random.BitGenerator | np.random.SeedSequence):
        return int(np.random.default_rng(value).integers(2**31))
    if isinstance(value, str) and value.strip().isdecimal():  # from a text field of SolaraViz
        value = int(value)
    return whole_number(name, value, *SEED_RANGE)


def quoted(value: object) -> str:
    """A value as a message quotes it, no longer than a line."""
    return shortened(repr(value.item() if isinstance(value, np.generic) else value), QUOTED)


def _is_number(value: object) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)
