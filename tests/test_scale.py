"""Nothing but sampling error changes with scale."""

from __future__ import annotations

import numpy as np
import pytest
from conftest import ALL_LEVERS, frame, run

from sim.policy import Policy

POLICY = Policy(levers=ALL_LEVERS)
OUTCOMES = ("firms", "employment", "revenue_yuan", "rd_true_yuan", "innovative_smes", "srdi_smes", "little_giants")
SHARES = ("county_share_of_little_giants", "manufacturing_share_of_little_giants")


def ends(scale: float, seeds: range, threads: int = 2):
    """National outcomes at the end of 2023, one row a seed."""
    rows = [frame(run(POLICY, scale=scale, rng=seed, until=2023, threads=threads)).iloc[-1] for seed in seeds]
    return {name: np.array([row[name] for row in rows]) for name in (*OUTCOMES, *SHARES, "counties_with_little_giant")}


def test_outcomes_at_two_and_ten_per_cent_agree_within_sampling_error():
    small, large = ends(0.02, range(6)), ends(0.1, range(2))
    for name in OUTCOMES + SHARES:
        error = small[name].std(ddof=1) * np.sqrt(1 / 6 + 1 / (2 * 5))  # variance falls with scale
        difference = abs(small[name].mean() - large[name].mean())
        assert difference < 4 * error + 0.01 * large[name].mean(), name


@pytest.mark.slow
def test_outcomes_at_ten_per_cent_and_one_to_one_agree_within_sampling_error():
    small, full = ends(0.1, range(4)), ends(1.0, range(1))
    for name in OUTCOMES + SHARES:
        error = small[name].std(ddof=1) * np.sqrt(1 / 4 + 1 / 10)
        difference = abs(small[name].mean() - full[name].mean())
        assert difference < 4 * error + 0.02 * full[name].mean(), name
    counties = small["counties_with_little_giant"].mean()
    assert counties == pytest.approx(full["counties_with_little_giant"].mean(), rel=0.12)
