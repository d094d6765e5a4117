"""Docstrings as texts for readers."""

from __future__ import annotations

import ast
import inspect
import sys
import textwrap
from typing import Any


def documentation(thing: Any) -> str:
    """The docstring of a class or function; where ``python -OO`` removed it, as it stands in the source."""
    text = thing.__doc__
    if text is None and sys.flags.optimize > 1:
        (defined,) = ast.parse(textwrap.dedent(inspect.getsource(thing))).body
        text = ast.get_docstring(defined)  # type: ignore[arg-type]
    return inspect.cleandoc(text or "")
