"""How fast the web page answers: levers in a real browser, first page, many readers at once.

``python -m benchmarks.page`` starts ``srdi ui`` on a free port and drives it with Chromium::

    python -m benchmarks.page --moves 2 --readers 20 --out page.json

Every lever of the page is moved, alone beside the baseline. Latency is taken in the browser: from the release of a
lever (the `change` event of its slider) to the animation frame after the last visible chart was painted with the new
run. How long that takes hangs on when the lever starts, since the run before that is the baseline's.
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
from typing import IO, TYPE_CHECKING

import click
import numpy as np

from scenarios.commands.command import Script
from scenarios.records.storage import refuse_unwritable, write_json
from viz.words.language import Words

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

    from viz.live.runner import Runner

#: Milliseconds and seconds asked for.
MEDIAN_MS, P95_MS, FIRST_S = 400.0, 800.0, 3.0
#: The setting of which readers at once choose different values.
SETTING = "levers.cluster_recognition.per_year"
#: Its values where many readers set it: of the first reader, and apart from one to the next.
_FIRST, _APART = 110, 5
#: Seconds a server is given to start or to end.
_STARTED = 120.0
#: Follows the charts: when all that are visible show one version later than `last`, calls back with the time.
_WATCH = """
window.srdiWatch = (input) => new Promise((resolve) => {
  const visible = () => [...document.querySelectorAll('.srdi-chart')].filter((chart) => chart.offsetParent !== null);
  const version = (chart) => parseInt(chart.dataset.version || '-1', 10);
  const last = Math.max(...visible().map(version));
  let released = null;
  input.addEventListener('change', () => { released = performance.now(); }, { once: true, capture: true });
  const look = () => {
    const charts = visible();
    if (released !== null && charts.length && charts.every((chart) => version(chart) > last)) {
      resolve({ milliseconds: performance.now() - released, charts: charts.length });
    } else {
      requestAnimationFrame(look);
    }
  };
  requestAnimationFrame(look);
});
"""


@contextlib.contextmanager
def server(*arguments: str, log: IO[str] | None = None, timeout: float = _STARTED) -> Iterator[tuple[int, str]]:
    """The page, started by ``srdi ui`` on a free port; gives process id and address, and ends it afterwards.

    Args:
        log: file that takes what the server says; its own standard error if None.
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
def served(*arguments: str, timeout: float = _STARTED) -> Iterator[str]:
    """As `server`, with the address alone."""
    with server(*arguments, timeout=timeout) as (_, address):
        yield address


def chromium() -> str:
    """Path of the browser."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        raise click.ClickException("no Chromium was found; on Debian: apt-get install chromium")
    return found


@contextlib.contextmanager
def browser() -> Iterator[Browser]:
    """A headless Chromium driven by Playwright."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        try:
            yield started
        finally:
            started.close()


#: Whether the key figures show an answer with a number above the last one, with intervals if asked.
_ANSWERED = """([last, ensemble]) => {
  const version = document.querySelector('.srdi-figures')?.dataset.version || '';
  return parseInt(version || '0', 10) > last && (!ensemble || version.endsWith('+'));
}"""


def answer_number(page: Page) -> int:
    """Number of the answer the policy page shows; 0 before the first."""
    version = page.evaluate("document.querySelector('.srdi-figures')?.dataset.version || '0'")
    return int(version.rstrip("+"))


def wait_for_answer(page: Page, ensemble: bool = False, after: int = 0, timeout: float = 60_000) -> None:
    """Wait until the policy page shows an answer, or one with intervals, to a wish later than number `after`."""
    page.wait_for_function(_ANSWERED, arg=[after, ensemble], timeout=timeout)


def shown_figures(runner: Runner, settings: Mapping[str, object], quantities: Sequence[str]) -> list[str]:
    """What the English page shows of national quantities at the end of the central run, run here without a page."""
    from viz.app.policies import policy_of
    from viz.live.measures import national
    from viz.shared.units import unit_of

    run, words = runner.run(policy_of(settings).policy, 0), Words("en")
    assert run is not None, "nothing stops it"
    return [words.value(float(national(run, name)[-1]), unit_of(name)) for name in quantities]


def slider(page: Page, key: str) -> Locator:
    """The slider of a setting."""
    return page.locator(f'[data-key="{key}"] input[type=range]')


def measure_moves(page: Page, levers: Sequence[str], moves: int) -> dict[str, list[float]]:
    """Milliseconds from release to paint of `moves` key presses on the first slider of each lever, by lever.

    Every lever is switched on where it is off, and the baseline comes back after it.
    """
    page.add_script_tag(content=_WATCH)
    for group in page.locator("details.srdi-group:not([open]) > summary").all()[::-1]:
        group.click()
    return {lever: _measure_lever(page, lever, moves) for lever in levers}


def _measure_lever(page: Page, lever: str, moves: int) -> list[float]:
    item = page.locator(f'[data-item="levers.{lever}"]')
    switch = item.locator("input[role=switch]")
    if not switch.is_checked():
        shown = answer_number(page)
        switch.check(force=True)
        wait_for_answer(page, after=shown)
    control = item.locator("input[type=range]").first
    control.focus()
    taken = []
    for _ in range(moves):
        # The hand does not rest here: the ensemble has no time to begin.
        watch = page.evaluate_handle("(input) => ({ done: window.srdiWatch(input) })", control.element_handle())
        # To the left, as some sliders stand at their end.
        page.keyboard.press("ArrowLeft")
        taken.append(watch.evaluate("(watch) => watch.done")["milliseconds"])
    shown = answer_number(page)
    page.get_by_role("button", name=Words("en")("policy.reset"), exact=True).click()
    wait_for_answer(page, after=shown)
    return taken


def measure_first_page(started: Browser, address: str, times: int) -> np.ndarray:
    """Seconds from opening the address in a new browser context until its charts are painted, float64 (times,)."""
    seconds = []
    for _ in range(times):
        context = started.new_context(viewport={"width": 1280, "height": 900})
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
    """What each of many readers sets SETTING to: clusters a year, different ones."""
    return [_FIRST + _APART * reader for reader in range(readers)]


def measure_readers(started: Browser, address: str, readers: int, expected: Callable[[int], str]) -> dict:
    """Many readers at once, each with a setting of its own.

    Args:
        expected: of a number of clusters a year, the text of little giants the page must show.

    Returns:
        readers, right (pages that show their own number), seconds until the last answer, and the median.
    """
    context = started.new_context(viewport={"width": 1280, "height": 900})
    pages = [context.new_page() for _ in range(readers)]
    wanted = values_of(readers)
    for page in pages:
        page.goto(address)
    for page in pages:
        wait_for_answer(page)
    clock = time.perf_counter()
    for page, clusters in zip(pages, wanted, strict=True):
        control = page.locator(f'[data-key="{SETTING}"] input[type=number]')
        control.fill(str(clusters))
        control.press("Enter")
    right, seconds = 0, []
    for page, clusters in zip(pages, wanted, strict=True):
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
            click.echo(f"{clusters} clusters a year: expected {text}, shown {shown}", err=True)
        seconds.append(time.perf_counter() - clock)
    context.close()
    return {"readers": readers, "right": right, "last_s": max(seconds), "median_s": float(np.median(seconds))}


@click.command(cls=Script)
@click.option("--moves", type=click.IntRange(1), default=2, show_default=True, help="Moves of each lever.")
@click.option("--readers", type=click.IntRange(0), default=20, show_default=True, help="Readers at once.")
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
        (texts[clusters],) = shown_figures(runner, {SETTING: clusters}, ("little_giants",))
    starts = {name: lever.start for name, lever in runner.baseline.policy.levers}
    firms = float(runner.baseline_run(0).tables["national"]["firms"][0]) * scale
    with served("--scale", str(scale)) as address, browser() as started:
        # Warm: every member's baseline has been run when the first ensemble is done.
        page = started.new_page(viewport={"width": 1280, "height": 900})
        page.goto(address)
        wait_for_answer(page, ensemble=True, timeout=180_000)
        first = measure_first_page(started, address, 5)
        measure_moves(page, list(starts)[:2], 2)
        latency = measure_moves(page, list(starts), moves)
        many = {}
        if readers:
            many = measure_readers(started, address, readers, texts.__getitem__)
    by_lever = [
        {"lever": name, "start": starts[name], "median_ms": float(np.median(taken))}
        for name, taken in sorted(latency.items(), key=lambda each: np.median(each[1]))
    ]
    found = {
        "firms_at_start": round(firms),
        "quarters": len(runner.baseline_run(0).tables["national"]["firms"]) - 1,
        "moves": moves,
        "median_ms": float(np.median(list(latency.values()))),
        "p95_ms": float(np.quantile(list(latency.values()), 0.95)),
        "levers": by_lever,
        "first_page_s": float(np.median(first)),
        "many": many,
    }
    click.echo(f"simulated firms at the start      {found['firms_at_start']:,} over {found['quarters']} quarters")
    click.echo(f"lever released to charts painted  median {found['median_ms']:.0f} ms (asked {MEDIAN_MS:.0f})")
    click.echo(f"                                  p95 {found['p95_ms']:.0f} ms (asked {P95_MS:.0f})")
    click.echo(f"                                  {len(latency)} levers, {moves} moves each")
    for each in (by_lever[0], by_lever[-1]):
        click.echo(f"{'':34}{each['median_ms']:.0f} ms for {each['lever']}, from {each['start']} on")
    click.echo(f"first page painted                {found['first_page_s']:.2f} s (asked {FIRST_S:.0f})")
    if many:
        click.echo(
            f"readers at once                   {many['right']} of {many['readers']} with their own number, "
            f"the last after {many['last_s']:.1f} s"
        )
    if out:
        write_json(found, out)


if __name__ == "__main__":
    main()
