"""Mutation check: change one operator, number or condition of the source at a time; does a test fail?

Run as ``python -m benchmarks.mutants [mechanisms|scenarios]``; needs the extra ``mutants``. Prints the mutants that
survive, and a table by module. Modules, tests, operators left out and mutants known to be equivalent stand in
`benchmarks/mutants.toml`; how mutants are made and run in `benchmarks/mutation.py` and `benchmarks/mutant_runs.py`.
"""

from __future__ import annotations

import argparse
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
EQUIVALENT = {(known["module"], known["before"], known["after"]) for known in SETTINGS["equivalent"]}


def chosen_mutants(suite: dict, pattern: str, sample: int | None, seed: int) -> list[Mutant]:
    """The mutants of a suite's modules that match the pattern, or a random sample of them, in source order."""
    paths = {path.relative_to(PROJECT).as_posix() for glob in suite["modules"] for path in PROJECT.glob(glob)}
    mutants = [
        mutant
        for path in sorted(paths)
        if fnmatch(path, pattern)
        for mutant in mutants_of(path, SETTINGS["operators"]["exclude"])
    ]
    if sample is None or sample >= len(mutants):
        return mutants
    print(f"Sample of {sample} of {len(mutants)} mutants, seed {seed}")
    kept = set(random.Random(seed).sample(range(len(mutants)), sample))
    return [mutant for index, mutant in enumerate(mutants) if index in kept]


def _work_in_copy(folder: Path, compiler: bool) -> None:
    """Make a copy of the project the current folder and the one that is imported."""
    ignored = shutil.ignore_patterns(".*", "__pycache__", "results", "dist", "build")
    shutil.copytree(PROJECT, folder, ignore=ignored)
    os.chdir(folder)
    os.environ["PYTHONPATH"] = str(folder)
    sys.path[:] = [str(folder), *(path for path in sys.path if path and Path(path).resolve() != PROJECT)]
    if not compiler:
        os.environ |= {"NUMBA_DISABLE_JIT": "1", "NUMBA_CACHE_DIR": str(folder / "kernels")}


def print_table(ends: dict[str, Counter]) -> None:
    """Mutants by module and end; the share surviving is of those that are not known to be equivalent."""
    print(f"\n{'module':36} mutants   killed timeout survived equivalent  share")
    for name, row in [*sorted(ends.items()), ("all", sum(ends.values(), Counter()))]:
        real = row.total() - row["equivalent"]
        counts = f"{row.total():7} {row['killed']:8} {row['timeout']:7} {row['survived']:8} {row['equivalent']:10}"
        print(f"{name:36} {counts} {row['survived'] / max(real, 1):6.1%}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.mutants", description=__doc__.partition("\n")[0])
    parser.add_argument("suite", nargs="?", choices=["mechanisms", "scenarios"], default="mechanisms")
    parser.add_argument("--module", default="*", metavar="PATTERN", help="only files whose path matches")
    parser.add_argument("--sample", type=int, metavar="N", help="only N mutants, drawn at random")
    parser.add_argument("--seed", type=int, default=1, help="of the sample (default: 1)")
    return parser.parse_args()


def main() -> None:
    """Run the mutants and print survivors and table."""
    arguments = _arguments()
    suite = SETTINGS[arguments.suite]
    mutants = chosen_mutants(suite, arguments.module, arguments.sample, arguments.seed)
    ends: dict[str, Counter] = defaultdict(Counter)

    def done(mutant: Mutant, end: str) -> None:
        if end == "survived":
            before, after = mutant.change()
            if (mutant.module, before, after) in EQUIVALENT:
                end = "equivalent"
            else:
                print(f"\n{mutant.module}:{mutant.line} {mutant.function}\n  - {before}\n  + {after}", flush=True)
        ends[mutant.module][end] += 1

    with tempfile.TemporaryDirectory() as folder:
        _work_in_copy(Path(folder).resolve() / "project", suite["compiler"])
        from benchmarks.mutant_runs import run_mutants

        seconds = run_mutants(mutants, suite["tests"], done)
    print_table(ends)
    print(f"\n{len(mutants)} mutants in {seconds:.0f} s")


if __name__ == "__main__":
    main()
