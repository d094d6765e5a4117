"""Every page in both languages: drawn, without faults, other hosts or anything wider than the screen."""

import re

import pytest

from browser.conftest import wait_for_chart
from viz import LANGUAGES
from viz.app.layout import PAGES, window_title
from viz.shared.gains import QUANTITIES_BY
from viz.words.language import Words

pytestmark = pytest.mark.browser

_POLICY = "levers.public_services.enabled=true&policy=Clusters~levers.cluster_recognition.per_year%3D300"
#: What pages without charts have once they are drawn.
_DRAWN = {"model": "img, canvas, svg", "data": "table", "stories": ".srdi-lines"}
#: Pages that quote files, sources and parameters; on the others a few English words in a row are a sentence forgotten.
_QUOTING = ("model", "data", "calibration")
#: Tables of which a part lies beyond the edge.
_CUT = "(all) => all.filter((each) => each.scrollWidth > each.clientWidth).map((each) => each.innerText)"
#: Tables of many columns by many rows, or whose headings sort them: they scroll within their boxes.
_SCROLLING = ".srdi-sorted, .srdi-raw .srdi-scroll"
#: Number of tables of each page that has any, once it is complete; one of the policy page is for paper.
_TABLES = {"policy": 3, "map": 2, "chains": 2, "compare": 2, "money": 12, "calibration": 5, "data": 2}
_LATIN = re.compile(r"[A-Za-z]{4,}(?: [a-z]{2,}){3,}")


def wait_until_drawn(page, name):
    if name in _DRAWN:
        page.wait_for_selector(", ".join(f".srdi-main {part}" for part in _DRAWN[name].split(", ")), timeout=90_000)
    else:
        wait_for_chart(page, timeout=90_000)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("path", "name"), PAGES)
def test_a_page_is_drawn(open_page, path, name, language):
    page = open_page(f"{path.lstrip('/')}?lang={language}&{_POLICY}")
    wait_until_drawn(page, name)
    words = Words(language)
    page.wait_for_function("(title) => document.title === title", arg=window_title(words, name))
    assert page.locator(".srdi-nav [aria-current=page]").inner_text() == words(f"app.{name}")
    text = page.inner_text(".srdi-main")
    assert len(text) > 100
    for fault in ("Traceback", "undefined", "NaN", "[object"):
        assert fault not in text, fault
    if language == "zh" and name not in _QUOTING:
        assert not _LATIN.findall(text)
    # Nothing is wider than a narrow screen.
    page.set_viewport_size({"width": 400, "height": 900})
    page.wait_for_function("() => document.documentElement.scrollWidth <= 400")


def test_pages_follow_each_other_and_keep_the_policy(open_page):
    page = open_page(f"?{_POLICY}")
    wait_until_drawn(page, "policy")
    words = Words("en")
    for path, name in PAGES[1:]:
        page.locator(".srdi-nav").get_by_text(words(f"app.{name}"), exact=True).click()
        page.wait_for_url(lambda url, path=path: f"{path}?" in url)
        wait_until_drawn(page, name)
        assert "levers.public_services.enabled=true" in page.url


def test_results_of_the_command_line_are_offered(open_page):
    page = open_page("compare")
    page.wait_for_selector("option:has-text('looked-at')", state="attached")


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_address_there_is_not_has_the_frame_and_a_way_on(open_page, language):
    words = Words(language)
    page = open_page(f"nowhere/at-all?lang={language}&{_POLICY}")
    page.get_by_role("heading", name=words("app.missing"), exact=True).wait_for()
    page.locator(".srdi-nav").get_by_text(words("app.policy"), exact=True).click()
    wait_until_drawn(page, "policy")
    assert "levers.public_services.enabled=true" in page.url


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_column_of_a_comparison_is_cut_on_a_telephone(open_page, language):
    page = open_page(f"compare?source=looked-at&lang={language}", width=400)
    cells = page.locator(".srdi-compared").first.locator("tbody tr").first.locator("td")
    cells.first.wait_for()
    assert page.locator(".srdi-scroll").evaluate_all(_CUT) == []
    # Beside each number stands the heading of its column.
    heads = page.locator(".srdi-compared").first.locator("th").all_text_contents()
    beside = cells.evaluate_all("(all) => all.map((each) => getComputedStyle(each, '::before').content)")
    assert beside[0] == "none"
    assert len(heads) > 2
    assert all(f'"{head}"' in shown for head, shown in zip(heads[1:], beside[1:], strict=True))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("path", "name"), [each for each in PAGES if each[1] in _TABLES])
def test_no_table_is_cut_on_a_telephone(open_page, path, name, language):
    page = open_page(f"{path.lstrip('/')}?lang={language}&{_POLICY}", width=400)
    boxes = page.locator(".srdi-main .srdi-scroll")
    boxes.nth(_TABLES[name] - 1).wait_for(state="attached", timeout=120_000)
    # Tables that are built when opened.
    for toggle in page.locator('.srdi-toggle[aria-expanded="false"]').all()[::-1]:
        toggle.click()
    page.wait_for_function("() => !document.querySelector('.srdi-toggle[aria-expanded=false]')")
    cut = boxes.evaluate_all(f"(all) => ({_CUT})(all.filter((each) => !each.matches({_SCROLLING!r})))")
    assert cut == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 400
    # Those that scroll show that they do, and keep the first column in sight.
    for box in page.locator(_SCROLLING).all():
        assert "gradient" in box.evaluate("(each) => getComputedStyle(each).backgroundImage")
        box.evaluate("(each) => { each.scrollLeft = 100; }")
        cell = box.locator("tbody td").first
        assert cell.bounding_box()["x"] == pytest.approx(box.bounding_box()["x"], abs=1)


def test_what_a_chart_says_of_a_row_does_not_widen_a_telephones_page(open_page):
    page = open_page("calibration?lang=en", width=400)
    wait_for_chart(page)
    chart = page.locator(".srdi-main .srdi-chart").first
    plot = chart.locator(".srdi-chart-plot")
    plot.evaluate("(each) => each.scrollIntoView()")
    box, tip = plot.bounding_box(), chart.locator(".srdi-chart-tip")
    longest = 0
    for y in range(10, 600, 20):
        page.mouse.move(box["x"] + 180, box["y"] + y)
        page.wait_for_timeout(20)
        longest = max(longest, len(tip.text_content() if tip.count() else ""))
        assert page.evaluate("document.documentElement.scrollWidth") <= 400
    assert longest > 100, "wider than the chart on one line"


def test_tables_on_money_fit_beside_each_other_in_chinese(open_page):
    # The widest numbers are those with ranges.
    page = open_page(f"money?lang=zh&{_POLICY}")
    page.wait_for_selector('[data-stage="done"]')
    words = Words("zh")
    for title in ("money.ratios", "cash.budgets"):
        page.get_by_role("region", name=words(title), exact=True).wait_for()
    for by in QUANTITIES_BY:
        page.locator("label", has_text=words("money.by")).locator("select").select_option(by)
        page.locator(".srdi-two th", has_text=words(f"gain.place_{by}")).first.wait_for()
        assert page.locator(".srdi-scroll").evaluate_all(_CUT) == []


@pytest.mark.parametrize(("width", "columns"), [(400, 1), (1280, 2), (1920, 2)])
def test_tables_of_robustness_fill_their_rows(open_page, width, columns):
    page = open_page("compare?source=looked-at", width)
    page.wait_for_selector(".srdi-pairs table")
    places = page.eval_on_selector_all(".srdi-pairs > *", "(all) => all.map((each) => each.getBoundingClientRect().x)")
    assert len(places) == 4
    assert len(set(places)) == columns
    assert page.evaluate("document.documentElement.scrollWidth") <= width
