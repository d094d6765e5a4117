"""A lock that lets one process at a time work in a directory; the system releases it when its holder ends."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Iterator
from pathlib import Path

from scenarios.ensembles.processes import exit_unguarded_worker
from scenarios.errors import InputError, refuse_undecodable

#: File in a directory in use. It names the process that uses it and is removed at the end.
LOCK = ".lock"


@contextlib.contextmanager
def lock_directory(folder: Path) -> Iterator[None]:
    """Keep other processes out of a directory. It is created if needed, and then removed again if it stays empty.

    Raises:
        InputError: another process works in the directory (the message names it if possible), the directory cannot be
            written, or its name is not valid text.
    """
    from filelock import FileLock, SoftFileLock, Timeout

    exit_unguarded_worker()
    refuse_undecodable(folder)
    path, lock = folder / LOCK, FileLock(folder / LOCK)
    try:
        if folder.exists() and not folder.is_dir():
            raise InputError(f"{folder} is not a directory")
        created = not folder.exists()
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire(blocking=False)
    except Timeout:
        raise InputError(
            f"{folder} is in use by {_holder(path)}; wait until it ends, or choose another directory"
        ) from None
    except OSError as error:
        raise InputError(f"{folder} cannot be written: {error.strerror or error}") from None
    try:
        if not isinstance(lock, SoftFileLock):  # SoftFileLock, for disks without locks, writes the same content
            with contextlib.suppress(OSError):  # a full disk is reported by the work itself
                path.write_text(f"{os.getpid()}\n{socket.gethostname()}\n", encoding="utf-8")
        yield
    finally:
        # Removed before it is released: a process that opened it earlier then sees that the file no longer exists.
        with contextlib.suppress(OSError):
            path.unlink()
        lock.release()
        if created:
            with contextlib.suppress(OSError):
                folder.rmdir()


def is_empty(folder: Path) -> bool:
    """Whether a directory is empty except for a lock."""
    return all(path.name == LOCK for path in folder.iterdir())


def _holder(path: Path) -> str:
    try:
        number, host = path.read_text(encoding="utf-8").split()[:2]
    except (OSError, ValueError):
        return "another process"
    return f"process {number} on {host}"
