"""Long jobs of one user, each in a thread of its own: with progress, cancelled by the user or by a newer job."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from scenarios.files.schema import Scenario
from viz.live.comparing import slim
from viz.live.gathered import GatheredResults
from viz.live.runner import Run, Runner
from viz.live.session import Status

T = TypeVar("T")


class Stopped(Exception):
    """The job was cancelled, or a newer one replaced it."""


class Progress:
    """What a job tells of itself while it works, and whether it is still wanted."""

    def __init__(self, report: Callable[[int, int], None]) -> None:
        self._report, self._stop, self._begun = report, threading.Event(), 0

    def stop(self) -> None:
        """Ask the job to end."""
        self._stop.set()

    @property
    def stopped(self) -> bool:
        """Whether the job is no longer wanted."""
        return self._stop.is_set()

    def check(self) -> None:
        """Raise Stopped if the job is no longer wanted."""
        if self.stopped:
            raise Stopped

    def at(self, done: int, of: int) -> None:
        """Tell how many steps are done; raises Stopped if the job is no longer wanted."""
        self.check()
        self._report(done, of)

    def step(self, of: int) -> None:
        """Tell that one more step begins, of how many (0: unknown); raises Stopped as `at` does."""
        self.at(self._begun, of)
        self._begun += 1


class Background(Generic[T]):
    """One job at a time for one user; a new one ends the one before.

    Args:
        on_found: called from the job's thread with its result. on_status: with its stages, those of `Status`: central
            before the first progress, ensemble, then done, cancelled or failed.
    """

    def __init__(self, on_found: Callable[[T], None], on_status: Callable[[Status], None]) -> None:
        self._on_found, self._on_status = on_found, on_status
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._progress: Progress | None = None

    def start(self, work: Callable[[Progress], T]) -> None:
        """Begin a job."""
        with self._lock:
            self._end()
            closed = self._closed = threading.Event()
            progress = self._progress = Progress(
                lambda done, of: self._tell(closed, self._on_status, Status("ensemble", done, of))
            )
        self._on_status(Status("central"))
        threading.Thread(target=self._work, args=(work, progress, closed), daemon=True, name="background job").start()

    def cancel(self) -> None:
        """End the job; its status says that it was cancelled."""
        if self._progress is not None:
            self._progress.stop()

    def close(self) -> None:
        """End the job; nothing more is told of it."""
        with self._lock:
            self._end()

    def _end(self) -> None:
        self._closed.set()
        if self._progress is not None:
            self._progress.stop()

    @staticmethod
    def _tell(closed: threading.Event, call: Callable, value: object) -> None:
        if not closed.is_set():
            call(value)

    def _work(self, work: Callable[[Progress], T], progress: Progress, closed: threading.Event) -> None:
        try:
            found = work(progress)
            progress.check()
        except Stopped:
            self._tell(closed, self._on_status, Status("cancelled"))
        except Exception as error:  # any failure is shown to this user and does not end the page
            self._tell(closed, self._on_status, Status("failed", fault=error))
        else:
            self._tell(closed, self._on_found, found)
            self._tell(closed, self._on_status, Status("done"))


class PairedRuns:
    """Runs of scenarios for the same members of the ensemble, beside those of other users.

    Args:
        members: how many. progress: of the job they are for.
    """

    def __init__(self, runner: Runner, members: int, progress: Progress) -> None:
        self.runner, self.members, self._progress = runner, members, progress

    def baseline(self) -> list[Run]:
        """The runs of the baseline, with their national tables."""
        return [slim(self.runner.baseline_run(member, patient=True)) for member in self._numbers]

    def of(self, scenario: Scenario, steps: int = 0) -> list[Run]:
        """The runs of a scenario, with their national tables.

        Args:
            steps: runs of the whole job, each of which is a step of it; 0 if that is not known.

        Raises:
            Stopped: the job is no longer wanted.
        """
        runs = []
        for member in self._numbers:
            self._progress.step(steps)
            run = self.runner.run(scenario.policy, member, lambda: self._progress.stopped, patient=True)
            if run is None:
                raise Stopped
            runs.append(slim(run))
        return runs

    def gathered(self, runs: Sequence[tuple[Scenario, Sequence[Run]]]) -> GatheredResults:
        """Runs of several scenarios as results, the baseline first."""
        return GatheredResults(
            self.runner, [scenario for scenario, _ in runs], {scenario.name: own for scenario, own in runs}
        )

    @property
    def _numbers(self) -> range:
        return range(1, self.members + 1)
