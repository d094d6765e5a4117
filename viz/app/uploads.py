"""A scenario file as the policy: it is read, what it changes is listed, and it acts once the user says so."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass

import solara

from scenarios.errors import ScenarioError
from scenarios.files.schema import Scenario
from viz.app.changes import moves_table
from viz.app.controls import defaults
from viz.app.elements import heading, html_button, html_table, note
from viz.app.policies import MOST_BYTES, read_upload, settings_of, too_large
from viz.app.state import Session, use_session
from viz.app.widgets.files import Upload
from viz.words.language import Words


@dataclass(frozen=True)
class Offered:
    """A scenario file that was read and has not acted: its name and what it says."""

    name: str
    scenario: Scenario


@solara.component
def UploadedPolicy():
    """A field for a scenario file, and what the file would change, with buttons to use it or to leave it."""
    session = use_session()
    words = session.words
    offered: solara.Reactive[Offered | None] = solara.use_reactive(None)
    heading(words("data.upload_title"), "h3")
    Upload(
        label=words("data.upload"),
        hint=words("data.upload_hint", size=words.number(MOST_BYTES / 1000)),
        accept=".toml",
        most=MOST_BYTES,
        event_file=lambda data: offered.set(read_offer(session, data)),
    )
    if offered.value is None:
        note(words("data.upload_about"))
    else:
        Offer(offered.value, lambda: offered.set(None))


@solara.component
def Offer(offered: Offered, end: Callable[[], None]) -> None:
    """What a file changes in the current policy.

    Args:
        end: called with nothing once the file is used or left.
    """
    session = use_session()
    words, before = session.words, session.settings.value
    after = settings_of(offered.scenario)
    title = title_of_file(words, offered)

    def use() -> None:
        take_offer(session, offered)
        end()

    with solara.Div(classes=["srdi-stack"], attributes={"role": "status", "data-offered": offered.name}):
        table = moves_table(before, after, words)
        note(words("data.offer" if table.rows else "data.offer_same", title=title, count=len(table.rows)))
        off = switched_off(before, after, words)
        if off:
            note(words("data.offer_off", levers=words.joined(off)))
        if table.rows:
            with solara.Div(classes=["srdi-tall"]):
                html_table(table, words("data.offer_table"))
        with solara.Div(classes=["srdi-row"]):
            html_button(words("data.offer_use"), use)
            html_button(words("data.offer_leave"), end)


def read_offer(session: Session, data: dict) -> Offered | None:
    """An uploaded scenario file; if something is wrong with it, None, and the page says what.

    Args:
        data: as `viz.app.widgets.files.Upload` gives it.
    """
    name = str(data["name"])
    try:
        if data["content"] is None:
            raise too_large(name, data["size"])
        scenario = read_upload(base64.b64decode(data["content"]), name)
    except (ScenarioError, ValueError) as error:
        session.tell(error, name)
        return None
    session.tell(None)
    return Offered(name, scenario)


def take_offer(session: Session, offered: Offered) -> None:
    """Make a scenario file the current policy, under its own title."""
    settings = settings_of(offered.scenario)
    session.entitle(settings, (offered.scenario.title, offered.scenario.title_zh))
    session.put(settings)


def title_of_file(words: Words, offered: Offered) -> str:
    """The title of a file's scenario in the user's language; without one, the name of the file."""
    return words.scenario({**offered.scenario.model_dump(), "name": offered.name})


def switched_off(before: dict[str, object], after: dict[str, object], words: Words) -> list[str]:
    """Titles of the levers that are on under the first settings and off under the second."""

    def on(settings: dict[str, object], key: str) -> bool:
        return bool(settings.get(key, defaults()[key]))

    switches = (key for key in defaults() if key.startswith("levers.") and key.endswith(".enabled"))
    return [words.lever(key.split(".")[1]) for key in switches if on(before, key) and not on(after, key)]
