"""Gives the memory of closed sessions back to the system."""

from __future__ import annotations

import ctypes
import gc
import queue
import sys
import threading
import time
import weakref
from collections.abc import Callable

#: Seconds from a session's end to the first look for what is left of it, and between looks.
REST_S = 2.0
#: Looks stop all readers: they may take a twentieth of the time.
_REST_PER_LOOK = 20.0
#: Looks for a session that something still holds, such as a run in hand.
_MOST_LOOKS = 20

_closed: queue.SimpleQueue[weakref.ref[object]] = queue.SimpleQueue()


def reclaim(session: object) -> None:
    """Give back soon what a session held that is closed.

    A page is a web of objects that refer to each other, with the tables of its runs. Python would look for such webs
    only once they are many, and what it frees the C library would keep.
    """
    _closed.put(weakref.ref(session))


def start() -> None:
    """Begin to give back. Not while a page is drawn: Solara has every thread hold the session that began it."""
    threading.Thread(target=_work, daemon=True, name="memory of closed sessions").start()


def forget_tasks_of_pages() -> None:
    """Keep Solara from noting every task of every page for good, with all it refers to, to run it at each new session.

    It does so for pages whose code changes while they are shown.
    """
    from solara import lifecycle
    from solara.server.kernel_context import has_current_context

    note = lifecycle.on_kernel_start

    def on_kernel_start(f: Callable[[], Callable[[], None] | None]) -> Callable[[], None]:
        return (lambda: None) if has_current_context() else note(f)

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
    """What makes the C library return free memory, where it has such a function (glibc)."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
    return (lambda: None) if trim is None else (lambda: trim(0))
