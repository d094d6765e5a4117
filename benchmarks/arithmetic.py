"""The arithmetic limit: the draws, exponentials and logarithms of the pass over firms, and how fast the processor does
them."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np

import sim.numerics.draws
from benchmarks import fresh_process
from benchmarks.state import SEED, replace_method
from sim.firms.tile import TILE
from sim.model import SRDIModel
from sim.numerics.draws import uniform
from sim.numerics.elementary import exp, log
from sim.numerics.jit import kernel


@kernel
def _draw(numbers, rounds):
    for key in range(rounds):
        for j in range(numbers.size):
            numbers[j] = uniform(np.uint64(key), j)


@kernel
def _exponential(numbers, rounds):
    for _ in range(rounds):
        for j in range(numbers.size):
            numbers[j] = -exp(numbers[j])


@kernel
def _logarithm(numbers, rounds):
    for _ in range(rounds):
        for j in range(numbers.size):
            numbers[j] = 2.0 - log(numbers[j])


#: The operations by name: where the function behind each stands, and a loop that does nothing else.
OPERATIONS: dict[str, tuple[Callable, Callable]] = {
    "draw": (sim.numerics.draws.bits, _draw),
    "exponential": (exp, _exponential),
    "logarithm": (log, _logarithm),
}


def nanoseconds(threads: int, repeats: int, rounds: int = 20_000) -> dict[str, float]:
    """Wall time of each operation when all threads do nothing else on a tile in the first cache, best of `repeats`."""
    best = dict.fromkeys(OPERATIONS, np.inf)
    with ThreadPoolExecutor(threads) as pool:
        for _ in range(repeats):
            for name, (_, loop) in OPERATIONS.items():
                tiles = [np.full(TILE, 0.5) for _ in range(threads)]
                loop(tiles[0], 1)
                started = time.perf_counter()
                list(pool.map(lambda tile, loop=loop: loop(tile, rounds), tiles))
                seconds = time.perf_counter() - started
                best[name] = min(best[name], 1e9 * seconds / (threads * rounds * TILE))
    return best


def operations(scale: float) -> dict[str, float]:
    """Operations of each kind per slot in a quarter's pass, mean over the first year: those that the rules ask for.

    Counted in a process without the compiler, where a loop over firms does only what its branches need.
    """
    return fresh_process.call("benchmarks.arithmetic:count", {"NUMBA_DISABLE_JIT": "1"}, scale=scale)


def count(scale: float) -> dict[str, float]:
    """See `operations`; for a process whose compiler is off."""
    model = SRDIModel("baseline", scale=scale, rng=SEED)
    counts = dict.fromkeys(OPERATIONS, 0)
    advance_firms, counting = model._advance_firms, False

    def counted(name: str, function: Callable) -> Callable:
        def call(*arguments):
            counts[name] += counting
            return function(*arguments)

        return call

    def counted_pass() -> None:
        nonlocal counting
        counting = True
        advance_firms()
        counting = False

    modules = [module for name, module in sys.modules.items() if name.startswith("sim.")]
    for name, (function, _) in OPERATIONS.items():
        for module in modules:
            for known, value in list(vars(module).items()):
                if value is function:
                    setattr(module, known, counted(name, function))
    replace_method(model, "_advance_firms", counted_pass)
    for _ in range(4):
        model.step()
    return {name: number / (4 * model.blocks.slots) for name, number in counts.items()}
