"""Where compiled kernels are kept, and whether they are there; imports no compiler.

Numba's own cache looks only at the file a kernel stands in, so a changed mechanism would
leave the kernel that calls it stale. Here the cache folder carries a digest of all of
``sim``'s sources: any change compiles afresh, an unchanged tree never compiles twice.

Numba's files are pickles: whoever writes them decides what runs. So each user has a folder of their own, which is used
only if nobody else (except the superuser) can write in it or replace it. On Windows, which has no such modes, the
folder in the user's profile is private anyway; one named in NUMBA_CACHE_DIR is trusted.
"""

from __future__ import annotations

import atexit
import hashlib
import os
import platform
import shutil
import stat
import tempfile
from contextlib import suppress
from functools import cache
from importlib.metadata import version
from pathlib import Path

from platformdirs import user_cache_dir

_KEPT_CACHES = 4
#: Bytes that the kernels of one version of Python take, with some to spare.
_ROOM = 40_000_000
#: Variable that passes a temporary cache folder to child processes.
_TEMPORARY_CACHE = "SRDI_TEMPORARY_CACHE"


def _source_digest() -> str:
    digest = hashlib.sha256()
    package = Path(__file__).parents[1]
    for path in sorted(package.rglob("*.py")):
        digest.update(path.relative_to(package).as_posix().encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


@cache
def cache_folder() -> Path | None:
    """Folder for the kernels of these sources; created, and older ones of this user beyond a few removed.

    The first of these in which this user, and nobody else, can write: NUMBA_CACHE_DIR, the user's cache, the folder for
    temporary files; else a temporary one of this process. None if none can be made.
    """
    user = f"{os.getuid()}-" if hasattr(os, "getuid") else ""
    name = f"srdi-{user}{_source_digest()}"
    for base in (_named, _users, _temporary):
        with suppress(OSError, RuntimeError):  # the latter: a user without a home, links in a circle
            folder = base().resolve() / name
            _make(folder)
            _remove_old(folder)
            return folder
    with suppress(OSError):
        return _made_for_this_run()
    return None


def _named() -> Path:
    if not (name := os.environ.get("NUMBA_CACHE_DIR")):
        raise FileNotFoundError("NUMBA_CACHE_DIR names no folder")
    return Path(name)


def _users() -> Path:
    return Path(user_cache_dir("srdi")) / "kernels"


def _temporary() -> Path:
    """The folder for temporary files. Python's last resort is the working directory, where nothing should be left."""
    folder = tempfile.gettempdir()
    named = filter(None, map(os.environ.get, ("TMPDIR", "TEMP", "TMP")))
    if folder == os.getcwd() and folder not in map(os.path.abspath, (*named, "/tmp", "/var/tmp", "/usr/tmp")):
        raise FileNotFoundError("there is no folder for temporary files")
    return Path(folder)


def _made_for_this_run() -> Path:
    """A folder that is removed when the process that made it ends; child processes find it in the environment."""
    base = _temporary().resolve()
    if not all(_is_safe_above(level.lstat()) for level in (base, *base.parents[:-1])):
        raise PermissionError(f"others can put another folder in the place of one in {base}")
    known = Path(os.environ.get(_TEMPORARY_CACHE, ""))
    if known.parent == base and _is_own(known.lstat()):
        return known
    folder = tempfile.mkdtemp(prefix="srdi-", dir=base)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    os.environ[_TEMPORARY_CACHE] = folder
    return Path(folder)


def _make(folder: Path) -> None:
    """Make a folder in which only this user can write, and missing folders above it.

    Raises:
        OSError: it cannot be written, the disk is full, or others could write what is read from it.
    """
    # Whoever owns the root of the file system could change anything: it is not checked.
    for level in (*reversed(folder.parents[:-1]), folder):
        level.mkdir(mode=0o700, exist_ok=True)
        if not (_is_own(level.lstat()) if level == folder else _is_safe_above(level.lstat())):
            raise PermissionError(f"{folder} is not private: others can write in {level}")
    os.utime(folder)
    with tempfile.TemporaryFile(dir=folder) as file:
        if not any(folder.rglob("*.nbi")):  # index files of Numba: nothing was compiled yet
            file.write(bytes(_ROOM))


def _is_own(status: os.stat_result) -> bool:
    """Whether it is a folder, not a link, that belongs to this user and in which nobody else can write."""
    if not hasattr(os, "getuid"):
        return stat.S_ISDIR(status.st_mode)
    return stat.S_ISDIR(status.st_mode) and status.st_uid == os.getuid() and not _others_write(status)


def _is_safe_above(status: os.stat_result) -> bool:
    """Whether nobody else (except the superuser) can replace a folder of this user in it."""
    if not hasattr(os, "getuid"):
        return True
    # With the sticky bit, as the folder for temporary files has it, nobody can replace what belongs to others.
    return status.st_uid in (0, os.getuid()) and (bool(status.st_mode & stat.S_ISVTX) or not _others_write(status))


def _others_write(status: os.stat_result) -> bool:
    """Whether the mode lets others write. A group that is this user's alone does not count."""
    if not status.st_mode & stat.S_IWGRP or status.st_mode & stat.S_IWOTH:
        return bool(status.st_mode & stat.S_IWOTH)
    import grp
    import pwd

    try:
        name, group = pwd.getpwuid(os.getuid()).pw_name, grp.getgrgid(status.st_gid)
    except KeyError:
        return True
    return group.gr_name != name or not {name}.issuperset(group.gr_mem)


def _remove_old(folder: Path) -> None:
    """Remove this user's folders for other sources beside this one, except those used last."""
    others = []
    for path in folder.parent.glob(f"srdi-*{'[0-9a-f]' * 16}"):
        with suppress(OSError):  # another process removes it
            status = path.lstat()
            if path != folder and _is_own(status):
                others.append((status.st_mtime, path))
    for _, stale in sorted(others, reverse=True)[_KEPT_CACHES - 1 :]:
        shutil.rmtree(stale, ignore_errors=True)


def _marker(folder: Path) -> Path:
    return folder / f"compiled-{platform.python_version()}-{version('numba')}"


def compiled() -> bool:
    """Whether the kernels of these sources were compiled on this machine before."""
    folder = cache_folder()
    return folder is not None and _marker(folder).exists()


def kept() -> bool:
    """Whether kernels are kept for the next command."""
    return cache_folder() is not None and _TEMPORARY_CACHE not in os.environ


def mark_compiled() -> None:
    """Note that the kernels are compiled and on disk."""
    if folder := cache_folder():
        _marker(folder).touch()
