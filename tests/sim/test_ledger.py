"""Public money: a budget is a hard limit, and what it refused is on record."""

from __future__ import annotations

import numpy as np
import pytest
from conftest import REPORTED_LEVERS, frame, levers, run
from hypothesis import given
from hypothesis import strategies as st

from sim.policy import Policy
from sim.records.ledger import Account, Ledger

#: One place and sector, with one recipient.
SHAPE = (1, 1)
ONE = np.ones(SHAPE, dtype=np.int64)


@given(st.floats(0, 1e12), st.lists(st.floats(0, 1e12), max_size=20))
def test_whatever_is_asked_for_is_either_committed_or_refused(budget, requests):
    account = Account(budget, Ledger(levers(), SHAPE))
    committed = sum(account.commit(yuan) for yuan in requests)
    assert 0 <= account.committed <= budget * (1 + 1e-12)
    assert account.committed == pytest.approx(committed)
    assert committed + account.refused == pytest.approx(sum(requests))


def test_a_new_quarter_forgets_flows_and_keeps_commitments():
    account = Account(100.0, Ledger(levers(), SHAPE))
    account.pay(account.commit(60.0), ONE)
    account.commit(50.0)
    account.open_quarter()
    assert (account.spent, account.refused, account.recipients) == (0.0, 0.0, 0.0)
    assert account.committed == 100.0


def test_only_levers_switched_on_have_money():
    ledger = Ledger(levers(little_giant_awards={"budget_yuan": 5.0}), SHAPE)
    assert ledger["little_giant_awards"].available == 5.0
    assert ledger["digital_empowerment"].available == 0.0
    ledger["little_giant_awards"].pay(3.0, ONE)
    assert ledger.spent == 3.0


def test_money_is_booked_where_its_recipients_are():
    ledger = Ledger(REPORTED_LEVERS, (2, 2))
    ledger["little_giant_awards"].pay(12.0, np.array([[3, 0], [0, 1]]))
    ledger["digital_empowerment"].spend(6.0, np.array([[0.0, 0.5], [0.0, 0.5]]))
    ledger["cluster_recognition"].pay(0.0, np.zeros((2, 2)))
    assert ledger.paid_at.tolist() == [[9.0, 3.0], [0.0, 6.0]]
    ledger.open_quarter()
    assert not ledger.paid_at.any()


def test_the_national_table_adds_up_the_levers(baseline):
    by_lever = frame(baseline, "spending").query("kind == 'lever'").groupby("quarter")["spending_yuan"].sum()
    national = frame(baseline).set_index("quarter")["public_spending_yuan"]
    assert national.to_numpy() == pytest.approx(by_lever.to_numpy())
    assert national.iloc[-1] > 0


def test_an_award_is_paid_in_twelve_quarters_from_the_one_after_its_grant():
    settings = {"start": "2020Q3", "end": "2020Q4", "budget_yuan": 4e9}
    model = run(Policy(levers=levers(little_giant_awards=settings)), until=2025, scale=0.02)
    spending = frame(model, "spending")
    awards = spending[spending["lever"] == "little_giant_awards"].set_index("quarter")
    committed = awards["committed_yuan"].iloc[-1]
    paid = awards["spending_yuan"][awards["spending_yuan"] > 0]
    assert committed > 0
    assert (str(paid.index[0].date()), len(paid)) == ("2021-03-31", 12)
    assert paid.is_monotonic_decreasing  # firms that close are paid no more
    assert 0.9 * committed / 12 < paid.iloc[0] <= committed / 12 * (1 + 1e-9)


def test_awards_use_their_budget_by_the_last_round():
    """Candidates abound: each yearly round leaves little more than the award of a simulated firm, 300 million yuan."""
    settings = {"start": "2021Q3", "end": "2022Q4", "budget_yuan": 4e9}
    spending = frame(run(Policy(levers=levers(little_giant_awards=settings)), until=2024, scale=0.02), "spending")
    awards = spending[spending["lever"] == "little_giant_awards"]
    assert awards["refused_yuan"].sum() > 1e9
    assert awards["committed_yuan"].iloc[-1] > 3.2e9


def test_a_window_that_ends_before_the_awards_quarter_strands_no_money():
    settings = {"start": "2021Q3", "end": "2022Q2", "budget_yuan": 1e9}
    spending = frame(run(Policy(levers=levers(little_giant_awards=settings)), until=2023, scale=0.02), "spending")
    assert spending.loc[spending["lever"] == "little_giant_awards", "committed_yuan"].iloc[-1] > 0.8e9


def test_money_of_awarded_firms_that_closed_is_granted_anew_and_never_twice():
    settings = {"start": "2019Q3", "end": "2027Q4", "budget_yuan": 6e9}
    spending = frame(run(Policy(levers=levers(little_giant_awards=settings)), until=2030, scale=0.02), "spending")
    awards = spending[spending["lever"] == "little_giant_awards"]
    assert (awards["spending_yuan"].cumsum() <= awards["committed_yuan"] * (1 + 1e-9)).all()
    assert (awards["committed_yuan"] <= 6e9).all()
    released = awards["committed_yuan"].diff() < 0
    assert awards["recipients"].sum() * 6e6 > awards["committed_yuan"].iloc[-1] or released.any()
    assert awards["spending_yuan"].sum() > 0.9 * awards["committed_yuan"].iloc[-1]


@pytest.mark.parametrize("intensity", [5e-324, 1e-300])
def test_support_that_costs_next_to_nothing_reaches_all_and_costs_next_to_nothing(intensity):
    """0.1 yuan at the least intensity a float can hold is 0 yuan a firm; neither that nor an overflow is an error."""
    settings = {"yuan_per_firm": 0.1, "intensity": intensity, "start": "2019Q1"}
    spending = frame(run(Policy(levers=levers(talent_programme=settings)), until=2019, scale=0.001), "spending")
    programme = spending[spending["lever"] == "talent_programme"]
    assert programme["recipients"].sum() > 100
    assert programme["refused_yuan"].sum() == 0
    assert programme["spending_yuan"].sum() < 1e-200


def test_money_spent_is_summed_exactly():
    """The same on every interpreter: plain addition forgets what is small, `sum` does not since Python 3.12."""
    ledger = Ledger(REPORTED_LEVERS, SHAPE)
    yuan = {"little_giant_awards": 1e16, "digital_empowerment": 1.0, "cluster_recognition": 1.0}
    for name, paid in yuan.items():
        ledger[name].pay(paid, ONE)
    assert 1e16 + 1.0 + 1.0 == 1e16
    assert ledger.spent == 1e16 + 2.0
