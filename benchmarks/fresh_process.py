"""Calls a function in a fresh Python process, so that memory and start-up can be measured.

python -m benchmarks.fresh_process benchmarks.whole_step:measure '{"scale": 0.02, "until": 2020, "threads": 2}'
"""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from typing import Any


class JobFailed(Exception):
    """A measuring process failed; the message is the last line of its standard error."""


def command(function: str, **arguments: object) -> list[str]:
    """Command that calls `function` ("module:name") with the arguments and prints the result as JSON."""
    return [sys.executable, "-m", "benchmarks.fresh_process", function, json.dumps(arguments)]


def execute(words: list[str], environment: dict[str, str] | None = None) -> str:
    """Run a command and return its output; raises JobFailed if it fails."""
    done = subprocess.run(words, env=os.environ | (environment or {}), capture_output=True, encoding="utf-8")
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f"ended with code {done.returncode}"]
        raise JobFailed(lines[-1])
    return done.stdout


def call(function: str, environment: dict[str, str] | None = None, **arguments: object) -> Any:
    """Result of `function`, called in a separate process; arguments and result are plain JSON values."""
    return json.loads(execute(command(function, **arguments), environment).splitlines()[-1])


if __name__ == "__main__":
    module, name = sys.argv[1].split(":")
    print(json.dumps(getattr(importlib.import_module(module), name)(**json.loads(sys.argv[2]))))
