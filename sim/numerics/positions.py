"""Names for the positions of a table's columns: each list of names is written once and read as ``Cell.revenue``."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Iterable


def positions(typename: str, names: Iterable[str]):
    """A named tuple of its own positions: ``positions("Cell", ["firms", "revenue"]).revenue`` is 1.

    Kernels take it for constants, which every supported Numba compiles (an enum only the newest do). The names are
    in ``_fields``, in order.
    """
    made = namedtuple(typename, names)
    return made(*range(len(made._fields)))
