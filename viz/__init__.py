"""The report of results and the web page.

``from viz import write_report``. The package imports ``calibration``, ``scenarios`` and ``sim``, never the other way.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

#: Languages of the pages: English and Chinese; their texts are in ``viz/words``.
LANGUAGES = ("en", "zh")

_HOMES = {"write_brief": "report.brief", "write_report": "report.document"}

__all__ = ["LANGUAGES", *sorted(_HOMES)]


def __getattr__(name: str) -> Any:
    # Imported when first used: the command line's help must not load matplotlib.
    if name in _HOMES:
        return getattr(import_module(f"viz.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
