"""The map page and the page of chains in a real browser: playing, picking, sorting, and the address."""

import re
from urllib.parse import parse_qs, urlparse

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.slow]

SQUARE = '.srdi-square[data-province="{}"]'


def query(page) -> dict:
    return {key: values[0] for key, values in parse_qs(urlparse(page.url).query).items()}


def wait_for_query(page, **wanted):
    page.wait_for_function(
        "wanted => { const found = new URLSearchParams(location.search);"
        " return Object.entries(wanted).every(([key, value]) => found.get(key) === value); }",
        arg=wanted,
    )


def test_a_map_is_played_in_the_browser_and_a_province_is_picked(open_page):
    page = open_page("map?quarter=2029Q2")
    page.wait_for_selector(".srdi-square")
    assert page.locator(".srdi-square").count() == 31
    assert page.inner_text(".srdi-squares-when") == "2029 Q2"
    tibet = page.locator(SQUARE.format("Tibet"))
    tibet.focus()
    page.keyboard.press("Enter")
    wait_for_query(page, province="Tibet")
    page.wait_for_selector(SQUARE.format("Tibet") + '[aria-pressed="true"]')
    assert page.locator(".srdi-square[aria-pressed=true]").count() == 1
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.dataset.province") == "Qinghai"
    # Play goes to the last quarter by itself, and the address follows when it is there: the last is the default.
    page.get_by_role("button", name="Play").click()
    page.get_by_role("button", name="Pause").wait_for()
    page.wait_for_function("document.querySelector('.srdi-squares-when').innerText === '2030 Q4'")
    page.get_by_role("button", name="Play").wait_for()
    page.wait_for_function("!location.search.includes('quarter')")
    page.get_by_role("button", name="Table", exact=True).first.click()
    rows = page.locator(".srdi-squares tbody tr")
    assert rows.count() == 32
    assert rows.first.inner_text().startswith("All 31 provinces")


def test_numbers_of_the_squares_add_up(open_page):
    page = open_page("map?measure=clusters")
    page.wait_for_selector(".srdi-square")
    page.wait_for_selector('[data-stage="done"]')
    numbers = [float(text) for text in page.locator(".srdi-square-number").all_text_contents()]
    nation = re.search(r"All 31 together: ([\d,.]+) clusters\.", page.inner_text(".srdi-squares-said"))
    # Each is rounded to three figures.
    assert sum(numbers) == pytest.approx(float(nation[1].replace(",", "")), abs=2.0)


def test_differences_say_in_words_what_they_show_in_colour(open_page):
    page = open_page("map?shown=difference&measure=clusters&levers.cluster_recognition.per_year=200")
    page.wait_for_selector('[data-stage="done"]')
    page.wait_for_function("document.querySelector('.srdi-squares-said')?.innerText.includes('of 31 differ clearly')")
    labels = page.locator(".srdi-square").evaluate_all(
        "squares => squares.map((square) => square.getAttribute('aria-label'))"
    )
    shown = page.locator(".srdi-square-number").all_text_contents()
    for label, text in zip(labels, shown, strict=True):
        assert ("no clear difference" in label) == text.startswith("(")
    clear = [text for text in shown if not text.startswith("(") and text != "0"]
    assert f"{len(clear)} of 31 differ" in page.inner_text(".srdi-squares-said")
    assert all(text.startswith("+") for text in clear)


def test_chains_are_sorted_and_picked(open_page):
    page = open_page("chains")
    page.wait_for_selector(".srdi-sorted tbody tr")
    # Not while the numbers change from one run to the mean of several.
    page.wait_for_selector('[data-stage="done"]')

    def suppliers():
        texts = page.locator(".srdi-sorted tbody tr td:nth-child(5)").all_inner_texts()
        return [float(text.splitlines()[0].replace(",", "")) for text in texts]

    page.get_by_role("button", name="Sort by Suppliers (firms)", exact=True).click()
    page.wait_for_selector('th[aria-sort="descending"]')
    assert suppliers() == sorted(suppliers(), reverse=True)
    first = page.locator(".srdi-sorted tbody tr").first
    number = first.locator("button").inner_text()
    first.locator("button").click()
    # The address has the number that is shown.
    wait_for_query(page, chain=number)
    page.get_by_role("heading", name=re.compile(rf"Chain {number}:")).wait_for()
    page.wait_for_selector(".srdi-network-canvas")
    page.fill(".srdi-network-search input", "supplier")
    page.wait_for_selector(".srdi-network-search li")
    page.keyboard.press("Enter")
    page.wait_for_selector(".srdi-network-links p")


def test_a_firm_is_found_by_typing(open_page):
    page = open_page("chains?lang=zh")
    field = page.locator(".srdi-search input")
    field.wait_for()
    titles = page.locator(".srdi-search option").evaluate_all("options => options.map((each) => each.value)")
    assert 10 < len(titles) <= 300
    before = page.inner_text(".srdi-story")
    field.fill(titles[5])
    page.wait_for_function("before => document.querySelector('.srdi-story').innerText !== before", arg=before)
    assert "成立于" in page.inner_text(".srdi-story")
    assert "firm" in query(page)


@pytest.mark.parametrize("path", ["map", "chains"])
def test_pages_are_as_wide_as_a_telephone(open_page, path):
    page = open_page(path, width=400)
    page.wait_for_selector(".srdi-square, .srdi-network-canvas")
    assert page.evaluate("document.documentElement.scrollWidth") <= 400


@pytest.mark.parametrize("path", ["map", "chains"])
def test_numbers_and_short_headings_stay_whole_on_a_telephone(open_page, path):
    page = open_page(f"{path}?lang=zh", width=400)
    page.wait_for_selector(".srdi-square, .srdi-network-canvas")
    page.wait_for_selector(".srdi-scroll .srdi-table td")
    found = page.locator(".srdi-scroll th, .srdi-scroll td:not(.srdi-words)")
    cells = found.evaluate_all("""(cells) => cells.map((cell) => {
      const text = document.createRange();
      text.selectNodeContents(cell);
      return [cell.innerText, new Set([...text.getClientRects()].map((line) => Math.round(line.top))).size];
    })""")
    whole = [
        (text, lines) for text, lines in cells if re.fullmatch(r"[+−]?[\d.,]+[万亿]*%?|[\u4e00-\u9fff]{2,6}", text)
    ]
    assert len(whole) > 20
    assert [text for text, lines in whole if lines > 1] == []
