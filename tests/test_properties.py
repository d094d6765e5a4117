"""What must hold of any run: random levers, rules, shocks and parameters over their whole ranges, scales and seeds.

Each property is tried on a few examples in the suite and on many with ``-m slow``;
``--hypothesis-show-statistics`` prints how many were tried.
"""

from __future__ import annotations

import dataclasses
import inspect
import tempfile
from pathlib import Path
from typing import Literal, get_args, get_origin

import numpy as np
import pandas as pd
import pytest
from conftest import frame, tables_equal
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from test_model import meets_the_file

import scenarios.ensembles.ensemble
import sim.blocks
import sim.ladder.rounds
import sim.ledger
import sim.levers.base
import sim.recorder
from scenarios import load_scenario, run_ensemble
from scenarios.files.describe import scenario_toml
from scenarios.files.schema import Scenario
from sim.branching import branch, first_difference
from sim.calendar import START, Quarter
from sim.columns import NEVER
from sim.ladder.fields import FIELDS, read_fields
from sim.levers import Levers
from sim.model import SRDIModel
from sim.outputs import TABLES
from sim.parameters import parameter_table
from sim.policy import Policy
from sim.reference import province_names, sector_names
from sim.rules import REPORTED, TIERS, Rules
from sim.shocks import Shocks

LATEST = 2026
#: Relative error of sums of some thousands of floats.
ROUNDING = 1e-9

# --- scenarios, from the ranges the schema itself states


def numbers(low: float, high: float, above: bool = False, below: bool = False):
    """Floats of a range; of a wide one by order of magnitude, or money would never be short."""
    if high < 1e6:
        inside = st.integers(1, 19).map(lambda part: low + (high - low) * part / 20)  # else most lie near an end
        return inside | st.floats(low, high, exclude_min=above, exclude_max=below)
    wide = st.floats(-7.0, 0.0).map(lambda power: max(high * 10.0**power, low))
    return wide if above else st.just(low) | wide


def value_of(field):
    """Allowed values of a field of the schema."""
    bounds = {
        name: getattr(part, name) for part in field.metadata for name in ("ge", "gt", "le", "lt") if hasattr(part, name)
    }
    low, high = bounds.get("ge", bounds.get("gt")), bounds.get("le", bounds.get("lt"))
    kind = field.annotation
    if get_origin(kind) is Literal:
        return st.sampled_from(get_args(kind))
    if kind is bool:
        return st.booleans()
    if kind is float:
        return numbers(low, high, above="gt" in bounds, below="lt" in bounds)
    if kind is int:
        return st.integers(low, high)
    if kind == tuple[str, ...]:
        names = province_names() if "province" in field.description else sector_names()
        return st.lists(st.sampled_from(names), max_size=3, unique=True)
    assert type(None) in get_args(kind), field  # a capacity
    return st.integers(0, 8).map(lambda power: 4**power)


def table_of(model, apart=("start", "end")):
    """Some fields of a table of the schema with allowed values."""
    return st.fixed_dictionaries(
        {}, optional={name: value_of(field) for name, field in model.model_fields.items() if name not in apart}
    )


def window(first: int, quarters: int) -> dict:
    return {"start": str(START + first), "end": str(START + first + quarters)}


WINDOWS = st.builds(window, st.integers(1, 16), st.integers(0, 32))
#: Many from the first quarter on: much of what a rule does takes years.
STARTS = (st.just(1) | st.integers(1, 24)).map(lambda ahead: {"start": str(START + ahead)})


def merged(*parts):
    return st.tuples(*parts).map(lambda tables: {key: value for table in tables for key, value in table.items()})


def names_of(tables: dict, most: int, least: int = 0):
    return st.lists(st.sampled_from(sorted(tables)), min_size=least, max_size=most, unique=True)


def these(tables: dict, names):
    return st.fixed_dictionaries({name: tables[name] for name in names})


def some_of(tables: dict, most: int, least: int = 0):
    """So many of some tables by name."""
    return names_of(tables, most, least).flatmap(lambda names: these(tables, names))


LEVERS = {
    name: merged(st.just({"enabled": True}), table_of(field.annotation), WINDOWS)
    for name, field in Levers.model_fields.items()
}
RULES = merged(
    some_of({tier: table_of(Rules.model_fields[tier].annotation) for tier in TIERS}, len(TIERS)),
    st.fixed_dictionaries({}, optional={"audit_strictness": value_of(Rules.model_fields["audit_strictness"])}),
    STARTS,
)
SHOCKS = {name: merged(table_of(field.annotation), STARTS) for name, field in Shocks.model_fields.items()}
PARAMETERS = {name: numbers(entry.low, entry.high) for name, entry in parameter_table().items()}


def read(values: dict) -> Policy:
    """A policy, or another example where fields contradict each other."""
    try:
        return Policy.model_validate(values)
    except ValidationError:
        assume(False)


def policies(levers):
    return st.fixed_dictionaries(
        {"levers": levers, "rules": RULES, "shocks": some_of(SHOCKS, 2), "parameters": some_of(PARAMETERS, 4)}
    ).map(read)


POLICIES = policies(some_of(LEVERS, 9, least=1))
#: Policies that use the same levers, each in its own way.
RIVALS = names_of(LEVERS, 9, least=4).flatmap(
    lambda names: st.lists(policies(these(LEVERS, names)), min_size=2, max_size=3)
)
#: Arguments of a model, but for its policy and threads.
RUNS = st.fixed_dictionaries(
    {
        "scale": st.integers(1, 6).map(lambda part: part / 2000) | st.floats(0.0005, 0.003),
        "rng": st.integers(0, 2**62),
        "until": st.sampled_from((LATEST, *range(START.year + 1, LATEST))),
    }
)


def often(few: int, many: int):
    """Two tests of a property: on few examples, and on many if slow tests are asked for."""

    def made(check, **strategies):
        def tried(examples, **options):
            chosen = settings(max_examples=examples, suppress_health_check=list(HealthCheck), **options)
            return chosen(given(**strategies)(check))

        # In the suite the same examples every time and no search for the smallest; the slow part draws new ones.
        one = tried(few, derandomize=True, phases=[Phase.explicit, Phase.generate])
        # To find a fault, not its smallest example.
        one.unshrunk = tried(10 * few, phases=[Phase.generate], report_multiple_bugs=False)
        return one, pytest.mark.slow(tried(many))

    return made


def done(policy, **arguments) -> SRDIModel:
    model = SRDIModel(policy, **arguments)
    model.run_model()
    model.close()
    return model


# --- one run


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
    spending = tables["spending"].groupby("quarter")["spending_yuan"].sum()
    np.testing.assert_allclose(spending, national["public_spending_yuan"], rtol=ROUNDING)
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
    for name, account in tables["spending"].groupby("lever"):
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


test_accounts, test_accounts_often = often(25, 250)(check_accounts, policy=POLICIES, run=RUNS)


def check_certificates(policy, run):
    """Every firm that is certified meets the criteria in force, as the regulation's file states them."""
    model = SRDIModel(policy, **run)
    firms, p, recognise = model.firms.columns, model.parameter_record, model.rounds.recognise
    noise = p.assessment_noise * np.sqrt(3)

    def recognise_and_check(tier, bar, **called):
        before = firms.tier.copy()
        recognise(tier, bar, **called)
        thresholds = getattr(model.rules, tier).model_dump()
        for slot in np.flatnonzero(firms.tier != before)[:40]:
            out = np.zeros(len(FIELDS))
            read_fields(firms, model.inputs, slot, out)
            firm = {field.name: value for field, value in zip(FIELDS, out, strict=True)}
            assert meets_the_file(tier, firm, noise, thresholds), (tier, firm)

    model.rounds.recognise = recognise_and_check
    model.run_model()
    model.close()


test_certificates, test_certificates_often = often(12, 100)(check_certificates, policy=POLICIES, run=RUNS)


# --- the same bits


def check_chunks(policy, run, threads, share):
    """Neither threads nor the slots a thread takes at once change a bit."""
    one = done(policy, **run)
    other = SRDIModel(policy, **run, threads=threads)
    other.blocks._share = share
    other.run_model()
    other.close()
    assert tables_equal(one, other)


test_chunks, test_chunks_often = often(12, 100)(
    check_chunks,
    policy=POLICIES,
    run=RUNS,
    threads=st.integers(2, 4),
    share=st.integers(1, 20).map(lambda tiles: tiles * sim.blocks.TILE),
)


def check_company(policies, run):
    """A run side by side with others, in any order, is the run alone."""
    alone = [done(policy, **run) for policy in policies]
    together = [SRDIModel(policy, **run) for policy in reversed(policies)]
    while together[0].running:
        for model in together:
            model.step()
    for model, other in zip(reversed(together), alone, strict=True):
        model.close()
        assert tables_equal(model, other)


test_company, test_company_often = often(4, 30)(check_company, policies=RIVALS, run=RUNS)


def check_branches(policies, part, run, quarters):
    """A run that goes on under another policy is that policy's run; before they differ the two are one."""
    policy, rival = policies[:2]
    if part == "lever":  # one of them, or they would differ from the first quarters on
        name = next(name for name in Levers.model_fields if getattr(policy.levers, name).enabled)
        levers = policy.levers.model_copy(update={name: getattr(rival.levers, name)})
        other = policy.model_copy(update={"levers": levers})
    else:
        other = policy.model_copy(update={part: getattr(rival, part)})
    one, two = done(policy, **run), done(other, **run)
    first = first_difference(policy, other)
    if first is not None:
        # A budget is one of a lever's whole window, and stands in the rows before it too.
        assert tables_equal(one, two, until=str(first.end_date), without=("spending",))
    model = SRDIModel(policy, **run)
    for _ in range(quarters):
        if model.running and (first is None or model.quarter + 1 < first):
            model.step()
    branched = branch(model, other)
    branched.run_model()
    assert tables_equal(branched, two)
    model.run_model()
    assert tables_equal(model, one)
    for made in (model, branched):
        made.close()


test_branches, test_branches_often = often(6, 50)(
    check_branches,
    policies=RIVALS,
    part=st.sampled_from(("lever", "rules", "shocks")),
    run=RUNS,
    quarters=st.integers(0, 32),
)

#: Settings that say nothing: levers off, without intensity or too late; shocks of no severity; rules that never start.
NOTHING = {
    "enabled": st.just(False),
    "intensity": st.just(0.0),
    "start": st.integers(LATEST + 1, LATEST + 3).map(lambda year: f"{year}Q1"),
}
IDLE_LEVERS = {
    name: st.sampled_from(sorted(NOTHING)).flatmap(
        lambda way, name=name: merged(
            LEVERS[name],
            st.just({"end": f"{LATEST + 4}Q4"}),
            st.fixed_dictionaries({way: NOTHING[way]}),
        )
    )
    for name in Levers.model_fields
}
IDLE = st.fixed_dictionaries(
    {
        "levers": some_of(IDLE_LEVERS, 9, least=1),
        "rules": merged(RULES, st.just({"start": f"{LATEST + 1}Q1"})),
        "shocks": some_of({name: merged(table, st.just({"severity": 0.0})) for name, table in SHOCKS.items()}, 4),
        "parameters": some_of({name: st.just(entry.value) for name, entry in parameter_table().items()}, 6),
    }
).map(read)


def check_idle(idle, run):
    """A policy that says nothing is the policy without it."""
    one, other = done(Policy(), **run), done(idle, **run)
    assert tables_equal(one, other, without=("spending",))
    assert (frame(other, "spending")[["spending_yuan", "committed_yuan", "recipients"]] == 0).all(axis=None)


test_idle, test_idle_often = often(12, 80)(check_idle, idle=IDLE, run=RUNS)


def check_files(policy, run):
    """A policy written to a file and read again is the same policy."""
    scenario = Scenario(name="any", **dict(policy))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "any.toml"
        path.write_text(scenario_toml(scenario), encoding="utf-8")
        again = load_scenario(path).policy
    assert again == policy
    assert tables_equal(done(policy, **run), done(again, **run))


test_files, test_files_often = often(6, 40)(check_files, policy=POLICIES, run=RUNS)


def check_ensembles(policies, run, stop):
    """Neither the order of scenarios nor an interruption changes a bit of an ensemble's tables."""
    named = [Scenario(name=f"policy-{number}", **dict(policy)) for number, policy in enumerate(policies)]
    settings = {"scale": run["scale"], "seed": run["rng"] % 2**61, "until": run["until"], "replicates": 2, "workers": 1}
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        one = run_ensemble(named, out=out / "one", **settings)
        other = run_ensemble(named[::-1], out=out / "other", **settings)
        for name in TABLES:
            left, right = (
                results.table(name).astype({"scenario": str}).sort_values("scenario", kind="stable", ignore_index=True)
                for results in (one, other)
            )
            for column in left.select_dtypes("category"):
                left[column], right[column] = left[column].astype(str), right[column].astype(str)
            pd.testing.assert_frame_equal(left, right, check_exact=True)
        runs = iter(range(1, 2 * len(policies) + 1))

        def stops():
            if next(runs) == stop:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            run_ensemble(named, out=out / "stopped", on_run=stops, **settings)
        resumed = run_ensemble(named, out=out / "stopped", resume=True, **settings)
        assert resumed.manifest["files"] == one.manifest["files"]


test_ensembles, test_ensembles_often = often(2, 8)(check_ensembles, policies=RIVALS, run=RUNS, stop=st.integers(1, 4))


# --- each property fails on a model with a fault


def uncounted_closures(real):
    def flows(self):
        counts = self.model.rounds.flows["little_giant"]
        return real(self) | {"little_giants_lapsed": counts.count("lapsed") + counts.count("revoked")}

    return flows


def one_more(real):
    def capacity(self, tier, year):
        most = real(self, tier, year)
        return None if most is None else most + 1 / self.model.scale

    return capacity


def unreviewed(real):
    return lambda self, tier: None if tier == "srdi" else real(self, tier)


def too_early(real):
    return lambda self, quarter: real(self, quarter) or real(self, quarter + 1)


def whatever_intensity(real):
    return lambda self, quarter: real(self.model_copy(update={"intensity": 1.0}), quarter)


def reach_of_another_model(real):
    kept = {}

    def reach_of(self, lever):
        if type(lever) not in kept or self.moment.index <= 1:
            kept[type(lever)] = real(self, lever)
        return kept[type(lever)]

    return reach_of


def one_too_many(real):
    def add(totals, part):
        real(totals, part)
        (totals if isinstance(totals, np.ndarray) else totals[0]).flat[0] += 1

    return add


def without_rules(real):
    return lambda tier, rules: real(tier, rules and type(rules)())


def without_shocks(real):
    return lambda self, **options: real(self, **options) | {"shocks": {}}


def in_the_order_made(real):
    """Jobs whose seed hangs on how many were run before."""
    ran = []
    return lambda job: ran.append(job) or real(dataclasses.replace(job, seed=job.seed + len(ran) // 3))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("test", "place", "name", "fault"),
    [
        (test_accounts, sim.recorder.Recorder, "_little_giant_flows", uncounted_closures),
        (test_accounts, sim.ledger.Account, "available", lambda real: property(lambda self: 2 * real.fget(self))),
        (test_accounts, sim.ladder.rounds.Rounds, "capacity", one_more),
        (test_accounts, sim.ladder.rounds.Rounds, "review", unreviewed),
        (test_accounts, sim.levers.base.Lever, "acts_in", too_early),
        (test_certificates, sim.ladder.rounds, "build_criteria", without_rules),
        (test_chunks, sim.blocks, "_add", one_too_many),
        (test_company, SRDIModel, "reach_of", reach_of_another_model),
        (test_branches, sim.levers.base.Lever, "acts_in", too_early),
        (test_idle, sim.levers.base.Lever, "acts_in", whatever_intensity),
        (test_files, Scenario, "model_dump", without_shocks),
        (test_ensembles, scenarios.ensembles.ensemble, "run_job", in_the_order_made),
    ],
)
def test_a_model_with_a_fault_is_found(monkeypatch, test, place, name, fault):
    monkeypatch.setattr(place, name, fault(inspect.getattr_static(place, name)))
    with pytest.raises((AssertionError, ZeroDivisionError, ExceptionGroup)):
        test.unshrunk()
