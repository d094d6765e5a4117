"""The search: a toy problem whose Pareto front is known goes the same way as the model does."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from conftest import EARLY
from made_up import GOALS

from scenarios import InputError, load_results, load_scenario
from scenarios.commands.search import optimize
from scenarios.search.design import Factor
from scenarios.search.evaluation import ParetoSet
from scenarios.search.optimize import Evaluation, Problem, efficient, finished, knee, open_study, search

# Schaffer's first problem, x² and (x - 2)² to be small, with two factors that only do harm: the Pareto set is x from 0
# to 2 without harm. 4 - x is what x costs, and a budget of 3 leaves x from 1 to 2.
PROBLEM = Problem(
    factors=(Factor("x", -4.0, 4.0), Factor("v", 0.0, 1.0), Factor("w", 0.0, 1.0)),
    goals=("near", "far"),
    signs=np.array([-1.0, -1.0]),
    budget=3.0,
    trials=60,
)


def schaffer(points, done=0):
    x, v, w = (np.array([point[name] for point in points]) for name in "xvw")
    goals = np.stack([x**2, (x - 2.0) ** 2], axis=1) + 4.0 * (v + w)[:, None]
    return Evaluation(goals[:, None, :], (4.0 - x)[:, None], 2.0 * (4.0 - x)[:, None])


def off_the_front(points):
    """Mean distance from the known front to the nearest point within the budget."""
    front = schaffer([{"x": x, "v": 0.0, "w": 0.0} for x in np.linspace(1.0, 2.0, 50)]).goals[:, 0]
    near = schaffer([point for point in points if point["x"] >= 1.0]).goals[:, 0]
    return np.linalg.norm(front[:, None] - near[None], axis=2).min(axis=1).mean()


def studied(folder, problem=PROBLEM, evaluate=schaffer):
    return search(problem, open_study(folder / "study.journal", problem, {"problem": "toy"}), evaluate)


@pytest.mark.parametrize("sampler", ["tpe", "nsga2"])
def test_the_search_nears_the_known_front_within_the_budget_sooner_than_chance(tmp_path, sampler):
    problem = replace(PROBLEM, sampler=sampler, trials=120)
    trials = studied(tmp_path, problem)
    assert len(trials) == 120
    chosen = [trials.points[place] for place in trials.pareto(problem)]
    assert all(point["x"] >= 1.0 for point in chosen)
    chance = np.random.default_rng(1).random((20, 120, 3))
    drawn = [
        [{f.key: f.value_at(u) for f, u in zip(problem.factors, row, strict=True)} for row in rows] for rows in chance
    ]
    assert off_the_front(chosen) < 0.75 * np.median([off_the_front(points) for points in drawn])


def test_without_a_budget_the_front_is_longer(tmp_path):
    problem = replace(PROBLEM, budget=None)
    trials = studied(tmp_path, problem)
    assert min(trials.points[place]["x"] for place in trials.pareto(problem)) < 1.0


def test_an_interrupted_search_goes_on_as_if_it_had_not_been(tmp_path):
    (tmp_path / "whole").mkdir()
    (tmp_path / "cut").mkdir()
    whole = studied(tmp_path / "whole")

    def interrupted(points, done):
        if done >= 24:
            raise KeyboardInterrupt
        return schaffer(points)

    with pytest.raises(KeyboardInterrupt):
        studied(tmp_path / "cut", evaluate=interrupted)
    kept = finished(open_study(tmp_path / "cut" / "study.journal", PROBLEM, {"problem": "toy"}))
    assert kept.points == whole.points[:24]
    assert studied(tmp_path / "cut").points == whole.points
    more = replace(PROBLEM, trials=70)
    assert studied(tmp_path / "cut", more).points[:60] == whole.points


def test_a_study_of_another_search_is_refused(tmp_path):
    studied(tmp_path, replace(PROBLEM, trials=2))
    with pytest.raises(InputError, match='problem was "toy", now "other"'):
        open_study(tmp_path / "study.journal", PROBLEM, {"problem": "other"})
    (tmp_path / "text.journal").write_text("no journal\n")
    with pytest.raises(InputError, match="damaged"):
        open_study(tmp_path / "text.journal", PROBLEM, {"problem": "toy"})


def test_a_goal_that_is_no_number_ends_the_search(tmp_path):
    def broken(points, done):
        evaluation = schaffer(points)
        return replace(evaluation, goals=np.where(evaluation.goals > 4.0, np.nan, evaluation.goals))

    with pytest.raises(ValueError, match="not a number in one of the trials 1 to 12"):
        studied(tmp_path, evaluate=broken)


def test_values_counts_and_logarithms_stay_what_they_are(tmp_path):
    factors = (Factor("x", 1, 8, whole=True), Factor("y", 1e-3, 1.0, log=True), Factor("z", values=("a", True, 2)))
    problem = replace(PROBLEM, factors=factors, budget=None, trials=24)

    def evaluate(points, done):
        return schaffer([{"x": point["x"] * point["y"], "v": 0.0, "w": 0.0} for point in points])

    points = studied(tmp_path, problem, evaluate).points
    assert {type(point["x"]) for point in points} == {int}
    assert all(point["z"] in ("a", True, 2) for point in points)
    assert np.median([point["y"] for point in points]) < 0.3


def test_efficient_points_and_the_knee():
    values = np.array([[0.0, 10.0], [9.0, 9.0], [10.0, 0.0], [5.0, 5.0], [9.0, 9.0]])
    assert efficient(values).tolist() == [True, True, True, False, True]
    assert knee(values[:3]) == 1
    assert knee(np.array([[1.0, 3.0], [2.0, 3.0]])) == 1  # a goal in which all are alike decides nothing


def test_points_chosen_for_their_luck_fall_back_on_new_seeds(tmp_path):
    rng = np.random.default_rng(1)

    def lucky(points, done=0):
        goals = rng.normal(size=(len(points), 2, 2))
        return Evaluation(goals, np.ones((len(points), 2)), np.ones((len(points), 2)))

    trials = studied(tmp_path, evaluate=lucky)
    places = trials.pareto(PROBLEM)
    names = tuple(f"p-{place:04d}" for place in places)
    points = [trials.points[place] for place in places]
    pareto = ParetoSet(
        problem=PROBLEM,
        trial_indices=places,
        names=names,
        points=points,
        in_search=trials.evaluation.of(places),
        on_new_seeds=lucky(points),
    )
    assert (pareto.optimism > 0.5).all()
    table = pareto.table()
    assert table["best"].sum() == 1
    assert table.loc[table["best"], "efficient"].all()
    assert (table["near_low"] < table["near"]).all()
    assert (table["near_again"] < table["near_again_high"]).all()


# --- the model


OPTIONS = ["--replicates", "2", "--scale", "0.001", "--until", "2021", "--workers", "1"]


def invoke(path, *options):
    return CliRunner().invoke(optimize, [str(path), *OPTIONS, *map(str, options)])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("optimize")
    (folder / "early.toml").write_text(EARLY)
    (folder / "awards.toml").write_text(GOALS)
    return folder


@pytest.fixture(scope="module")
def answer(folder):
    answer = invoke(folder / "awards.toml", "--out", folder / "out", "--json")
    assert answer.exit_code == 0, answer.output
    return answer


def test_the_command_prints_both_evaluations_and_leaves_everything(answer, folder):
    last = json.loads(answer.stdout.splitlines()[-1])
    assert last["trials"] == 6
    assert 1 <= last["within_budget"] < 6
    assert last["best"] in {row["scenario"] for row in last["pareto"]}
    for row in last["pareto"]:
        assert row["spending_yuan"] <= 6e9
        assert row["rd_true_yuan_low"] <= row["rd_true_yuan"] <= row["rd_true_yuan_high"]
    assert set(last["optimism"]) == {"rd_true_yuan", "public_spending_yuan"}
    assert "on new seeds" in answer.stderr
    assert "Spending through levers, bn yuan" in " ".join(answer.stderr.split())
    assert re.search(r"rd_true_yuan [+−][\d.]+ \(bn yuan per quarter\)", answer.stderr)
    names = {path.name for path in (folder / "out").iterdir()}
    assert names == {
        "study.journal",
        "base",
        "pareto-0006",
        "pareto.json",
        "pareto.csv",
        "pareto.png",
        "pareto.svg",
        "scenarios",
    }


def test_the_second_evaluation_has_seeds_the_search_had_not(answer, folder):
    first, second = (load_results(folder / "out" / name) for name in ("base", "pareto-0006"))
    assert set(first.national["seed"]).isdisjoint(second.national["seed"])
    last = json.loads(answer.stdout.splitlines()[-1])
    row = last["pareto"][0]
    ends = second.national[second.national["quarter"] == second.national["quarter"].max()].set_index("scenario")
    difference = ends.loc[[row["scenario"]], "rd_true_yuan"].to_numpy() - ends.loc[["early"], "rd_true_yuan"].to_numpy()
    assert row["rd_true_yuan_again"] == pytest.approx(difference.mean())


@pytest.mark.parametrize(("draws", "fresh"), [(4, [2, 3]), (3, [2, 0]), (2, [0, 1])])
def test_the_second_evaluation_takes_parameter_draws_after_those_of_the_search(folder, tmp_path, draws, fresh):
    values = np.linspace(0.01, 0.04, draws)
    pd.DataFrame({"demand_trend": values}).to_parquet(tmp_path / "draws.parquet")
    (tmp_path / "few.toml").write_text(
        GOALS.replace("./early.toml", str(folder / "early.toml")).replace("= 6\n", "= 3\n")
    )
    answer = invoke(tmp_path / "few.toml", "--params", tmp_path / "draws.parquet", "--out", tmp_path / "out")
    assert answer.exit_code == 0, answer.output
    first, second = (load_results(tmp_path / "out" / name).parameter_draws for name in ("base", "pareto-0003"))
    assert first["demand_trend"].tolist() == values[:2].tolist()
    assert second["demand_trend"].tolist() == values[fresh].tolist()
    said = " ".join(answer.output.split())
    repeated = 4 - draws
    assert (f"{repeated} of the 2 parameter draws on the new seeds are those of the search" in said) == (repeated > 0)


def test_the_scenario_files_are_the_points(answer, folder):
    last = json.loads(answer.stdout.splitlines()[-1])
    best = load_scenario(folder / "out" / "scenarios" / "best.toml")
    row = next(row for row in last["pareto"] if row["best"])
    assert best.name == "best"
    assert best.levers.incubation.budget_yuan == row["levers.incubation.budget_yuan"]
    assert best.levers.incubation.start == "2019Q1"
    for row in last["pareto"]:
        assert load_scenario(folder / "out" / "scenarios" / f"{row['scenario']}.toml").name == row["scenario"]


def test_a_finished_search_is_read_again_and_another_is_refused(answer, folder):
    again = invoke(folder / "awards.toml", "--out", folder / "out", "--resume", "--json")
    assert again.exit_code == 0, again.output
    assert again.stdout.splitlines()[-1] == answer.stdout.splitlines()[-1]
    refused = invoke(folder / "awards.toml", "--out", folder / "out")
    assert "add resume=True (--resume)" in str(refused.exception)
    changed = folder / "changed.toml"
    changed.write_text('name = "awards"\n' + GOALS.replace("6e9", "2e9"))
    refused = invoke(changed, "--out", folder / "out", "--resume")
    assert "design.budget_yuan was 6000000000.0, now 2000000000.0" in str(refused.exception)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('rd_true_yuan = "max"', 'rd_tru_yuan = "max"', "did you mean 'rd_true_yuan'"),
        ('"max"', '"most"', "goals.rd_true_yuan is 'most'.*allowed: max, min"),
        ("trials = 6", "trials = 1", "trials is 1"),
        ("budget_yuan = 6e9", "budget_yuan = -1", "budget_yuan is -1"),
        ("to = 10e9", "to = 1e15", "from 0 to"),
        ("batch = 3", "bach = 3", "did you mean 'batch'"),
    ],
)
def test_bad_files_are_refused_before_anything_is_written(folder, tmp_path, old, new, words):
    (tmp_path / "early.toml").write_text(EARLY)
    (tmp_path / "bad.toml").write_text(GOALS.replace(old, new, 1))
    refused = invoke(tmp_path / "bad.toml", "--out", tmp_path / "out")
    assert isinstance(refused.exception, InputError)
    assert re.search(words, str(refused.exception))
    assert not (tmp_path / "out").exists()


def test_a_budget_nothing_keeps_to_is_said_and_no_files_are_written(tmp_path):
    (tmp_path / "early.toml").write_text(EARLY)
    text = GOALS.replace("6e9", "1").replace("trials = 6", "trials = 2").replace("from = 0.0", "from = 5e9")
    (tmp_path / "poor.toml").write_text(text)
    answer = invoke(tmp_path / "poor.toml", "--out", tmp_path / "out", "--json")
    assert answer.exit_code == 0
    assert "No trial was within the budget; the lowest spending through levers was" in answer.stderr
    last = json.loads(answer.stdout.splitlines()[-1])
    assert (last["trials"], last["within_budget"], last["pareto"], last["best"]) == (2, 0, [], None)
    assert not (tmp_path / "out" / "scenarios").exists()


def test_a_directory_is_asked_for(folder):
    assert "needs --out" in str(invoke(folder / "awards.toml").exception)
