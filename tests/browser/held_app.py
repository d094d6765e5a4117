"""``srdi ui`` that tells, for every line it reads, how many of what a visitor holds were made and are left."""

from __future__ import annotations

import functools
import os
import sys
import threading
import weakref

from scenarios.cli import main
from viz.app.server import SETTINGS

#: Weak references to all of a kind that were ever made.
_made: dict[str, list[weakref.ref]] = {}


def _note(kind: type) -> None:
    begin, found = kind.__init__, _made.setdefault(kind.__name__, [])

    @functools.wraps(begin)
    def noted(self, *arguments, **named):
        found.append(weakref.ref(self))
        begin(self, *arguments, **named)

    kind.__init__ = noted


def _tell() -> None:
    for _ in sys.stdin:
        counts = (f"{name}={len(found)},{sum(each() is not None for each in found)}" for name, found in _made.items())
        print(" ".join(counts), flush=True)


if __name__ == "__main__":
    os.environ |= SETTINGS  # Solara reads them when it is first imported, which the server leaves to the last
    from viz.app import live_model, state
    from viz.live import session

    for kind in (state.Session, session.Answer, session.Worker, live_model.LiveModel):
        _note(kind)
    threading.Thread(target=_tell, daemon=True).start()
    main()
