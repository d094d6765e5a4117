"""The engine's core step against the same rules as an ordinary Mesa model, taking turns."""

from __future__ import annotations

import copy
import math
import time

from benchmarks import plain_mesa
from benchmarks.stages import COUNTING, StagedPass
from benchmarks.state import core_state, model_after
from sim.draws import quarter_keys
from sim.model import SRDIModel


def measure(scale: float, rounds: int, threads: int, quarters: int = 4) -> dict[str, float]:
    """Nanoseconds per firm-quarter of each, the best of some rounds; a round is a year.

    The Mesa model has fewer firms if there are more than its memory allows, see `plain_mesa.LARGEST_SCALE`.
    """
    model = model_after(4, scale, threads=threads)
    small = core_state(model_after(4, min(scale, plain_mesa.LARGEST_SCALE)))
    contestants = {
        "engine": lambda: engine_nanoseconds(model, quarters),
        "engine_counting": lambda: engine_nanoseconds(model, quarters, counting=True),
        "mesa": lambda: plain_mesa.run_apart(small, quarters)["nanoseconds"],
    }
    best = dict.fromkeys(contestants, math.inf)
    for _ in range(rounds):
        for name, run in contestants.items():
            best[name] = min(best[name], run())
    return best


def advance_firms(model: SRDIModel, ahead: int) -> None:
    """The engine's pass over firms for the quarter `ahead` of the model's, in the environment as it is."""
    quarter = model.quarter + ahead
    model.moment.index, model.moment.number = model.steps + ahead, quarter.number
    model.keys = quarter_keys(model.seed, model.moment.index)
    model._advance_firms()


def engine_nanoseconds(model: SRDIModel, quarters: int, counting: bool = False) -> float:
    """Wall time per firm-quarter of the engine's pass over firms, from a copy of the model on; one quarter runs before.

    The pass also counts the firms for the records while their tile is at hand, which the yardstick does not do:
    it is left out unless `counting` asks for it.
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
