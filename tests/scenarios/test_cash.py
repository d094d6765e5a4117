"""Public money by year: sums and used-up budgets worked out by hand, and what is refused."""

from __future__ import annotations

import io
import math

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from command_line import last
from made_up import add_spending, ensemble
from rich.console import Console

from scenarios import InputError, ResultsError, cash, load_scenario, run_ensemble
from scenarios.analysis.cash import ALL, NOT_RECORDED, NOT_USED_UP
from scenarios.cli import main
from scenarios.commands.cash_tables import print_cash
from scenarios.commands.money import cash as command

DATES = pd.date_range("2018-12-31", "2020-12-31", freq="QE")
FUND, IDLE, RELIEF = ("lever", "sme_fund"), ("lever", "incubation"), ("tax", "tax_relief")
#: Committed at the end of each quarter of 2018Q4 to 2020Q4, of a budget of 100, in three runs: 99 % of it is reached in
#: the fifth quarter, in the second, and never.
COMMITTED = [
    [0, 20, 20, 50, 99, 99, 99, 100, 100],
    [0, 99, 99, 90, 90, 90, 90, 99, 99],
    [0, 10, 20, 30, 40, 98.9, 98.9, 98.9, 98.9],
]
PAID = [[0, 1, 2, 3, 4, 5, 6, 7, 8], [0, 1, 2, 3, 14, 5, 6, 7, 8], [0, 1, 2, 3, 9, 5, 6, 7, 8]]


def made_up(runs=3, committed=COMMITTED, **manifest):
    """A lever with a budget, one that is off, and tax relief of 1 in each quarter."""
    flat = [[100.0] * len(DATES)] * runs
    accounts = {
        "baseline": {
            FUND: {"spending_yuan": PAID[:runs], "committed_yuan": committed[:runs], "budget_yuan": flat},
            IDLE: {"spending_yuan": [[0.0] * len(DATES)] * runs},
            RELIEF: {"spending_yuan": [[1.0] * len(DATES)] * runs},
        }
    }
    return add_spending(ensemble({"baseline": [1] * runs}, **manifest), accounts, DATES)


def number(found, quantity, year=None, lever="sme_fund", kind="lever"):
    """Value, low and high of one row of a year or, without one, of a budget."""
    rows = found.budgets if year is None else found.rows[found.rows["year"] == year]
    row = rows.set_index(["quantity", "kind", "lever"]).sort_index().loc[(quantity, kind, lever)]
    return (row["value"], row["low"], row["high"])


def test_payments_by_year_are_those_computed_by_hand():
    found = cash(made_up())
    # 2019: 1 + 2 + 3 and 4, 14 or 9; of three runs the 10 % quantile lies a fifth of the way from least to next.
    assert number(found, "paid_yuan", 2019) == pytest.approx((15.0, 11.0, 19.0))
    assert number(found, "paid_yuan", 2020) == (26.0, 26.0, 26.0)
    assert number(found, "paid_cumulative_yuan", 2020) == pytest.approx((41.0, 37.0, 45.0))
    assert number(found, "paid_yuan", 2019, "tax_relief", "tax")[0] == 4.0
    assert number(found, "paid_yuan", 2019, ALL, "lever")[0] == 15.0
    assert number(found, "paid_yuan", 2019, ALL, ALL) == pytest.approx((19.0, 15.0, 23.0))
    assert number(found, "paid_cumulative_yuan", 2020, ALL, ALL)[0] == pytest.approx(41.0 + 9.0)
    assert set(found.rows.loc[found.rows["year"] == 2018, "quarters"]) == {1}


def test_commitments_are_those_at_the_end_of_the_year_and_what_was_added_to_them():
    found = cash(made_up())
    assert number(found, "committed_cumulative_yuan", 2019)[0] == pytest.approx((99 + 90 + 40) / 3)
    assert number(found, "committed_yuan", 2020)[0] == pytest.approx((1 + 9 + 58.9) / 3)
    # Of tax relief and titles nobody records commitments.
    others = found.rows[found.rows["kind"] == "tax"]
    assert set(others["quantity"]) == {"paid_yuan", "paid_cumulative_yuan"}
    assert set(others["note"]) == {NOT_RECORDED}


def test_what_moved_no_money_is_left_out():
    found = cash(made_up())
    assert "incubation" not in {*found.rows["lever"], *found.budgets["lever"]}
    assert found.rows["value"].dtype == float


def test_without_any_money_there_is_nothing_to_show():
    results = made_up()
    money = ["spending_yuan", "committed_yuan", "budget_yuan"]
    results.spending = results.spending.assign(**dict.fromkeys(money, 0.0))
    found = cash(results)
    assert number(found, "paid_yuan", 2020, ALL, ALL) == (0.0, 0.0, 0.0)
    assert found.budgets.empty
    assert "No lever has a budget" in printed(found)


def test_the_quarter_in_which_a_budget_is_used_up_is_that_read_off_by_hand():
    found = cash(made_up())
    assert number(found, "used_up_quarter") == ("2019Q4", "2019Q1", NOT_USED_UP)
    assert number(found, "used_up_share")[0] == pytest.approx(2 / 3)
    assert number(found, "budget_used_share")[0] == pytest.approx((1 + 0.99 + 0.989) / 3)
    assert number(found, "budget_yuan")[0] == 100.0
    assert number(cash(made_up(), used_up=1), "used_up_quarter") == (NOT_USED_UP, "2020Q3", NOT_USED_UP)
    assert number(cash(made_up(), used_up=0.2), "used_up_quarter") == ("2019Q1", "2019Q1", "2019Q2")


def test_sums_of_grants_reach_a_budget_in_spite_of_rounding():
    tenths = np.cumsum([0.0, *[12.5] * 4, 0.1, 0.2, 49.7, 0.0])
    tenths[-2:] = 100.0 - 1e-13
    found = cash(made_up(1, [list(tenths)]), used_up=1)
    assert number(found, "used_up_quarter")[0] == "2020Q3"


def test_one_run_has_no_band():
    found = cash(made_up(1))
    value, low, high = number(found, "paid_yuan", 2019)
    assert (value, math.isnan(low), math.isnan(high)) == (10.0, True, True)
    assert number(found, "used_up_quarter")[0] == "2019Q4"
    assert all(row["low"] is None for row in found.records()["rows"])
    assert "There is only one run" in printed(found)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"scenarios": "basline"}, "^scenario is 'basline'; did you mean 'baseline'. .allowed: baseline"),
        ({"scenarios": ["baseline", "other"]}, "^scenario is 'other'"),
        *(
            ({"used_up": value}, "^used_up is .*above 0 and at most 1")
            for value in (0, -1, 1.01, math.nan, True, "all")
        ),
    ],
)
def test_bad_arguments_are_refused_with_what_is_allowed(arguments, words):
    with pytest.raises(InputError, match=words):
        cash(made_up(), **arguments)


def test_what_is_no_ensemble_is_refused():
    with pytest.raises(InputError, match=r"^results is None; allowed is one object returned by load_results"):
        cash(None)


@pytest.mark.parametrize("kept", [slice(1, None), slice(0, 0), [0, *range(80)]])
def test_a_table_that_lacks_a_row_or_has_one_twice_is_damaged(kept):
    results = made_up()
    results.spending = results.spending.iloc[kept]
    with pytest.raises(ResultsError, match=r"spending.parquet does not have every lever in every quarter"):
        cash(results)


def printed(found, levers=None) -> str:
    console = Console(width=150, record=True, file=io.StringIO())
    print_cash(found, [{"name": "baseline", "title": "As it is", "levers": levers or {}}], console)
    return console.export_text()


def test_the_tables_name_years_windows_and_the_quarter():
    text = printed(cash(made_up()), {"sme_fund": {"start": "2019Q1", "end": "2020Q4"}})
    assert "baseline: As it is (bn yuan)" in text
    assert "2018 *" in text
    (line,) = [line for line in text.splitlines() if line.startswith("sme_fund")]
    assert "2019Q1 to 2020Q4" in line
    assert "2019Q1 … not used up" in line
    assert "nan" not in text


# --- a real ensemble


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    scenarios = [load_scenario("baseline"), load_scenario("no-policy")]
    out = tmp_path_factory.mktemp("cash") / "results"
    return run_ensemble(scenarios, out=out, replicates=2, scale=0.001, until=2024, workers=1)


def test_years_sum_to_the_national_series_of_a_real_ensemble(results):
    found = cash(results).rows
    national = results.national.assign(year=results.national["quarter"].dt.year)
    for kind, column in {
        ALL: "public_cost_yuan",
        "lever": "public_spending_yuan",
        "tax": "tax_relief_yuan",
        "title": "title_awards_yuan",
    }.items():
        wanted = national.groupby(["scenario", "year"], observed=True)[column].sum() / 2  # replicates
        rows = found[(found["quantity"] == "paid_yuan") & (found["kind"] == kind) & (found["lever"] == ALL)]
        assert {"baseline"} <= set(rows["scenario"])
        for row in rows.itertuples():
            assert row.value == pytest.approx(wanted[row.scenario, row.year])
    assert set(found.loc[found["scenario"] == "baseline", "label"]) == {"fitted"}
    assert set(found.loc[found["scenario"] == "no-policy", "label"]) == {"assumed"}


def test_the_command_ends_with_the_agreed_line_of_json(results):
    done = CliRunner().invoke(command, [str(results.path), "--scenario", "baseline", "--json"])
    assert done.exit_code == 0, done.output
    rows = last(done)["rows"]
    assert all({"scenario", "quantity", "value", "low", "high", "label"} <= set(row) for row in rows)
    assert {row["scenario"] for row in rows} == {"baseline"}
    assert {row["quantity"] for row in rows if row["year"] is None} > {"used_up_quarter", "used_up_share"}
    assert "baseline: budgets" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--used-up", "2"], "used_up is 2.0: it must be a number above 0 and at most 1"),
        (["--used-up", "much"], "Invalid value for '--used-up'"),
        (["--scenario", "no-polic"], "did you mean 'no-policy'"),
    ],
)
def test_bad_input_of_the_command_ends_with_two_and_one_sentence(results, arguments, words, capsys, monkeypatch):
    monkeypatch.setitem(main.commands, "cash", command)
    with pytest.raises(SystemExit) as left:
        main(["cash", str(results.path), *arguments])
    assert left.value.code == 2
    said = capsys.readouterr().err.strip()
    assert words in said
    assert len(said.splitlines()) == 1
