"""Runs the tests of each mutant in a fork of one pytest session that has imported and collected everything.

The changed file is written to the working copy, where processes started by tests find it. In the fork, the changed
function gets its new code, and the tests that enter it run, quickest first, until one fails. If the change affects code
that runs on import, at module level or in a function called there, the project is imported again, and the tests that
enter any function of the module are run (all tests, if none does).
"""

from __future__ import annotations

import bisect
import contextlib
import gc
import itertools
import multiprocessing
import os
import signal
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from types import CodeType, FunctionType

import coverage
import pytest

from benchmarks.mutation import Mutant, functions_of

OPTIONS = ("-n0", "-s", "-p", "no:cacheprovider", "-W", "ignore::RuntimeWarning")
#: Timeout of a mutant: this multiple of the time of its tests plus some seconds, more if it imports the project again.
TIMEOUT_FACTOR, GRACE_S, IMPORT_S = 10, 5, 60
#: Exit code of a fork in which a test failed; any other code except 0 is an error of this program.
KILLED = 77
FORK = multiprocessing.get_context("fork")


def _run_forked(function: Callable[[], int], timeout: float) -> int | None:
    """Exit code of a forked process that runs `function`; None if it was stopped after `timeout` seconds."""

    def run_and_exit() -> None:
        os.setsid()
        signal.alarm(int(timeout) + 60)  # ends an endless loop even if the parent was stopped
        with open(os.devnull, "w", encoding="utf-8") as nowhere:
            os.dup2(nowhere.fileno(), 1)
            os.dup2(nowhere.fileno(), 2)
            os._exit(function())

    process = FORK.Process(target=run_and_exit)
    process.start()
    assert process.pid is not None, "the process was started"
    try:
        process.join(timeout)
        return process.exitcode
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.join()


def _codes(code: CodeType) -> Iterator[CodeType]:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield constant
            yield from _codes(constant)


def _functions() -> dict[tuple[str, str], list[FunctionType]]:
    """All functions in memory, decorated or not, by file path and name of their outermost function."""
    functions = defaultdict(list)
    for value in gc.get_objects():
        if type(value) is FunctionType:  # `isinstance` would dereference weak proxies
            outer = value.__code__.co_qualname.partition(".<locals>")[0]
            functions[value.__code__.co_filename, outer].append(value)
    return functions


class Runs:
    """Pytest plugin that runs the mutants instead of the tests.

    Args:
        mutants: mutants to run. packages: names of the packages to trace.
        limit: largest total time of the tests of a mutant, in seconds without mutation; quickest first, at least one.
        done: called with each mutant and its outcome: ``killed``, ``timeout`` or ``survived``.
    """

    def __init__(
        self, mutants: list[Mutant], packages: set[str], limit: float, done: Callable[[Mutant, str], None]
    ) -> None:
        self.mutants, self.limit, self.done = mutants, limit, done
        # Without the project's coverage settings, which would also trace every fork.
        self.coverage = coverage.Coverage(source=sorted(packages), data_file="lines", config_file=False)
        self.coverage.start()  # before the tests are collected, so that code run on import has no context
        self.tracing = False

    # --- the session

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Trace the unchanged tests, then run every mutant."""
        self.items = {item.nodeid: item for item in session.items}
        if _run_forked(self._watch, 3600) != 0:
            raise pytest.UsageError("the tests fail without any mutation")
        self.coverage.stop()
        self._read()
        self.functions = _functions()
        gc.freeze()  # memory the garbage collector does not touch is not copied in a fork
        for mutant in self.mutants:
            with contextlib.suppress(SyntaxError):  # code that cannot be compiled is not a mutant
                self.done(mutant, self._outcome(mutant))
        return True

    def _run(self, tests: list[str]) -> None:
        """Run tests in this process, which ends with the code KILLED at the first failure."""
        items = [self.items[test] for test in tests]
        for item, following in zip(items, [*items[1:], None], strict=True):
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            os._exit(KILLED)
        if self.tracing:
            with open("seconds.tsv", "a", encoding="utf-8") as file:
                file.write(f"{report.duration}\t{report.nodeid}\n")

    # --- which tests enter which function

    def _watch(self) -> int:
        self.tracing = True
        self._run(list(self.items))
        self.coverage.stop()
        self.coverage.save()
        return 0

    # Code run by fixtures counts for the whole file, because other tests may share them.

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        if self.tracing:
            self.coverage.switch_context(item.nodeid.partition("::")[0])

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_call(self, item: pytest.Item) -> None:
        if self.tracing:
            self.coverage.switch_context(item.nodeid)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> None:
        if self.tracing:
            self.coverage.switch_context(item.nodeid.partition("::")[0])

    def _read(self) -> None:
        data = coverage.CoverageData("lines")
        data.read()
        here = Path.cwd()
        self.lines = {
            Path(path).relative_to(here).as_posix(): data.contexts_by_lineno(path) for path in data.measured_files()
        }
        self.seconds: dict[str, float] = defaultdict(float)
        for row in Path("seconds.tsv").read_text(encoding="utf-8").splitlines():
            duration, _, test = row.partition("\t")
            self.seconds[test] += float(duration)

    def _tests_entering(self, mutant: Mutant) -> tuple[list[str], bool]:
        """Tests that enter the mutant's function, quickest first up to the limit; whether an import runs the change."""
        lines = self.lines.get(mutant.module, {})
        bodies = functions_of(mutant.module)

        def enter(*functions: str) -> set[str]:
            return set().union(*(lines.get(line, ()) for function in functions for line in bodies[function]))

        entering = enter(mutant.function) if mutant.function else {""}
        imported = "" in entering
        if imported:
            entering = enter(*bodies) - {""} or {test.partition("::")[0] for test in self.items}
        tests = [test for test in self.items if test in entering or test.partition("::")[0] in entering]
        tests.sort(key=self.seconds.__getitem__)
        spent = list(itertools.accumulate(self.seconds[test] for test in tests))
        return tests[: max(bisect.bisect_right(spent, self.limit), 1)], imported

    # --- one mutant

    def _replace_code(self, mutant: Mutant, changed: CodeType) -> None:
        """Replace the code of the functions that the mutant changes."""
        codes = {code.co_qualname: code for code in _codes(changed)}
        functions = self.functions[changed.co_filename, mutant.function]
        if not functions:
            raise LookupError(f"{mutant.function} of {mutant.module} is not imported")
        for function in functions:
            function.__code__ = codes[function.__code__.co_qualname]

    def _run_mutant(self, mutant: Mutant, changed: CodeType, tests: list[str]) -> int:
        """Run tests with the mutant; returns 0 if they pass."""
        self._replace_code(mutant, changed)
        self._run(tests)
        return 0

    def _outcome(self, mutant: Mutant) -> str:
        changed = compile(mutant.source(), str(Path(mutant.module).resolve()), "exec")
        tests, imported = self._tests_entering(mutant)
        if not tests:
            return "survived"
        timeout = TIMEOUT_FACTOR * sum(self.seconds[test] for test in tests) + GRACE_S

        def run() -> int | None:
            if imported:
                return _run_forked(lambda: _run_with_fresh_imports(tests), timeout + IMPORT_S)
            return _run_forked(lambda: self._run_mutant(mutant, changed, tests), timeout)

        with _write_mutant(mutant):
            code = run()
            if code == 0:
                # On a busy machine, one in a thousand passed that always fails alone; why was not found.
                code = run()
        if code not in (None, 0, KILLED):
            raise RuntimeError(f"{mutant}: exit code {code}")
        return {None: "timeout", 0: "survived", KILLED: "killed"}[code]


@contextlib.contextmanager
def _write_mutant(mutant: Mutant) -> Iterator[None]:
    """Write the mutant to the working copy for the block, then restore the original."""
    path = Path(mutant.module)
    original = path.read_text(encoding="utf-8")

    def write(text: str) -> None:
        path.write_text(text, encoding="utf-8")
        for stale in path.parent.glob(
            f"__pycache__/{path.stem}.*"
        ):  # it would be used if time stamp and length are the same
            stale.unlink()

    write(mutant.source())
    try:
        yield
    finally:
        write(original)


def _run_with_fresh_imports(tests: list[str]) -> int:
    """Import the project again and run tests; returns 0 if they pass, KILLED if one fails or cannot be imported."""
    here = str(Path.cwd())
    for name, module in list(sys.modules.items()):
        if (getattr(module, "__file__", None) or "").startswith(here):
            del sys.modules[name]
    sys.dont_write_bytecode = True
    return KILLED if pytest.main([*OPTIONS, "-x", *tests]) else 0


def run_mutants(mutants: list[Mutant], tests: list[str], limit: float, done: Callable[[Mutant, str], None]) -> float:
    """Run mutants in the working copy, which is the current folder; returns the seconds used.

    Ctrl-C stops it early.

    Raises:
        SystemExit: the tests cannot be collected or fail without a mutation.
    """
    start = time.perf_counter()
    packages = {mutant.module.partition("/")[0] for mutant in mutants}
    code = pytest.main([*OPTIONS, "-qq", *tests], plugins=[Runs(mutants, packages, limit, done)])
    if code not in (pytest.ExitCode.OK, pytest.ExitCode.INTERRUPTED):
        raise SystemExit(1)
    return time.perf_counter() - start
