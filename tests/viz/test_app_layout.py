"""The frame of the pages: a page that fails leaves the others, the navigation and the reader's policy as they are."""

import logging
from html import unescape

import ipyvuetify
import pytest
import reacton
import solara
from seen import texts_of
from solara.components.title import TitleWidget

from viz import LANGUAGES
from viz.app import layout, main, state
from viz.app.layout import MISSING, PAGES, Layout
from viz.app.state import Served
from viz.live.runner import Runner
from viz.words.language import Words

SETTING = "levers.little_giant_awards.award_yuan"


@pytest.fixture
def shown(monkeypatch):
    """The frame around a page that draws and, at /map, one that fails while `broken`; gives what a test asks of it."""
    monkeypatch.setattr(state, "served", Served(Runner(scale=0.001, members=2, until=2020, cores=1), {}))
    broken, sessions, routers, contexts = [True], [], [], []
    begun = layout.use_own_session
    monkeypatch.setattr(layout, "use_own_session", lambda: sessions.append(begun()) or sessions[-1])

    @solara.component
    def Sound():
        routers.append(solara.use_router())
        solara.HTML(tag="p", unsafe_innerHTML="a page that is sound")

    @solara.component
    def Failing():
        routers.append(solara.use_router())
        failed, set_failed = solara.use_state(False)
        if broken[0] or failed:
            raise ValueError("no such number")
        solara.HTML(tag="p", unsafe_innerHTML="drawn after all")
        solara.Button("break", on_click=lambda: set_failed(True))

    routes = [
        solara.Route("/", component=Sound, label="policy", layout=Layout),
        solara.Route("map", component=Failing, label="map"),
    ]

    class Shown:
        def __init__(self, address):
            page = solara.RoutingProvider(children=[solara.autorouting.RenderPage()], routes=routes, pathname=address)
            self.box, context = reacton.render(page, handle_error=False)
            contexts.append(context)
            self.context, self.session, self.broken = context, sessions[-1], broken

        def text(self):
            return unescape(" ".join(texts_of(self.box)))

        def press(self, label):
            found = self.context.find(ipyvuetify.Btn).widgets
            next(button for button in found if label in button.children).click()

        def go(self, address):
            routers[-1].push(address)

    yield Shown
    for context in contexts:
        context.close()


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_browser_shows_the_title_of_the_page_not_of_the_route(shown, language):
    titles = {widget.level: widget.title for widget in shown(f"/?lang={language}").context.find(TitleWidget).widgets}
    assert len(titles) == 2
    words = Words(language)
    assert titles[max(titles)] == f"{words('app.policy')} · {words('app.title')}"


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_page_that_fails_says_so_and_the_others_stay(shown, language, caplog):
    words = Words(language)
    page = shown(f"/map?lang={language}&{SETTING}=20000000")
    assert words("app.page_failed") in page.text()
    assert words("app.page_failed_note") in page.text()
    assert "no such number" not in page.text()
    for _, name in PAGES:
        assert words(f"app.{name}") in page.text()
    [fault] = [record for record in caplog.records if record.name == "viz.app.layout"]
    assert fault.levelno == logging.ERROR
    assert fault.message.startswith("the page /map?")
    assert f"{SETTING}=20000000" in fault.message
    assert isinstance(fault.exc_info[1], ValueError)
    assert "in Failing" in caplog.text
    page.go(f"/?lang={language}")
    assert "a page that is sound" in page.text()
    assert words("app.page_failed") not in page.text()
    assert page.session.settings.value == {SETTING: 20e6}
    page.go(f"/map?lang={language}")
    assert words("app.page_failed") in page.text()


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_choice_that_is_not_allowed_is_said_on_the_page(shown, language):
    page, words = shown(f"/?lang={language}&horizon=2077"), Words(language)
    allowed = words("fault.allowed_year", first=2020, last=2020)
    assert "“2077”" in page.session.message.value
    assert words("app.fault", text=page.session.message.value) in page.text()
    assert allowed in page.text()
    assert "a page that is sound" in page.text()


def test_a_page_that_failed_can_be_tried_again(shown, caplog):
    words = Words("en")
    page = shown("/map")
    page.press(words("app.try_again"))
    assert words("app.page_failed") in page.text()
    page.broken[0] = False
    page.press(words("app.try_again"))
    assert "drawn after all" in page.text()
    assert words("app.page_failed") not in page.text()
    assert len([record for record in caplog.records if record.name == "viz.app.layout"]) == 2
    # Also where it fails only later; tried again, it starts as it was at first.
    page.press("break")
    assert words("app.page_failed") in page.text()
    assert "drawn after all" not in page.text()
    page.press(words("app.try_again"))
    assert "drawn after all" in page.text()


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_for_lost_readers_has_the_frame_and_their_language(monkeypatch, language):
    monkeypatch.setattr(state, "served", Served(Runner(scale=0.001, members=2, until=2020, cores=1), {}))
    words = Words(language)
    page = solara.RoutingProvider(
        children=[solara.autorouting.RenderPage()],
        routes=main.routes,
        pathname=f"{MISSING}?lang={language}",
    )
    box, context = reacton.render(page, handle_error=False)
    try:
        text = unescape(" ".join(texts_of(box)))
        assert words("app.missing") in text
        assert words("app.missing_note") in text
        for _, name in PAGES:
            assert words(f"app.{name}") in text
    finally:
        context.close()
