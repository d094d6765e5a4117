"""How a command asks for an ensemble: its options as values, where it writes, progress, what is kept if it ends early.

Only click is imported at once: ``srdi --help`` loads this file.
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
    from scenarios.ensembles.draws import Draws
    from scenarios.files.schema import Scenario
    from scenarios.records.results import Results

#: What a command says besides to whom has no place for temporary files.
OR_OUT = ", or a directory for the results with --out"


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
        from scenarios.ensembles.draws import POSTERIOR, read_draws

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
        from scenarios.files.loading import load_scenario, parameter_settings

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
        from scenarios.ensembles.ensemble import run_ensemble

        with ensemble_target(self.out) as target:
            yield run_ensemble(scenarios, factors=factors, **self.arguments, **target)


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
            note = f"srdi: {finished} finished runs are kept in {runs}; --resume goes on from there"
            click.echo(printable(note), err=True)
        return False

    return leave


def _progress(stack: contextlib.ExitStack) -> tuple[Callable[[int], None], Callable[[], None]]:
    """Callbacks for the start and each finished run: a bar on stderr if that is a terminal."""
    if not sys.stderr.isatty():
        return (lambda runs: None), (lambda: None)
    from scenarios.display.screen import progress

    bar = stack.enter_context(progress())
    task = bar.add_task("runs", total=None)
    return (lambda runs: bar.update(task, total=runs)), (lambda: bar.advance(task))
