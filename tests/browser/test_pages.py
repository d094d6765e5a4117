"""Every page in both languages: drawn, without faults, other hosts or anything wider than the screen."""

import re

import pytest

from viz import LANGUAGES
from viz.app.layout import PAGES
from viz.language import Words

pytestmark = pytest.mark.browser

_POLICY = "levers.public_services.enabled=true&policy=Clusters~levers.cluster_recognition.per_year%3D300"
#: What each page has once it is drawn.
_DRAWN = {
    "policy": ".srdi-chart[data-version]",
    "map": ".srdi-chart[data-version]",
    "chains": ".srdi-chart[data-version]",
    "compare": ".srdi-chart[data-version]",
    "calibration": ".srdi-chart[data-version]",
    "model": "img, canvas, svg",
    "data": "table",
}
#: English that stands on a Chinese page: names of the program, of files and of models, keys as files have them.
_LATIN = re.compile(r"[A-Za-z]{4,}(?: [a-z]{2,}){3,}")


def open_drawn(open_page, path, name, language, width=1280):
    page = open_page(f"{path.lstrip('/')}?lang={language}&{_POLICY}", width=width)
    page.wait_for_selector(f".srdi-main {_DRAWN[name]}".replace(", ", ", .srdi-main "), timeout=90_000)
    return page


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("path", "name"), PAGES)
def test_a_page_is_drawn(open_page, path, name, language):
    page = open_drawn(open_page, path, name, language)
    words = Words(language)
    assert page.title() == words("app.title")
    current = page.locator(".srdi-nav [aria-current=page]")
    assert current.inner_text() == words(f"app.{name}")
    text = page.inner_text(".srdi-main")
    assert len(text) > 100
    for fault in ("Traceback", "undefined", "NaN", "[object"):
        assert fault not in text, fault


@pytest.mark.parametrize(("path", "name"), PAGES)
def test_no_page_is_wider_than_a_narrow_screen(open_page, path, name):
    page = open_drawn(open_page, path, name, "zh", width=400)
    assert page.evaluate("document.documentElement.scrollWidth") <= 400


@pytest.mark.parametrize(("path", "name"), [page for page in PAGES if page[1] not in ("model", "data", "calibration")])
def test_sentences_on_a_chinese_page_are_chinese(open_page, path, name):
    text = open_drawn(open_page, path, name, "zh").inner_text(".srdi-main")
    assert not _LATIN.findall(text)


def test_pages_follow_each_other_and_keep_the_policy(open_page):
    page = open_drawn(open_page, "/", "policy", "en")
    words = Words("en")
    for path, name in PAGES[1:]:
        page.locator(".srdi-nav").get_by_text(words(f"app.{name}"), exact=True).click()
        page.wait_for_selector(f".srdi-main {_DRAWN[name]}".replace(", ", ", .srdi-main "), timeout=90_000)
        assert f"{path}?" in page.url
        assert "levers.public_services.enabled=true" in page.url


def test_results_of_the_command_line_are_offered(open_page):
    page = open_page("compare")
    page.wait_for_selector("text=looked-at")
