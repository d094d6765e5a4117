"""How every kernel is compiled."""

from __future__ import annotations

import numba

from sim.kernel_cache import cache_folder

numba.config.CACHE_DIR = str(cache_folder())

# Kernels own no arrays: without Numba's reference counting (`_nrt`) the named tuples of columns
# cost nothing to pass; with it, reading a firm's fields took forty times as long.

#: A loop over firms. Releases the interpreter lock so that blocks of firms run on threads.
kernel = numba.njit(cache=True, nogil=True, error_model="numpy", _nrt=False)

#: One rule for one firm: a scalar function that the compiler folds into the kernels.
rule = numba.njit(nogil=True, error_model="numpy", _nrt=False, forceinline=True)
