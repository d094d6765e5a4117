"""A list that is searched by typing."""

from __future__ import annotations

from collections.abc import Callable

import solara


@solara.component_vue("search.vue", vuetify=False)
def Search(label: str, value: str, options: list, event_chosen: Callable[[str], None]) -> None:
    """A labelled field that offers what fits the letters typed.

    Args:
        options: dicts with value and title; titles differ. event_chosen: called with the value of a title chosen.
    """
