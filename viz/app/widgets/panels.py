"""Widgets of the page that only send and receive plain values: the levers, the address, the pages."""

from __future__ import annotations

from collections.abc import Callable

import solara


@solara.component_vue("levers.vue")
def LeverPanel(
    declared: str,
    values: dict,
    unfolded: list,
    refused: int,
    event_set_lever: Callable[[dict], None],
) -> None:
    """All levers, drawn and dragged in the browser.

    Args:
        declared: JSON of groups (as `viz.app.controls.control_groups` gives them), defaults (values by dotted key) and
            texts (words of the panel). A text, because every drawing of the page walks through lists and dicts.
        values: those that differ from the defaults. unfolded: groups that stand open.
        refused: counts values that were not valid, so that the panel shows what holds.
        event_set_lever: called with key, value and whether the hand has let go (final).
    """


@solara.component_vue("address.vue")
def Address(query: str, language: str) -> None:
    """Writes the page's state into its address, and its language into the document."""


@solara.component_vue("pages.vue", vuetify=False)
def Pages(label: str, pages: list[dict], here: str, query: str) -> None:
    """Links to the pages, below the path the page stands below.

    Args:
        label: of them all. pages: dicts with path and title. here: path of the one that is shown.
        query: that goes with the reader to the next, without the question mark.
    """


@solara.component_vue("choice.vue", vuetify=False)
def Choice(
    label: str,
    options: list,
    value: str,
    event_choose: Callable[[str], None],
    disabled: bool = False,
    once: bool = False,
) -> None:
    """One of several, as the browser's own list.

    Args:
        options: pairs of value and title. event_choose: called with the value that was chosen.
        once: a choice starts something and is not kept: the list goes back to its value.
    """
