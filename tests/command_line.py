"""The command ``srdi``: in separate processes, finished or still running, or in this process."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner
from prepared import run_program

from scenarios.cli import main

needs_proc = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="reads /proc")


def srdi(*arguments, **options):
    """A finished command, with its code and what it printed; the options are those of `prepared.run_program`."""
    return run_program("scenarios.cli", arguments, **options)


def invoke(*arguments, status=0):
    """A command run in this process; it must end with `status`."""
    done = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert done.exit_code == status, done.output
    return done


def last(done) -> dict:
    """The JSON line with which a command ended."""
    return json.loads(done.stdout.splitlines()[-1])


def start(*arguments):
    """A command at work, in a process group of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "scenarios.cli", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def wait_for(condition, seconds=60):
    """Wait until a condition holds; fails if it does not in time."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def workers_of(process):
    """Worker processes of a running command (Linux)."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text(encoding="utf-8").split()
    return [int(pid) for pid in children if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()]
