"""The commands ``srdi report``, ``srdi brief`` and ``srdi ui``, found through the entry-point group ``srdi.commands``.

Only click is imported at once: ``srdi --help`` loads this file.
"""

from __future__ import annotations

from pathlib import Path

import click

from scenarios.commands.command import echo
from scenarios.commands.options import Names, directory_argument, json_option, print_json
from viz import LANGUAGES


@click.command()
@directory_argument
@click.option(
    "--baseline", metavar="NAME", help="Scenario the others are compared with (default: baseline, or else the first)."
)
@click.option(
    "--language", type=Names(LANGUAGES), default=LANGUAGES[0], show_default=True, help="Language of the page."
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File to write, replaced if it exists (default DIR/report-LANGUAGE.html).",
)
@json_option
def report(directory: Path, baseline: str | None, language: str, out: Path | None, as_json: bool) -> None:
    """Write results as one HTML page with figures, tables and caveats, readable without a network.

    DIR is a results directory, or that of srdi equal-money or target. Answers of srdi additionality --keep, decompose,
    equal-money and target that lie in it have a section each. If the command made the runs, its baseline is the
    default.

    \b
    Example:
      srdi report results/first
      srdi report results/first --language zh --out first.html
    """
    from scenarios.records.results import load_results
    from scenarios.search.answers import load_answers
    from viz.report.document import write_report

    path = out or directory / f"report-{language}.html"
    answers = load_answers(directory)
    results = load_results(answers.runs)
    compared = write_report(results, path, baseline=baseline, language=language, answers=answers)
    echo(path)
    if as_json:
        print_json(
            {
                "out": str(path),
                "language": language,
                "baseline": compared.baseline,
                "scenarios": compared.names,
                "bytes": path.stat().st_size,
            }
        )


@click.command()
@directory_argument
@click.option("--scenario", metavar="NAME", help="Scenario the note is about (default: the only one besides).")
@click.option("--baseline", metavar="NAME", help="Scenario it is compared with (default: baseline, or else the first).")
@click.option(
    "--language", type=Names(LANGUAGES), default=LANGUAGES[0], show_default=True, help="Language of the note."
)
@click.option(
    "--format", "form", type=Names(("pdf", "html")), help="Form of the note (default: as --out ends, or else pdf)."
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File to write, replaced if it exists (default DIR/brief-LANGUAGE.pdf).",
)
@json_option
def brief(
    *,
    directory: Path,
    scenario: str | None,
    baseline: str | None,
    language: str,
    form: str | None,
    out: Path | None,
    as_json: bool,
) -> None:
    """Write a note of one page on a scenario: what it changes, for whom, at what cost, and how sure that is.

    It has the question, four numbers, a figure, who gains, what it costs, how sure that is and what is assumed. Numbers
    are rounded to what their range supports: 10 to 90 % of the pairs of runs. DIR is a results directory, or that of
    srdi equal-money or target: then the note says which policy is better for the same money, or what reaches the target
    at what least cost. PDF needs the extra pdf and the libraries of Pango; HTML needs neither.

    \b
    Example:
      srdi brief results/first
      srdi brief results/worth --scenario awards-doubled --language zh --out note.pdf
      srdi brief results/worth --baseline no-policy --scenario baseline --format html
      srdi brief results/money --language zh
    """
    from scenarios.errors import InputError
    from viz.report.brief import load_for_brief, write_brief

    path = out or directory / f"brief-{language}.{form or 'pdf'}"
    if form and path.suffix.lower() != f".{form}":
        raise InputError(f"--out is {path}: with --format {form} it must end in .{form}")
    results, answers = load_for_brief(directory)
    written = write_brief(results, path, baseline=baseline, scenario=scenario, language=language, answers=answers)
    echo(path)
    if as_json:
        print_json(
            {
                "out": str(path),
                "language": language,
                **written.about,
                "bytes": path.stat().st_size,
                "numbers": written.records(),
            }
        )


@click.command()
@click.argument("directories", type=click.Path(path_type=Path), nargs=-1, metavar="[DIR]...")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on; 0.0.0.0 for all.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8765, show_default=True, help="Port; 0 takes any free one."
)
@click.option("--scale", type=float, default=0.02, show_default=True, help="Simulated firms per real firm.")
@click.option(
    "--members", type=click.IntRange(2, 100), default=12, show_default=True, help="Runs that intervals are based on."
)
@click.option(
    "--validation",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Directory of srdi validate to show, its score included (default: the validation of the package).",
)
@click.option(
    "--root-path",
    envvar="SOLARA_ROOT_PATH",
    show_envvar=True,
    default="",
    metavar="PATH",
    help="Path below which a proxy publishes the page, such as /model.",
)
@click.option("--open/--no-open", "open_browser", default=None, help="Open a browser (default: if on a terminal).")
@json_option
def ui(
    *,
    directories: tuple[Path, ...],
    host: str,
    port: int,
    scale: float,
    members: int,
    validation: Path | None,
    root_path: str,
    open_browser: bool | None,
    as_json: bool,
) -> None:
    """Serve the web page on this machine: levers, map, chains, comparisons, calibration.

    Results directories named here are offered on the comparison page. The page loads nothing from
    another host. Anyone who can reach the address can run the model; by default only this machine can.

    \b
    Example:
      srdi ui
      srdi ui results/first --port 9000
      srdi ui --root-path /model
    """
    import sys
    from functools import partial

    from scenarios.errors import InputError, require_extra
    from sim.calendar import SCALE_RANGE

    require_extra("srdi ui", "ui", "solara", "altair", "markdown")
    if not SCALE_RANGE[0] <= scale <= 1.0:
        raise InputError(f"--scale is {scale:g}; allowed for the page is {SCALE_RANGE[0]:g} to 1")
    from viz.app.server import serve

    def ready(address: str) -> None:
        click.echo(f"SRDI at {address} (end with Ctrl-C)", err=as_json)
        if as_json:
            print_json({"address": address})
        sys.stdout.flush()
        if open_browser or (open_browser is None and sys.stdout.isatty()):
            click.launch(address)

    serve(
        host,
        port,
        scale=scale,
        members=members,
        results=directories,
        validation=validation,
        root_path=root_path,
        tell=partial(click.echo, err=True),
        on_ready=ready,
    )
