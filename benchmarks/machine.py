"""Description of the machine on which the measurements were made."""

from __future__ import annotations

import platform
from importlib.metadata import version
from pathlib import Path

from benchmarks.memory import machine_bytes
from scenarios.ensembles.machine import cores

_PACKAGES = ("mesa", "numba", "numpy", "srdi")


def description() -> dict:
    """Processor, cores, memory, system and versions."""
    return {
        "processor": _processor(),
        "cores": cores(),
        "memory_gib": round(machine_bytes() / 2**30, 1),
        "system": f"{platform.system()} {platform.machine()}",
        "versions": {"python": platform.python_version(), **{name: version(name) for name in _PACKAGES}},
    }


def _processor() -> str:
    """Name of the processor and, if available, its family and model."""
    info = Path("/proc/cpuinfo")
    if not info.exists():
        return platform.processor() or platform.machine()
    first = info.read_text(encoding="utf-8").split("\n\n")[0]
    pairs = (line.partition(":") for line in first.splitlines() if ":" in line)
    fields = {name.strip(): value.strip() for name, _, value in pairs}
    name = fields.get("model name", platform.machine())
    details = [
        f"{label} {fields[key]}" for label, key in (("family", "cpu family"), ("model", "model")) if key in fields
    ]
    return f"{name} ({', '.join(details)})" if details else name
