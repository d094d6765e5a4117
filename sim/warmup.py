"""Compiles or loads every kernel ahead of time."""

from __future__ import annotations

import time

from sim.calendar import SCALE_RANGE, START
from sim.levers import Levers
from sim.model import SRDIModel
from sim.numerics.kernel_cache import mark_compiled
from sim.policy import Policy


def warm_up() -> float:
    """Run a tiny model through a whole year with every lever on; returns the seconds it took.

    The first run on a machine compiles the kernels and keeps them on disk (see
    ``sim.numerics.kernel_cache``); worker processes started afterwards find them there.
    """
    started = time.perf_counter()
    window = {"enabled": True, "start": str(START + 1), "end": str(START + 8)}
    levers = Levers.model_validate({name: window for name in Levers.model_fields})
    model = SRDIModel(Policy(levers=levers), scale=SCALE_RANGE[0], rng=1, until=START.year + 1)
    model.run_model()
    model.close()
    mark_compiled()
    return time.perf_counter() - started
