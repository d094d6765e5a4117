"""The frame of every page: title, navigation, language, light or dark, messages; and the session itself."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from functools import cache
from importlib.resources import files

import reacton.ipyvuetify as rv
import solara
import solara.lab

from viz import LANGUAGES
from viz.app import state
from viz.app.announced import Told
from viz.app.choices import tell_choices
from viz.app.elements import CopyLink, heading, html_button, note
from viz.app.memory import reclaim
from viz.app.share import EMBED
from viz.app.state import Session, session_context, use_session
from viz.app.widgets.panels import Address, Pages, Skip
from viz.words.language import Words

#: Pages in the order they are offered: path and the key of their title.
PAGES = (
    ("/", "policy"),
    ("/stories", "stories"),
    ("/map", "map"),
    ("/chains", "chains"),
    ("/compare", "compare"),
    ("/money", "money"),
    ("/calibration", "calibration"),
    ("/model", "model"),
    ("/data", "data"),
)
#: Path of the page shown for an unknown address.
MISSING = "/missing"
#: Keys of titles by path.
TITLES = {**dict(PAGES), EMBED: "embed"}
_log = logging.getLogger(__name__)


@cache
def _css() -> str:
    return files("viz.app").joinpath("app.css").read_text(encoding="utf-8")


def use_own_session() -> Session:
    """The session of this browser tab: it starts when the first page is drawn and closes with the tab."""
    router = solara.use_router()
    session = solara.use_memo(lambda: _session(router.search or ""), [])

    def live():
        session.begin()

        def end():
            session.close()
            reclaim(session)

        return end

    solara.use_effect(live, [])
    return session


def _session(query: str) -> Session:
    """The session of an address, with a message if the address asks for what there is not."""
    session = Session(state.serving().runner, query, _accepted())
    tell_choices(session, query)
    return session


def _accepted() -> str:
    """The browser's header Accept-Language."""
    headers = solara.lab.headers.value or {}  # type: ignore[attr-defined]  # a reactive value of the name of its module
    return ",".join(headers.get("accept-language", ()))


@solara.component
def Layout(children=None):
    """The frame of every page."""
    session = use_own_session()
    session_context.provide(session)
    solara.Style(_css())

    dark = session.dark.value
    known = session.chosen_dark.value is not None or session.system_dark.value is not None

    def follow_theme():
        # Before it is known, the document itself follows the system.
        if known:
            solara.lab.theme.dark = dark

    solara.use_effect(follow_theme, [dark, known])
    here = path_of(solara.use_router())
    framed = here == EMBED
    with solara.Column(gap="0px", classes=["srdi-page", *(["srdi-framed"] if framed else [])]):
        Written()
        if not framed:
            Skip(label=session.words("app.skip"))
            Head()
        Message()
        # One guard for each page: the failure of one page is not shown on the next.
        Guard(here, children or ()).key(f"page {here}")
        if not framed:
            Foot()
        name = TITLES.get(here, "missing")
        Told(session.words(f"app.{name}"))


def path_of(router: solara.routing.Router) -> str:
    """Path of the current page, as in PAGES."""
    return "/" + (router.parts[0] if router.parts else "")


@solara.component
def Guard(path: str, children: Sequence[solara.Element] = ()) -> None:
    """The body of a page; if drawing fails, a message with a retry button, and the error in the log."""
    session = use_session()
    fault, clear = solara.use_exception()

    def record() -> None:
        if fault is not None:
            _log.error("the page %s?%s failed", path, session.query, exc_info=fault)

    solara.use_effect(record, [fault])
    body = children if fault is None else [Failed(clear)]
    # Without keys, Solara would reuse parts of the failed page for the message.
    key = "page" if fault is None else "failed"
    # The skip link moves the focus here.
    attributes = {"id": "main", "tabindex": "-1"}
    children = [*body, WindowTitle(path)]
    rv.Html(tag="main", class_="srdi-main d-flex flex-column", attributes=attributes, children=children).key(key)


def window_title(words: Words, name: str) -> str:
    """Title of the window on a page of TITLES; without a name, on any other."""
    return words("app.window", page=words(f"app.{name or 'missing'}"), title=words("app.title"))


@solara.component
def WindowTitle(path: str) -> None:
    """Window title; nested one level deeper than Solara's own, because the deepest title wins."""
    with solara.Column(style={"display": "none"}):
        solara.Title(window_title(use_session().words, TITLES.get(path, "")))


@solara.component
def Failed(clear: Callable[[], None]) -> None:
    """Shown instead of a page that could not be drawn."""
    words = use_session().words
    with solara.Div(classes=["srdi-card", "srdi-stack"], attributes={"role": "alert"}):
        heading(words("app.page_failed"))
        note(words("app.page_failed_note"))
        with solara.Div(classes=["srdi-row"]):
            html_button(words("app.try_again"), clear)


@solara.component
def Written():
    """The state of the page in its address."""
    session = use_session()
    Address(
        address={"query": session.query, "moves": session.moves, "returns": session.returns.value},
        language=session.words("page.lang"),
        event_dark=session.follow_system,
        event_returned=session.return_to,
    )


@solara.component
def Head():
    """Title, navigation, language, light or dark."""
    session, router = use_session(), solara.use_router()
    words = session.words
    query = session.query
    with rv.Html(tag="header", class_="srdi-head"):
        with solara.Div(classes=["srdi-brand"]):
            solara.HTML(tag="h1", unsafe_innerHTML=words("app.title"))
            solara.HTML(tag="p", unsafe_innerHTML=words("app.subtitle"))
        Pages(
            label=words("app.pages"),
            pages=[{"path": path, "title": words(f"app.{name}")} for path, name in PAGES],
            here=path_of(router),
            query=query,
        )
        with solara.Div(classes=["srdi-look"]):
            for language in LANGUAGES:
                solara.Button(
                    words(f"app.language_{language}"),
                    on_click=lambda language=language: session.choose_language(language),
                    text=True,
                    small=True,
                    disabled=language == words.language,
                    classes=["srdi-plain"],
                    attributes={"lang": language, "aria-pressed": str(language == words.language).lower()},
                )
            dark = session.dark.value
            solara.Button(
                words("app.light" if dark else "app.dark"),
                on_click=lambda: session.choose_dark(not dark),
                text=True,
                small=True,
                classes=["srdi-plain"],
            )


@solara.component
def Message():
    """The last error, with a button to dismiss it."""
    session = use_session()
    text = session.message.value
    with solara.Div(classes=["srdi-message"], attributes={"role": "alert"}, style={} if text else {"display": "none"}):
        solara.Text(session.words("app.fault", text=text))
        solara.Button(
            session.words("app.dismiss"), on_click=lambda: session.message.set(""), text=True, classes=["srdi-plain"]
        )


@solara.component
def Foot():
    """What the numbers on the page are, and its link."""
    session = use_session()
    runner = session.runner
    firms = runner.baseline_run(0).tables["national"]["firms"][0] if runner.ready(0) else 0
    text = session.words("app.foot", firms=session.words.number(float(firms) * runner.scale), scale=f"{runner.scale:g}")
    with rv.Html(tag="footer", class_="srdi-foot srdi-stack"):
        solara.HTML(tag="p", unsafe_innerHTML=text)
        CopyLink()
