"""SRDI (专精特新): an agent-based model of China's SME cultivation ladder, its scenarios and its results.

``from srdi import SRDIModel, load_scenario, run_ensemble, load_results, compare``. The names are those of the packages
``sim`` and ``scenarios``; imported from here, a file ``sim.py`` of the reader's own is named as the fault.
"""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from scenarios import InputError, RunFailed, compare, load_results, load_scenario, run_ensemble
    from sim import SRDIModel

__version__ = version("srdi")

__all__ = [
    "InputError",
    "RunFailed",
    "SRDIModel",
    "__version__",
    "compare",
    "load_results",
    "load_scenario",
    "run_ensemble",
]


def __getattr__(name: str) -> Any:
    # Imported when first used: Mesa and pandas take seconds to import.
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        return getattr(import_module("sim" if name == "SRDIModel" else "scenarios"), name)
    except (AttributeError, ImportError) as error:
        if hidden := _hidden():
            raise ImportError(hidden) from error
        raise


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def _hidden() -> str:
    """Which package of SRDI a module of the reader's own hides; empty if none does."""
    home = Path(__file__).parents[1]
    for package in ("sim", "scenarios"):
        found = find_spec(package)
        if found and found.origin and Path(found.origin).parents[1] != home:
            return f"SRDI's package {package!r} is hidden by {found.origin}; give that file another name"
    return ""
