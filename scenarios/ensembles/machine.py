"""What a process may use of its machine: the cores and memory that the system, a container or a scheduler leaves it."""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Iterator
from pathlib import Path

#: Cores that a scheduler of jobs gives a process: SLURM (a task; the job on this node), Grid Engine, PBS, LSF.
_GRANTED = ("SLURM_CPUS_PER_TASK", "SLURM_CPUS_ON_NODE", "NSLOTS", "NCPUS", "LSB_DJOB_NUMPROC")
# What control groups of version 2 and of version 1 name differently.
_LIMITS = ("memory.max", "memory.high", "memory.limit_in_bytes")
_USED = ("memory.current", "memory.usage_in_bytes")
#: Pages of files, which the system gives up when memory is wanted.
_GIVEN_UP = ("inactive_file", "total_inactive_file")


def cores(root: Path = Path("/")) -> int:
    """Cores this process may keep busy: the fewest that anything allows, parts of a core rounded up.

    Args:
        root: where the folders ``proc`` and ``sys`` of Linux are.
    """
    counts = [_counted(), *filter(None, (_number(os.environ.get(name)) for name in _GRANTED))]
    for group in _groups("cpu", root):
        words = _words(group / "cpu.max") or _words(group / "cpu.cfs_quota_us") + _words(group / "cpu.cfs_period_us")
        if len(words) == 2 and all(map(_number, words)):
            quota, period = map(int, words)
            counts.append(math.ceil(quota / period))
    return max(1, min(counts))


def memory(root: Path = Path("/")) -> int:
    """Bytes of memory that are left for this process and those it starts: the fewest of system, groups and scheduler.

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
            room.append(min(limits) - used + max(_number(pages.get(name)) for name in _GIVEN_UP))
    for name, times in (("SLURM_MEM_PER_NODE", 1), ("SLURM_MEM_PER_CPU", cores(root))):
        if granted := _number(os.environ.get(name)):
            room.append(granted * times * 2**20)
    return max(0, min(room))


def _counted() -> int:
    """Cores by Python's own account, which PYTHON_CPU_COUNT overrules."""
    if sys.version_info >= (3, 13):
        return os.process_cpu_count() or 1
    found = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return _number(os.environ.get("PYTHON_CPU_COUNT")) or found or 1


def _groups(controller: str, root: Path) -> Iterator[Path]:
    """Folders of the control groups this process is in, and of those above; each can have a limit of its own.

    Within a container the paths may be those outside: then only the uppermost folder is there, the container's own.
    """
    place = root / "sys/fs/cgroup"
    for line in _lines(root / "proc/self/cgroup"):
        _, controllers, path = line.split(":", 2)
        if controllers and controller not in controllers.split(","):
            continue
        parts = [part for part in path.split("/") if part]
        for mount in {place / controllers, place / controller} if controllers else (place, place / "unified"):
            for depth in range(len(parts) + 1):
                yield mount.joinpath(*parts[:depth])


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text(encoding="utf-8").splitlines()
    except OSError:
        return []


def _words(file: Path) -> list[str]:
    return " ".join(_lines(file)).split()


def _number(text: str | None) -> int:
    """A whole number; 0 for what is none, such as "max"."""
    return int(text) if text and text.isdecimal() else 0
