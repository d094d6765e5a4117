"""The model held against what is known: reported figures, to which it is fitted, stylised facts, published estimates.

``from calibration import measure_facts``. The package imports ``sim`` and ``scenarios``, never the other way.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # for type checkers and the reference
    from calibration.firms.facts import Fact, measure_facts
    from calibration.firms.figures import write_figures

_HOMES = {"Fact": "firms.facts", "measure_facts": "firms.facts", "write_figures": "firms.figures"}

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    # Imported when first used: the command line's help must not load SciPy.
    if name in _HOMES:
        return getattr(import_module(f"calibration.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
