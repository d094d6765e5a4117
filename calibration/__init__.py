"""Fit of the model to reported figures, and comparison with stylised facts and published estimates.

``from calibration import measure_facts``. The package imports ``sim`` and ``scenarios``, never the other way round.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # for type checkers and the reference
    from calibration.firms.charts import write_figures
    from calibration.firms.facts import Fact, measure_facts

_HOMES = {"Fact": "firms.facts", "measure_facts": "firms.facts", "write_figures": "firms.charts"}

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    # Imported on first use, so that the command line's help does not load SciPy.
    if name in _HOMES:
        return getattr(import_module(f"calibration.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
