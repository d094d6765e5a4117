"""Accessibility of every page, checked by axe-core in a browser: ``python -m benchmarks.access`` prints the table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from benchmarks.page import browser, page_address
from scenarios.commands.command import Script
from viz import LANGUAGES
from viz.app.layout import PAGES

if TYPE_CHECKING:
    from playwright.sync_api import Page

#: Widths of the window in CSS pixels: a phone, and a small laptop.
WIDTHS = (400, 1280)
#: Options of axe-core: all its rules that are on by default, best practices included, and the size of targets.
_OPTIONS = {"rules": {"target-size": {"enabled": True}}}
#: Least width and height of what can be pressed, in CSS pixels (WCAG 2.2, 2.5.8).
LEAST_TARGET = 24
#: Script that lists what can be pressed and is smaller than a size; links within text are exempt. A field within its
#: label is as large as the label, and one of a table's row as its line.
_SMALL = """(least) => {
  const shown = (node) => node.checkVisibility({ checkOpacity: false, checkVisibilityCSS: true });
  const all = 'a[href], button, input, select, summary, [role=button], [tabindex="0"]';
  return [...document.querySelectorAll(all)]
    .filter((node) => node.closest('.srdi-page') && shown(node))
    .filter((node) => !(node.matches('p a, td a, li a') && getComputedStyle(node).display === 'inline'))
    .map((node) => [node, (node.matches('input') && node.closest('label')) || node])
    .filter(([, area]) => !area.closest('.srdi-sr, .srdi-skip'))
    .map(([node, area]) => [node, area.getBoundingClientRect()])
    .filter(([, { width, height }]) => width > 0 && (width < least - 0.5 || height < least - 0.5))
    .map(([node, { width, height }]) =>
      `${Math.round(width)} x ${Math.round(height)}: ${node.outerHTML.slice(0, 150)}`);
}"""
#: Elements that show that a page is drawn, by page; on the others a chart with its numbers.
_DRAWN = {"stories": ".srdi-lines", "model": ".srdi-main img", "data": ".srdi-main table"}


@dataclass(frozen=True)
class Checked:
    """What axe-core found on a page.

    Attributes:
        passed: rules that hold. unsure: rules it cannot decide. violations: one line for each rule that is violated.
    """

    passed: int
    unsure: tuple[str, ...]
    violations: tuple[str, ...]


def check(page: Page) -> Checked:
    """Run axe-core on a page as it is."""
    from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]

    response = Axe().run(page, options=_OPTIONS).response
    violations = tuple(
        f"{each['id']} ({each['impact']}), {len(each['nodes'])} times, such as {each['nodes'][0]['html'][:200]}"
        for each in response["violations"]
    )
    return Checked(len(response["passes"]), tuple(each["id"] for each in response["incomplete"]), violations)


def small_targets(page: Page) -> list[str]:
    """Size and markup of everything that can be pressed and is smaller than LEAST_TARGET."""
    return page.evaluate(_SMALL, LEAST_TARGET)


def draw_all(page: Page, name: str) -> None:
    """Wait until a page is drawn, outside the window too, and unfold the groups of levers."""
    if name in _DRAWN:
        page.wait_for_selector(_DRAWN[name])
    else:
        page.wait_for_selector(".srdi-main .srdi-chart")
        # Asked again and again: a chart that comes after the event would wait until it is in the window.
        page.wait_for_function(
            """() => {
              window.dispatchEvent(new Event('beforeprint'));
              return [...document.querySelectorAll('.srdi-main .srdi-chart')].every((chart) => chart.dataset.version);
            }""",
            polling=250,
        )
    for group in page.locator("details.srdi-group:not([open]) > summary").all()[::-1]:
        group.click()


#: A policy, and one kept for comparison, so that no page is empty.
POLICY = "levers.public_services.enabled=true&policy=Clusters~levers.cluster_recognition.per_year%3D300"


@click.command(cls=Script)
@click.option("--scale", type=float, default=0.002, show_default=True, help="Simulated firms per real firm.")
@click.option(
    "--page", "pages", type=click.Choice([name for _, name in PAGES]), multiple=True, help="Only these pages."
)
@click.option("--width", "widths", type=int, multiple=True, default=WIDTHS, show_default=True, help="Of the window.")
def main(scale: float, pages: Sequence[str], widths: Sequence[int]) -> None:
    """Check every page in both languages, light and dark, and print the table."""
    failed = 0
    click.echo(f"{'page':<12} {'language':<8} {'width':>5} {'theme':<5} {'hold':>4} {'undecided':>9} {'violated':>8}")
    with page_address("--scale", str(scale), "--members", "3") as address, browser() as chromium_browser:
        for path, name in [each for each in PAGES if not pages or each[1] in pages]:
            for language in LANGUAGES:
                for theme in ("light", "dark"):
                    # Drawn at a width at which levers are in sight.
                    page = chromium_browser.new_page(viewport={"width": max(*widths, *WIDTHS), "height": 900})
                    page.set_default_timeout(180_000)
                    page.goto(f"{address.rstrip('/')}{path}?lang={language}&dark={int(theme == 'dark')}&{POLICY}")
                    draw_all(page, name)
                    for width in sorted(widths, reverse=True):
                        page.set_viewport_size({"width": width, "height": 900})
                        found = check(page)
                        failed += len(found.violations)
                        click.echo(
                            f"{name:<12} {language:<8} {width:>5} {theme:<5} {found.passed:>4} "
                            f"{len(found.unsure):>9} {len(found.violations):>8}"
                        )
                        for line in found.violations:
                            click.echo(f"    {line}")
                    page.close()
    if failed:
        raise click.ClickException(f"{failed} violations")


if __name__ == "__main__":
    main()
