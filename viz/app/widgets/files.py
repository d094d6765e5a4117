"""Widgets for downloads and uploads."""

from __future__ import annotations

from collections.abc import Callable

import solara


@solara.component_vue("file_button.vue", vuetify=False)
def FileButton(  # noqa: PLR0917, Solara turns the arguments into properties, set by name
    label: str,
    name: str,
    mime: str,
    link: str,
    busy: str,
    version: int,
    content: bytes,
    event_make: Callable[[object], None],
    event_taken: Callable[[object], None],
) -> None:
    """A button that requests a file and, when it arrives, saves it or offers a link to it.

    Args:
        label: of the button. name, mime: of the file.
        link: text of a link that opens the file in a new tab; if empty, the file is saved at once.
        busy: text shown while the file is being made; otherwise empty.
        version: number of files made. content: the newest one, sent without JSON.
        event_make: the button was pressed. event_taken: the browser has the file, so it need not be kept here.
    """


@solara.component_vue("upload.vue", vuetify=False)
def Upload(label: str, hint: str, accept: str, most: int, event_file: Callable[[dict], None]) -> None:
    """A field for a file, chosen or dropped.

    Args:
        label, hint: texts. accept: allowed endings, such as .toml. most: largest size sent, in bytes.
        event_file: called with name, size (bytes), and content as base64 text, or None if the file is too large.
    """
