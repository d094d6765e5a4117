"""What a run in progress shows before it is whole: its first quarters."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from sim.calendar import Quarter
from sim.model import SRDIModel
from viz.live.runner import Run

#: Tables of a part: those that the charts and key numbers of the policy page read.
TABLES = ("national", "spending")


def part_of(model: SRDIModel, whole: Run) -> Run:
    """A run in progress, in the rows of a whole one: the numbers of quarters to come are NaN.

    Args:
        whole: any run of the same years, such as the baseline.
    """
    tables = model.tables()
    return Run(
        whole.member,
        {
            name: {column: _part(tables[name][column], of) for column, of in whole.tables[name].items()}
            for name in TABLES
        },
        reached=model.quarter,
    )


def _part(values: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """A column with NaN for the rows to come; what is no number names its row and is the same in every run."""
    if whole.dtype != np.float64:
        return whole
    column = np.full_like(whole, np.nan)
    column[: len(values)] = values
    return column


class Parts:
    """Shows parts of a run: the first after one quarter under the policy, others from time to time.

    Args:
        show: called with every part; the run stands still until it returns. whole: as in `part_of`.
        first: first quarter that can differ from the baseline.
        pause: time between two parts, in multiples of the time it took to show the former: slow machines show fewer.
    """

    def __init__(self, show: Callable[[Run], None], whole: Run, first: Quarter, pause: float) -> None:
        self._show, self._whole, self._first, self._pause = show, whole, first, pause
        self._next = 0.0

    def look(self, model: SRDIModel) -> None:
        """Show the run so far if it is time to; called after every quarter."""
        if model.running and model.quarter >= self._first and time.monotonic() >= self._next:
            begun = time.monotonic()
            self._show(part_of(model, self._whole))
            shown = time.monotonic()
            self._next = shown + self._pause * (shown - begun)
