"""Dose: what a programme does for a recipient by the money it receives."""

from __future__ import annotations

from sim.numerics.arrays import power


def dose_response(dose: float, p) -> float:
    """Effect relative to that of the usual dose: D^η, so that the first yuan do more than the last.

    dose: D, money a recipient receives over the usual (the lever's default). η: `dose_elasticity`, between 0.3 and 1 by
    study. Management: practices rose by 26 points at 75,000-250,000 dollars a firm (Bloom and others 2013), by 8-10 at
    10,000-29,000 (Iacovone, Maloney and McKenzie 2022), by 5 in a classroom: η about 0.6.
    """
    return power(dose, p.dose_elasticity)
