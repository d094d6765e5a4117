"""What one reader has asked for last, and who answers it: the newest request wins, what it overtakes is given up."""

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
    """What is known of a scenario so far.

    Attributes:
        scenario: asked for. number: counts a reader's wishes.
        central: the run with the central parameters, with the baseline's beside it.
        runs, baselines: of the members run so far, in their order.
    """

    scenario: Scenario
    number: int
    central: Run
    central_baseline: Run
    runs: tuple[Run, ...] = ()
    baselines: tuple[Run, ...] = ()

    @property
    def is_baseline(self) -> bool:
        """Whether nothing that acts differs from the baseline."""
        return self.central is self.central_baseline


@dataclass(frozen=True)
class Status:
    """What is going on: runs done of all of an ensemble, or the sentence of a failure.

    Attributes:
        stage: waiting, central, ensemble, done, cancelled or failed.
    """

    stage: str
    done: int = 0
    of: int = 0
    message: str = ""


def fault_text(fault: BaseException) -> str:
    """A fault as the reader is told of it: the sentence of an `InputError`, anything else with its kind."""
    return str(fault) if isinstance(fault, InputError) else f"{type(fault).__name__}: {fault}"


class Worker:
    """One thread that answers one reader.

    There is no queue: a request that comes while another is worked on replaces it, and the run in hand is given up
    before its next quarter. After `rest` seconds without a new request the ensemble is run.

    Args:
        on_answer: called from the worker's thread with every better answer.
        on_status: called from it with what is going on.
        rest: seconds without a request before the ensemble begins.
        patience: seconds before a run that is waited for is spoken of: drawing that costs as much as some quarters.
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
        self._wish: Scenario | None = None
        self._number = self._answered = self._cancelled = 0
        self._closed = False
        self._thread = threading.Thread(target=self._work, daemon=True, name="policy worker")

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def ask(self, scenario: Scenario) -> int:
        """Ask for a scenario, whatever was asked for before; returns the number of the request."""
        with self._changed:
            self._wish = scenario
            self._number += 1
            self._changed.notify()
            return self._number

    def cancel(self) -> None:
        """Give up the ensemble that is being run; what is known stays."""
        with self._changed:
            self._cancelled = self._number
            self._changed.notify()

    def close(self) -> None:
        """End the thread once it has left the run in hand."""
        with self._changed:
            self._closed = True
            self._changed.notify()

    def _overtaken(self, number: int) -> bool:
        return self._closed or self._number != number

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._closed or self._number != self._answered)
                if self._closed or self._wish is None:
                    return
                scenario, number = self._wish, self._number
                self._answered = number
            try:
                self._answer(scenario, number)
            except Exception as error:  # whatever a run raises is this reader's message, not the end of the page
                self._on_status(Status("failed", message=fault_text(error)))

    def _answer(self, scenario: Scenario, number: int) -> None:
        runner = self.runner
        speak_at = time.monotonic() + self.patience
        spoken = False

        def overtaken() -> bool:
            nonlocal spoken
            if not spoken and time.monotonic() >= speak_at:
                spoken = True
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
        """Say so if the ensemble was given up because the reader wanted it, not because of a newer request."""
        if not self._overtaken(number):
            self._on_status(Status("cancelled", 0, self.runner.members))
