"""One process at a time in a directory. The system lets go of the lock when its holder ends, however it ends."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Iterator
from pathlib import Path

from scenarios.ensembles.processes import leave_unguarded
from scenarios.errors import InputError, refuse_undecodable

#: File in a directory in use; it names who uses it and goes when the work is done.
LOCK = ".lock"


@contextlib.contextmanager
def only_one(folder: Path) -> Iterator[None]:
    """Keep other processes out of a directory, which is made if it is not there and goes if it stays empty.

    Raises:
        InputError: another process works in it, which is named as far as it is known; or it cannot be written; or its
            name is no text.
    """
    from filelock import FileLock, SoftFileLock, Timeout

    leave_unguarded()
    refuse_undecodable(folder)
    path, lock = folder / LOCK, FileLock(folder / LOCK)
    try:
        if folder.exists() and not folder.is_dir():
            raise InputError(f"{folder} is not a directory")
        made = not folder.exists()
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire(blocking=False)
    except Timeout:
        raise InputError(f"{folder} is in use by {_holder(path)}; let it end, or name another directory") from None
    except OSError as error:
        raise InputError(f"{folder} cannot be written: {error.strerror or error}") from None
    try:
        if not isinstance(lock, SoftFileLock):  # that one, for disks without locks, writes the same itself
            with contextlib.suppress(OSError):  # a full disk is for the work to name
                path.write_text(f"{os.getpid()}\n{socket.gethostname()}\n", encoding="utf-8")
        yield
    finally:
        # Removed while it is held: who opened it before finds, once it has the lock, that the file has no name.
        with contextlib.suppress(OSError):
            path.unlink()
        lock.release()
        if made:
            with contextlib.suppress(OSError):
                folder.rmdir()


def holds_nothing(folder: Path) -> bool:
    """Whether a directory is empty but for a lock."""
    return all(path.name == LOCK for path in folder.iterdir())


def _holder(path: Path) -> str:
    try:
        number, host = path.read_text(encoding="utf-8").split()[:2]
    except (OSError, ValueError):
        return "another process"
    return f"process {number} on {host}"
