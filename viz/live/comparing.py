"""Policies beside each other: who runs them, and what comparing them finds, in numbers and in words."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pandas as pd
from markupsafe import Markup, escape

from scenarios.errors import InputError
from scenarios.metrics import LESS_IS_BETTER, SPENT
from scenarios.regret import regret_table
from scenarios.results import Results
from scenarios.schema import Scenario
from sim.policy import Policy
from viz.compared import Compared, End, unit_of
from viz.language import NOTHING, Words
from viz.live.gathered import GatheredResults
from viz.live.runner import Run, Runner
from viz.live.session import Status
from viz.money import Price, price_of
from viz.paired import Estimate, verdict
from viz.parts import Table
from viz.sections import ENDS, Sections

#: Firms whose price is told, and quantities whose robustness is.
PRICED = ("little_giants", "genuine_little_giants", "srdi_smes")
ROBUST = ("little_giants", "genuine_little_giants", "srdi_smes", SPENT)
#: Quantities whose effects are drawn with their intervals.
FORESTS = ("little_giants", "srdi_smes")
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

    Every policy is run with the central parameters first, then as every member of the ensemble. A new wish, or the end
    of the page, gives up the runs of the one before.

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
            wish = (tuple(policies), self._overtaken, self._cancelled)
        threading.Thread(target=self._work, args=wish, daemon=True, name="comparison worker").start()

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
        except InputError as error:
            tell(self._on_status, Status("failed", message=str(error)))
        except Exception as error:  # whatever a run raises is this reader's message, not the end of the page
            tell(self._on_status, Status("failed", message=f"{type(error).__name__}: {error}"))

    def _compare(self, policies, overtaken, cancelled, say):
        """Yields what is known with the status that holds from then on, at most twice."""
        runner = self._kept.runner

        def column(member: int, stopped: Callable[[], bool], done: int, of: int) -> list[Run] | None:
            """Runs of one member: of the baseline, and of every policy."""
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
        yield found([central]), Status("ensemble", 0, runner.members * len(policies))
        columns: list[list[Run]] = []
        of = runner.members * len(policies)
        while len(columns) < runner.members:
            runs = column(
                len(columns) + 1, lambda: overtaken.is_set() or cancelled.is_set(), len(columns) * len(policies), of
            )
            if runs is None:
                break
            columns.append(runs)
        if overtaken.is_set():
            return
        complete = len(columns) == runner.members
        last = Status("done" if complete else "cancelled", len(columns), runner.members)
        # Of a single pair there is no interval, as of the central runs that stand there.
        yield found(columns if len(columns) > 1 else [central]), last


# --- what comparing finds


@dataclass(frozen=True)
class Robustness:
    """How a policy does over all states of the world: draws of the parameters, each with its luck.

    Attributes:
        states: how many. better: share of them in which it does better than the baseline.
        worst: difference to the baseline in the worst of them.
        regret: the most it misses of the best policy of all, the baseline among them, in any of them.
        best: share of states in which no policy does better.
    """

    states: int
    better: float
    worst: float
    regret: float
    best: float


@dataclass(frozen=True, eq=False)
class Findings:
    """What comparing finds at the end of the runs, in numbers.

    Attributes:
        compared: the runs. ends: by scenario and quantity of `viz.sections.ENDS`, the baseline among them.
        prices: by scenario and quantity of PRICED. robustness: by scenario and quantity of ROBUST.
    """

    compared: Compared
    ends: dict[tuple[str, str], End]
    prices: dict[tuple[str, str], Price]
    robustness: dict[tuple[str, str], Robustness]

    @property
    def pairs(self) -> int:
        """Pairs of runs every number rests on."""
        return self.compared.runs_each


def find(results: Results, baseline: str | None = None) -> Findings:
    """Compare every scenario of results with one of them.

    Raises:
        InputError: an unknown baseline, or a single scenario.
    """
    compared = Compared(results, baseline)
    if not compared.others:
        raise InputError(f"{results.path} holds {compared.baseline!r} alone: there is nothing to compare it with")
    ends = {(name, quantity): compared.end(name, quantity) for name in compared.names for quantity in ENDS}
    prices = {
        (name, quantity): price_of(*(compared.differences(name, each).iloc[-1] for each in (SPENT, quantity)))
        for name in compared.others
        for quantity in PRICED
    }
    robustness = {(name, quantity): row for quantity in ROBUST for name, row in _robustness(compared, quantity).items()}
    return Findings(compared, ends, prices, robustness)


def _robustness(compared: Compared, quantity: str) -> dict[str, Robustness]:
    values = pd.DataFrame({name: compared.runs(name, quantity).iloc[-1] for name in compared.names})
    less = quantity in LESS_IS_BETTER
    table = regret_table(values, compared.baseline, less).set_index("scenario")
    differences = values.sub(values[compared.baseline], axis=0)
    worst = differences.max() if less else differences.min()
    return {
        name: Robustness(
            states=int(row["states"]),
            better=float(row["better_share"]),
            worst=float(worst[name]),
            regret=float(row["regret_max"]),
            best=float(row["best_share"]),
        )
        for name, row in table.iterrows()
    }


# --- in words


def effects_table(found: Findings, words: Words) -> Table:
    """Effects at the end, one row a quantity and one column a policy: difference, interval, and what they say."""
    sections, compared = Sections(found.compared, words), found.compared
    heads = [words("compare.quantity"), *(sections.titles[name] for name in compared.names)]
    rows = []
    for quantity in ENDS:
        unit = unit_of(quantity)
        before = found.ends[compared.baseline, quantity].mean
        cells = [_lines(words.column(quantity), words.unit(unit)), words.value(before, unit)]
        for name in compared.others:
            difference = found.ends[name, quantity].difference
            cells.append(
                _lines(
                    words.value(difference.mean, unit, signed=True),
                    _interval(difference, unit, words),
                    verdict(words, difference),
                )
            )
        rows.append(cells)
    return Table(heads, rows)


def prices_table(found: Findings, words: Words) -> Table:
    """What one more firm costs, one row a kind of firm and one column a policy; the extra money first."""
    sections, compared = Sections(found.compared, words), found.compared
    heads = [words("compare.price"), *(sections.titles[name] for name in compared.others)]
    spent = []
    for name in compared.others:
        cost = found.ends[name, SPENT].difference
        spent.append(_lines(words.value(cost.mean, "yuan", signed=True), _interval(cost, "yuan", words)))
    rows: list[list[str]] = [[_lines(words("cost.extra_cost"), words("compare.whole_run")), *spent]]
    for quantity in PRICED:
        texts = (found.prices[name, quantity].text(words) for name in compared.others)
        rows.append([words.column(quantity), *texts])
    return Table(heads, rows, words=1 + len(compared.others))


def robustness_tables(found: Findings, words: Words) -> list[tuple[str, Table]]:
    """How each policy does over all states of the world: title and table of each quantity, a row a policy."""
    sections, compared = Sections(found.compared, words), found.compared
    heads = [words(f"compare.{head}") for head in ("policy", "better", "worst", "best", "regret")]
    tables = []
    for quantity in ROBUST:
        unit = unit_of(quantity)
        rows = []
        for name in compared.names:
            row = found.robustness[name, quantity]
            own = name != compared.baseline
            rows.append(
                [
                    sections.titles[name],
                    words.percent(row.better) if own else NOTHING,
                    words.value(row.worst, unit, signed=True) if own else NOTHING,
                    words.percent(row.best),
                    words.value(row.regret, unit),
                ]
            )
        title = words("number.bracketed", value=words.column(quantity), about=words.unit(unit))
        tables.append((title, Table(heads, rows)))
    return tables


def _interval(difference: Estimate, unit: str, words: Words) -> str:
    """The interval of a difference, or nothing where there is none or it is one number."""
    if not difference.known or difference.low == difference.high:
        return ""
    return words.interval(difference.low, difference.high, unit, signed=True)


def _lines(first: str, *others: str) -> Markup:
    """Texts under each other in a cell, the first of them large."""
    small = (Markup("<small>{}</small>").format(text) for text in others if text)
    return Markup("<br>").join([escape(first), *small])


@dataclass(frozen=True, eq=False)
class Lines:
    """A quantity over time under every scenario.

    Attributes:
        quarters: labels such as 2024Q1. medians: float64 (quarters,) by scenario, the baseline first.
        differences: float64 (quarters,) by policy, mean of the pairs.
        low, high: float64 (quarters,), 5 % and 95 % quantile of the baseline's runs.
    """

    quarters: list[str]
    medians: dict[str, np.ndarray]
    differences: dict[str, np.ndarray]
    low: np.ndarray
    high: np.ndarray


def lines(found: Findings, quantity: str) -> Lines:
    """A quantity of the nation over time; what is counted by the quarter, by years, labelled as their last quarter."""
    compared = found.compared
    band = compared.fan(compared.baseline, quantity)
    return Lines(
        [f"{day.year}Q{day.quarter}" for day in band.index],
        {name: compared.runs(name, quantity).median(axis=1).to_numpy() for name in compared.names},
        {name: compared.differences(name, quantity).mean(axis=1).to_numpy() for name in compared.others},
        band.iloc[:, 0].to_numpy(),
        band.iloc[:, -1].to_numpy(),
    )
