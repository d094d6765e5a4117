"""The directory of an ensemble: begun, gone on with, filled run by run, and closed with tables and manifest."""

from __future__ import annotations

import contextlib
import platform
import shutil
import sys
from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from scenarios.ensembles.jobs import RunFailed
from scenarios.ensembles.lock import holds_nothing
from scenarios.ensembles.machine import cores
from scenarios.ensembles.plan import differences, read_plan
from scenarios.errors import InputError
from scenarios.records.layout import PLAN, RUNS

if TYPE_CHECKING:
    from scenarios.ensembles.draws import Draws

#: Runs whose rows make one row group of a table: bounds the memory of joining them.
_ROW_GROUP = 64


def begin(out: Path, plan: dict) -> Path:
    """Give the results directory its folder of runs and its plan.

    Raises:
        InputError: the directory is not empty, or cannot be written.
    """
    from scenarios.records.storage import write_json

    if not holds_nothing(out):
        unfinished = (out / RUNS / PLAN).is_file()
        way = "add resume=True (--resume) to finish what it holds, or name a new directory" if unfinished else None
        raise InputError(f"{out} already exists and is not empty; {way or 'name a new directory'}")
    runs = out / RUNS
    try:
        runs.mkdir()
        write_json(plan, runs / PLAN)
    except OSError as error:
        shutil.rmtree(runs, ignore_errors=True)
        raise InputError(f"{out} cannot be written: {error.strerror or error}") from None
    return runs


def reopen(out: Path, plan: dict) -> Path:
    """The folder of runs of an interrupted ensemble; a new one in an empty directory.

    Raises:
        InputError: the directory holds something else, or an ensemble that asked for something else.
    """
    if holds_nothing(out):
        return begin(out, plan)
    found = read_plan(out)
    if found is None:  # interrupted before it knew what it was to do
        shutil.rmtree(out / RUNS)
        return begin(out, plan)
    same_or_refuse(out, found, plan)
    for folder in (out, out / RUNS):
        for draft in folder.glob(".*.tmp"):
            draft.unlink()
    return out / RUNS


def same_or_refuse(out: Path, found: dict, plan: dict) -> None:
    """Raise InputError, with up to three differences, if an ensemble to be resumed was asked for something else."""
    changed = list(islice(differences(found, plan), 3))
    if changed:
        raise InputError(f"{out} cannot be resumed, what is asked for has changed: {'; '.join(changed)}")


def is_finished(path: Path, tables: tuple[str, ...]) -> bool:
    """Whether the file of a run is there and whole; a damaged one is named, and removed to be run again."""
    from scenarios.ensembles.packing import DamagedRun, check_run

    if not path.exists():
        return False
    try:
        check_run(path, tables)
    except DamagedRun as error:
        print(f"srdi: {error}; it is run again", file=sys.stderr, flush=True)
        path.unlink()
        return False
    return True


def store(packed: bytes, path: Path) -> None:
    """Write the file of a run so that it appears whole or not at all."""
    from scenarios.records.storage import whole_file

    with _disk_faults(path.parent), whole_file(path) as draft:
        draft.write_bytes(packed)


@contextlib.contextmanager
def _disk_faults(folder: Path) -> Iterator[None]:
    """Turns a fault of the disk into one sentence that says what to do."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise RunFailed(
            f"{folder} cannot be written: {reason}; make room, then run it again with resume=True (--resume)"
        ) from error


def merge(parts: list[Path], tables: tuple[str, ...], out: Path) -> None:
    """Join the runs' tables in the order of the jobs and write one Parquet file a table.

    Raises:
        RunFailed: the file of a run has been damaged since it was written, or the disk is full.
    """
    import pyarrow as pa

    from scenarios.ensembles.packing import DamagedRun, unpack
    from scenarios.records.storage import arrow_schema, parquet_writer

    for name in tables:
        with _disk_faults(out), parquet_writer(out / f"{name}.parquet", arrow_schema(name)) as writer:
            for first in range(0, len(parts), _ROW_GROUP):
                try:
                    group = [unpack(path, name) for path in parts[first : first + _ROW_GROUP]]
                except DamagedRun as error:
                    raise RunFailed(f"{error}; resume=True (--resume) runs it again") from None
                writer.write_table(pa.concat_tables(group).unify_dictionaries().combine_chunks())


def write_draws(draws: Draws, used: int, out: Path) -> None:
    """Write the draws that were taken, the first of all: with them the directory can be run again."""
    from scenarios.ensembles.draws import values_table
    from scenarios.records.layout import DRAWS
    from scenarios.records.storage import write_parquet

    with _disk_faults(out):
        write_parquet(values_table(draws.names, draws.values[:used]), out / DRAWS)


def write_manifest(
    out: Path, plan: dict, pairs: list, tables: tuple[str, ...], started: datetime, seconds: float
) -> None:
    """Close the directory: what was asked, what was used, and the checksum of every file."""
    import pyarrow.parquet as pq

    from scenarios.records.layout import DRAWS, FORMAT, FORMAT_VERSION, MANIFEST
    from scenarios.records.storage import checksum, write_json
    from sim.calendar import START, Quarter
    from sim.parameters import parameter_table

    first = pq.ParquetFile(out / "national.parquet").read_row_group(0, columns=["firms"])
    files = [*(f"{name}.parquet" for name in tables), *([DRAWS] if plan["parameter_draws"] else [])]
    manifest = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        **plan,
        "draws": len({draw for draw, _ in pairs}),
        "runs": len(plan["scenarios"]) * len(pairs),
        "parameters": {name: parameter.value for name, parameter in parameter_table().items()},
        "seeds": [plan["seed"] + replicate for replicate in range(plan["replicates"])],
        "first_quarter": str(START),
        "last_quarter": str(Quarter(plan["until"], 4)),
        "firms_at_start": round(first["firms"][0].as_py() * plan["scale"]),
        "started": started.isoformat(timespec="seconds"),
        "seconds": round(seconds, 3),
        "host": {"system": platform.system(), "machine": platform.machine(), "cores": cores()},
        "files": {name: checksum(out / name) for name in files},
    }
    with _disk_faults(out):
        write_json(manifest, out / MANIFEST)
