"""What a sweep and a search print and leave behind, on results made by hand."""

from __future__ import annotations

from dataclasses import replace
from io import StringIO

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from conftest import EARLY
from made_up import FUND, GOALS, OUTCOMES, PARETO, PROBLEM, TRIALS, evaluated, made_target, sweep_table
from rich.console import Console

from scenarios import load_scenario
from scenarios.cli import main
from scenarios.commands.search_tables import _ROWS, print_pareto, print_sweep, print_trials, value_text
from scenarios.commands.target_tables import print_target
from scenarios.search.evaluation import PairedRuns, pareto_set
from scenarios.search.optimize import Evaluation, Trials
from scenarios.search.pareto_files import write_pareto
from scenarios.search.target_files import write_target


def printed(function, *arguments) -> list[list[str]]:
    """Words of the lines that are printed."""
    screen = Console(file=StringIO(), width=200)
    function(*arguments, screen)
    return [line.split() for line in screen.file.getvalue().splitlines()]


# --- sweeps


@pytest.mark.parametrize(("points", "more"), [(_ROWS, 0), (_ROWS + 3, 3)])
def test_a_long_sweep_is_cut_and_says_by_how_much(points, more):
    lines = printed(print_sweep, sweep_table(points), OUTCOMES[:1], 4)
    rows = [line for line in lines if line and line[0].startswith("fund-")]
    assert len(rows) == points - more
    assert rows[1] == ["fund-0002", "1", "True", "1,000", "[1,001,", "1,002]"]
    assert ([f"… and {more} more points; use --json or --out for all".split()] if more else []) == [
        line for line in lines if line[:1] == ["…"]
    ]


def test_a_value_of_a_factor_is_a_number_a_word_or_a_switch():
    assert [value_text(value) for value in (2e11, np.int64(3), True, "srdi")] == ["200 bn", "3", "True", "srdi"]


# --- searches


def test_points_that_fall_back_on_new_seeds_are_marked():
    assert PARETO.within_budget.tolist() == [False, True, True]
    assert PARETO.still_efficient.tolist() == [True, True, False]
    assert PARETO.best == 1
    assert PARETO.optimism.tolist() == pytest.approx([100.0, 2.0 / 3.0])
    lines = printed(print_pareto, PARETO, OUTCOMES)
    remarks = {line[0]: line[1:] for line in lines[: lines.index([])] if line and line[0].startswith("fund-")}
    assert " ".join(remarks["fund-0001"]) == "1,000 million +12.0 6 over the budget on new seeds"
    assert " ".join(remarks["fund-0003"]) == "* 2,000 million +6.00 3"
    assert " ".join(remarks["fund-0004"]) == "3,000 million +4.00 2 dominated on new seeds"
    below = [line for line in lines[lines.index([]) :] if line and line[0] == "fund-0004"]
    assert below[0][1] == "+300"
    few = "1 of the 2 parameter draws on the new seeds are those of the search"
    for repeated in (0, 1):
        lines = printed(print_pareto, replace(PARETO, repeated_draws=repeated), OUTCOMES)
        assert (few in " ".join(word for line in lines for word in line)) == bool(repeated)


def test_the_best_point_is_within_the_budget_where_there_is_one_and_efficient_where_there_is_one():
    over = replace(PARETO, on_new_seeds=replace(PARETO.on_new_seeds, spending=np.full((3, 2), 9e9)))
    assert not over.within_budget.any()
    assert over.best == 1  # the knee of all
    # Within the budget stands only a point that others, over it, do not count against.
    alone = replace(
        PARETO, on_new_seeds=replace(PARETO.on_new_seeds, spending=np.array([[9e9] * 2, [9e9] * 2, [1e9] * 2]))
    )
    assert alone.best == 2
    assert replace(PARETO, problem=replace(PROBLEM, budget=None)).within_budget.all()


def test_the_pareto_set_so_far_is_printed_with_its_intervals():
    lines = printed(print_trials, TRIALS, PROBLEM, OUTCOMES, "fund")
    rows = {line[0]: line[1:] for line in lines if line and line[0].startswith("fund-")}
    assert list(rows) == ["fund-0001", "fund-0003", "fund-0004"]  # the second trial is over the budget
    assert rows["fund-0003"][0] == "+600"
    assert rows["fund-0003"][-2:] == ["+6.00", "3"]
    every = TRIALS.evaluation
    single = Trials(TRIALS.points, Evaluation(every.goals[:, :1], every.spending[:, :1], every.cost[:, :1]))
    rows = {line[0]: line[1:] for line in printed(print_trials, single, PROBLEM, OUTCOMES, "fund") if line}
    assert rows["fund-0004"] == ["+299", "+2", "+4.00", "2"]  # one replicate has no interval


def test_a_pareto_set_leaves_a_table_a_file_a_point_and_a_figure_of_two_goals_or_more(tmp_path):
    base = load_scenario("baseline")
    (tmp_path / "scenarios").mkdir()
    for name in ("fund-0099", "fund-mine", "other-0001"):
        (tmp_path / "scenarios" / f"{name}.toml").write_text("old")
    written = write_pareto(tmp_path, PARETO, TRIALS, base, OUTCOMES)
    assert all(path.exists() for path in written)
    assert {path.stem for path in (tmp_path / "scenarios").iterdir()} == {*PARETO.names, "best", "other-0001"}
    best = load_scenario(tmp_path / "scenarios" / "best.toml")
    assert best.levers.sme_fund.budget_yuan == 2e9
    assert best.description == f"Found by srdi optimize: {FUND} = 2000000000.0."
    assert {path.name for path in written} >= {"pareto.png", "pareto.svg"}
    assert pd.read_csv(tmp_path / "pareto.csv")["best"].tolist() == [False, True, False]
    one = replace(
        PARETO,
        problem=replace(PROBLEM, goals=PROBLEM.goals[:1], signs=PROBLEM.signs[:1]),
        in_search=replace(PARETO.in_search, goals=PARETO.in_search.goals[..., :1]),
        on_new_seeds=replace(PARETO.on_new_seeds, goals=PARETO.on_new_seeds.goals[..., :1]),
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
    assert f"{3 * batches} finished trials are kept in {tmp_path / 'out'}; --resume continues" in answer.stderr
    assert ("Pareto set of the trials so far" in answer.stdout) == bool(batches)


# --- targets


@pytest.mark.parametrize(
    ("reachable", "numbers", "words"),
    [
        (
            True,
            {"value": 0.83, "low": 0.74, "high": 0.89},
            "in 83 % [74, 89] of 100 runs on new luck, which meets the 80 %",
        ),
        (
            True,
            {"value": 0.76, "low": 0.67, "high": 0.83},
            "which differs from the 80 % asked for by no more than sampling",
        ),
        (True, {"value": 0.70, "low": 0.60, "high": 0.78}, "which is clearly below the 80 % asked for"),
        (False, {"value": 0.31, "low": 0.23, "high": 0.41}, "The nearest meets them in 31 % [23, 41] of 100 runs"),
        (False, {"value": 0.76, "low": 0.67, "high": 0.83}, "Those runs do not rule the chance out"),
    ],
)
def test_the_verdict_on_a_target_goes_by_the_runs_on_new_luck(reachable, numbers, words):
    lines = printed(print_target, made_target(reachable, **numbers))
    assert words in " ".join(word for line in lines for word in line)


def test_settings_of_a_target_are_shown_with_range_and_base():
    lines = printed(print_target, made_target(True))
    rows = {line[0]: line[1:] for line in lines if line and line[0].startswith("levers.")}
    assert " ".join(rows[FUND]) == "yuan 0 … 9,000 million off 2,000 million assumed"
    assert " ".join(rows["levers.sme_fund.lowest_tier"]) == "listed none srdi assumed"


def test_a_target_is_written_once_and_an_old_answer_is_removed(tmp_path):
    first, second = write_target(tmp_path, made_target(True)), write_target(tmp_path, made_target(False))
    assert not first.exists()
    assert load_scenario(second).levers.sme_fund.budget_yuan == 2e9
    assert len(pd.read_csv(tmp_path / "settings.csv")) == 2
    assert (tmp_path / "target.png").stat().st_size > 1000
