"""Stylised facts: each measure on data with a known answer, and the command that prints them."""

from __future__ import annotations

import contextlib
import json
import math

import numpy as np
import pytest
from click.testing import CliRunner
from command_line import srdi
from conftest import run

from calibration.firms import facts
from calibration.firms.charts import write_figures
from calibration.firms.facts import Fact
from scenarios.cli import main
from sim.policy import Policy


def random(seed=1):
    return np.random.default_rng(seed)


def sizes(rng, count):
    """Employment of 20 to 5,000, even in logs."""
    return np.exp(rng.uniform(np.log(20), np.log(5000), count))


# --- growth


@pytest.mark.parametrize(("draw", "shape"), [("laplace", 1.0), ("normal", 2.0)])
def test_growth_shape_tells_laplace_from_normal(draw, shape):
    rng = random()
    size = sizes(rng, 20_000)
    growth = 0.02 + 0.3 * size**-0.17 * getattr(rng, draw)(size=len(size))
    assert facts.growth_shape(size, growth) == pytest.approx(shape, abs=0.08)


def test_growth_is_rescaled_within_size_classes():
    # Normal within each class; pooled without rescaling the mixture would look like a tent.
    rng = random()
    size = np.repeat([25.0, 3000.0], 10_000)
    growth = np.where(size < 100, 1.0, 0.1) * rng.normal(size=len(size))
    assert facts.growth_shape(size, growth) > 1.8
    assert facts.rescaled_growth(size, growth)[:10_000].std() == pytest.approx(1.0)


@pytest.mark.parametrize("slope", [-0.17, 0.0, 0.2])
def test_the_slope_of_growth_variance_is_found(slope):
    rng = random()
    size = sizes(rng, 40_000)
    growth = 0.3 * size**slope * rng.laplace(size=len(size))
    assert facts.growth_sd_slope(size, growth) == pytest.approx(slope, abs=0.02)


# --- sizes and suppliers


@pytest.mark.parametrize("exponent", [0.8, 1.1, 3.5])
def test_the_tail_exponent_of_a_pareto_sample_is_found(exponent):
    employment = 20 * (1 + random().pareto(exponent, 20_000 if exponent < 2 else 5_000_000))
    assert facts.size_tail(employment) == pytest.approx(exponent, rel=0.1)


def test_suppliers_are_counted_by_customer_firm_without_chain_leaders():
    customer = np.array([-1, 7, 7, 7, -2, -2, -5, -1, 0], dtype=np.int32)
    assert sorted(facts.suppliers_per_customer(customer)) == [1, 3]
    assert len(facts.suppliers_per_customer(np.full(9, -1))) == 0


@pytest.mark.parametrize("exponent", [1.7, 2.3, 3.4])
def test_a_zipf_network_has_its_exponent_and_is_no_exponential(exponent):
    fit = facts.supplier_tail(random().zipf(exponent, 5000))
    assert fit.exponent == pytest.approx(exponent, rel=0.06)
    assert fit.ratio > 1.96


def test_links_by_chance_are_not_taken_for_a_heavy_tail():
    suppliers = random().geometric(0.2, 5000)
    fit = facts.supplier_tail(suppliers)
    assert fit.ratio < -1.96
    assert (suppliers >= fit.start).sum() >= facts.MIN_TAIL


# --- exit


def test_the_closing_ratio_is_that_of_the_hazards():
    rng = random()
    age = rng.uniform(0, 30, 200_000)
    closed = rng.random(len(age)) < np.where(age < 3, 0.12, np.where(age > 10, 0.04, 0.5))
    assert facts.closing_ratio(age, closed) == pytest.approx(3.0, rel=0.1)


def test_a_slot_taken_again_counts_as_closed():
    calm = facts.observe(Policy(parameters={"exit_base": 0.0}), scale=0.001, seed=1, until=2020)
    assert not calm.closed.any()
    # Half of all firms close in every quarter, and entrants soon take their slots.
    hazard = {"exit_base": 0.5, "exit_size": 0.0, "exit_age": 0.0, "exit_productivity": 0.0, "entry_rate": 0.5}
    stormy = facts.observe(Policy(parameters=hazard), scale=0.001, seed=1, until=2020)
    assert stormy.closed.mean() == pytest.approx(1 - 0.5**4, abs=0.02)


# --- places and certificates


def test_the_share_in_the_first_cities_is_not_raised_by_luck():
    rng = random()
    weight = np.ones(300)
    counts = rng.multinomial(200, weight / weight.sum())
    assert facts.share_in_first(counts, weight, first=30) == pytest.approx(0.1, abs=0.07)
    assert np.sort(counts)[-30:].sum() / 200 > 0.25  # what ranking by the counts themselves would say
    assert facts.share_in_first(np.array([5, 1, 4]), np.array([1.0, 2.0, 3.0]), first=1) == 0.4


def test_certified_firms_are_compared_within_their_province():
    # Province 1 is ten times as large; the chosen firms are twice their province's mean everywhere.
    province = np.array([0, 0, 0, 1, 1, 1])
    value = np.array([10.0, 10.0, 20.0, 100.0, 100.0, 200.0])
    chosen = np.array([False, False, True, False, False, True])
    assert facts.ratio_to_province(value, province, chosen, ~chosen) == 2.0
    assert facts.ratio_to_province(value, province, chosen & (province == 0), np.ones(6, bool)) == 1.5


# --- thresholds


def test_a_step_is_seen_where_firms_bunch_and_not_in_a_smooth_density():
    smooth = 0.03 * np.exp(random().normal(0.0, 0.7, 200_000))
    assert facts.step_at(smooth, 0.03) == pytest.approx(1.0, abs=0.05)
    moved = smooth.copy()
    below = np.flatnonzero((smooth >= 0.03 * math.exp(-facts.BIN)) & (smooth < 0.03))
    moved[below[::2]] = 0.0301
    # Half of the lower bin has moved up: 1.5 over 0.5.
    assert facts.step_at(moved, 0.03) == pytest.approx(3.0, rel=0.05)
    assert facts.step_at(np.append(moved, np.zeros(1000)), 0.03) == facts.step_at(moved, 0.03)


def test_the_relabelled_part_is_of_the_money_of_firms_near_the_threshold():
    # The last two report less than two thirds of the threshold and more than two and a half times as much.
    intensity, revenue = np.array([0.03, 0.03, 0.05, 0.0199, 0.0751]), np.array([1.0, 3.0, 1.2, 100.0, 100.0])
    relabelled = np.array([0.5, 0.1, 0.0, 0.0, 0.9])
    # (0.5 · 0.03 + 0.1 · 0.09) / (0.03 + 0.09 + 0.06)
    assert facts.relabelled_share(intensity, revenue, relabelled, 0.03) == pytest.approx(0.024 / 0.18)


def test_bunching_is_made_by_the_threshold():
    policy = Policy()
    free = facts.without_threshold(policy)
    assert (free.rules.srdi.rd_intensity_min, free.rules.little_giant.rd_intensity_min) == (0.0, 0.0)
    assert free.rules.srdi.rd_spending_min == policy.rules.srdi.rd_spending_min
    steps = []
    for each in (policy, free):
        firms = run(each, scale=0.02, until=2023).firms.columns
        active = firms.employment > 0
        steps.append(facts.step_at(firms.rd_last_year[active & (firms.tier < 2)], policy.rules.srdi.rd_intensity_min))
    assert steps[0] > 1.5 * steps[1]


# --- facts as a whole


def fact(value, low, high):
    return Fact("id", "", value, low, high, "", "")


def test_a_fact_holds_between_its_bounds_and_never_without_a_value():
    assert fact(1.0, 0.5, 1.5).holds
    assert fact(9.0, 0.5, None).holds
    assert not fact(0.4, 0.5, None).holds
    assert not fact(1.6, None, 1.5).holds
    assert not fact(1.0, 1.0, None).holds  # as bunching that is the same without the threshold
    assert not fact(math.nan, None, None).holds
    assert not fact(1.0, math.nan, None).holds


def test_too_few_firms_give_no_value():
    few = np.array([30.0, 40.0])
    none = np.zeros(2, bool)
    for value in (
        facts.growth_shape(few, few),
        facts.growth_sd_slope(few, few),
        facts.size_tail(few),
        facts.supplier_tail(np.array([1, 2])).exponent,
        facts.closing_ratio(few, none),
        facts.share_in_first(np.zeros(40), np.ones(40)),
        facts.ratio_to_province(few, np.zeros(2, int), none, ~none),
        facts.step_at(few, 0.03),
        facts.relabelled_share(few, few, np.zeros(2), 0.03),
    ):
        assert math.isnan(value)


def test_every_reference_names_a_source_and_has_bounds_in_order():
    rows = facts.references()
    assert len({row["id"] for row in rows}) == len(rows)
    for row in rows:
        assert row["source"]
        assert row["mark"] in "ABC"
        assert row["id"] == "bunching" or "low" in row or "high" in row
        assert row.get("low", -math.inf) < row.get("high", math.inf)


# --- the command


def test_the_command_prints_every_fact_and_writes_the_figures(tmp_path):
    folder = tmp_path / "figures"
    arguments = ["facts", "--scale", "0.002", "--until", "2020", "--figures", folder]
    answer = srdi(*arguments, "--json")
    assert answer.returncode == 0, answer.stderr
    found = json.loads(answer.stdout.splitlines()[-1], parse_constant=pytest.fail)["facts"]
    assert [row["id"] for row in found] == [row["id"] for row in facts.references()]
    assert {type(row["holds"]) for row in found} == {bool}
    assert "Stylised facts" in answer.stderr
    names = {file.name for file in folder.iterdir()}
    assert names == {
        f"{name}.{end}" for name in ("growth_tent", "rd_bunching", "supplier_counts") for end in ("png", "svg")
    }
    again = srdi(*arguments)
    assert again.returncode == 2
    assert "is not empty" in again.stderr
    assert {file.name for file in folder.iterdir()} == names


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--scale", "20"], "run.scale is 20"),
        (["--until", "2018"], "run.until is 2018"),
        (["--seed", "-1"], "run.seed is -1"),
        (["--figures", "/proc/srdi-cannot-write-here"], "cannot be written"),
    ],
)
def test_bad_input_ends_with_two_and_one_sentence(arguments, words, tmp_path):
    answer = srdi("facts", *arguments, cwd=tmp_path)
    assert answer.returncode == 2
    assert words in answer.stderr
    assert len(answer.stderr.strip().splitlines()) == 1


def test_both_runs_are_counted_on_the_way(monkeypatch):
    told = []

    @contextlib.contextmanager
    def progress_bars():
        yield lambda *progress: told.append(progress)

    def observed(policy, scale, seed, until):
        assert (scale, seed, until) == (0.0005, 3, 2019)
        return policy.rules.srdi.rd_intensity_min

    monkeypatch.setattr("calibration.commands._progress_bars", progress_bars)
    monkeypatch.setattr(facts, "observe", observed)
    shown = Fact("gap", "threshold", 1.0, 0.0, None, "above 0", "made up")
    monkeypatch.setattr(facts, "facts_of", lambda with_it, without: [shown] if with_it > without == 0.0 else [])
    words = ["facts", "--scale", "0.0005", "--seed", "3", "--until", "2019", "--json"]
    answer = CliRunner().invoke(main, words)
    assert told == [("runs", 0, 2), ("runs", 1, 2), ("runs", 2, 2)]
    assert [row["id"] for row in json.loads(answer.stdout)["facts"]] == ["gap"]


def test_figures_can_be_drawn_of_a_world_without_suppliers_and_r_and_d(tmp_path):
    seen = facts.observe(Policy(), scale=0.0005, seed=1, until=2019)
    seen.end.customer[:] = -1
    seen.end.rd_last_year[:] = 0.0
    assert all(path.stat().st_size > 1000 for path in write_figures(seen, seen, tmp_path))
