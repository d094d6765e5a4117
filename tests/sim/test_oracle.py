"""The model agrees with the same rules in plain Python, firm by firm and quarter by quarter (see `tests/oracle`)."""

from __future__ import annotations

import copy
from collections import Counter
from itertools import product
from types import SimpleNamespace

import numpy as np
import pytest
from oracle import behaviour, counts, ladder, support
from oracle.compare import AFTER_A_QUARTER, AFTER_A_RUN, Comparison, take_up, take_up_parts
from oracle.country import Country
from oracle.firm import FUND_BACKED, LISTED, MOVED, NEWCOMER
from oracle.scenarios import NAMES, policy

from sim.branching import branch
from sim.calendar import Quarter
from sim.ladder.criteria import build_criteria, score
from sim.ladder.fields import FIELDS
from sim.ladder.recognition import meets
from sim.levers import PROGRAMMES
from sim.model import SRDIModel
from sim.numerics.jit import kernel
from sim.parameters import parameter_table
from sim.rules import REPORTED
from sim.tiers import TIERS

#: The least scale: about 2,700 firms.
SCALE = 0.0005
SEEDS = (1, 2)


def pair(name: str, seed: int, until: int = 2030) -> tuple[SRDIModel, Country]:
    """The model and the oracle at the start of a scenario."""
    model = SRDIModel(policy(name), scale=SCALE, rng=seed, until=until)
    return model, Country(model)


def follow(model: SRDIModel, country: Country, comparison: Comparison, quarters: int = 1000):
    """Let both go on until they differ, or for some quarters, or to the end; yields after each quarter."""
    while model.running and quarters and not comparison.differences:
        model.step()
        country.step()
        comparison.quarter(country, model)
        quarters -= 1
        yield


def described(comparison: Comparison) -> str:
    """The first differences, for a message."""
    return "\n".join([f"{len(comparison.differences)} differences", *comparison.differences[:20]])


def check(name: str, seed: int, until: int, by_itself: bool) -> Comparison:
    """Compare a run; `by_itself` never lets the oracle see a firm of the model again after the start."""
    model, country = pair(name, seed, until)
    comparison = Comparison(AFTER_A_RUN if by_itself else AFTER_A_QUARTER)
    comparison.quarter(country, model)
    for _ in follow(model, country, comparison):
        (take_up_parts if by_itself else take_up)(country, model)
    print(f"{name}, seed {seed}: {comparison.compared} firm-quarters, {comparison.farthest:.2f} of what is allowed")
    assert not comparison.differences, described(comparison)
    return comparison


def test_every_firm_of_a_run_is_the_same_though_the_oracle_goes_by_itself():
    check("baseline", 2, 2020, by_itself=True)


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", ["baseline", "no-policy", "short of money", "targets"])
def test_every_firm_is_the_same_to_the_end_though_the_oracle_goes_by_itself(name, seed):
    check(name, seed, 2030, by_itself=True)


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", NAMES)
def test_every_firm_is_the_same_in_every_quarter_of_every_scenario(name, seed):
    check(name, seed, 2027, by_itself=False)


@pytest.fixture(scope="module")
def everything() -> SimpleNamespace:
    """A run of the scenario that has everything in it, quarter by quarter, to the end of 2023.

    comparison; happened: Counter of events; stages: copies of model and oracle at the end of 2020 and of 2023.
    """
    model, country = pair("everything", 3)
    run = SimpleNamespace(comparison=Comparison(), happened=Counter(), stages=[])
    for _ in follow(model, country, run.comparison, 20):
        take_up(country, model)
        for (what, *_), count in country.flows.items():
            run.happened[what] += count
        run.happened.update(country.bound.items())
        for firm in country.firms:
            run.happened.update(name for bit, name in enumerate(PROGRAMMES) if firm.support >> bit & 1)
            run.happened.update(flag for flag in (LISTED, FUND_BACKED, NEWCOMER, MOVED) if firm.has(flag))
            run.happened["converted"] += firm.digitised_in == country.now
            run.happened["awarded"] += firm.awarded_in == country.now
        run.happened["clusters"] += len(country.recognised)
        run.happened["exchanges full"] += country.admitted < 1.0
        if country.quarter in (Quarter(2020, 4), Quarter(2023, 4)):
            run.stages.append((branch(model, model.policy), copied(country)))
    return run


def copied(country: Country) -> Country:
    """A copy that shares what no quarter changes."""
    return copy.deepcopy(country, {id(part): part for part in (country.world, country.policy)})


def test_every_firm_is_the_same_in_every_quarter_with_everything_switched_on(everything):
    print(f"{everything.comparison.compared} firm-quarters, {everything.comparison.farthest:.2f} of what is allowed")
    assert not everything.comparison.differences, described(everything.comparison)
    assert everything.comparison.compared > 50_000


def test_everything_that_can_happen_happens_in_the_run_compared(everything):
    flows = ("births", "deaths", "firsts", "listings", "moves", "spilled", "passed_on", "lost")
    closed = ("closed_innovative", "closed_srdi", "closed_little_giant")
    rounds = [(tier, what) for tier in TIERS for what in ("eligible", "granted", "reviewed", "renewed", "lapsed")]
    bound = [("little_giant", "capacity"), ("srdi", "eligibility")]
    flags = (LISTED, FUND_BACKED, NEWCOMER, MOVED)
    chosen = ("converted", "awarded", "clusters", "exchanges full")
    for what in (*flows, *closed, *rounds, *bound, *flags, *chosen, *PROGRAMMES):
        assert everything.happened[what] > 0, what
    assert sum(everything.happened[tier, "revoked"] for tier in TIERS) > 0


# ---------------------------------------------------------------- it can fail


WRONG = {
    "hazard": (behaviour, "exit_chance", lambda firm, seen, p: 1.01 * p.exit_base),
    "size": (behaviour, "size_of", lambda log_employment: min(log_employment / 6.8, 1.0)),
    "threshold": (behaviour, "next_threshold", lambda firm, rules: rules.srdi.rd_intensity_min),
    "green": (behaviour, "go_green", lambda firm, seen, country: None),
    "moves": (behaviour, "move_to_county", lambda firm, seen, country: None),
    "means": (counts, "COUNTED", 21),
    "public cost": (counts, "public_cost", lambda country: {"title_awards_yuan": 0.0}),
    "money by place": (support.Programme, "supported", lambda one: Counter({(0, 0): 1})),
    "capacity": (ladder, "room_left", lambda tier, country: None),
    "direct way": (ladder, "all_hold", lambda alternative, fields, rules: False),
    "lot": (support, "lot_rank", lambda firm, weight, u: int(1.0 + u * 65534.0)),
}


def differs_within_a_year(stage, change=lambda country: None) -> list[str]:
    """What differs within a year if the oracle has a change; in every quarter it starts from the model's firms."""
    model, country = branch(stage[0], stage[0].policy), copied(stage[1])
    change(country)
    comparison = Comparison()
    for _ in follow(model, country, comparison, 4):
        take_up(country, model)
    return comparison.differences


def test_without_a_change_nothing_is_found(everything):
    assert differs_within_a_year(everything.stages[1]) == []


@pytest.mark.parametrize("name", WRONG)
def test_a_changed_rule_is_found(everything, monkeypatch, name):
    where, what, other = WRONG[name]
    monkeypatch.setattr(where, what, other)
    assert differs_within_a_year(everything.stages[1])


def test_a_message_names_quarter_firm_and_column(everything):
    slot = next(firm.slot for firm in everything.stages[0][1].firms if not firm.vacant)

    def one_more_person(country):
        country.firms[slot].employment += 1.0

    message = differs_within_a_year(everything.stages[0], one_more_person)[0]
    assert message.startswith(f"2021Q1, firm {slot}, employment: oracle ")


def test_a_rule_changed_in_the_model_is_found():
    model, country = pair("no-policy", 1)
    srdi = model.policy.rules.srdi
    changed = srdi.model_copy(update={"rd_spending_min": 1.1 * srdi.rd_spending_min})
    country.policy = model.policy.model_copy(update={"rules": model.policy.rules.model_copy(update={"srdi": changed})})
    comparison = Comparison()
    for _ in follow(model, country, comparison, 4):
        pass
    assert comparison.differences


#: Parameters of the start and of the fixed world, which the oracle takes over.
TAKEN_OVER = {
    name
    for name, parameter in parameter_table().items()
    if parameter.group in ("space", "population") and name != "productivity_spread"
} | {
    *("niches_total", "niche_size_sigma", "niche_research_lean", "services_promoted", "niche_own_chain"),
    *("chains_total", "buyer_closing", "rd_province", "rd_urban", "entry_attraction"),
    *("cluster_firms_min", "cluster_concentration_min", "start_listed", "start_listed_revenue"),
}


@pytest.mark.slow
def test_another_value_of_any_parameter_is_found(everything):
    def found(name: str) -> bool:
        for factor, stage in product((3.0, 0.1), reversed(everything.stages)):

            def change(country, factor=factor):
                value = getattr(country.p, name)
                setattr(country.p, name, factor * value if value else 10.0)

            if differs_within_a_year(stage, change):
                return True
        return False

    assert [name for name in parameter_table() if name not in TAKEN_OVER and not found(name)] == []


# ---------------------------------------------------------------- criteria, clause by clause


@kernel
def _judge(criteria, rows, noise, met, points):
    for i in range(met.size):
        met[i] = meets(criteria, rows[i], noise[i])
        points[i] = score(criteria, rows[i])


def bounds_of(tier: str, rules) -> list[tuple[str, float]]:
    """Field and bound of every condition and band of a tier's criteria."""
    data = ladder.CRITERIA[tier]
    alternatives = [part for requirement in data.get("require", ()) for part in requirement["any"]]
    found = []
    for alternative in (*alternatives, *data.get("direct", ())):
        for condition in alternative["all"]:
            bound = condition.get("at_least", condition.get("at_most"))
            found.append((condition["field"], getattr(rules, bound) if isinstance(bound, str) else bound))
    return found + [(item["field"], band[0]) for item in data.get("score", ()) for band in item["bands"]]


def strangers(tier: str, rules, count: int) -> list[dict[str, float]]:
    """Firms as an assessor sees them: very good ones, but for up to four fields near a bound."""
    draw = np.random.default_rng(7)
    bounds = bounds_of(tier, rules)
    best = {field.name: 1.0 for field in FIELDS} | {"debt_ratio": 0.1}
    for field, bound in bounds:
        if field != "debt_ratio":
            best[field] = max(best[field], 1.2 * bound)
    # Fields of which one alone can be enough.
    enough = {part["field"] for way in ladder.CRITERIA[tier].get("direct", ()) for part in way["all"]}
    firms = []
    for _ in range(count):
        firm = best | dict.fromkeys(enough, 0.0) if draw.random() < 0.7 else dict(best)
        for index in draw.integers(len(bounds), size=draw.integers(5)):
            field, bound = bounds[index]
            firm[field] = bound * draw.choice([0.9, 1.0, 1.1]) if draw.random() < 0.8 else 0.0
        firms.append(firm)
    return firms


@pytest.mark.parametrize("tier", [*TIERS, "single_champion"])
def test_criteria_are_the_same_clause_by_clause(tier):
    rules = getattr(REPORTED, tier, None)
    firms = strangers(tier, rules, 4000)
    noise = np.random.default_rng(8).normal(0.0, 20.0, len(firms))
    rows = np.array([[firm[field.name] for field in FIELDS] for firm in firms])
    met, points = np.zeros(len(firms), dtype=bool), np.zeros(len(firms))
    _judge(build_criteria(tier, rules), rows, noise, met, points)
    mine = [ladder.meets(tier, firm, rules, off) for firm, off in zip(firms, noise, strict=True)]
    assert met.tolist() == mine
    assert 0.05 < np.mean(mine) < 0.95
    if "score" in ladder.CRITERIA[tier]:
        assert points.tolist() == [ladder.score(tier, firm) for firm in firms]
