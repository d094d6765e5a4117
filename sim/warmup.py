"""Compiles or loads every kernel ahead of time."""

from __future__ import annotations

import platform
import time
from pathlib import Path

import numba

import sim.jit  # noqa: F401  (sets where kernels are kept)


def _marker() -> Path:
    name = f"compiled-{platform.python_version()}-{numba.__version__}"
    return Path(numba.config.CACHE_DIR) / name


def compiled() -> bool:
    """Whether the kernels of these sources were compiled on this machine before."""
    return _marker().exists()


def warm_up() -> float:
    """Run a tiny model through a whole year with every lever on; returns the seconds it took.

    The first run on a machine compiles the kernels and keeps them on disk (see ``sim.jit``);
    later calls only load them. Worker processes started afterwards find them there.
    """
    from sim.calendar import SCALE_RANGE, START
    from sim.levers import Levers
    from sim.model import SRDIModel
    from sim.policy import Policy

    started = time.perf_counter()
    window = {"enabled": True, "start": str(START + 1), "end": str(START + 8)}
    levers = Levers.model_validate({name: window for name in Levers.model_fields})
    model = SRDIModel(Policy(levers=levers), scale=SCALE_RANGE[0], until=START.year + 1)
    model.run_model()
    model.close()
    _marker().parent.mkdir(parents=True, exist_ok=True)
    _marker().touch()
    return time.perf_counter() - started
