"""A list searched by typing."""

from __future__ import annotations

from collections.abc import Callable

import solara


@solara.component_vue("search.vue", vuetify=False)
def Search(label: str, value: str, options: list, event_chosen: Callable[[str], None]) -> None:
    """A labelled field that suggests the options matching the text typed.

    Args:
        options: dicts with value and title; titles are unique. event_chosen: called with the value of the chosen title.
    """
