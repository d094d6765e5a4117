"""Start-up time, and the overhead of ``srdi run`` compared with a bare loop over models."""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from benchmarks import fresh_process
from benchmarks.state import SEED
from sim.calendar import DEFAULT_UNTIL, SCALE_RANGE


def import_model() -> float:
    """CPU seconds of this process after importing the model."""
    import sim.model  # noqa: F401

    return time.process_time()


def first_quarter(scale: float) -> float:
    """CPU seconds of this process after the first quarter of a model."""
    from sim.model import SRDIModel

    SRDIModel("baseline", scale=scale, rng=SEED).step()
    return time.process_time()


def every_kernel() -> float:
    """CPU seconds of this process after compiling every kernel, as before the first ``srdi run``."""
    from sim.warmup import warm_up

    warm_up()
    return time.process_time()


def start_up(scale: float, repeats: int) -> dict[str, float]:
    """CPU seconds of fresh processes: once with an empty kernel cache, and with a full one the best of `repeats`.

    Python keeps its byte code between them, as it does unless it is told not to. The first process only imports, so
    that no start includes what an installation does once.
    """
    with tempfile.TemporaryDirectory() as folder:
        environment = {
            "NUMBA_CACHE_DIR": folder,
            "PYTHONDONTWRITEBYTECODE": "",
            "PYTHONPYCACHEPREFIX": str(Path(folder) / "bytecode"),
        }

        def seconds(function: str, **arguments: float) -> float:
            return fresh_process.call(f"benchmarks.startup:{function}", environment, **arguments)

        seconds("import_model")
        return {
            "cold_start_cpu_s": seconds("first_quarter", scale=scale),
            "warm_start_cpu_s": min(seconds("first_quarter", scale=scale) for _ in range(repeats)),
            "compile_rest_cpu_s": seconds("every_kernel"),
            "import_cpu_s": min(seconds("import_model") for _ in range(repeats)),
        }


def bare_loop(scale: float, replicates: int, until: int) -> None:
    """The models of ``srdi run baseline`` in a plain loop."""
    from sim.model import SRDIModel

    for replicate in range(replicates):
        model = SRDIModel("baseline", scale=scale, rng=SEED + replicate, until=until)
        model.run_model()
        model.close()


def ensemble_overhead(scale: float, replicates: int, rounds: int) -> float:
    """Wall time of ``srdi run`` divided by that of the bare loop, both without start-up and the best of `rounds`.

    Both run the same replicates in sequence on one thread, the default of ``srdi run``. Start-up is the time of a
    process that runs the smallest model for a year; additional imports of the command count as overhead.
    """
    settings = {"scale": scale, "replicates": replicates, "until": DEFAULT_UNTIL}
    tiny = {"scale": SCALE_RANGE[0], "replicates": 1, "until": 2019}
    seconds: dict[str, list[float]] = {"run": [], "bare": [], "start": []}
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as folder:
            options = [f"--{name}={value}" for name, value in settings.items()]
            words = ["run", "baseline", *options, "--workers=1", f"--seed={SEED}", f"--out={folder}"]
            seconds["run"].append(_wall([sys.executable, "-m", "scenarios.cli", *words]))
        seconds["bare"].append(_wall(fresh_process.command("benchmarks.startup:bare_loop", **settings)))
        seconds["start"].append(_wall(fresh_process.command("benchmarks.startup:bare_loop", **tiny)))
    run, bare, start = (min(values) for values in seconds.values())
    return (run - start) / (bare - start)


def _wall(words: list[str]) -> float:
    """Wall time of a command, in seconds."""
    started = time.perf_counter()
    fresh_process.execute(words)
    return time.perf_counter() - started
