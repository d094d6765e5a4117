"""Exponential, logarithm and powers of arrays and single numbers, outside kernels.

NumPy's and the C library's own functions have versions for each kind of processor, whose last bits differ. These are
the functions of `sim.numerics.elementary`, one number after another, so that a run has the same bits on every
processor.
"""

from __future__ import annotations

import numpy as np

from sim.numerics import elementary
from sim.numerics.jit import kernel

#: The smallest positive float64 that keeps its precision.
_SMALLEST = np.finfo(np.float64).tiny


@kernel
def _exp_each(x, out):
    for i in range(x.size):
        out[i] = elementary.exp(x[i])


@kernel
def _log_each(x, out):
    for i in range(x.size):
        out[i] = elementary.log(x[i])


def _each(function, x):
    """The values of a kernel for each number in x: float64 of its shape, or one number."""
    values = np.asarray(x, dtype=np.float64, order="C")
    out = np.empty(values.shape)
    function(values.reshape(-1), out.reshape(-1))
    return out if np.ndim(x) else float(out)


def exp(x):
    """e to the power of x, float64 of the shape of x; x is kept within ±700."""
    return _each(_exp_each, x)


def log(x):
    """Natural logarithm of positive numbers, float64 of the shape of x."""
    return _each(_log_each, x)


def power(base, exponent):
    """Numbers from 0 up to a power, float64: e^(exponent · ln base); 0 stays 0, but any to the power of 0 is 1."""
    return exp(exponent * log(np.maximum(base, _SMALLEST))) * (np.greater(base, 0.0) | np.equal(exponent, 0.0))


def logistic(x):
    """1 / (1 + e^−x), float64 of the shape of x."""
    return 1.0 / (1.0 + exp(np.negative(x)))


def unit_normal(u):
    """Standard normal deviates of uniform draws in (0, 1), float64 of the shape of u.

    Rounded to seven places, so that no library's last bit enters a run.
    """
    from scipy.special import ndtri

    return np.round(ndtri(u), 7)
