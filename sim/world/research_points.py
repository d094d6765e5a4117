"""Points that the SRDI score gives for reported R&D over revenue: its bands, and the one firms work towards."""

from __future__ import annotations

from functools import cache

import numpy as np

from sim.reference import read_data


@cache
def _bands() -> tuple[tuple[float, float], ...]:
    """R&D over revenue from which a band begins, and its points, rising."""
    items = read_data("criteria")["srdi"]["score"]
    (bands,) = (item["bands"] for item in items if item["field"] == "rd_intensity")
    return tuple(sorted((float(bound), float(points)) for bound, points in bands))


def research_bands() -> np.ndarray:
    """R&D over revenue from which a band begins, rising: float64 (bands,)."""
    return np.array([bound for bound, _ in _bands()])


def research_aim(score_min: float) -> float:
    """R&D over revenue that earns at least the same part of its points as passes the score.

    score_min: pass mark, points of 100.
    """
    most = _bands()[-1][1]
    return next(bound for bound, points in _bands() if points >= score_min / 100.0 * most)
