"""How every kernel is compiled."""

from __future__ import annotations

from collections.abc import Callable

import numba
from numba.core import cgutils, types
from numba.extending import intrinsic, register_jitable

from sim.numerics.kernel_cache import cache_folder

#: Whether compiled kernels can be kept. Where they cannot, what NUMBA_CACHE_DIR names is not read either.
KEPT = cache_folder() is not None
numba.config.CACHE_DIR = str(cache_folder() or "")

# Kernels own no arrays: without Numba's reference counting (`_nrt`) the named tuples of columns
# cost nothing to pass; with it, reading a firm's fields took forty times as long.

_OPTIONS = {"nogil": True, "error_model": "numpy", "_nrt": False, "no_cfunc_wrapper": True}

#: A loop over firms. Releases the interpreter lock so that blocks of firms run on threads.
kernel = numba.njit(cache=KEPT, **_OPTIONS)

#: One equation for one firm: a scalar function that the compiler folds into the kernels.
equation = numba.njit(forceinline=True, **_OPTIONS)


#: A piece of a kernel that takes columns or tables. Kernels compile it into themselves; Python runs it interpreted, as
#: to compile what it needs to unpack such arguments takes longer than the piece itself.
inlined = register_jitable(forceinline=True, no_cpython_wrapper=True, **_OPTIONS)


def interpreted(function: Callable) -> Callable:
    """The Python function behind an equation, for Python code that asks it for a few numbers.

    An equation is not kept on disk: called as it is, every process would compile it anew.
    """
    return getattr(function, "py_func", function)


@intrinsic
def own_copy(typing_context, record):
    """A kernel's own copy of a record, such as the parameters.

    The compiler then knows that no firm's column lies over it, and reads the fields once before a loop
    instead of once a turn: a few per cent of the pass over firms.
    """

    def generate(context, builder, signature, arguments):
        copy = cgutils.alloca_once(builder, context.get_data_type(record))
        copy.align = 8
        cgutils.raw_memcpy(builder, copy, arguments[0], context.get_constant(types.intp, record.size), 1, align=8)
        return copy

    return record(record), generate


if numba.config.DISABLE_JIT:

    def own_copy(record):
        """The record itself: interpreted code has nothing to gain from a copy."""
        return record
