"""Cores that runs take in turn: in the order of asking, and those a reader waits for before those that can wait."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

#: Seconds between looks, while waiting, whether the run is still wanted.
_LOOK = 0.2


class Cores:
    """A number of cores, each held by one run at a time.

    Patient runs wait for all others, and leave the last core free, unless there is only one.
    """

    def __init__(self, count: int) -> None:
        self.count = count
        self._most_patient = max(1, count - 1)
        self._held = {False: 0, True: 0}
        # By patience, a token of everybody who waits, in the order of asking.
        self._waiting: dict[bool, deque[object]] = {False: deque(), True: deque()}
        self._changed = threading.Condition()

    @contextmanager
    def one(self, patient: bool = False, stopped: Callable[[], bool] = lambda: False) -> Iterator[int]:
        """Wait for a core and hold it; gives the threads a run may have.

        These are as many as there are cores for a run that is alone and not patient, otherwise one; none once
        `stopped`, which is asked while waiting, says yes.
        """
        threads = self._take(patient, stopped)
        try:
            yield threads
        finally:
            if threads:
                self._give(patient)

    def give_way(self, stopped: Callable[[], bool] = lambda: False) -> bool:
        """For a patient run, now and then: lend the core while others wait; False once `stopped` says yes."""
        if not self._waiting[False]:
            return True
        self._give(patient=True)
        taken = self._take(True, stopped)
        if not taken:
            # The holder gives back what it lent.
            with self._changed:
                self._held[True] += 1
        return bool(taken)

    def _take(self, patient: bool, stopped: Callable[[], bool]) -> int:
        token, waiting = object(), self._waiting[patient]
        with self._changed:
            waiting.append(token)
            try:
                while not (waiting[0] is token and self._is_free(patient)):
                    if stopped():
                        return 0
                    self._changed.wait(_LOOK)
                self._held[patient] += 1
                return self.count if not patient and sum(self._held.values()) == 1 else 1
            finally:
                waiting.remove(token)
                self._changed.notify_all()

    def _give(self, patient: bool) -> None:
        with self._changed:
            self._held[patient] -= 1
            self._changed.notify_all()

    def _is_free(self, patient: bool) -> bool:
        if sum(self._held.values()) >= self.count:
            return False
        return not patient or (not self._waiting[False] and self._held[True] < self._most_patient)
