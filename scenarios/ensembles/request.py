"""The request of a command for an ensemble: its options, output directory, progress bar and message on interruption.

Only click is imported at the top, because ``srdi --help`` loads this file.
"""

from __future__ import annotations

import contextlib
import functools
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from scenarios.errors import InputError, printable
from scenarios.records.layout import RUNS

if TYPE_CHECKING:
    from scenarios.ensembles.parameter_draws import ParameterDraws
    from scenarios.files.schema import Scenario
    from scenarios.records.results import Results

#: Appended to the message if no temporary directory can be created.
OUT_HINT = ", or a directory for the results with --out"


@dataclass(frozen=True)
class EnsembleOptions:
    """The options of a command that runs an ensemble; the defaults are those of the command line.

    Attributes:
        replicates, scale, seed, until: None takes the first scenario's default.
        settings: ``KEY=VALUE``, applied to every scenario. params: default, the name of draws or a file.
        crossed_draws: number of parameter draws, each run with every replicate; None for one draw per replicate.
        out: results directory, or None to keep nothing. resume: finish the ensemble in it.
        workers, threads: processes, and threads of each. scheduler: address of a Dask scheduler.
        firms_panel: number of firms recorded one by one.
    """

    replicates: int | None = None
    scale: float | None = None
    seed: int | None = None
    until: int | None = None
    settings: tuple[str, ...] = ()
    params: str = "default"
    crossed_draws: int | None = None
    out: Path | None = None
    resume: bool = False
    workers: int | None = None
    threads: int = 1
    scheduler: str | None = None
    firms_panel: int = 0

    @functools.cached_property
    def parameter_draws(self) -> ParameterDraws | None:
        """The parameter draws given by ``--params``; None if it gives parameter values."""
        from scenarios.ensembles.parameter_draws import read_parameter_draws
        from scenarios.files.loading import DRAW_NAMES

        drawn = self.params in DRAW_NAMES or self.params.endswith(".parquet")
        return read_parameter_draws(self.params) if drawn else None

    def refuse_parameter_draws(self, command: str, *, crossed_only: bool) -> None:
        """Raise InputError if the options have parameter draws, or crossed ones, that the command does not support."""
        if self.crossed_draws and crossed_only:
            raise InputError(
                f"{command} uses one parameter draw per replicate (--params with --replicates), "
                f"not --draws {self.crossed_draws}"
            )
        if self.parameter_draws and not crossed_only:
            raise InputError(
                f"{command} uses one set of parameters; --params is {self.params}, which has parameter draws"
            )

    def load(self, *names: str) -> list[Scenario]:
        """Scenarios by catalogue name or path, with the values of ``--params`` and ``--set`` applied."""
        from scenarios.files.loading import load_scenario, parameter_settings

        settings = self.settings if self.parameter_draws else (*parameter_settings(self.params), *self.settings)
        return [load_scenario(name, settings, until=self.until) for name in names]

    @property
    def arguments(self) -> dict:
        """Keyword arguments of `scenarios.run_ensemble`, except output directory and callbacks."""
        names = ("replicates", "scale", "seed", "until", "workers", "threads", "firms_panel", "scheduler", "resume")
        values = {name: getattr(self, name) for name in names}
        return values | {"draws": self.parameter_draws, "crossed_draws": self.crossed_draws}

    @contextlib.contextmanager
    def run(self, scenarios: list[Scenario], factors: Sequence[str] = ()) -> Iterator[Results]:
        """Run the scenarios and yield their results, which without ``--out`` are deleted at the end of the block.

        Args:
            factors: as in `scenarios.run_ensemble`.
        """
        from scenarios.ensembles.ensemble import run_ensemble

        with ensemble_target(self.out) as target:
            yield run_ensemble(scenarios, factors=factors, **self.arguments, **target)


@contextlib.contextmanager
def ensemble_target(out: Path | None) -> Iterator[dict]:
    """Output directory and progress callbacks of an ensemble; without `out`, a temporary directory for the block."""
    with contextlib.ExitStack() as stack:
        target = out or stack.enter_context(temporary_directory(OUT_HINT)) / "results"
        on_start, on_run = _progress(stack)
        if out:
            stack.push(_report_kept_runs(out))
        yield {"out": target, "on_start": on_start, "on_run": on_run}


@contextlib.contextmanager
def temporary_directory(otherwise: str = "") -> Iterator[Path]:
    """A directory that is deleted at the end of the block.

    Args:
        otherwise: alternative to suggest if none can be created.

    Raises:
        InputError: none can be created.
    """
    try:
        directory = tempfile.TemporaryDirectory(prefix="srdi-")
    except OSError as error:
        raise InputError(
            f"no temporary directory can be created ({error.strerror or error}): "
            f"set TMPDIR to a writable folder{otherwise}"
        ) from None
    with directory as name:
        yield Path(name)


def _report_kept_runs(out: Path) -> Callable[[object, BaseException | None, object], bool]:
    """An exit handler that reports the finished runs of an ensemble that did not end."""

    def on_exit(kind: object, error: BaseException | None, traceback: object) -> bool:
        # A command may run a second ensemble in a folder of the first.
        for runs in (out / RUNS, *out.glob(f"*/{RUNS}")):
            if error is not None and not isinstance(error, InputError) and runs.is_dir():
                finished = sum(1 for _ in runs.glob("*.zip"))
                note = f"srdi: {finished} finished runs are kept in {runs}; --resume continues from there"
                click.echo(printable(note), err=True)
        return False

    return on_exit


@contextlib.contextmanager
def progress_bar(what: str) -> Iterator[tuple[Callable[[int], None], Callable[[], None]]]:
    """Callbacks for the start, with a number, and for each of these done: a bar on stderr if that is a terminal."""
    with contextlib.ExitStack() as stack:
        yield _progress(stack, what)


def _progress(stack: contextlib.ExitStack, what: str = "runs") -> tuple[Callable[[int], None], Callable[[], None]]:
    """Callbacks for the start and for each finished run: a progress bar on stderr if that is a terminal."""
    if not sys.stderr.isatty():
        return (lambda runs: None), (lambda: None)
    from scenarios.display.screen import progress

    bar = stack.enter_context(progress())
    task = bar.add_task(what, total=None)
    return (lambda runs: bar.update(task, total=runs)), (lambda: bar.advance(task))
