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
from typing import TypeVar

from scenarios.errors import InputError
from scenarios.jobs import RunFailed

_ATTEMPTS = 2
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

    Raises:
        RunFailed: workers died twice in a row without finishing anything.
    """
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


def _in_pool(
    function: Callable, jobs: Sequence[tuple], workers: int, meanwhile: Callable[[], None]
) -> Generator[tuple[int, Future], None, None]:
    """`in_processes` without a second attempt: if a worker dies, the futures that are left say so."""
    others = set(multiprocessing.active_children())
    # "spawn" on every platform: Mesa forces it, and no state leaks into a worker.
    pool = ProcessPoolExecutor(
        min(workers, len(jobs)), mp_context=multiprocessing.get_context("spawn"), initializer=_begin_worker
    )
    done = False
    try:
        with interrupts_held(), contextlib.suppress(BrokenProcessPool):
            places: dict[Future, int] = {}
            for place, job in enumerate(jobs):
                places[pool.submit(function, *job)] = place
        meanwhile()
        yield from _as_finished(places)
        done = True
    finally:
        if not done:
            for worker in set(multiprocessing.active_children()) - others:
                worker.terminate()
        pool.shutdown(wait=True, cancel_futures=True)


Result = TypeVar("Result")


def call_each(function: Callable[..., Result], jobs: Sequence[tuple], workers: int) -> Iterator[tuple[int, Result]]:
    """The place of each job and what `function` makes of it, as they come; here, or in worker processes."""
    if workers <= 1:
        for place, job in enumerate(jobs):
            yield place, function(*job)
        return
    for place, future in in_processes(function, jobs, workers):
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
    try:
        from distributed import Client
    except ImportError:
        raise InputError('scheduler (--scheduler) needs the package distributed: pip install "srdi[cluster]"') from None
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
    """Hold Ctrl-C back while workers are started; one that comes meanwhile arrives at the end.

    Workers inherit the signal mask and leave Ctrl-C to this process, which ends them; else each
    would print a traceback if it came during their imports, or before they know what to do.
    """
    ours = threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGINT) is not None
    if not (ours and hasattr(signal, "pthread_sigmask")):  # another thread's matter; Windows
        yield
        return
    came: list[int] = []
    # The mask alone would not do here: a library's thread may take the signal for this one.
    handler = signal.signal(signal.SIGINT, lambda number, frame: came.append(number))
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        signal.signal(signal.SIGINT, handler)
        if came:
            signal.raise_signal(signal.SIGINT)


def compile_once() -> None:
    """Compile the kernels before workers start, so that none compiles what another does, and say so."""
    from sim.kernel_cache import compiled

    if not compiled():
        from sim.warmup import warm_up

        print("compiling the model (once on this machine) …", file=sys.stderr, flush=True)
        warm_up()
