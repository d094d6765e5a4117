"""Sweeps: design files are refused in one sentence, designs are what they say, points are scenarios like any other."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from conftest import EARLY

from scenarios import load_results, load_scenario, run_ensemble
from scenarios.analysis.intervals import student_interval
from scenarios.analysis.outcomes import DEFAULT_OUTCOMES, measure, read_outcome
from scenarios.commands.search import sweep
from scenarios.ensembles.rerun import rerun
from scenarios.errors import InputError, ResultsError
from scenarios.records.results import Results
from scenarios.search.design import Factor, apply_point, factors_of, known_settings, read_design
from scenarios.search.sweep import SweepFile, design_of, design_points, sweep_scenarios, sweep_table
from sim.calendar import Quarter

SMALL = {"replicates": 2, "scale": 0.001, "until": 2021, "workers": 1}
SWEEP = """
base = "./early.toml"
method = "grid"
[factors."levers.incubation.budget_yuan"]
values = [0, 10e9]
[factors.parameters.exit_base]
from = 0.001
to = 0.04
levels = 2
"""
LHS = """
method = "lhs"
points = 40
[factors."levers.sme_fund.intensity"]
from = 0.0
to = 2.0
[factors."levers.cluster_recognition.per_year"]
from = 50
to = 52
[factors."levers.sme_fund.yuan_per_firm"]
from = 1e5
to = 1e7
log = true
"""


def written(folder, text, name="fund.toml"):
    (folder / "early.toml").write_text(EARLY, encoding="utf-8")
    (folder / name).write_text(text, encoding="utf-8")
    return folder / name


def points_of(folder, text):
    path = written(folder, text)
    design = read_design(path, SweepFile)
    factors = factors_of(design, load_scenario("baseline"), str(path))
    return factors, design_points(design, factors, str(path))


# --- files


BAD_FILES = [
    (
        'method = "gird"\n[factors."levers.sme_fund.intensity"]\nvalues = [1]',
        "method is 'gird'.*did you mean 'grid'.*grid, lhs, sobol",
    ),
    ('method = "lhs"\npoint = 3\n[factors."levers.sme_fund.intensity"]\nvalues = [1]', "did you mean 'points'"),
    ('method = "lhs"\npoints = "9"\n[factors."levers.sme_fund.intensity"]\nvalues = [1]', "points is '9'"),
    ('method = "lhs"\npoints = 9', "factors is missing"),
    ('method = "lhs"\n[factors."levers.sme_fund.intensity"]\nvalues = [1]', "method 'lhs' needs points = N"),
    (
        'method = "grid"\n[factors."levers.sme_fond.intensity"]\nvalues = [1]',
        "did you mean 'levers.sme_fund.intensity'",
    ),
    ('method = "grid"\n[factors."levers.sme_fund.intensity"]\nfrom = 1\nto = 7\nlevels = 2', "to: .*from 0 to 5"),
    (
        'method = "grid"\n[factors."levers.sme_fund.intensity"]\nfrom = 1\nto = 2\nstep = 1',
        "unknown key .*step.*levels",
    ),
    ('method = "grid"\n[factors."levers.sme_fund.intensity"]\nfrom = 3\nto = 2', "from must lie below to"),
    ('method = "grid"\n[factors."levers.sme_fund.intensity"]\nfrom = 0\nto = 2\nlog = true', "a from above 0"),
    ('method = "grid"\n[factors."levers.sme_fund.intensity"]\nfrom = 0', "give from and to, or values"),
    ('method = "grid"\n[factors."levers.sme_fund.intensity"]\nfrom = 0\nto = 2', "a grid needs levels = N"),
    ('method = "grid"\n[factors."levers.sme_fund.intensity"]\nvalues = [1]\nfrom = 0', "either values, or from and to"),
    ('method = "grid"\n[factors."levers.sme_fund.intensity"]\nvalues = [1, 1]', "the same value twice"),
    ('method = "grid"\n[factors."levers.sme_fund.lowest_tier"]\nfrom = 0\nto = 1\nlevels = 2', "is not a number"),
    ('method = "grid"\n[factors."levers.cluster_recognition.per_year"]\nfrom = 0.5\nto = 2', "not a whole number"),
    ('method = "grid"\n[factors."parameters.exit_base"]\nvalues = [9.0]', "exit_base.*outside"),
    ('method = "sobol"\npoints = 60\n[factors."levers.sme_fund.intensity"]\nvalues = [1]', "such as 32 or 64"),
    (
        'method = "grid"\n'
        + "\n".join(
            f'[factors."levers.{name}.intensity"]\nfrom = 0\nto = 5\nlevels = 20'
            for name in ("sme_fund", "incubation", "open_innovation")
        ),
        "20 x 20 x 20 = 8,000 points; at most 5,000",
    ),
    ('name = "Big"\nmethod = "grid"\n[factors."levers.sme_fund.intensity"]\nvalues = [1]', "set name ="),
]


@pytest.mark.parametrize(("text", "words"), BAD_FILES)
def test_a_bad_file_is_refused_in_one_sentence(tmp_path, text, words):
    path = written(tmp_path, text)
    with pytest.raises(InputError, match=words) as refused:
        sweep_scenarios(read_design(path, SweepFile), load_scenario("baseline"), path)
    assert str(refused.value).startswith(str(path))
    assert "\n" not in str(refused.value)


def test_a_factor_may_be_any_setting_that_can_be_set():
    keys = known_settings()
    assert {"levers.sme_fund.budget_yuan", "rules.srdi.capacity", "shocks.credit_crunch.severity"} <= set(keys)
    assert "parameters.exit_base" in keys


def test_the_base_is_found_beside_the_file(tmp_path):
    written(tmp_path, 'schema = 1\nname = "mine"\n', "mine.toml")
    path = written(tmp_path, SWEEP.replace("early", "mine"))
    assert load_scenario(read_design(path, SweepFile).base).name == "mine"


# --- designs


def test_a_latin_hypercube_has_one_point_in_each_slice_and_is_reproducible(tmp_path):
    factors, points = points_of(tmp_path, LHS)
    slices = [int(point["levers.sme_fund.intensity"] / 2.0 * 40) for point in points]
    assert sorted(slices) == list(range(40))
    logs = np.log10([point["levers.sme_fund.yuan_per_firm"] for point in points])
    assert sorted(((logs - 5) / 2 * 40).astype(int)) == list(range(40))
    counts = [point["levers.cluster_recognition.per_year"] for point in points]
    assert set(counts) == {50, 51, 52}
    assert all(isinstance(count, int) for count in counts)
    assert points_of(tmp_path, LHS) == (factors, points)
    assert points_of(tmp_path, "seed = 2\n" + LHS)[1] != points


def test_sobol_points_fill_every_box_alike(tmp_path):
    text = LHS.replace('"lhs"', '"sobol"').replace("40", "64")
    _, points = points_of(tmp_path, text)
    upper = [(p["levers.sme_fund.intensity"] > 1.0, p["levers.sme_fund.yuan_per_firm"] > 1e6) for p in points]
    assert [upper.count(box) for box in ((True, True), (True, False), (False, True), (False, False))] == [16] * 4


def test_a_grid_has_every_combination_and_a_count_no_fraction(tmp_path):
    text = SWEEP + '[factors."levers.cluster_recognition.per_year"]\nfrom = 0\nto = 3\nlevels = 9\n'
    _, points = points_of(tmp_path, text)
    assert len(points) == 2 * 2 * 4
    assert len({tuple(point.values()) for point in points}) == 16
    assert points[0] == {
        "levers.incubation.budget_yuan": 0,
        "parameters.exit_base": 0.001,
        "levers.cluster_recognition.per_year": 0,
    }


def test_coordinates_reach_both_ends_and_give_every_value_an_equal_part():
    factor = Factor("x", 1, 3, whole=True)
    assert [factor.value_at(u) for u in (0.0, 0.34, 0.99, 1.0)] == [1, 2, 3, 3]
    assert [Factor("x", 0.1, 10.0, log=True).value_at(u) for u in (0.0, 0.5, 1.0)] == pytest.approx([0.1, 1.0, 10.0])
    choice = Factor("x", values=("a", True, 3))
    assert [choice.value_at(u) for u in (0.0, 0.33, 0.34, 0.66, 0.67, 1.0)] == ["a", "a", True, True, 3, 3]
    assert [Factor("x", 1, 100, log=True, whole=True).value_at(u) for u in (0.0, 0.5, 0.6, 1.0)] == [1, 10, 16, 100]


def test_a_grid_is_even_on_its_scale_and_reaches_both_ends():
    assert Factor("x", 1.0, 2.0, levels=3).grid() == [1.0, 1.5, 2.0]
    assert Factor("x", 0.01, 100.0, log=True, levels=3).grid() == pytest.approx([0.01, 1.0, 100.0])
    assert Factor("x", values=(3, 1)).grid() == [3, 1]
    with pytest.raises(ValueError, match="x has no levels"):
        Factor("x", 1.0, 2.0).grid()


# --- points over a base


def test_a_factor_switches_on_what_it_belongs_to_unless_it_is_said_otherwise():
    base = load_scenario("baseline")
    point = apply_point(base, {"levers.sme_fund.intensity": 0.5, "shocks.foreign_supply.niches_share": 0.1}, "p")
    assert point.levers.sme_fund.enabled
    assert point.shocks.foreign_supply.severity == 0.6  # declared
    assert point.shocks.credit_crunch.severity == 0.0
    assert not apply_point(
        base, {"levers.sme_fund.intensity": 0.5, "levers.sme_fund.enabled": False}, "p"
    ).levers.sme_fund.enabled
    assert apply_point(base, {"shocks.foreign_supply.severity": 0}, "p").shocks.foreign_supply.severity == 0.0
    assert apply_point(base, {"rules.srdi.capacity": 5}, "p").rules.srdi.capacity == 5
    assert point.levers.little_giant_awards == base.levers.little_giant_awards


# --- outcomes


def test_an_outcome_is_the_end_a_quarter_or_a_sum():
    assert read_outcome("little_giants", 2030).quarter is None
    assert read_outcome("little_giants@2024Q4", 2030).quarter == Quarter(2024, 4)
    spending = read_outcome("public_spending_yuan", 2030)
    assert (spending.total, spending.unit) == (True, "yuan")
    assert read_outcome("births:sum", 2030).total
    assert read_outcome("revenue_yuan", 2030).unit == "yuan per quarter"
    for end in (Quarter(2018, 4), Quarter(2030, 4)):
        assert read_outcome(f"births@{end}", 2030).quarter == end
    for text, words in (
        ("little_giant", "did you mean 'little_giants'"),
        ("quarter", "unknown output"),
        ("births:mean", "write births, births@2024Q4 or births:sum"),
        ("births@2024", "is not a quarter"),
        ("births@2018Q3", "outside the run, 2018Q4 to 2030Q4"),
        ("births@2031Q1", "outside the run, 2018Q4 to 2030Q4"),
        ("births@2024Q4:sum", "write births, births@2024Q4 or births:sum"),
    ):
        with pytest.raises(InputError, match=words):
            read_outcome(text, 2030)


def test_outcomes_are_measured_by_hand_and_points_hold_their_quantiles():
    quarters = pd.to_datetime(["2019-03-31", "2019-06-30", "2019-09-30"])
    rows = [
        {"scenario": scenario, "draw": 0, "replicate": replicate, "quarter": quarter, "births": value + 10 * replicate}
        for scenario in ("base", "p-0001")
        for replicate in (0, 1)
        for value, quarter in zip((1.0, 2.0, 4.0), quarters, strict=True)
    ]
    outcomes = tuple(read_outcome(text, 2019) for text in ("births", "births@2019Q2", "births:sum"))
    measured = measure(pd.DataFrame(rows), outcomes)
    assert measured.loc["p-0001"].to_numpy().tolist() == [[4.0, 2.0, 7.0], [14.0, 12.0, 37.0]]
    settings = {"levers": {}, "rules": {}, "shocks": {}, "parameters": {"exit_base": 0.02}}
    manifest = {"scenarios": [{"name": name, **settings} for name in ("base", "p-0001")]}
    results = Results(Path("made-up"), manifest | {"factors": ["parameters.exit_base"]})
    results.national = pd.DataFrame(rows)
    (point,) = sweep_table(results, outcomes).to_dict("records")
    assert point["factor", "parameters.exit_base"] == 0.02
    assert [point["births", part] for part in ("median", "p05", "p95")] == pytest.approx([9.0, 4.5, 13.5])


def test_the_interval_of_a_mean_is_students():
    mean, low, high = student_interval(np.array([[1.0, 2.0, 3.0, 4.0]]), axis=1)
    half = 3.182446 * np.std([1, 2, 3, 4], ddof=1) / 2
    assert (mean[0], low[0], high[0]) == pytest.approx((2.5, 2.5 - half, 2.5 + half), rel=1e-5)
    assert np.isnan(student_interval(np.ones((1, 1)), axis=1)[1]).all()


# --- a small real sweep


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sweep")
    path = written(folder, SWEEP)
    design = read_design(path, SweepFile)
    scenarios = sweep_scenarios(design, load_scenario(design.base), path)
    return run_ensemble(scenarios, out=folder / "results", **SMALL)


def test_the_design_is_read_back_from_the_results(results):
    design = design_of(results)
    assert list(design.index) == ["fund-0001", "fund-0002", "fund-0003", "fund-0004"]
    assert design["levers.incubation.budget_yuan"].tolist() == [0, 0, 10e9, 10e9]
    assert design["parameters.exit_base"].tolist() == pytest.approx([0.001, 0.04] * 2)
    assert list(design) == ["levers.incubation.budget_yuan", "parameters.exit_base"]
    joined = results.national.join(design, on="scenario")
    assert joined[joined["scenario"] == "fund-0004"]["parameters.exit_base"].unique() == pytest.approx([0.04])


def test_a_factor_of_one_value_stands_in_the_design(tmp_path):
    # One value that is not the base's, and one that is.
    text = SWEEP.replace("[0, 10e9]", "[10e9]") + '[factors."levers.incubation.intensity"]\nvalues = [1.0]\n'
    options = ["--replicates", "1", "--scale", "0.001", "--until", "2019", "--workers", "1"]
    answer = CliRunner().invoke(
        sweep, [str(written(tmp_path, text)), *options, "--out", str(tmp_path / "out"), "--json"]
    )
    assert answer.exit_code == 0, answer.output
    keys = ["levers.incubation.budget_yuan", "parameters.exit_base", "levers.incubation.intensity"]
    assert json.loads(answer.stdout.splitlines()[-1])["factors"] == keys
    results = load_results(tmp_path / "out")
    design = design_of(results)
    assert list(design) == keys
    assert design["levers.incubation.budget_yuan"].tolist() == [10e9, 10e9]
    assert design["levers.incubation.intensity"].tolist() == [1.0, 1.0]
    rerun(results, tmp_path / "again", workers=1)
    assert design_of(load_results(tmp_path / "again")).equals(design)


def test_a_factor_that_no_scenario_sets_is_damage(results):
    damaged = Results(results.path, results.manifest | {"factors": ["levers.incubation.size"]})
    with pytest.raises(ResultsError, match=r"manifest.json is damaged: no scenario sets its factor .*incubation.size"):
        design_of(damaged)


def test_points_do_what_their_factors_say(results):
    table = sweep_table(results, tuple(read_outcome(name, 2021) for name in (*DEFAULT_OUTCOMES, "firms")))
    spending = table["public_spending_yuan", "median"].tolist()
    assert spending[0] == spending[1] == 0.0  # a budget of 0 is spent by nobody
    assert min(spending[2:]) > 0
    firms = table["firms", "median"]
    assert firms["fund-0001"] > firms["fund-0002"]  # fewer exits
    assert (table["firms", "p05"] <= firms).all()
    assert (firms <= table["firms", "p95"]).all()


def test_a_point_is_the_scenario_that_set_would_make(results, tmp_path):
    settings = ("levers.incubation.budget_yuan=10e9", "levers.incubation.enabled=true", "parameters.exit_base=0.001")
    by_hand = load_scenario(results.path.parent / "early.toml", settings)
    alone = run_ensemble([by_hand], out=tmp_path / "one", **SMALL)
    outcomes = tuple(read_outcome(name, 2021) for name in DEFAULT_OUTCOMES)
    point = measure(results.national, outcomes).loc["fund-0003"]
    np.testing.assert_array_equal(point, measure(alone.national, outcomes).loc["early"])


def test_the_command_prints_every_point_and_ends_with_one_line(tmp_path):
    path = written(tmp_path, SWEEP)
    options = ["--replicates", "1", "--scale", "0.001", "--until", "2019", "--workers", "1"]
    answer = CliRunner().invoke(sweep, [str(path), *options, "--out", str(tmp_path / "out"), "--json"])
    assert answer.exit_code == 0, answer.output
    last = json.loads(answer.stdout.splitlines()[-1])
    assert (last["points"], last["runs"], last["base"]) == (4, 5, "early")
    assert last["rows"][3]["factors"]["parameters.exit_base"] == pytest.approx(0.04)
    assert last["rows"][3]["outcomes"]["productivity_index"]["median"] > 0
    printed = " ".join(answer.stderr.split())
    assert "fund-0004" in printed
    assert "0.04" in printed
    assert "(bn yuan)" in printed
    assert len(design_of(load_results(tmp_path / "out"))) == 4
