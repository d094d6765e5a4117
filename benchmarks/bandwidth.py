"""The memory limit: bytes that the pass over firms must move, and the bandwidth of a STREAM triad."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import numba
import numpy as np

from benchmarks.state import model_after, replace_method
from sim.firms.columns import BYTES_PER_SLOT

#: Bytes in a cache line.
LINE = 64
TRIAD_BYTES = 3 * 8


@numba.njit(nogil=True)
def _triad(a, b, c, lo, hi):
    # With bounds known to the compiler, it can vectorise without checks.
    a, b, c = a[lo:hi], b[lo:hi], c[lo:hi]
    for i in range(a.size):
        a[i] = b[i] + 3.0 * c[i]


def triad_bandwidth(elements: int, threads: int, repeats: int) -> float:
    """Bytes per second of the STREAM triad a = b + 3 c over float64 arrays, best of `repeats`.

    As in STREAM, an element counts 24 bytes; cache lines that are read before a store are not counted.
    """
    a, b, c = (np.full(elements, value) for value in (0.0, 1.0, 2.0))
    _triad(a, b, c, 0, 1)
    edges = np.linspace(0, elements, threads + 1).astype(np.int64)
    best = np.inf
    with ThreadPoolExecutor(threads) as pool:
        for _ in range(repeats):
            started = time.perf_counter()
            list(pool.map(lambda k: _triad(a, b, c, edges[k], edges[k + 1]), range(threads)))
            best = min(best, time.perf_counter() - started)
    return TRIAD_BYTES * elements / best


def bytes_moved(scale: float = 0.02) -> dict[str, float]:
    """Bytes per slot that the pass over firms must read and write in a quarter, mean over a year.

    Every column of `sim.firms.columns` is read once. The bytes written are measured: for each column, the cache lines
    in which a value changes.
    """
    model = model_after(4, scale)
    advance_firms = model._advance_firms
    written = []

    def measured_pass() -> None:
        before = [column.copy() for column in model.firms.columns]
        advance_firms()
        pairs = zip(before, model.firms.columns, strict=True)
        written.append(sum(old.itemsize * lines_changed(old, new) for old, new in pairs))

    replace_method(model, "_advance_firms", measured_pass)
    for _ in range(4):
        model.step()
    model.close()
    return {"read": float(BYTES_PER_SLOT), "written": sum(written) / len(written)}


def lines_changed(before: np.ndarray, after: np.ndarray) -> float:
    """Share of the cache lines of a column in which a value changes."""
    starts = np.arange(0, len(before), LINE // before.itemsize)
    return float(np.maximum.reduceat(before != after, starts).mean())
