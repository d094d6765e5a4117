"""The results directory: created or reopened, filled run by run, and closed with tables and manifest."""

from __future__ import annotations

import contextlib
import platform
import shutil
import sys
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from scenarios.ensembles.jobs import RunFailed
from scenarios.ensembles.lock import is_empty
from scenarios.ensembles.machine import cores
from scenarios.ensembles.plan import differences, read_plan
from scenarios.errors import InputError
from scenarios.records.layout import PLAN, RUNS

if TYPE_CHECKING:
    from scenarios.ensembles.parameter_draws import ParameterDraws

#: Runs per row group of a table; limits the memory needed to merge them.
_ROW_GROUP = 64


def begin(out: Path, plan: dict) -> Path:
    """Create the folder of runs in a results directory and write the plan.

    Raises:
        InputError: the directory is not empty, or cannot be written.
    """
    from scenarios.records.storage import write_json

    if not is_empty(out):
        unfinished = (out / RUNS / PLAN).is_file()
        hint = (
            "add resume=True (--resume) to finish the ensemble in it, or choose a new directory" if unfinished else None
        )
        raise InputError(f"{out} already exists and is not empty; {hint or 'choose a new directory'}")
    runs = out / RUNS
    try:
        runs.mkdir()
        write_json(plan, runs / PLAN)
    except OSError as error:
        shutil.rmtree(runs, ignore_errors=True)
        raise InputError(f"{out} cannot be written: {error.strerror or error}") from None
    return runs


def reopen(out: Path, plan: dict) -> Path:
    """The folder of runs of an interrupted ensemble; it is created if the directory is empty.

    Raises:
        InputError: the directory has other content, or an ensemble with another plan.
    """
    if is_empty(out):
        return begin(out, plan)
    stored = read_plan(out)
    if stored is None:  # interrupted before the plan was written
        shutil.rmtree(out / RUNS)
        return begin(out, plan)
    require_same_plan(out, stored, plan)
    for folder in (out, out / RUNS):
        for draft in folder.glob(".*.tmp"):
            draft.unlink()
    return out / RUNS


def require_same_plan(out: Path, stored: dict, plan: dict) -> None:
    """Raise InputError, with up to three differences, if an ensemble to be resumed has another plan."""
    changed = list(islice(differences(stored, plan), 3))
    if changed:
        raise InputError(f"{out} cannot be resumed, because the request has changed: {'; '.join(changed)}")


def is_finished(path: Path, tables: tuple[str, ...]) -> bool:
    """Whether the file of a run exists and is intact; a damaged one is reported and removed, to be run again."""
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
    """Write the file of a run atomically."""
    from scenarios.records.storage import atomic_file

    with _disk_faults(path.parent), atomic_file(path) as draft:
        draft.write_bytes(packed)


@contextlib.contextmanager
def _disk_faults(folder: Path) -> Iterator[None]:
    """Turn a disk error into one sentence that says what to do."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise RunFailed(
            f"{folder} cannot be written: {reason}; free some space, then run again with resume=True (--resume)"
        ) from error


def merge(files: list[Path], tables: tuple[str, ...], out: Path) -> None:
    """Merge the tables of all runs in the order of the jobs and write one Parquet file per table.

    Raises:
        RunFailed: the file of a run was damaged after it was written, or the disk is full.
    """
    import pyarrow as pa

    from scenarios.ensembles.packing import DamagedRun, unpack
    from scenarios.records.storage import arrow_schema, parquet_writer

    for name in tables:
        with _disk_faults(out), parquet_writer(out / f"{name}.parquet", arrow_schema(name)) as writer:
            for first in range(0, len(files), _ROW_GROUP):
                try:
                    group = [unpack(path, name) for path in files[first : first + _ROW_GROUP]]
                except DamagedRun as error:
                    raise RunFailed(f"{error}; resume=True (--resume) runs it again") from None
                writer.write_table(pa.concat_tables(group).unify_dictionaries().combine_chunks())


def write_parameter_draws(draws: ParameterDraws, used: int, out: Path) -> None:
    """Write the parameter draws that were used, so that the directory can be run again."""
    from scenarios.ensembles.parameter_draws import values_table
    from scenarios.records.layout import PARAMETER_DRAWS_FILE
    from scenarios.records.storage import write_parquet

    with _disk_faults(out):
        write_parquet(values_table(draws.names, draws.values[:used], draws.labels), out / PARAMETER_DRAWS_FILE)


def write_manifest(
    out: Path,
    plan: dict,
    pairs: list,
    *,
    tables: tuple[str, ...],
    draws: ParameterDraws | None,
    started: datetime,
    seconds: float,
) -> None:
    """Write the manifest, which closes the directory: the request, the values used, and the checksum of every file."""
    import pyarrow.parquet as pq

    from scenarios.records.layout import FORMAT, FORMAT_VERSION, MANIFEST, PARAMETER_DRAWS_FILE
    from scenarios.records.storage import checksum, write_json
    from sim.calendar import START, Quarter
    from sim.parameters import parameter_table

    first = pq.ParquetFile(out / "national.parquet").read_row_group(0, columns=["firms"])
    files = [*(f"{name}.parquet" for name in tables), *([PARAMETER_DRAWS_FILE] if plan["parameter_draws"] else [])]
    manifest = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        **plan,
        "draws": len({draw for draw, _ in pairs}),
        "runs": len(plan["scenarios"]) * len(pairs),
        "parameters": {name: parameter.value for name, parameter in parameter_table().items()},
        "labels": manifest_labels(plan["scenarios"], draws),
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


def manifest_labels(scenarios: Iterable[dict], draws: ParameterDraws | None) -> dict[str, dict[str, str]]:
    """What parameters and strengths of levers rest on (see `scenarios.files.labels`), by name.

    Args:
        scenarios: as in a manifest.
    """
    from scenarios.files.labels import labels_in_run, lever_labels, parameter_labels

    drawn = labels_in_run(scenarios, draws.labels if draws else {})
    return {
        "parameters": {name: str(label) for name, label in parameter_labels(drawn).items()},
        "levers": {name: str(label) for name, label in lever_labels(drawn).items()},
    }
