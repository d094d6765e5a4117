"""Runs kernels over all firms, on one thread or several, with the same bits."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from sim.firms.tile import TILE, Slots

_SHARES_PER_THREAD = 8
_LEAST_TILES = 32
#: Slots from which sharing a short pass among threads pays; below, sharing takes longer than the pass.
_WORTH_SHARING = 1_000_000


def _zeroed(totals):
    if isinstance(totals, np.ndarray):
        return np.zeros_like(totals)
    return type(totals)(*(np.zeros_like(array) for array in totals))


def _add(totals, partial) -> None:
    """Add what one thread counted to the totals."""
    if isinstance(totals, np.ndarray):
        totals += partial
    else:
        for whole, counted in zip(totals, partial, strict=True):
            whole += counted


class Blocks:
    """Splits the slots over threads.

    A kernel takes ``(*arguments, slots)``; where they are asked for, working memory of its own and the totals it adds
    to come before the slots, in this order. Firms are independent within a pass and totals are integers, so
    neither the split nor the order changes a bit of the result.

    Attributes:
        slots: number of slots, vacant ones included. threads: those that work, the calling one included.
    """

    def __init__(self, slots: int, threads: int = 1) -> None:
        self.slots = slots
        self.threads = max(1, min(threads, slots))
        tiles = -(-slots // (TILE * self.threads * _SHARES_PER_THREAD))
        self._share = TILE * max(tiles, _LEAST_TILES)
        # The calling thread works too, and starts before the others have woken.
        self._pool = ThreadPoolExecutor(self.threads - 1) if self.threads > 1 else None

    def run(
        self,
        kernel,
        *arguments,
        totals=None,
        scratch: Callable[[], np.ndarray | tuple] | None = None,
        long: bool = False,
    ) -> None:
        """Run a kernel over all slots.

        Args:
            kernel: see `sim.numerics.jit.kernel`. arguments: what it takes first, the same for all slots.
            totals: integer array, or named tuple of them, that the kernel adds to; None if it adds to nothing.
            scratch: makes the working memory each call receives; None for none.
            long: whether the pass is worth sharing even in a small population.
        """

        def call(partial, first, end):
            asked = [] if scratch is None else [scratch()]
            if partial is not None:
                asked.append(partial)
            kernel(*arguments, *asked, Slots(first, end))

        if self._pool is None or not (long or self.slots >= _WORTH_SHARING):
            call(totals, 0, self.slots)
            return
        starts = iter(range(0, self.slots, self._share))

        def work(partial):
            # Each thread takes the next share until none is left, so a slow one delays no other.
            for first in starts:
                call(partial, first, min(first + self._share, self.slots))

        def help_out():
            partial = None if totals is None else _zeroed(totals)
            work(partial)
            return partial

        helpers = [self._pool.submit(help_out) for _ in range(self.threads - 1)]
        work(totals)
        for helper in helpers:
            # A helper that has not started has nothing left to do; wait for the others.
            if not helper.cancel():
                partial = helper.result()
                if totals is not None:
                    _add(totals, partial)

    def __reduce__(self) -> tuple:
        """Threads are neither pickled nor copied: a copy has its own."""
        return Blocks, (self.slots, self.threads)

    def close(self) -> None:
        """End the threads."""
        if self._pool is not None:
            self._pool.shutdown()
