"""A finished run as one file: a zip archive of Arrow tables with their checksums.

The archive contains ``TABLE.arrow`` for each table and ``SHA256SUMS`` in the usual format. It has no dates, so that the
same tables give the same bytes.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from pathlib import Path

import pyarrow as pa

SUMS = "SHA256SUMS"
_NO_DATE = (1980, 1, 1, 0, 0, 0)


class DamagedRun(Exception):
    """The file of a finished run is truncated or has changed."""


def pack(tables: dict[str, pa.Table]) -> bytes:
    """Tables by name as the bytes of a run's file."""
    options = pa.ipc.IpcWriteOptions(compression="zstd")
    contents = {}
    for name, table in tables.items():
        sink = pa.BufferOutputStream()
        with pa.ipc.new_file(sink, table.schema, options=options) as writer:
            writer.write_table(table)
        contents[f"{name}.arrow"] = sink.getvalue().to_pybytes()
    sums = "".join(f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in contents.items())
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in {SUMS: sums.encode(), **contents}.items():
            archive.writestr(zipfile.ZipInfo(name, _NO_DATE), content)
    return packed.getvalue()


def unpack(path: Path, table: str) -> pa.Table:
    """One table of a run's file, after checking its checksum.

    Raises:
        DamagedRun: the file is truncated, has changed, or lacks the table.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            return pa.ipc.open_file(pa.BufferReader(_read_verified(archive, f"{table}.arrow"))).read_all()
    except (zipfile.BadZipFile, KeyError, ValueError, EOFError, pa.ArrowException):
        raise DamagedRun(f"{path} is damaged") from None


def check_run(path: Path, tables: tuple[str, ...]) -> None:
    """Raise DamagedRun unless the file of a run is intact and contains the tables."""
    try:
        with zipfile.ZipFile(path) as archive:
            for name in tables:
                _read_verified(archive, f"{name}.arrow")
    except (zipfile.BadZipFile, KeyError, ValueError, EOFError):
        raise DamagedRun(f"{path} is damaged") from None


def _read_verified(archive: zipfile.ZipFile, member: str) -> bytes:
    """Content of a member; raises ValueError if it does not match its checksum, KeyError if it is missing."""
    sums = dict(line.split("  ")[::-1] for line in archive.read(SUMS).decode("ascii").splitlines())
    content = archive.read(member)
    if hashlib.sha256(content).hexdigest() != sums[member]:
        raise ValueError(member)
    return content
