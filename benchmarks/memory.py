"""Memory of this process and of the machine, in bytes."""

from __future__ import annotations

import os
import resource
import sys
from pathlib import Path

_STATUS = Path("/proc/self/status")


def _status(field: str) -> int | None:
    """A field of Linux's process status, or None elsewhere."""
    if not _STATUS.exists():
        return None
    line = next(line for line in _STATUS.read_text(encoding="utf-8").splitlines() if line.startswith(f"{field}:"))
    return int(line.split()[1]) * 1024


def peak_bytes() -> int:
    """Most memory this process has held so far (resident set)."""
    # Linux counts a parent's peak into ru_maxrss of the processes it starts, but not into VmHWM.
    peak = _status("VmHWM")
    if peak is None:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return peak


def resident_bytes() -> int:
    """Memory this process holds now; its peak where the system does not tell."""
    now = _status("VmRSS")
    return peak_bytes() if now is None else now


def machine_bytes() -> int:
    """Memory of the machine."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
