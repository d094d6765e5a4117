"""Where compiled kernels are kept: a folder for each state of the sources, and only a few of them."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

from sim import kernel_cache

cache_folder = kernel_cache.cache_folder.__wrapped__  # asked anew each time


@pytest.fixture
def base(tmp_path, monkeypatch):
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "kernels"))
    return tmp_path / "kernels"


def test_the_folder_is_that_of_the_sources_and_older_ones_go(base):
    old = [base / f"srdi-{name}" for name in "abcdef"]
    for age, folder in enumerate(old):
        folder.mkdir(parents=True)
        os.utime(folder, (1e9 - age, 1e9 - age))
    (base / "of another program").mkdir()
    folder = cache_folder()
    assert folder.name == f"srdi-{kernel_cache._source_digest()}"
    assert set(base.iterdir()) == {folder, *old[:3], base / "of another program"}
    assert cache_folder() == folder


def test_other_sources_have_another_folder(base, monkeypatch):
    folder = cache_folder()
    monkeypatch.setattr(kernel_cache, "_source_digest", lambda: "0" * 16)
    assert cache_folder() == base / f"srdi-{'0' * 16}"
    assert folder.exists()


def test_where_nothing_can_be_kept_the_folder_of_the_moment_is_taken(base):
    base.write_text("a file where the folder should be")
    assert cache_folder() == Path(tempfile.gettempdir()) / f"srdi-{kernel_cache._source_digest()}"
    assert base.read_text() == "a file where the folder should be"


def test_kernels_are_compiled_once_that_is_noted(tmp_path, monkeypatch):
    monkeypatch.setattr(kernel_cache, "cache_folder", lambda: tmp_path / "none yet")
    assert not kernel_cache.compiled()
    kernel_cache.mark_compiled()
    assert kernel_cache.compiled()
    monkeypatch.setattr(kernel_cache, "version", lambda package: "0.1")
    assert not kernel_cache.compiled()  # of another Numba
