"""What is shown for an address there is not."""

from __future__ import annotations

import solara

from viz.app.elements import heading, note
from viz.app.state import use_session


@solara.component
def MissingPage():
    """Says so; the ways on stand in the frame."""
    words = use_session().words
    with solara.Div(classes=["srdi-card", "srdi-stack"]):
        heading(words("app.missing"))
        note(words("app.missing_note"))
