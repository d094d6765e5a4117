"""A run has the same bits on every processor: here on this one and on one without its faster instructions."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from other_process import EVERYTHING, run_elsewhere

_SETTINGS = {"scale": 0.001, "rng": 4, "until": 2019}


def _old_libraries() -> dict[str, str]:
    """Settings under which NumPy, SciPy and the C library use no instruction that old processors lack."""
    found = np.show_config(mode="dicts")["SIMD Extensions"].get("found", [])
    if not found:
        pytest.skip("NumPy has no faster instructions here than the oldest")
    return {
        "NPY_DISABLE_CPU_FEATURES": " ".join(found),
        "OPENBLAS_CORETYPE": "Prescott",
        "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX2,-FMA,-AVX2_Usable,-FMA_Usable",
    }


def _same_with(environment: dict[str, str]) -> None:
    here, there = run_elsewhere(EVERYTHING, {}, **_SETTINGS), run_elsewhere(EVERYTHING, environment, **_SETTINGS)
    assert list(here) == list(there)
    for name, table in here.items():
        pd.testing.assert_frame_equal(table, there[name], check_exact=True, obj=name)


def test_libraries_without_fast_instructions_give_the_same_bits():
    _same_with(_old_libraries())


@pytest.mark.slow
def test_kernels_without_fast_instructions_give_the_same_bits(tmp_path):
    kernels = {"NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": "", "NUMBA_CACHE_DIR": str(tmp_path)}
    _same_with(_old_libraries() | kernels)
