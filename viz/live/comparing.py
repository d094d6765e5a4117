"""Runs of policies beside the baseline: kept for all readers, made for one reader at a time."""

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
from viz.live.session import Status, fault_text

#: Policies whose runs are kept for all readers, and what is kept of a run: all that `find` reads, a hundredth of it.
MOST_KEPT, KEPT_TABLES = 16, ("national",)


class Kept:
    """Runs of the policies that were asked for last, with KEPT_TABLES, shared by all readers; safe for threads."""

    def __init__(self, runner: Runner, most: int = MOST_KEPT) -> None:
        self.runner, self.most = runner, most
        self._runs: OrderedDict[str, dict[int, Run]] = OrderedDict()
        self._lock = threading.Lock()

    def run(self, policy: Policy, member: int, stopped: Callable[[], bool]) -> Run | None:
        """The run of a policy as a member of the ensemble, made if it is not here; None if stopped."""
        key = _key(policy)
        found = self._find(key, member)
        if found is None:
            # Not under the lock: one reader's run keeps no other waiting, even if both make the same.
            found = self.runner.run(policy, member, stopped, patient=True)
            if found is not None:
                found = _slim(found)
                self._keep(key, [found])
        return found

    def keep(self, policy: Policy, runs: Sequence[Run]) -> None:
        """Keep runs of a policy that were made elsewhere."""
        self._keep(_key(policy), [_slim(run) for run in runs])

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


def _slim(run: Run) -> Run:
    return Run(run.member, {name: run.tables[name] for name in KEPT_TABLES})


@lru_cache(maxsize=1)
def kept_of(runner: Runner) -> Kept:
    """The runs this process keeps; of one runner, since it has one."""
    return Kept(runner)


class Comparer:
    """Runs several policies beside the baseline for one reader.

    Every policy is run with the central parameters first, then as every member of the ensemble. A new request, or the
    end of the page, gives up the runs of the one before.

    Args:
        on_found: called from a thread of its own with what is known so far. on_status: with what is going on.
    """

    def __init__(
        self,
        kept: Kept,
        on_found: Callable[[Findings], None],
        on_status: Callable[[Status], None] = lambda status: None,
    ) -> None:
        self._kept, self._on_found, self._on_status = kept, on_found, on_status
        self._lock = threading.Lock()
        self._overtaken, self._cancelled = threading.Event(), threading.Event()

    def ask(self, policies: Sequence[Scenario]) -> None:
        """Compare policies, with names of their own, whatever was asked for before."""
        with self._lock:
            self._overtaken.set()
            self._overtaken, self._cancelled = threading.Event(), threading.Event()
            request = (tuple(policies), self._overtaken, self._cancelled)
        threading.Thread(target=self._work, args=request, daemon=True, name="comparison worker").start()

    def cancel(self) -> None:
        """Give up the ensemble that is being run; members that all policies have are shown."""
        self._cancelled.set()

    def close(self) -> None:
        """Give up everything."""
        with self._lock:
            self._overtaken.set()

    def _work(self, policies: tuple[Scenario, ...], overtaken: threading.Event, cancelled: threading.Event) -> None:
        def tell(call: Callable, value: object) -> None:
            # Never under the lock: a page that is told something may draw itself, and ask for more while it does.
            if not overtaken.is_set():
                call(value)

        try:
            for found, status in self._compare(policies, overtaken, cancelled, lambda s: tell(self._on_status, s)):
                tell(self._on_found, found)
                tell(self._on_status, status)
        except Exception as error:  # whatever a run raises is this reader's message, not the end of the page
            tell(self._on_status, Status("failed", message=fault_text(error)))

    def _compare(
        self,
        policies: tuple[Scenario, ...],
        overtaken: threading.Event,
        cancelled: threading.Event,
        say: Callable[[Status], None],
    ) -> Iterator[tuple[Findings, Status]]:
        """What is known with the status that holds from then on, at most twice."""
        runner = self._kept.runner
        of = runner.members * len(policies)

        def stopped() -> bool:
            return overtaken.is_set() or cancelled.is_set()

        def column(member: int, stopped: Callable[[], bool], done: int, of: int) -> list[Run] | None:
            """Runs of one member, of the baseline and of every policy; None if stopped."""
            runs = [_slim(runner.baseline_run(member, patient=True))]
            for position, policy in enumerate(policies):
                say(Status("ensemble" if member else "central", done + position, of))
                run = None if stopped() else self._kept.run(policy.policy, member, stopped)
                if run is None:
                    return None
                runs.append(run)
            return runs

        def found(columns: list[list[Run]]) -> Findings:
            scenarios = [runner.baseline, *policies]
            rows = zip(*columns, strict=True)
            runs = {scenario.name: row for scenario, row in zip(scenarios, rows, strict=True)}
            return find(GatheredResults(runner, scenarios, runs), runner.baseline.name)

        central = column(0, overtaken.is_set, 0, len(policies))
        if central is None:
            return
        yield found([central]), Status("ensemble", 0, of)
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
        # Of a single pair there is no interval, as of the central runs that stand there.
        yield found(columns if len(columns) > 1 else [central]), last
