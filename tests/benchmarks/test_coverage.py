"""The commands that measure what tests see: branches that run, and mutants that no test can notice."""

from __future__ import annotations

import subprocess
import sys

from benchmarks.coverage import INTERPRETED, ROOT, branches
from benchmarks.mutants import EQUIVALENT


def test_every_file_that_runs_without_the_compiler_has_tests_there():
    """Of what the command selects: markers had once left nothing to run, which pytest calls a failure."""
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-n0", *INTERPRETED]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    files = {line.partition("::")[0] for line in done.stdout.splitlines() if "::" in line}
    assert files == {word.partition("::")[0] for word in INTERPRETED if word.startswith("tests/")}


def test_branches_are_those_of_the_files_of_the_package():
    def file(branches: int, covered: int) -> dict:
        lines = {"num_statements": 10, "covered_lines": 9}
        return {"summary": {**lines, "num_branches": branches, "covered_branches": covered}}

    report = {"files": {"sim/a.py": file(4, 3), "sim/ladder/b.py": file(6, 6), "scenarios/sim.py": file(8, 1)}}
    assert branches(report, "sim") == {
        "num_statements": 20,
        "covered_lines": 18,
        "num_branches": 10,
        "covered_branches": 9,
    }
    assert branches(report, "calibration")["num_branches"] == 0


def test_lines_of_equivalent_mutants_stand_in_the_source():
    """Where a line has changed since, the mutants that are known would be told as new survivors."""
    lines = {module: {line.strip() for line in (ROOT / module).open(encoding="utf-8")} for module, _, _ in EQUIVALENT}
    assert [known for known in EQUIVALENT if known[1] not in lines[known[0]] or known[1] == known[2]] == []
