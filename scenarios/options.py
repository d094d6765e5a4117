"""What commands that run ensembles share: options, where they write, progress, how they end.

Only click is imported at once: ``srdi --help`` loads this file.
"""

from __future__ import annotations

import contextlib
import functools
import json
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from scenarios.command import echo
from scenarios.errors import InputError
from scenarios.plan import RUNS

if TYPE_CHECKING:
    from rich.console import Console

    from scenarios.draws import Draws
    from scenarios.results import Results
    from scenarios.schema import Scenario


Function = TypeVar("Function", bound=Callable[..., object])
#: What a command says besides to whom has no place for temporary files.
OR_OUT = ", or a directory for the results with --out"


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
    from scenarios.screen import console  # loads rich, which help need not wait for

    return console(err=as_json)


def tell_idle(scenarios: Sequence[Scenario]) -> None:
    """Say on stderr which settings have no effect, as nothing switches their levers on."""
    from scenarios.schema import idle_settings

    for key in idle_settings(*scenarios):
        lever = key.rpartition(".")[0]
        click.echo(f"note: {key} has no effect: {lever}.enabled is false; set it to true to use the lever", err=True)


@dataclass(frozen=True)
class EnsembleOptions:
    """The options of a command that runs an ensemble, as given; the defaults are those of the command line.

    Attributes:
        replicates, scale, seed, until: None takes the first scenario's own default.
        settings: ``KEY=VALUE`` laid over every scenario. params: default, posterior or a file.
        draws: parameter draws crossed with the replicates, or None for one draw a replicate.
        out: results directory, or None to keep nothing. resume: finish what stands there.
        workers, threads: processes, and threads of each. scheduler: address of a Dask cluster.
        firms_panel: firms followed one by one.
    """

    replicates: int | None = None
    scale: float | None = None
    seed: int | None = None
    until: int | None = None
    settings: tuple[str, ...] = ()
    params: str = "default"
    draws: int | None = None
    out: Path | None = None
    resume: bool = False
    workers: int | None = None
    threads: int = 1
    scheduler: str | None = None
    firms_panel: int = 0

    @functools.cached_property
    def parameter_draws(self) -> Draws | None:
        """The draws ``--params`` names; None where it names values."""
        from scenarios.draws import POSTERIOR, read_draws

        return read_draws(self.params) if self.params == POSTERIOR or self.params.endswith(".parquet") else None

    def refuse_draws(self, command: str, *, crossed_only: bool) -> None:
        """Raise InputError if the command cannot read its runs with parameter draws, or with crossed ones."""
        if self.draws and crossed_only:
            raise InputError(
                f"{command} takes a draw a replicate (--params with --replicates), not --draws {self.draws}"
            )
        if self.parameter_draws and not crossed_only:
            raise InputError(f"{command} takes one set of parameters; --params is {self.params}, which holds draws")

    def load(self, *names: str) -> list[Scenario]:
        """Scenarios by catalogue name or path, with ``--params`` values and ``--set`` laid over them."""
        from scenarios.loading import load_scenario, parameter_settings

        settings = self.settings if self.parameter_draws else (*parameter_settings(self.params), *self.settings)
        return [load_scenario(name, settings) for name in names]

    @property
    def arguments(self) -> dict:
        """Keyword arguments of `scenarios.run_ensemble`, but for where it writes and whom it tells."""
        chosen = ("replicates", "scale", "seed", "until", "workers", "threads", "firms_panel", "scheduler", "resume")
        values = {name: getattr(self, name) for name in chosen}
        return values | {"draws": self.parameter_draws, "crossed_draws": self.draws}

    @contextlib.contextmanager
    def run(self, scenarios: list[Scenario], factors: Sequence[str] = ()) -> Iterator[Results]:
        """Run the scenarios; their results, which without ``--out`` are gone at the block's end.

        Args:
            factors: as in `scenarios.run_ensemble`.
        """
        from scenarios.ensemble import run_ensemble

        with ensemble_target(self.out) as target:
            yield run_ensemble(scenarios, factors=factors, **self.arguments, **target)


def ensemble_options(replicates: int = 4, scale: float = 0.02) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Options of a command that runs an ensemble, passed on as one `EnsembleOptions` named `ensemble`.

    Args:
        replicates, scale: defaults to name in the help texts.
    """
    options = (
        click.option("--replicates", type=int, help=f"Runs with different luck per scenario (default {replicates})."),
        click.option(
            "--scale", type=float, help=f"Simulated firms per real firm (default {scale:g}; 1 is one for one)."
        ),
        click.option("--seed", type=int, help="Seed of the first replicate (default 1); scenarios share all luck."),
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


@contextlib.contextmanager
def ensemble_target(out: Path | None) -> Iterator[dict]:
    """Where an ensemble writes and whom it tells: `out`, or a directory that goes with the block; a progress bar."""
    with contextlib.ExitStack() as stack:
        target = out or stack.enter_context(temporary_directory(OR_OUT)) / "results"
        on_start, on_run = _progress(stack)
        if out:
            stack.push(_say_what_is_kept(out))
        yield {"out": target, "on_start": on_start, "on_run": on_run}


@contextlib.contextmanager
def temporary_directory(otherwise: str = "") -> Iterator[Path]:
    """A directory that goes with the block.

    Args:
        otherwise: what else a reader may do who has no place for one.

    Raises:
        InputError: there is no place for one.
    """
    try:
        directory = tempfile.TemporaryDirectory(prefix="srdi-")
    except OSError as error:
        raise InputError(
            f"no temporary directory can be made ({error.strerror or error}): "
            f"name a folder that can be written in TMPDIR{otherwise}"
        ) from None
    with directory as name:
        yield Path(name)


def _say_what_is_kept(out: Path) -> Callable[[object, BaseException | None, object], bool]:
    """An exit handler that names the finished runs of an ensemble that did not end."""

    def leave(kind: object, error: BaseException | None, traceback: object) -> bool:
        runs = out / RUNS
        if error is not None and not isinstance(error, InputError) and runs.is_dir():
            finished = sum(1 for _ in runs.glob("*.zip"))
            echo(f"srdi: {finished} finished runs are kept in {runs}; --resume goes on from there", err=True)
        return False

    return leave


def _progress(stack: contextlib.ExitStack) -> tuple[Callable[[int], None], Callable[[], None]]:
    """Callbacks for the start and each finished run: a bar on stderr if that is a terminal."""
    if not sys.stderr.isatty():
        return (lambda runs: None), (lambda: None)
    from scenarios.screen import progress

    bar = stack.enter_context(progress())
    task = bar.add_task("runs", total=None)
    return (lambda runs: bar.update(task, total=runs)), (lambda: bar.advance(task))
