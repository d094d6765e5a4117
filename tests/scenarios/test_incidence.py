"""Who gains and who loses: numbers worked out by hand, sums to the nation, and what is refused."""

from __future__ import annotations

import io
import math
from collections import defaultdict

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from command_line import last
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from made_up import DATES, add_places, add_spending, ensemble
from rich.console import Console

from scenarios import InputError, ResultsError, cash, incidence, load_scenario, run_ensemble
from scenarios.analysis.again import SIZES, manufacturing
from scenarios.analysis.firm_runs import follow
from scenarios.analysis.incidence import DIMENSIONS, NATION, PAID, gini, sums_by_size, theil
from scenarios.cli import main
from scenarios.commands.incidence_tables import print_incidence
from scenarios.commands.money import incidence as command
from scenarios.ensembles.rerun import jobs_again
from scenarios.files.labels import WORDS
from sim.calendar import Quarter
from sim.reference import province_names, region_names

FIRMS = {"county": [100, 100], "urban": [300, 300]}
STAFF = {"county": [1000, 1000], "urban": [3000, 3000]}
TITLES = {
    "baseline": {"county": [10, 20], "urban": [30, 40]},
    "more": {"county": [14, 20], "urban": [30, 42]},
}
FUND, RELIEF = ("lever", "sme_fund"), ("tax", "tax_relief")


def made_up(titles=TITLES, **manifest):
    """Two pairs of runs in two kinds of counties."""
    results = ensemble(dict.fromkeys(titles, (1, 1)), **manifest)
    values = {
        scenario: {
            place: {"firms": FIRMS[place], "employment": STAFF[place], "srdi_smes": figures}
            for place, figures in places.items()
        }
        for scenario, places in titles.items()
    }
    accounts = {
        scenario: {
            FUND: {"spending_yuan": [[0, 5e6], [0, 7e6]] if scenario == "more" else [[0, 0], [0, 0]]},
            RELIEF: {"spending_yuan": [[1e9, 2e9], [1e9, 2e9]]},
        }
        for scenario in titles
    }
    return add_spending(add_places(results, "county_type", values), accounts)


def number(found, measure, place=NATION, scenario="more", quantity="srdi_smes", *, lever="", kind=None):
    """Value, low and high of one row; kind only where the lever does not tell it."""
    rows = found.rows if kind is None else found.rows[found.rows["kind"] == kind]
    rows = rows.set_index(["scenario", "quantity", "measure", "place", "lever"]).sort_index()
    row = rows.loc[(scenario, quantity, measure, place, lever)]
    return (row["value"], row["low"], row["high"])


def test_changes_per_head_and_shares_are_those_computed_by_hand():
    found = incidence(made_up(), "county_type")
    # Pairs change by 4 and 0 in counties, by 0 and 2 in districts; the quantiles lie between the two.
    assert number(found, "change", "county") == pytest.approx((2.0, 0.4, 3.6))
    assert number(found, "change", "urban") == pytest.approx((1.0, 0.2, 1.8))
    assert number(found, "change") == pytest.approx((3.0, 2.2, 3.8))
    assert number(found, "change_per_1000_firms", "county") == pytest.approx((20.0, 4.0, 36.0))
    assert number(found, "change_per_1000_firms")[0] == pytest.approx(3 / 0.4)
    assert number(found, "change_per_1000_employees", "urban")[0] == pytest.approx(1 / 3)
    assert number(found, "share_of_change", "county")[0] == pytest.approx(2 / 3)
    assert number(found, "share_of_nation", "county", "baseline")[0] == pytest.approx((10 / 40 + 20 / 60) / 2)
    assert number(found, "level", "county")[0] == 17.0
    assert (number(found, "gains")[0], number(found, "losses")[0]) == (3.0, 0.0)
    assert (found.pairs, found.quarters, found.parameters_vary) == (2, ("2019Q1",), False)


def test_concentration_is_that_computed_by_hand():
    found = incidence(made_up(), "county_type")
    # Of two places: the difference over twice the sum.
    before, after = np.array([20 / 80, 20 / 120]), np.array([16 / 88, 22 / 124])
    assert number(found, "gini", scenario="baseline")[0] == pytest.approx(before.mean())
    assert number(found, "gini_change")[0] == pytest.approx((after - before).mean())
    assert number(found, "gini_gains") == pytest.approx((0.5, 0.5, 0.5))  # one place has all in each pair
    assert math.isnan(number(found, "gini_losses")[0])
    first = 0.25 * math.log(0.5) + 0.75 * math.log(1.5)
    second = math.log(2 / 3) / 3 + 2 * math.log(4 / 3) / 3
    assert number(found, "theil", scenario="baseline")[0] == pytest.approx((first + second) / 2)


def test_a_place_that_loses_counts_as_loss_and_has_no_share_of_a_change_of_either_sign():
    found = incidence(made_up(TITLES | {"more": {"county": [12, 18], "urban": [29, 39]}}), "county_type")
    assert number(found, "change", "urban")[0] == -1.0
    assert (number(found, "gains")[0], number(found, "losses")[0]) == (0.0, -1.0)
    assert math.isnan(number(found, "share_of_change", "urban")[0])  # the nation changes by 1 and by -3


def without_money(results):
    """Results of an earlier version, whose tables by place have no public money."""
    columns = ["public_spending_yuan", "tax_relief_yuan", "title_awards_yuan", "public_cost_yuan"]
    results.county_type = results.county_type.drop(columns=columns)
    return results


def test_public_money_of_a_table_without_it_is_by_lever_alone_and_says_so():
    found = incidence(without_money(made_up()), "county_type")
    assert not found.money_is_placed
    assert PAID not in found.by_place("more")
    money = found.rows[found.rows["quantity"] == PAID]
    assert set(money["place"]) == {NATION}
    assert set(money["note"]) == {"not booked by county type"}
    assert number(found, "change", quantity=PAID, lever="sme_fund")[0] == 6e6
    assert number(found, "change", quantity=PAID, lever="all")[0] == 6e6
    assert number(found, "level", quantity=PAID, lever="tax_relief")[0] == 3e9  # since the start
    assert number(found, "change_per_1000_employees", quantity=PAID, lever="sme_fund")[0] == pytest.approx(1.5e6)


def test_public_money_by_place_is_that_paid_since_the_start():
    results = made_up()
    table = pd.concat([results.county_type.assign(quarter=DATES[0]), results.county_type], ignore_index=True)
    county, more = table["county_type"] == "county", table["scenario"] == "more"
    now = table["quarter"] == table["quarter"].max()
    results.county_type = table.assign(
        public_spending_yuan=np.where(county & more & now, 5e6 + 2e6 * table["replicate"], 0.0),
        tax_relief_yuan=np.where(county, 1e9, 3e9),
        title_awards_yuan=0.0,
    ).assign(public_cost_yuan=lambda frame: frame["public_spending_yuan"] + frame["tax_relief_yuan"])
    found = incidence(results, "county_type", quantities="srdi_smes")
    assert found.money_is_placed
    assert number(found, "level", "urban", quantity=PAID, lever="all")[0] == 2 * 3e9
    assert number(found, "change", "county", quantity=PAID, lever="all")[0] == 6e6
    assert number(found, "change", "county", quantity=PAID, kind="lever")[0] == 6e6
    assert number(found, "change", "county", quantity=PAID, kind="tax")[0] == 0.0
    assert number(found, "share_of_change", "county", quantity=PAID, lever="all")[0] == 1.0
    assert number(found, "change", quantity=PAID, lever="sme_fund")[0] == 6e6  # of the nation, from the accounts
    assert list(found.by_place("more")) == ["srdi_smes", PAID]
    assert found.by_place("more")[PAID]["county"]["change"]["value"] == 6e6
    text = " ".join(printed(found).split())
    assert "more against baseline: public money, bn yuan paid up to 2019Q1, by county_type" in text
    assert "It is booked where the recipient is" in text


def test_one_pair_has_no_range():
    results = made_up()
    results.national = results.national[results.national["replicate"] == 0]
    results.county_type = results.county_type[results.county_type["replicate"] == 0]
    results.spending = results.spending[results.spending["replicate"] == 0]
    found = incidence(results, "county_type")
    value, low, high = number(found, "change", "county")
    assert (value, math.isnan(low), math.isnan(high)) == (4.0, True, True)
    assert found.records()["rows"][0]["low"] is None
    assert "There is only one pair" in printed(found)


def test_regions_are_those_of_the_statistics_office():
    east = "Beijing Tianjin Hebei Shanghai Jiangsu Zhejiang Fujian Shandong Guangdong Hainan"
    centre = "Shanxi Anhui Jiangxi Henan Hubei Hunan"
    named = dict.fromkeys(east.split(), "east") | dict.fromkeys(centre.split(), "centre")
    named |= dict.fromkeys(("Liaoning", "Jilin", "Heilongjiang"), "northeast")
    assert region_names() == {name: named.get(name, "west") for name in province_names()}


@given(arrays(float, st.tuples(st.integers(1, 3), st.integers(1, 9)), elements=st.floats(0.01, 1e6)))
def test_measures_of_concentration_keep_their_limits(values):
    places = values.shape[1]
    assert (gini(values) >= -1e-12).all()
    assert (gini(values) <= 1 - 1 / places + 1e-12).all()
    assert (theil(values) >= -1e-12).all()
    assert (theil(values) <= math.log(places) + 1e-12).all()
    assert gini(7.0 * values) == pytest.approx(gini(values))
    one = np.zeros_like(values)
    one[:, 0] = values[:, 0]
    assert gini(one) == pytest.approx(1 - 1 / places)
    assert theil(one) == pytest.approx(math.log(places))
    assert np.isnan(gini(np.zeros_like(values))).all()
    assert np.isnan(theil(np.zeros_like(values))).all()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"by": "sizes"}, "^by is 'sizes'; did you mean 'size'. .allowed: province, region,"),
        ({"by": "region", "pairs": 1}, "^pairs is 1: only by size are pairs run again"),
        ({"by": "provinces"}, "^by is 'provinces'; did you mean 'province'"),
        ({"by": ["province"]}, "^by is .'province'."),
        ({"by": None}, "^by is None"),
        ({"baseline": "basline"}, "did you mean 'baseline'"),
        ({"quantities": ["srdi_sme"]}, "^quantity is 'srdi_sme'; did you mean 'srdi_smes'"),
        ({"quantities": "digital_level_mean"}, "^quantity is 'digital_level_mean'"),
        ({"by": "tier", "quantities": "srdi_smes"}, "allowed by tier: firms, employment"),
        ({"quarters": "2031Q1"}, "^quarter is '2031Q1'.*allowed: 2018Q4 to 2019Q1"),
    ],
)
def test_unknown_names_are_refused_with_what_is_allowed(arguments, words):
    with pytest.raises(InputError, match=words):
        incidence(made_up(), **{"by": "county_type", **arguments})


def test_what_is_no_ensemble_and_a_scenario_alone_are_refused():
    with pytest.raises(InputError, match=r"^results is .results/first.; allowed is one object returned by"):
        incidence("results/first", "region")
    with pytest.raises(InputError, match="has only 'baseline'"):
        incidence(made_up({"baseline": TITLES["baseline"]}), "county_type")


@pytest.mark.parametrize("kept", [slice(1, None), slice(0, 0), [0, 0, *range(1, 8)]])
def test_a_table_that_lacks_a_row_or_has_one_twice_is_damaged(kept):
    results = made_up()
    results.county_type = results.county_type.iloc[kept]
    with pytest.raises(ResultsError, match=r"county_type.parquet does not have every county_type in 2019Q1"):
        incidence(results, "county_type")


def test_money_that_lacks_a_run_is_damaged():
    results = made_up()
    results.spending = results.spending.iloc[2:]
    with pytest.raises(ResultsError, match=r"spending.parquet does not have every run"):
        incidence(results, "county_type")


def printed(found) -> str:
    console = Console(width=150, record=True, file=io.StringIO())
    print_incidence(found, console)
    return console.export_text()


def test_the_tables_say_who_gains_and_that_money_of_old_results_has_no_place():
    text = " ".join(printed(incidence(without_money(made_up()), "county_type", quantities="srdi_smes")).split())
    assert "more against baseline: srdi_smes, firms, by county_type (2019Q1)" in text
    assert "Of 2, 2 clearly gain and 0 clearly lose" in text
    assert "public money, not booked by county type" in text
    assert "Results do not hold it by county type" in text
    assert "nan" not in text


# --- a real ensemble


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    scenarios = [load_scenario("baseline"), load_scenario("no-policy")]
    out = tmp_path_factory.mktemp("incidence") / "results"
    return run_ensemble(scenarios, out=out, replicates=2, scale=0.001, until=2023, workers=1)


@pytest.mark.parametrize("by", DIMENSIONS)
def test_places_sum_to_the_nation_of_a_real_ensemble(results, by):
    found = incidence(results, by)
    # Single firms hold whole thousands of sales and parts of a person; the tables hold their sums.
    close = {"rel": 1e-4 if by == "size" else 1e-6}
    ends = results.national[results.national["quarter"] == results.national["quarter"].max()]
    means = ends.groupby("scenario", observed=True)[["public_cost_yuan", *found.quantities]].mean()
    for measure, whole in (("level", "level"), ("change", "change"), ("share_of_nation", None)):
        rows = found.rows[(found.rows["measure"] == measure) & found.rows["kind"].isin(("", "all"))]
        if not found.money_is_placed:
            rows = rows[rows["quantity"] != PAID]
        parts = rows[rows["place"] != NATION].groupby(["scenario", "quantity"])["value"].sum()
        for (scenario, quantity), total in parts.items():
            lever = "all" if quantity == PAID else ""
            wanted = number(found, whole, NATION, scenario, quantity, lever=lever)[0] if whole else 1.0
            assert total == pytest.approx(wanted)
            if measure == "level" and quantity != PAID:
                assert total == pytest.approx(means.loc[scenario, quantity], **close)
    gains, losses, change = (number(found, name, scenario="no-policy", quantity="employment")[0] for name in SUMS)
    assert gains + losses == pytest.approx(change)
    assert set(found.rows["label"]) <= set(WORDS)
    assert set(found.rows.loc[found.rows["scenario"] == "baseline", "label"]) == {"fitted"}
    assert set(found.rows.loc[found.rows["scenario"] == "no-policy", "label"]) == {"assumed"}


SUMS = ("gains", "losses", "change")


def test_sizes_are_of_some_pairs_and_so_is_the_money(results):
    told = []
    found = incidence(results, "size", quantities="employment", pairs=1, on_start=told.append)
    assert (found.pairs, found.available, told) == (1, 2, [1])
    assert set(found.rows["place"]) == {"micro", "small", "medium", "large", NATION}
    first = results.national[(results.national["scenario"] == "baseline") & (results.national["replicate"] == 0)]
    paid = number(found, "level", NATION, "baseline", PAID, lever="all")[0]
    assert paid == pytest.approx(first["public_cost_yuan"].sum())
    # A micro firm has fewer than 20 employees, a large one 300 or more.
    staff, firms = (
        {size: number(incidence(results, "size", pairs=1), "level", size, "baseline", name)[0] for size in SIZES}
        for name in ("employment", "firms")
    )
    means = [staff[size] / firms[size] for size in SIZES if firms[size]]
    assert means == sorted(means)
    assert means[0] < 20.0
    text = " ".join(printed(found).split())
    assert "1 of 2 pairs were run again, because results hold no sizes of firms" in text


def test_sums_by_size_are_those_of_plain_python(results):
    (jobs,) = jobs_again(results, ["baseline"], [(0, 1)])
    run = follow(jobs[0], (), Quarter(2023, 4))
    sums = sums_by_size(run)
    wanted = defaultdict(float)
    for slot in np.flatnonzero(run.alive):
        staff = run.amounts["employment"][slot]
        limits = (20, 300, 1000) if manufacturing()[run.sector[slot]] else (10, 100, 300)
        size = sum(staff >= limit for limit in limits)
        wanted["firms", size] += 1000.0
        wanted["employment", size] += 1000.0 * staff
        wanted["srdi_smes", size] += 1000.0 * (run.tier[slot] >= 2)
        wanted["revenue_yuan", size] += 250.0 * run.amounts["revenue_yuan"][slot]
    for (name, size), total in wanted.items():
        assert sums[name][size] == pytest.approx(total), (name, size)


def test_results_of_another_version_are_not_divided_by_size(results):
    national = results.national
    changed = type(results)(results.path, results.manifest)
    changed.national = national.assign(employment=national["employment"] * 1.01)
    with pytest.raises(InputError, match=r"^4 of 4 runs do not repeat the figures of .*another version"):
        incidence(changed, "size")


def test_money_is_that_of_the_nation_and_of_the_cash_flow(results):
    found = incidence(results, "region", quantities="employment")
    national = results.national[results.national["scenario"] == "baseline"]
    total = national.groupby("replicate")["public_cost_yuan"].sum().mean()
    assert number(found, "level", NATION, "baseline", PAID, lever="all")[0] == pytest.approx(total)
    flow = cash(results, "baseline").rows
    so_far = flow[(flow["quantity"] == "paid_cumulative_yuan") & (flow["year"] == 2023) & (flow["kind"] == "all")]
    assert so_far["value"].item() == pytest.approx(total)


def test_the_command_ends_with_the_agreed_line_of_json(results):
    done = CliRunner().invoke(command, [str(results.path), "--by", "region", "--quantity", "employment", "--json"])
    assert done.exit_code == 0, done.output
    rows = last(done)["rows"]
    assert all({"scenario", "quantity", "value", "low", "high", "label"} <= set(row) for row in rows)
    assert {row["place"] for row in rows} == {"east", "centre", "west", "northeast", NATION}
    assert "It is booked where the recipient is" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--by", "sizes"], "by is 'sizes'; did you mean 'size'? (allowed: province, region"),
        (["--by", "size", "--pairs", "3"], "it must be a number from 1 to 2"),
        (["--by", "region", "--quarter", "2050Q1"], "allowed: 2018Q4 to 2023Q4"),
        ([], "Missing option '--by'"),
    ],
)
def test_bad_input_of_the_command_ends_with_two_and_one_sentence(results, arguments, words, capsys, monkeypatch):
    monkeypatch.setitem(main.commands, "incidence", command)
    with pytest.raises(SystemExit) as left:
        main(["incidence", str(results.path), *arguments])
    assert left.value.code == 2
    said = capsys.readouterr().err.strip()
    assert words in said
    assert len(said.splitlines()) == 1
