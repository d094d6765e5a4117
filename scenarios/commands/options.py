"""Options shared by several commands, and helpers for them.

Only click is imported at the top, because ``srdi --help`` loads this file.
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
from scenarios.errors import InputError, nearest

if TYPE_CHECKING:
    from rich.console import Console

    from scenarios.files.schema import Scenario


Function = TypeVar("Function", bound=Callable[..., object])


class Names(click.Choice):
    """A choice between names; the refusal of another one suggests the nearest."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        try:
            return super().convert(value, param, ctx)
        except click.BadParameter:
            hint = nearest(str(value), map(str, self.choices))
            self.fail(f"{value!r} is not one of {', '.join(map(repr, self.choices))}{hint}", param, ctx)


#: Options on where runs are computed.
_WORKERS = (
    click.option("--workers", type=click.IntRange(1, 1024), help="Worker processes (default: one per core)."),
    click.option("--threads", type=click.IntRange(1, 256), default=1, show_default=True, help="Threads per worker."),
)


def json_option(function: Function) -> Function:
    """The option ``--json``, passed to the function as `as_json`."""
    return click.option("--json", "as_json", is_flag=True, help="Print one machine-readable line, last, on stdout.")(
        function
    )


def directory_argument(function: Function) -> Function:
    """The argument DIR, a results directory, passed to the function as `directory`."""
    return click.argument("directory", type=click.Path(path_type=Path), metavar="DIR")(function)


def baseline_option(function: Function) -> Function:
    """The option ``--baseline``."""
    return click.option(
        "--baseline", default="baseline", show_default=True, help="Scenario the others are compared with."
    )(function)


def quarters_option(function: Function) -> Function:
    """The option ``--quarter``, passed to the function as `quarters`."""
    return click.option(
        "--quarter", "quarters", multiple=True, metavar="YYYYQN", help="Quarter (repeatable; default: the last)."
    )(function)


def again_options(what: str) -> Callable[[Function], Function]:
    """The options ``--pairs``, ``--workers`` and ``--threads`` of a command that runs some pairs again.

    Args:
        what: begins the help of ``--pairs``.
    """
    options = (
        click.option(
            "--pairs",
            type=int,
            metavar="K",
            help=f"{what} of runs to run again, spread evenly over those of DIR (default: 4, or all if there are "
            "fewer).",
        ),
        *_WORKERS,
    )

    def decorate(function: Function) -> Function:
        for option in reversed(options):
            function = option(function)
        return function

    return decorate


def quantities_option(text: str) -> Callable[[Function], Function]:
    """The option ``--quantity``, passed to the function as `quantities`.

    Args:
        text: its help.
    """
    return click.option("--quantity", "quantities", multiple=True, metavar="NAME", help=text)


def print_json(values: dict) -> None:
    """Print values as the one machine-readable line, in ASCII so that the encoding does not matter."""
    click.echo(json.dumps(values))


def table_console(as_json: bool) -> Console:
    """The console for tables: stdout, or stderr if a line of JSON goes to stdout."""
    from scenarios.display.screen import console

    return console(err=as_json)


def warn_idle_settings(scenarios: Sequence[Scenario]) -> None:
    """Print on stderr which settings have no effect because their lever is off."""
    from scenarios.files.schema import idle_settings

    for key in idle_settings(*scenarios):
        lever = key.rpartition(".")[0]
        click.echo(f"note: {key} has no effect: {lever}.enabled is false; set it to true to use the lever", err=True)


def warn_unused_run_settings(scenarios: Sequence[Scenario], ensemble: EnsembleOptions) -> None:
    """Print on stderr which settings in [run] of later scenarios are not used, because the first one's apply to all."""
    first, *others = scenarios
    for scenario in others:
        for key, used in first.run:
            value = getattr(scenario.run, key)
            if value != used and getattr(ensemble, key) is None:
                click.echo(
                    f"note: run.{key} = {value} of {scenario.name} has no effect: run.{key} = {used} of {first.name}, "
                    f"the first scenario, applies to all; --{key} sets another value for all",
                    err=True,
                )


def _usual_draws() -> str:
    """Name of the draws of a command that shows doubt; says on stderr if they are not those with evidence."""
    from scenarios.ensembles.default_draws import default_draws

    choice = default_draws()
    if choice.note:
        click.echo(f"note: {choice.note}", err=True)
    return choice.name


def ensemble_options(
    replicates: int = 4, scale: float = 0.02, *, doubt: bool = False
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Options of a command that runs an ensemble, passed to it as one `EnsembleOptions` named `ensemble`.

    Args:
        replicates, scale: defaults shown in the help texts.
        doubt: whether the command shows doubt, so that it takes parameter draws unless ``--params`` says otherwise.
    """
    usual = "evidence, if the package has draws for its model, else posterior" if doubt else "default"
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
            default=None if doubt else "default",
            metavar="default|posterior|evidence|median|FILE",
            help="Model parameters: defaults; for each replicate a draw of the fit (posterior) or of the fit and "
            "published evidence on levers (evidence); the median of the latter; a TOML file of values; or a Parquet "
            f"file of parameter draws (default: {usual}).",
        ),
        click.option(
            "--draws",
            "crossed_draws",
            type=click.IntRange(1, 100_000),
            metavar="N",
            help="Run the first N parameter draws, each with every replicate (default: one draw for each replicate).",
        ),
        click.option("--out", type=click.Path(path_type=Path), help="New directory for the results."),
        click.option("--resume", is_flag=True, help="Finish the interrupted ensemble in --out."),
        *_WORKERS,
        click.option(
            "--scheduler",
            metavar="ADDRESS",
            help="Run on a Dask cluster instead, such as tcp://127.0.0.1:8786.",
        ),
        click.option(
            "--firms-panel",
            type=click.IntRange(0, 10_000_000),
            default=0,
            metavar="N",
            help="Record N single firms in the table firms.",
        ),
    )

    def decorate(function: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(function)
        def wrapper(**arguments: Any) -> None:
            ensemble_values = {field.name: arguments.pop(field.name) for field in fields(EnsembleOptions)}
            if ensemble_values["resume"] and not ensemble_values["out"]:
                raise InputError("--resume needs --out DIR, the directory to finish")
            if ensemble_values["params"] is None:
                ensemble_values["params"] = _usual_draws()
            return function(ensemble=EnsembleOptions(**ensemble_values), **arguments)

        for option in reversed(options):
            wrapper = option(wrapper)
        return wrapper

    return decorate
