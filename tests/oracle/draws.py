"""Random numbers: SplitMix64 (Steele, Lea, Flood 2014) at a position that seed, quarter, purpose and slot give."""

from __future__ import annotations

import math

GOLDEN = 0x9E3779B97F4A7C15
MASK = (1 << 64) - 1

#: Number of each purpose's stream.
PURPOSES = {
    "exit": 0,
    "entry": 1,
    "entrant_size": 2,
    "entrant_traits": 3,
    "growth": 4,
    "productivity": 5,
    "finance": 6,
    "equity": 7,
    "research": 8,
    "research_start": 9,
    "relabel": 10,
    "capability": 11,
    "chain": 12,
    "aspiration": 13,
    "assessment": 14,
    "review": 15,
    "lottery": 16,
    "cluster_contest": 17,
    "city_contest": 18,
    "customer": 26,
    "firsts": 27,
    "listing": 28,
    "move": 29,
    "audit": 30,
    "move_target": 32,
    "entrant_skills": 33,
    "entrant_quality": 34,
    "call": 38,
    "entrant_permanent": 40,
    "review_year": 41,
    "research_norm": 42,
}


def mix(x: int) -> int:
    """The SplitMix64 finaliser."""
    x &= MASK
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9 & MASK
    x = (x ^ (x >> 27)) * 0x94D049BB133111EB & MASK
    return x ^ (x >> 31)


def stream(seed: int, quarter: int, purpose: str) -> int:
    """Key of a purpose's draws in a quarter; quarter 0 holds those that stay the same for a whole run."""
    return mix(mix(mix(seed) + quarter + 1) + PURPOSES[purpose] + 1)


def uniform_pair(key: int, slot: int) -> tuple[float, float]:
    """Two draws in (0, 1) of 23 bits each: the highest and the lowest bits of one number."""
    bits = mix(key + (slot + 1) * GOLDEN)
    return ((bits >> 41) + 0.5) / (1 << 23), ((bits & ((1 << 23) - 1)) + 0.5) / (1 << 23)


def uniform(key: int, slot: int) -> float:
    """One draw in (0, 1)."""
    return uniform_pair(key, slot)[0]


def flat(u: float) -> float:
    """Noise of mean 0 and variance 1 with a flat density."""
    return (u - 0.5) * math.sqrt(12.0)


def laplace(u: float) -> float:
    """Laplace noise of mean 0 and scale 1."""
    return math.log(2.0 * u) if u < 0.5 else -math.log(2.0 * (1.0 - u))
