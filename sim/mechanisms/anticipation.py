"""Anticipation: what firms do between the announcement of a lever or rule and its start."""

from __future__ import annotations

from sim.numerics.arrays import power


def felt_ahead(quarters: int, p) -> float:
    """How much of a benefit that begins in so many quarters is felt today: δ^n, and all of it from its start on.

    δ is `anticipation_fade`. Nothing is felt before a lever is announced.
    """
    return power(p.anticipation_fade, max(quarters, 0))


def last_rush(quarters: int, stricter: bool, p) -> float:
    """Log-odds that stricter rules announced for so many quarters ahead add to applications.

    All of `apply_rush` in the year before they hold, in which each yearly round is the last under the old ones; else 0.
    Firms hurry under a threshold before it rises, as they bunch at it (Chen, Liu, Suárez Serrato and Xu 2021).
    """
    return p.apply_rush if stricter and 0 < quarters <= 4 else 0.0
