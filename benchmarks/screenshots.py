"""Pictures of every page for the documents: ``python -m benchmarks.screenshots docs/screenshots``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import click

from benchmarks.page import browser, served
from scenarios.commands.command import Script
from scenarios.records.storage import make_folder
from sim.calendar import START
from viz import LANGUAGES
from viz.app.layout import PAGES

if TYPE_CHECKING:
    from playwright.sync_api import Page

#: What is looked at, after the question mark.
_POLICY = "levers.public_services.enabled=true&levers.cluster_recognition.per_year=200"
#: The policies compared: names by language, and what each changes.
_COMPARED = (
    ({"en": "Services", "zh": "公共服务"}, "levers.public_services.enabled=true"),
    ({"en": "Clusters", "zh": "集群"}, "levers.cluster_recognition.per_year=300"),
)
#: Quarters that the live model has played.
_PLAYED = 24
#: Milliseconds until all runs are made, and those a page is given to draw what it draws last.
_PATIENCE, _SETTLE = 600_000, 2500


def _query(name: str, language: str) -> str:
    if name == "compare":
        return "&".join(f"policy={quote(names[language])}~{quote(change)}" for names, change in _COMPARED)
    return f"{_POLICY}&shown=difference" if name == "map" else _POLICY


def _wait(page: Page, name: str) -> None:
    """Wait until a page shows all it has to show; let the live model play for a while."""
    page.set_default_timeout(_PATIENCE)
    if name == "model":
        for played in range(1, _PLAYED + 1):
            page.get_by_role("button", name="Step", exact=True).click()
            page.wait_for_selector(f'[data-quarter="{START + played}"]')
        page.mouse.move(0, 0)
    elif name == "calibration":
        page.wait_for_selector(".srdi-chart[data-version]")
    else:
        page.wait_for_selector('[data-stage="done"]')
    page.wait_for_timeout(_SETTLE)


@click.command(cls=Script)
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--scale", type=float, default=0.02, show_default=True, help="Simulated firms per real firm.")
@click.option(
    "--only", multiple=True, type=click.Choice([name for _, name in PAGES]), help="Only this page; repeatable."
)
@click.option("--width", type=click.IntRange(300), default=1280, show_default=True, help="Of the window, in pixels.")
@click.option("--dark", is_flag=True, help="In the dark look.")
def main(folder: Path, scale: float, only: tuple[str, ...], width: int, dark: bool) -> None:
    """Take a picture of every page in both languages; in the usual look also of the first one dark and narrow."""
    make_folder(folder)
    shown = [(path, name) for path, name in PAGES if not only or name in only]
    views = [(name, name, path, language, width, dark) for path, name in shown for language in LANGUAGES]
    if ("/", "policy") in shown and width == 1280 and not dark:
        views += [("policy-dark", "policy", "/", "zh", 1280, True), ("policy-narrow", "policy", "/", "zh", 400, False)]
    with served("--scale", str(scale)) as address, browser() as started:
        for file, name, path, language, wide, is_dark in views:
            page = started.new_page(viewport={"width": wide, "height": 900})
            query = f"?lang={language}&{_query(name, language)}{'&dark=1' if is_dark else ''}"
            page.goto(address.rstrip("/") + path + query)
            _wait(page, name)
            picture = folder / f"{file}-{language}.png"
            page.screenshot(path=picture, full_page=file != "policy-narrow")
            click.echo(picture)
            page.close()


if __name__ == "__main__":
    main()
