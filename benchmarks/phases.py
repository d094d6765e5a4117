"""Time of the engine's pass by phase: the differences between passes that each stop one phase later."""

from __future__ import annotations

import numpy as np

from benchmarks.stages import StagedPass
from benchmarks.state import model_after, replace_method

#: Name of the time of a pass without any phase.
LOOP = "tiles"


def profile(scale: float, repeats: int, quarters_before: int = 20) -> dict[str, float]:
    """Nanoseconds per firm-quarter of each phase, mean over a year; each time is the best of `repeats`.

    On one thread, because the waiting times of a second thread would hide small differences.
    """
    model = model_after(quarters_before, scale)
    staged = StagedPass(model)
    advance_firms = model._advance_firms
    firms, seconds = 0, np.zeros(len(staged.phases) + 1)

    def measured() -> None:
        nonlocal firms, seconds
        firms += len(model.firms)
        start = [column.copy() for column in model.firms.columns]
        best = np.full(len(seconds), np.inf)
        for _ in range(repeats):
            for staged.depth in range(len(best)):
                for column, value in zip(model.firms.columns, start, strict=True):
                    column[:] = value
                advance_firms()
                best[staged.depth] = min(best[staged.depth], staged.seconds)
        # The last pass ran all phases, so the model continues as usual.
        seconds += best

    replace_method(model, "_advance_firms", measured)
    for _ in range(4):
        model.step()
    model.close()
    return dict(zip((LOOP, *staged.phases), (np.diff(seconds, prepend=0.0) * 1e9 / firms).tolist(), strict=True))
