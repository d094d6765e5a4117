"""Every lever: nothing before its start, nothing at zero intensity, the right sign, never above its budget."""

from __future__ import annotations

from functools import cache

import pandas as pd
import pytest
from conftest import SCALE, frame, levers, listings, run, tables_equal

from sim.calendar import Quarter
from sim.levers import PROGRAMMES, Levers
from sim.policy import Policy
from sim.rules import Rules

START = "2021Q3"
UNTIL = 2024
LEVERS = list(Levers.model_fields)
#: Levers whose recipients are few: their effect is looked for at a larger scale and intensity.
RARE = ("listing_support", "county_relocation", "county_preference", "first_equipment")


def policy(name: str, **settings) -> Policy:
    """One lever from START on, beside recognised clusters that some levers need."""
    chosen = {"cluster_recognition": {"start": "2019Q4"}, name: {"start": START, "end": "2030Q4", **settings}}
    return Policy(levers=levers(**chosen))


@cache
def without(name: str):
    """The same without the lever."""
    others = {} if name == "cluster_recognition" else {"cluster_recognition": {"start": "2019Q4"}}
    return run(Policy(levers=levers(**others)), until=UNTIL)


@cache
def with_lever(name: str):
    return run(policy(name), until=UNTIL)


@pytest.mark.parametrize("name", LEVERS)
def test_a_lever_acts_from_its_start_on_and_never_before(name):
    before = str((Quarter.parse(START) + -1).end_date + pd.Timedelta(days=1))
    assert tables_equal(with_lever(name), without(name), until=before, without=["spending"])
    assert not tables_equal(with_lever(name), without(name), without=["spending"])


@pytest.mark.parametrize("name", LEVERS)
def test_a_lever_at_zero_intensity_is_the_baseline_bit_for_bit(name):
    idle = run(policy(name, intensity=0.0), until=UNTIL)
    assert tables_equal(idle, without(name), without=["spending"])
    assert frame(idle, "spending").query("lever == @name")["spending_yuan"].sum() == 0


@pytest.mark.parametrize("name", LEVERS)
def test_a_lever_moves_its_own_outcome_the_right_way_and_costs_money(name):
    lever = Levers.model_fields[name].annotation
    column, sign = lever.outcome
    on, off = with_lever(name), without(name)
    if name in RARE:
        settings = {"scale": 0.05, "until": UNTIL}
        # A bonus matters where the bar does: not far above the pass mark, as fitted, it keeps few applicants out.
        # With more places than applicants, a listing takes no place from others.
        room = {"county_preference": {"giant_bar": 75.0}, "listing_support": {"listing_places": 1e5}}
        changed = {"parameters": room.get(name, {})}
        on = run(policy(name, intensity=5.0, budget_yuan=1e11).model_copy(update=changed), **settings)
        off = run(policy(name, intensity=0.0).model_copy(update=changed), **settings)
    effect = (frame(on)[column] - frame(off)[column])[-12:].mean()
    assert sign * effect > 0
    spent = frame(on, "spending").query("lever == @name")["spending_yuan"].sum()
    assert (spent > 0) == (lever.cost_rule != "none: a rule, not public money")


def test_where_places_are_scarce_support_for_listing_hardly_moves_how_many_list():
    def supported(places: float, intensity: float) -> float:
        # Places are scarce from 2022 on.
        support = policy("listing_support", intensity=intensity, budget_yuan=1e11)
        return listings(support, places, since=2022, until=UNTIL)

    ample, scarce = (supported(places, 5.0) / supported(places, 0.0) - 1.0 for places in (1e5, 150.0))
    assert ample > 0.1
    assert abs(scarce) < 0.25 * ample


@pytest.mark.parametrize("budget", [1.0, 3e7, 2e8])
@pytest.mark.parametrize("name", LEVERS)
def test_no_quarter_ends_above_the_budget(name, budget):
    """Commitments and money spent so far, at every quarter, also where the budget is less than one grant."""
    spending = frame(run(policy(name, budget_yuan=budget), until=2023, scale=0.002), "spending")
    spending = spending[spending["lever"] == name]
    assert (spending["budget_yuan"] == budget).all()
    assert (spending["committed_yuan"] <= budget * (1 + 1e-9)).all()
    assert (spending["spending_yuan"].cumsum() <= spending["committed_yuan"] * (1 + 1e-9)).all()


@pytest.mark.parametrize("name", PROGRAMMES)
def test_a_programme_pays_only_living_firms_and_frees_the_rest(name):
    """Recipients x yearly cost is the most a term can cost; money of firms that closed is granted anew."""
    spending = frame(with_lever(name), "spending").query("lever == @name").set_index("quarter")
    unit = Levers.model_fields[name].annotation.model_fields["yuan_per_firm"].default
    granted = spending["recipients"][spending["recipients"] > 0]
    assert (granted.index.month == Quarter.parse(START).end_date.month).all()
    for date, firms in granted.items():
        term = spending.loc[date : date + pd.DateOffset(months=9), "spending_yuan"]
        assert term.sum() <= firms * unit * (1 + 1e-9)
        # Firms that closed are paid no more; one simulated firm may be among very few.
        few = 2 * unit / SCALE
        assert term.sum() >= (0.7 * firms * unit - few) * len(term) / 4


def test_support_stays_in_the_target_group():
    target = {"provinces": ["Anhui", "Hubei"], "counties_only": True, "lowest_tier": "innovative"}
    model = run(policy("governance_training", start="2022Q3", **target), until=2023, scale=0.02)
    firms = model.firms.to_frame()
    supported = firms[(firms["support"] & (1 << PROGRAMMES.index("governance_training"))) != 0]
    assert len(supported) > 0
    geography = model.geography
    assert not geography.county_is_urban[supported["county"]].any()
    assert set(geography.county_province[supported["county"]]) == {11, 16}


def test_support_can_be_kept_to_recognised_clusters():
    model = run(policy("governance_training", clusters_only=True), until=2023)
    firms = model.firms.to_frame()
    supported = firms[firms["support"] != 0]
    assert len(supported) > 0
    recognised = {cluster.index for cluster in model.clusters}
    assert set(supported["cluster"]) <= recognised


def test_trained_firms_demonstrate_and_other_members_of_the_cluster_follow():
    """Governance of members who were never trained rises where a recognised cluster's firms are trained."""
    strong = {"clusters_only": True, "intensity": 5.0, "budget_yuan": 3e10, "lowest_tier": "innovative"}
    trained = run(policy("governance_training", **strong), until=2026, scale=0.02)
    plain = run(policy("governance_training", enabled=True, intensity=0.0), until=2026, scale=0.02)
    both = trained.firms.to_frame().join(plain.firms.to_frame().add_suffix("_plain"), how="inner")
    members = both["cluster"].isin([cluster.index for cluster in trained.clusters])
    same_firm = (both["age"] == both["age_plain"]) & (both["cluster"] == both["cluster_plain"])
    never = (both["tier"] == 0) & (both["tier_plain"] == 0) & same_firm & members
    assert never.sum() > 100
    assert (both.loc[never, "governance"] - both.loc[never, "governance_plain"]).mean() > 0


def test_what_members_gain_spills_over_to_the_other_firms_of_the_county():
    model = with_lever("cluster_recognition")
    env = model.environment
    for cluster in model.clusters[:20]:
        member, neighbour = env.cluster_effects[cluster.index], env.county_effects[cluster.county]
        assert member.sum() > 0
        assert (neighbour >= model.parameters.commons_spillover * member - 1e-12).all()
    elsewhere = ~env.county_active
    assert not env.county_effects[elsewhere].any()


@pytest.mark.parametrize(
    ("part", "channel"),
    [
        ("finance", "credit"),
        ("talent", "absorption"),
        ("infrastructure", "productivity"),
        ("brand", "refinement"),
        ("services", "peers"),
        ("culture", "pooling"),
    ],
)
def test_each_part_of_the_commons_has_its_own_effect(part, channel):
    from sim.mechanisms.support import Channel

    weights = {
        f"{other}_weight": 0.0 for other in ("finance", "talent", "infrastructure", "brand", "services", "culture")
    }
    only = policy("cluster_recognition", start="2019Q4", **{**weights, f"{part}_weight": 1.0})
    model = run(only, until=2021, scale=0.002)
    effects = model.environment.cluster_effects[model.clusters[0].index]
    assert effects[getattr(Channel, channel)] > 0
    for other in ("credit", "absorption", "productivity", "refinement", "peers", "pooling"):
        if other != channel:
            assert effects[getattr(Channel, other)] == 0


def test_the_county_preference_acts_in_the_national_batch_only():
    """The provinces rank applicants for SRDI SMEs by the points of the statutory criteria alone."""
    few = Rules(start="2022Q1", srdi={"capacity": 10_000}, little_giant={"capacity": 2_000})
    found = {}
    for bonus in (0.0, 20.0):
        preference = {"start": "2022Q1", "bonus_points": bonus}
        chosen = Policy(levers=levers(county_preference=preference), rules=few)
        counties = frame(run(chosen, scale=0.02, until=2022), "county_type").query("county_type == 'county'")
        found[bonus] = counties.set_index("quarter")
    assert found[0.0].loc["2022-03-31", "srdi_smes"] > found[0.0].loc["2021-12-31", "srdi_smes"]
    assert found[0.0].loc["2022-03-31", "srdi_smes"] == found[20.0].loc["2022-03-31", "srdi_smes"]
    assert found[0.0].loc["2022-12-31", "little_giants"] < found[20.0].loc["2022-12-31", "little_giants"]
