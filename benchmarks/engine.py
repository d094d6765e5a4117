"""The engine itself under the same clock as the yardsticks."""

from __future__ import annotations

import numpy as np

from benchmarks.state import SEED, CoreState, timed
from sim.model import SRDIModel


def nanoseconds_per_firm_quarter(state: CoreState, quarters: int, threads: int = 1) -> float:
    """Wall time of the engine's pass over firms, from a model run as long as the one `state` was taken from."""
    model = SRDIModel(state.scenario, scale=state.scale, rng=SEED, threads=threads)
    for _ in range(state.run_quarters):
        model.step()
    columns = model.firms.columns
    for column, start in zip(columns, state.columns, strict=True):
        column[:] = start

    def step(quarter: int) -> None:
        model.keys, moment = state.ahead(quarter)
        model.moment.index, model.moment.number = moment.index, moment.number
        model._advance_firms()

    result = timed(step, lambda: int(np.count_nonzero(columns.employment)), quarters)
    model.close()
    return result
