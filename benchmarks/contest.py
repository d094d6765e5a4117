"""The core step of the engine compared with an ordinary Mesa model, measured in turn."""

from __future__ import annotations

import copy
import math
import time

from benchmarks import plain_mesa
from benchmarks.stages import COUNTING, StagedPass
from benchmarks.state import core_state, model_after
from sim.model import SRDIModel
from sim.numerics.draws import quarter_keys


def measure(scale: float, rounds: int, threads: int, quarters: int = 4) -> dict[str, float]:
    """Nanoseconds per firm-quarter of each version, best of `rounds`; a round is a year.

    The Mesa model has fewer firms if they would not fit in memory, see `plain_mesa.LARGEST_SCALE`.
    """
    model = model_after(4, scale, threads=threads)
    small = core_state(model_after(4, min(scale, plain_mesa.LARGEST_SCALE)))
    contestants = {
        "engine": lambda: engine_nanoseconds(model, quarters),
        "engine_counting": lambda: engine_nanoseconds(model, quarters, counting=True),
        "mesa": lambda: plain_mesa.run_in_fresh_process(small, quarters)["nanoseconds"],
    }
    best = dict.fromkeys(contestants, math.inf)
    for _ in range(rounds):
        for name, run in contestants.items():
            best[name] = min(best[name], run())
    return best


def advance_firms(model: SRDIModel, ahead: int) -> None:
    """The engine's pass over firms for the quarter that is `ahead` quarters later, in the current environment."""
    quarter = model.quarter + ahead
    model.moment.index, model.moment.number = model.steps + ahead, quarter.number
    model.keys = quarter_keys(model.seed, model.moment.index)
    model._advance_firms()


def engine_nanoseconds(model: SRDIModel, quarters: int, counting: bool = False) -> float:
    """Wall time per firm-quarter of the engine's pass over firms, starting from a copy of the model; one quarter warms
    up.

    The pass normally also counts the firms for the records, which the Mesa model does not do. Counting is left out
    unless `counting` is set.
    """
    model = copy.copy(model)
    if not counting:
        staged = StagedPass(model)
        staged.depth = staged.phases.index(COUNTING)
    advance_firms(model, 1)
    firms, seconds = 0, 0.0
    for ahead in range(2, quarters + 2):
        firms += len(model.firms)
        started = time.perf_counter()
        advance_firms(model, ahead)
        seconds += time.perf_counter() - started
    model.close()
    return 1e9 * seconds / firms
