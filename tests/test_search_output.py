"""What a sweep and a search print and leave behind, on results made by hand."""

from __future__ import annotations

from dataclasses import replace
from io import StringIO

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from conftest import EARLY
from rich.console import Console
from test_optimize import GOALS

from scenarios import load_scenario
from scenarios.analysis.outcomes import read_outcome
from scenarios.cli import main
from scenarios.commands.search_tables import _ROWS, print_pareto, print_sweep, print_trials, value_text
from scenarios.search.design import Factor
from scenarios.search.optimize import Evaluated, Problem, Trials
from scenarios.search.paired import PairedRuns, ParetoSet, pareto_set
from scenarios.search.pareto_files import write_pareto

KEY = "levers.sme_fund.budget_yuan"
PROBLEM = Problem(
    factors=(Factor(KEY, 0.0, 9e9),), goals=("srdi_smes", "births"), signs=np.array([1.0, -1.0]), budget=5e9
)
OUTCOMES = tuple(read_outcome(goal, 2030) for goal in PROBLEM.goals)


def evaluated(goals, spending) -> Evaluated:
    """Goals (points, goals) and spending (points,), in each of two replicates."""
    pair = np.array([-1.0, 1.0])
    return Evaluated(
        np.array(goals, float)[:, None, :] + pair[None, :, None], np.array(spending, float)[:, None] + 0.0 * pair
    )


#: Three points: the last is dominated on new seeds, the first over the budget there.
FOUND = ParetoSet(
    problem=PROBLEM,
    places=np.array([0, 2, 3]),
    names=("fund-0001", "fund-0003", "fund-0004"),
    points=[{KEY: 1e9}, {KEY: 2e9}, {KEY: 3e9}],
    found=evaluated([[900.0, 9.0], [600.0, 6.0], [300.0, 3.0]], [4e9, 3e9, 2e9]),
    again=evaluated([[800.0, 9.0], [500.0, 5.0], [200.0, 6.0]], [6e9, 3e9, 2e9]),
)
TRIALS = Trials(
    [{KEY: value} for value in (1e9, 9e9, 2e9, 3e9)],
    evaluated([[900.0, 9.0], [950.0, 9.0], [600.0, 6.0], [300.0, 3.0]], [4e9, 7e9, 3e9, 2e9]),
)


def printed(function, *arguments) -> list[list[str]]:
    """Words of the lines that are printed."""
    screen = Console(file=StringIO(), width=200)
    function(*arguments, screen)
    return [line.split() for line in screen.file.getvalue().splitlines()]


# --- sweeps


def sweep_table(points: int) -> pd.DataFrame:
    columns = {("factor", KEY): np.arange(points, dtype=float), ("factor", "levers.sme_fund.enabled"): True}
    columns |= {("srdi_smes", part): 1000.0 + number for number, part in enumerate(("median", "p05", "p95"))}
    return pd.DataFrame(columns, index=[f"fund-{number:04d}" for number in range(1, points + 1)])


@pytest.mark.parametrize(("points", "more"), [(_ROWS, 0), (_ROWS + 3, 3)])
def test_a_long_sweep_is_cut_and_says_by_how_much(points, more):
    lines = printed(print_sweep, sweep_table(points), OUTCOMES[:1], 4)
    rows = [line for line in lines if line and line[0].startswith("fund-")]
    assert len(rows) == points - more
    assert rows[1] == ["fund-0002", "1", "True", "1,000", "[1,001,", "1,002]"]
    assert ([f"… and {more} more points; --json and --out give all".split()] if more else []) == [
        line for line in lines if line[:1] == ["…"]
    ]


def test_a_value_of_a_factor_is_a_number_a_word_or_a_switch():
    assert [value_text(value) for value in (2e11, np.int64(3), True, "srdi")] == ["200 bn", "3", "True", "srdi"]


# --- searches


def test_points_that_fall_back_on_new_seeds_are_marked():
    assert FOUND.within_budget.tolist() == [False, True, True]
    assert FOUND.still_efficient.tolist() == [True, True, False]
    assert FOUND.best == 1
    assert FOUND.optimism.tolist() == pytest.approx([100.0, 2.0 / 3.0])
    lines = printed(print_pareto, FOUND, OUTCOMES)
    remarks = {line[0]: line[1:] for line in lines[: lines.index([])] if line and line[0].startswith("fund-")}
    assert " ".join(remarks["fund-0001"]) == "1,000 million 6 over the budget on new seeds"
    assert " ".join(remarks["fund-0003"]) == "* 2,000 million 3"
    assert " ".join(remarks["fund-0004"]) == "3,000 million 2 dominated on new seeds"
    below = [line for line in lines[lines.index([]) :] if line and line[0] == "fund-0004"]
    assert below[0][1] == "+300"
    few = "1 of the 2 parameter draws on the new seeds are those of the search"
    for repeated in (0, 1):
        lines = printed(print_pareto, replace(FOUND, draws_repeated=repeated), OUTCOMES)
        assert (few in " ".join(word for line in lines for word in line)) == bool(repeated)


def test_the_best_point_is_within_the_budget_where_there_is_one_and_efficient_where_there_is_one():
    over = replace(FOUND, again=replace(FOUND.again, spending=np.full((3, 2), 9e9)))
    assert not over.within_budget.any()
    assert over.best == 1  # the knee of all
    # Within the budget stands only a point that others, over it, do not count against.
    alone = replace(FOUND, again=replace(FOUND.again, spending=np.array([[9e9] * 2, [9e9] * 2, [1e9] * 2])))
    assert alone.best == 2
    assert replace(FOUND, problem=replace(PROBLEM, budget=None)).within_budget.all()


def test_the_pareto_set_so_far_is_printed_with_its_intervals():
    lines = printed(print_trials, TRIALS, PROBLEM, OUTCOMES, "fund")
    rows = {line[0]: line[1:] for line in lines if line and line[0].startswith("fund-")}
    assert list(rows) == ["fund-0001", "fund-0003", "fund-0004"]  # the second trial is over the budget
    assert rows["fund-0003"][0] == "+600"
    assert rows["fund-0003"][-1] == "3"
    single = Trials(TRIALS.points, Evaluated(TRIALS.found.goals[:, :1], TRIALS.found.spending[:, :1]))
    rows = {line[0]: line[1:] for line in printed(print_trials, single, PROBLEM, OUTCOMES, "fund") if line}
    assert rows["fund-0004"] == ["+299", "+2.00", "2"]  # one replicate has no interval


def test_a_pareto_set_leaves_a_table_a_file_a_point_and_a_figure_of_two_goals_or_more(tmp_path):
    base = load_scenario("baseline")
    (tmp_path / "scenarios").mkdir()
    for name in ("fund-0099", "fund-mine", "other-0001"):
        (tmp_path / "scenarios" / f"{name}.toml").write_text("old")
    written = write_pareto(tmp_path, FOUND, TRIALS, base, OUTCOMES)
    assert all(path.exists() for path in written)
    assert {path.stem for path in (tmp_path / "scenarios").iterdir()} == {*FOUND.names, "best", "other-0001"}
    best = load_scenario(tmp_path / "scenarios" / "best.toml")
    assert best.levers.sme_fund.budget_yuan == 2e9
    assert best.description == f"Found by srdi optimize: {KEY} = 2000000000.0."
    assert {path.name for path in written} >= {"pareto.png", "pareto.svg"}
    assert pd.read_csv(tmp_path / "pareto.csv")["best"].tolist() == [False, True, False]
    one = replace(
        FOUND,
        problem=replace(PROBLEM, goals=PROBLEM.goals[:1], signs=PROBLEM.signs[:1]),
        found=Evaluated(FOUND.found.goals[..., :1], FOUND.found.spending),
        again=Evaluated(FOUND.again.goals[..., :1], FOUND.again.spending),
    )
    written = write_pareto(tmp_path / "scenarios", one, TRIALS, base, OUTCOMES[:1])
    assert not [path for path in written if path.suffix in (".png", ".svg")]


def test_no_trial_within_the_budget_is_no_pareto_set():
    poor = replace(PROBLEM, budget=1.0)
    assert pareto_set(poor, TRIALS, PairedRuns(load_scenario("baseline"), OUTCOMES, None, "fund")) is None


@pytest.mark.parametrize("batches", [0, 1])
def test_an_interrupted_search_prints_what_it_has_and_where_it_goes_on(tmp_path, monkeypatch, batches):
    done = []

    def evaluate(self, points, finished):
        if len(done) == batches:
            raise KeyboardInterrupt
        done.append(points)
        return evaluated([[1.0 + place, 2.0] for place in range(len(points))], [1e9] * len(points))

    monkeypatch.setattr(PairedRuns, "__call__", evaluate)
    (tmp_path / "early.toml").write_text(EARLY)
    (tmp_path / "fund.toml").write_text(GOALS)
    arguments = ["optimize", str(tmp_path / "fund.toml"), "--scale", "0.001", "--out", str(tmp_path / "out")]
    answer = CliRunner().invoke(main, arguments)
    assert answer.exit_code == 130
    assert f"{3 * batches} finished trials are kept in {tmp_path / 'out'}; --resume goes on" in answer.stderr
    assert ("Pareto set of the trials so far" in answer.stdout) == bool(batches)
