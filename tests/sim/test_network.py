"""The supply network, newcomers, and moves to the counties."""

from __future__ import annotations

import numpy as np
import powerlaw
import pytest
from conftest import frame, levers, run

from sim.firms.columns import MOVED, NEVER, NEWCOMER
from sim.firms.network import supplier_counts
from sim.policy import Policy

POLICY = Policy(
    levers=levers(
        cluster_recognition={"start": "2019Q4"},
        chain_leader_openness={"start": "2019Q1"},
        county_relocation={"start": "2020Q1", "intensity": 5.0, "budget_yuan": 5e10},
    )
)


@pytest.fixture(scope="module")
def model():
    return run(POLICY, until=2024, scale=0.03, rng=2)


def test_every_customer_is_alive_larger_when_chosen_or_a_chain_leader(model):
    customer = model.firms.columns.customer[model.firms.active]
    firms = customer[customer >= 0]
    assert len(firms) > 1000
    closed = model.firms.columns.employment[firms] == 0
    # A customer that closed this quarter is found out at the next one's start.
    assert closed.mean() < 0.05
    leaders = -2 - customer[customer <= -2]
    assert len(leaders) > 1000
    assert leaders.max() < len(model.chain_leaders)
    assert (model.firms.columns.customer[~model.firms.active] == NEVER).all()


def test_nobody_supplies_itself(model):
    slots = np.arange(len(model.firms.columns.customer))
    assert not (model.firms.columns.customer == slots).any()


def test_suppliers_of_a_chain_or_of_a_buyer_belong_to_it(model):
    """Without joint design a supplier's product is of the customer's own chain."""
    firms = model.firms.to_frame()
    chain = model.industry.niche_chain[firms["niche"]]
    own = firms["flags"].to_numpy() & NEWCOMER == 0
    leader = -2 - firms["customer"].to_numpy()
    linked = (leader >= 0) & own
    assert (leader[linked] == chain[linked]).all()
    to_firm = (firms["customer"] >= 0).to_numpy()
    customers = firms["customer"].to_numpy()[to_firm]
    assert (model.industry.niche_chain[model.firms.columns.niche[customers]] == chain[to_firm]).mean() > 0.97


def test_newcomers_come_from_other_chains(model):
    firms = model.firms.to_frame()
    newcomers = firms[(firms["flags"] & NEWCOMER) != 0]
    assert len(newcomers) > 50
    leader = -2 - newcomers["customer"].to_numpy()
    assert (leader >= 0).all()
    assert (leader != model.industry.niche_chain[newcomers["niche"]]).all()
    assert frame(model)["newcomer_suppliers"].iloc[-1] == pytest.approx(len(newcomers) / model.scale)
    assert frame(model, "chain").groupby("quarter")["newcomer_suppliers"].sum().iloc[-1] == pytest.approx(
        len(newcomers) / model.scale
    )


def test_supplier_counts_are_heavy_tailed(model):
    """Against an exponential; leaders, who stand for one real firm each at any scale, are left out."""
    customer = model.firms.columns.customer
    counts = supplier_counts(customer[customer >= 0])
    fit = powerlaw.Fit(counts, discrete=True, xmin=2, verbose=False)
    ratio, p_value = fit.distribution_compare("power_law", "exponential", normalized_ratio=True)
    assert ratio > 0
    assert p_value < 0.05
    assert counts.max() > 10 * counts.mean()


def test_firms_link_more_often_within_their_province(model):
    columns = model.firms.columns
    linked = np.flatnonzero(columns.customer >= 0)
    province = model.geography.county_province
    same = province[columns.county[linked]] == province[columns.county[columns.customer[linked]]]
    shuffled = np.random.default_rng(1).permutation(columns.customer[linked])
    by_chance = province[columns.county[linked]] == province[columns.county[shuffled]]
    assert same.mean() > 2 * by_chance.mean()


def test_firms_move_only_from_urban_districts_to_recognised_county_clusters(model):
    firms = model.firms.to_frame()
    moved = firms[(firms["flags"] & MOVED) != 0]
    assert len(moved) > 5
    assert not model.geography.county_is_urban[moved["county"]].any()
    clusters = {cluster.index: cluster for cluster in model.clusters}
    for firm in moved.itertuples():
        cluster = clusters[firm.cluster]
        assert (cluster.county, cluster.sector) == (firm.county, firm.sector)
    # The count since the start includes firms that have closed or moved on the ladder since.
    assert frame(model)["moved_to_counties"].iloc[-1] >= len(moved) / model.scale * (1 - 1e-9)


def test_chain_health_lies_between_nothing_and_everything(model):
    chains = frame(model, "chain")
    for column in ("gaps_filled_share", "extension_share", "resilience"):
        assert chains[column].between(0, 1).all()
    assert chains["extension_share"].mean() > chains["gaps_filled_share"].mean() - 0.1
    assert chains["strength"].sum() > 0
