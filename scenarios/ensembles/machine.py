"""Cores and memory that a process may use, given the limits of the system, a container or a job scheduler."""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Iterator
from pathlib import Path

#: Variables with the cores granted by a job scheduler: SLURM (task; job on this node), Grid Engine, PBS, LSF.
_SCHEDULER_CORES = ("SLURM_CPUS_PER_TASK", "SLURM_CPUS_ON_NODE", "NSLOTS", "NCPUS", "LSB_DJOB_NUMPROC")
# File names differ between control groups of version 2 and version 1.
_LIMITS = ("memory.max", "memory.high", "memory.limit_in_bytes")
_USED = ("memory.current", "memory.usage_in_bytes")
#: File cache that the system can free when memory is needed.
_RECLAIMABLE = ("inactive_file", "total_inactive_file")


def cores(root: Path = Path("/")) -> int:
    """Cores this process may use: the smallest of all limits, with fractions of a core rounded up.

    Args:
        root: folder that contains ``proc`` and ``sys``.
    """
    counts = [_python_cores(), *filter(None, (_number(os.environ.get(name)) for name in _SCHEDULER_CORES))]
    for group in _groups("cpu", root):
        words = _words(group / "cpu.max") or _words(group / "cpu.cfs_quota_us") + _words(group / "cpu.cfs_period_us")
        if len(words) == 2 and all(map(_number, words)):
            quota, period = map(int, words)
            counts.append(math.ceil(quota / period))
    return max(1, min(counts))


def memory(root: Path = Path("/")) -> int:
    """Bytes of memory left for this process and its children: the smallest of system, control groups and scheduler.

    Args:
        root: as for `cores`.
    """
    import psutil

    room = [psutil.virtual_memory().available]
    for group in _groups("memory", root):
        limits = [limit for name in _LIMITS if (limit := _number("".join(_words(group / name))))]
        if limits:
            used = sum(_number("".join(_words(group / name))) for name in _USED)
            words = _words(group / "memory.stat")
            pages = dict(zip(words[::2], words[1::2], strict=False))
            room.append(min(limits) - used + max(_number(pages.get(name)) for name in _RECLAIMABLE))
    for name, times in (("SLURM_MEM_PER_NODE", 1), ("SLURM_MEM_PER_CPU", cores(root))):
        if granted := _number(os.environ.get(name)):
            room.append(granted * times * 2**20)
    return max(0, min(room))


def _python_cores() -> int:
    """Cores as counted by Python; PYTHON_CPU_COUNT overrides the count."""
    if sys.version_info >= (3, 13):
        return os.process_cpu_count() or 1
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return _number(os.environ.get("PYTHON_CPU_COUNT")) or count or 1


def _groups(controller: str, root: Path) -> Iterator[Path]:
    """Folders of the control groups of this process and of their parents; each can have its own limit.

    Inside a container, the paths may be those outside it; then only the topmost folder, that of the container, exists.
    """
    cgroups = root / "sys/fs/cgroup"
    for line in _lines(root / "proc/self/cgroup"):
        _, controllers, path = line.split(":", 2)
        if controllers and controller not in controllers.split(","):
            continue
        names = [name for name in path.split("/") if name]
        for mount in {cgroups / controllers, cgroups / controller} if controllers else (cgroups, cgroups / "unified"):
            for depth in range(len(names) + 1):
                yield mount.joinpath(*names[:depth])


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text(encoding="utf-8").splitlines()
    except OSError:
        return []


def _words(file: Path) -> list[str]:
    return " ".join(_lines(file)).split()


def _number(text: str | None) -> int:
    """A whole number; 0 for any other text, such as "max"."""
    return int(text) if text and text.isdecimal() else 0
