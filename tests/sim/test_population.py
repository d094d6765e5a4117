"""The starting cross-section holds the reported aggregates at every scale."""

from __future__ import annotations

import numpy as np
import pytest
from conftest import run

from sim.firms.columns import BYTES_PER_SLOT, LISTED
from sim.firms.population import size_quantile, start_check
from sim.model import SRDIModel
from sim.parameters import parameter_record
from sim.policy import Policy
from sim.reference import read_data


@pytest.fixture(scope="module", params=[0.01, 0.05])
def model(request):
    return SRDIModel(Policy(), scale=request.param, rng=4)


def test_known_aggregates_hold_at_once(model):
    # A hundredth of the firms holds few of the very large ones, which make much of the revenue.
    revenue = 0.12 if model.scale < 0.05 else 0.08
    tolerance = {"firms": 0.001, "employees": 0.01, "revenue, yuan": revenue, "firms with R&D": 0.1}
    for name, reported, drawn in start_check(model):
        assert drawn == pytest.approx(reported, rel=tolerance[name.rpartition(", ")[0]]), name


def test_every_sector_has_its_firms(model):
    columns = model.firms.columns
    drawn = np.bincount(columns.sector[columns.employment > 0])
    assert drawn == pytest.approx(model.industry.sector_firms * model.scale, abs=1)


def test_provinces_have_their_share_of_manufacturers(model):
    columns = model.firms.columns
    made = (columns.employment > 0) & model.industry.sector_manufacturing[columns.sector]
    drawn = np.bincount(model.geography.county_province[columns.county[made]], minlength=31)
    weights = np.array([province["industrial_firms"] for province in read_data("provinces")["province"]])
    wanted = weights / weights.sum() * made.sum()
    assert np.abs(drawn - wanted).max() <= 12 + 0.01 * wanted.max()  # rounding, one firm a sector


def test_only_firms_with_research_and_enough_revenue_are_listed_at_the_start(model):
    columns = model.firms.columns
    listed = columns.flags & LISTED != 0
    may = (columns.rd_intensity > 0) & (columns.revenue >= 100e6)
    assert not listed[~may].any()
    if model.scale < 0.05:
        return  # too few listed firms to compare
    # About 2,500 of the 3,584 A-share firms of that year are in the sectors of the model.
    assert listed.sum() / model.scale == pytest.approx(2_500, rel=0.35)
    large = columns.revenue >= 1e9
    assert listed[may & large].mean() > 2 * listed[may & ~large].mean()


def test_the_size_tail_is_pareto_with_the_stated_exponent():
    p = parameter_record()
    u = np.array([1 - 1e-2, 1 - 1e-3])
    ratio = np.diff(np.log(size_quantile(u, p)))[0]
    assert ratio == pytest.approx(np.log(10) / p.size_tail_exponent, rel=1e-6)


def test_few_large_firms_employ_many(model):
    employment = np.sort(model.firms.get("employment"))[::-1]
    top = employment[: len(employment) // 100].sum() / employment.sum()
    assert 0.2 < top < 0.6


def test_drawn_sizes_have_a_zipf_like_tail(model):
    """Hill's estimate over the largest firms of each sector, against Zipf's law (1) and the stated exponent."""
    columns = model.firms.columns
    excesses = []
    for sector in range(14):
        sizes = np.sort(columns.employment[(columns.sector == sector) & (columns.employment > 0)])[::-1]
        top = len(sizes) // 200
        excesses.append(np.log(sizes[:top] / sizes[top]))
    exponent = 1 / np.concatenate(excesses).mean()
    assert exponent == pytest.approx(parameter_record().size_tail_exponent, abs=0.15)
    assert 0.9 < exponent < 1.6


def test_start_does_not_depend_on_threads_and_differs_by_seed():
    one, two, other = (SRDIModel(Policy(), scale=0.002, rng=seed, threads=n) for seed, n in ((1, 1), (1, 2), (2, 1)))
    for left, right in zip(one.firms.columns, two.firms.columns, strict=True):
        assert np.array_equal(left, right)
    assert not np.array_equal(one.firms.columns.productivity, other.firms.columns.productivity)


def test_a_slot_stays_within_the_bytes_promised():
    assert BYTES_PER_SLOT <= 100


def test_research_follows_size_sector_and_place(model):
    firms = model.firms.to_frame()
    active = firms["rd_intensity"] > 0
    assert active[firms["employment"] > 300].mean() > 5 * active[firms["employment"] < 50].mean()
    urban = model.geography.county_is_urban[firms["county"]]
    assert active[urban].mean() > active[~urban].mean()


def test_firms_above_the_sme_limits_exist(model):
    assert (model.firms.get("employment") > 1000).any()


def test_large_firms_are_never_young(model):
    firms = model.firms.to_frame()
    years, p = firms["age"] / 4.0, parameter_record()
    assert years[firms["employment"] > 1000].min() > 0.8 * p.start_age_floor
    assert years[firms["employment"] < 10].min() < 0.25 * p.start_age_floor
    assert years.max() <= 40


@pytest.mark.parametrize("growth", [-0.2, -0.15, 0.4])
def test_the_start_is_finite_however_firms_grew(growth):
    """At -15 % a year sales shrink as fast as knowledge ages: the stock of steady growth would be infinite."""
    model = SRDIModel(Policy(parameters={"start_growth": growth}), scale=0.001, rng=1)
    columns = model.firms.columns
    for name in ("knowledge", "productivity", "revenue"):
        assert np.isfinite(getattr(columns, name)).all(), name
    assert (columns.knowledge >= 0).all()


def test_governance_shifts_productivity_at_the_start_and_leaves_its_noise():
    """Firms keep the draws behind their productivity: the shift is b_g (g - g0) of each firm and nothing else."""
    worth = {value: SRDIModel(Policy(parameters={"governance_productivity": value}), 0.002, 1) for value in (0.0, 0.5)}
    plain, shifted = (model.firms.columns for model in worth.values())
    alive = plain.employment > 0
    gain = shifted.productivity.astype(float) - plain.productivity
    reference = parameter_record().governance_reference
    assert gain[alive] == pytest.approx(0.5 * (plain.governance[alive] - reference), abs=1e-5)
    assert np.array_equal(plain.permanent, shifted.permanent)
    assert abs(gain[plain.employment >= 20].mean()) < 0.01, "the reference is about the mean of firms of 20 and more"


def test_entrants_stay_within_their_scale_however_high_their_mean():
    policy = Policy(parameters={"entrant_governance": 1.0, "entrant_digital": 0.9})
    model = run(policy, scale=0.001, until=2019)
    columns = model.firms.columns
    assert (columns.age < 4).any()
    for name in ("governance", "digital"):
        assert getattr(columns, name).max() <= 1.0, name


def test_entrants_are_no_more_than_wholly_refined():
    model = SRDIModel(Policy(parameters={"entrant_refinement": 2.0}), scale=0.001, rng=1, until=2019)
    model.run_model()
    assert model.firms.get("refinement").max() == 1.0
