"""Memory of the page's server, as one reader makes it do more and more: ``python -m benchmarks.page_memory``."""

from __future__ import annotations

import click

from benchmarks.page import browser, server, wait_for_answer
from benchmarks.watch import Watch
from scenarios.command import Script
from viz.app.address import MOST_SAVED
from viz.language import Words

#: The policy looked at, and those compared: as many as a reader may keep.
_POLICY = "levers.public_services.enabled=true&levers.cluster_recognition.per_year=200"
_COMPARED = "&".join(
    f"policy=P{number}~levers.cluster_recognition.per_year%3D{100 + 50 * number}" for number in range(1, MOST_SAVED + 1)
)
#: Milliseconds a page is given.
_PATIENCE = 1_800_000


@click.command(cls=Script)
@click.option("--scale", type=float, default=0.02, show_default=True, help="Simulated firms per real firm.")
@click.option("--members", type=click.IntRange(2, 100), default=12, show_default=True, help="Runs of an ensemble.")
def main(scale: float, members: int) -> None:
    """Print what the server holds after each step of a reader, and the most it held on the way, in MB."""
    words = Words("en")
    arguments = ("--scale", str(scale), "--members", str(members))
    with server(*arguments) as (pid, address), browser() as started:
        watch = Watch(pid)

        def tell(step: str) -> None:
            click.echo(f"{step:<44}{watch.now() / 1e6:8,.0f}{watch.most() / 1e6:8,.0f}")

        click.echo(f"{f'scale {scale:g}, {members} members':<44}{'MB':>8}{'most':>8}")
        tell("first page can be read")
        page = started.new_page()
        page.set_default_timeout(_PATIENCE)
        page.goto(address)
        wait_for_answer(page, ensemble=True, timeout=_PATIENCE)
        tell("every member's baseline")
        page.goto(f"{address}?{_POLICY}")
        wait_for_answer(page, ensemble=True, timeout=_PATIENCE)
        tell("the ensemble of a policy")
        page.goto(f"{address}data?{_POLICY}")
        page.wait_for_selector('[data-stage="done"]')
        with page.expect_download():
            page.get_by_role("button", name=words("data.bundle")).click()
        tell("its tables as one file")
        page.goto(f"{address}compare?{_COMPARED}")
        page.get_by_text(words("compare.status_done", of=members, done=members)).wait_for()
        tell(f"{MOST_SAVED} policies compared")
        watch.close()


if __name__ == "__main__":
    main()
