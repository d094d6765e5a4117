"""Mesa's Model and Agent, without the rest of Mesa where they need none of it.

Importing the package Mesa also imports its grids, networks and experiments, and with them NetworkX, SciPy and pandas:
more CPU time than all else that the model imports, in every worker, for what the model does not use.
"""

from __future__ import annotations

import sys
import threading
from importlib.metadata import version
from importlib.util import find_spec, module_from_spec

__all__ = ["Agent", "Model"]


def _open_package(name: str) -> None:
    """Make modules of a package importable; the package itself is run once it is asked for something of its own."""
    if name in sys.modules:
        return
    spec = find_spec(name)
    package = module_from_spec(spec)
    lock, begun = threading.RLock(), []

    def complete(attribute: str):
        with lock:
            # While the package runs, its modules may ask it for what it does not have yet.
            if not begun:
                begun.append(True)
                spec.loader.exec_module(package)
                del package.__getattr__
        if attribute not in vars(package):
            raise AttributeError(f"module {name!r} has no attribute {attribute!r}", name=attribute, obj=package)
        return vars(package)[attribute]

    package.__getattr__ = complete
    sys.modules[name] = package


# From Mesa 3.4 on, its Model itself imports the experiments.
if version("mesa").startswith("3.3."):
    _open_package("mesa")

from mesa.agent import Agent  # noqa: E402
from mesa.model import Model  # noqa: E402
