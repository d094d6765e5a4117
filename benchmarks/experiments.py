"""Overhead and scaling of ensembles: the measurements of ``docs/experiments.md``.

python -m benchmarks.experiments            throughput and overhead, about three minutes
python -m benchmarks.experiments --runs 1000  also an ensemble of N runs: size, time to load
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import click

from scenarios.commands.command import Script

SCALE, UNTIL, PAIRS = 0.02, 2030, 16


@click.command(cls=Script)
@click.option("--runs", type=click.IntRange(0), default=0, help="Runs of a large ensemble to write and load.")
def main(runs: int) -> None:
    """Print the measurements, one per line."""
    from benchmarks.startup import bare_loop
    from scenarios import load_results, load_scenario, run_ensemble
    from scenarios.ensembles.processes import compile_once

    compile_once()
    with tempfile.TemporaryDirectory(prefix="srdi-") as folder:

        def seconds(name: str, replicates: int, workers: int) -> float:
            started = time.perf_counter()
            run_ensemble(
                [load_scenario("baseline")],
                out=Path(folder) / name,
                replicates=replicates,
                scale=SCALE,
                until=UNTIL,
                workers=workers,
            )
            return time.perf_counter() - started

        started = time.perf_counter()
        bare_loop(SCALE, PAIRS, UNTIL)
        bare = time.perf_counter() - started
        # The difference of two sizes, so that work done once, such as starting interpreters, does not count.
        rates = {
            workers: PAIRS * workers / (seconds(f"many-{workers}", 4 + PAIRS * workers, workers) - few)
            for workers in (1, 2)
            for few in [seconds(f"few-{workers}", 4, workers)]
        }
        print(f"seconds per run, model alone: {bare / PAIRS:.3f}")
        print(f"overhead of the ensemble layer, one worker: {100.0 * (PAIRS / bare / rates[1] - 1.0):.1f} %")
        print(f"throughput of 2 workers over 1: {rates[2] / rates[1]:.2f}")
        if not runs:
            return
        print(f"{runs} runs: {seconds('large', runs, 2):.0f} s")
        size = sum(path.stat().st_size for path in (Path(folder) / "large").iterdir())
        started = time.perf_counter()
        national = load_results(Path(folder) / "large").national
        loaded = time.perf_counter() - started
        print(f"{runs} runs: {size / 1e6:.0f} MB, checked and national series loaded in {loaded:.2f} s")
        print(f"{national.groupby('replicate').ngroups} replicates read")


if __name__ == "__main__":
    main()
