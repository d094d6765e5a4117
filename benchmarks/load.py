"""The web page under load: many readers at once who move levers for minutes, and what that costs the server.

``python -m benchmarks.load`` starts ``srdi ui`` on a free port of this machine and opens fifty pages of it in Chromium,
each in a browser context of its own, as fifty people would::

    python -m benchmarks.load --sessions 50 --minutes 5

In each page a reader sets a lever, waits for the answer, reads for some seconds and sets it again, to values nobody
else sets. Browser and server share the processors, so that times are worse than those of a server that is alone.
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

from benchmarks.page import SETTING, browser, server, shown_figures, wait_for_answer
from benchmarks.watch import Watch
from scenarios.commands.command import Script
from scenarios.commands.options import json_option, last_line
from viz.live.runner import Runner

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

#: The values of SETTING that each session sets in turn: nobody else sets them.
FIRST, APART, VALUES = 110, 10, (0, 5)
#: Seconds a reader looks at an answer; after how many without an answer it is lost.
PAUSE_S, LOST_S = (3.0, 8.0), 180.0
#: Memory the server may take: of its own, and for every session.
OWN_GB, SESSION_GB = 1.5, 0.02
#: Seconds after the last session before memory is read, and bytes of a GB.
_AFTER_S, _GB = 30.0, 1e9
#: Milliseconds a page is given.
_PATIENCE = 600_000
_QUANTITIES = ("little_giants", "srdi_smes", "counties_with_little_giant", "public_spending_cumulative_yuan")

#: A reader in a page: notes every move in `window.srdiMoves`, and ends when `window.srdiEnd` is set.
_READER = """
window.srdiMoves = [];
window.srdiRead = async ({ lever, values, pause, lost, seed }) => {
  const wait = (seconds) => new Promise((resolve) => setTimeout(resolve, 1000 * seconds));
  const version = () => document.querySelector('.srdi-figures').dataset.version || '0';
  const shown = () => [...document.querySelectorAll('.srdi-value')].map((each) => each.firstChild.textContent.trim());
  let state = seed;
  const luck = () => (state = (16807 * state) % 2147483647) / 2147483647;
  for (let move = 0; ; move += 1) {
    await wait(pause[0] + luck() * (pause[1] - pause[0]));
    if (window.srdiEnd) return;
    const field = document.querySelector(`[data-key="${lever}"] input[type=number]`);
    const note = { value: values[move % values.length], seconds: null, shown: [], intervals: false };
    const before = parseInt(version(), 10);
    const begun = performance.now();
    window.srdiMoves.push(note);
    field.value = String(note.value);
    field.dispatchEvent(new Event('change', { bubbles: true }));
    while (!(parseInt(version(), 10) > before)) {
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
    """What a session sets the lever to, in turn."""
    return [FIRST + APART * session + value for value in VALUES]


def judged(sessions: Sequence[Sequence[dict]], expected: Callable[[int], list[str]]) -> dict:
    """What became of the moves of all sessions.

    Args:
        sessions: moves of each, as `_READER` notes them: value, seconds (None without an answer), shown, intervals.
        expected: texts of the key figures that a value of the lever gives, computed without the page.

    Returns:
        moves, lost (without an answer), checked (all but those that show an ensemble's median by the time they are
        read), wrong (with numbers of another policy), silent (sessions without an answer), median_s and p95_s.
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
    """The key figures of every value of the lever, run here without a page."""
    runner = Runner(scale=scale, members=2)
    return {value: shown_figures(runner, {SETTING: value}, _QUANTITIES) for value in values}


def kernels(address: str) -> int:
    """Sessions the server holds, by its own count."""
    with urllib.request.urlopen(f"{address}resourcez") as answer:
        return json.load(answer)["kernels"]["total"]


def measure(started: Browser, sessions: int, minutes: float, scale: float) -> tuple[list[list[dict]], dict]:
    """Start the page, open the sessions, let them act, and close them.

    Args:
        started: the browser, as `benchmarks.page.browser` gives it.

    Returns:
        Moves of each session, and of the server: gb_before, gb_open, gb_peak, gb_end and gb_after (resident memory),
        gb_by_minute, sessions_after (that it still holds), faults (of scripts and requests in the browser),
        tracebacks (in its log).
    """
    with tempfile.TemporaryFile("w+", encoding="utf-8") as log:
        with server("--scale", str(scale), log=log) as (process, address):
            _run_what_is_shared(started, address)
            watch = Watch(process)
            faults: list[str] = []
            found: dict = {"gb_before": watch.now() / _GB}
            pages = [_opened(started, address, faults) for _ in range(sessions)]
            found["gb_open"] = watch.now() / _GB
            watch.most()  # from here on
            found["gb_by_minute"], moves = _read_for(pages, minutes, watch)
            found["gb_end"] = watch.now() / _GB
            found["gb_peak"] = max(found["gb_open"], watch.most() / _GB)
            watch.close()
            for page in pages:
                page.goto("about:blank")
                page.context.close()
            time.sleep(_AFTER_S)
            found |= {"gb_after": watch.now() / _GB, "sessions_after": kernels(address), "faults": len(faults)}
        log.seek(0)
        found["tracebacks"] = log.read().count("Traceback (most recent call last)")
    return moves, found


def _run_what_is_shared(started: Browser, address: str) -> None:
    """Have every member's baseline run, which all sessions share: it has been when the first ensemble is done."""
    page = started.new_page()
    page.goto(address)
    wait_for_answer(page, ensemble=True, timeout=_PATIENCE)
    page.goto("about:blank")  # as a tab that is closed says good-bye


def _opened(started: Browser, address: str, faults: list[str]) -> Page:
    """A page in a browser context of its own that shows an answer; what goes wrong in it is added to `faults`."""
    page = started.new_context(viewport={"width": 1280, "height": 900}).new_page()
    page.set_default_timeout(_PATIENCE)
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("requestfailed", lambda request: faults.append(request.url))
    page.goto(address)
    wait_for_answer(page, timeout=_PATIENCE)
    page.add_script_tag(content=_READER)
    return page


def _read_for(pages: list[Page], minutes: float, watch: Watch) -> tuple[list[float], list[list[dict]]]:
    """Let the readers of all pages act; the server's memory (GB) at the end of each whole minute, and their moves."""
    for number, page in enumerate(pages):
        plan = {"lever": SETTING, "values": values_of(number), "pause": PAUSE_S, "lost": LOST_S, "seed": number + 1}
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
@click.option("--sessions", type=click.IntRange(1, 100), default=50, show_default=True, help="Readers at once.")
@click.option("--minutes", type=click.FloatRange(0.05), default=5.0, show_default=True, help="How long they act.")
@click.option("--scale", type=float, default=0.02, show_default=True, help="Simulated firms per real firm.")
@json_option
def main(sessions: int, minutes: float, scale: float, as_json: bool) -> None:
    """Measure the page under load and print the table."""
    with browser() as started:
        moves, found = measure(started, sessions, minutes, scale)
    used = sorted({move["value"] for session in moves for move in session})
    expected = expected_texts(scale, used)
    found |= judged(moves, expected.__getitem__)
    most = OWN_GB + SESSION_GB * sessions
    found |= {"sessions": sessions, "minutes": minutes, "scale": scale, "gb_allowed": most}
    found["different_answers"] = len({tuple(texts) for texts in expected.values()})
    rows = [
        ("sessions, minutes", f"{sessions}, {minutes:g}", ""),
        ("moves, answers lost", f"{found['moves']}, {found['lost']}", found["lost"] == 0),
        ("sessions without any answer", str(found["silent"]), found["silent"] == 0),
        (
            "answers checked, with wrong numbers",
            f"{found['checked']}, {found['wrong']} ({found['different_answers']} different ones to {len(used)} values)",
            found["wrong"] == 0,
        ),
        ("move to answer, median and p95", f"{found['median_s']:.1f} s, {found['p95_s']:.1f} s", ""),
        ("memory before the sessions", f"{found['gb_before']:.2f} GB", ""),
        ("memory with all open", f"{found['gb_open']:.2f} GB", ""),
        ("memory by minute", ", ".join(f"{each:.2f}" for each in found["gb_by_minute"]), ""),
        ("most memory", f"{found['gb_peak']:.2f} GB (allowed {most:.1f})", found["gb_peak"] <= most),
        (f"memory {_AFTER_S:.0f} s after the last", f"{found['gb_after']:.2f} GB", ""),
        ("sessions still held then", str(found["sessions_after"]), found["sessions_after"] == 0),
        ("faults in the browser", str(found["faults"]), found["faults"] == 0),
        ("tracebacks in the log", str(found["tracebacks"]), found["tracebacks"] == 0),
    ]
    for name, text, met in rows:
        click.echo(f"{name:38}{text}{'' if met == '' else '  met' if met else '  MISSED'}", err=as_json)
    if as_json:
        last_line(found)


if __name__ == "__main__":
    main()
