"""Branch coverage of `sim`, `scenarios` and `calibration`.

    python -m benchmarks.coverage

The tests run compiled, including whole fits at a miniature scale, which are in the slow part of the suite. Tests of the
mechanisms and of whole runs that finish in minutes run again with the compiler off, because coverage cannot see
compiled kernels. Prints lines and branches by package; fails if less than `MIN_PERCENT` % of a package's branches ran
or a test failed.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGES = ("sim", "scenarios", "calibration")
MIN_PERCENT = 95.0

#: Tests of web pages and benchmarks are left out; they cover nothing in these packages that the others do not.
COMPILED = ["tests", "--ignore=tests/browser", "--ignore-glob=tests/viz/test_app_*", "--ignore=tests/benchmarks"]
#: Whole fits, which alone run some of the code.
FITS = ["-m", "slow", "tests/calibration/test_calibration.py", "tests/calibration/test_calibration_commands.py"]
#: Whole runs, which are in the slow part of the suite, and tests of single mechanisms and criteria.
INTERPRETED = [
    *("-m", "slow or not slow", "tests/sim/test_interpreted.py", "tests/sim/test_mechanisms.py"),
    *("tests/sim/test_application_and_fields.py", "tests/sim/test_criteria.py"),
    *("tests/sim/test_recognition_by_hand.py", "tests/sim/test_selection.py"),
    *("tests/sim/test_draws.py", "tests/sim/test_concentration.py"),
    "tests/calibration/test_calibration.py::test_an_expectation_is_the_weighted_sum_of_kernels",
]


def branches(report: dict, package: str) -> dict[str, int]:
    """Lines and branches of a package, and how many of them ran, from coverage.py's JSON report."""
    names = ("num_statements", "covered_lines", "num_branches", "covered_branches")
    files = [file["summary"] for path, file in report["files"].items() if Path(path).parts[0] == package]
    return {name: sum(summary[name] for summary in files) for name in names}


def _coverage(*arguments: str) -> None:
    subprocess.run([sys.executable, "-m", "coverage", *arguments], cwd=ROOT, check=True)


def _run_tests(tests: list[str], compiled: bool) -> bool:
    """Run tests under coverage; returns whether all passed, and does not stop at a failure."""
    command = [sys.executable, "-m", "coverage", "run", "-m", "pytest", "-q", *tests]
    environment = os.environ | {"NUMBA_DISABLE_JIT": str(int(not compiled))}
    started = time.perf_counter()
    code = subprocess.run(command, cwd=ROOT, env=environment).returncode
    print(f"{'compiled' if compiled else 'interpreted'}: {time.perf_counter() - started:.0f} s", flush=True)
    return code == 0


def main() -> None:
    """Run the tests, combine and print the coverage; exit status 1 if it is too low."""
    with tempfile.TemporaryDirectory(prefix="srdi-coverage-") as folder:
        os.environ["COVERAGE_FILE"] = str(Path(folder) / "data")
        passed = [
            _run_tests(COMPILED, compiled=True),
            _run_tests(FITS, compiled=True),
            _run_tests(INTERPRETED, compiled=False),
        ]
        _coverage("combine", "--quiet")
        _coverage("json", "--quiet", "-o", str(Path(folder) / "report.json"))
        report = json.loads((Path(folder) / "report.json").read_text(encoding="utf-8"))
        _coverage("report", "--skip-covered", "--show-missing")
    faults = [] if all(passed) else ["tests failed"]
    for package in PACKAGES:
        counts = branches(report, package)
        lines = 100 * counts["covered_lines"] / counts["num_statements"]
        share = 100 * counts["covered_branches"] / counts["num_branches"]
        print(f"{package}: {lines:.1f} % of lines, {share:.1f} % of branches")
        if share < MIN_PERCENT:
            faults.append(f"{package}: below {MIN_PERCENT:g} % of branches")
    sys.exit("; ".join(faults) or 0)


if __name__ == "__main__":
    main()
