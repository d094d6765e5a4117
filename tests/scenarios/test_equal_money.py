"""Policies at the same cost: what is scaled, the search, chances counted by hand, what is refused, and whole runs."""

from __future__ import annotations

import io
import json
import math

import numpy as np
import pytest
from command_line import invoke, last
from made_up import ensemble
from rich.console import Console

from scenarios import InputError, equal_money, load_results, load_scenario
from scenarios.analysis.equal_money import AS_GIVEN, EQUAL, compare_at_equal_cost, find_factor
from scenarios.analysis.intervals import share_interval
from scenarios.analysis.metrics import choose_metrics
from scenarios.commands.equal_money_tables import print_equal_money
from scenarios.files.labels import WORDS
from scenarios.files.scaling import MOST, scaling
from sim.calendar import Quarter

BASE, NONE = load_scenario("baseline"), load_scenario("no-policy")

# --- what is scaled


def scaled(name, *settings, baseline=BASE):
    return scaling(baseline, load_scenario(name, settings))


def keys(given):
    return [setting.key for setting in given.settings]


def test_of_a_new_lever_the_budget_is_scaled_and_not_what_a_firm_gets():
    fund = scaled("sme-fund")
    assert keys(fund) == ["levers.sme_fund.budget_yuan"]
    half = fund.at(0.5, "half")
    assert (half.name, half.levers.sme_fund.budget_yuan, half.levers.sme_fund.yuan_per_firm) == ("half", 17.5e9, 10e6)
    assert half.levers.little_giant_awards == BASE.levers.little_giant_awards
    assert fund.at(1.0, "sme-fund").policy == load_scenario("sme-fund").policy
    assert fund.unscaled == ()


def test_of_a_lever_of_both_only_what_differs_is_scaled_from_the_baseline_on():
    awards = scaled("awards-doubled")
    assert awards.at(0.25, "x").levers.little_giant_awards.budget_yuan == 12.5e9
    assert awards.at(0.0, "x").policy == BASE.policy
    clusters = scaled("clusters-300")
    assert keys(clusters) == ["levers.cluster_recognition.budget_yuan", "levers.cluster_recognition.per_year"]
    # Whole numbers are rounded: 100 + 0.333 · 200.
    assert clusters.at(0.333, "x").levers.cluster_recognition.per_year == 167
    assert "cluster_recognition.per_year 167 (baseline 100, as given 300)" in clusters.text(0.333)
    assert "levers.digital_empowerment.cities_per_batch" in keys(scaled("digital-doubled"))


def test_a_programme_from_nothing_keeps_what_a_recipient_gets():
    today = scaling(NONE, BASE)
    half = today.at(0.5, "half").levers
    assert half.digital_empowerment.subsidy == pytest.approx(BASE.levers.digital_empowerment.subsidy)
    assert (half.digital_empowerment.firms, half.digital_empowerment.city_yuan) == (20_000, 50e6)
    assert (half.cluster_recognition.per_year, half.cluster_recognition.commons_yuan) == (50, 5e6)
    assert today.unscaled == ()


def test_what_is_not_scaled_is_named():
    assert scaled("county-digital").unscaled == ("digital_empowerment",)  # the window and the target group
    assert scaled("sme-fund", "rules.audit_strictness=0.9").unscaled == ("rules.audit_strictness",)


def test_no_factor_leaves_the_range_of_a_setting():
    assert scaled("sme-fund").most == MOST
    assert scaled("clusters-300").most == pytest.approx(9.5)  # of 2,000 a year, 100 + 9.5 · 200
    less = scaled("sme-fund", "levers.little_giant_awards.budget_yuan=6e9")
    assert less.most == pytest.approx(2.5)  # 10 - 2.5 · 4
    assert less.at(less.most, "x").levers.little_giant_awards.budget_yuan == pytest.approx(0.0)


@pytest.mark.parametrize("name", ["strict-review", "county-preference", "demand-slump", "no-policy", "baseline"])
def test_a_policy_without_money_is_refused(name):
    with pytest.raises(InputError, match=rf"^'{name}' cannot be rescaled: no lever that is on in it"):
        scaled(name)


# --- the search


def search(cost_at, wanted, given=None, tolerance=0.001):
    return find_factor(cost_at, given or scaled("sme-fund"), cost_at(1.0), wanted, tolerance)


@pytest.mark.parametrize("wanted", [1e9, 7e9, 9.9e9, 25e9, 99e9])
def test_the_factor_of_a_cost_in_proportion_is_found(wanted):
    assert search(lambda factor: 10e9 * factor, wanted).factor == pytest.approx(wanted / 10e9, rel=0.001)


def test_a_curved_cost_is_found():
    """10 · f / (1 + f), and 3 = 10 · f / (1 + f) at 3 / 7."""
    assert search(lambda factor: 10e9 * factor / (1.0 + factor), 3e9).factor == pytest.approx(3 / 7, rel=0.003)


def test_what_costs_as_much_already_is_not_scaled():
    found = search(lambda factor: 10e9 * factor, 10.005e9)
    assert (found.factor, found.tried) == (1.0, 1)


def test_of_a_cost_in_steps_the_nearest_is_taken():
    """Steps of 2: 6 is as near to 7 as it gets, or 8."""
    found = search(lambda factor: 2e9 * round(5.0 * factor), 7e9)
    assert 2e9 * round(5.0 * found.factor) in (6e9, 8e9)
    assert found.tried < 40


def test_a_cost_that_is_out_of_reach_is_refused():
    with pytest.raises(InputError, match=r"^'sme-fund' costs 12 billion yuan at 10 times its money.*wanted is 20"):
        search(lambda factor: 12e9 * min(factor, 1.0), 20e9)
    with pytest.raises(InputError, match=r"^'sme-fund' costs 4 billion yuan without.*rules.audit_strictness.*is 2"):
        search(lambda factor: 4e9 + 6e9 * factor, 2e9, scaled("sme-fund", "rules.audit_strictness=0.9"))


# --- chances, from results made by hand

LEVER = {"levers": {"sme_fund": {"enabled": True}}}


def compared(giants, yuan, metric="little_giants", **options):
    """Two policies over a baseline of 100 little giants and no cost; yuan in each of two quarters."""
    runs = len(giants["one"])
    results = ensemble(
        {"baseline": [100] * runs, "one-scaled": giants["one"], "other-scaled": giants["other"]},
        {"baseline": [0] * runs, "one-scaled": yuan["one"], "other-scaled": yuan["other"]},
        **options,
    )
    results.manifest["scenarios"] = [
        {"name": "baseline"},
        *({"name": f"{n}-scaled", **LEVER} for n in ("one", "other")),
    ]
    about = [
        {
            **{"scenario": name, "scaled": f"{name}-scaled", "factor": 0.5, "settings": "a → b", "unscaled": ""},
            **{"cost_given_yuan": 4e9, "tried": 3},
        }
        for name in ("one", "other")
    ]
    return compare_at_equal_cost(results, about, 2e9, 0.02, (choose_metrics([metric]), [Quarter(2019, 1)]))


#: The one wins by 5 and 1, ties and loses; per yuan it loses where it costs twice as much.
GIANTS = {"one": [110, 106, 104, 100], "other": [105, 105, 104, 101]}
YUAN = {"one": [1.5e9, 0.5e9, 1e9, 1e9], "other": [0.5e9, 1.5e9, 1e9, 1e9]}


def chance(found, one="one", other="other", measure="in_all"):
    rows = found.chances
    rows = rows[(rows["scenario"] == one) & (rows["other"] == other) & (rows["measure"] == measure)]
    assert len(rows) == 1
    return rows.iloc[0]


def test_chances_are_those_counted_by_hand():
    found = compared(GIANTS, YUAN)
    assert chance(found)[["wins", "ties", "value"]].tolist() == [2, 1, 0.5]
    assert chance(found, "other", "one")[["wins", "ties", "value"]].tolist() == [1, 1, 0.25]
    # Per yuan: 10 / 3 against 5 / 1, 6 / 1 against 5 / 3, 4 / 2 twice, 0 against 1 / 2.
    assert chance(found, measure="per_yuan")[["wins", "ties"]].tolist() == [1, 1]
    assert chance(found, "other", "one", "per_yuan")[["wins", "ties"]].tolist() == [2, 1]
    assert chance(found)["difference"] == pytest.approx((5 + 1 + 0 - 1) / 4)
    assert set(found.chances["label"]) <= set(WORDS)


def test_the_interval_of_a_chance_is_wilsons():
    """From its formula, with z = 1.96: centre (p + z²/2n) / (1 + z²/n)."""
    z, n, p = 1.959964, 4, 0.5
    centre = (p + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * math.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    assert chance(compared(GIANTS, YUAN))[["low", "high"]].tolist() == pytest.approx([centre - half, centre + half])
    assert share_interval(0, 10) == pytest.approx((0.0, 0.2775), abs=1e-4)
    assert share_interval(10, 10)[1] == 1.0


def test_costs_and_effects_are_those_computed_by_hand():
    found = compared(GIANTS, YUAN)
    first = found.policies.iloc[0]
    # Costs of 3, 1, 2 and 2 billion in two quarters.
    assert (first["cost_yuan"], first["off"], first["within"]) == (2e9, 0.0, True)
    assert first["cost_error_yuan"] == pytest.approx(np.std([3e9, 1e9, 2e9, 2e9], ddof=1) / 2)
    effect = found.rows.iloc[0]
    assert (effect["value"], effect["per_billion_yuan"]) == (5.0, 2.5)


def test_of_what_is_bad_less_wins():
    found = compared(GIANTS, YUAN, "public_cost_cumulative_yuan")
    # The one costs 3, 1, 2, 2 and the other 1, 3, 2, 2.
    assert chance(found)[["wins", "ties"]].tolist() == [1, 2]


def test_without_a_cost_in_every_pair_there_is_no_chance_per_yuan():
    found = compared(GIANTS, {"one": [0, 1e9, 1e9, 2e9], "other": [1e9] * 4})
    missing = chance(found, measure="per_yuan")
    assert math.isnan(missing["value"])
    assert "does not cost more than the baseline in every pair" in missing["note"]
    text = printed(found)
    assert "does not cost more" in text
    assert "nan" not in text
    json.dumps(found.records(), allow_nan=False)


def printed(found) -> str:
    console = Console(width=300, record=True, file=io.StringIO())
    print_equal_money(found, console)
    return console.export_text()


def test_the_tables_say_what_was_scaled_and_who_wins():
    text = printed(compared(GIANTS, YUAN))
    assert "one, × 0.5: a → b." in text
    line = next(
        line for line in text.splitlines() if line.startswith("little_giants") and "other" in line and "%" in line
    )
    assert "50 %" in line
    assert "25 %" in line
    assert "Not within" not in text
    assert "Not within 2 % of the cost wanted: one" in printed(compared(GIANTS, {**YUAN, "one": [2e9] * 4}))
    assert "There is only one pair" in printed(compared({"one": [101], "other": [102]}, {"one": [1e9], "other": [1e9]}))


def test_pairs_with_parameter_draws_are_said_to_hold_their_doubt():
    assert compared(GIANTS, YUAN, draws=[1, 2, 3, 4]).parameters_vary


# --- whole runs

#: The cost is what levers pay, which has no noise of tax relief: the tolerance can be tight on a small population.
PLAIN = "model.full_cost=false"
SMALL = {"replicates": 2, "scale": 0.002, "until": 2020, "workers": 1}


def early(name: str, lever: str, budget: float) -> object:
    settings = (f"levers.{lever}.start=2019Q1", f"levers.{lever}.end=2020Q4", f"levers.{lever}.budget_yuan={budget:g}")
    return load_scenario(name, (*settings, PLAIN))


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Guarantees for 6 billion yuan and matchmaking for 2 over two years."""
    out = tmp_path_factory.mktemp("equal") / "out"
    policies = [
        early("credit-guarantees", "credit_guarantees", 6e9),
        early("matchmaking-sales", "matchmaking_sales", 2e9),
    ]
    tried = []
    found = equal_money(
        policies,
        load_scenario("baseline", PLAIN),
        out=out,
        quantities=["employment", "revenue_yuan"],
        on_try=lambda *step: tried.append(step),
        **SMALL,
    )
    return policies, out, found, tried


def test_equal_money_is_equal_within_the_tolerance(runs):
    _, out, found, tried = runs
    costs = found.policies.set_index("scenario")
    assert found.cost_yuan == costs.loc["matchmaking-sales", "cost_given_yuan"]
    assert costs.loc["matchmaking-sales", "factor"] == 1.0
    assert 0.2 < costs.loc["credit-guarantees", "factor"] < 0.5
    assert costs["within"].all()
    # The runs themselves say so, too.
    results = load_results(out / EQUAL)
    sums = results.national.groupby(["scenario", "replicate"], observed=True)["public_cost_yuan"].sum()
    base = sums["baseline"].mean()
    for scenario in found.scenarios:
        assert sums[scenario.name].mean() - base == pytest.approx(found.cost_yuan, rel=found.tolerance)
    assert {name for name, *_ in tried} == {"credit-guarantees"}
    assert (out / AS_GIVEN / "manifest.json").exists()


def test_a_search_that_stopped_goes_on_with_the_same_numbers(runs):
    policies, out, found, _ = runs
    again = equal_money(
        policies,
        load_scenario("baseline", PLAIN),
        out=out,
        quantities=["employment", "revenue_yuan"],
        resume=True,
        **SMALL,
    )
    assert again.records() == found.records()
    with pytest.raises(InputError, match="is not empty; add resume=True"):
        equal_money(policies, BASE, out=out, **SMALL)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("sme-fund",), "compares two scenarios or more; 1 was given"),
        (("sme-fund", "strict-review"), "'strict-review' cannot be rescaled"),
        (("sme-fund", "baseline"), "scenario name 'baseline' is given 2 times"),
        (("sme-fund", "credit-guarantee"), "did you mean 'credit-guarantees'"),
        (("sme-fund", "credit-guarantees", "--cost", "-1"), "cost is -1.0: it must be a number from 1000"),
        (("sme-fund", "credit-guarantees", "--cost", "nan"), "cost is nan"),
        (("sme-fund", "credit-guarantees", "--tolerance", "0"), "tolerance is 0.0: it must be a number from"),
        (("sme-fund", "credit-guarantees", "--quantity", "jobs"), "unknown metric 'jobs'"),
        (("sme-fund", "credit-guarantees", "--quarter", "2018Q1"), "quarter is '2018Q1'"),
        (("sme-fund", "sme-fund"), "scenario name 'sme-fund' is given 2 times"),
    ],
)
def test_bad_input_is_refused_before_anything_is_run(words, said, tmp_path):
    done = invoke("equal-money", *words, "--out", tmp_path / "out", "--params", "default", status=2)
    assert said in done.stderr
    assert len(done.stderr.strip().splitlines()) <= 3
    assert not (tmp_path / "out").exists()


def test_a_policy_that_costs_nothing_more_is_refused(tmp_path):
    """Its lever starts after the run ends, so nothing is paid."""
    policies = [early("credit-guarantees", "credit_guarantees", 6e9), load_scenario("sme-fund", PLAIN)]
    with pytest.raises(
        InputError, match=r"^'sme-fund' costs no more than 'baseline' \(\+0 billion yuan in the mean of"
    ):
        equal_money(policies, load_scenario("baseline", PLAIN), out=tmp_path / "out", **SMALL)


def test_the_command_writes_tables_and_scenario_files(tmp_path):
    files = []
    for name, lever in (("fund-a", "credit_guarantees"), ("fund-b", "matchmaking_sales")):
        files.append(tmp_path / f"{name}.toml")
        files[-1].write_text(
            f'schema = 1\nname = "{name}"\nextends = "baseline"\n[model]\nfull_cost = false\n[levers.{lever}]\n'
            'enabled = true\nstart = "2019Q1"\nend = "2019Q4"\nbudget_yuan = 2e9\n'
        )
    out = tmp_path / "out"
    words = ("--replicates", "2", "--scale", "0.0005", "--until", "2019", "--workers", "1", "--params", "default")
    done = invoke(
        "equal-money", *files, *words, "--set", PLAIN, "--cost", "1e9", "--tolerance", "0.1", "--out", out, "--json"
    )
    found = last(done)
    assert found["cost_yuan"] == 1e9
    assert all(abs(row["off"]) <= 0.1 for row in found["policies"])
    assert "billion yuan" in done.stderr
    for table in ("policies", "effects", "chances"):
        assert (out / f"{table}.csv").read_bytes().startswith(b"\xef\xbb\xbf")
    again = load_scenario(out / "scenarios" / "fund-a-scaled.toml")
    assert again.levers.credit_guarantees.budget_yuan == pytest.approx(2e9 * found["policies"][0]["factor"], rel=1e-5)
