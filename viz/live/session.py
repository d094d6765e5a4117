"""The latest request of one user and the threads that answer it; a new request replaces the previous one."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from scenarios.files.schema import Scenario
from sim.branching import first_difference
from sim.calendar import START, Quarter
from sim.model import SRDIModel
from viz.live.parts import Parts
from viz.live.runner import Run, Runner


@dataclass(frozen=True, eq=False)
class Answer:
    """Results for a scenario so far.

    Attributes:
        scenario: requested. number: of the user's request.
        central, central_baseline: runs of the scenario and of the baseline with the central parameters; the former may
            be a part (see `viz.live.parts`).
        runs, baselines: runs of the members so far, in order.
        weight: real firms that a simulated one stands for.
    """

    scenario: Scenario
    number: int
    central: Run
    central_baseline: Run
    runs: tuple[Run, ...] = ()
    baselines: tuple[Run, ...] = ()
    weight: float = 1.0

    @property
    def is_baseline(self) -> bool:
        """Whether the scenario does not differ from the baseline in anything that acts."""
        return self.central is self.central_baseline

    @property
    def reached(self) -> Quarter | None:
        """The last quarter of an answer that is a part; None for a whole one."""
        return self.central.reached


@dataclass(frozen=True)
class Status:
    """Status of a request: runs done out of all runs of an ensemble, or what failed.

    Attributes:
        stage: waiting, central, ensemble, done, cancelled or failed. number: of the request. fault: of a failure.
    """

    stage: str
    done: int = 0
    of: int = 0
    number: int = 0
    fault: Exception | None = None


class Worker:
    """Answers one user: a thread for the central run, and another for the ensemble once the user rests.

    There is no queue: a new request replaces the current one, whose runs are abandoned before their next quarter. The
    central run of the new one begins at once. After `rest` seconds without a new request, the ensemble is run.

    While a lever is held, a central run goes on to its end although the lever has moved on, and the newest position
    follows: of runs that were all abandoned, nothing would be seen. The release abandons the run in hand.

    Args:
        on_answer: called from the threads with every improved answer, the first of them a part of the central run
            unless others wait for a core.
        on_status: called from the threads with the current status.
        rest: seconds without a request before the ensemble begins.
        patience: seconds before the status of the central run is reported, because drawing it takes as long as some
            quarters of the run; and before parts of it are, while a lever is held.
        pause: time between two parts of the central run, in multiples of the time it takes to show one.
    """

    def __init__(
        self,
        runner: Runner,
        on_answer: Callable[[Answer], None],
        on_status: Callable[[Status], None] = lambda status: None,
        rest: float = 0.6,
        patience: float = 1.0,
        pause: float = 25.0,
    ) -> None:
        self.runner, self.rest, self.patience, self.pause = runner, rest, patience, pause
        self._on_answer, self._on_status = on_answer, on_status
        self._changed, self._telling = threading.Condition(), threading.Lock()
        self._request: Scenario | None = None
        self._number = self._answered = self._cancelled = 0
        self._closed = self._held = False
        self._shown = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True, name="policy worker")

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def ask(self, scenario: Scenario, held: bool = False) -> int:
        """Request a scenario, replacing any earlier request; returns the number of the request.

        Args:
            held: whether the lever is still held, so that more requests follow.
        """
        with self._changed:
            self._request, self._held = scenario, held
            self._number += 1
            self._shown.clear()
            self._changed.notify_all()
            return self._number

    def wait_for_part(self, seconds: float) -> None:
        """Wait until a part of the answer to the latest request has been shown, but no longer than some seconds."""
        self._shown.wait(seconds)

    def release(self) -> None:
        """The lever is released where the latest request has it."""
        self._held = False

    def cancel(self) -> None:
        """Stop the current ensemble; results so far stay."""
        with self._changed:
            self._cancelled = self._number
            self._changed.notify_all()

    def close(self) -> None:
        """End the thread, after the current quarter of its run."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _overtaken(self, number: int) -> bool:
        return self._closed or self._number != number

    def _abandoned(self, number: int) -> bool:
        """Whether the central run of a request is not to go on."""
        return self._closed or (self._number != number and not self._held)

    def _tell(self, call: Callable, value: Answer | Status, ended: Callable[[int], bool] | None = None) -> None:
        """Tell the page of a request, unless it has `ended`; in turns, so that nothing old follows the new.

        Args:
            ended: by default whether a newer request replaced it.
        """
        with self._telling:
            if not (ended or self._overtaken)(value.number):
                call(value)

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._closed or self._number != self._answered)
                if self._closed or self._request is None:
                    return
                scenario, number = self._request, self._number
                self._answered = number
            self._try(number, self._central, scenario, number)

    def _try(self, number: int, task: Callable[..., None], *arguments: object) -> None:
        try:
            task(*arguments)
        except Exception as error:  # any failure of a run is shown to this user and does not end the page
            self._tell(self._on_status, Status("failed", number=number, fault=error))

    def _central(self, scenario: Scenario, number: int) -> None:
        """The central run, shown in parts and then whole; the ensemble follows if the user rests."""
        runner = self.runner
        report_at = time.monotonic() + self.patience
        reported = False

        def abandoned() -> bool:
            nonlocal reported
            if not reported and time.monotonic() >= report_at:
                reported = True
                self._tell(self._on_status, Status("central", 0, 1, number=number), self._abandoned)
            return self._abandoned(number)

        def tell(answer: Answer) -> None:
            self._tell(self._on_answer, answer, self._abandoned)
            if answer.number == self._number:
                self._shown.set()

        baseline = runner.baseline_run(0)

        def answer(run: Run) -> Answer:
            return Answer(scenario, number, run, baseline, weight=1.0 / runner.scale)

        # A policy that never differs has no parts: its run is the baseline's.
        first = first_difference(runner.baseline.policy, scenario.policy) or START
        parts = Parts(lambda part: tell(answer(part)), baseline, first, self.pause)

        def look(model: SRDIModel) -> None:
            # Under the hand, one whole line after the other: between them, parts would only flicker. While others wait
            # for a core, drawing parts would only make them wait longer.
            if not runner.crowded and (not self._held or time.monotonic() >= report_at):
                parts.look(model)

        run = runner.run(scenario.policy, 0, abandoned, look=look)
        if run is None:
            return
        # The status first: over the whole answer, nobody is to read that it is being computed.
        self._tell(self._on_status, Status("waiting", 0, runner.members, number=number), self._abandoned)
        tell(answer(run))
        if self._rests(number):
            task = (number, self._ensemble, answer(run))
            threading.Thread(target=self._try, args=task, daemon=True, name="ensemble worker").start()

    def _rests(self, number: int) -> bool:
        """Wait whether the user rests: False if there is a new request or the ensemble is cancelled meanwhile."""
        with self._changed:
            moved = self._changed.wait_for(lambda: self._is_off(number), self.rest)
        if moved:
            self._settle(number)
        return not moved

    def _is_off(self, number: int) -> bool:
        """Whether the ensemble of a request is not to go on."""
        return self._overtaken(number) or self._cancelled == number

    def _ensemble(self, answer: Answer) -> None:
        runner, number = self.runner, answer.number
        runs, baselines = [], []
        for member in range(1, runner.members + 1):
            self._tell(self._on_status, Status("ensemble", member - 1, runner.members, number=number))
            baselines.append(runner.baseline_run(member, patient=True))
            run = runner.run(answer.scenario.policy, member, lambda: self._is_off(number), patient=True)
            if run is None:
                self._settle(number)
                return
            runs.append(run)
        self._tell(self._on_answer, replace(answer, runs=tuple(runs), baselines=tuple(baselines)))
        self._tell(self._on_status, Status("done", runner.members, runner.members, number=number))

    def _settle(self, number: int) -> None:
        """Report that the ensemble was cancelled, unless a newer request replaced it."""
        self._tell(self._on_status, Status("cancelled", 0, self.runner.members, number=number))
