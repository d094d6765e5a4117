"""The model as a whole: Mesa's interface, accounting, determinism, causality, the ladder's logic."""

from __future__ import annotations

import accounts
import numpy as np
import pytest
from conftest import ALL_LEVERS, REPORTED_LEVERS, SCALE, frame, levers, listings, run, tables_equal
from regulation import meets_the_file

from sim.calendar import Quarter
from sim.feedbacks import Feedbacks
from sim.firms.columns import LISTED, NEVER
from sim.institutions.chain_leader import ChainLeader
from sim.institutions.cluster import Cluster
from sim.institutions.ministry import Ministry
from sim.institutions.province import Province
from sim.ladder.fields import FIELDS, read_fields
from sim.model import SRDIModel
from sim.policy import Policy
from sim.records.outputs import TABLES
from sim.reference import province_names, read_data, sector_names
from sim.rules import Rules
from sim.tiers import TIERS, Tier

CONTRACT_COLUMNS = [
    "firms",
    "employment",
    "innovative_smes",
    "srdi_smes",
    "little_giants",
    "little_giants_granted",
    "little_giants_granted_cumulative",
    "little_giants_renewed",
    "little_giants_lapsed",
    "clusters",
    "digital_supported",
    "revenue_yuan",
    "rd_true_yuan",
    "rd_reported_yuan",
    "productivity_index",
    "public_spending_yuan",
    "counties_with_little_giant",
    "county_share_of_little_giants",
    "manufacturing_share_of_little_giants",
    "chain_gaps_filled_share",
    "theil_little_giants_by_county",
]


# --- Mesa's interface


def test_it_is_a_mesa_model_with_mesa_agents(baseline):
    assert baseline.running is False
    assert len(baseline.agents_by_type[Province]) == 31
    assert len(baseline.agents_by_type[Ministry]) == 1
    assert len(baseline.agents_by_type[Cluster]) == baseline.recorder.latest["clusters"] > 100
    assert len(baseline.agents_by_type[ChainLeader]) > 50


def test_the_datacollector_holds_the_national_series(baseline):
    collected = baseline.datacollector.get_model_vars_dataframe()
    assert set(CONTRACT_COLUMNS) <= set(collected.columns)
    assert len(collected) == 1 + 4 * 9
    assert collected["little_giants"].tolist() == frame(baseline)["little_giants"].tolist()


def test_the_datacollector_is_the_same_whenever_it_is_first_asked_for():
    early, late = (SRDIModel("baseline", scale=0.0005, rng=1, until=2019) for _ in range(2))
    collectors = [early.datacollector]
    for model in (early, late):
        model.run_model()
    collectors.append(late.datacollector)
    one, other = (collector.get_model_vars_dataframe() for collector in collectors)
    assert len(one) == 5
    assert one.equals(other)


def test_firms_can_be_read_as_a_table_and_one_by_one(baseline):
    firms = baseline.firms.to_frame()
    assert len(firms) == len(baseline.firms)
    slot = firms.index[7]
    one = baseline.firms[int(slot)]
    assert one.employment == firms.loc[slot, "employment"]
    assert baseline.firms.agg("employment", np.sum) == pytest.approx(firms["employment"].sum(), rel=1e-3)
    assert (baseline.firms.select(lambda f: f["tier"] == 3)["tier"] == 3).all()
    vacant = int(np.flatnonzero(baseline.firms.columns.employment == 0)[0])
    with pytest.raises(LookupError, match="vacant"):
        baseline.firms[vacant]
    with pytest.raises(IndexError):
        baseline.firms[10**9]


def test_a_default_run_has_forty_nine_quarters():
    model = run(scale=0.0005, until=2030)
    assert len(frame(model)) == 49
    assert str(model.quarter) == "2030Q4"


# --- accounting, which tests/sim/test_properties.py checks on random scenarios


@pytest.fixture(scope="module")
def tables(baseline):
    return {name: frame(baseline, name) for name in TABLES}


def test_no_value_is_missing_or_out_of_range(baseline, tables):
    accounts.nothing_is_missing_or_negative(tables)
    accounts.firms_are_in_range(baseline)


def test_places_sectors_and_tiers_sum_to_the_nation(tables):
    accounts.firms_are_births_less_deaths(tables)
    accounts.parts_sum_to_the_nation(tables)


def test_tiers_nest_and_their_flows_explain_their_stocks(tables):
    accounts.tiers_nest(tables)
    accounts.flows_explain_stocks(tables, SCALE)


@pytest.mark.parametrize("years", [3, 1])
def test_no_certificate_outlives_its_validity_unreviewed(years):
    """At every quarter: a certificate waits at most three quarters for the review of its tier."""
    validity = {tier: {"validity_years": years} for tier in TIERS}
    model = SRDIModel(
        Policy(levers=REPORTED_LEVERS, rules=Rules.model_validate(validity)), scale=SCALE, rng=1, until=2026
    )
    oldest = 0
    while model.running:
        model.step()
        firms, now = model.firms.columns, model.quarter - Quarter(2018, 4)
        for tier, since in enumerate((firms.innovative_since, firms.srdi_since, firms.giant_since), start=1):
            dates = since[firms.tier == tier]
            assert (dates != NEVER).all()
            oldest = max(oldest, now - dates.min(initial=now))
        assert oldest <= 4 * years + 3
    assert oldest >= 4 * years - 1


@pytest.mark.parametrize("strictness", [0.6, 1.0])
def test_every_certified_firm_meets_the_rule_that_certified_it_at_that_quarter(strictness):
    """Checked the moment a batch is granted; under full strictness also for certificates renewed."""
    strict = {tier: {"review_strictness": strictness} for tier in TIERS}
    model = SRDIModel(
        Policy(levers=REPORTED_LEVERS, rules=Rules.model_validate(strict)), scale=SCALE, rng=2, until=2024
    )
    firms, p, checked = model.firms.columns, model.parameter_record, dict.fromkeys(TIERS, 0)
    noise = p.assessment_noise * np.sqrt(3)
    sme_employees, sme_revenue = (
        np.array([sector[name] for sector in read_data("sectors")["sector"]])
        for name in ("sme_employees", "sme_revenue_yuan")
    )

    def check(tier, slots, allowance=0.0):
        for slot in slots:
            out = np.zeros(len(FIELDS))
            read_fields(firms, model.inputs, slot, out)
            firm = {field.name: value for field, value in zip(FIELDS, out, strict=True)}
            firm["growth"] += allowance
            assert meets_the_file(tier, firm, noise, getattr(model.rules, tier).model_dump()), (tier, firm)
            sector = firms.sector[slot]
            assert firms.employment[slot] < sme_employees[sector] or firms.revenue[slot] < sme_revenue[sector]
            checked[tier] += 1

    recognise, review = model.rounds.recognise, model.rounds.review

    def recognise_and_check(tier, bar, **called):
        before = firms.tier.copy()
        recognise(tier, bar, **called)
        certified = np.flatnonzero(firms.tier != before)
        check(tier, certified)
        # Once the tier below has rounds of its own and no pilot is on, one climbs rung by rung.
        if tier == "little_giant" and model.quarter.year >= 2021:
            assert (before[certified] == 2).all()
        if tier == "srdi" and model.quarter.year >= 2022:
            assert (before[certified] == 1).all()

    def review_and_check(tier):
        code, now = TIERS.index(tier) + 1, model.moment.index
        since = (firms.innovative_since, firms.srdi_since, firms.giant_since)[code - 1]
        due = (firms.tier == code) & (now - since >= 12)
        review(tier)
        if strictness == 1.0:
            check(tier, np.flatnonzero(due & (firms.tier == code)), model.parameters.review_allowance)

    model.rounds.recognise, model.rounds.review = recognise_and_check, review_and_check
    model.run_model()
    assert min(checked.values()) > 50


def test_pilot_batches_keep_to_their_size_and_later_ones_have_none(baseline):
    tiers = frame(baseline, "tier")
    giants = tiers[(tiers["tier"] == "little_giant") & (tiers["granted"] > 0)].copy()
    giants["year"] = giants["quarter"].dt.year
    granted = giants.set_index("year")["granted"]
    # A batch is a whole number of simulated firms.
    assert granted[2019] <= 248 + 0.5 / SCALE
    assert granted[2020] <= 1744 + 0.5 / SCALE
    assert set(giants.loc[giants["year"] >= 2021, "bound"]) == {"eligibility"}


def test_single_champions_are_counted_once_a_year(baseline):
    champions = frame(baseline).set_index("quarter")["single_champions"]
    assert champions.iloc[-1] > 0
    changed = champions.diff().fillna(0) != 0
    assert set(champions.index[changed].quarter) <= {3}


def test_rules_hold_from_their_start_on(without_levers):
    """Before it the reported rules do, bit for bit."""
    later = run(rules(start="2022Q1", srdi={"rd_intensity_min": 0.06}), until=2024)
    assert tables_equal(later, without_levers, until="2022-01-01")
    assert frame(later)["srdi_smes"].iloc[-1] != frame(without_levers)["srdi_smes"].iloc[-1]


def test_the_lower_the_bar_for_research_the_more_certificates():
    """After one year and after three; a report that meets a bar also earns points.

    Who works for the bar alone reports less where it is lower and earns fewer points: after three years that takes away
    what a bar below the first band of points gave.
    """
    stocks = [
        frame(run(rules(start="2022Q1", srdi={"rd_intensity_min": bar}), until=2024, scale=0.02))["srdi_smes"]
        for bar in (0.02, 0.03, 0.06)
    ]
    low, middle, high = (stock.iloc[-9] for stock in stocks)
    assert low > middle > 1.03 * high
    low, middle, high = (stock.iloc[-1] for stock in stocks)
    assert middle > 1.03 * high
    assert low == pytest.approx(middle, rel=0.01)


def test_without_relabelling_a_higher_bar_for_research_leaves_fewer_certificates():
    honest = {"relabel_chance": 0.0}
    before, after = (
        run(Policy(rules=changed, parameters=honest), until=2024)
        for changed in (Rules(), Rules(start="2022Q1", srdi={"rd_intensity_min": 0.06}))
    )
    assert frame(after)["srdi_smes"].iloc[-1] < frame(before)["srdi_smes"].iloc[-1]


def test_audits_revoke_certificates_got_with_relabelled_research():
    lax, strict = (run(rules(start="2023Q1", audit_strictness=level), until=2024, scale=0.02) for level in (0.0, 0.9))
    revoked = [frame(model, "tier").query("quarter >= '2023-01-01'")["revoked"].sum() for model in (lax, strict)]
    assert revoked[0] == 0
    assert revoked[1] > 0
    genuine = [frame(model)["genuine_srdi_share"].iloc[-1] for model in (lax, strict)]
    assert genuine[1] > genuine[0]


def test_who_stops_research_after_relabelling_can_still_be_caught():
    """The audit reads last year's report: in the first quarter it stays on record when R&D stops."""
    model = SRDIModel(rules(audit_strictness=0.0), scale=0.05, rng=1, until=2023)
    caught = 0
    while model.running:
        model.step()
        firms = model.firms.columns
        caught += int(((firms.tier > 0) & (firms.rd_intensity == 0) & (firms.relabelled > 0)).sum())
    assert caught > 0


def test_an_award_ends_with_the_title():
    policy = Policy(
        levers=levers(little_giant_awards={"start": "2019Q3", "budget_yuan": 2e10}),
        rules=Rules.model_validate({"little_giant": {"review_strictness": 1.0}}),
    )
    firms = run(policy, until=2024, scale=0.03).firms.to_frame()
    ended = firms[firms["awarded_in"] < NEVER]
    assert len(ended) > 0
    running = firms[(firms["awarded_in"] >= 0) & (firms["tier"] < 3)]
    assert running.empty


def test_a_capacity_never_lifts_a_pilot_batch():
    tiers = frame(run(rules(little_giant={"capacity": 100_000}), until=2020), "tier")
    giants = tiers[(tiers["tier"] == "little_giant") & (tiers["granted"] > 0)]
    assert giants["granted"].iloc[0] <= 248 + 0.5 / SCALE


def test_a_model_at_its_end_stays_there(baseline):
    rows, quarter = len(frame(baseline)), baseline.quarter
    baseline.step()
    assert (len(frame(baseline)), baseline.quarter) == (rows, quarter)


# --- determinism


@pytest.mark.parametrize("worth_sharing", [0, 10**9], ids=["every pass", "the long pass"])
def test_the_same_seed_gives_the_same_bits_on_any_number_of_threads(worth_sharing, monkeypatch):
    monkeypatch.setattr("sim.firms.blocks._WORTH_SHARING", worth_sharing)
    one = run(Policy(levers=ALL_LEVERS), until=2024)
    for threads in (2, 3):
        assert tables_equal(one, run(Policy(levers=ALL_LEVERS), until=2024, threads=threads))


def test_other_seeds_give_other_histories():
    assert not tables_equal(run(until=2019), run(until=2019, rng=2))


# --- causality: tests/sim/test_lever_effects.py


@pytest.fixture(scope="module")
def without_levers():
    return run(until=2024)


def test_recognised_clusters_build_their_commons():
    model = run(Policy(levers=levers(cluster_recognition={"start": "2019Q4"})), until=2022)
    clusters = frame(model, "cluster")
    assert clusters.groupby("quarter").size().tolist() == [100, 200, 300, 400]
    first = clusters[clusters["recognised"] == clusters["recognised"].min()]
    assert first.groupby("quarter")["commons"].mean().is_monotonic_increasing
    assert frame(model)["clusters"].iloc[-1] == 400


def test_targeting_keeps_support_in_the_target_group():
    only = {"start": "2019Q3", "provinces": ["Anhui", "Hubei"], "counties_only": True}
    model = run(Policy(levers=levers(digital_empowerment=only)), until=2021, scale=0.02)
    supported = frame(model, "province").groupby("province")["digital_supported"].max()
    assert set(supported[supported > 0].index) <= {"Anhui", "Hubei"}
    firms = model.firms.to_frame()
    counties = firms.loc[firms["digitised_in"] != NEVER, "county"]
    assert len(counties) > 0
    assert not model.geography.county_is_urban[counties].any()


def test_awards_keep_to_their_target_group():
    only = {"start": "2019Q3", "provinces": ["Jiangsu"], "sectors": ["general_machinery", "electronics"]}
    model = run(Policy(levers=levers(little_giant_awards=only)), until=2021, scale=0.05)
    firms = model.firms.to_frame()
    awarded = firms[firms["awarded_in"] != NEVER]
    provinces = np.array(province_names())[model.geography.county_province[awarded["county"]]]
    assert set(provinces) == {"Jiangsu"}
    assert set(np.array(sector_names())[awarded["sector"]]) <= {"general_machinery", "electronics"}


def test_clusters_are_recognised_only_in_the_target_group():
    only = {"start": "2019Q4", "provinces": ["Anhui", "Hubei", "Zhejiang"], "counties_only": True}
    clusters = frame(run(Policy(levers=levers(cluster_recognition=only)), until=2020), "cluster")
    assert set(clusters["province"]) == {"Anhui", "Hubei", "Zhejiang"}
    geography = SRDIModel(Policy(), scale=0.001, rng=1).geography
    assert not geography.county_is_urban[clusters["county"]].any()


# --- rules


def rules(**changes) -> Policy:
    return Policy(rules=Rules.model_validate(changes))


def test_a_lower_bar_makes_more_little_giants():
    easier, plain = (
        frame(run(policy, until=2022, scale=0.05))
        for policy in (rules(little_giant={"niche_share_min": 0.02}), Policy())
    )
    assert easier["little_giants"].iloc[-1] > 1.05 * plain["little_giants"].iloc[-1]


def test_a_capacity_binds_and_says_so():
    model = run(rules(little_giant={"capacity": 500}), until=2022)
    tiers = frame(model, "tier")
    giants = tiers[(tiers["tier"] == "little_giant") & (tiers["granted"] > 0)]
    assert (giants["granted"] <= 500).all()
    assert "capacity" in set(giants["bound"])


@pytest.mark.parametrize("tier", TIERS)
def test_no_year_of_any_tier_exceeds_its_capacity(tier):
    tiers = frame(run(rules(**{tier: {"capacity": 1000}}), until=2023), "tier")
    batches = tiers[(tiers["tier"] == tier) & (tiers["granted"] > 0)]
    years = batches.groupby(batches["quarter"].dt.year)["granted"].sum()
    assert len(years) > 1
    assert (years <= 1000).all()
    assert set(batches.loc[batches["bound"] == "eligibility", "passed"] <= 1000) <= {True}


def test_the_second_call_of_a_year_is_for_the_share_it_is_given():
    none, some, all_ = (
        frame(run(Policy(parameters={"second_call": share}), until=2021), "tier") for share in (0.0, 0.5, 1.0)
    )

    def granted(tiers, number):
        srdi = tiers[(tiers["tier"] == "srdi") & (tiers["quarter"].dt.quarter == number)]
        return srdi["granted"].sum()

    assert granted(none, 1) > 0
    assert granted(none, 3) == 0
    assert granted(all_, 1) == 0
    assert 0 < granted(some, 3) < granted(all_, 3)
    assert 0 < granted(some, 1) < granted(none, 1)


def test_listings_settle_at_the_places_of_the_exchanges():
    """New certificates are felt a quarter later, so listings exceed the places while many come."""

    def a_year(places: float) -> float:
        return listings(Policy(), places, since=2020, until=2023) / 4

    assert 320.0 < a_year(400.0) < 640.0
    assert a_year(1e5) > 1_000.0
    assert a_year(0.0) == 0.0


def test_listed_firms_are_counted_among_srdi_smes(baseline):
    columns = baseline.firms.columns
    listed = columns.flags & LISTED != 0
    certified = columns.tier >= Tier.srdi
    assert baseline.recorder.latest["listed_firms"] * baseline.scale == pytest.approx((listed & certified).sum())
    assert (listed & ~certified).any()


def test_narrower_notices_before_the_measures_hold_firms_back_until_then():
    wide, narrow = (
        frame(run(Policy(parameters={"early_notice": points, "giant_bar": 70.0}), until=2022)).set_index("quarter")[
            "little_giants_granted"
        ]
        for points in (0.0, 15.0)
    )
    assert narrow["2021-09-30"] < wide["2021-09-30"]
    # Who was held back comes with the first batch under the measures.
    assert narrow["2022-09-30"] > wide["2022-09-30"]


def test_the_bar_of_the_notices_does_not_hold_for_pilot_batches():
    low, high = (
        frame(run(Policy(parameters={"early_notice": points, "giant_bar": 75.0}), until=2021)).set_index("quarter")[
            "little_giants_granted"
        ]
        for points in (0.0, 20.0)
    )
    for pilot in ("2019-09-30", "2020-09-30"):
        assert low[pilot] == high[pilot] > 0
    assert high["2021-09-30"] < low["2021-09-30"]


def test_a_capacity_of_nobody_certifies_nobody():
    nobody = run(rules(little_giant={"capacity": 0}), until=2022)
    assert frame(nobody)["little_giants"].max() == 0


def test_a_review_without_strictness_refuses_nobody():
    tiers = frame(run(rules(srdi={"review_strictness": 0.0}), until=2024), "tier")
    srdi = tiers[tiers["tier"] == "srdi"]
    assert srdi["reviewed"].sum() > 0
    assert srdi["renewed"].sum() == srdi["reviewed"].sum()


def test_full_audit_ends_relabelling():
    lax, strict = (frame(run(rules(audit_strictness=level), until=2021)).iloc[-1] for level in (0.0, 1.0))
    assert strict["rd_reported_yuan"] == pytest.approx(strict["rd_true_yuan"], rel=1e-6)
    assert lax["rd_reported_yuan"] > 1.0005 * lax["rd_true_yuan"]


def test_removing_the_threshold_removes_the_bunching_at_it():
    """Reported R&D intensities pile up just above 3 % only while a rule asks for 3 % or rewards it with points."""

    def pile(policy):
        firms = run(policy, until=2023, scale=0.02).firms.to_frame()
        reported = firms["rd_last_year"]
        return (reported.between(0.03, 0.032)).sum() / (reported.between(0.026, 0.028)).sum()

    without = rules(
        srdi={"rd_intensity_min": 0.0},
        little_giant={"rd_intensity_min": 0.0, "rd_intensity_mid_min": 0.0},
    ).model_copy(update={"model": Feedbacks(points=False)})
    assert pile(Policy()) > 1.5 * pile(without)
    assert pile(without) < 1.3
