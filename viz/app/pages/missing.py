"""The page shown for an unknown address."""

from __future__ import annotations

import solara

from viz.app.elements import heading, note
from viz.app.state import use_session


@solara.component
def MissingPage():
    """Says that there is no such page; the frame has the links to the others."""
    words = use_session().words
    with solara.Div(classes=["srdi-card", "srdi-stack"]):
        heading(words("app.missing"))
        note(words("app.missing_note"))
