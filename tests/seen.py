"""What a reader sees of a page: the texts of its widgets, the contrast of its colours."""

from __future__ import annotations

import json

import ipywidgets
import numpy as np


def texts_of(widget):
    """All texts of a widget and of what it holds."""
    if isinstance(widget, str):
        yield widget
    elif isinstance(widget, ipywidgets.Widget):
        for name in ("unsafe_innerHTML", "innerHTML", "label", "busy"):
            yield str(getattr(widget, name, "") or "")
        yield from (page["title"] for page in getattr(widget, "pages", ()))
        if hasattr(widget, "described"):
            yield json.loads(widget.described)["title"]
        for child in getattr(widget, "children", None) or []:
            yield from texts_of(child)


def contrast(one: str, other: str) -> float:
    """Contrast of two colours (#rrggbb) by the rule of WCAG 2, from 1 to 21."""

    def luminance(colour):
        parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
        parts = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return float(np.dot(parts, [0.2126, 0.7152, 0.0722]))

    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)
