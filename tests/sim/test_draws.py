"""Random draws are pure functions of seed, slot, quarter and purpose, and look random."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from sim.numerics.draws import (
    Purpose,
    laplace,
    quarter_keys,
    round_noise,
    stream_key,
    uniform,
    uniform_array,
    uniform_pair,
    unit_noise,
)

COUNT = 20_000


def draws(seed=1, quarter=3, purpose=Purpose.GROWTH, count=COUNT):
    return uniform_array(stream_key(seed, quarter, purpose), count)


def test_array_and_kernel_draw_the_same_bits():
    key = stream_key(5, 7, Purpose.EXIT)
    one_by_one = np.array([uniform(key, slot) for slot in range(200)])
    assert np.array_equal(one_by_one.astype(np.float64), uniform_array(key, 200))


def test_a_slot_draws_the_same_whatever_else_is_drawn():
    assert np.array_equal(draws(count=10), draws(count=10_000)[:10])


@pytest.mark.parametrize("other", [{"seed": 2}, {"quarter": 4}, {"purpose": Purpose.EXIT}])
def test_streams_of_other_seeds_quarters_and_purposes_are_unrelated(other):
    assert abs(np.corrcoef(draws(), draws(**other))[0, 1]) < 4 / np.sqrt(COUNT)


def test_draws_are_uniform_inside_the_unit_interval():
    values = draws()
    assert values.min() > 0
    assert values.max() < 1
    assert stats.kstest(values, "uniform").pvalue > 0.001


def test_neighbouring_slots_are_unrelated():
    values = draws()
    assert abs(np.corrcoef(values[1:], values[:-1])[0, 1]) < 4 / np.sqrt(COUNT)


def test_pairs_are_independent_and_uniform():
    key = stream_key(1, 1, Purpose.FINANCE)
    first, second = np.array([uniform_pair(key, slot) for slot in range(5_000)]).T
    assert abs(np.corrcoef(first, second)[0, 1]) < 4 / np.sqrt(5_000)
    assert stats.kstest(second, "uniform").pvalue > 0.001


def test_noise_has_the_stated_moments():
    values = draws()
    flat = np.array([unit_noise(u) for u in values])
    round_ = np.array([round_noise(u, v) for u, v in zip(values[1:], values[:-1], strict=True)])
    tent = np.array([laplace(np.float32(u)) for u in values])
    assert flat.mean() == pytest.approx(0, abs=0.03)
    assert flat.var() == pytest.approx(1, rel=0.03)
    assert round_.mean() == pytest.approx(0, abs=0.05)
    assert round_.var() == pytest.approx(1, rel=0.05)
    assert np.abs(round_).max() > np.abs(flat).max()
    assert tent.mean() == pytest.approx(0, abs=0.05)
    assert tent.var() == pytest.approx(2, rel=0.06)
    assert stats.kurtosis(tent) == pytest.approx(3, abs=0.8)  # a tent, not a bell (0)


def test_every_purpose_has_its_own_key():
    keys = quarter_keys(1, 1)
    assert len(set(keys.tolist())) == len(Purpose)
