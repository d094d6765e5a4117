"""Work on several processes: started alike everywhere, interrupted without noise, compiled for once."""

from __future__ import annotations

import contextlib
import multiprocessing
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed


def in_processes(
    function: Callable, jobs: Sequence[tuple], workers: int, meanwhile: Callable[[], None] = lambda: None
) -> Iterator[tuple[int, Future]]:
    """Call `function` with each tuple of arguments in worker processes.

    If the iterator is left before its end, the workers are ended too: waiting for what nobody wants could take long.

    Args:
        meanwhile: called once while the workers start.

    Yields:
        The place of a job and its finished future, as they finish.
    """
    others = set(multiprocessing.active_children())
    # "spawn" on every platform: Mesa forces it, and no state leaks into a worker.
    pool = ProcessPoolExecutor(min(workers, len(jobs)), mp_context=multiprocessing.get_context("spawn"))
    done = False
    try:
        with interrupts_held():
            places = {pool.submit(function, *job): place for place, job in enumerate(jobs)}
        meanwhile()
        for future in as_completed(places):
            yield places[future], future
        done = True
    finally:
        if not done:
            for worker in set(multiprocessing.active_children()) - others:
                worker.terminate()
        pool.shutdown(wait=True, cancel_futures=True)


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
