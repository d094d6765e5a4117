"""What is measured when a lever is moved: the first change that is seen, and the last chart."""

import pytest

from benchmarks.page import _WATCH, Latency, summarise

pytestmark = pytest.mark.browser

#: Key figures and charts at version 7, one of them hidden; when the slider is released, they change one by one.
PAGE = """
<input type="range" id="slider">
<dl class="srdi-key-numbers" data-version="7">figures</dl>
<div class="srdi-chart" id="early" data-version="7">chart</div>
<div class="srdi-chart" id="late" data-version="7">chart</div>
<div class="srdi-chart" style="display: none" data-version="1">hidden</div>
<script>
  const later = (selector, milliseconds) => setTimeout(
    () => document.querySelector(selector).setAttribute("data-version", "8"), milliseconds);
  document.getElementById("slider").addEventListener("change", () => {
    later("#early", EARLY); later(".srdi-key-numbers", KEY_NUMBERS); later("#late", 2000);
  });
</script>
"""


@pytest.mark.parametrize(("early", "figures"), [(300, 600), (600, 300)])
def test_the_first_change_is_seen_before_the_last_chart(chromium, early, figures):
    page = chromium.new_page()
    page.set_content(PAGE.replace("EARLY", str(early)).replace("KEY_NUMBERS", str(figures)))
    page.add_script_tag(content=_WATCH)
    slider = page.locator("#slider")
    watch = page.evaluate_handle("(input) => ({ done: window.srdiWatch(input) })", slider.element_handle())
    slider.dispatch_event("change")
    seen = watch.evaluate("(watch) => watch.done")
    page.close()
    assert seen["charts"] == 2
    # Timers and frames may come late, but not early.
    assert 299 <= seen["first"] < 2000 <= seen["all"] + 1


def test_both_times_are_summarised():
    latency = {"slow": [Latency(200, 900), Latency(300, 1100)], "fast": [Latency(100, 400), Latency(100, 600)]}
    found = summarise(latency, {"slow": "2021Q1", "fast": "2024Q1"})
    assert (found["median_ms"], found["first_change_median_ms"]) == (750, 150)
    assert found["p95_ms"] == pytest.approx(900 + 0.85 * 200)
    assert found["first_change_p95_ms"] == pytest.approx(200 + 0.85 * 100)
    assert found["levers"] == [
        {"lever": "fast", "start": "2024Q1", "median_ms": 500, "first_change_median_ms": 100},
        {"lever": "slow", "start": "2021Q1", "median_ms": 1000, "first_change_median_ms": 250},
    ]
