"""What visitors held is given back, looked for by weak references in the server, and by its size."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from benchmarks.load import kernels
from benchmarks.page import wait_for_answer
from benchmarks.page_memory import many_visitors
from benchmarks.watch import MemoryWatch
from browser.conftest import MEMBERS, SCALE

pytestmark = [pytest.mark.browser, pytest.mark.slow]
_VISITORS = 3
#: Seconds until a session is gone whose connection is: the server waits for it to come back, then looks for the rest.
_GONE_S = 90.0


@pytest.fixture
def server():
    """A server that tells what it holds, and its address."""
    app = str(Path(__file__).with_name("held_app.py"))
    command = [sys.executable, app, "ui", "--port", "0", "--no-open", "--json", "--scale", SCALE, "--members", MEMBERS]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, **pipes, text=True) as process:
        try:
            yield process, json.loads(process.stdout.readline())["address"]
        finally:
            process.terminate()


def held(process):
    """How many of each kind were made, and how many are left."""
    process.stdin.write("\n")
    process.stdin.flush()
    pairs = (each.split("=") for each in process.stdout.readline().split())
    return {name: tuple(map(int, counts.split(","))) for name, counts in pairs}


def wait_until_gone(process, address):
    end = time.monotonic() + _GONE_S
    while any(left for _, left in held(process).values()) or kernels(address):
        assert time.monotonic() < end, (held(process), kernels(address))
        time.sleep(0.5)


@pytest.mark.parametrize("dropped", [False, True], ids=["tab closed", "connection lost"])
def test_visitors_leave_nothing_behind(chromium, server, dropped):
    process, address = server
    for _ in many_visitors(chromium, address, _VISITORS, dropped, 0.0):
        pass
    # On pages that read and draw in threads of their own, and one who leaves while the ensemble is run.
    more = {
        "model": "[data-quarter]",
        "data": ".srdi-raw table",
        "?levers.cluster_recognition.per_year=700": ".srdi-chart",
    }
    for path, drawn in more.items():
        page = chromium.new_context().new_page()
        page.goto(address + path)
        page.wait_for_selector(drawn, timeout=60_000)
        if not dropped:
            page.goto("about:blank")
        page.context.close()
    made = held(process)
    assert made["Session"][0] == _VISITORS + len(more)
    assert made["Answer"][0] >= 2 * _VISITORS
    assert made["LiveModel"][0] >= 1
    wait_until_gone(process, address)


def test_the_server_does_not_grow(chromium, server):
    process, address = server
    watch, sizes = MemoryWatch(process.pid), []
    for _ in many_visitors(chromium, address, _VISITORS, False, 0.0):
        wait_until_gone(process, address)
        sizes.append(watch.now())
    watch.close()
    assert sizes[-1] <= 1.1 * sizes[2]


def test_who_leaves_at_once_leaves_no_run(chromium, server):
    process, address = server
    for number in range(5):
        page = chromium.new_context().new_page()
        page.goto(f"{address}?levers.cluster_recognition.per_year={200 + number}", wait_until="commit")
        page.wait_for_timeout(300 * number)
        page.goto("about:blank")
        page.context.close()
    wait_until_gone(process, address)
    page = chromium.new_page()
    page.goto(address)
    wait_for_answer(page)
    page.close()
