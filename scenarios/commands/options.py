"""Options that commands share, and what goes with them.

Only click is imported at once: ``srdi --help`` loads this file.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Sequence
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from scenarios.ensembles.request import EnsembleOptions
from scenarios.errors import InputError

if TYPE_CHECKING:
    from rich.console import Console

    from scenarios.files.schema import Scenario


Function = TypeVar("Function", bound=Callable[..., object])


def json_option(function: Function) -> Function:
    """The option ``--json``, passed on as `as_json`."""
    return click.option("--json", "as_json", is_flag=True, help="Print one machine-readable line, last, on stdout.")(
        function
    )


def last_line(values: dict) -> None:
    """Print values as the one machine-readable line, in ASCII: it means the same in every encoding."""
    click.echo(json.dumps(values))


def screen_of(as_json: bool) -> Console:
    """Where tables go: stdout, or stderr beside a line of JSON."""
    from scenarios.display.screen import console

    return console(err=as_json)


def tell_idle(scenarios: Sequence[Scenario]) -> None:
    """Say on stderr which settings have no effect, as nothing switches their levers on."""
    from scenarios.files.schema import idle_settings

    for key in idle_settings(*scenarios):
        lever = key.rpartition(".")[0]
        click.echo(f"note: {key} has no effect: {lever}.enabled is false; set it to true to use the lever", err=True)


def ensemble_options(replicates: int = 4, scale: float = 0.02) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Options of a command that runs an ensemble, passed on as one `EnsembleOptions` named `ensemble`.

    Args:
        replicates, scale: defaults to name in the help texts.
    """
    options = (
        click.option(
            "--replicates", type=int, help=f"Runs per scenario, each with its own random draws (default {replicates})."
        ),
        click.option(
            "--scale", type=float, help=f"Simulated firms per real firm (default {scale:g}; 1 is one for one)."
        ),
        click.option(
            "--seed", type=int, help="Seed of the first replicate (default 1); scenarios share all random draws."
        ),
        click.option("--until", type=int, metavar="YYYY", help="Last year of the run (default 2030)."),
        click.option(
            "--set", "settings", multiple=True, metavar="KEY=VALUE", help="Change a setting in all scenarios."
        ),
        click.option(
            "--params",
            default="default",
            metavar="default|posterior|FILE",
            help="Model parameters: defaults, a draw of the posterior for each replicate, a TOML file of values, "
            "or a Parquet file of draws.",
        ),
        click.option(
            "--draws",
            type=click.IntRange(1, 100_000),
            metavar="N",
            help="Run the first N parameter draws with every replicate (default: the next draw for each replicate).",
        ),
        click.option("--out", type=click.Path(path_type=Path), help="New directory for the results."),
        click.option("--resume", is_flag=True, help="Finish what an interrupted command left in --out."),
        click.option("--workers", type=click.IntRange(1, 1024), help="Worker processes (default: one per core)."),
        click.option(
            "--threads", type=click.IntRange(1, 256), default=1, show_default=True, help="Threads per worker."
        ),
        click.option(
            "--scheduler", metavar="ADDRESS", help="Run on a Dask cluster, such as tcp://127.0.0.1:8786, not here."
        ),
        click.option(
            "--firms-panel",
            type=click.IntRange(0, 10_000_000),
            default=0,
            metavar="N",
            help="Follow N firms one by one.",
        ),
    )

    def decorate(function: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(function)
        def called(**given: Any) -> None:
            chosen = {field.name: given.pop(field.name) for field in fields(EnsembleOptions)}
            if chosen["resume"] and not chosen["out"]:
                raise InputError("--resume needs --out DIR, the directory to finish")
            return function(ensemble=EnsembleOptions(**chosen), **given)

        for option in reversed(options):
            called = option(called)
        return called

    return decorate
