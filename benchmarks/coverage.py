"""Branch coverage of `sim`, `scenarios` and `calibration`.

    python -m benchmarks.coverage

The tests run compiled, with them whole fits at a miniature scale, which the ordinary suite leaves to its slow part;
those of rules and of whole runs that finish in minutes run again with the compiler off, as lines of compiled kernels
cannot be seen. Prints lines and branches by package; fails if less than `LEAST` % of a package's branches ran, or if a
test failed.
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
LEAST = 95.0

#: Web pages and benchmarks are tested elsewhere and reach nothing here that these tests do not.
COMPILED = ["tests", "--ignore=tests/browser", "--ignore-glob=tests/test_app_*", "--ignore-glob=tests/test_bench*"]
#: Whole fits, for the code that only they run.
FITS = ["-m", "slow", "tests/test_calibration.py", "tests/test_calibration_commands.py"]
#: Whole runs, which the ordinary suite leaves to its slow part, and every rule by itself.
INTERPRETED = [
    *("-m", "slow or not slow", "tests/test_interpreted.py", "tests/test_mechanisms.py", "tests/test_criteria.py"),
    *("tests/test_rules_by_hand.py", "tests/test_recognition_by_hand.py", "tests/test_selection.py"),
    *("tests/test_draws.py", "tests/test_concentration.py"),
    "tests/test_calibration.py::test_an_expectation_is_the_weighted_sum_of_kernels",
]


def branches(report: dict, package: str) -> dict[str, int]:
    """Lines and branches of a package, and how many of them ran, from coverage.py's JSON report."""
    names = ("num_statements", "covered_lines", "num_branches", "covered_branches")
    files = [file["summary"] for path, file in report["files"].items() if Path(path).parts[0] == package]
    return {name: sum(summary[name] for summary in files) for name in names}


def _coverage(*arguments: str) -> None:
    subprocess.run([sys.executable, "-m", "coverage", *arguments], cwd=ROOT, check=True)


def _pass(tests: list[str], compiled: bool) -> bool:
    """Whether all tests passed; one that fails is no reason to lose what the others took long to show."""
    command = [sys.executable, "-m", "coverage", "run", "-m", "pytest", "-q", *tests]
    environment = os.environ | {"NUMBA_DISABLE_JIT": str(int(not compiled))}
    begun = time.perf_counter()
    code = subprocess.run(command, cwd=ROOT, env=environment).returncode
    print(f"{'compiled' if compiled else 'interpreted'}: {time.perf_counter() - begun:.0f} s", flush=True)
    return code == 0


def main() -> None:
    """Run, combine, print; exit status 1 below the least share."""
    with tempfile.TemporaryDirectory(prefix="srdi-coverage-") as folder:
        os.environ["COVERAGE_FILE"] = str(Path(folder) / "data")
        passed = [
            _pass(COMPILED, compiled=True),
            _pass(FITS, compiled=True),
            _pass(INTERPRETED, compiled=False),
        ]
        _coverage("combine", "--quiet")
        _coverage("json", "--quiet", "-o", str(Path(folder) / "report.json"))
        report = json.loads((Path(folder) / "report.json").read_text(encoding="utf-8"))
        _coverage("report", "--skip-covered", "--show-missing")
    faults = [] if all(passed) else ["tests failed"]
    for package in PACKAGES:
        counted = branches(report, package)
        lines = 100 * counted["covered_lines"] / counted["num_statements"]
        share = 100 * counted["covered_branches"] / counted["num_branches"]
        print(f"{package}: {lines:.1f} % of lines, {share:.1f} % of branches")
        if share < LEAST:
            faults.append(f"{package}: below {LEAST:g} % of branches")
    sys.exit("; ".join(faults) or 0)


if __name__ == "__main__":
    main()
