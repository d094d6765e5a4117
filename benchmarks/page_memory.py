"""Memory of the page's server.

``python -m benchmarks.page_memory`` measures it while one user makes the server do more and more; with ``--visitors
12``, while one user after another opens the page, waits for the ensemble of a different policy, and leaves.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from benchmarks.load import kernels
from benchmarks.page import SETTING, browser, server, wait_for_answer
from benchmarks.watch import MemoryWatch
from scenarios.commands.command import Script
from scenarios.commands.options import json_option, print_json
from viz.app.address import MOST_SAVED
from viz.words.language import Words

if TYPE_CHECKING:
    from playwright.sync_api import Browser

#: The policy that is shown, and those that are compared: as many as a user can save.
_POLICY = "levers.public_services.enabled=true&levers.cluster_recognition.per_year=200"
_COMPARED = "&".join(
    f"policy=P{number}~levers.cluster_recognition.per_year%3D{100 + 50 * number}" for number in range(1, MOST_SAVED + 1)
)
#: Timeout of a page, in milliseconds.
_PAGE_TIMEOUT_MS = 1_800_000
#: Largest memory of the server after the last visitor, relative to that after the second.
MAX_GROWTH = 1.2


@click.command(cls=Script)
@click.option("--scale", type=float, default=0.02, show_default=True, help="Simulated firms per real firm.")
@click.option("--members", type=click.IntRange(2, 100), default=12, show_default=True, help="Runs per ensemble.")
@click.option("--visitors", type=click.IntRange(3), help="Number of users, one after another, instead of a single one.")
@click.option(
    "--dropped", is_flag=True, help="Drop their connections without closing the page, as if a machine failed."
)
@click.option("--settle", type=float, default=5.0, show_default=True, help="Seconds between two visitors.")
@json_option
def main(scale: float, members: int, visitors: int | None, dropped: bool, settle: float, as_json: bool) -> None:
    """Print the memory of the server after each step of a user, and its peak during the step, in MB."""
    arguments = ("--scale", str(scale), "--members", str(members))
    with server(*arguments) as (pid, address), browser() as chromium_browser:
        watch = MemoryWatch(pid)
        steps = (
            one_reader(chromium_browser, address, members)
            if visitors is None
            else many_visitors(chromium_browser, address, visitors, dropped, settle)
        )
        click.echo(f"{f'scale {scale:g}, {members} members':<44}{'MB':>8}{'peak':>8}", err=as_json)
        memory_mb = []
        for step in steps:
            memory_mb.append(watch.now() / 1e6)
            click.echo(f"{step:<44}{memory_mb[-1]:8,.0f}{watch.peak() / 1e6:8,.0f}", err=as_json)
        watch.close()
    if visitors is None:
        return
    growth = memory_mb[-1] / memory_mb[2]
    met = "met" if growth <= MAX_GROWTH else "MISSED"
    click.echo(
        f"memory after the last visitor / after the second: {growth:.3f} (limit {MAX_GROWTH}) {met}", err=as_json
    )
    if as_json:
        print_json({"mb": memory_mb, "growth": growth})


def one_reader(chromium_browser: Browser, address: str, members: int) -> Iterator[str]:
    """The steps of one user; yields the name of each step when it is done."""
    words = Words("en")
    yield "server ready"
    page = chromium_browser.new_page()
    page.set_default_timeout(_PAGE_TIMEOUT_MS)
    page.goto(address)
    wait_for_answer(page, ensemble=True, timeout=_PAGE_TIMEOUT_MS)
    yield "every member's baseline"
    page.goto(f"{address}?{_POLICY}")
    wait_for_answer(page, ensemble=True, timeout=_PAGE_TIMEOUT_MS)
    yield "the ensemble of a policy"
    page.goto(f"{address}data?{_POLICY}")
    page.wait_for_selector('[data-stage="done"]')
    with page.expect_download():
        page.get_by_role("button", name=words("data.bundle")).click()
    yield "its tables as one file"
    page.goto(f"{address}compare?{_COMPARED}")
    page.get_by_text(words("compare.status_done", of=members, done=members)).wait_for()
    yield f"{MOST_SAVED} policies compared"


def many_visitors(
    chromium_browser: Browser, address: str, visitors: int, dropped: bool, settle: float
) -> Iterator[str]:
    """Users one after another, each in a separate browser context and with a different policy.

    Args:
        dropped: whether their connection is dropped, instead of closing the tab. settle: seconds to wait after each.
    """
    yield "server ready"
    for number in range(1, visitors + 1):
        context = chromium_browser.new_context()
        page = context.new_page()
        page.set_default_timeout(_PAGE_TIMEOUT_MS)
        page.goto(f"{address}?{SETTING}={100 + number}")
        wait_for_answer(page, ensemble=True, timeout=_PAGE_TIMEOUT_MS)
        if not dropped:
            page.goto("about:blank")  # ends the session, as closing a tab does; closing the context does not
        context.close()
        time.sleep(settle)
        yield f"visitor {number}; open sessions: {kernels(address)}"


if __name__ == "__main__":
    main()
