"""Screenshots of every page for the documentation: ``python -m benchmarks.screenshots docs/screenshots``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import click

from benchmarks.page import browser, page_address
from scenarios.commands.command import Script
from scenarios.records.storage import make_folder
from sim.calendar import START
from viz import LANGUAGES
from viz.app.layout import PAGES
from viz.words.language import Words

if TYPE_CHECKING:
    from playwright.sync_api import Page

#: Query string of the policy that is shown.
_POLICY = "levers.public_services.enabled=true&levers.cluster_recognition.per_year=200"
#: The policies compared: names by language, and what each changes.
_COMPARED = (
    ({"en": "Services", "zh": "公共服务"}, "levers.public_services.enabled=true"),
    ({"en": "Clusters", "zh": "集群"}, "levers.cluster_recognition.per_year=300"),
)
#: Quarters to play in the live model.
_QUARTERS_PLAYED = 24
#: Timeout for all runs, and time for a page to finish drawing, in milliseconds.
_PAGE_TIMEOUT_MS, _SETTLE_MS = 600_000, 2500


def _query(name: str, language: str) -> str:
    if name == "compare":
        return "&".join(f"policy={quote(names[language])}~{quote(change)}" for names, change in _COMPARED)
    return f"{_POLICY}&shown=difference" if name == "map" else _POLICY


def _wait(page: Page, name: str, language: str) -> None:
    """Wait until a page is complete; on the page of the live model, play some quarters first."""
    page.set_default_timeout(_PAGE_TIMEOUT_MS)
    if name == "model":
        for played in range(1, _QUARTERS_PLAYED + 1):
            page.get_by_role("button", name=Words(language)("model.step_button"), exact=True).click()
            page.wait_for_selector(f'[data-quarter="{START + played}"]')
        page.mouse.move(0, 0)
    elif name in ("calibration", "stories"):
        page.wait_for_selector(".srdi-chart, .srdi-lines")
    else:
        page.wait_for_selector('[data-stage="done"]')
    page.wait_for_timeout(_SETTLE_MS)
    # As before printing: charts outside the window are drawn too.
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")


@click.command(cls=Script)
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--scale", type=float, default=0.02, show_default=True, help="Simulated firms per real firm.")
@click.option(
    "--only", multiple=True, type=click.Choice([name for _, name in PAGES]), help="Only this page; repeatable."
)
@click.option(
    "--width", type=click.IntRange(300), default=1280, show_default=True, help="Width of the window, in pixels."
)
@click.option("--dark", is_flag=True, help="Use the dark theme.")
def main(folder: Path, scale: float, only: tuple[str, ...], width: int, dark: bool) -> None:
    """Take a screenshot of every page in both languages; by default, also of the first page dark and narrow."""
    make_folder(folder)
    pages = [(path, name) for path, name in PAGES if not only or name in only]
    views = [(name, name, path, language, width, dark) for path, name in pages for language in LANGUAGES]
    if ("/", "policy") in pages and width == 1280 and not dark:
        views += [("policy-dark", "policy", "/", "zh", 1280, True), ("policy-narrow", "policy", "/", "zh", 400, False)]
    with page_address("--scale", str(scale)) as address, browser() as chromium_browser:
        for file, name, path, language, wide, is_dark in views:
            page = chromium_browser.new_page(viewport={"width": wide, "height": 900})
            query = f"?lang={language}&{_query(name, language)}{'&dark=1' if is_dark else ''}"
            page.goto(address.rstrip("/") + path + query)
            _wait(page, name, language)
            picture = folder / f"{file}-{language}.png"
            page.screenshot(path=picture, full_page=file != "policy-narrow")
            click.echo(picture)
            page.close()


if __name__ == "__main__":
    main()
