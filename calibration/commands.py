"""The command ``srdi facts``, found by the command line through the entry-point group ``srdi.commands``.

Only click is imported here: ``srdi --help`` loads this file.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import shutil
import tempfile
from importlib.util import find_spec
from pathlib import Path

import click


@click.command()
@click.option("--scale", type=float, default=0.02, show_default=True, help="Simulated firms per real firm.")
@click.option("--seed", type=int, default=1, show_default=True, help="Seed of the run.")
@click.option("--until", type=int, metavar="YYYY", default=2024, show_default=True, help="Last year of the run.")
@click.option("--figures", type=click.Path(path_type=Path), metavar="DIR", help="New directory for figures (PNG, SVG).")
@click.option("--json", "as_json", is_flag=True, help="Print one machine-readable line, last, on stdout.")
def facts(scale, seed, until, figures, as_json) -> None:
    """Hold the baseline against stylised facts of firms: growth, size, exit, supply, certificates, R&D.

    The model runs twice, as it is and without R&D thresholds. With --json the table goes to stderr.

    \b
    Example:
      srdi facts --scale 0.02 --seed 1 --until 2024 --figures results/facts
    """
    from scenarios.errors import InputError

    missing = [name for name in ("powerlaw", "matplotlib") if find_spec(name) is None]
    if missing:
        raise InputError(f"facts needs {' and '.join(missing)}: run it as uv run --extra calibration srdi facts")
    from scenarios.loading import load_scenario

    # The scenario schema knows the allowed ranges and says what is wrong in one sentence.
    load_scenario("baseline", (f"run.scale={scale}", f"run.seed={seed}", f"run.until={until}"))
    with _filled_when_done(figures) as draft:
        from rich.console import Console

        from calibration.facts import facts_of, observe_both

        kept, free = observe_both(scale, seed, until)
        found = facts_of(kept, free)
        if draft:
            from calibration.figures import write_figures

            write_figures(kept, free, draft)
    console = Console(stderr=as_json)
    # Where the output is not a terminal, a width that holds every column.
    console = console if console.is_terminal else Console(stderr=as_json, width=120)
    console.print(_table(found))
    if figures:
        console.print(f"\nFigures in {figures}", highlight=False)
    if as_json:
        click.echo(json.dumps({"facts": [_record(fact) for fact in found]}, ensure_ascii=False))


@contextlib.contextmanager
def _filled_when_done(folder: Path | None):
    """A draft folder inside a new or empty `folder`, whose files move up when the block ends well.

    Without a folder it gives None. After a failure nothing is left behind.
    """
    from scenarios.errors import InputError

    if folder is None:
        yield None
        return
    created = not folder.exists()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise InputError(f"{folder} already exists and is not empty; name a new directory")
        draft = tempfile.TemporaryDirectory(prefix=".srdi-", dir=folder)
    except OSError as error:
        raise InputError(f"{folder} cannot be written: {error.strerror or error}") from None
    try:
        with draft:
            yield Path(draft.name)
            for file in Path(draft.name).iterdir():
                os.replace(file, folder / file.name)
    except BaseException:
        if created:
            shutil.rmtree(folder)
        raise


def _table(found):
    from rich.table import Table

    table = Table(title="Stylised facts: baseline", title_justify="left", box=None, pad_edge=False)
    table.add_column("Fact")
    table.add_column("Value", justify="right", no_wrap=True)
    table.add_column("Reference")
    table.add_column("Holds", no_wrap=True)
    for fact in found:
        table.add_row(fact.description, _number(fact.value), fact.reference, "yes" if fact.holds else "no")
    return table


def _number(value: float) -> str:
    if math.isnan(value):
        return "too few firms"
    return f"{value / 1e6:,.0f} million" if abs(value) >= 1e6 else f"{value:.3g}"


def _record(fact) -> dict:
    """One fact for machines; JSON has no NaN, so what could not be measured is null."""

    def plain(value):
        return None if value is None or math.isnan(value) else value

    return {
        "id": fact.id,
        "value": plain(fact.value),
        "reference": fact.reference,
        "low": plain(fact.reference_low),
        "high": plain(fact.reference_high),
        "holds": fact.holds,
    }
