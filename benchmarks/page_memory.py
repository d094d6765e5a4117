"""Memory of the page's server.

``python -m benchmarks.page_memory`` tells it as one reader makes the server do more and more; with ``--visitors 12``
as one reader after another comes, looks at a policy nobody else has until its ensemble is done, and leaves.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from benchmarks.load import kernels
from benchmarks.page import SETTING, browser, server, wait_for_answer
from benchmarks.watch import Watch
from scenarios.commands.command import Script
from scenarios.commands.options import json_option, last_line
from viz.app.address import MOST_SAVED
from viz.words.language import Words

if TYPE_CHECKING:
    from playwright.sync_api import Browser

#: The policy looked at, and those compared: as many as a reader may keep.
_POLICY = "levers.public_services.enabled=true&levers.cluster_recognition.per_year=200"
_COMPARED = "&".join(
    f"policy=P{number}~levers.cluster_recognition.per_year%3D{100 + 50 * number}" for number in range(1, MOST_SAVED + 1)
)
#: Milliseconds a page is given.
_PATIENCE = 1_800_000
#: Times its size after the second visitor that the server may have after the last.
MOST_GROWTH = 1.2


@click.command(cls=Script)
@click.option("--scale", type=float, default=0.02, show_default=True, help="Simulated firms per real firm.")
@click.option("--members", type=click.IntRange(2, 100), default=12, show_default=True, help="Runs of an ensemble.")
@click.option("--visitors", type=click.IntRange(3), help="Readers one after another, in place of one who does it all.")
@click.option("--dropped", is_flag=True, help="Their connection ends without a word, as where a machine is lost.")
@click.option("--settle", type=float, default=5.0, show_default=True, help="Seconds from one visitor to the next.")
@json_option
def main(scale: float, members: int, visitors: int | None, dropped: bool, settle: float, as_json: bool) -> None:
    """Print what the server holds after each step of a reader, and the most it held on the way, in MB."""
    arguments = ("--scale", str(scale), "--members", str(members))
    with server(*arguments) as (pid, address), browser() as started:
        watch = Watch(pid)
        steps = (
            one_reader(started, address, members)
            if visitors is None
            else many_visitors(started, address, visitors, dropped, settle)
        )
        click.echo(f"{f'scale {scale:g}, {members} members':<44}{'MB':>8}{'most':>8}", err=as_json)
        held = []
        for step in steps:
            held.append(watch.now() / 1e6)
            click.echo(f"{step:<44}{held[-1]:8,.0f}{watch.most() / 1e6:8,.0f}", err=as_json)
        watch.close()
    if visitors is None:
        return
    growth = held[-1] / held[2]
    met = "met" if growth <= MOST_GROWTH else "MISSED"
    click.echo(f"after the last over after the second: {growth:.3f} (allowed {MOST_GROWTH}) {met}", err=as_json)
    if as_json:
        last_line({"mb": held, "growth": growth})


def one_reader(started: Browser, address: str, members: int) -> Iterator[str]:
    """What one reader does, step by step; gives each step once it is done."""
    words = Words("en")
    yield "first page can be read"
    page = started.new_page()
    page.set_default_timeout(_PATIENCE)
    page.goto(address)
    wait_for_answer(page, ensemble=True, timeout=_PATIENCE)
    yield "every member's baseline"
    page.goto(f"{address}?{_POLICY}")
    wait_for_answer(page, ensemble=True, timeout=_PATIENCE)
    yield "the ensemble of a policy"
    page.goto(f"{address}data?{_POLICY}")
    page.wait_for_selector('[data-stage="done"]')
    with page.expect_download():
        page.get_by_role("button", name=words("data.bundle")).click()
    yield "its tables as one file"
    page.goto(f"{address}compare?{_COMPARED}")
    page.get_by_text(words("compare.status_done", of=members, done=members)).wait_for()
    yield f"{MOST_SAVED} policies compared"


def many_visitors(started: Browser, address: str, visitors: int, dropped: bool, settle: float) -> Iterator[str]:
    """Readers one after another, each in a browser context and with a policy of its own.

    Args:
        dropped: whether they are gone without a word, else they close their tab. settle: seconds after each.
    """
    yield "first page can be read"
    for number in range(1, visitors + 1):
        context = started.new_context()
        page = context.new_page()
        page.set_default_timeout(_PATIENCE)
        page.goto(f"{address}?{SETTING}={100 + number}")
        wait_for_answer(page, ensemble=True, timeout=_PATIENCE)
        if not dropped:
            page.goto("about:blank")  # as a tab that is closed says good-bye; a context that is closed does not
        context.close()
        time.sleep(settle)
        yield f"visitor {number}; sessions held: {kernels(address)}"


if __name__ == "__main__":
    main()
