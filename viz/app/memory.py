"""Returns the memory of closed sessions to the system."""

from __future__ import annotations

import ctypes
import gc
import queue
import sys
import threading
import time
import weakref
from collections.abc import Callable

#: Seconds from the end of a session to the first collection, and the least time between collections.
REST_S = 2.0
#: A collection stops all users, so collections may take at most a twentieth of the time.
_REST_PER_LOOK = 20.0
#: Most collections for a session that is still referenced, such as by a run in progress.
_MOST_LOOKS = 20

_closed: queue.SimpleQueue[weakref.ref[object]] = queue.SimpleQueue()


def reclaim(session: object) -> None:
    """Free the memory of a closed session soon.

    The objects of a page refer to each other and to the tables of its runs. Python would collect such cycles only
    when there are many of them, and the C library would keep the memory that Python frees.
    """
    _closed.put(weakref.ref(session))


def start() -> None:
    """Start the thread. Not while a page is drawn: Solara lets every thread keep the session that started it."""
    threading.Thread(target=_work, daemon=True, name="memory of closed sessions").start()


def forget_tasks_of_pages() -> None:
    """Keep Solara from storing every task of every page, and all it refers to, to run it again in each new session.

    Solara does this to reload pages when their code changes.
    """
    from solara import lifecycle
    from solara.server.kernel_context import has_current_context

    register = lifecycle.on_kernel_start

    def on_kernel_start(f: Callable[[], Callable[[], None] | None]) -> Callable[[], None]:
        return (lambda: None) if has_current_context() else register(f)

    lifecycle.on_kernel_start = on_kernel_start


def _work() -> None:
    trim = _trim()
    while True:
        left, looks, rest = [_closed.get()], _MOST_LOOKS, REST_S
        while left and looks:
            time.sleep(rest)
            looks -= 1
            while not _closed.empty():
                left.append(_closed.get())
                looks = _MOST_LOOKS
            begun = time.thread_time()
            gc.collect()
            rest = max(REST_S, _REST_PER_LOOK * (time.thread_time() - begun))
            trim()
            left = [session for session in left if session() is not None]


def _trim() -> Callable[[], object]:
    """The function that makes the C library return free memory, if it has one (glibc)."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
    return (lambda: None) if trim is None else (lambda: trim(0))
