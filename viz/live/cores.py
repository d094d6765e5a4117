"""Allocation of cores to runs: in order of request, and runs that a user waits for before background runs."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

#: Seconds between checks, while waiting, whether the run is still needed.
_CHECK_INTERVAL = 0.2


class Cores:
    """A number of cores, each used by one run at a time.

    Patient runs wait for all others, and leave the last core free unless there is only one. A run that is not patient
    and the only such run has all cores: patient runs stand still meanwhile.
    """

    def __init__(self, count: int) -> None:
        self.count = count
        self._most_patient = max(1, count - 1)
        self._in_use = {False: 0, True: 0}
        # By patience: a token for each waiting run, in order of request.
        self._waiting: dict[bool, deque[object]] = {False: deque(), True: deque()}
        self._changed = threading.Condition()

    @contextmanager
    def one(self, patient: bool = False, stopped: Callable[[], bool] = lambda: False) -> Iterator[int]:
        """Wait for a core and occupy it; yields the number of threads the run may use.

        A run that is not patient gets as many threads as there are cores if it is the only such run; any other run
        gets one. It is 0 if `stopped`, which is checked while waiting, returns true.
        """
        threads = self._take(patient, stopped)
        try:
            yield threads
        finally:
            if threads:
                self._give(patient)

    @property
    def awaited(self) -> bool:
        """Whether a run that is not patient waits for a core."""
        with self._changed:
            return bool(self._waiting[False])

    def give_way(self, stopped: Callable[[], bool] = lambda: False) -> bool:
        """For a patient run between steps: stand still while others need it; False once `stopped` returns true."""
        if not self._are_needed():
            return True
        self._give(patient=True)
        taken = self._take(True, stopped)
        if not taken:
            # `one` will release the core, so count it as occupied again.
            with self._changed:
                self._in_use[True] += 1
        return bool(taken)

    def _take(self, patient: bool, stopped: Callable[[], bool]) -> int:
        token, waiting = object(), self._waiting[patient]
        with self._changed:
            waiting.append(token)
            try:
                while not (waiting[0] is token and self._is_free(patient)):
                    if stopped():
                        return 0
                    self._changed.wait(_CHECK_INTERVAL)
                self._in_use[patient] += 1
                return self.count if not patient and self._in_use[False] == 1 else 1
            finally:
                waiting.remove(token)
                self._changed.notify_all()

    def _give(self, patient: bool) -> None:
        with self._changed:
            self._in_use[patient] -= 1
            self._changed.notify_all()

    def _is_free(self, patient: bool) -> bool:
        if sum(self._in_use.values()) >= self.count:
            return False
        return not patient or (not self._are_needed() and self._in_use[True] < self._most_patient)

    def _are_needed(self) -> bool:
        """Whether runs that are not patient need the cores of patient ones: some wait, or one has all cores.

        Several of them have a core each; the others are left to patient runs, which on a busy server would otherwise
        never go on.
        """
        return bool(self._waiting[False]) or self._in_use[False] == 1
