"""Load test of the web page: many users who move levers at the same time, and the memory of the server.

``python -m benchmarks.load`` starts ``srdi ui`` on a free port of this machine and opens fifty pages of it in Chromium,
each in its own browser context, like fifty users::

    python -m benchmarks.load --sessions 50 --minutes 5

In each page, a script sets a lever, waits for the answer, pauses for some seconds and sets it again, to values that no
other page sets. Browser and server share the processors, so times are longer than on a server of its own.
"""

from __future__ import annotations

import json
import math
import tempfile
import time
import urllib.request
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import click
import numpy as np

from benchmarks.page import SETTING, browser, server, shown_values, wait_for_answer
from benchmarks.watch import MemoryWatch
from scenarios.commands.command import Script
from scenarios.commands.options import json_option, print_json
from viz.live.runner import Runner
from viz.shared.quantities import ANSWER

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

#: The values of SETTING that each session sets in turn; no other session sets them.
FIRST, STEP, VALUES = 110, 10, (0, 5)
#: Range of the pause after an answer, and the time without an answer after which it counts as lost, in seconds.
PAUSE_S, TIMEOUT_S = (3.0, 8.0), 180.0
#: Memory the server may use: in total, and for each session.
BASE_GB, SESSION_GB = 1.5, 0.02
#: Seconds between the last session and the measurement of memory, and bytes per GB.
_AFTER_S, _GB = 30.0, 1e9
#: Timeout of a page, in milliseconds.
_PAGE_TIMEOUT_MS = 600_000

#: Script of a user in a page: records every move in `window.srdiMoves`, and ends when `window.srdiEnd` is set.
_READER = """
window.srdiMoves = [];
window.srdiRead = async ({ lever, values, pause, lost, seed }) => {
  const wait = (seconds) => new Promise((resolve) => setTimeout(resolve, 1000 * seconds));
  const version = () => document.querySelector('.srdi-key-numbers').dataset.version || '0';
  const shown = () => [...document.querySelectorAll('.srdi-value')].map((each) => each.firstChild.textContent.trim());
  let state = seed;
  const random = () => (state = (16807 * state) % 2147483647) / 2147483647;
  for (let move = 0; ; move += 1) {
    await wait(pause[0] + random() * (pause[1] - pause[0]));
    if (window.srdiEnd) return;
    const field = document.querySelector(`[data-key="${lever}"] input[type=number]`);
    const note = { value: values[move % values.length], seconds: null, shown: [], intervals: false };
    const before = parseInt(version(), 10);
    const begun = performance.now();
    window.srdiMoves.push(note);
    field.value = String(note.value);
    field.dispatchEvent(new Event('change', { bubbles: true }));
    // A part of an answer is marked with ~; until the whole one, the key values are those before the move.
    while (!(parseInt(version(), 10) > before) || version().endsWith('~')) {
      if (performance.now() - begun > 1000 * lost) return;
      await wait(0.02);
    }
    note.seconds = (performance.now() - begun) / 1000;
    note.shown = shown();
    note.intervals = version().endsWith('+');
  }
};
"""


def values_of(session: int) -> list[int]:
    """The values to which a session sets the lever, in turn."""
    return [FIRST + STEP * session + value for value in VALUES]


def summarise_moves(sessions: Sequence[Sequence[dict]], expected: Callable[[int], list[str]]) -> dict:
    """Summary of the moves of all sessions.

    Args:
        sessions: moves of each session, as recorded by `_READER`: value, seconds (None without an answer), shown,
            intervals.
        expected: function that gives the texts of the key values for a lever setting, computed without the page.

    Returns:
        moves, lost (without an answer), checked (all answers except those that already showed the median of an
        ensemble), wrong (with numbers of another policy), silent (sessions without an answer), median_s and p95_s.
    """
    moves = [move for session in sessions for move in session]
    answered = [move for move in moves if move["seconds"] is not None]
    checked = [move for move in answered if not move["intervals"]]
    seconds = [move["seconds"] for move in answered] or [np.nan]
    return {
        "moves": len(moves),
        "lost": len(moves) - len(answered),
        "checked": len(checked),
        "wrong": sum(move["shown"] != expected(move["value"]) for move in checked),
        "silent": sum(all(move["seconds"] is None for move in session) for session in sessions),
        "median_s": float(np.median(seconds)),
        "p95_s": float(np.quantile(seconds, 0.95)),
    }


def expected_texts(scale: float, values: Sequence[int]) -> dict[int, list[str]]:
    """The key values for every setting of the lever, computed here without a page."""
    runner = Runner(scale=scale, members=2)
    return {value: shown_values(runner, {SETTING: value}, ANSWER) for value in values}


def kernels(address: str) -> int:
    """Number of sessions of the server, as reported by the server."""
    with urllib.request.urlopen(f"{address}resourcez") as answer:
        return json.load(answer)["kernels"]["total"]


def measure(chromium_browser: Browser, sessions: int, minutes: float, scale: float) -> tuple[list[list[dict]], dict]:
    """Start the page, open the sessions, run them, and close them.

    Args:
        chromium_browser: the browser from `benchmarks.page.browser`.

    Returns:
        Moves of each session, and measurements of the server: gb_before, gb_open, gb_peak, gb_end and gb_after
        (resident memory), gb_by_minute, sessions_after (that are still open), faults (of scripts and requests in the
        browser), tracebacks (in its log).
    """
    with tempfile.TemporaryFile("w+", encoding="utf-8") as log:
        with server("--scale", str(scale), log=log) as (process, address):
            _run_shared_baselines(chromium_browser, address)
            watch = MemoryWatch(process)
            faults: list[str] = []
            result: dict = {"gb_before": watch.now() / _GB}
            pages = [_open_page(chromium_browser, address, faults) for _ in range(sessions)]
            result["gb_open"] = watch.now() / _GB
            watch.peak()  # reset the peak
            result["gb_by_minute"], moves = _run_readers(pages, minutes, watch)
            result["gb_end"] = watch.now() / _GB
            result["gb_peak"] = max(result["gb_open"], watch.peak() / _GB)
            watch.close()
            for page in pages:
                page.goto("about:blank")
                page.context.close()
            time.sleep(_AFTER_S)
            result |= {"gb_after": watch.now() / _GB, "sessions_after": kernels(address), "faults": len(faults)}
        log.seek(0)
        result["tracebacks"] = log.read().count("Traceback (most recent call last)")
    return moves, result


def _run_shared_baselines(chromium_browser: Browser, address: str) -> None:
    """Run the baselines of all members, which the sessions share: they are done when the first ensemble is done."""
    page = chromium_browser.new_page()
    page.goto(address)
    wait_for_answer(page, ensemble=True, timeout=_PAGE_TIMEOUT_MS)
    page.goto("about:blank")  # closes the session, as closing a tab does


def _open_page(chromium_browser: Browser, address: str, faults: list[str]) -> Page:
    """A page in its own browser context that shows an answer; its errors are added to `faults`."""
    page = chromium_browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
    page.set_default_timeout(_PAGE_TIMEOUT_MS)
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("requestfailed", lambda request: faults.append(request.url))
    page.goto(address)
    wait_for_answer(page, timeout=_PAGE_TIMEOUT_MS)
    page.add_script_tag(content=_READER)
    return page


def _run_readers(pages: list[Page], minutes: float, watch: MemoryWatch) -> tuple[list[float], list[list[dict]]]:
    """Run the users of all pages; returns the server's memory (GB) after each whole minute, and the moves."""
    for number, page in enumerate(pages):
        plan = {"lever": SETTING, "values": values_of(number), "pause": PAUSE_S, "lost": TIMEOUT_S, "seed": number + 1}
        page.evaluate("(plan) => { window.srdiDone = window.srdiRead(plan); }", plan)
    by_minute = []
    for minute in range(math.ceil(minutes)):
        pages[0].wait_for_timeout(60_000 * min(minutes - minute, 1.0))
        if minute + 1 <= minutes:
            by_minute.append(watch.now() / _GB)
    for page in pages:
        page.evaluate("window.srdiEnd = true")
    moves = []
    for page in pages:
        page.evaluate("window.srdiDone")
        moves.append(page.evaluate("window.srdiMoves"))
    return by_minute, moves


@click.command(cls=Script)
@click.option(
    "--sessions", type=click.IntRange(1, 100), default=50, show_default=True, help="Number of simultaneous users."
)
@click.option("--minutes", type=click.FloatRange(0.05), default=5.0, show_default=True, help="Duration.")
@click.option("--scale", type=float, default=0.02, show_default=True, help="Simulated firms per real firm.")
@json_option
def main(sessions: int, minutes: float, scale: float, as_json: bool) -> None:
    """Measure the page under load and print the table."""
    with browser() as chromium_browser:
        moves, result = measure(chromium_browser, sessions, minutes, scale)
    used = sorted({move["value"] for session in moves for move in session})
    expected = expected_texts(scale, used)
    result |= summarise_moves(moves, expected.__getitem__)
    allowed_gb = BASE_GB + SESSION_GB * sessions
    result |= {"sessions": sessions, "minutes": minutes, "scale": scale, "gb_allowed": allowed_gb}
    result["different_answers"] = len({tuple(texts) for texts in expected.values()})
    rows = [
        ("sessions, minutes", f"{sessions}, {minutes:g}", ""),
        ("moves, answers lost", f"{result['moves']}, {result['lost']}", result["lost"] == 0),
        ("sessions without any answer", str(result["silent"]), result["silent"] == 0),
        (
            "answers checked, with wrong numbers",
            f"{result['checked']}, {result['wrong']} ({result['different_answers']} different, {len(used)} values)",
            result["wrong"] == 0,
        ),
        ("move to answer, median and p95", f"{result['median_s']:.1f} s, {result['p95_s']:.1f} s", ""),
        ("memory before the sessions", f"{result['gb_before']:.2f} GB", ""),
        ("memory with all sessions open", f"{result['gb_open']:.2f} GB", ""),
        ("memory by minute", ", ".join(f"{each:.2f}" for each in result["gb_by_minute"]), ""),
        ("peak memory", f"{result['gb_peak']:.2f} GB (allowed {allowed_gb:.1f})", result["gb_peak"] <= allowed_gb),
        (f"memory {_AFTER_S:.0f} s after the last", f"{result['gb_after']:.2f} GB", ""),
        ("sessions still open then", str(result["sessions_after"]), result["sessions_after"] == 0),
        ("errors in the browser", str(result["faults"]), result["faults"] == 0),
        ("tracebacks in the log", str(result["tracebacks"]), result["tracebacks"] == 0),
    ]
    for name, text, met in rows:
        click.echo(f"{name:38}{text}{'' if met == '' else '  met' if met else '  MISSED'}", err=as_json)
    if as_json:
        print_json(result)


if __name__ == "__main__":
    main()
