"""Start-up, and what ``srdi run`` takes beside the bare model loop."""

from __future__ import annotations

import sys
import tempfile
import time

from benchmarks import apart
from benchmarks.state import SEED
from sim.calendar import DEFAULT_UNTIL, SCALE_RANGE


def import_model() -> float:
    """CPU seconds of this process once the model is imported."""
    import sim.model  # noqa: F401

    return time.process_time()


def first_quarter(scale: float) -> float:
    """CPU seconds of this process once the first quarter of a model is done."""
    from sim.model import SRDIModel

    SRDIModel("baseline", scale=scale, rng=SEED).step()
    return time.process_time()


def every_kernel() -> float:
    """CPU seconds of this process once every kernel is there, as before the first ``srdi run``."""
    from sim.warmup import warm_up

    warm_up()
    return time.process_time()


def start_up(scale: float, repeats: int) -> dict[str, float]:
    """CPU seconds of fresh processes: with an empty kernel cache once, with a full one the best of some."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {"NUMBA_CACHE_DIR": folder}

        def seconds(function: str, **arguments: float) -> float:
            return apart.call(f"benchmarks.startup:{function}", environment, **arguments)

        return {
            "cold_start_cpu_s": seconds("first_quarter", scale=scale),
            "warm_start_cpu_s": min(seconds("first_quarter", scale=scale) for _ in range(repeats)),
            "compile_rest_cpu_s": seconds("every_kernel"),
            "import_cpu_s": min(seconds("import_model") for _ in range(repeats)),
        }


def bare_loop(scale: float, replicates: int, until: int) -> None:
    """The ensemble of ``srdi run baseline`` without anything around the models."""
    from sim.model import SRDIModel

    for replicate in range(replicates):
        model = SRDIModel("baseline", scale=scale, rng=SEED + replicate, until=until)
        model.run_model()
        model.close()


def ensemble_overhead(scale: float, replicates: int, rounds: int) -> float:
    """Wall time of ``srdi run`` over that of the bare loop, each beyond start-up; the best of some rounds each.

    Both run the same replicates one after the other, on one thread as ``srdi run`` does by itself. Start-up is that
    of a process which runs the smallest model for a year: what the command imports on top counts as overhead.
    """
    settings = {"scale": scale, "replicates": replicates, "until": DEFAULT_UNTIL}
    tiny = {"scale": SCALE_RANGE[0], "replicates": 1, "until": 2019}
    seconds: dict[str, list[float]] = {"run": [], "bare": [], "start": []}
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as folder:
            options = [f"--{name}={value}" for name, value in settings.items()]
            words = ["run", "baseline", *options, "--workers=1", f"--seed={SEED}", f"--out={folder}"]
            seconds["run"].append(_wall([sys.executable, "-m", "scenarios.cli", *words]))
        seconds["bare"].append(_wall(apart.command("benchmarks.startup:bare_loop", **settings)))
        seconds["start"].append(_wall(apart.command("benchmarks.startup:bare_loop", **tiny)))
    run, bare, start = (min(values) for values in seconds.values())
    return (run - start) / (bare - start)


def _wall(words: list[str]) -> float:
    """Seconds a command takes."""
    started = time.perf_counter()
    apart.execute(words)
    return time.perf_counter() - started
