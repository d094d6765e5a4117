"""Support goes to the best-ranked firms of each group and never beyond the quota."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from sim.ladder.recognition import NOT_RANKED, RANK_BINS, rank_of, rank_threshold
from sim.selection import BIN_SHIFT, BINS, lowest_bin, within_quotas


@given(arrays(np.int64, (3, 40), elements=st.integers(0, 9)), arrays(np.int64, 3, elements=st.integers(0, 300)))
def test_no_quota_is_overrun_and_none_is_wasted_by_more_than_a_bin(counts, quotas):
    bins = np.zeros((3, BINS), dtype=np.int64)
    bins[:, 100:140] = counts
    group, best = (np.repeat(index, bins.ravel()) for index in np.indices(bins.shape).reshape(2, -1))
    admitted = within_quotas((best << BIN_SHIFT).astype(np.uint16), group, quotas)
    for index in range(3):
        lowest = lowest_bin(bins[index], quotas[index])
        assert bins[index, lowest:].sum() <= quotas[index]
        assert lowest == 0 or bins[index, lowest - 1 :].sum() > quotas[index]
        assert (admitted[group == index] == (best[group == index] >= lowest)).all()


@given(arrays(np.uint16, 200, elements=st.integers(0, RANK_BINS - 1)), st.integers(0, 250))
def test_the_best_ranked_are_admitted_up_to_the_capacity(ranks, capacity):
    threshold = rank_threshold(ranks, capacity)
    ranked = ranks[ranks != NOT_RANKED]
    admitted = np.count_nonzero(ranked >= threshold)
    assert admitted <= capacity
    assert admitted == len(ranked) or admitted + np.count_nonzero(ranked == threshold - 1) > capacity


def test_without_a_capacity_everyone_ranked_is_admitted():
    assert rank_threshold(np.array([0, 1, 500], dtype=np.uint16), None) == 1


def test_a_higher_score_ranks_higher_whatever_the_lot():
    ranks = [rank_of(points, u) for points in range(0, 101, 5) for u in (0.001, 0.999)]
    assert ranks == sorted(ranks)
    assert min(ranks) > NOT_RANKED
    assert rank_of(1000.0, 0.999) < RANK_BINS
