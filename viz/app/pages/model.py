"""The page that lets Mesa's own view play the model, quarter by quarter."""

from __future__ import annotations

import importlib
import warnings
from html import escape
from types import ModuleType

import solara
import solara.lab

from viz.app.state import use_session


def _load() -> ModuleType:
    """Mesa's view with all it needs, which no other page does."""
    with warnings.catch_warnings():
        # Solara objects to how a component of Mesa is written, in a case that the page does not come to.
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
