"""What the ensemble layer costs and how it scales: the figures of ``docs/experiments.md``.

python -m benchmarks.experiments            throughput and overhead, about three minutes
python -m benchmarks.experiments --runs 1000  also an ensemble of so many runs: size, time to load
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
    """Print the figures, one a line."""
    from benchmarks.startup import bare_loop
    from scenarios import load_results, load_scenario, run_ensemble
    from scenarios.ensembles.processes import compile_once

    compile_once()
    with tempfile.TemporaryDirectory(prefix="srdi-") as folder:

        def seconds(name: str, replicates: int, workers: int) -> float:
            begun = time.perf_counter()
            run_ensemble(
                [load_scenario("baseline")],
                out=Path(folder) / name,
                replicates=replicates,
                scale=SCALE,
                until=UNTIL,
                workers=workers,
            )
            return time.perf_counter() - begun

        begun = time.perf_counter()
        bare_loop(SCALE, PAIRS, UNTIL)
        bare = time.perf_counter() - begun
        # What is done once, such as starting interpreters, is no throughput: the difference of two sizes is.
        rates = {
            workers: PAIRS * workers / (seconds(f"many-{workers}", 4 + PAIRS * workers, workers) - few)
            for workers in (1, 2)
            for few in [seconds(f"few-{workers}", 4, workers)]
        }
        print(f"seconds a run, model alone: {bare / PAIRS:.3f}")
        print(f"overhead of the ensemble layer, one worker: {100.0 * (PAIRS / bare / rates[1] - 1.0):.1f} %")
        print(f"throughput of 2 workers over 1: {rates[2] / rates[1]:.2f}")
        if not runs:
            return
        print(f"{runs} runs: {seconds('large', runs, 2):.0f} s")
        size = sum(path.stat().st_size for path in (Path(folder) / "large").iterdir())
        begun = time.perf_counter()
        national = load_results(Path(folder) / "large").national
        loaded = time.perf_counter() - begun
        print(f"{runs} runs: {size / 1e6:.0f} MB, checked and national series loaded in {loaded:.2f} s")
        print(f"{national.groupby('replicate').ngroups} replicates read")


if __name__ == "__main__":
    main()
