"""Comparison runs of policies and the baseline: made for one user at a time, cached for all users."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache

from scenarios.files.schema import Scenario
from sim.policy import Policy
from viz.live.findings import Findings, find
from viz.live.gathered import GatheredResults
from viz.live.runner import Run, Runner
from viz.live.session import Status

#: Number of policies whose runs are cached for all users, and the tables cached: those that `find` reads, about 1 %
#: of a run.
CACHED_POLICIES, CACHED_TABLES = 16, ("national",)


class RunCache:
    """Cached runs of the policies requested last, with CACHED_TABLES, shared by all users; thread-safe."""

    def __init__(self, runner: Runner, most: int = CACHED_POLICIES) -> None:
        self.runner, self.most = runner, most
        self._runs: OrderedDict[str, dict[int, Run]] = OrderedDict()
        self._lock = threading.Lock()

    def run(self, policy: Policy, member: int, stopped: Callable[[], bool]) -> Run | None:
        """The run of a policy for a member of the ensemble, from the cache or new; None if stopped."""
        key = _key(policy)
        run = self._find(key, member)
        if run is None:
            # Not under the lock: one user's run must not block another, even if both make the same run.
            run = self.runner.run(policy, member, stopped, patient=True)
            if run is not None:
                run = slim(run)
                self._keep(key, [run])
        return run

    def keep(self, policy: Policy, runs: Sequence[Run]) -> None:
        """Add runs of a policy that were made elsewhere."""
        self._keep(_key(policy), [slim(run) for run in runs])

    def __len__(self) -> int:
        return len(self._runs)

    def _find(self, key: str, member: int) -> Run | None:
        with self._lock:
            if key in self._runs:
                self._runs.move_to_end(key)
            return self._runs.get(key, {}).get(member)

    def _keep(self, key: str, runs: Sequence[Run]) -> None:
        with self._lock:
            self._runs.setdefault(key, {}).update((run.member, run) for run in runs)
            self._runs.move_to_end(key)
            while len(self._runs) > self.most:
                self._runs.popitem(last=False)


def _key(policy: Policy) -> str:
    return policy.model_dump_json()


def slim(run: Run) -> Run:
    """A run with CACHED_TABLES only."""
    return Run(run.member, {name: run.tables[name] for name in CACHED_TABLES})


@lru_cache(maxsize=1)
def kept_of(runner: Runner) -> RunCache:
    """The cache of this process, which has a single runner."""
    return RunCache(runner)


class Comparer:
    """Runs several policies and the baseline for one user.

    Every policy is run with the central parameters first, then for every member of the ensemble. A new request, or
    closing the page, abandons the runs of the previous request.

    Args:
        on_found: called from a separate thread with the findings so far. on_status: with the current status.
    """

    def __init__(
        self,
        cache: RunCache,
        on_found: Callable[[Findings], None],
        on_status: Callable[[Status], None] = lambda status: None,
    ) -> None:
        self._cache, self._on_found, self._on_status = cache, on_found, on_status
        self._lock = threading.Lock()
        self._overtaken, self._cancelled = threading.Event(), threading.Event()

    def ask(self, policies: Sequence[Scenario]) -> None:
        """Compare policies, which have different names; replaces any earlier request."""
        with self._lock:
            self._overtaken.set()
            self._overtaken, self._cancelled = threading.Event(), threading.Event()
            request = (tuple(policies), self._overtaken, self._cancelled)
        threading.Thread(target=self._work, args=request, daemon=True, name="comparison worker").start()

    def cancel(self) -> None:
        """Stop the current ensemble; the members finished for all policies are shown."""
        self._cancelled.set()

    def close(self) -> None:
        """Stop all runs."""
        with self._lock:
            self._overtaken.set()

    def _work(self, policies: tuple[Scenario, ...], overtaken: threading.Event, cancelled: threading.Event) -> None:
        def notify(call: Callable, value: object) -> None:
            # Never under the lock: a page that is notified may redraw, and make a new request while doing so.
            if not overtaken.is_set():
                call(value)

        try:
            for findings, status in self._compare(policies, overtaken, cancelled, lambda s: notify(self._on_status, s)):
                notify(self._on_found, findings)
                notify(self._on_status, status)
        except Exception as error:  # any failure of a run is shown to this user and does not end the page
            notify(self._on_status, Status("failed", fault=error))

    def _compare(
        self,
        policies: tuple[Scenario, ...],
        overtaken: threading.Event,
        cancelled: threading.Event,
        report: Callable[[Status], None],
    ) -> Iterator[tuple[Findings, Status]]:
        """Findings so far with the status that follows, at most twice."""
        runner = self._cache.runner
        of = runner.members * len(policies)

        def stopped() -> bool:
            return overtaken.is_set() or cancelled.is_set()

        def column(member: int, stopped: Callable[[], bool], done: int, of: int) -> list[Run] | None:
            """Runs of one member, of the baseline and of every policy; None if stopped."""
            runs = [slim(runner.baseline_run(member, patient=True))]
            for position, policy in enumerate(policies):
                report(Status("ensemble" if member else "central", done + position, of))
                run = None if stopped() else self._cache.run(policy.policy, member, stopped)
                if run is None:
                    return None
                runs.append(run)
            return runs

        def findings_of(columns: list[list[Run]]) -> Findings:
            scenarios = [runner.baseline, *policies]
            rows = zip(*columns, strict=True)
            runs = {scenario.name: row for scenario, row in zip(scenarios, rows, strict=True)}
            return find(GatheredResults(runner, scenarios, runs), runner.baseline.name)

        central = column(0, overtaken.is_set, 0, len(policies))
        if central is None:
            return
        yield findings_of([central]), Status("ensemble", 0, of)
        columns: list[list[Run]] = []
        for member in range(1, runner.members + 1):
            runs = column(member, stopped, len(columns) * len(policies), of)
            if runs is None:
                break
            columns.append(runs)
        if overtaken.is_set():
            return
        complete = len(columns) == runner.members
        last = Status("done" if complete else "cancelled", len(columns), runner.members)
        # A single pair gives no interval, so the central runs stay on the page.
        yield findings_of(columns if len(columns) > 1 else [central]), last
