"""Measures the memory of another process while it works."""

from __future__ import annotations

import threading

import psutil

#: Seconds between two samples.
_INTERVAL_S = 0.02


class MemoryWatch:
    """Samples the resident memory of a process, in bytes, until it is closed."""

    def __init__(self, pid: int) -> None:
        self._process, self._closed, self._peak = psutil.Process(pid), threading.Event(), 0
        threading.Thread(target=self._sample, daemon=True).start()

    def _sample(self) -> None:
        while not self._closed.wait(_INTERVAL_S):
            self._peak = max(self._peak, self.now())

    def now(self) -> int:
        """Current memory of the process."""
        return self._process.memory_info().rss

    def peak(self) -> int:
        """Peak memory since the last call."""
        peak, self._peak = max(self._peak, self.now()), 0
        return peak

    def close(self) -> None:
        """Stop sampling."""
        self._closed.set()
