"""Where compiled kernels are kept, and whether they are there; imports no compiler.

Numba's own cache looks only at the file a kernel stands in, so a changed mechanism would
leave the kernel that calls it stale. Here the cache folder carries a digest of all of
``sim``'s sources: any change compiles afresh, an unchanged tree never compiles twice.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import tempfile
from functools import cache
from importlib.metadata import version
from pathlib import Path

from platformdirs import user_cache_dir

_KEPT_CACHES = 4


def _source_digest() -> str:
    digest = hashlib.sha256()
    package = Path(__file__).parent
    for path in sorted(package.rglob("*.py")):
        digest.update(path.relative_to(package).as_posix().encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


@cache
def cache_folder() -> Path:
    """Folder for the kernels of these sources; created, and older ones beyond a few removed."""
    base = Path(os.environ.get("NUMBA_CACHE_DIR") or Path(user_cache_dir("srdi")) / "kernels")
    folder = base / f"srdi-{_source_digest()}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        os.utime(folder)
    except OSError:
        return Path(tempfile.gettempdir()) / folder.name
    others = sorted(
        (path for path in base.glob("srdi-*") if path != folder),
        key=lambda path: path.stat().st_mtime,
        reverse=True,
    )
    for stale in others[_KEPT_CACHES - 1 :]:
        shutil.rmtree(stale, ignore_errors=True)
    return folder


def _marker() -> Path:
    return cache_folder() / f"compiled-{platform.python_version()}-{version('numba')}"


def compiled() -> bool:
    """Whether the kernels of these sources were compiled on this machine before."""
    return _marker().exists()


def mark_compiled() -> None:
    """Note that the kernels are compiled and on disk."""
    _marker().parent.mkdir(parents=True, exist_ok=True)
    _marker().touch()
