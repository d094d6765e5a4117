"""The page under attack in a real browser: what is sent to it is shown as text, and nobody sees a neighbour's."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from urllib.parse import quote

import pytest
from hostile import ADDRESSES, BASE, MARKUP, UPLOADS

from benchmarks.page import answer_number, wait_for_answer
from browser.conftest import Watched, wait_for_chart
from viz.app.layout import PAGES
from viz.words.language import Words

pytestmark = pytest.mark.browser

CLUSTERS = "levers.cluster_recognition.per_year"
CUMULATIVE_COST = '[data-quantity="public_cost_cumulative_yuan"]'
#: Uploads that are tried through the browser: one of each way to fail.
TRIED = (
    "brackets that open",
    "a key of thousands of parts",
    "a number of thousands of digits",
    "a path as parent",
    "no UTF-8",
    "thousands of keys",
    "markup as key",
    "markup as place",
)
#: Links that are followed in the browser: most of them once killed the page.
LINKS = (
    "brackets that open",
    "brackets that open, kept",
    "a whole table, kept",
    "half a letter, kept",
    "a table and its text",
    "markup as key, kept",
    "a switch as text",
    "no UTF-8",
)


def upload(page, content: bytes, name: str = "file.toml") -> None:
    """Choose a file in the page's field."""
    file = {"name": name, "mimeType": "application/toml", "buffer": content}
    page.locator("input[type=file]").set_input_files(file)


def use_file(page) -> None:
    """Say that the file on offer shall be the policy."""
    page.get_by_role("button", name=Words("en")("data.offer_use"), exact=True).click()


def wait_for_message(page, text: str) -> None:
    """Wait until the page's message holds a text."""
    page.wait_for_function("(text) => document.querySelector('[role=alert]').innerText.includes(text)", arg=text)


def go(page, name: str) -> None:
    """Follow the link to a page."""
    page.locator(".srdi-nav").get_by_text(Words("en")(f"app.{name}"), exact=True).click()


@pytest.fixture
def harmless(open_page):
    """Opens pages in which nothing that was sent may run."""
    opened, dialogs = [], []

    def open_(path=""):
        page = open_page(path)
        page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
        opened.append(page)
        return page

    yield open_
    assert not dialogs
    assert [page.evaluate("window.__pwned") for page in opened] == [None] * len(opened)
    assert [page.locator("img[src=x]").count() for page in opened] == [0] * len(opened)


def test_hostile_files_end_in_a_sentence_and_the_page_lives_on(harmless):
    page = harmless("data")
    page.wait_for_selector(".srdi-upload")
    for name in TRIED:
        content, said = UPLOADS[name]
        upload(page, content)
        wait_for_message(page, said)
    upload(page, BASE + b"#" * 200_000)
    wait_for_message(page, "at most 200,000 are allowed")
    upload(page, b"\xff", f"{MARKUP}.toml".replace("/", ""))
    wait_for_message(page, "<img src=x onerror=")
    upload(page, BASE + b"[levers.cluster_recognition]\nper_year = 300\n")
    use_file(page)
    page.wait_for_url(lambda url: f"{CLUSTERS}=300" in url)
    assert not page.get_by_role("alert").is_visible()


def test_markup_in_names_is_shown_as_text_wherever_it_stands(harmless):
    page = harmless(f"compare?policy={quote(MARKUP)}~{CLUSTERS}%3D300")
    page.wait_for_selector('[data-stage="done"]')
    assert page.locator(".srdi-compared").first.inner_text().count("<img src=x") == 1
    charts = page.locator(".srdi-chart")
    assert charts.count() >= 4
    for chart in charts.all():
        chart.locator(".srdi-chart-plot").hover(position={"x": 200, "y": 60})  # the tip names the policy
        chart.locator(".srdi-chart-tools button").first.click()
    assert "<img src=x" in charts.first.inner_text()
    go(page, "policy")
    wait_for_answer(page)


def test_names_in_a_file_of_a_chart_are_no_formulas(harmless):
    names = ('=HYPERLINK("x")', "+x", "-x", "@x")
    page = harmless(
        "compare?" + "&".join(f"policy={quote(name)}~{CLUSTERS}%3D{300 + n}" for n, name in enumerate(names))
    )
    page.wait_for_selector('[data-stage="done"]')
    chart = page.locator(".srdi-chart").first
    with page.expect_download() as download:
        chart.get_by_role("button", name="Download CSV").click()
    rows = list(csv.reader(io.StringIO(Path(download.value.path()).read_text(encoding="utf-8-sig"))))
    texts = [text for row in rows for text in row]
    for name in names:
        assert any(text.startswith(f"'{name}") for text in texts), name
    assert not [text for text in texts if text[:1] in ("=", "+", "@") or text.startswith("-x")]


def visit(chromium, address: str, part: str | None, then=lambda page: None) -> None:
    """Open an address as a reader of its own, wait for a part of the page (None: a chart), and look for faults."""
    with chromium.new_context() as context:
        page = context.new_page()
        page.set_default_timeout(60_000)
        watched = Watched(page)
        page.goto(address)
        if part:
            page.wait_for_selector(f".srdi-main {part}")
        else:
            wait_for_chart(page)
        assert "Traceback" not in page.inner_text("body"), address
        assert page.evaluate("window.__pwned") is None, address
        then(page)
        assert not watched.faults, address


def move_on(page) -> None:
    """Go to the policy and on with it."""
    go(page, "policy")
    wait_for_answer(page)


@pytest.mark.slow
@pytest.mark.parametrize("name", LINKS)
def test_no_link_kills_the_page(chromium, address, name):
    query = ADDRESSES[name]
    kept = "policy=" in query
    visit(
        chromium,
        f"{address}{'compare' if kept else ''}?{query}",
        ".srdi-kept" if kept else ".srdi-key-numbers",
        move_on,
    )


@pytest.mark.slow
@pytest.mark.parametrize(("path", "name"), PAGES)
def test_choices_that_there_are_not_give_way_to_the_default(chromium, address, path, name):
    drawn = {"model": ".srdi-mesa", "data": "table", "compare": ".srdi-note", "stories": ".srdi-lines"}.get(name)
    query = ADDRESSES["choices that there are not"]
    visit(chromium, f"{address}{path.lstrip('/')}?{query}", drawn, move_on)


def test_neighbours_see_nothing_of_each_other(harmless):
    counts = (300, 0)
    pages = [harmless("data") for _ in counts]
    for page, count in zip(pages, counts, strict=True):
        page.wait_for_selector(".srdi-upload")
        upload(page, BASE + f"[levers.cluster_recognition]\nper_year = {count}\n".encode())
        use_file(page)
    for page, count in zip(pages, counts, strict=True):
        page.wait_for_url(lambda url, count=count: f"{CLUSTERS}={count}" in url)
    upload(pages[0], b"\xff", "of the first.toml")
    wait_for_message(pages[0], "of the first.toml")
    for page in pages:
        go(page, "policy")
        # The baseline's answer, asked for before the upload, may come first: it shows no change.
        page.wait_for_selector(f"{CUMULATIVE_COST} .srdi-change:not(:empty)")
        wait_for_answer(page, ensemble=True, timeout=180_000)
        page.get_by_role("button", name="Keep to compare", exact=True).click()
    assert not pages[1].get_by_role("alert").is_visible()
    changes = [page.inner_text(f"{CUMULATIVE_COST} .srdi-change") for page in pages]
    assert changes[0].startswith("+")
    assert changes[1].startswith("−")
    # The same policies alone, in a third page, have the same numbers.
    for page, count in zip(pages, counts, strict=True):
        alone = harmless(f"?{CLUSTERS}={count}")
        wait_for_answer(alone, ensemble=True)
        assert alone.inner_text(".srdi-key-numbers") == page.inner_text(".srdi-key-numbers")
        assert answer_number(alone) == 1
    for page, count, other in zip(pages, counts, reversed(counts), strict=True):
        go(page, "compare")
        page.wait_for_selector(".srdi-kept")
        assert page.locator(".srdi-kept").count() == 1
        assert f"{CLUSTERS}%3D{count}" in page.url
        assert f"{CLUSTERS}%3D{other}&" not in f"{page.url}&"
