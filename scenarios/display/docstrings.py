"""Docstrings as help texts."""

from __future__ import annotations

import ast
import inspect
import sys
import textwrap
from typing import Any


def documentation(thing: Any) -> str:
    """The docstring of a class or function; read from the source if ``python -OO`` removed it."""
    text = thing.__doc__
    if text is None and sys.flags.optimize > 1:
        (defined,) = ast.parse(textwrap.dedent(inspect.getsource(thing))).body
        text = ast.get_docstring(defined)  # type: ignore[arg-type]
    return inspect.cleandoc(text or "")
