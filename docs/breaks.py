"""Where long names in tables may break: behind a slash, a dot, an underscore or a colon, never within a word."""

from __future__ import annotations

import re

_CELL = re.compile(r"<td.*?</td>", re.DOTALL)
_NAME = re.compile(r"(<code>)([^<]+)(</code>)")


def on_post_page(output: str, **_: object) -> str:
    """Put ``<wbr>`` into the names of a page's tables; MkDocs calls it once the search has read the names whole."""
    return _CELL.sub(lambda cell: _NAME.sub(_with_breaks, cell[0]), output)


def _with_breaks(name: re.Match) -> str:
    return name[1] + re.sub(r"(?<=[/._:])(?=\w)", "<wbr>", name[2]) + name[3]
