"""Memory of this process and of the machine, in bytes."""

from __future__ import annotations

import resource
import sys
from pathlib import Path

import psutil

_STATUS = Path("/proc/self/status")


def peak_bytes() -> int:
    """Peak memory of this process so far (resident set)."""
    if _STATUS.exists():
        # On Linux, ru_maxrss of a process includes the peak of its parent; VmHWM does not.
        fields = dict(line.split(":", 1) for line in _STATUS.read_text(encoding="utf-8").splitlines())
        return int(fields["VmHWM"].split()[0]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def resident_bytes() -> int:
    """Current memory of this process."""
    return psutil.Process().memory_info().rss


def machine_bytes() -> int:
    """Memory of the machine."""
    return psutil.virtual_memory().total
