"""The widgets in a browser: they draw, follow their numbers, answer pointer and keys, and ask no other host."""

from __future__ import annotations

import csv
import io
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from browser.widgets_app import NAMES, TEXTS, TIES, charts, graph, quarters
from scenarios.display.formatting import supported
from viz.app.server import OFFLINE
from viz.words.language import Words

ROOT = Path(__file__).parents[2]
_STARTED, _SHOWN = 60.0, 30_000

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture(scope="module")
def address():
    """Of the page of widgets, served by a process of its own."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    paths = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    app = str(Path(__file__).with_name("widgets_app.py"))
    command = [sys.executable, "-m", "solara", "run", app, "--production", "--no-open"]
    process = subprocess.Popen(
        [*command, "--host", "127.0.0.1", "--port", str(port)],
        env={**os.environ, **OFFLINE, "PYTHONPATH": paths},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        end = time.monotonic() + _STARTED
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1.0).close()
                break
            except OSError:
                assert process.poll() is None, "the server ended"
                assert time.monotonic() < end, "the server does not listen"
                time.sleep(0.1)
        yield f"http://127.0.0.1:{port}/"
    finally:
        process.terminate()
        process.wait(timeout=20.0)


@pytest.fixture
def opened(chromium, address):
    """Opens the page with a query and a width; afterwards, no fault and no request to another host may have been."""
    faults, pages = [], []

    def open_page(query: str = "", width: int = 1300, height: int = 1900):
        page = chromium.new_page(viewport={"width": width, "height": height}, accept_downloads=True)
        pages.append(page)
        page.set_default_timeout(_SHOWN)
        page.on("console", lambda message: message.type == "error" and faults.append(message.text))
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("request", lambda request: _is_local(request.url, address) or faults.append(request.url))
        page.goto(address + query)
        page.wait_for_function(
            "document.querySelectorAll('.srdi-chart[data-version]').length === 7"
            " && document.querySelector('.srdi-network[data-version]')"
        )
        return page

    yield open_page
    for page in pages:
        page.close()
    assert faults == []


def _is_local(url: str, address: str) -> bool:
    return url.startswith((address, address.replace("http", "ws", 1), "data:", f"blob:{address}"))


def _wait_for(page, version: int) -> None:
    """Wait until all that is displayed shows a version of the numbers."""
    page.wait_for_function(
        "version => [...document.querySelectorAll('.srdi-chart, .srdi-network')]"
        ".every(element => !element.clientWidth || element.dataset.version === version)",
        arg=str(version),
    )


def _version(page) -> int:
    return int(page.locator(".srdi-chart").first.get_attribute("data-version"))


def _picture(page, chart: int) -> str:
    return page.locator(".srdi-chart canvas").nth(chart).evaluate("canvas => canvas.toDataURL()")


def _table(chart) -> list[list[str]]:
    """Cells of a chart's table, its head included."""
    return chart.locator("tr").evaluate_all("rows => rows.map(row => [...row.cells].map(cell => cell.innerText))")


def test_what_is_displayed_shows_the_version_of_its_numbers(opened):
    page = opened()
    before, version = [_picture(page, chart) for chart in range(6)], _version(page)
    page.click(".next")
    _wait_for(page, version + 1)
    after = [_picture(page, chart) for chart in range(6)]
    assert all(one != other for one, other in zip(before, after, strict=True))
    # What was hidden from the start is drawn once it is displayed.
    late = page.locator(".late .srdi-chart")
    assert late.get_attribute("data-version") is None
    page.click(".hide")
    late.wait_for()
    _wait_for(page, version + 1)
    assert late.locator("canvas").evaluate("canvas => canvas.width") > 300
    # And what has been hidden meanwhile shows the newest.
    page.click(".hide")
    late.wait_for(state="hidden")
    page.click(".next")
    _wait_for(page, version + 2)
    assert late.get_attribute("data-version") == str(version + 1)
    page.click(".hide")
    late.wait_for()
    _wait_for(page, version + 2)
    assert late.get_attribute("data-version") == str(version + 2)


def test_the_browser_sends_nothing_back_when_numbers_come(opened):
    page = opened()
    # The page's own socket is open by now; what it sends is counted in the page.
    page.evaluate(
        "() => { window.sent = []; const send = WebSocket.prototype.send;"
        "WebSocket.prototype.send = function (data) { window.sent.push(data); send.call(this, data); } }"
    )
    version = _version(page)
    page.click(".next")
    _wait_for(page, version + 1)
    sent = page.evaluate("Promise.all(window.sent.map(data => new Blob([data]).text()))")
    assert len(sent) > 0
    assert [text for text in sent if '"method":"update"' in text.replace(" ", "")] == []


@pytest.mark.parametrize("language", ["en", "zh"])
def test_tables_say_the_numbers_as_the_rest_of_the_page_does(opened, language):
    page = opened(f"?lang={language}")
    version, words, texts, names = _version(page), Words(language), TEXTS[language], NAMES[language]
    specs = charts(version, language, False)
    found = {}
    for place in (0, 1, 2, 4):
        chart = page.locator(".srdi-chart").nth(place)
        chart.get_by_role("button", name=texts["table"], exact=True).click()
        chart.locator("table").wait_for()
        found[place] = _table(chart)
        assert not chart.locator("canvas").first.is_visible()

    def number(place: int, series: int, array: int, i: int) -> float:
        one = specs[place]["series"][series]
        block = np.frombuffer(specs[place]["values"], dtype="<f4")
        return float(block[one["at"] + array * one["count"] + i])

    def value(place: int, series: int, array: int, i: int, unit: str, signed: bool = False) -> str:
        """A number with the digits that the widest band of its chart, the first series, supports."""
        shown = number(place, series, array, i)
        if specs[place]["series"][0]["kind"] == "band":
            shown = supported(shown, number(place, 0, 0, i), number(place, 0, 1, i), unit).value
        return words.value(shown, unit, signed)

    head, *rows = found[0]
    assert head == [texts["x"], names["baseline"], names["policy"], names["most"], names["half"], names["figure"]]
    assert len(rows) == len(quarters)
    for i, row in enumerate(rows):
        assert row[0] == words.quarter(quarters[i]) if language == "zh" else row[0]
        assert row[1:3] == [value(0, 2, 0, i, "firms"), value(0, 3, 0, i, "firms")]
    assert rows[-1][3] == words.span(value(0, 0, 0, 47, "firms"), value(0, 0, 1, 47, "firms"))
    about = texts["at_most"].format(value=words.value(14_600, "firms"))
    assert about in rows[19][5]
    assert names["source"] in rows[19][5]
    assert rows[20][5] == ""
    assert found[1][1][1:] == [value(1, series, 0, 0, "yuan") for series in range(4)]
    assert found[2][48][1] == value(2, 1, 0, 47, "share", signed=True)
    assert found[2][12][1] == "–"
    assert found[4][2][1] == words.span(words.number(140_000), words.number(141_000))
    # From some 360,000 to a million: both ends in one scale.
    ends = supported(*(number(4, 1, array, 2) for array in (1, 0, 2)))
    assert found[4][3][2].endswith(f"({words.interval(ends.low, ends.high, '')})")
    # A table follows its numbers too.
    page.click(".next")
    _wait_for(page, version + 1)
    specs = charts(version + 1, language, False)
    assert _table(page.locator(".srdi-chart").first)[48][1] == value(0, 2, 0, 47, "firms")


def test_files_hold_numbers_and_pictures(opened):
    page = opened()
    version = _version(page)
    chart = page.locator(".srdi-chart").first
    files = {}
    for kind in ("CSV", "PNG", "SVG"):
        with page.expect_download() as download:
            chart.get_by_role("button", name=f"Download {kind}").click()
        assert download.value.suggested_filename == f"Little-giants.{kind.lower()}"
        files[kind] = Path(download.value.path()).read_bytes()
    assert files["CSV"].startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(files["CSV"].decode("utf-8-sig"))))
    assert rows[0][:4] == ["Quarter", "Baseline", "With awards", "90% of runs, low"]
    # Two figures are reported for the end of 2023.
    assert [row[0] for row in rows[1:]] == sorted([*quarters, "2023Q4"])
    spec = charts(version, "en", False)[0]
    block, baseline = np.frombuffer(spec["values"], dtype="<f4"), spec["series"][2]
    own = [float(row[1]) for row in rows[1:] if row[1]]
    np.testing.assert_allclose(own, block[baseline["at"] : baseline["at"] + 48], rtol=1e-6)
    assert files["PNG"].startswith(b"\x89PNG")
    width, height = (int.from_bytes(files["PNG"][start : start + 4], "big") for start in (16, 20))
    assert width == 2 * chart.bounding_box()["width"]
    assert height > 2 * 220
    picture = files["SVG"].decode()
    assert picture.startswith("<svg")
    assert all(text in picture for text in ("Little giants", "With awards", "90% of runs", "20,000"))


def test_a_tooltip_follows_pointer_and_arrow_keys(opened):
    page = opened()
    version, words = _version(page), Words("en")
    chart = page.locator(".srdi-chart").first
    plot, tip = chart.locator(".srdi-chart-plot"), chart.locator(".srdi-chart-tip")
    box = plot.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 60)
    assert "Baseline" in tip.inner_text()
    page.mouse.move(2, 2)
    tip.wait_for(state="hidden")
    plot.focus()
    page.keyboard.press("End")
    spec = charts(version, "en", False)[0]
    numbers = np.frombuffer(spec["values"], dtype="<f4")
    low, high, last = (float(numbers[at + 47]) for at in (0, 48, spec["series"][2]["at"]))
    last = supported(last, low, high, "firms").value
    assert tip.inner_text().split("\n")[:3] == ["Q4 2030", "Baseline", words.value(last, "firms")]
    page.keyboard.press("ArrowLeft")
    assert "Q3 2030" in tip.inner_text()
    assert chart.locator("[aria-live]").inner_text().startswith("Q3 2030; Baseline ")
    page.keyboard.press("Escape")
    tip.wait_for(state="hidden")
    rows = page.locator(".srdi-chart").nth(4)
    rows.locator(".srdi-chart-plot").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    assert "140,000 to 141,000" in rows.locator(".srdi-chart-tip").inner_text()


def test_nodes_are_searched_selected_and_listed(opened):
    page = opened()
    network = page.locator(".srdi-network")
    field, links = network.get_by_role("combobox"), network.locator(".srdi-network-links li")
    field.fill("firm 20")
    assert network.get_by_role("option").count() == 12
    # What is sought is marked in every match, and no match is cut off.
    options = network.get_by_role("option")
    assert {text.lower() for text in options.locator("mark").all_inner_texts()} == {"firm 20"}
    assert options.evaluate_all("(all) => all.every((each) => each.scrollWidth <= each.clientWidth)")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.get_by_text("selected 200").wait_for()
    drawn = graph(_version(page))
    edges = np.frombuffer(drawn["values"], dtype="<i4")[-2 * drawn["edges"] :].reshape(-1, 2)
    near = {int(other) for edge in edges for other in edge if 200 in edge} - {200}
    assert {int(text.split()[1]) for text in links.all_inner_texts()} == near
    # The node lies in the middle now; a click beside all nodes clears, one on it selects.
    frame = network.locator(".srdi-network-canvas")
    frame.scroll_into_view_if_needed()
    page.wait_for_timeout(500)
    box = frame.bounding_box()
    middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.click(box["x"] + 6, box["y"] + 6)
    page.get_by_text("selected -1").wait_for()
    page.mouse.move(*middle)
    assert "Firm 200" in network.locator(".srdi-network-tip").inner_text()
    page.mouse.click(*middle)
    page.get_by_text("selected 200").wait_for()
    links.first.get_by_role("button").click()
    page.get_by_text(f"selected {min(near)}").wait_for()
    # What Python selects.
    page.click(".pick")
    network.get_by_text("Linked to Firm 7 ").wait_for()


def test_a_network_is_moved_and_zoomed(opened):
    page = opened()
    network = page.locator(".srdi-network")
    canvas, frame = network.locator("canvas"), network.locator(".srdi-network-canvas")
    frame.scroll_into_view_if_needed()
    box = frame.bounding_box()
    pictures = [canvas.evaluate("canvas => canvas.toDataURL()")]

    def differs():
        page.wait_for_timeout(100)
        pictures.append(canvas.evaluate("canvas => canvas.toDataURL()"))
        return pictures[-1] != pictures[-2]

    page.mouse.move(box["x"] + 200, box["y"] + 200)
    # The wheel alone scrolls the page, and says how it would zoom. What scrolls is a part of the page, not the window.
    page.mouse.wheel(0, 40)
    assert not differs()
    network.get_by_text("Hold Ctrl").wait_for()
    page.wait_for_function(
        "(top) => document.querySelector('.srdi-network-canvas').getBoundingClientRect().top < top", arg=box["y"]
    )
    frame.scroll_into_view_if_needed()
    box = frame.bounding_box()
    page.mouse.move(box["x"] + 200, box["y"] + 200)
    page.keyboard.down("Control")
    page.mouse.wheel(0, -300)
    page.keyboard.up("Control")
    assert differs()
    page.mouse.down()
    page.mouse.move(box["x"] + 260, box["y"] + 230, steps=4)
    page.mouse.up()
    assert differs()
    frame.focus()
    for key in ("+", "ArrowLeft", "-"):
        page.keyboard.press(key)
        assert differs()
    page.get_by_text("selected -1").wait_for()
    network.get_by_role("button", name="Show all").click()
    page.mouse.move(2, 2)
    page.wait_for_timeout(500)
    assert canvas.evaluate("canvas => canvas.toDataURL()") == pictures[0]


def test_squares_round_as_the_numbers_beside_the_map(opened):
    page = opened()
    shown = [text.strip() for text in page.locator(".srdi-square-number").all_text_contents()]
    assert shown == [Words("en").value(value, "firms") for value in TIES[:-1]]


@pytest.mark.parametrize("width", [1300, 324])
def test_names_of_nodes_stay_inside_the_drawing(opened, width):
    page = opened("", width, 1900 if width > 1000 else 3300)
    page.evaluate("""() => {
      const plain = CanvasRenderingContext2D.prototype.fillText;
      window.drawn = [];
      CanvasRenderingContext2D.prototype.fillText = function (text, x, y) {
        if (this.canvas.closest('.srdi-network')) drawn.push([text, x, x + this.measureText(text).width, y]);
        plain.call(this, text, x, y);
      };
    }""")
    frame = page.locator(".srdi-network-canvas")
    page.click(".pick")
    page.locator(".srdi-network").get_by_text("Linked to Firm 7 ").wait_for()
    frame.scroll_into_view_if_needed()
    page.wait_for_timeout(500)
    box = frame.bounding_box()
    wide, high = box["width"], box["height"]
    buttons = page.locator(".srdi-network-zoom").bounding_box()
    # The node lies in the middle; from there, it is drawn to each side and back.
    for x, y in ((wide - 8, high / 2), (8, high / 2), (wide / 2, 3), (wide / 2, high - 3), (wide - 30, 100)):
        for end in ((x, y), (wide / 2, high / 2)):
            start = (wide / 2, high / 2) if end == (x, y) else (x, y)
            page.mouse.move(box["x"] + start[0], box["y"] + start[1])
            page.mouse.down()
            page.evaluate("drawn.length = 0")
            page.mouse.move(box["x"] + end[0], box["y"] + end[1], steps=4)
            page.mouse.up()
            page.wait_for_timeout(300)
            drawn = page.evaluate("drawn")
            # One name is longer than the narrow drawing is wide.
            assert {text.endswith("…") for text, *_ in drawn if text.startswith("Firm 7 ")} == {width == 324}
            for text, left, right, middle in drawn:
                assert left >= 0, text
                assert right <= wide, text
                assert 6 <= middle <= high - 6, text
                beside = right <= buttons["x"] - box["x"] or middle >= buttons["y"] - box["y"] + buttons["height"]
                assert beside, text


@pytest.mark.parametrize(
    ("query", "width"), [("", 1300), ("?dark=1", 1300), ("?lang=zh", 1300), ("", 400), ("?lang=zh&dark=1", 324)]
)
def test_nothing_is_wider_than_the_page(opened, tmp_path, query, width):
    page = opened(query, width, 1900 if width > 1000 else 3300)
    page.wait_for_timeout(200)
    page.screenshot(path=tmp_path / "widgets.png")
    too_wide = page.evaluate(
        "[...document.querySelectorAll('.srdi-chart, .srdi-chart *, .srdi-network, .srdi-network *')]"
        ".filter(element => element.getBoundingClientRect().right > innerWidth + 1).map(element => element.className)"
    )
    assert too_wide == []
