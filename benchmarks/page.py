"""Response times of the web page in a real browser: levers, first page, many simultaneous users.

``python -m benchmarks.page`` starts ``srdi ui`` on a free port and drives it with Chromium::

    python -m benchmarks.page --moves 2 --readers 20 --out page.json

Each lever of the page is moved, with all others as in the baseline. Latency is measured in the browser: from the
release of a lever (the `change` event of its slider) to the animation frames after the first and the last chart in the
window were painted with a part of the new run, and after the last was painted with the whole run. It depends on the
start of the lever, because the run up to that quarter is shared with the baseline.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, NamedTuple

import click
import numpy as np

from scenarios.commands.command import Script
from scenarios.records.storage import refuse_unwritable, write_json
from viz.words.language import Words

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from viz.live.runner import Runner

#: The times of `Latency`, in order: prefix of their keys in the file, what they last to, and targets for the median and
#: the 95 % quantile, in milliseconds.
LATENCIES = (
    ("first_change_", "first change", 120.0, 200.0),
    ("every_chart_", "every chart", 250.0, 400.0),
    ("", "whole run", 400.0, 800.0),
)
#: Target: time to the first page in seconds.
FIRST_S = 3.0
#: The setting to which simultaneous users give different values.
SETTING = "levers.cluster_recognition.per_year"
#: Its value for the first user, and the step from one user to the next.
_FIRST, _STEP = 110, 5
#: Timeout for the start and the end of a server, in seconds.
_START_TIMEOUT_S = 120.0
#: Script that watches the charts in the window, and reports the times when the first of them and when all show a newer
#: version than `last`, and when all show a whole one (see `viz.app.charts.version_of`).
_WATCH = """
window.srdiWatch = (input) => new Promise((resolve) => {
  const inWindow = (shown) => {
    const { top, bottom, width } = shown.getBoundingClientRect();
    return width > 0 && bottom > 0 && top < window.innerHeight;
  };
  const version = (shown) => parseInt(shown.dataset.version || '-1', 10);
  const all = (kinds) => [...document.querySelectorAll(kinds)];
  const last = Math.max(...all('.srdi-chart, .srdi-key-numbers').map(version));
  const isNew = (shown) => version(shown) > last;
  const isWhole = (shown) => isNew(shown) && !shown.dataset.version.endsWith('~');
  const times = {};
  const note = (name, reached) => {
    if (reached && !(name in times)) times[name] = performance.now() - released;
  };
  let released = null;
  input.addEventListener('change', () => { released = performance.now(); }, { once: true, capture: true });
  const look = () => {
    const charts = all('.srdi-chart').filter(inWindow);
    if (released !== null && charts.length) {
      note('first', charts.some(isNew));
      note('all', charts.every(isNew));
      note('whole', charts.every(isWhole));
    }
    if ('whole' in times) resolve({ ...times, charts: charts.length });
    else requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
});
"""


class Latency(NamedTuple):
    """Milliseconds from the release of a lever to what the window shows of the new run.

    Attributes:
        first_ms: to the first chart with at least a part of the run. all_ms: to every such chart. whole_ms: to every
            chart with the whole run.
    """

    first_ms: float
    all_ms: float
    whole_ms: float


@contextlib.contextmanager
def server(*arguments: str, log: IO[str] | None = None, timeout: float = _START_TIMEOUT_S) -> Iterator[tuple[int, str]]:
    """The page, started by ``srdi ui`` on a free port; yields process id and address, and ends it afterwards.

    Args:
        log: file for the server's standard error; None leaves it unchanged.
    """
    command = [sys.executable, "-m", "scenarios.cli", "ui", "--port", "0", "--no-open", "--json", *arguments]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, encoding="utf-8", env=environment)
    try:
        line = process.stdout.readline() if process.stdout else ""
        if not line:
            raise RuntimeError(f"srdi ui ended with {process.wait(timeout)}")
        yield process.pid, json.loads(line)["address"]
    finally:
        process.terminate()
        process.wait(30)


@contextlib.contextmanager
def page_address(*arguments: str, timeout: float = _START_TIMEOUT_S) -> Iterator[str]:
    """As `server`, but yields only the address."""
    with server(*arguments, timeout=timeout) as (_, address):
        yield address


def chromium() -> str:
    """Path of the browser."""
    result = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if result is None:
        raise click.ClickException("no Chromium was found; on Debian: apt-get install chromium")
    return result


@contextlib.contextmanager
def browser() -> Iterator[Browser]:
    """A headless Chromium driven by Playwright."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium_browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        try:
            yield chromium_browser
        finally:
            chromium_browser.close()


#: JavaScript condition: the key values show a whole answer with a number above `last`, with intervals if `ensemble` is
#: set.
_ANSWER_SHOWN = """([last, ensemble]) => {
  const version = document.querySelector('.srdi-key-numbers')?.dataset.version || '';
  return parseInt(version || '0', 10) > last && (ensemble ? version.endsWith('+') : !version.endsWith('~'));
}"""


def answer_number(page: Page) -> int:
    """Number of the answer the policy page shows, or a part of; 0 before the first."""
    version = page.evaluate("document.querySelector('.srdi-key-numbers')?.dataset.version || '0'")
    return int(version.rstrip("+~"))


def wait_for_answer(page: Page, ensemble: bool = False, after: int = 0, timeout: float = 60_000) -> None:
    """Wait until the policy page shows a whole answer, or one with intervals, with a number above `after`."""
    page.wait_for_function(_ANSWER_SHOWN, arg=[after, ensemble], timeout=timeout)


def shown_values(runner: Runner, settings: Mapping[str, object], quantities: Sequence[str]) -> list[str]:
    """National quantities at the end of the central run as text of the English page, computed here without a page."""
    from viz.app.policies import policy_of
    from viz.live.measures import yearly
    from viz.shared.units import unit_of

    run, words = runner.run(policy_of(settings).policy, 0), Words("en")
    assert run is not None, "the run was not stopped"
    return [words.value(float(yearly(run, name)[-1]), unit_of(name)) for name in quantities]


def measure_moves(page: Page, levers: Sequence[str], moves: int) -> dict[str, list[Latency]]:
    """Times from release to paint of `moves` key presses on the first slider of each lever, by lever.

    A lever that is off is switched on first; afterwards the page is reset to the baseline.
    """
    page.add_script_tag(content=_WATCH)
    for group in page.locator("details.srdi-group:not([open]) > summary").all()[::-1]:
        group.click()
    return {lever: _measure_lever(page, lever, moves) for lever in levers}


def _measure_lever(page: Page, lever: str, moves: int) -> list[Latency]:
    item = page.locator(f'[data-item="levers.{lever}"]')
    switch = item.locator("input[role=switch]")
    if not switch.is_checked():
        shown = answer_number(page)
        switch.check(force=True)
        wait_for_answer(page, after=shown)
    control = item.locator("input[type=range]").first
    control.focus()
    latencies = []
    for _ in range(moves):
        # Without a pause between moves, the ensemble does not start.
        watch = page.evaluate_handle("(input) => ({ done: window.srdiWatch(input) })", control.element_handle())
        # To the left, because some sliders are at their maximum.
        page.keyboard.press("ArrowLeft")
        shown_after = watch.evaluate("(watch) => watch.done")
        latencies.append(Latency(*(shown_after[name] for name in ("first", "all", "whole"))))
    shown = answer_number(page)
    page.get_by_role("button", name=Words("en")("policy.reset"), exact=True).click()
    wait_for_answer(page, after=shown)
    return latencies


def summarise(latency: Mapping[str, Sequence[Latency]], starts: Mapping[str, str]) -> dict:
    """Medians and 95 % quantiles over all moves.

    Args:
        latency: moves by lever. starts: first quarter of each lever.

    Returns:
        median_ms and p95_ms with the prefixes of LATENCIES, and levers: lever, start and medians of each, the fastest
        first.
    """
    prefixes = [prefix for prefix, *_ in LATENCIES]

    def medians(moves: Sequence[Latency]) -> dict[str, float]:
        found = np.median(moves, axis=0).tolist()
        return {f"{prefix}median_ms": median for prefix, median in zip(prefixes, found, strict=True)}

    moves = [move for lever in latency for move in latency[lever]]
    p95 = np.quantile(moves, 0.95, axis=0).tolist()
    levers = [{"lever": name, "start": starts[name], **medians(moved)} for name, moved in latency.items()]
    return {
        **medians(moves),
        **{f"{prefix}p95_ms": value for prefix, value in zip(prefixes, p95, strict=True)},
        "levers": sorted(levers, key=lambda lever: lever["median_ms"]),
    }


def measure_first_page(chromium_browser: Browser, address: str, times: int) -> np.ndarray:
    """Seconds from opening the address in a new browser context until its charts are painted, float64 (times,)."""
    seconds = []
    for _ in range(times):
        context = chromium_browser.new_context(viewport={"width": 1280, "height": 900})
        page = context.new_page()
        clock = time.perf_counter()
        page.goto(address)
        page.wait_for_function(
            "() => [...document.querySelectorAll('.srdi-chart')].some((c) => c.dataset.version)", timeout=60_000
        )
        seconds.append(time.perf_counter() - clock)
        context.close()
    return np.array(seconds)


def values_of(readers: int) -> list[int]:
    """The value of SETTING for each user: different numbers of clusters per year."""
    return [_FIRST + _STEP * reader for reader in range(readers)]


def measure_readers(chromium_browser: Browser, address: str, readers: int, expected: Callable[[int], str]) -> dict:
    """Many simultaneous users, each with a different setting.

    Args:
        expected: function that gives the expected text of little giants for a number of clusters per year.

    Returns:
        readers, right (pages that show the expected number), last_s (seconds until the last answer) and median_s.
    """
    context = chromium_browser.new_context(viewport={"width": 1280, "height": 900})
    pages = [context.new_page() for _ in range(readers)]
    values = values_of(readers)
    for page in pages:
        page.goto(address)
    for page in pages:
        wait_for_answer(page)
    clock = time.perf_counter()
    for page, clusters in zip(pages, values, strict=True):
        control = page.locator(f'[data-key="{SETTING}"] input[type=number]')
        control.fill(str(clusters))
        control.press("Enter")
    right, seconds = 0, []
    for page, clusters in zip(pages, values, strict=True):
        text = expected(clusters)
        try:
            page.wait_for_function(
                """(text) => {
                  const value = document.querySelector('[data-quantity="little_giants"] .srdi-value');
                  return value && value.firstChild.textContent.trim() === text;
                }""",
                arg=text,
                timeout=120_000,
            )
            right += 1
        except Exception:
            shown = page.locator('[data-quantity="little_giants"] .srdi-value').inner_text()
            click.echo(f"{clusters} clusters per year: expected {text}, shown {shown}", err=True)
        seconds.append(time.perf_counter() - clock)
    context.close()
    return {"readers": readers, "right": right, "last_s": max(seconds), "median_s": float(np.median(seconds))}


@click.command(cls=Script)
@click.option("--moves", type=click.IntRange(1), default=2, show_default=True, help="Moves per lever.")
@click.option("--readers", type=click.IntRange(0), default=20, show_default=True, help="Number of simultaneous users.")
@click.option("--scale", type=float, default=0.02, show_default=True, help="Simulated firms per real firm.")
@click.option("--out", type=click.Path(path_type=Path), help="JSON file to write.")
def main(moves: int, readers: int, scale: float, out: Path | None) -> None:
    """Measure the page in a browser and print the table."""
    if out:
        refuse_unwritable(out)
    from viz.live.runner import Runner

    runner = Runner(scale=scale, members=2)
    texts = {}
    for clusters in values_of(readers):
        (texts[clusters],) = shown_values(runner, {SETTING: clusters}, ("little_giants",))
    starts = {name: lever.start for name, lever in runner.baseline.policy.levers}
    firms = float(runner.baseline_run(0).tables["national"]["firms"][0]) * scale
    with page_address("--scale", str(scale)) as address, browser() as chromium_browser:
        # Warm up: when the first ensemble is done, the baselines of all members have been run.
        page = chromium_browser.new_page(viewport={"width": 1280, "height": 900})
        page.goto(address)
        wait_for_answer(page, ensemble=True, timeout=180_000)
        first = measure_first_page(chromium_browser, address, 5)
        measure_moves(page, list(starts)[:2], 2)
        latency = measure_moves(page, list(starts), moves)
        many = {}
        if readers:
            many = measure_readers(chromium_browser, address, readers, texts.__getitem__)
    result = {
        "firms_at_start": round(firms),
        "quarters": len(runner.baseline_run(0).tables["national"]["firms"]) - 1,
        "moves": moves,
        **summarise(latency, starts),
        "first_page_s": float(np.median(first)),
        "many": many,
    }
    click.echo(f"simulated firms at the start      {result['firms_at_start']:,} over {result['quarters']} quarters")
    for prefix, name, median, p95 in LATENCIES:
        click.echo(
            f"lever released to {name:<15} median {result[f'{prefix}median_ms']:.0f} ms (target {median:.0f}), "
            f"p95 {result[f'{prefix}p95_ms']:.0f} ms (target {p95:.0f})"
        )
    click.echo(f"                                  {len(latency)} levers, {moves} moves each")
    for each in (result["levers"][0], result["levers"][-1]):
        click.echo(f"{'':34}{each['median_ms']:.0f} ms for {each['lever']}, from {each['start']} on")
    click.echo(f"first page painted                {result['first_page_s']:.2f} s (target {FIRST_S:.0f})")
    if many:
        click.echo(
            f"simultaneous users                {many['right']} of {many['readers']} with the right number, "
            f"the last after {many['last_s']:.1f} s"
        )
    if out:
        write_json(result, out)


if __name__ == "__main__":
    main()
