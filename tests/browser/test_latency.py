"""What is measured when a lever is moved: the first chart that changes, the last, and the whole run."""

import pytest

from benchmarks.page import _WATCH, Latency, summarise

pytestmark = pytest.mark.browser

#: Key figures and charts at version 7, one of them hidden and one below the window; when the slider is released, they
#: change one by one, first to a part of the next run and then to the whole.
PAGE = """
<input type="range" id="slider">
<dl class="srdi-key-numbers" data-version="7">figures</dl>
<div class="srdi-chart" id="early" data-version="7">chart</div>
<div class="srdi-chart" id="late" data-version="7">chart</div>
<div class="srdi-chart" style="display: none" data-version="1">hidden</div>
<div class="srdi-chart" style="position: absolute; top: 9000px" data-version="7">below</div>
<script>
  const later = (selector, milliseconds, version) => setTimeout(
    () => document.querySelector(selector).setAttribute("data-version", version), milliseconds);
  document.getElementById("slider").addEventListener("change", () => {
    later(".srdi-key-numbers", 0, "8~"); later("#early", 300, "8~"); later("#late", 1200, "8~");
    later("#early", 1600, "8"); later("#late", 2000, "8");
  });
</script>
"""


def test_the_first_change_is_seen_before_the_last_chart_and_the_whole_run(chromium):
    page = chromium.new_page()
    page.set_content(PAGE)
    page.add_script_tag(content=_WATCH)
    slider = page.locator("#slider")
    watch = page.evaluate_handle("(input) => ({ done: window.srdiWatch(input) })", slider.element_handle())
    slider.dispatch_event("change")
    seen = watch.evaluate("(watch) => watch.done")
    page.close()
    assert seen["charts"] == 2
    # Timers and frames may come late, but not early.
    assert 299 <= seen["first"] < 1200 <= seen["all"] + 1
    assert seen["all"] < 2000 <= seen["whole"] + 1


def test_all_times_are_summarised():
    latency = {
        "slow": [Latency(200, 300, 900), Latency(300, 500, 1100)],
        "fast": [Latency(100, 100, 400), Latency(100, 300, 600)],
    }
    found = summarise(latency, {"slow": "2021Q1", "fast": "2024Q1"})
    assert [found[f"{name}median_ms"] for name in ("first_change_", "every_chart_", "")] == [150, 300, 750]
    assert found["first_change_p95_ms"] == pytest.approx(200 + 0.85 * 100)
    assert found["every_chart_p95_ms"] == pytest.approx(300 + 0.85 * 200)
    assert found["p95_ms"] == pytest.approx(900 + 0.85 * 200)
    medians = ("first_change_median_ms", "every_chart_median_ms", "median_ms")
    assert [(each["lever"], each["start"], *(each[name] for name in medians)) for each in found["levers"]] == [
        ("fast", "2024Q1", 100, 200, 500),
        ("slow", "2021Q1", 250, 400, 1000),
    ]
