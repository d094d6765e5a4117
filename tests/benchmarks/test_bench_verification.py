"""The command that runs all of the verification: each step, also after one that fails."""

from __future__ import annotations

from importlib.util import find_spec

import pytest
from click.testing import CliRunner

from benchmarks import verification


def test_every_step_is_a_module_that_exists():
    assert all(find_spec(module) for module, *_ in verification.STEPS.values())


@pytest.mark.parametrize(("only", "code", "ran"), [((), 1, ["good", "bad", "last"]), (("good",), 0, ["good"])])
def test_a_step_that_fails_does_not_keep_the_others_from_running(monkeypatch, only, code, ran):
    good, bad = ("calendar", "2024"), ("calendar", "no-year")
    monkeypatch.setattr(verification, "STEPS", {"good": good, "bad": bad, "last": good})
    monkeypatch.setattr(verification.main.params[0].type, "choices", ["good", "bad", "last"])
    done = CliRunner().invoke(verification.main, [word for name in only for word in ("--only", name)])
    assert done.exit_code == code, done.output
    ends = [line for line in done.output.splitlines() if " in " in line]
    assert [line.split()[1].rstrip(":") for line in ends] == ran
    assert ("bad: failed" in done.output) == bool(code)
