"""The latest request of one user and the thread that answers it; a new request replaces the previous one."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from scenarios.errors import InputError
from scenarios.files.schema import Scenario
from viz.live.runner import Run, Runner


@dataclass(frozen=True, eq=False)
class Answer:
    """Results for a scenario so far.

    Attributes:
        scenario: requested. number: of the user's request.
        central, central_baseline: runs of the scenario and of the baseline with the central parameters.
        runs, baselines: runs of the members so far, in order.
    """

    scenario: Scenario
    number: int
    central: Run
    central_baseline: Run
    runs: tuple[Run, ...] = ()
    baselines: tuple[Run, ...] = ()

    @property
    def is_baseline(self) -> bool:
        """Whether the scenario does not differ from the baseline in anything that acts."""
        return self.central is self.central_baseline


@dataclass(frozen=True)
class Status:
    """Status of a request: runs done out of all runs of an ensemble, or the message of a failure.

    Attributes:
        stage: waiting, central, ensemble, done, cancelled or failed.
    """

    stage: str
    done: int = 0
    of: int = 0
    message: str = ""


def fault_text(fault: BaseException) -> str:
    """Text of an error for the user: the message of an `InputError`, otherwise with the type of the error."""
    return str(fault) if isinstance(fault, InputError) else f"{type(fault).__name__}: {fault}"


class Worker:
    """One thread that answers one user.

    There is no queue: a new request replaces the current one, whose run is abandoned before its next quarter. After
    `rest` seconds without a new request, the ensemble is run.

    Args:
        on_answer: called from the worker's thread with every improved answer.
        on_status: called from the worker's thread with the current status.
        rest: seconds without a request before the ensemble begins.
        patience: seconds before the status of the central run is reported, because drawing it takes as long as some
            quarters of the run.
    """

    def __init__(
        self,
        runner: Runner,
        on_answer: Callable[[Answer], None],
        on_status: Callable[[Status], None] = lambda status: None,
        rest: float = 0.6,
        patience: float = 1.0,
    ) -> None:
        self.runner, self.rest, self.patience = runner, rest, patience
        self._on_answer, self._on_status = on_answer, on_status
        self._changed = threading.Condition()
        self._request: Scenario | None = None
        self._number = self._answered = self._cancelled = 0
        self._closed = False
        self._thread = threading.Thread(target=self._work, daemon=True, name="policy worker")

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def ask(self, scenario: Scenario) -> int:
        """Request a scenario, replacing any earlier request; returns the number of the request."""
        with self._changed:
            self._request = scenario
            self._number += 1
            self._changed.notify()
            return self._number

    def cancel(self) -> None:
        """Stop the current ensemble; results so far stay."""
        with self._changed:
            self._cancelled = self._number
            self._changed.notify()

    def close(self) -> None:
        """End the thread, after the current quarter of its run."""
        with self._changed:
            self._closed = True
            self._changed.notify()

    def _overtaken(self, number: int) -> bool:
        return self._closed or self._number != number

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._closed or self._number != self._answered)
                if self._closed or self._request is None:
                    return
                scenario, number = self._request, self._number
                self._answered = number
            try:
                self._answer(scenario, number)
            except Exception as error:  # any failure of a run is shown to this user and does not end the page
                self._on_status(Status("failed", message=fault_text(error)))

    def _answer(self, scenario: Scenario, number: int) -> None:
        runner = self.runner
        report_at = time.monotonic() + self.patience
        reported = False

        def overtaken() -> bool:
            nonlocal reported
            if not reported and time.monotonic() >= report_at:
                reported = True
                self._on_status(Status("central", 0, 1))
            return self._overtaken(number)

        baseline = runner.baseline_run(0)
        run = runner.run(scenario.policy, 0, overtaken)
        if run is None:
            return
        answer = Answer(scenario, number, run, baseline)
        self._on_answer(answer)
        self._on_status(Status("waiting", 0, runner.members))
        with self._changed:
            if self._changed.wait_for(lambda: self._overtaken(number) or self._cancelled == number, self.rest):
                self._settle(number)
                return
        runs, baselines = [], []
        for member in range(1, runner.members + 1):
            self._on_status(Status("ensemble", member - 1, runner.members))
            baselines.append(runner.baseline_run(member, patient=True))
            run = runner.run(
                scenario.policy,
                member,
                lambda: self._overtaken(number) or self._cancelled == number,
                patient=True,
            )
            if run is None:
                self._settle(number)
                return
            runs.append(run)
        self._on_answer(Answer(scenario, number, answer.central, baseline, tuple(runs), tuple(baselines)))
        self._on_status(Status("done", runner.members, runner.members))

    def _settle(self, number: int) -> None:
        """Report that the ensemble was cancelled, unless a newer request replaced it."""
        if not self._overtaken(number):
            self._on_status(Status("cancelled", 0, self.runner.members))
