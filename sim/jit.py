"""How every kernel is compiled, and where compiled kernels are kept.

Numba's own cache looks only at the file a kernel stands in, so a changed mechanism would
leave the kernel that calls it stale. Here the cache folder carries a digest of all of
``sim``'s sources: any change compiles afresh, an unchanged tree never compiles twice.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from pathlib import Path

import numba
from platformdirs import user_cache_dir

_KEPT_CACHES = 4


def _source_digest() -> str:
    digest = hashlib.sha256()
    package = Path(__file__).parent
    for path in sorted(package.rglob("*.py")):
        digest.update(path.relative_to(package).as_posix().encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _cache_folder() -> Path:
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


numba.config.CACHE_DIR = str(_cache_folder())

# Kernels own no arrays: without Numba's reference counting (`_nrt`) the named tuples of columns
# cost nothing to pass; with it, reading a firm's fields took forty times as long.

#: A loop over firms. Releases the interpreter lock so that blocks of firms run on threads.
kernel = numba.njit(cache=True, nogil=True, error_model="numpy", _nrt=False)

#: One rule for one firm: a scalar function that the compiler folds into the kernels.
rule = numba.njit(nogil=True, error_model="numpy", _nrt=False)
