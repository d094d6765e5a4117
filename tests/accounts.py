"""What must hold of any run: of its firms at every quarter, and of its tables at the end."""

from __future__ import annotations

import numpy as np
import pandas as pd
from conftest import frame

from sim.calendar import Quarter
from sim.firms.columns import NEVER
from sim.model import SRDIModel
from sim.records.outputs import TABLES
from sim.rules import REPORTED
from sim.tiers import TIERS

#: Relative error of sums of some thousands of floats.
ROUNDING = 1e-9


def check_accounts(policy, run):
    model = SRDIModel(policy, **run)
    while model.running:
        model.step()
        certificates_are_reviewed(model)
        firms_are_in_range(model)
    tables = {name: frame(model, name) for name in TABLES}
    model.close()
    nothing_is_missing_or_negative(tables)
    firms_are_births_less_deaths(tables)
    parts_sum_to_the_nation(tables)
    tiers_nest(tables)
    flows_explain_stocks(tables, model.scale)
    budgets_hold(tables, policy)
    capacities_hold(tables, policy, model)


def certificates_are_reviewed(model):
    """None waits longer than three quarters for its review; rules that shorten its life catch up with it in a year."""
    firms, now = model.firms.columns, model.moment.index
    before = model.policy.rules.in_force(model.quarter + -4) if now > 4 else REPORTED
    for tier, since in enumerate((firms.innovative_since, firms.srdi_since, firms.giant_since), start=1):
        dates = since[(firms.tier == tier) & (firms.employment > 0)]
        assert (dates != NEVER).all()
        years = max(getattr(rules, TIERS[tier - 1]).validity_years for rules in (before, model.rules))
        assert now - dates.min(initial=now) <= 4 * years + 3


def firms_are_in_range(model):
    firms = model.firms.to_frame()
    assert np.isfinite(firms.select_dtypes("number")).all(axis=None)
    assert (firms[["employment", "revenue", "knowledge", "rd_intensity", "relabelled"]] >= 0).all(axis=None)
    for column in ("digital", "governance", "green", "refinement", "constraint", "main_share"):
        assert firms[column].between(0, 1).all(), column


def nothing_is_missing_or_negative(tables):
    for name, table in tables.items():
        assert not table.isna().any(axis=None), name
        values = table.select_dtypes("number")
        assert np.isfinite(values).all(axis=None), name
        assert (values >= 0).all(axis=None), (name, values.columns[(values < 0).any()].tolist())
        for column in TABLES[name]:
            if column.unit in ("share", "0-1"):
                assert (table[column.name] <= 1 + ROUNDING).all(), (name, column.name)


def firms_are_births_less_deaths(tables):
    national = tables["national"]
    moved = national["firms"].shift() + national["births"] - national["deaths"]
    np.testing.assert_allclose(moved[1:], national["firms"][1:], rtol=ROUNDING)


def parts_sum_to_the_nation(tables):
    national = tables["national"].set_index("quarter")
    for table in ("province", "sector", "county_type"):
        parts = tables[table].groupby("quarter").sum(numeric_only=True)
        for column in parts:
            np.testing.assert_allclose(parts[column], national[column], rtol=ROUNDING, err_msg=f"{table}.{column}")
    tiers = tables["tier"].groupby("quarter").sum(numeric_only=True)
    for column in ("employment", "revenue_yuan", "rd_true_yuan", "rd_reported_yuan", "applied"):
        name = {"applied": "applications"}.get(column, column)
        np.testing.assert_allclose(tiers[column], national[name], rtol=ROUNDING, err_msg=column)
    np.testing.assert_allclose(tiers["stock"], national["firms"], rtol=ROUNDING)
    cost = tables["spending"].pivot_table(index="quarter", columns="kind", values="spending_yuan", aggfunc="sum")
    for kind, column in {"lever": "public_spending", "tax": "tax_relief", "title": "title_awards"}.items():
        np.testing.assert_allclose(cost[kind], national[f"{column}_yuan"], rtol=ROUNDING)
    np.testing.assert_allclose(cost.sum(axis=1), national["public_cost_yuan"], rtol=ROUNDING)
    chains = tables["chain"].groupby("quarter").sum(numeric_only=True)
    np.testing.assert_allclose(chains["suppliers"], national["chain_suppliers"], rtol=ROUNDING)
    np.testing.assert_allclose(chains["strength"], national["chain_strength_yuan"], rtol=ROUNDING)
    clusters = tables["cluster"].groupby("quarter").sum(numeric_only=True)
    for column in ("firms", "srdi_smes", "little_giants", "revenue_yuan"):
        assert (clusters[column] <= national.loc[clusters.index, column] * (1 + ROUNDING)).all()


def tiers_nest(tables):
    for name in ("national", "province", "sector", "county_type"):
        table = tables[name]
        for higher, lower in (
            ("little_giants", "srdi_smes"),
            ("srdi_smes", "innovative_smes"),
            ("innovative_smes", "firms"),
            ("rd_firms", "firms"),
            ("rd_true_yuan", "rd_reported_yuan"),
        ):
            assert (table[higher] <= table[lower] * (1 + ROUNDING)).all(), (name, higher)
    stocks = tables["tier"].pivot(index="quarter", columns="tier", values="stock")
    national = tables["national"].set_index("quarter")
    for tiers, column in ((TIERS[2:], "little_giants"), (TIERS[1:], "srdi_smes"), (TIERS, "innovative_smes")):
        np.testing.assert_allclose(stocks[list(tiers)].sum(axis=1), national[column], rtol=ROUNDING)


def flows_explain_stocks(tables, scale):
    """Certificates of a tier or above change by what was granted, lapsed, revoked and closed, firm by firm."""
    national, tiers = tables["national"], tables["tier"]
    by_name = {
        name: np.rint(tiers.pivot(index="quarter", columns="tier", values=name)[list(TIERS)].to_numpy() * scale)
        for name in ("stock", "granted", "lapsed", "revoked", "closed", "reviewed", "renewed", "applied", "passed")
    }
    for tier in range(len(TIERS)):
        change = np.diff(by_name["stock"][:, tier:].sum(axis=1))
        ended = by_name["lapsed"][1:, tier] + (by_name["revoked"] + by_name["closed"])[1:, tier:].sum(axis=1)
        # Who is granted a higher tier may have held this one or not.
        least = by_name["granted"][1:, tier] - ended
        assert (change >= least).all()
        assert (change <= least + by_name["granted"][1:, tier + 1 :].sum(axis=1)).all()
    assert (by_name["granted"] <= by_name["passed"]).all()
    assert (by_name["passed"] <= by_name["applied"]).all()
    assert (by_name["renewed"] <= by_name["reviewed"]).all()
    # A lower tier's certificates also lapse when a higher one's review fails.
    assert (by_name["reviewed"] <= by_name["renewed"] + by_name["lapsed"]).all()
    np.testing.assert_array_equal(by_name["reviewed"][:, 2], (by_name["renewed"] + by_name["lapsed"])[:, 2])
    granted = national["little_giants_granted"]
    np.testing.assert_allclose(granted.cumsum(), national["little_giants_granted_cumulative"], rtol=ROUNDING)
    np.testing.assert_array_equal(np.rint(granted * scale), by_name["granted"][:, 2])
    ended = (by_name["lapsed"] + by_name["revoked"] + by_name["closed"])[:, 2]
    np.testing.assert_array_equal(np.rint(national["little_giants_lapsed"] * scale), ended)
    for column in ("digital_supported", "domestic_firsts", "moved_to_counties", "clusters"):
        assert national[column].is_monotonic_increasing, column


def budgets_hold(tables, policy):
    spending = tables["spending"]
    for name, account in spending[spending["kind"] == "lever"].groupby("lever"):
        lever = getattr(policy.levers, name)
        budget = lever.budget_yuan if lever.enabled else 0.0
        assert (account["budget_yuan"] == budget).all()
        assert (account["committed_yuan"] <= budget * (1 + ROUNDING)).all(), name
        assert (account["spending_yuan"].cumsum() <= budget * (1 + ROUNDING)).all(), name
        before = account["quarter"] < pd.Timestamp(Quarter.parse(lever.start).end_date)
        money = ["spending_yuan", "committed_yuan", "refused_yuan", "recipients"]
        assert (account.loc[before | (not lever.enabled), money] == 0).all(axis=None), name


def capacities_hold(tables, policy, model):
    """No year has more certificates than the rule in force at its end allows, in whole simulated firms."""
    tiers, start = tables["tier"], Quarter.parse(policy.rules.start)
    for tier in TIERS:
        capacity = getattr(policy.rules, tier).capacity
        rows = tiers[(tiers["tier"] == tier) & (tiers["quarter"].dt.year > start.year)]
        if capacity is not None:
            years = rows.groupby(rows["quarter"].dt.year)["granted"].sum()
            assert (np.rint(years * model.scale) <= round(capacity * model.scale)).all(), tier
