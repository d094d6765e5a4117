"""Quarters, and the range of runs: first and last quarter, scale."""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass
from functools import cache

_PATTERN = re.compile(r"(\d{4})Q([1-4])")


@dataclass(frozen=True, order=True)
class Quarter:
    """A calendar quarter, printed and parsed as ``2024Q1``.

    Quarters order by time; ``quarter + n`` moves n quarters on and ``a - b`` counts
    the quarters from b to a.
    """

    year: int
    number: int

    @classmethod
    @cache
    def parse(cls, text: str) -> Quarter:
        """Read ``2024Q1``; raises ValueError for anything else."""
        match = _PATTERN.fullmatch(text)
        if match is None:
            raise ValueError(f"{text!r} is not a quarter; write it as 2024Q1")
        return cls(int(match[1]), int(match[2]))

    @property
    def end_date(self) -> datetime.date:
        """Last day of the quarter."""
        month = 3 * self.number
        return datetime.date(self.year, month, 31 if month in (3, 12) else 30)

    @classmethod
    def _from_ordinal(cls, ordinal: int) -> Quarter:
        return cls(ordinal // 4, ordinal % 4 + 1)

    @property
    def _ordinal(self) -> int:
        return 4 * self.year + self.number - 1

    def __add__(self, quarters: int) -> Quarter:
        return self._from_ordinal(self._ordinal + quarters)

    def __sub__(self, other: Quarter) -> int:
        return self._ordinal - other._ordinal

    def __str__(self) -> str:
        return f"{self.year}Q{self.number}"


#: The state before the first national batch; every run starts from it.
START = Quarter(2018, 4)
#: Last year of a run by default.
DEFAULT_UNTIL = 2030
#: Last year a run may reach (certificate dates are stored as 8-bit quarter counts).
LATEST_UNTIL = 2048

#: Least and most simulated firms per real firm. Above 1 there are more firms than the modelled sectors have, in the
#: same product markets: 9.5 is as many as China has SMEs of any kind.
SCALE_RANGE = (0.0005, 10.0)
