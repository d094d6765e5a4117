"""What a reader sees of a page: the texts of its widgets or its HTML, the contrast of its colours."""

from __future__ import annotations

import json
from html.parser import HTMLParser

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


#: Tags without an end.
VOID = {"meta", "link", "br", "img", "input", "hr"}


class HtmlPage(HTMLParser):
    """A page taken apart: balanced tags, ids, links, texts of sections, figures and what they hold."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open, self.ids, self.links, self.unnamed = [], [], [], 0
        self.charts = self.toggles = 0
        self.texts: dict[str, str] = {}
        self.section = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        if tag not in VOID:
            self.open.append(tag)
        if tag == "section":
            self.section = values["id"]
        if "id" in values and tag != "path":  # outlines of markers come again in every figure
            self.ids.append(values["id"])
        self.links += [values[key] for key in ("href", "src") if key in values]
        if tag == "figure":
            self.charts += 1
        if tag == "details":
            self.toggles += "figure" in self.open
        if tag == "svg" and values.get("aria-hidden") != "true" and not values.get("aria-label"):
            self.unnamed += 1

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, self.getpos()

    def handle_data(self, data):
        self.texts[self.section] = self.texts.get(self.section, "") + data
