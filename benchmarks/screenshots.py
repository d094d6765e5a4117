"""Pictures of every page for the documents: ``python -m benchmarks.screenshots docs/screenshots``."""

from __future__ import annotations

from pathlib import Path

import click

from benchmarks.page import browser, served, wait_for_answer
from viz import LANGUAGES
from viz.app.layout import PAGES

#: What each page shows in its picture, after the question mark.
_POLICY = "levers.public_services.enabled=true&levers.cluster_recognition.per_year=200"
_SHOWN = {
    "map": f"{_POLICY}&shown=change",
    "compare": "&".join(
        (
            "policy=Services~levers.public_services.enabled%3Dtrue",
            "policy=Clusters~levers.cluster_recognition.per_year%3D300",
        )
    ),
}
#: Milliseconds a page is given to draw what it draws last.
_SETTLE = 2500


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--scale", type=float, default=0.02, show_default=True, help="Simulated firms per real firm.")
def main(folder: Path, scale: float) -> None:
    """Take a picture of every page in both languages, and of the first one dark and narrow."""
    folder.mkdir(parents=True, exist_ok=True)
    views = [(name, path, language, 1280, False) for path, name in PAGES for language in LANGUAGES]
    views += [("policy-dark", "/", "zh", 1280, True), ("policy-narrow", "/", "zh", 400, False)]
    with served("--scale", str(scale)) as address, browser() as started:
        for name, path, language, width, dark in views:
            page = started.new_page(viewport={"width": width, "height": 900})
            query = f"?lang={language}&{_SHOWN.get(name, _POLICY)}{'&dark=1' if dark else ''}"
            page.goto(address.rstrip("/") + path + query)
            if name.startswith("policy"):
                wait_for_answer(page, ensemble=True, timeout=300_000)
            page.wait_for_selector(".srdi-main img, .srdi-main table, .srdi-chart[data-version]", timeout=300_000)
            page.wait_for_timeout(_SETTLE)
            file = folder / f"{name}-{language}.png"
            page.screenshot(path=file, full_page=not name.endswith("narrow"))
            click.echo(file)
            page.close()


if __name__ == "__main__":
    main()
