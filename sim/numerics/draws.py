"""Counter-based random draws: a pure function of (seed, slot, quarter, purpose).

A stream key mixes seed, quarter and purpose; the draw of a slot is the SplitMix64
output (Steele, Lea, Flood 2014) at that slot's position in the stream. No state is kept,
so results do not depend on order or threads, and two scenarios with one seed share all random draws.
"""

from __future__ import annotations

import numpy as np

from sim.numerics.elementary import float_of_bits, log
from sim.numerics.jit import equation
from sim.numerics.positions import positions

#: What a draw is used for; each purpose has its own stream in every quarter. New ones go at the
#: end: a purpose's position makes its stream, so another order changes every result.
Purpose = positions(
    "Purpose",
    [
        "EXIT",
        "ENTRY",
        "ENTRANT_SIZE",
        "ENTRANT_TRAITS",
        "GROWTH",
        "PRODUCTIVITY",
        "FINANCE",
        "EQUITY",
        "RESEARCH",
        "RESEARCH_START",
        "RELABEL",
        "CAPABILITY",
        "CHAIN",
        "ASPIRATION",
        "ASSESSMENT",
        "REVIEW",
        "LOTTERY",
        "CLUSTER_CONTEST",
        "CITY_CONTEST",
        "START_SIZE",
        "START_PLACE",
        "START_TRAITS",
        "START_RESEARCH",
        "START_AGE",
        "START_CAPABILITY",
        "STRUCTURE",
        "CUSTOMER",
        "FIRSTS",
        "LISTING",
        "MOVE",
        "AUDIT",
        "START_LINK",
        "MOVE_TARGET",
        "ENTRANT_SKILLS",
        "ENTRANT_QUALITY",
        "START_LUCK",
        "START_SKILLS",
        "PANEL",
        "CALL",
        "START_PERMANENT",
        "ENTRANT_PERMANENT",
        "REVIEW_YEAR",
        "RESEARCH_NORM",
        "START_LISTED",
    ],
)

#: Quarter number used for draws that hold for a slot's whole run.
TIMELESS = 0

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)
_S30, _S27, _S31, _S29, _S41 = (np.uint64(n) for n in (30, 27, 31, 29, 41))
_LOW_23 = np.uint64((1 << 23) - 1)
_ONE_BITS = np.uint64(0x3FF0000000000000)  # bits of 1.0
# To eight digits: more would change every result.
_ROOT_12 = 3.4641016  # √12
_ROOT_HALF = 0.70710678  # √½


def _mixed(x):
    """SplitMix64 finaliser: uint64 → uint64, a bijection; of a number in kernels, of arrays in Python."""
    x = (x ^ (x >> _S30)) * _MIX_1
    x = (x ^ (x >> _S27)) * _MIX_2
    return x ^ (x >> _S31)


mix = equation(_mixed)


@equation
def bits(key, slot):
    """64 random bits of a slot in the stream `key`."""
    return mix(key + (np.uint64(slot) + np.uint64(1)) * _GOLDEN)


@equation
def _unit(raw):
    """(n + 1/2) / 2^23 of a 23-bit number n: exact, in (0, 1), float64.

    Built from its bits, as integers of 64 bits are slow to convert on many processors.
    """
    return float_of_bits(np.int64(_ONE_BITS | (raw << _S29))) - (1.0 - 2.0**-24)


@equation
def uniform(key, slot):
    """Uniform draw in (0, 1), float64 of 23 bits, never 0 or 1, the same in float32."""
    return _unit(bits(key, slot) >> _S41)


@equation
def uniform_pair(key, slot):
    """Two independent uniform draws in (0, 1) from one stream position."""
    raw = bits(key, slot)
    return _unit(raw >> _S41), _unit(raw & _LOW_23)


@equation
def unit_noise(u):
    """Noise of mean 0 and variance 1 from a uniform draw (a flat density; sums of it are near normal)."""
    return (u - 0.5) * _ROOT_12


@equation
def round_noise(u, v):
    """Noise of mean 0 and variance 1 from two uniform draws: rounder than one, its density is a triangle."""
    return (unit_noise(u) + unit_noise(v)) * _ROOT_HALF


@equation
def laplace(u):
    """Laplace noise of mean 0 and scale 1 (variance 2) from a uniform draw."""
    tail = log(2.0 * min(u, 1.0 - u))
    return tail if u < 0.5 else -tail


def _mix_int(x: int) -> int:
    """`mix` of a Python number of any size: NumPy would warn that a single product overflows."""
    mask = (1 << 64) - 1
    x &= mask
    x = ((x ^ (x >> 30)) * int(_MIX_1)) & mask
    x = ((x ^ (x >> 27)) * int(_MIX_2)) & mask
    return x ^ (x >> 31)


def stream_key(seed: int, quarter: int, purpose: int) -> np.uint64:
    """Key of the stream for (seed, quarter, purpose), mixed so that neighbours share nothing."""
    return np.uint64(_mix_int(_quarter_state(seed, quarter) + purpose + 1))


def _quarter_state(seed: int, quarter: int) -> int:
    """What all streams of a quarter have in common."""
    return _mix_int(_mix_int(seed) + quarter + 1)


def substream_key(key: np.uint64, stream: int) -> np.uint64:
    """Key of an independent stream within a stream, by number, such as one programme's lottery."""
    return np.uint64(_mix_int(int(key) + stream + 1))


def quarter_keys(seed: int, quarter: int) -> np.ndarray:
    """Keys of all purposes in one quarter: uint64, indexed by Purpose."""
    return _mixed(np.uint64(_quarter_state(seed, quarter)) + np.arange(1, len(Purpose) + 1, dtype=np.uint64))


def uniform_array(key: np.uint64, count: int) -> np.ndarray:
    """The draws of slots 0 … count-1 as a float64 array in (0, 1): for set-up and institutions."""
    raw = _mixed(np.arange(1, count + 1, dtype=np.uint64) * _GOLDEN + key)
    return ((raw >> _S41).astype(np.float64) + 0.5) * 2.0**-23
