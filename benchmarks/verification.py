"""Runs everything in `docs/verification.md`, which takes hours.

    python -m benchmarks.verification [--only STEP]

Needs the extras ``test`` and ``mutants``, and Chromium. Continues after a failed step; exit status 1 if any step
failed.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import click

from scenarios.commands.command import Script

#: Module and arguments of each step, run with this interpreter.
STEPS = {
    "tests": ("pytest", "-m", "slow or not slow"),
    "interpreters": ("benchmarks.interpreters",),
    "mutants": ("benchmarks.mutants", "mechanisms"),
    "coverage": ("benchmarks.coverage",),
    "load": ("benchmarks.load",),
}


@click.command(cls=Script, help="Run all of docs/verification.md, which takes hours; exit status 1 if a step fails.")
@click.option("--only", multiple=True, type=click.Choice(list(STEPS)), help="Only this step; repeatable.")
def main(only: tuple[str, ...]) -> None:
    failed = []
    for name in only or STEPS:
        command = ("-m", *STEPS[name])
        click.echo(f"== {name}: python {' '.join(command)}")
        started = time.perf_counter()
        done = subprocess.run([sys.executable, *command], cwd=Path(__file__).parent.parent)
        click.echo(f"== {name}: {'failed' if done.returncode else 'passed'} in {time.perf_counter() - started:.0f} s")
        if done.returncode:
            failed.append(name)
    if failed:
        sys.exit(f"failed: {', '.join(failed)}")


if __name__ == "__main__":
    main()
