"""The engine's core step against the same rules in NumPy, Polars and Mesa, taking turns."""

from __future__ import annotations

import math

from benchmarks import columnar_numpy, columnar_polars, engine, plain_mesa
from benchmarks.state import core_state


def measure(scale: float, rounds: int, threads: int, quarters: int = 4) -> dict[str, float]:
    """Nanoseconds per firm-quarter of each, the best of some rounds; a round is a year."""
    state = core_state(scale)
    contestants = {
        "engine": lambda: engine.nanoseconds_per_firm_quarter(state, quarters, threads),
        "engine_counting": lambda: engine.nanoseconds_per_firm_quarter(state, quarters, threads, counting=True),
        "numpy": lambda: columnar_numpy.nanoseconds_per_firm_quarter(state, quarters),
        "polars": lambda: columnar_polars.nanoseconds_per_firm_quarter(state, quarters),
        "mesa": lambda: plain_mesa.nanoseconds_per_firm_quarter(state, quarters),
    }
    best = dict.fromkeys(contestants, math.inf)
    for _ in range(rounds):
        for name, run in contestants.items():
            best[name] = min(best[name], run())
    return best
