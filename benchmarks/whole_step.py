"""Time of every part of the model's step, quarter by quarter, and the memory of a whole run."""

from __future__ import annotations

import time
from collections import Counter

from benchmarks.memory import peak_bytes, resident_bytes
from benchmarks.stages import ClockedModel
from benchmarks.state import SEED
from sim.model import SRDIModel
from sim.warmup import warm_up

#: The part of the step that is the pass over firms.
PASS = "advance_firms"


def measure(scale: float, until: int, threads: int) -> dict:
    """Run the baseline to the end of `until` in this process.

    Memory is the peak of the whole run, including set-up and compiled kernels, minus that of the interpreter after all
    imports.
    """
    imported = resident_bytes()
    warm_up()
    compiled = resident_bytes()
    started = time.perf_counter()
    model = SRDIModel("baseline", scale=scale, rng=SEED, until=until, threads=threads)
    build_seconds = time.perf_counter() - started
    firms_at_start = len(model.firms)
    clocked = ClockedModel(model)
    quarters = []
    while model.running:
        firms = len(model.firms)
        clocked.step()
        quarters.append({"firms": firms, "parts": clocked.parts, "kernels": clocked.kernels})
    return {
        "firms": firms_at_start,
        "slots": model.blocks.slots,
        "build_seconds": build_seconds,
        "peak_bytes": peak_bytes(),
        "kernel_bytes": compiled - imported,
        "bytes_per_firm": (peak_bytes() - imported) / firms_at_start,
        # Without the first quarter, which touches memory for the first time.
        "quarters": quarters[1:],
    }


def best_quarters(runs: list[dict]) -> list[dict]:
    """The quickest repeat of each quarter; runs at one scale do the same work in each quarter."""
    return [
        min(repeats, key=lambda repeat: sum(repeat["parts"].values()))
        for repeats in zip(*(run["quarters"] for run in runs), strict=True)
    ]


def nanoseconds(quarters: list[dict]) -> float:
    """Wall time of the whole step per firm-quarter."""
    return sum(profile(quarters, "parts").values())


def profile(quarters: list[dict], kind: str) -> dict[str, float]:
    """Nanoseconds per firm-quarter by part ("parts") or by kernel ("kernels")."""
    seconds: Counter[str] = Counter()
    for quarter in quarters:
        seconds.update(quarter[kind])
    firm_quarters = sum(quarter["firms"] for quarter in quarters)
    return {name: 1e9 * value / firm_quarters for name, value in seconds.items()}
