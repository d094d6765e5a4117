"""Nothing but sampling error changes with scale."""

from __future__ import annotations

import numpy as np
import pytest
from conftest import ALL_LEVERS, frame, run

from sim.calendar import SCALE_RANGE
from sim.firms.columns import COLUMNS
from sim.model import SRDIModel
from sim.parameters import parameter_record
from sim.policy import Policy
from sim.world.geography import build_geography
from sim.world.industry import build_industry

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


def test_numbers_of_slots_and_niches_fit_their_columns_at_the_largest_scale():
    p, largest = parameter_record(), SCALE_RANGE[1]
    geography = build_geography(p)
    held = {column.name: np.iinfo(column.dtype).max for column in COLUMNS if column.unit == "id"}
    assert len(build_industry(p, largest, geography).niche_sector) <= held["niche"]
    assert geography.firms.sum() * largest * p.slots_per_firm <= held["customer"]


@pytest.mark.slow
def test_more_firms_than_the_nation_has_give_the_same_nation():
    one, two = (SRDIModel(POLICY, scale=scale, rng=1, threads=2) for scale in (1.0, 2.0))
    for model in (one, two):
        model.step()
    assert len(two.firms) == pytest.approx(2 * len(one.firms), rel=1e-3)
    for name in ("firms", "employment", "revenue_yuan", "rd_true_yuan", "births", "deaths"):
        assert two.recorder.latest[name] == pytest.approx(one.recorder.latest[name], rel=0.01), name
