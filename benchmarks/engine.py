"""The engine itself under the same clock as the yardsticks."""

from __future__ import annotations

import numpy as np

from benchmarks.stages import COUNTING, StagedPass
from benchmarks.state import SEED, CoreState, timed
from sim.model import SRDIModel


def model_at(state: CoreState, threads: int = 1) -> SRDIModel:
    """A model run as long as the one `state` was taken from, with the state's columns."""
    model = SRDIModel(state.scenario, scale=state.scale, rng=SEED, threads=threads)
    for _ in range(state.run_quarters):
        model.step()
    for column, start in zip(model.firms.columns, state.columns, strict=True):
        column[:] = start
    return model


def advance_firms(model: SRDIModel, state: CoreState, ahead: int) -> None:
    """The engine's pass over firms for the quarter `ahead` of the state's, in the environment as it is."""
    model.keys, moment = state.ahead(ahead)
    model.moment.index, model.moment.number = moment.index, moment.number
    model._advance_firms()


def nanoseconds_per_firm_quarter(state: CoreState, quarters: int, threads: int = 1, counting: bool = False) -> float:
    """Wall time of the engine's pass over firms, from the columns of `state` on.

    The pass also counts the firms for the records while their tile is at hand, which the yardsticks do not do:
    it is left out unless `counting` asks for it.
    """
    model = model_at(state, threads)
    if not counting:
        staged = StagedPass(model)
        staged.depth = staged.phases.index(COUNTING)
    employment = model.firms.columns.employment
    result = timed(
        lambda quarter: advance_firms(model, state, quarter), lambda: int(np.count_nonzero(employment)), quarters
    )
    model.close()
    return result
