"""One process at a time in a directory: who is refused, and what is left behind (kills: `test_faults.py`)."""

from __future__ import annotations

import os
import socket

import filelock
import pytest

from scenarios.ensembles.lock import LOCK, is_empty, lock_directory
from scenarios.errors import InputError


def test_a_second_is_told_who_works_there(tmp_path):
    here = rf"in use by process {os.getpid()} on {socket.gethostname()}; wait until it ends, or choose another"
    with lock_directory(tmp_path):
        assert is_empty(tmp_path)
        with pytest.raises(InputError, match=here), lock_directory(tmp_path):
            pass
        (tmp_path / LOCK).write_text("")
        with pytest.raises(InputError, match="in use by another process"), lock_directory(tmp_path):
            pass
    assert list(tmp_path.iterdir()) == []


def test_a_directory_made_for_the_lock_goes_if_nothing_came_into_it(tmp_path):
    with lock_directory(tmp_path / "a" / "b"):
        assert is_empty(tmp_path / "a" / "b")
    assert [path.name for path in tmp_path.rglob("*")] == ["a"]
    with lock_directory(tmp_path / "c"):
        (tmp_path / "c" / "result").write_text("x")
        assert not is_empty(tmp_path / "c")
    assert [path.name for path in (tmp_path / "c").iterdir()] == ["result"]


@pytest.mark.parametrize("name", [".gitignore", ".lock.old", "notes"])
def test_a_directory_with_any_other_file_holds_something(tmp_path, name):
    (tmp_path / LOCK).touch()
    assert is_empty(tmp_path)
    (tmp_path / name).touch()
    assert not is_empty(tmp_path)


def test_the_lock_goes_when_the_work_fails(tmp_path):
    with pytest.raises(RuntimeError, match="no luck"), lock_directory(tmp_path):
        raise RuntimeError("no luck")
    with lock_directory(tmp_path):
        pass


def test_what_is_no_directory_or_cannot_be_one_is_refused(tmp_path):
    (tmp_path / "file").write_text("mine")
    for folder, words in ((tmp_path / "file", "is not a directory"), (tmp_path / "file" / "in", "cannot be written")):
        with pytest.raises(InputError, match=words), lock_directory(folder):
            pass
    assert (tmp_path / "file").read_text() == "mine"


def test_on_a_disk_without_locks_a_file_stands_for_one(tmp_path, monkeypatch):
    monkeypatch.setattr(filelock, "FileLock", filelock.SoftFileLock)
    with (
        lock_directory(tmp_path),
        pytest.raises(InputError, match=f"process {os.getpid()} on"),
        lock_directory(tmp_path),
    ):
        pass
    assert list(tmp_path.iterdir()) == []
