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
from accounts import check_accounts
from conftest import frame, tables_equal
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from regulation import meets_the_file

import scenarios.ensembles.ensemble
import sim.firms.blocks
import sim.ladder.rounds
import sim.levers.base
import sim.records.ledger
import sim.records.recorder
from scenarios import load_scenario, run_ensemble
from scenarios.files.describe import scenario_toml
from scenarios.files.schema import Scenario
from sim.branching import branch, first_difference
from sim.calendar import START
from sim.feedbacks import Feedbacks
from sim.flows import Flow
from sim.ladder.fields import FIELDS, read_fields
from sim.levers import Levers
from sim.model import SRDIModel
from sim.parameters import parameter_table
from sim.policy import Policy
from sim.records.outputs import TABLES
from sim.reference import province_names, sector_names
from sim.rules import Rules
from sim.shocks import Shocks
from sim.tiers import TIERS

LATEST = 2026
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
    assert type(None) in get_args(kind), field
    assert not any(str in get_args(part) or part is str for part in get_args(kind)), field  # a capacity
    return st.integers(0, 8).map(lambda power: 4**power)


def table_of(model, apart=("announced", "start", "end")):
    """Some fields of a table of the schema with allowed values."""
    return st.fixed_dictionaries(
        {}, optional={name: value_of(field) for name, field in model.model_fields.items() if name not in apart}
    )


def window(first: int, quarters: int, notice: int | None) -> dict:
    return {"end": str(START + first + quarters)} | announced(first, notice)


def announced(first: int, notice: int | None) -> dict:
    """A start, with or without an announcement so many quarters before it."""
    start = START + first
    return {"start": str(start), "announced": None if notice is None else str(max(start + -notice, START + 1))}


NOTICES = st.none() | st.integers(0, 8)
WINDOWS = st.builds(window, st.integers(1, 16), st.integers(0, 32), NOTICES)
#: Many from the first quarter on: much of what a rule does takes years.
FIRSTS = st.just(1) | st.integers(1, 24)
STARTS = FIRSTS.map(lambda ahead: {"start": str(START + ahead)})


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
    st.builds(announced, FIRSTS, NOTICES),
)
SHOCKS = {name: merged(table_of(field.annotation), STARTS) for name, field in Shocks.model_fields.items()}
FEEDBACKS = st.fixed_dictionaries({}, optional=dict.fromkeys(Feedbacks.model_fields, st.booleans()))
PARAMETERS = {name: numbers(entry.low, entry.high) for name, entry in parameter_table().items()}


def read(values: dict) -> Policy:
    """A policy, or another example where fields contradict each other."""
    try:
        return Policy.model_validate(values)
    except ValidationError:
        assume(False)


def policies(levers):
    return st.fixed_dictionaries(
        {
            "levers": levers,
            "rules": RULES,
            "shocks": some_of(SHOCKS, 2),
            "model": FEEDBACKS,
            "parameters": some_of(PARAMETERS, 4),
        }
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
    share=st.integers(1, 20).map(lambda tiles: tiles * sim.firms.blocks.TILE),
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
            st.fixed_dictionaries({"announced": st.none(), way: NOTHING[way]}),
        )
    )
    for name in Levers.model_fields
}
IDLE = st.fixed_dictionaries(
    {
        "levers": some_of(IDLE_LEVERS, 9, least=1),
        "rules": merged(RULES, st.just({"announced": None, "start": f"{LATEST + 1}Q1"})),
        "shocks": some_of({name: merged(table, st.just({"severity": 0.0})) for name, table in SHOCKS.items()}, 4),
        "parameters": some_of({name: st.just(entry.value) for name, entry in parameter_table().items()}, 6),
    }
).map(read)


def check_idle(idle, run):
    """A policy that says nothing is the policy without it."""
    one, other = done(Policy(), **run), done(idle, **run)
    assert tables_equal(one, other, without=("spending",))
    levers = frame(other, "spending").query("kind == 'lever'")
    assert (levers[["spending_yuan", "committed_yuan", "recipients"]] == 0).all(axis=None)


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
        counts = real(self)
        counts[..., 2] -= self.model.flows[..., Flow.closed_little_giant]
        return counts

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
        (test_accounts, sim.records.recorder.Recorder, "_little_giant_flows", uncounted_closures),
        (
            test_accounts,
            sim.records.ledger.Account,
            "available",
            lambda real: property(lambda self: 2 * real.fget(self)),
        ),
        (test_accounts, sim.ladder.rounds.Rounds, "capacity", one_more),
        (test_accounts, sim.ladder.rounds.Rounds, "review", unreviewed),
        (test_accounts, sim.levers.base.Lever, "acts_in", too_early),
        (test_certificates, sim.ladder.rounds, "build_criteria", without_rules),
        (test_chunks, sim.firms.blocks, "_add", one_too_many),
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
