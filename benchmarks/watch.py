"""Looks at the memory of another process while it works."""

from __future__ import annotations

import threading

import psutil

#: Seconds between looks.
_LOOK = 0.02


class Watch:
    """Looks at the resident memory of a process, in bytes, until it is closed."""

    def __init__(self, pid: int) -> None:
        self._process, self._closed, self._most = psutil.Process(pid), threading.Event(), 0
        threading.Thread(target=self._look, daemon=True).start()

    def _look(self) -> None:
        while not self._closed.wait(_LOOK):
            self._most = max(self._most, self.now())

    def now(self) -> int:
        """What the process holds."""
        return self._process.memory_info().rss

    def most(self) -> int:
        """The most it has held since this was asked last."""
        most, self._most = max(self._most, self.now()), 0
        return most

    def close(self) -> None:
        """Look no more."""
        self._closed.set()
