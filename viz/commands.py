"""The command ``srdi report``, found through the entry-point group ``srdi.commands``.

Only click is imported at once: ``srdi --help`` loads this file.
"""

from __future__ import annotations

from pathlib import Path

import click

from scenarios.options import json_option, last_line
from viz import LANGUAGES


@click.command()
@click.argument("directory", type=click.Path(path_type=Path), metavar="DIR")
@click.option(
    "--baseline", metavar="NAME", help="Scenario the others are read against (default baseline, else the first)."
)
@click.option(
    "--language", type=click.Choice(LANGUAGES), default=LANGUAGES[0], show_default=True, help="Language of the page."
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File to write, replaced if it exists (default DIR/report-LANGUAGE.html).",
)
@json_option
def report(directory, baseline, language, out, as_json) -> None:
    """Write results as one HTML page with figures, tables and caveats, readable without a network.

    \b
    Example:
      srdi report results/first
      srdi report results/first --language zh --out first.html
    """
    from scenarios.results import load_results
    from viz.report import write_report

    path = out or directory / f"report-{language}.html"
    compared = write_report(load_results(directory), path, baseline=baseline, language=language)
    click.echo(path)
    if as_json:
        last_line(
            {
                "out": str(path),
                "language": language,
                "baseline": compared.baseline,
                "scenarios": compared.names,
                "bytes": path.stat().st_size,
            }
        )
