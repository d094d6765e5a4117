"""Names of policies in the language of the page: those the page gave, and the titles of files."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

from viz import LANGUAGES
from viz.app.address import MOST_SAVED, Saved, kept_name
from viz.app.policies import presets, title_of_preset
from viz.words.language import Words

#: Between the English and the Chinese title in the address; no title has it (see `viz.app.address.kept_name`).
_BETWEEN = "~"


@cache
def _given(language: str) -> tuple[str, ...]:
    """Names that the page gives kept policies in a language, in the same order in each."""
    words = Words(language)
    numbered = (words("policy.keep_name", number=number) for number in range(1, MOST_SAVED + 2))
    titles = (title_of_preset(words, name) for name in presets())
    return tuple(kept_name(name) for name in (*numbered, *titles))


def name_in(language: str, name: str) -> str:
    """A name the page gave a kept policy, in a language; one the user gave stays as it is."""
    for other in LANGUAGES:
        if name in _given(other):
            return _given(language)[_given(other).index(name)]
    return name


def kept_in(language: str, saved: tuple[Saved, ...]) -> tuple[Saved, ...]:
    """Kept policies with their names in a language; all keep their names if two would have the same."""
    renamed = tuple(replace(each, name=name_in(language, each.name)) for each in saved)
    return renamed if len({each.name for each in renamed}) == len(renamed) else saved


def title_in(language: str, titles: tuple[str, str]) -> str:
    """A policy's title in a language, or in the other one if it has none in this."""
    title = dict(zip(("en", "zh"), titles, strict=True))[language]
    return title or next(each for each in titles if each)


def title_text(titles: tuple[str, str]) -> str:
    """An English and a Chinese title as the address has them."""
    return titles[0] if titles[0] == titles[1] else _BETWEEN.join(titles)


def titles_of(text: str) -> tuple[str, str]:
    """The English and the Chinese title in an address, the inverse of `title_text`."""
    english, between, chinese = text.partition(_BETWEEN)
    return (english, chinese) if between else (text, text)
