"""Widgets that only send and receive plain values: levers, address, links to pages, choices."""

from __future__ import annotations

from collections.abc import Callable

import solara


@solara.component_vue("levers.vue")
def LeverPanel(
    declared: str,
    values: dict,
    money: dict,
    unfolded: list,
    refused: int,
    event_set_lever: Callable[[dict], None],
) -> None:
    """All levers, drawn and dragged in the browser.

    Args:
        declared: JSON text with groups (from `viz.app.controls.control_groups`), defaults (values by dotted key) and
            texts (of the panel). A text, because every redraw of the page traverses lists and dicts.
        values: those that differ from the defaults. unfolded: groups that are open at first.
        money: texts, a sentence on the money of a lever by key; and waiting, whether the answer to these values is
            still to come: a sentence then keeps its place and is not shown.
        refused: number of invalid values so far; when it changes, the panel shows the valid values again.
        event_set_lever: called with key, value and whether the slider is released (final).
    """


@solara.component_vue("address.vue")
def Address(
    address: dict, language: str, event_dark: Callable[[bool], None], event_returned: Callable[[str], None]
) -> None:
    """Writes the state of the page into the address, and its language into the document.

    Args:
        address: query (without the question mark); moves, a number: once it grows, the browser's history gets an entry;
            returns, a number: once it grows, the current entry is written anew.
        event_dark: called with whether the system prefers dark pages, at first and whenever that changes.
        event_returned: called with the query of an entry to which the browser went back or forward.
    """


@solara.component_vue("skip.vue", vuetify=False)
def Skip(label: str) -> None:
    """A link for the keyboard from the top of the page to its main part, shown while it has the focus."""


@solara.component_vue("copy.vue", vuetify=False)
def Copy(label: str, text: str, copied: str, failed: str) -> None:
    """A button that copies a text.

    Args:
        text: in which ORIGIN stands for the server's address; if empty, the page's own address is copied.
        copied, failed: said afterwards.
    """


@solara.component_vue("sheet.vue", vuetify=False)
def Sheet(title: str, note: str, controls: str, above: str) -> None:
    """On small screens, the handle that opens and closes a sheet at the window's lower edge; else nothing.

    Args:
        title: on the handle. note: beside it. controls: id of the sheet, whose class is ``srdi-sheet``.
        above: id of what is shown above the opened sheet.
    """


@solara.component_vue("described.vue", vuetify=False)
def Described(text: str) -> None:
    """Text in place of the pictures beside it, which another library draws without one; unseen."""


@solara.component_vue("pages.vue", vuetify=False)
def Pages(label: str, pages: list[dict], here: str, query: str) -> None:
    """Links to the pages, below the root path.

    Args:
        label: of the navigation. pages: dicts with path and title. here: path of the current page.
        query: added to every link, without the question mark.
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
    """A drop-down list of the browser.

    Args:
        options: pairs of value and title, or of a group's title and its pairs.
        event_choose: called with the chosen value.
        once: the choice only triggers an action; afterwards the list shows its old value.
    """
