"""The answer of the policy page in a real browser: always in sight, no jumps, redraws under the hand, Back undoes."""

from urllib.parse import parse_qs, urlparse

import pytest

from benchmarks.page import wait_for_answer
from browser.test_policy_page import CLUSTERS, answered, set_number

pytestmark = pytest.mark.browser

TOP = "document.querySelector('#results .srdi-chart').getBoundingClientRect().top + window.scrollY"
SLIDER = f'[data-key="{CLUSTERS}"] input[type=range]'
WIDTHS = (400, 1280)


def bar(page):
    """Top and bottom of the answer in the window."""
    return page.evaluate(
        "() => (({ top, bottom }) => [top, bottom])(document.querySelector('.srdi-answer').getBoundingClientRect())"
    )


@pytest.mark.parametrize("path", ["", "?lang=zh"])
@pytest.mark.parametrize("width", WIDTHS)
def test_the_answer_is_first_and_stays_in_sight(open_page, width, path):
    page = open_page(path, width=width)
    wait_for_answer(page)
    top, bottom = bar(page)
    assert 0 <= top < bottom <= 500
    page.locator(".srdi-gains, #results .srdi-chart").last.scroll_into_view_if_needed()
    page.mouse.wheel(0, 600)
    page.wait_for_function("() => window.scrollY > 400")
    again = bar(page)
    assert again[0] == pytest.approx(0, abs=1)
    assert again[1] - again[0] == pytest.approx(bottom - top, abs=1)


@pytest.mark.parametrize("width", WIDTHS)
def test_no_chart_jumps_while_an_answer_is_refined(open_page, width):
    page = open_page(f"?{CLUSTERS}=200", width=width)
    page.wait_for_selector("#results .srdi-chart")
    # Every place of the first chart from then on.
    page.evaluate(
        f"""() => {{
          window.tops = new Set([{TOP}]);
          const look = () => {{ window.tops.add({TOP}); requestAnimationFrame(look); }};
          look();
        }}"""
    )
    wait_for_answer(page, ensemble=True)
    page.wait_for_timeout(300)
    tops = page.evaluate("[...window.tops]")
    assert max(tops) - min(tops) <= 1, tops


def test_a_held_lever_is_answered_again_and_again(open_page):
    page = open_page()
    wait_for_answer(page)
    page.evaluate(
        """() => {
          window.seen = new Set();
          window.wrong = [];
          const look = () => {
            const figures = document.querySelector('.srdi-key-numbers');
            window.seen.add(figures.dataset.version);
            const said = document.querySelector('.srdi-answer [role=status]');
            // Numbers and status are two messages to the page; only what stays is read.
            const isWrong = figures.ariaBusy === 'true' && said.dataset.stage !== 'central';
            if (!isWrong) clearTimeout(window.late), window.late = null;
            else if (!window.late) window.late = setTimeout(() => window.wrong.push(said.innerText), 500);
          };
          new MutationObserver(look).observe(document.querySelector('#results'), {
            subtree: true, childList: true, characterData: true, attributes: true,
          });
        }"""
    )
    page.locator(SLIDER).scroll_into_view_if_needed()
    slider = page.locator(SLIDER).bounding_box()
    middle = slider["y"] + slider["height"] / 2
    page.mouse.move(slider["x"] + 10, middle)
    page.mouse.down()
    for step in range(80):
        page.mouse.move(slider["x"] + 10 + step * (slider["width"] - 20) / 80, middle)
        page.wait_for_timeout(100)
    under_the_hand = page.evaluate("[...window.seen]")
    # While the lever is held, the address is that from before.
    assert CLUSTERS not in page.url
    page.mouse.up()
    page.wait_for_url(lambda url: CLUSTERS in url)
    page.wait_for_selector('.srdi-key-numbers[aria-busy="false"]')
    assert len([version for version in under_the_hand if version and not version.endswith("~")]) >= 4, under_the_hand
    assert page.evaluate("window.wrong") == []


def test_a_number_being_typed_outlasts_the_answers_that_arrive(open_page):
    page = open_page(f"?{CLUSTERS}=200")
    field = page.locator(f'[data-key="{CLUSTERS}"] input[type=number]')
    field.fill("300")
    wait_for_answer(page, ensemble=True)
    page.wait_for_timeout(300)
    assert field.input_value() == "300"
    field.press("Enter")
    page.wait_for_url(lambda url: f"{CLUSTERS}=300" in url)


def test_back_undoes_the_last_move_and_forward_redoes_it(open_page):
    page = open_page("?lang=zh")
    wait_for_answer(page)
    number = f'[data-key="{CLUSTERS}"] input[type=number]'
    for value in ("200", "300"):
        with answered(page):
            set_number(page, CLUSTERS, value)
    for step, value in ((page.go_back, "200"), (page.go_back, "100"), (page.go_forward, "200")):
        step()
        page.wait_for_function("([field, value]) => document.querySelector(field).value === value", arg=[number, value])
        # The address of the step before may still be written while the next is taken.
        expected = {"lang": ["zh"]} | ({} if value == "100" else {CLUSTERS: [value]})
        page.wait_for_url(lambda url, expected=expected: parse_qs(urlparse(url).query) == expected)


def test_levers_are_a_sheet_below_the_answer_on_a_small_screen(open_page):
    page = open_page(width=400)
    wait_for_answer(page)
    slider, handle = page.locator(SLIDER), page.locator(".srdi-handle")
    assert not slider.is_visible()
    handle.click()
    assert handle.get_attribute("aria-expanded") == "true"
    slider.scroll_into_view_if_needed()
    assert slider.is_visible()
    sheet = page.locator(".srdi-sheet").bounding_box()
    assert bar(page)[0] == pytest.approx(0, abs=1)
    assert bar(page)[1] <= sheet["y"]
    with answered(page):
        set_number(page, CLUSTERS, "200")
    handle.click()
    assert not slider.is_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 400


def test_the_reader_sets_level_or_difference_and_the_horizon(open_page):
    page = open_page(f"?{CLUSTERS}=200")
    wait_for_answer(page)
    plot = page.locator("#results .srdi-chart-plot").first
    assert "difference from the baseline" in plot.get_attribute("aria-label")
    page.get_by_role("button", name="Level", exact=True).click()
    page.wait_for_url(lambda url: "charts=level" in url)
    page.wait_for_function("() => !document.querySelector('.srdi-chart-plot').ariaLabel.includes('difference')")
    before = page.inner_text('[data-quantity="little_giants"] .srdi-value')
    page.locator(".srdi-choices select").last.select_option("2025")
    page.wait_for_url(lambda url: "horizon=2025" in url)
    page.wait_for_function("() => document.querySelector('.srdi-chart-plot').ariaLabel.includes('end of 2025')")
    assert "2025" in page.inner_text(".srdi-answer-head")
    assert page.inner_text('[data-quantity="little_giants"] .srdi-value') != before
