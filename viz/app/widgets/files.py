"""Fields that hand files to the browser and take files from it."""

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
    """A button that asks for a file and, when it comes, saves it or offers a link to it.

    Args:
        label: of the button. name, mime: of the file.
        link: text of a link that opens the file in a new tab; empty to save it at once.
        busy: what is said while the file is made; empty if it is not.
        version: counts files made. content: the newest of them, sent without JSON.
        event_make: the button was pressed. event_taken: the browser has the file, which need not be kept here.
    """


@solara.component_vue("upload.vue", vuetify=False)
def Upload(label: str, hint: str, accept: str, most: int, event_file: Callable[[dict], None]) -> None:
    """A field that takes a file by choice or by drop.

    Args:
        label, hint: what is wanted. accept: endings, such as .toml. most: bytes; of a larger file only the size comes.
        event_file: called with name, size (bytes), and content as base64 text, or None where it is too large.
    """
