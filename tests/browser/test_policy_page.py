"""The policy page in a real browser: levers, answers, links, languages."""

import re
from contextlib import contextmanager
from urllib.parse import parse_qs, urlparse

import pytest

from benchmarks.page import answer_number, wait_for_answer
from browser.conftest import wait_for_chart

pytestmark = pytest.mark.browser

CLUSTERS = "levers.cluster_recognition.per_year"
GIANTS = '[data-quantity="little_giants"] .srdi-value'
CUMULATIVE_COST = '[data-quantity="public_cost_cumulative_yuan"]'


def query(page) -> dict:
    return parse_qs(urlparse(page.url).query)


def set_number(page, key, text):
    field = page.locator(f'[data-key="{key}"] input[type=number]')
    field.fill(text)
    field.press("Enter")


@contextmanager
def answered(page, ensemble=False):
    """Wait at the block's end for the answer to what was asked in it."""
    before = answer_number(page)
    yield
    wait_for_answer(page, ensemble=ensemble, after=before)


def test_a_lever_moves_the_figures_and_the_address(open_page):
    page = open_page()
    wait_for_answer(page)
    assert query(page) == {}
    page.locator(f'[data-key="{CLUSTERS}"] input[type=range]').focus()
    with answered(page):
        page.keyboard.press("ArrowRight")
    assert query(page) == {CLUSTERS: ["105"]}
    assert "+" in page.inner_text(f"{CUMULATIVE_COST} .srdi-change")
    wait_for_answer(page, ensemble=True, after=1)
    assert re.search(r"\(.+ to .+\)", page.inner_text(f"{CUMULATIVE_COST} .srdi-interval"))
    for title, changed in (("Undo", False), ("Redo", True), ("Back to the baseline", False), ("Undo", True)):
        page.get_by_role("button", name=title, exact=True).click()
        page.wait_for_url(lambda url, changed=changed: (CLUSTERS in url) == changed)


def test_a_link_reproduces_the_page(open_page):
    page = open_page()
    wait_for_answer(page)
    with answered(page, ensemble=True):
        page.get_by_label("Start from").select_option("no-policy")
    shown, link = page.inner_text(".srdi-key-numbers"), page.url
    again = open_page(link.split("/", 3)[3])
    wait_for_answer(again, ensemble=True)
    assert again.inner_text(".srdi-key-numbers") == shown
    assert again.get_by_label("Start from").input_value() == "no-policy"


def test_what_is_not_allowed_is_said_and_the_page_goes_on(open_page):
    page = open_page(f"?{CLUSTERS}=5000")
    wait_for_answer(page)
    alert = page.get_by_role("alert")
    assert f"({CLUSTERS}) is 5,000 clusters per year: it must be a whole number from 0 to 2,000" in alert.inner_text()
    alert.get_by_role("button").click()
    set_number(page, CLUSTERS, "9999")
    page.wait_for_function("() => document.querySelector('[role=alert]').innerText.includes('9,999')")
    # The field shows what holds, not what was refused.
    page.wait_for_function(
        "(key) => document.querySelector(`[data-key='${key}'] input[type=number]`).value === '100'", arg=CLUSTERS
    )
    with answered(page):
        set_number(page, CLUSTERS, "200")
    assert not alert.is_visible()


def test_languages_switch_everywhere(open_page):
    page = open_page()
    wait_for_answer(page)
    page.get_by_role("button", name="简体中文").click()
    page.get_by_role("heading", name="政策工具", exact=True).wait_for()
    assert page.evaluate("document.documentElement.lang") == "zh-Hans"
    for english in ("Little giants", "Budget", "baseline", "Awards", "firms", "billion"):
        page.wait_for_function("(text) => !document.querySelector('.srdi-page').innerText.includes(text)", arg=english)
    assert "万" in page.inner_text(GIANTS)
    assert query(page) == {"lang": ["zh"]}
    page.get_by_role("button", name="深色").click()
    page.wait_for_selector(".theme--dark")
    page.wait_for_url(lambda url: "dark=1" in url)


def test_every_control_has_a_name_and_the_keyboard_reaches_it(open_page):
    page = open_page()
    wait_for_answer(page)
    for summary in page.locator(".srdi-group > summary").all():
        if not summary.evaluate("(node) => node.parentElement.open"):
            summary.click()
    nameless = page.evaluate(
        """() => [...document.querySelectorAll('.srdi-page input, .srdi-page select, .srdi-page button')]
          .filter((node) => node.offsetParent !== null)
          .filter((node) => !(node.getAttribute('aria-label') || node.labels?.length || node.innerText.trim()
                              || node.title))
          .map((node) => node.outerHTML.slice(0, 200))"""
    )
    assert nameless == []
    page.locator("body").click(position={"x": 1, "y": 1})
    reached = set()
    for _ in range(40):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.closest('[data-key]')?.dataset.key || ''"))
    assert "levers.little_giant_awards.budget_yuan" in reached


@pytest.mark.parametrize("path", ["", "?lang=zh"])
def test_nothing_is_wider_than_a_narrow_screen(open_page, path):
    page = open_page(path, width=400)
    wait_for_answer(page)
    wait_for_chart(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 400


def test_two_readers_have_their_own_policies(open_page):
    first, second = open_page(f"?{CLUSTERS}=300"), open_page(f"?{CLUSTERS}=0")
    for page in (first, second):
        wait_for_answer(page)
    shown = [page.inner_text(f"{CUMULATIVE_COST} .srdi-value") for page in (first, second)]
    assert shown[0] != shown[1]
    changes = [page.inner_text(f"{CUMULATIVE_COST} .srdi-change") for page in (first, second)]
    assert changes[0].startswith("+")
    assert changes[1].startswith("−")


def test_intervals_can_be_cancelled(open_page):
    page = open_page()
    wait_for_answer(page)
    # Clicked by the page itself: on a busy machine the few runs may be done before a test sees the button.
    page.evaluate(
        """() => new MutationObserver(() => {
          [...document.querySelectorAll('button')].find((button) => button.innerText.trim() === 'Cancel')?.click();
        }).observe(document.body, { subtree: true, childList: true })"""
    )
    page.get_by_label("Start from").select_option("no-policy")
    page.wait_for_selector('[data-stage="cancelled"]')
    wait_for_answer(page, after=1)


def test_parts_are_shown_marked_and_gone_with_the_whole_answer(open_page):
    page = open_page()
    wait_for_answer(page, ensemble=True)
    # Versions and busy states of the key numbers, notes of charts, and what screen readers are told.
    page.evaluate(
        """() => {
          window.seen = { versions: [], notes: [], told: [] };
          const add = (list, text) => { if (list[list.length - 1] !== text) list.push(text); };
          new MutationObserver(() => {
            const figures = document.querySelector('.srdi-key-numbers');
            add(window.seen.versions, `${figures.dataset.version} ${figures.getAttribute('aria-busy')}`);
            document.querySelectorAll('.srdi-chart-note').forEach((note) => window.seen.notes.push(note.innerText));
            // Before the first part, a slow machine may well say that it runs.
            if (!window.seen.versions.includes('2~ true')) return;
            document.querySelectorAll('[role=status], [aria-live]').forEach((live) => {
              if (live.getAttribute('aria-busy') !== 'true') add(window.seen.told, live.innerText);
            });
          }).observe(document.querySelector('#results'), {
            subtree: true, childList: true, characterData: true, attributes: true,
          });
        }"""
    )
    page.locator(f'[data-key="{CLUSTERS}"] input[type=range]').focus()
    with answered(page):
        page.keyboard.press("ArrowRight")
    page.wait_for_function(
        "() => ![...document.querySelectorAll('.srdi-chart')].some((c) => (c.dataset.version || '').endsWith('~'))"
    )
    seen = page.evaluate("window.seen")
    assert seen["versions"][-1] == "2 false"
    assert "2~ true" in seen["versions"]
    assert any(re.fullmatch(r"up to 20\d\d Q[1-4] so far", note) for note in seen["notes"]), seen["notes"]
    assert not any("Computing" in text or "so far" in text for text in seen["told"]), seen["told"]
    assert page.locator(".srdi-chart-note").count() == 0
    assert "…" not in page.inner_text(".srdi-key-numbers")


def test_charts_outside_the_window_wait_until_they_are_seen_or_printed(open_page):
    page = open_page()
    wait_for_answer(page)
    versions = "[...document.querySelectorAll('#results .srdi-chart')].map((chart) => chart.dataset.version || '')"
    page.wait_for_function(f"() => {versions}[0].startsWith('1')")
    page.set_viewport_size({"width": 1280, "height": 500})
    page.get_by_label("Start from").select_option("no-policy")
    wait_for_answer(page, after=1)
    page.wait_for_function(f"() => {versions}[0].startsWith('2')")
    assert not page.evaluate(versions)[-1].startswith("2")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    page.wait_for_function(f"() => {versions}.every((version) => version.startsWith('2'))")
    page.get_by_role("button", name="Undo", exact=True).click()
    wait_for_answer(page, after=2)
    page.locator("#results .srdi-chart").last.scroll_into_view_if_needed()
    page.wait_for_function(f"() => {versions}.pop().startsWith('3')")
