"""The model: firms, institutions and rules of the SME cultivation ladder.

``from sim import SRDIModel`` gives the Mesa model. The package imports nothing from
``scenarios``, ``calibration`` or ``viz``.
"""

from __future__ import annotations

__all__ = ["SRDIModel"]


def __getattr__(name: str):
    # Mesa takes seconds to import; the command line's help must not pay for it.
    if name == "SRDIModel":
        from sim.model import SRDIModel

        return SRDIModel
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
