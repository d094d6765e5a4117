"""Access: every page by axe-core at two widths in both languages, the keyboard, what screen readers are told."""

import pytest

from benchmarks.access import POLICY, WIDTHS, check, draw_all, small_targets
from benchmarks.page import wait_for_answer
from viz import LANGUAGES
from viz.app.layout import PAGES, window_title
from viz.words.language import Words

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.mark.parametrize("dark", [0, 1])
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("path", "name"), PAGES)
def test_axe_finds_no_violation(open_page, path, name, language, dark):
    page = open_page(f"{path.lstrip('/')}?lang={language}&dark={dark}&{POLICY}", width=max(WIDTHS))
    page.set_default_timeout(180_000)
    draw_all(page, name)
    for width in sorted(WIDTHS, reverse=True):
        page.set_viewport_size({"width": width, "height": 900})
        found = check(page)
        assert found.violations == (), width
        # That axe ran on the page, not on a sign that it loads.
        assert found.passed > 20
        assert small_targets(page) == [], width


def test_axe_and_the_sizes_find_what_is_wrong(open_page):
    """What finds nothing on the pages would find something."""
    page = open_page()
    wait_for_answer(page)
    page.evaluate(
        """() => document.querySelector('.srdi-main').insertAdjacentHTML(
          'beforeend', '<main><img src="data:,"><h6>x</h6><button style="width: 9px; height: 9px"></button></main>')"""
    )
    found = {line.partition(" ")[0] for line in check(page).violations}
    assert {"button-name", "heading-order", "image-alt", "landmark-no-duplicate-main"} <= found
    assert small_targets(page)[0].startswith("9 x 9: ")


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_document_says_its_language_and_page_before_it_is_drawn(open_page, language):
    words = Words(language)
    for path, name in PAGES:
        page = open_page(f"{path.lstrip('/')}?lang={language}")
        document = page.evaluate("fetch(location.href, { headers: { accept: 'text/html' } }).then((r) => r.text())")
        assert f'<html lang="{words("page.lang")}">' in document
        assert f"<title>{window_title(words, name)}</title>" in document
        assert "user-scalable" not in document
        assert "maximum-scale" not in document
        page.wait_for_selector(".srdi-main")
        page.wait_for_function("(title) => document.title === title", arg=window_title(words, name))


def test_the_keyboard_skips_to_the_content_and_goes_on_from_there(open_page):
    page = open_page()
    wait_for_answer(page)
    page.keyboard.press("Tab")
    skip = page.locator(".srdi-skip")
    assert skip.evaluate("(node) => node === document.activeElement")
    assert skip.bounding_box()["y"] >= 0
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('main') !== null")
    assert "#" not in page.url


def test_results_and_pages_are_told(open_page):
    words = Words("en")
    page = open_page()
    wait_for_answer(page)
    told = page.locator('[data-told="results"]')
    assert told.get_attribute("aria-live") == "polite"
    assert told.inner_text() == ""
    page.get_by_label("Start from").select_option("no-policy")
    page.wait_for_function("() => document.querySelector('[data-told=\"results\"]').innerText.includes('(')")
    assert told.inner_text().startswith("Results of the policy: ")
    assert words.column("little_giants") in told.inner_text()
    page.locator(".srdi-nav").get_by_text(words("app.map"), exact=True).click()
    page.wait_for_function(
        "(title) => document.querySelector('[data-told=\"page\"]').innerText === title", arg=words("app.map")
    )


def test_every_chart_has_a_heading_and_a_description(open_page):
    for path in ("", "chains", "calibration"):
        page = open_page(path)
        draw_all(page, path or "policy")
        charts = page.locator(".srdi-chart")
        assert charts.count() > 3
        assert charts.locator("h3").count() == charts.count()
        assert all(
            label
            for label in charts.locator("[role=application]").evaluate_all(
                "(plots) => plots.map((plot) => plot.getAttribute('aria-label'))"
            )
        )


def test_the_first_language_and_theme_are_those_of_the_browser(chromium, address):
    for locale, scheme, lang, other in (("zh-CN", "dark", "zh-Hans", "English"), ("de-DE", "light", "en", "简体中文")):
        context = chromium.new_context(locale=locale, color_scheme=scheme)
        page = context.new_page()
        page.set_default_timeout(60_000)
        page.goto(address)
        page.wait_for_selector(f".v-application.theme--{scheme} .srdi-page")
        page.wait_for_function("(lang) => document.documentElement.lang === lang", arg=lang)
        wait_for_answer(page)
        assert "?" not in page.url
        # Charts are drawn for the theme.
        page.wait_for_function("(dark) => !!document.querySelector('.srdi-chart-dark') === dark", arg=scheme == "dark")
        page.get_by_role("button", name=other).click()
        page.wait_for_url(lambda url: "lang=" in url)
        # While the user has not chosen, the page follows the system.
        changed = "light" if scheme == "dark" else "dark"
        page.emulate_media(color_scheme=changed)
        page.wait_for_selector(f".v-application.theme--{changed} .srdi-page")
        context.close()
