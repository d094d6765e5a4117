"""Concentration measures: exact at scale 1, and a thinned population estimates the whole one."""

from __future__ import annotations

import numpy as np
import pytest

from sim.records.concentration import Spread


def counties_with(*case) -> float:
    """Of all units, as in `Spread`."""
    return Spread(*case).counties_with(np.ones(len(case[0]), dtype=bool))


def theil(*case) -> float:
    """As in `Spread`."""
    return Spread(*case).theil()


def test_measures_of_a_full_population_are_those_of_the_counts():
    counts = np.array([0, 0, 2, 6])
    assert counties_with(counts, counts.astype(float), 1.0) == 2
    # Shares over the mean of 2: ratios 1 and 3.
    assert theil(counts, counts.astype(float), 1.0) == pytest.approx((2 * np.log(1) + 6 * np.log(3)) / 8)


def test_an_even_spread_has_no_concentration_and_a_single_place_has_most():
    even = np.full(10, 3)
    assert theil(even, even.astype(float), 1.0) == pytest.approx(0)
    single = np.zeros(10, dtype=int)
    single[0] = 30
    assert theil(single, single.astype(float), 1.0) == pytest.approx(np.log(10))


def test_nothing_certified_is_no_concentration():
    assert theil(np.zeros(5, dtype=int), np.zeros(5), 0.1) == 0
    assert counties_with(np.zeros(5, dtype=int), np.zeros(5), 0.1) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("scale", [0.02, 0.1, 0.5])
def test_a_thinned_population_estimates_the_whole(scale):
    rng = np.random.default_rng(1)
    expected = rng.lognormal(0.2, 1.5, 2000)
    whole = rng.poisson(expected * rng.gamma(20, 1 / 20, 2000))
    truth = counties_with(whole, expected, 1.0), theil(whole, expected, 1.0)
    guesses = np.array(
        [
            (counties_with(seen, expected, scale), theil(seen, expected, scale))
            for seen in (rng.binomial(whole, scale) for _ in range(20))
        ]
    )
    assert guesses[:, 0].mean() == pytest.approx(truth[0], rel=0.04)
    assert guesses[:, 1].mean() == pytest.approx(truth[1], rel=0.06)
