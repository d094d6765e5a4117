"""Runs each mutant's tests in a fork of one pytest session that has imported and collected everything.

The changed file stands in the working copy, where processes that tests start find it. In the fork the changed function
gets its new code, and the tests that enter it run, quickest first, up to the first that fails. For a change of what
imports run, at module level or in a function called there, the project is imported afresh, and the tests run that enter
any function of the module; all, if none does.
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
#: A mutant may take this many times its tests' time and some seconds, more if it has to import the project.
TIMES, GRACE_S, IMPORT_S = 10, 5, 60
#: Exit code of a fork in which a test failed; any other but 0 is a fault of the check.
KILLED = 77
FORK = multiprocessing.get_context("fork")


def _forked(function: Callable[[], int], timeout: float) -> int | None:
    """Exit code of a forked process that runs function; None if it was stopped after timeout seconds."""

    def alone() -> None:
        os.setsid()
        signal.alarm(int(timeout) + 60)  # an endless loop should not outlive a stopped parent
        with open(os.devnull, "w", encoding="utf-8") as nowhere:
            os.dup2(nowhere.fileno(), 1)
            os.dup2(nowhere.fileno(), 2)
            os._exit(function())

    process = FORK.Process(target=alone)
    process.start()
    assert process.pid is not None, "it has been started"
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
    """All living functions by path of their file and name of the outermost function they stand in, decorated or not."""
    found = defaultdict(list)
    for value in gc.get_objects():
        if type(value) is FunctionType:  # `isinstance` would ask a weak proxy for what it stood for
            outer = value.__code__.co_qualname.partition(".<locals>")[0]
            found[value.__code__.co_filename, outer].append(value)
    return found


class Runs:
    """Pytest plugin that runs the mutants in place of the tests.

    Args:
        mutants: what to run. packages: names of those to watch.
        limit: seconds of unchanged tests a mutant gets, at least one test; the quickest come first.
        done: called with each mutant and its end: ``killed``, ``timeout`` or ``survived``.
    """

    def __init__(
        self, mutants: list[Mutant], packages: set[str], limit: float, done: Callable[[Mutant, str], None]
    ) -> None:
        self.mutants, self.limit, self.done = mutants, limit, done
        # Without the project's settings for coverage, by which every fork would watch itself as well.
        self.coverage = coverage.Coverage(source=sorted(packages), data_file="lines", config_file=False)
        self.coverage.start()  # here, before the tests are collected: what imports run has no context
        self.watching = False

    # --- the session

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Watch the unchanged tests, then run every mutant."""
        self.items = {item.nodeid: item for item in session.items}
        if _forked(self._watch, 3600) != 0:
            raise pytest.UsageError("the tests fail without any mutation")
        self.coverage.stop()
        self._read()
        self.functions = _functions()
        gc.freeze()  # what the collector does not touch a fork need not copy
        for mutant in self.mutants:
            with contextlib.suppress(SyntaxError):  # what cannot be compiled is no mutant
                self.done(mutant, self._end(mutant))
        return True

    def _run(self, tests: list[str]) -> None:
        """Run tests here; the process ends with the code KILLED at the first that fails."""
        items = [self.items[test] for test in tests]
        for item, following in zip(items, [*items[1:], None], strict=True):
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            os._exit(KILLED)
        if self.watching:
            with open("seconds.tsv", "a", encoding="utf-8") as file:
                file.write(f"{report.duration}\t{report.nodeid}\n")

    # --- which tests enter which function

    def _watch(self) -> int:
        self.watching = True
        self._run(list(self.items))
        self.coverage.stop()
        self.coverage.save()
        return 0

    # What a test's fixtures run counts for the whole file, as its other tests may share them.

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        if self.watching:
            self.coverage.switch_context(item.nodeid.partition("::")[0])

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_call(self, item: pytest.Item) -> None:
        if self.watching:
            self.coverage.switch_context(item.nodeid)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> None:
        if self.watching:
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

    def _entered_by(self, mutant: Mutant) -> tuple[list[str], bool]:
        """Tests that enter the mutant's function, quickest first up to the limit; whether an import runs the change."""
        lines = self.lines.get(mutant.module, {})
        bodies = functions_of(mutant.module)

        def enter(*functions: str) -> set[str]:
            return set().union(*(lines.get(line, ()) for function in functions for line in bodies[function]))

        found = enter(mutant.function) if mutant.function else {""}
        imported = "" in found
        if imported:
            found = enter(*bodies) - {""} or {test.partition("::")[0] for test in self.items}
        tests = [test for test in self.items if test in found or test.partition("::")[0] in found]
        tests.sort(key=self.seconds.__getitem__)
        spent = list(itertools.accumulate(self.seconds[test] for test in tests))
        return tests[: max(bisect.bisect_right(spent, self.limit), 1)], imported

    # --- one mutant

    def _replace_code(self, mutant: Mutant, changed: CodeType) -> None:
        """Give the functions that the mutant changes their new code."""
        codes = {code.co_qualname: code for code in _codes(changed)}
        functions = self.functions[changed.co_filename, mutant.function]
        if not functions:
            raise LookupError(f"{mutant.function} of {mutant.module} is not imported")
        for function in functions:
            function.__code__ = codes[function.__code__.co_qualname]

    def _changed(self, mutant: Mutant, changed: CodeType, tests: list[str]) -> int:
        """Run tests with the mutant in place; 0 if they pass."""
        self._replace_code(mutant, changed)
        self._run(tests)
        return 0

    def _end(self, mutant: Mutant) -> str:
        changed = compile(mutant.source(), str(Path(mutant.module).resolve()), "exec")
        tests, imported = self._entered_by(mutant)
        if not tests:
            return "survived"
        timeout = TIMES * sum(self.seconds[test] for test in tests) + GRACE_S
        with _written(mutant):
            if imported:
                code = _forked(lambda: _afresh(tests), timeout + IMPORT_S)
            else:
                code = _forked(lambda: self._changed(mutant, changed, tests), timeout)
        if code not in (None, 0, KILLED):
            raise RuntimeError(f"{mutant}: exit code {code}")
        return {None: "timeout", 0: "survived", KILLED: "killed"}[code]


@contextlib.contextmanager
def _written(mutant: Mutant) -> Iterator[None]:
    """The mutant in the working copy; afterwards the original again."""
    path = Path(mutant.module)
    original = path.read_text(encoding="utf-8")

    def write(text: str) -> None:
        path.write_text(text, encoding="utf-8")
        for stale in path.parent.glob(f"__pycache__/{path.stem}.*"):  # of the same second and length, it would be used
            stale.unlink()

    write(mutant.source())
    try:
        yield
    finally:
        write(original)


def _afresh(tests: list[str]) -> int:
    """Import the project anew and run tests: 0 if they pass, KILLED if one fails or cannot be imported."""
    here = str(Path.cwd())
    for name, module in list(sys.modules.items()):
        if (getattr(module, "__file__", None) or "").startswith(here):
            del sys.modules[name]
    sys.dont_write_bytecode = True
    return KILLED if pytest.main([*OPTIONS, "-x", *tests]) else 0


def run_mutants(mutants: list[Mutant], tests: list[str], limit: float, done: Callable[[Mutant, str], None]) -> float:
    """Run mutants under tests in the working copy, the current folder; seconds taken.

    Ctrl-C ends it early.

    Raises:
        SystemExit: the tests cannot be collected or fail unchanged.
    """
    start = time.perf_counter()
    packages = {mutant.module.partition("/")[0] for mutant in mutants}
    code = pytest.main([*OPTIONS, "-qq", *tests], plugins=[Runs(mutants, packages, limit, done)])
    if code not in (pytest.ExitCode.OK, pytest.ExitCode.INTERRUPTED):
        raise SystemExit(1)
    return time.perf_counter() - start
