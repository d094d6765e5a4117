"""Mutation check: change one operator, number or condition of the source at a time; does a test fail?

Run as ``python -m benchmarks.mutants [mechanisms|scenarios]``; needs the extra ``mutants``. Prints the mutants that
survive or time out, and a table by module; after Ctrl-C, the results so far. `benchmarks/mutants.toml` has the modules,
the tests, the operators left out and the mutants known to be equivalent; `benchmarks/mutation.py` makes the mutants and
`benchmarks/mutant_runs.py` runs them.
"""

from __future__ import annotations

import argparse
import math
import os
import random
import shutil
import sys
import tempfile
import tomllib
from collections import Counter, defaultdict
from fnmatch import fnmatch
from pathlib import Path

from benchmarks.mutation import PROJECT, Mutant, mutants_of

SETTINGS = tomllib.loads((PROJECT / "benchmarks" / "mutants.toml").read_text(encoding="utf-8"))
#: (module, line, changed line)
EQUIVALENT = {
    (module, before, mutant)
    for known in SETTINGS["equivalent"]
    for module, lines in known["lines"].items()
    for before, *changed in lines
    for mutant in changed
}


def all_mutants(suite: dict, pattern: str) -> list[Mutant]:
    """The mutants of a suite's modules that match the pattern, in source order."""
    paths = {path.relative_to(PROJECT).as_posix() for glob in suite["modules"] for path in PROJECT.glob(glob)}
    return [
        mutant
        for path in sorted(paths)
        if fnmatch(path, pattern)
        for mutant in mutants_of(path, SETTINGS["operators"]["exclude"])
    ]


def _work_in_copy(folder: Path, compiler: bool) -> None:
    """Copy the project into a folder, change to it, and import the project from there."""
    ignored = shutil.ignore_patterns(".*", "__pycache__", "results", "dist", "build")
    shutil.copytree(PROJECT, folder, ignore=ignored)
    os.chdir(folder)
    os.environ["PYTHONPATH"] = str(folder)
    sys.path[:] = [str(folder), *(path for path in sys.path if path and Path(path).resolve() != PROJECT)]
    if not compiler:
        os.environ |= {"NUMBA_DISABLE_JIT": "1", "NUMBA_CACHE_DIR": str(folder / "kernels")}


def print_table(outcomes: dict[str, Counter], population: int) -> None:
    """Print mutants by module and outcome, the share of survivors among those not known to be equivalent, and its
    error.

    The standard error is that of a sample without replacement from a population of mutants.
    """
    print(f"\n{'module':36} mutants   killed timeout survived equivalent  share")
    for name, row in [*sorted(outcomes.items()), ("all", sum(outcomes.values(), Counter()))]:
        real = row.total() - row["equivalent"]
        counts = f"{row.total():7} {row['killed']:8} {row['timeout']:7} {row['survived']:8} {row['equivalent']:10}"
        print(f"{name:36} {counts} {row['survived'] / max(real, 1):6.1%}")
    share = row["survived"] / max(real, 1)
    error = math.sqrt(share * (1.0 - share) / max(real, 1) * (1.0 - row.total() / population))
    print(f"\n{share:.1%} survive; standard error {error:.1%} ({row.total()} of {population} mutants)")


def _arguments() -> argparse.Namespace:
    description = "Change one operator, number or condition of the source at a time; does a test fail?"
    parser = argparse.ArgumentParser(prog="python -m benchmarks.mutants", description=description)
    parser.add_argument("suite", nargs="?", choices=["mechanisms", "scenarios"], default="mechanisms")
    parser.add_argument("--module", default="*", metavar="PATTERN", help="only files whose path matches")
    parser.add_argument("--tests", nargs="+", metavar="FILE", help="instead of the tests in mutants.toml")
    parser.add_argument("--sample", type=int, metavar="N", help="only N mutants, selected at random")
    parser.add_argument("--seed", type=int, default=1, help="of the sample (default: 1)")
    return parser.parse_args()


def main() -> None:
    """Run the mutants and print the survivors and the table."""
    arguments = _arguments()
    suite = SETTINGS[arguments.suite]
    population = mutants = all_mutants(suite, arguments.module)
    if arguments.sample and arguments.sample < len(population):
        print(f"Sample of {arguments.sample} of {len(population)} mutants, seed {arguments.seed}")
        # In random order, so that the results so far are also a random sample if it is interrupted.
        mutants = random.Random(arguments.seed).sample(population, arguments.sample)
    outcomes: dict[str, Counter] = defaultdict(Counter)

    def done(mutant: Mutant, outcome: str) -> None:
        if outcome == "survived" and (mutant.module, *mutant.change()) in EQUIVALENT:
            outcome = "equivalent"
        if outcome in ("survived", "timeout"):
            before, after = mutant.change()
            print(f"\n{mutant.module}:{mutant.line} {mutant.function} {outcome}\n  - {before}\n  + {after}", flush=True)
        outcomes[mutant.module][outcome] += 1

    with tempfile.TemporaryDirectory() as folder:
        _work_in_copy(Path(folder).resolve() / "project", suite["compiler"])
        from benchmarks.mutant_runs import run_mutants

        seconds = run_mutants(mutants, arguments.tests or suite["tests"], suite["limit_s"], done)
    print_table(outcomes, len(population))
    print(f"{seconds:.0f} s")


if __name__ == "__main__":
    main()
