"""A Python that has imported what commands need and forks for each of them: to start one anew takes seconds.

``run_program("scenarios.cli", [...])`` gives what ``python -m scenarios.cli ...`` would, in a process of its own;
the path of a script does as well.
"""

from __future__ import annotations

import atexit
import json
import os
import runpy
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from functools import cache
from pathlib import Path

#: Whether programs can be forked here; not where they are measured, as what was imported before would not be.
_POSSIBLE = hasattr(os, "fork") and not any(name.startswith("COVERAGE") for name in os.environ)


@cache
def _server() -> subprocess.Popen:
    server = subprocess.Popen([sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    atexit.register(server.kill)
    return server


def run_program(
    program: str, arguments: Iterable[object], *, cwd=None, env=None, timeout: float = 300, anew: bool = False
) -> subprocess.CompletedProcess:
    """A module or script run to its end: its code and what it printed.

    It is forked, unless it is asked to start anew, has variables of its own or cannot be forked here. A forked program
    that takes longer than `timeout` seconds is ended by a signal, its code then.
    """
    arguments = [str(argument) for argument in arguments]
    if anew or env is not None or not _POSSIBLE:
        named = [program] if program.endswith(".py") else ["-m", program]
        environment = {**os.environ, **(env or {})}
        command = [sys.executable, *named, *arguments]
        return subprocess.run(command, capture_output=True, text=True, cwd=cwd, env=environment, timeout=timeout)
    with tempfile.TemporaryDirectory() as folder:
        out, err = Path(folder) / "out", Path(folder) / "err"
        asked = {"program": program, "arguments": arguments, "cwd": str(cwd or Path.cwd()), "timeout": timeout}
        server = _server()
        server.stdin.write(json.dumps(asked | {"out": str(out), "err": str(err)}) + "\n")
        server.stdin.flush()
        code = int(server.stdout.readline())
        printed = [path.read_text(encoding="utf-8") for path in (out, err)]
        return subprocess.CompletedProcess([program, *arguments], code, *printed)


def _become(asked: dict) -> None:
    """Run the program in this process."""
    os.chdir(asked["cwd"])
    for stream, path in (0, os.devnull), (1, asked["out"]), (2, asked["err"]):
        file = os.open(path, os.O_RDWR | os.O_CREAT)
        os.dup2(file, stream)
        os.close(file)
    sys.stdin = os.fdopen(0, encoding="utf-8")  # the old one may hold what is asked for next
    sys.argv[1:] = asked["arguments"]
    sys.path[0] = asked["cwd"]
    signal.alarm(int(asked["timeout"]))
    if asked["program"].endswith(".py"):
        sys.path[0], sys.argv[0] = str(Path(asked["program"]).parent), asked["program"]
        runpy.run_path(asked["program"], run_name="__main__")
    else:
        runpy.run_module(asked["program"], run_name="__main__", alter_sys=True)


def main() -> None:
    """Prepare, then run what is asked for, one line of JSON each."""
    sys.path[0] = str(Path(__file__).parent.parent)
    from importlib.metadata import entry_points

    import scenarios.ensembles.ensemble  # noqa: F401
    from sim.model import SRDIModel

    for entry in entry_points(group="srdi.commands"):
        entry.load()
    SRDIModel(scale=0.0005, rng=1, until=2019).run_model()  # loads the kernels
    for line in sys.stdin:
        if not (child := os.fork()):
            return _become(json.loads(line))
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    main()
