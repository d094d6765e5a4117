"""The firm population as a table: whole columns, groups, or one firm."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING

import numpy as np

from sim.firms.columns import COLUMNS, Columns

if TYPE_CHECKING:
    import pandas as pd


class Firms:
    """Read access to the columnar population in Mesa's words.

    ``firms[i]`` reads one slot, ``len(firms)`` counts active firms, ``to_frame`` gives a pandas
    table, ``get``, ``agg`` and ``select`` follow Mesa's AgentSet.
    """

    def __init__(self, columns: Columns) -> None:
        self.columns = columns

    def __len__(self) -> int:
        return int(np.count_nonzero(self.columns.employment))

    def __getitem__(self, slot: int) -> SimpleNamespace:
        """The firm in a slot; raises LookupError if the slot is vacant, IndexError beyond the last."""
        if not 0 <= slot < len(self.columns.employment):
            raise IndexError(f"slot {slot} is not among 0 to {len(self.columns.employment) - 1}")
        if self.columns.employment[slot] == 0:
            raise LookupError(f"slot {slot} is vacant")
        return SimpleNamespace(
            slot=slot, **{column.name: getattr(self.columns, column.name)[slot].item() for column in COLUMNS}
        )

    @property
    def active(self) -> np.ndarray:
        """Slots with a firm: bool (slots,)."""
        return self.columns.employment > 0

    def get(self, name: str) -> np.ndarray:
        """One column of the active firms; raises AttributeError for an unknown name."""
        return getattr(self.columns, name)[self.active]

    def agg(self, name: str, function) -> object:
        """`function` (such as ``numpy.mean``) of one column of the active firms."""
        return function(self.get(name))

    def select(self, condition) -> pd.DataFrame:
        """The active firms for which ``condition(frame)`` holds, as a table."""
        frame = self.to_frame()
        return frame[condition(frame)]

    def groupby(self, name: str):
        """pandas GroupBy of the active firms over one column."""
        return self.to_frame().groupby(name)

    def to_frame(self) -> pd.DataFrame:
        """The active firms, one row each, indexed by slot; a copy. Units: ``sim.firms.columns.COLUMNS``."""
        import pandas as pd  # takes longer to import than the model to build

        active = self.active
        data = {column.name: getattr(self.columns, column.name)[active] for column in COLUMNS}
        return pd.DataFrame(data, index=pd.Index(np.flatnonzero(active), name="slot"))
