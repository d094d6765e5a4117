"""Work elsewhere: on processes of this machine or on a Dask cluster, started alike and interrupted without noise."""

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

_ATTEMPTS = 2
#: Most worker processes that Python can wait for on Windows.
_MOST_ON_WINDOWS = 61
#: Exit code of a worker whose script, which it imports as it starts, would start workers itself.
_UNGUARDED = 64
_GUARD = 'each worker process imports it first: put what it does under `if __name__ == "__main__":`, or use one worker'
#: Seconds a Dask scheduler has to answer.
_ANSWER = 10


def in_processes(
    function: Callable, jobs: Sequence[tuple], workers: int, meanwhile: Callable[[], None] = lambda: None
) -> Generator[tuple[int, Future], None, None]:
    """Call `function` with each tuple of arguments in worker processes.

    What a worker had not finished when it died (out of memory, killed), another does. If the iterator is left before
    its end, the workers are ended too: waiting for what nobody wants could take long.

    Args:
        meanwhile: called once while the workers start.

    Yields:
        The place of a job and its finished future, as they finish.

    Where processes can start no others (workers of a `multiprocessing.Pool`, of Dask, of Celery; no shared memory), the
    jobs are done in this one.

    Raises:
        RunFailed: workers died twice in a row without finishing anything; a script starts them without a guard.
    """
    leave_unguarded()
    if multiprocessing.current_process().daemon:
        yield from in_this_process(function, jobs)
        return
    _refuse_unguarded()
    waiting, idle = dict(enumerate(jobs)), 0
    while waiting and idle < _ATTEMPTS:
        left = list(waiting)
        with contextlib.closing(_in_pool(function, list(waiting.values()), workers, meanwhile)) as finished:
            for place, future in finished:
                if isinstance(future.exception(), BrokenProcessPool):
                    continue
                del waiting[left[place]]
                yield left[place], future
        idle = 0 if len(waiting) < len(left) else idle + 1
    if waiting:
        raise RunFailed(
            "worker processes died twice in a row; fewer workers (--workers) or a smaller scale (--scale) may help"
        )


def leave_unguarded() -> None:
    """End this process without a word if it is a worker that only imports the script which started it.

    A worker that was spawned imports the script first. If the script's own work is not guarded, it begins here again.
    """
    process = multiprocessing.current_process()
    if getattr(process, "_inheriting", False):
        # A pool of the user's own would start another again and again: its users are told.
        sys.exit(f"srdi: {sys.argv[0]}: {_GUARD}" if "PoolWorker" in process.name else _UNGUARDED)


def _script() -> str | None:
    """The file that a worker imports first; None where there is none, as at a prompt or in a notebook."""
    main = sys.modules["__main__"]
    name = getattr(getattr(main, "__spec__", None), "name", "")
    return None if name.rpartition(".")[2] == "__main__" else getattr(main, "__file__", None)


def _refuse_unguarded() -> None:
    """Raise RunFailed if the script has no guard: its workers would do its work over again before they are told."""
    script = _script()
    try:
        guarded = script is None or "__main__" in Path(script).read_text(encoding="utf-8")
    except (OSError, ValueError):  # nothing to read: a frozen program
        return
    if not guarded:
        raise RunFailed(f"{script}: {_GUARD}")


@contextlib.contextmanager
def _no_script_without_file() -> Iterator[None]:
    """While workers start: nothing is imported first if the script was read from no file (``python - < script``)."""
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
    """`in_processes` without any: the jobs are done in this process, one after the other."""
    for place, job in enumerate(jobs):
        future: Future = Future()
        try:
            future.set_result(function(*job))
        except Exception as error:
            future.set_exception(error)
        yield place, future


def _in_pool(
    function: Callable, jobs: Sequence[tuple], workers: int, meanwhile: Callable[[], None]
) -> Generator[tuple[int, Future], None, None]:
    """`in_processes` without a second attempt: if a worker dies, the futures that are left say so."""
    others = set(multiprocessing.active_children())
    workers = min(workers, len(jobs), _MOST_ON_WINDOWS if sys.platform == "win32" else len(jobs))
    # "spawn" on every platform: Mesa forces it, and no state leaks into a worker.
    context = multiprocessing.get_context("spawn")
    try:
        with interrupts_held():  # inherited by the process that clears up after semaphores, too
            pool = ProcessPoolExecutor(workers, mp_context=context, initializer=_begin_worker)
    except OSError as error:  # no shared memory can be written
        print(f"srdi: no worker processes here ({error.strerror or error}); one run after another", file=sys.stderr)
        yield from in_this_process(function, jobs)
        return
    done, started = False, set()
    try:
        with interrupts_held(), _no_script_without_file(), contextlib.suppress(BrokenProcessPool):
            places: dict[Future, int] = {}
            for place, job in enumerate(jobs):
                places[pool.submit(function, *job)] = place
            started = set(multiprocessing.active_children()) - others
        meanwhile()
        yield from _as_finished(places)
        done = True
    finally:
        if not done:
            for worker in set(multiprocessing.active_children()) - others:
                worker.terminate()
        pool.shutdown(wait=True, cancel_futures=True)
    if any(worker.exitcode == _UNGUARDED for worker in started):
        raise RunFailed(f"{_script()}: {_GUARD}")


Result = TypeVar("Result")


def call_each(function: Callable[..., Result], jobs: Sequence[tuple], workers: int) -> Iterator[tuple[int, Result]]:
    """The place of each job and what `function` makes of it, as they come; here, or in worker processes."""
    finished = in_this_process(function, jobs) if workers <= 1 else in_processes(function, jobs, workers)
    with contextlib.closing(finished):
        for place, future in finished:
            yield place, future.result()


def on_cluster(function: Callable, jobs: Sequence[tuple], address: str) -> Generator[tuple[int, Future], None, None]:
    """Call `function` with each tuple of arguments on the workers of a Dask cluster.

    What a worker had not finished when it died, another does.

    Args:
        address: of the scheduler, such as ``tcp://127.0.0.1:8786``.

    Yields:
        The place of a job and its finished future, as they finish.

    Raises:
        InputError: Dask is not installed, or no scheduler answers.
        RunFailed: the scheduler went away.
    """
    require_extra("scheduler (--scheduler)", "cluster", "distributed")
    from distributed import Client

    try:
        client = Client(address, timeout=_ANSWER, set_as_default=False)
    except (OSError, ValueError, TypeError) as error:
        raise InputError(f"no Dask scheduler answers at {address}: {error}") from None
    with _without_tracebacks(), client:
        if not client.scheduler_info()["workers"]:
            print(f"srdi: the scheduler at {address} has no workers yet; waiting for some", file=sys.stderr, flush=True)
        pool = client.get_executor(pure=False)
        done = False
        try:
            for place, future in _as_finished({pool.submit(function, *job): place for place, job in enumerate(jobs)}):
                _refuse_cancelled(future, address)
                yield place, future
            done = True
        finally:
            pool.shutdown(wait=done)


def _refuse_cancelled(future: Future, address: str) -> None:
    """Raise RunFailed if nobody works on a future any more: then the scheduler has gone."""
    try:
        future.exception()
    except CancelledError:
        raise RunFailed(
            f"the Dask scheduler at {address} has gone; with another, resume=True (--resume) goes on"
        ) from None


@contextlib.contextmanager
def _without_tracebacks() -> Iterator[None]:
    """Keep Dask's own account of a lost connection off the screen: what it means is raised."""
    logger = logging.getLogger("distributed.client")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(level)


def _as_finished(places: dict[Future, int]) -> Iterator[tuple[int, Future]]:
    """Places and futures as they finish; none is held after it was handed out, so results do not pile up."""
    for future in as_completed(list(places)):
        yield places.pop(future), future


def _begin_worker() -> None:
    """One Numba thread a worker; and it ends when the process that started it is gone, however that went."""
    os.environ.setdefault("NUMBA_NUM_THREADS", "1")  # read when Numba is imported, which is later
    parent = multiprocessing.parent_process()
    assert parent is not None, "this is no worker"

    def wait() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


@contextlib.contextmanager
def interrupts_held() -> Iterator[None]:
    """Hold Ctrl-C and what ends a command alike back while workers are started; what came arrives at the end.

    Workers inherit the signal mask and leave Ctrl-C, and the end of the terminal, to this process, which ends them;
    else each would print a traceback if it came during their imports, or before they know what to do.
    """
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "pthread_sigmask"):
        yield  # another thread's matter; Windows
        return
    came: list[int] = []
    # The mask alone would not do here: a library's thread may take the signal for this one.
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    handlers = {number: handler for number, handler in handlers.items() if callable(handler)}
    for number in handlers:
        signal.signal(number, lambda number, frame: came.append(number))
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGHUP})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        for number, handler in handlers.items():
            signal.signal(number, handler)
        if came:
            signal.raise_signal(came[0])


def compile_once() -> None:
    """Compile the kernels before workers start, so that none compiles what another does, and say so."""
    from sim.kernel_cache import cache_folder, compiled, kept

    if compiled():
        return
    often = "once on this machine" if kept() else "each time; once if NUMBA_CACHE_DIR names a folder only you can write"
    print(f"compiling the model ({often}) …", file=sys.stderr, flush=True)
    if cache_folder():
        from sim.warmup import warm_up

        warm_up()
