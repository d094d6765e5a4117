"""Questions with their answers, what is handed out, one chart in another page, and print, in a real browser."""

import re
import threading
from functools import partial
from html import unescape
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

import pytest

from benchmarks.page import wait_for_answer
from viz import LANGUAGES
from viz.app.layout import window_title
from viz.app.share import CHARTS, EMBED
from viz.app.stories import stories
from viz.words.language import Words

pytestmark = pytest.mark.browser

CLUSTERS = "levers.cluster_recognition.per_year=300"
#: Told as the answer while there is one pair of runs.
_WAIT = {language: Words(language)("stories.wait") for language in LANGUAGES}


def answer_of(page, language):
    """The sentences of the answer, once there are intervals."""
    page.wait_for_function(
        "(wait) => { const told = document.querySelector('.srdi-answered[aria-busy=false]');"
        " return told && !told.innerText.includes(wait); }",
        arg=_WAIT[language],
        timeout=180_000,
    )
    return page.locator(".srdi-answered p").all_inner_texts()


def follow(page, number, language):
    """From the page of questions to the answer of one; the page then tells it."""
    words, story = Words(language), list(stories().values())[number]
    page.get_by_role("link", name=story.text(words, "question")).click()
    page.wait_for_selector(f'[data-story="{story.name}"]')
    lead, *numbers = answer_of(page, language)
    texts = {story.text(words, key) for key in ("higher", "lower", "unclear")}
    assert lead in texts | {words("stories.likely", text=text) for text in texts}
    assert len(numbers) == len(story.scenarios)
    for text in numbers:
        assert re.search(r"\d", text)
        assert "2030" in text
    return story


def test_a_question_of_each_page_is_answered(open_page):
    page = open_page("stories")
    told = {follow(page, 0, "en").page}
    shown = page.inner_text('[data-quantity="little_giants"] .srdi-change').split()[0]
    assert shown in page.inner_text(".srdi-answered")
    page.get_by_role("link", name="Next question").click()
    page.wait_for_url("**/compare?*")
    told.add(stories()[page.get_attribute("[data-story]", "data-story")].page)
    assert answer_of(page, "en")
    assert told == {"policy", "compare"}
    # A policy that is removed takes the answer with it, until it is put back.
    page.get_by_role("button", name="Remove").first.click()
    page.get_by_role("button", name="Back to the question's policies").click()
    assert answer_of(page, "en")
    page.get_by_role("button", name="Close the question").click()
    page.wait_for_selector("[data-story]", state="detached")
    page.wait_for_url(lambda url: "story=" not in url)


@pytest.mark.slow
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("number", range(len(stories())))
def test_every_question_leads_to_its_answer(open_page, number, language):
    page = open_page(f"stories?lang={language}")
    follow(page, number, language)
    assert f"lang={language}" in page.url


def test_scenarios_are_offered_by_group_and_open_from_their_line(open_page):
    page = open_page("stories?lang=zh")
    page.get_by_role("link", name="信贷收缩", exact=True).click()
    wait_for_answer(page)
    choice = page.get_by_label("从情景开始")
    assert choice.input_value() == "credit-crunch"
    assert choice.locator("optgroup").last.get_attribute("label") == "外部冲击"
    assert "金融机构拒贷增多" in page.inner_text(".srdi-side")


def test_a_note_and_a_picture_say_what_they_are_of(open_page):
    page = open_page(f"?{CLUSTERS}")
    wait_for_answer(page, ensemble=True)
    with page.expect_download() as download:
        page.get_by_role("button", name="Note as HTML").click()
    text = download.value.path().read_text(encoding="utf-8")
    assert download.value.suggested_filename == "my-policy-en.html"
    assert "<h1>Your policy</h1>" in text
    with page.expect_download() as download:
        page.get_by_role("button", name="Download SVG").first.click()
    drawn = unescape(" ".join(re.findall(r">([^<>]+)<", download.value.path().read_text(encoding="utf-8"))))
    for part in ("Little giants", "SRDI model", "Clusters per year: 300", "3 runs with parameter draws", "Made on"):
        assert part in drawn, part


@pytest.mark.slow
def test_a_note_is_printed_as_pdf(open_page):
    pytest.importorskip("weasyprint")
    page = open_page(f"?lang=zh&{CLUSTERS}")
    wait_for_answer(page, ensemble=True)
    with page.expect_download() as download:
        page.get_by_role("button", name="简报（PDF）").click()
    assert download.value.path().read_bytes().startswith(b"%PDF")


def test_links_and_charts_are_copied(open_page, address):
    page = open_page(f"?{CLUSTERS}")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    wait_for_answer(page)
    copied = "navigator.clipboard.readText()"
    page.get_by_role("button", name="Copy link").first.click()
    page.get_by_text("Copied", exact=True).first.wait_for()
    assert page.evaluate(copied) == page.url
    page.get_by_label("Embed a chart").select_option("spending")
    page.get_by_role("button", name="Copy the line").click()
    page.wait_for_function(f"() => {copied}.then((text) => text.startsWith('<iframe'))")
    source = unescape(re.search(r'src="([^"]+)"', page.evaluate(copied))[1])
    assert source == f"{address.rstrip('/')}{EMBED}?chart=spending&{CLUSTERS}"


@pytest.fixture
def other_site(tmp_path):
    """Serves a page under another name than the model's page; gives its folder and its address."""
    handler = partial(SimpleHTTPRequestHandler, directory=tmp_path)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield tmp_path, f"http://localhost:{server.server_address[1]}/"
        server.shutdown()


def test_a_chart_stands_in_a_frame_of_another_site(chromium, address, other_site):
    folder, site = other_site
    own = f"{address.rstrip('/')}{EMBED}?chart=little_giants&lang=zh&{CLUSTERS}"
    (folder / "index.html").write_text(f'<iframe src="{own}" width="400" height="460"></iframe>', encoding="utf-8")
    page = chromium.new_context().new_page()
    page.set_default_timeout(60_000)
    page.goto(site)
    frame = page.frame_locator("iframe")
    frame.locator(".srdi-chart[data-version='1+']").wait_for()
    assert frame.locator("html").evaluate("() => document.title") == window_title(Words("zh"), "embed")
    assert frame.locator("nav, .srdi-levers, footer").count() == 0
    assert "专精特新政策模型" in frame.locator(".srdi-embedded").inner_text()
    assert frame.locator("html").evaluate("(page) => page.scrollWidth") <= 400
    whole = urlsplit(frame.get_by_role("link", name="打开完整页面").get_attribute("href"))
    assert whole.path == "/"
    assert CLUSTERS in whole.query
    assert "chart=" not in whole.query
    page.context.close()


def test_a_chart_that_there_is_not_is_said(open_page):
    page = open_page(f"{EMBED.lstrip('/')}?chart=nonsense")
    text = page.locator(".srdi-main .srdi-note").inner_text()
    assert all(name in text for name in CHARTS)


def test_on_paper_the_answer_comes_first_and_charts_are_whole(open_page):
    page = open_page(f"?dark=1&{CLUSTERS}")
    wait_for_answer(page)
    assert not page.locator(".srdi-printed").is_visible()
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 718, "height": 1000})
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    page.wait_for_function(
        "() => [...document.querySelectorAll('.srdi-chart')].every((chart) => chart.querySelector('canvas'))"
    )
    for part in ("nav", ".srdi-levers", ".srdi-choices", ".srdi-chart-tools", ".srdi-share"):
        assert not page.locator(part).first.is_visible(), part
    listed = page.inner_text(".srdi-printed")
    assert "Clusters per year" in listed
    assert "300 clusters" in listed
    order = [page.locator(part).first.bounding_box()["y"] for part in ("#answer", ".srdi-printed", ".srdi-chart")]
    assert order == sorted(order)
    boxes = page.evaluate(
        """() => [...document.querySelectorAll('.srdi-chart')].map((chart) => {
          const [own, drawn] = [chart, chart.querySelector('canvas')].map((each) => each.getBoundingClientRect());
          return [own.left, own.right, own.bottom, drawn.left, drawn.right, drawn.bottom, drawn.height];
        })"""
    )
    assert len(boxes) == len(CHARTS)
    for left, right, bottom, drawn_left, drawn_right, drawn_bottom, height in boxes:
        assert drawn_left >= left - 1
        assert drawn_right <= right + 1
        assert drawn_bottom <= bottom + 1
        assert height > 100
    # Dark letters on white paper, whatever the page.
    colour = page.evaluate("getComputedStyle(document.querySelector('#answer h2')).color")
    assert max(map(int, re.findall(r"\d+", colour)[:3])) < 100
