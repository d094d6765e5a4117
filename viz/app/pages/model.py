"""The page on which Mesa's own view plays the model, quarter by quarter."""

from __future__ import annotations

import importlib
import warnings
from html import escape
from types import ModuleType

import solara
import solara.lab

from viz.app.state import use_session


def _load() -> ModuleType:
    """Mesa's view and everything it imports, which no other page needs."""
    with warnings.catch_warnings():
        # Solara warns about a Mesa component in a case that does not occur here.
        warnings.filterwarnings("ignore", message="(?s).*ComponentsView")
        return importlib.import_module("viz.app.live_model")


@solara.component
def ModelPage():
    """Step, play, pause and reset a small model."""
    session = use_session()
    loading = solara.lab.use_task(_load, dependencies=[])
    if loading.finished and loading.value:
        loading.value.LiveView()
        return
    text = "app.fault" if loading.error else "app.loading"
    said = session.words.raw(text).format(text=loading.exception) if loading.error else session.words(text)
    solara.HTML(tag="p", classes=["srdi-note"], unsafe_innerHTML=escape(said), attributes={"role": "status"})
