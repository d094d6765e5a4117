"""Passes over all firms on several threads: when one returns, its work is done."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest

from sim.firms.blocks import Blocks


def _on_a_helper() -> bool:
    """Whether this thread is not the one that called; it takes longer than that one, so that both have a share."""
    helps = threading.current_thread() is not threading.main_thread()
    time.sleep(0.05 if helps else 0.01)
    return helps


def _write_slowly(written, slots):
    """A pass that counts nothing: it marks its slots."""
    _on_a_helper()
    written[slots.first : slots.end] = True


def _fail_on_a_helper(written, slots):
    if _on_a_helper():
        raise RuntimeError("this share failed")


@pytest.fixture
def blocks():
    """Slots enough for two shares, one a thread."""
    blocks = Blocks(slots=30_000, threads=2)
    yield blocks
    blocks.close()


def test_a_pass_that_counts_nothing_is_over_when_it_returns(blocks):
    written = np.zeros(blocks.slots, dtype=bool)
    blocks.run(_write_slowly, written, long=True)
    assert written.all()


def test_a_fault_on_another_thread_is_raised_whatever_the_pass_counts(blocks):
    with pytest.raises(RuntimeError, match="this share failed"):
        blocks.run(_fail_on_a_helper, np.zeros(blocks.slots), long=True)
