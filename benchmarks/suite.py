"""All measurements of ``srdi bench`` in one run, and their targets."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from benchmarks import arithmetic, bandwidth, fresh_process, machine, whole_step
from benchmarks.fresh_process import JobFailed
from benchmarks.memory import machine_bytes
from sim.parameters import parameter_record
from sim.world.geography import build_geography

MIB, GIB = 2**20, 2**30
#: Threads of the model, unless a row says otherwise.
THREADS = 2
#: All SMEs of China, and the limit of memory for them.
ALL_SMES = "52000000"
ALL_SMES_GIB = 12.0
NATIONAL = "national"


@dataclass(frozen=True)
class Plan:
    """The amount of measurements; the default is the whole suite.

    sizes: rounds of each population, by its number of firms or "national"; the best round of each quarter counts.
    national_scale: 1, except in tests. until: last year of those runs.
    contest_firms, contest_rounds: firms in the comparison of the core step with plain Mesa, and rounds per stage.
    profile_firms, profile_repeats: for the time by phase. triad_elements, triad_repeats: for the bandwidth.
    counting_scale: for the operations of the pass, counted without the compiler.
    start_scale, start_repeats: for start-up. overhead_*: for ``srdi run`` compared with the bare loop.
    """

    sizes: dict[str, int]
    national_scale: float = 1.0
    until: int = 2024
    contest_firms: int = 1_000_000
    contest_rounds: int = 2
    profile_firms: int = 1_000_000
    profile_repeats: int = 5
    triad_elements: int = 20_000_000
    triad_repeats: int = 8
    counting_scale: float = 0.0005
    start_scale: float = 0.02
    start_repeats: int = 2
    overhead_scale: float = 0.1
    overhead_replicates: int = 4
    overhead_rounds: int = 3


FULL = Plan(sizes={"100000": 4, "1000000": 3, NATIONAL: 3, ALL_SMES: 1})
QUICK = replace(
    FULL,
    sizes={"100000": 2, "1000000": 2, NATIONAL: 1},
    contest_rounds=1,
    profile_repeats=2,
    start_repeats=1,
    overhead_replicates=2,
    overhead_rounds=2,
)


@dataclass(frozen=True)
class Target:
    """A row of the result: a measurement and its limit."""

    id: str
    label: str
    unit: str
    limit: float
    at_least: bool = False

    def row(self, measured: float | None) -> dict:
        """The row with the measured value; None, if it could not be measured, does not meet the limit."""
        met = measured is not None and (measured >= self.limit if self.at_least else measured <= self.limit)
        return {
            "id": self.id,
            "label": self.label,
            "unit": self.unit,
            "measured": measured,
            "limit": self.limit,
            "at_least": self.at_least,
            "ok": met,
        }


TARGETS = (
    Target("mesa_ratio", "Core step: plain Mesa over engine", "x", 800, at_least=True),
    Target("bandwidth_ratio", "Pass over firms at 1:1, over the memory limit", "x", 4),
    Target("arithmetic_ratio", "Pass over firms at 1:1, over the arithmetic limit", "x", 1.5),
    Target("flatness", "Cost per firm-quarter, dearest over cheapest size", "x", 1.3),
    Target("thread_speedup", "Whole step at 1:1, 2 threads over 1", "x", 1.9, at_least=True),
    Target(f"bytes_per_firm.{NATIONAL}", "Peak memory per firm at 1:1", "B", 160),
    Target(f"bytes_per_firm.{ALL_SMES}", "Peak memory per firm at 52 million", "B", 160),
    Target("peak_gib", "Peak memory at 52 million", "GiB", ALL_SMES_GIB),
    Target("ensemble_overhead", "srdi run over the bare model loop", "x", 1.15),
    Target("cold_start_cpu_s", "First start (compile) to the first quarter, CPU", "s", 20),
    Target("warm_start_cpu_s", "Later start to the first quarter, CPU", "s", 2),
)


def national_firms() -> float:
    """Number of firms at 1:1 at the start of a run."""
    return float(build_geography(parameter_record({})).firms.sum())


class Suite:
    """Runs a plan; measurements are collected in `results`, and those that were not possible in `missing`."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.results: dict = {
            "machine": machine.description(),
            "threads": THREADS,
            "bytes_per_firm": {},
            "profile": {"step": {}},
        }
        self.missing: dict[str, str] = {}
        self._national = national_firms()

    def stages(self) -> list[tuple[str, Callable[[], None]]]:
        """The stages in order, each with a description and a function.

        The comparison with plain Mesa is repeated between other stages, so that a busy minute does not decide it.
        """
        contest = ("core step against plain Mesa", self._contest)
        sizes = ((self._label(size), partial(self._whole_step, size)) for size in self.plan.sizes)
        return [
            ("start-up", self._start_up),
            contest,
            *(stage for size in sizes for stage in (size, contest)),
            ("time by phase", self._phases),
            ("srdi run against the bare loop", self._overhead),
        ]

    def finish(self) -> dict:
        """The results, including the rows that compare them with the targets."""
        costs = [value for value in self.results["firm_quarter_ns"].values() if value is not None]
        self.results["flatness"] = max(costs) / min(costs)
        self.results["missing"] = self.missing
        planned = [target for target in TARGETS if self._is_planned(target)]
        self.results["targets"] = [target.row(self._value(target.id)) for target in planned]
        return self.results

    def so_far(self) -> dict:
        """The results of an interrupted suite, with the targets that have been measured; interrupted is true."""
        targets = []
        for target in TARGETS:
            with contextlib.suppress(KeyError):
                targets.append(target.row(self._value(target.id)))
        measured = [row for row in targets if row["measured"] is not None]
        return self.results | {"interrupted": True, "missing": self.missing, "targets": measured}

    def _is_planned(self, target: Target) -> bool:
        size = ALL_SMES if target.id == "peak_gib" else target.id.partition(".")[2]
        return not size or size in self.plan.sizes

    def _value(self, path: str) -> float | None:
        value: Any = self.results
        for key in path.split("."):
            value = value[key]
        return value

    @staticmethod
    def _label(size: str) -> str:
        return "whole step, 1:1" if size == NATIONAL else f"whole step, {int(size):,} firms"

    def _scale(self, firms: float) -> float:
        return firms / self._national

    def _start_up(self) -> None:
        from benchmarks.startup import start_up

        self.results |= start_up(self.plan.start_scale, self.plan.start_repeats)

    def _contest(self) -> None:
        nanoseconds = fresh_process.call(
            "benchmarks.contest:measure",
            scale=self._scale(self.plan.contest_firms),
            rounds=self.plan.contest_rounds,
            threads=THREADS,
        )
        before = self.results.get("core_step_ns", nanoseconds)
        best = self.results["core_step_ns"] = {name: min(cost, before[name]) for name, cost in nanoseconds.items()}
        self.results["mesa_ratio"] = best["mesa"] / best["engine"]

    def _whole_step(self, size: str) -> None:
        """One population: cost of the whole step and memory; at 1:1 also threads, bandwidth and kernels."""
        results = self.results
        # Values that remain None could not be measured.
        for key in ("firm_quarter_ns", "build_seconds"):
            results.setdefault(key, {})[size] = None
        if size in (NATIONAL, ALL_SMES):
            # In small populations the compiled kernels outweigh the firms.
            results["bytes_per_firm"][size] = None
        if size == ALL_SMES:
            results["peak_gib"] = None
        try:
            runs, bytes_per_second = self._runs_of(size)
        except JobFailed as error:
            if size != ALL_SMES:
                raise
            self.missing[size] = str(error)
            return
        self._record_runs(size, runs, bytes_per_second)

    def _runs_of(self, size: str) -> tuple[dict[int, list[dict]], float]:
        """Runs of a population by their threads, and at 1:1 the bandwidth of the triad in bytes per second.

        Raises:
            JobFailed: the population does not fit in the memory of the machine.
        """
        if size == ALL_SMES and machine_bytes() < ALL_SMES_GIB * GIB:
            raise JobFailed(f"this machine has less than {ALL_SMES_GIB:g} GiB of memory")
        national = size == NATIONAL
        scale = self.plan.national_scale if national else self._scale(float(size))
        runs: dict[int, list[dict]] = {THREADS: [], 1: []}
        bytes_per_second = 0.0
        # Runs with 1 and 2 threads and the triad alternate.
        for _ in range(self.plan.sizes[size]):
            for threads in (THREADS, 1) if national else (THREADS,):
                job = {"scale": scale, "until": self.plan.until, "threads": threads}
                runs[threads].append(fresh_process.call("benchmarks.whole_step:measure", None, **job))
            if national:
                bytes_per_second = max(bytes_per_second, self._triad())
        return runs, bytes_per_second

    def _record_runs(self, size: str, runs: dict[int, list[dict]], bytes_per_second: float) -> None:
        """Add the measurements of the runs of a population to the results."""
        results = self.results
        quarters = whole_step.best_quarters(runs[THREADS])
        results["firm_quarter_ns"][size] = whole_step.nanoseconds(quarters)
        results["profile"]["step"][size] = whole_step.profile(quarters, "parts")
        results["build_seconds"][size] = min(run["build_seconds"] for run in runs[THREADS])
        if size in results["bytes_per_firm"]:
            results["bytes_per_firm"][size] = min(run["bytes_per_firm"] for run in runs[THREADS])
        if size == ALL_SMES:
            results["peak_gib"] = min(run["peak_bytes"] for run in runs[THREADS]) / GIB
        if size == NATIONAL:
            results["kernel_mib"] = min(run["kernel_bytes"] for run in runs[THREADS]) / MIB
            one_thread = whole_step.nanoseconds(whole_step.best_quarters(runs[1]))
            results["thread_speedup"] = one_thread / whole_step.nanoseconds(quarters)
            results["profile"]["kernels"] = whole_step.profile(quarters, "kernels")
            seconds = sum(quarter["parts"][whole_step.PASS] for quarter in quarters) / len(quarters)
            self._limits(seconds / runs[THREADS][0]["slots"], bytes_per_second)

    def _triad(self) -> float:
        return bandwidth.triad_bandwidth(self.plan.triad_elements, THREADS, self.plan.triad_repeats)

    def _limits(self, seconds: float, bytes_per_second: float) -> None:
        """Compare the pass, in seconds per slot, with what memory and arithmetic allow."""
        moved = bandwidth.bytes_moved()
        limit = sum(moved.values()) / bytes_per_second
        self.results["bandwidth"] = {
            "bytes_read_per_slot": moved["read"],
            "bytes_written_per_slot": moved["written"],
            "triad_gb_per_s": bytes_per_second / 1e9,
            "limit_ns_per_slot": 1e9 * limit,
            "pass_ns_per_slot": 1e9 * seconds,
        }
        self.results["bandwidth_ratio"] = seconds / limit
        needed = arithmetic.operations(self.plan.counting_scale)
        taken = arithmetic.nanoseconds(THREADS, self.plan.triad_repeats)
        limit = sum(needed[name] * taken[name] for name in needed)
        self.results["arithmetic"] = {"per_slot": needed, "ns": taken, "limit_ns_per_slot": limit}
        self.results["arithmetic_ratio"] = 1e9 * seconds / limit

    def _phases(self) -> None:
        self.results["profile"]["pass"] = fresh_process.call(
            "benchmarks.phases:profile",
            scale=self._scale(self.plan.profile_firms),
            repeats=self.plan.profile_repeats,
        )

    def _overhead(self) -> None:
        from benchmarks.startup import ensemble_overhead

        plan = self.plan
        self.results["ensemble_overhead"] = ensemble_overhead(
            plan.overhead_scale, plan.overhead_replicates, plan.overhead_rounds
        )
