"""The state of the page as the query of its address, which holds only differences from the default."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, replace
from urllib.parse import parse_qsl, urlencode

from sim.policy import POLICY_TABLES
from viz import LANGUAGES

#: Most policies that can be kept to compare.
MOST_SAVED = 4
_SEPARATOR = "~"
#: Longest name of a kept policy, in characters.
_MOST_LETTERS = 60


@dataclass(frozen=True)
class Saved:
    """A policy kept to compare: its name and what it changes in the baseline, by dotted key."""

    name: str
    settings: dict[str, object]


@dataclass(frozen=True)
class State:
    """Everything a link reproduces.

    Attributes:
        settings: values by dotted key that differ from the baseline's.
        language: one of `viz.LANGUAGES`, or None for that of the browser.
        dark: whether the page is dark, or None for what the system prefers.
        view: further choices on the pages by name, such as measure, quarter, province, chain.
        saved: policies kept to compare.
    """

    settings: dict[str, object]
    language: str | None = None
    dark: bool | None = None
    view: dict[str, str] = field(default_factory=dict)
    saved: tuple[Saved, ...] = ()


def to_query(state: State) -> str:
    """The state as a query, without the question mark."""
    parts = []
    if state.language is not None:
        parts.append(("lang", state.language))
    if state.dark is not None:
        parts.append(("dark", str(int(state.dark))))
    parts += sorted(state.view.items())
    parts += [(key, value_text(value)) for key, value in sorted(state.settings.items())]
    for saved in state.saved:
        lines = (f"{key}={value_text(value)}" for key, value in sorted(saved.settings.items()))
        parts.append(("policy", _SEPARATOR.join([saved.name, *lines])))
    return urlencode(parts, errors="replace")  # JSON allows lone surrogates, which no address can hold


def from_query(query: str, views: tuple[str, ...]) -> State:
    """The state a query describes. Unknown parts are ignored; they may come from another version.

    Args:
        views: names of the choices on the pages.
    """
    state = State({})
    for key, text in parse_qsl(query or ""):
        if key == "lang" and text in LANGUAGES:
            state = replace(state, language=text)
        elif key == "dark" and text in ("0", "1"):
            state = replace(state, dark=text == "1")
        elif key in views:
            state.view[key] = text
        elif key == "policy" and len(state.saved) < MOST_SAVED:
            name, *lines = text.split(_SEPARATOR)
            pairs = (line.partition("=") for line in lines)
            settings = {key: text_value(value) for key, equals, value in pairs if equals}
            state = replace(state, saved=(*state.saved, Saved(kept_name(name), settings)))
        elif key.partition(".")[0] in POLICY_TABLES:
            state.settings[key] = text_value(text)
    return state


def preferred_language(accepted: str) -> str:
    """The language of `viz.LANGUAGES` that a browser prefers; the first one if it names none of them.

    Args:
        accepted: the header Accept-Language, such as ``zh-CN,zh;q=0.9,en;q=0.8``.
    """
    best, most = LANGUAGES[0], 0.0
    for part in accepted.split(","):
        tag, _, weight = part.partition(";")
        language = tag.strip().partition("-")[0].lower()
        match = re.fullmatch(r"\s*q=([01](?:\.\d{0,3})?)\s*", weight)
        quality = float(match[1]) if match else 0.0 if weight.strip() else 1.0
        if language in LANGUAGES and quality > most:
            best, most = language, quality
    return best


def kept_name(text: str) -> str:
    """A name the address can hold: on one line, without the separator, not too long."""
    return " ".join(text.replace(_SEPARATOR, " ").split())[:_MOST_LETTERS]


def value_text(value: object) -> str:
    """A setting as ``--set`` takes it; text is not quoted."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def text_value(text: str) -> object:
    """A setting from its text: a number, a text, a list of them; anything nested more deeply stays text."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text
    inner = value if isinstance(value, list) else [value]
    return text if any(isinstance(each, dict | list) for each in inner) else value
