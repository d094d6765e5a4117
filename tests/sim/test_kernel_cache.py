"""Where compiled kernels are kept: a folder for each user and state of the sources, which nobody else can write."""

from __future__ import annotations

import os
import pickle
import shutil
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path

import pytest
from conftest import unwatched

from sim.numerics import kernel_cache

cache_folder = kernel_cache.cache_folder.__wrapped__  # asked anew each time
USER = f"{os.getuid()}-" if hasattr(os, "getuid") else ""
NAME = f"srdi-{USER}{kernel_cache._source_digest()}"

needs_modes = pytest.mark.skipif(not hasattr(os, "getuid"), reason="the system has no owners and modes of files")
needs_root = pytest.mark.skipif(USER != "0-", reason="only the superuser can act as several users")


@pytest.fixture(autouse=True)
def passing(monkeypatch):
    """No folder is known from elsewhere; one that is made goes with the test."""
    monkeypatch.delenv("SRDI_TEMPORARY_CACHE", raising=False)
    yield
    if made := os.environ.pop("SRDI_TEMPORARY_CACHE", None):
        shutil.rmtree(made)


@pytest.fixture
def places(tmp_path, monkeypatch):
    """Sets where kernels may be kept: the folder that is named, the user's cache, temporary files."""
    for variable, name in (("NUMBA_CACHE_DIR", "kernels"), ("TMPDIR", "temporary")):
        monkeypatch.setenv(variable, str(tmp_path / name))
    monkeypatch.setattr(kernel_cache, "user_cache_dir", lambda name: str(tmp_path / "cache" / name))
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", None)
    return tmp_path


@pytest.fixture
def base(places):
    return places / "kernels"


def test_the_folder_is_that_of_the_sources_and_older_ones_go(base):
    old = [base / f"srdi-{USER}{name * 16}" for name in "abcdef"]
    for age, folder in enumerate(old):
        folder.mkdir(parents=True)
        os.utime(folder, (1e9 - age, 1e9 - age))
    others = {base / "of another program", base / "srdi-resultsx"}  # the latter like a draft of results
    for folder in others:
        folder.mkdir()
    folder = cache_folder()
    assert folder == base / NAME
    assert set(base.iterdir()) == {folder, *old[:3], *others}
    assert cache_folder() == folder


def test_other_sources_have_another_folder(base, monkeypatch):
    folder = cache_folder()
    monkeypatch.setattr(kernel_cache, "_source_digest", lambda: "0" * 16)
    assert cache_folder() == base / f"srdi-{USER}{'0' * 16}"
    assert folder.exists()


def test_kernels_are_compiled_once_that_is_noted(tmp_path, monkeypatch):
    monkeypatch.setattr(kernel_cache, "cache_folder", lambda: tmp_path)
    assert not kernel_cache.compiled()
    kernel_cache.mark_compiled()
    assert kernel_cache.compiled()
    monkeypatch.setattr(kernel_cache, "version", lambda package: "0.1")
    assert not kernel_cache.compiled()  # of another Numba


# --- nowhere to keep them


def test_what_cannot_be_kept_in_one_place_is_kept_in_the_next(places):
    (places / "kernels").write_text("a file where the folder should be")
    assert cache_folder() == places / "cache" / "srdi" / "kernels" / NAME
    assert (places / "kernels").read_text() == "a file where the folder should be"
    shutil.rmtree(places / "cache")
    (places / "cache").write_text("")
    assert cache_folder() == places / "temporary" / NAME


@needs_modes
def test_where_there_is_no_room_is_no_place(places):
    import resource

    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, limits[1]))
    try:
        folder = cache_folder()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert folder.parent == places / "temporary"
    assert folder.name != NAME  # one that goes with the process


def test_a_user_without_a_home_keeps_them_among_temporary_files(places, monkeypatch):
    def homeless(name):
        raise RuntimeError("could not determine the home directory")

    monkeypatch.delenv("NUMBA_CACHE_DIR")
    monkeypatch.setattr(kernel_cache, "user_cache_dir", homeless)
    assert cache_folder() == places / "temporary" / NAME


def test_the_working_directory_is_no_place(places, monkeypatch):
    """Where no folder for temporary files can be written, Python offers the working directory."""
    for name in ("kernels", "cache"):
        (places / name).write_text("")
    (places / "work").mkdir()
    monkeypatch.chdir(places / "work")
    monkeypatch.setattr(tempfile, "tempdir", os.getcwd())
    assert cache_folder() is None
    assert list((places / "work").iterdir()) == []
    monkeypatch.setenv("TMPDIR", "../work")  # named, it is one as any other
    assert cache_folder() == places / "work" / NAME


def test_kernels_without_a_place_are_compiled_for_the_moment():
    """In a process of its own: whether kernels are kept is settled when the model is imported."""
    script = """
        from sim.numerics import kernel_cache
        kernel_cache.cache_folder = lambda: None
        from sim.numerics.jit import kernel, numba
        doubled = kernel(lambda x: 2.0 * x)
        assert doubled(3.0) == 6.0
        assert numba.config.CACHE_DIR == ""
        kernel_cache.mark_compiled()
        assert not kernel_cache.compiled() and not kernel_cache.kept()
    """
    command = [sys.executable, "-c", textwrap.dedent(script)]
    answer = subprocess.run(command, env=unwatched(), capture_output=True, text=True)
    assert answer.returncode == 0, answer.stderr


def test_a_folder_of_the_moment_is_that_of_the_processes_started_too_and_goes_with_the_first(places):
    script = """
        import os, subprocess, sys
        from sim.numerics import kernel_cache
        kernel_cache._make = lambda folder: open("/nowhere/at/all")
        print(kernel_cache.cache_folder(), kernel_cache.kept(), os.listdir(os.environ["TMPDIR"]), flush=True)
        if len(sys.argv) == 1:
            subprocess.run([sys.executable, "-c", os.environ["SCRIPT"], "again"])
    """
    script = textwrap.dedent(script)
    environment = unwatched() | {"SCRIPT": script}
    answer = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True)
    first, second = answer.stdout.splitlines()
    assert first == second
    assert first.startswith(f"{places / 'temporary' / 'srdi-'}")
    assert " False ['srdi-" in first
    assert list((places / "temporary").iterdir()) == []


# --- kernels are pickles: none is read that another user could have written


def as_user(uid, function):
    """What a function returns to another user, by way of a process."""
    reading, writing = os.pipe()
    if not (child := os.fork()):
        try:
            os.setgroups([])
            os.setgid(uid)
            os.setuid(uid)
            os.write(writing, pickle.dumps(function()))
        finally:
            os._exit(0)
    os.close(writing)
    with open(reading, "rb") as answer:
        found = pickle.load(answer)
    os.waitpid(child, 0)
    return found


@pytest.fixture
def shared(places, monkeypatch):
    """A folder for kernels where everybody may write, as a folder for temporary files is, and all users can see it."""
    folder = Path(tempfile.mkdtemp(dir="/tmp"))
    folder.chmod(0o1777)
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(folder))
    yield folder
    shutil.rmtree(folder)


@needs_root
def test_each_user_of_a_shared_folder_has_one_of_their_own_there(shared):
    for uid in (12351, 12352):
        folder = as_user(uid, cache_folder)
        assert folder == shared / f"srdi-{uid}-{kernel_cache._source_digest()}"
        assert (folder.stat().st_uid, folder.stat().st_mode & 0o777) == (uid, 0o700)
        assert as_user(uid, cache_folder) == folder
    assert cache_folder() == shared / NAME


@needs_root
def test_a_shared_folder_where_one_cannot_write_is_no_obstacle(shared, monkeypatch):
    (shared / "temporary").mkdir()
    (shared / "temporary").chmod(0o1777)
    shared.chmod(0o755)
    monkeypatch.setenv("TMPDIR", str(shared / "temporary"))
    assert as_user(12351, cache_folder).parent == shared / "temporary"


@needs_root
def test_old_folders_of_other_users_stay(shared):
    others = [shared / f"srdi-12351-{name * 16}" for name in "abcdef"]
    for folder in others:
        folder.mkdir()
        os.chown(folder, 12351, 12351)
    cache_folder()
    assert {*shared.iterdir()} == {shared / NAME, *others}


def planted_folder(path):
    path.mkdir()
    os.chown(path, 12351, 12351)


def planted_link(path):
    target = path.parent / "elsewhere"
    target.mkdir()
    os.chown(target, 12351, 12351)
    path.symlink_to(target)


def planted_link_to_ones_own(path):
    (path.parent / "elsewhere").mkdir(mode=0o700)
    path.symlink_to(path.parent / "elsewhere")


def loose_folder(path):
    path.mkdir()
    path.chmod(0o777)


def folder_of_a_group(path):
    path.mkdir()
    os.chown(path, -1, 12351)
    path.chmod(0o770)


PLANTED = [planted_folder, planted_link, planted_link_to_ones_own, loose_folder, folder_of_a_group]


@needs_root
@pytest.mark.parametrize("plant", PLANTED)
def test_what_others_may_have_written_is_passed_over(places, base, plant):
    base.mkdir()
    plant(base / NAME)
    assert cache_folder() == places / "cache" / "srdi" / "kernels" / NAME


@needs_root
@pytest.mark.parametrize("plant", PLANTED)
def test_a_name_planted_among_temporary_files_is_passed_over(places, plant):
    for name in ("kernels", "cache"):
        (places / name).write_text("")
    (places / "temporary").chmod(0o1777)
    plant(places / "temporary" / NAME)
    folder = cache_folder()
    assert folder.parent == places / "temporary"
    assert folder.name.startswith("srdi-")
    assert folder.name != NAME
    assert folder.stat().st_mode & 0o777 == 0o700


@needs_modes
@pytest.mark.parametrize("mode", [0o777, 0o757])
def test_a_folder_that_others_could_exchange_is_passed_over(places, base, mode):
    """Where all may write and no sticky bit is set, the checked folder could be moved away and another put there."""
    base.mkdir()
    base.chmod(mode)
    assert cache_folder() == places / "cache" / "srdi" / "kernels" / NAME
    assert list(base.iterdir()) == []


@needs_modes
def test_where_others_could_exchange_every_folder_nothing_is_kept(places, base, monkeypatch):
    for folder in (base, places / "temporary"):
        folder.mkdir(exist_ok=True)
        folder.chmod(0o777)
    monkeypatch.setattr(kernel_cache, "user_cache_dir", lambda name: "/proc/none")
    assert cache_folder() is None
    assert not any((places / "temporary").iterdir())


def test_room_is_looked_for_only_where_nothing_is_kept_yet(base, monkeypatch):
    folder = cache_folder()
    (folder / "sim").mkdir()
    (folder / "sim" / "engine.nbi").touch()
    monkeypatch.setattr(kernel_cache, "_ROOM", 2**60)  # more than there is anywhere
    assert cache_folder() == folder


@needs_root
def test_a_link_to_another_users_folder_is_passed_over(places, base):
    planted_link(base)
    assert cache_folder() == places / "cache" / "srdi" / "kernels" / NAME


@needs_root
def test_the_superuser_takes_nothing_from_a_users_cache_and_leaves_nothing_there(places, monkeypatch):
    monkeypatch.delenv("NUMBA_CACHE_DIR")
    home = places / "cache"
    home.mkdir()
    os.chown(home, 12351, 12351)
    assert cache_folder() == places / "temporary" / NAME
    assert list(home.iterdir()) == []


@needs_root
def test_a_group_that_is_the_users_alone_is_no_other(base, monkeypatch):
    """Where each user has a group of their own, folders are commonly made writable for it."""
    base.mkdir()
    base.chmod(0o775)
    assert cache_folder() == base / NAME  # of the group root
    (base / NAME).chmod(0o770)
    assert cache_folder() == base / NAME


@needs_modes
def test_what_is_made_is_private_whatever_the_mask(base):
    mask = os.umask(0)
    try:
        folder = cache_folder()
    finally:
        os.umask(mask)
    assert folder == base / NAME
    assert [place.stat().st_mode & 0o777 for place in (folder, base)] == [0o700, 0o700]
