"""Jobs in worker processes or on a Dask cluster, with one interface and without tracebacks on interruption."""

from __future__ import annotations

import contextlib
import logging
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import CancelledError, Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import TypeVar

from scenarios.ensembles.jobs import RunFailed
from scenarios.errors import InputError, require_extra
from scenarios.interrupts import end_signals

_ATTEMPTS = 2
#: Largest number of worker processes that Python can wait for on Windows.
_MAX_WORKERS_ON_WINDOWS = 61
#: Exit code of a worker if its script, which it imports at the start, would itself start workers.
_UNGUARDED_EXIT_CODE = 64
_GUARD_HINT = (
    'each worker process first imports it: put its own work under `if __name__ == "__main__":`, or use one worker'
)
#: Seconds to wait for an answer of a Dask scheduler.
_TIMEOUT_S = 10


def in_processes(
    function: Callable, jobs: Sequence[tuple], workers: int, meanwhile: Callable[[], None] = lambda: None
) -> Generator[tuple[int, Future], None, None]:
    """Call `function` with each tuple of arguments in worker processes.

    If a worker dies (out of memory, killed), another one does its unfinished jobs. If the iterator is closed early, the
    workers are ended without waiting for their jobs. A process that cannot start others (a worker of
    `multiprocessing.Pool`, Dask or Celery, or a system without shared memory) does the jobs itself.

    Args:
        meanwhile: called once while the workers start.

    Yields:
        The index of a job and its finished future, in the order in which they finish.

    Raises:
        RunFailed: workers died twice in a row without finishing a job, or the script has no guard.
    """
    exit_unguarded_worker()
    if multiprocessing.current_process().daemon:
        yield from in_this_process(function, jobs)
        return
    _require_guard()
    waiting, failed_attempts = dict(enumerate(jobs)), 0
    while waiting and failed_attempts < _ATTEMPTS:
        pending = list(waiting)
        with contextlib.closing(_in_pool(function, list(waiting.values()), workers, meanwhile)) as finished:
            for index, future in finished:
                if isinstance(future.exception(), BrokenProcessPool):
                    continue
                del waiting[pending[index]]
                yield pending[index], future
        failed_attempts = 0 if len(waiting) < len(pending) else failed_attempts + 1
    if waiting:
        raise RunFailed(
            "worker processes died twice in a row; use fewer workers (--workers) or a smaller scale (--scale)"
        )


def exit_unguarded_worker() -> None:
    """End this process silently if it is a worker that is still importing the script which started it.

    A spawned worker first imports the script. If the script has no guard, its own work would start again here.
    """
    process = multiprocessing.current_process()
    if getattr(process, "_inheriting", False):
        # A pool of the user's own would restart the worker again and again, so a message is printed.
        sys.exit(f"srdi: {sys.argv[0]}: {_GUARD_HINT}" if "PoolWorker" in process.name else _UNGUARDED_EXIT_CODE)


def _script() -> str | None:
    """The script that a worker imports first; None if there is none, as at a prompt or in a notebook."""
    main = sys.modules["__main__"]
    name = getattr(getattr(main, "__spec__", None), "name", "")
    return None if name.rpartition(".")[2] == "__main__" else getattr(main, "__file__", None)


def _require_guard() -> None:
    """Raise RunFailed if the script has no guard, because its workers would repeat its work."""
    script = _script()
    try:
        guarded = script is None or "__main__" in Path(script).read_text(encoding="utf-8")
    except (OSError, ValueError):  # not readable, such as a frozen program
        return
    if not guarded:
        raise RunFailed(f"{script}: {_GUARD_HINT}")


@contextlib.contextmanager
def _hide_missing_script() -> Iterator[None]:
    """While workers start, hide a script that has no file (``python - < script``), so that they do not import it."""
    main, script = sys.modules["__main__"], _script()
    if script is None or Path(script).exists():
        yield
        return
    del main.__file__
    try:
        yield
    finally:
        main.__file__ = script


def in_this_process(function: Callable, jobs: Sequence[tuple]) -> Generator[tuple[int, Future], None, None]:
    """As `in_processes`, but the jobs are done in this process, one after the other."""
    for index, job in enumerate(jobs):
        future: Future = Future()
        try:
            future.set_result(function(*job))
        except Exception as error:
            future.set_exception(error)
        yield index, future


def _in_pool(
    function: Callable, jobs: Sequence[tuple], workers: int, meanwhile: Callable[[], None]
) -> Generator[tuple[int, Future], None, None]:
    """As `in_processes`, but without a second attempt: if a worker dies, the remaining futures raise an error."""
    others = set(multiprocessing.active_children())
    workers = min(workers, len(jobs), _MAX_WORKERS_ON_WINDOWS if sys.platform == "win32" else len(jobs))
    # "spawn" on every platform, because Mesa forces it and no state leaks into a worker.
    context = multiprocessing.get_context("spawn")
    try:
        with delay_interrupts():  # also inherited by the process that cleans up semaphores
            pool = ProcessPoolExecutor(workers, mp_context=context, initializer=_begin_worker)
    except OSError as error:  # no shared memory
        print(
            f"srdi: cannot start worker processes ({error.strerror or error}); runs are made one after another",
            file=sys.stderr,
        )
        yield from in_this_process(function, jobs)
        return
    done, started = False, set()
    try:
        with delay_interrupts(), _hide_missing_script(), contextlib.suppress(BrokenProcessPool):
            indices: dict[Future, int] = {}
            for index, job in enumerate(jobs):
                indices[pool.submit(function, *job)] = index
            started = set(multiprocessing.active_children()) - others
        meanwhile()
        yield from _as_finished(indices)
        done = True
    finally:
        if not done:
            for worker in set(multiprocessing.active_children()) - others:
                worker.terminate()
        pool.shutdown(wait=True, cancel_futures=True)
    if any(worker.exitcode == _UNGUARDED_EXIT_CODE for worker in started):
        raise RunFailed(f"{_script()}: {_GUARD_HINT}")


Result = TypeVar("Result")


def call_each(function: Callable[..., Result], jobs: Sequence[tuple], workers: int) -> Iterator[tuple[int, Result]]:
    """Index and result of each job, in the order in which they finish; in this process or in worker processes."""
    finished = in_this_process(function, jobs) if workers <= 1 else in_processes(function, jobs, workers)
    with contextlib.closing(finished):
        for index, future in finished:
            yield index, future.result()


def on_cluster(function: Callable, jobs: Sequence[tuple], address: str) -> Generator[tuple[int, Future], None, None]:
    """Call `function` with each tuple of arguments on the workers of a Dask cluster.

    If a worker dies, another one does its unfinished jobs.

    Args:
        address: of the scheduler, such as ``tcp://127.0.0.1:8786``.

    Yields:
        The index of a job and its finished future, in the order in which they finish.

    Raises:
        InputError: Dask is not installed, or no scheduler answers.
        RunFailed: the connection to the scheduler was lost.
    """
    require_extra("scheduler (--scheduler)", "cluster", "distributed")
    from distributed import Client
    from distributed.comm.addressing import resolve_address

    try:
        # A client that refuses its address itself prints a traceback when it is collected.
        resolve_address(address)
        client = Client(address, timeout=_TIMEOUT_S, set_as_default=False)
    except (OSError, ValueError, TypeError) as error:
        raise InputError(f"no Dask scheduler answers at {address}: {error}") from None
    with _without_tracebacks(), client:
        if not client.scheduler_info()["workers"]:
            print(f"srdi: the scheduler at {address} has no workers yet; waiting", file=sys.stderr, flush=True)
        pool = client.get_executor(pure=False)
        done = False
        try:
            for index, future in _as_finished({pool.submit(function, *job): index for index, job in enumerate(jobs)}):
                _require_active(future, address)
                yield index, future
            done = True
        finally:
            pool.shutdown(wait=done)


def _require_active(future: Future, address: str) -> None:
    """Raise RunFailed if a future was cancelled, which means that the connection to the scheduler was lost."""
    try:
        future.exception()
    except CancelledError:
        raise RunFailed(
            f"the Dask scheduler at {address} was lost; continue with another one and resume=True (--resume)"
        ) from None


@contextlib.contextmanager
def _without_tracebacks() -> Iterator[None]:
    """Suppress Dask's log of a lost connection, which is raised as an exception."""
    logger = logging.getLogger("distributed.client")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(level)


def _as_finished(indices: dict[Future, int]) -> Iterator[tuple[int, Future]]:
    """Indices and futures in the order in which they finish. They are not kept, so that results do not fill memory."""
    for future in as_completed(list(indices)):
        if end_signals:
            raise KeyboardInterrupt
        yield indices.pop(future), future


def _begin_worker() -> None:
    """Use one Numba thread per worker, and end the worker when the process that started it has ended."""
    os.environ.setdefault("NUMBA_NUM_THREADS", "1")  # read when Numba is imported later
    parent = multiprocessing.parent_process()
    assert parent is not None, "not a worker process"

    def wait() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


@contextlib.contextmanager
def delay_interrupts() -> Iterator[None]:
    """Delay Ctrl-C and other signals that end a command while workers are started; they take effect afterwards.

    Workers inherit the signal mask. They ignore Ctrl-C and the end of the terminal and are ended by this process;
    otherwise each would print a traceback if the signal arrived during its imports.
    """
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "pthread_sigmask"):
        yield  # not the main thread, or Windows
        return
    received: list[int] = []
    # The mask alone is not enough here, because a thread of a library may receive the signal.
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    handlers = {number: handler for number, handler in handlers.items() if callable(handler)}
    for number in handlers:
        signal.signal(number, lambda number, frame: received.append(number))
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGHUP})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        for number, handler in handlers.items():
            signal.signal(number, handler)
        if received:
            signal.raise_signal(received[0])


def compile_once() -> None:
    """Compile the kernels before workers start, so that they are compiled only once, and print a message."""
    from sim.numerics.kernel_cache import cache_folder, compiled, kept

    if compiled():
        return
    often = "once on this machine" if kept() else "each time; once if NUMBA_CACHE_DIR names a folder only you can write"
    print(f"compiling the model ({often}) …", file=sys.stderr, flush=True)
    if cache_folder():
        from sim.warmup import warm_up

        warm_up()
