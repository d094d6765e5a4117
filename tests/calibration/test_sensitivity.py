"""Sensitivity: a function whose indices are known goes the same way as the model does."""

from __future__ import annotations

import json
from io import StringIO

import numpy as np
import pytest
from click.testing import CliRunner
from made_up import KEYS, SMALLEST, ishigami
from rich.console import Console

from calibration.fitting.priors import Priors, read_priors
from calibration.sensitivity.analysis import analyse, runs_needed, space_of
from calibration.sensitivity.command import sensitivity
from calibration.sensitivity.printing import print_sensitivity
from scenarios import InputError
from scenarios.analysis.outcomes import Outcome
from scenarios.search.design import Factor

#: Known: V = 13.8446; first-order and total shares of x1, x2, x3.
VARIANCE, FIRST, TOTAL = 13.8446, (0.3139, 0.4424, 0.0), (0.5576, 0.4424, 0.2437)


@pytest.fixture(scope="module")
def found():
    noise = np.random.default_rng(1).normal(0.0, [1.0, 1000.0, 0.0], (40, 3))
    names = ("plain", "large", "constant")
    return analyse(KEYS, names, ishigami, noise, trajectories=40, samples=1024, keep=3, seed=1)


def test_the_screening_drops_the_factor_that_does_nothing(found):
    assert set(found.kept) == {"x1", "x2", "x3"}
    effects = found.effects.loc["plain"]
    assert effects.loc["inert", "mu_star"] == 0.0
    assert (effects.loc[["x1", "x2", "x3"], "mu_star"] > 1.0).all()
    assert effects.loc["x3", "sigma"] > effects.loc["x3", "mu_star"] / 2  # acts through x1 alone


@pytest.mark.parametrize("output", ["plain", "large"])
def test_the_indices_are_the_known_ones_and_lie_in_their_intervals(found, output):
    rows = found.indices.loc[output].loc[["x1", "x2", "x3"]]
    assert rows["s1"].to_numpy() == pytest.approx(FIRST, abs=0.05)
    assert rows["st"].to_numpy() == pytest.approx(TOTAL, abs=0.05)
    for index, known in (("s1", FIRST), ("st", TOTAL)):
        half = (rows[f"{index}_high"] - rows[f"{index}_low"]) / 2
        assert (half < 0.12).all()
        assert (np.abs(rows[index] - np.array(known)) <= 1.5 * half + 1e-9).all()


def test_the_variance_and_the_share_of_noise_are_the_known_ones(found):
    assert found.variance["plain"] == pytest.approx(VARIANCE, rel=0.08)
    assert found.noise.loc["plain", "low"] < 1 / VARIANCE < found.noise.loc["plain", "high"]
    assert found.noise.loc["large", "share"] == pytest.approx(found.noise.loc["plain", "share"], rel=0.5)


def test_an_output_that_does_not_move_has_no_indices_and_breaks_nothing(found):
    assert found.indices.loc["constant"].isna().all().all()
    assert np.isnan(found.noise.loc["constant", "share"])
    assert (found.effects.loc["constant", "relative"] == 0.0).all()


def test_an_index_not_above_the_share_of_noise_is_marked():
    drowned = np.random.default_rng(2).normal(0.0, np.sqrt(VARIANCE * 0.35), (400, 3))
    found = analyse(KEYS, ("a", "b", "c"), ishigami, drowned, trajectories=8, samples=512, keep=3, seed=3)
    marked = found.table().loc["a", "above_noise"]
    assert marked["x1"] is True
    assert marked["x3"] is False
    assert marked["inert"] is None


def test_the_same_seed_gives_the_same_numbers(found):
    noise = np.zeros((2, 3))
    one, other, third = (
        analyse(KEYS, ("a", "b", "c"), ishigami, noise, trajectories=4, samples=16, keep=2, seed=seed)
        for seed in (0, 0, 5)
    )
    assert one.indices.equals(other.indices)
    assert one.effects.equals(other.effects)
    assert not one.indices.equals(third.indices)


def test_factors_that_are_not_kept_stay_at_the_centre():
    seen = {}

    def watched(cube, stage):
        seen[stage] = cube
        return ishigami(cube)

    analyse(KEYS, ("a", "b", "c"), watched, np.zeros((2, 3)), trajectories=4, samples=8, keep=2, seed=1)
    assert len(seen["morris"]) == 4 * 5
    assert len(seen["sobol"]) == 8 * 4
    held = [column for column in seen["sobol"].T if (column == 0.5).all()]
    assert len(held) == 2


# --- what is printed


def printed(found, outputs):
    """Words of each line."""
    screen = Console(file=StringIO(), width=200)
    print_sensitivity(found, tuple(Outcome(name, "firms") for name in outputs), screen)
    return [line.split() for line in screen.file.getvalue().splitlines()]


def test_indices_are_printed_of_the_kept_factors_and_dashes_where_nothing_moves(found):
    lines = printed(found, ("plain", "constant"))
    begin = lines.index(["constant", "(firms),", "in", "the", "last", "quarter"])
    moved, still = lines[:begin], lines[begin:]
    rows = {line[0]: line[1:] for line in moved if line and line[0] in KEYS}
    assert list(rows) == ["x1", "x2", "x3", "inert"]  # by their total share, what was dropped below
    assert float(rows["x1"][2]) == pytest.approx(FIRST[0], abs=0.05)
    assert rows["inert"] == ["0", "0"]
    assert not [line for line in moved if line[-1:] == ["noise?"]]
    assert [line for line in moved if line[:2] == ["simulation", "noise,"]]
    assert {tuple(line[3:5]) for line in still if line and line[0] in found.kept} == {("–", "–")}
    assert ["does", "not", "vary"] in still


def test_shares_that_noise_may_have_made_are_marked_and_few_of_the_weak_factors_shown():
    keys = tuple(f"x{number}" for number in range(1, 12))

    def first_three(cube, stage):
        return ishigami(cube[:, :3])[:, :1]

    drowned = np.random.default_rng(2).normal(0.0, np.sqrt(VARIANCE * 0.35), (400, 1))
    lines = printed(analyse(keys, ("a",), first_three, drowned, trajectories=8, samples=512, keep=3, seed=3), ("a",))
    assert [line[0] for line in lines if line[-1:] == ["noise?"]] == ["x3"]
    assert len([line for line in lines if line and line[0] in keys]) == 3 + 6
    assert ["…", "2", "with", "smaller", "effects"] in lines


def test_what_is_not_kept_is_printed_all_the_same(found, tmp_path, monkeypatch):
    """Without a directory the runs are made in one that goes."""
    folders = []

    def known(base, space, outcomes, stages, **settings):
        folders.append(stages.out)
        assert stages.out.is_dir()
        return analyse(("a", "b"), ("firms",), lambda cube, stage: cube[:, :1], np.zeros((2, 1)), **SMALLEST)

    monkeypatch.setattr("calibration.sensitivity.analysis.run_sensitivity", known)
    (tmp_path / "factors.toml").write_text(FACTORS)
    answer = invoke("--factors", tmp_path / "factors.toml", "--output", "firms", "--json")
    assert answer.exit_code == 0, answer.output
    assert json.loads(answer.stdout.splitlines()[-1])["out"] is None
    assert "sensitivity.csv" not in answer.stderr
    assert [folder.exists() for folder in folders] == [False]
    plain = invoke("--factors", tmp_path / "factors.toml", "--output", "firms")
    assert "firms (firms), in the last quarter" in plain.stdout


# --- what is varied


def test_a_factor_of_the_file_stands_before_the_prior_of_the_same_parameter():
    name = read_priors().names[0]
    space = space_of((Factor(f"parameters.{name}", 0.1, 0.2),), read_priors())
    assert len(space.keys) == len(set(space.keys)) == len(read_priors().names)
    point = space.points(np.full((1, len(space.keys)), 0.5))[0]
    assert point[f"parameters.{name}"] == pytest.approx(0.15)
    priors = {key: prior for key, prior in read_priors().by_name.items() if key != name}
    uniform = next(key for key, prior in priors.items() if prior.distribution == "uniform")
    assert point[f"parameters.{uniform}"] == pytest.approx(np.mean(priors[uniform].bounds()))


def test_too_few_factors_and_too_many_points_are_refused():
    with pytest.raises(InputError, match="at least two factors; there are 1"):
        space_of((Factor("parameters.exit_base", 0.1, 0.2),), Priors({}))
    with pytest.raises(InputError, match="20,480 points; at most 5,000"):
        runs_needed(20, 10, 1024, 18)


# --- the model


FACTORS = """
[factors."parameters.exit_base"]
from = 0.001
to = 0.04
[factors."levers.incubation.intensity"]
from = 0.0
to = 2.0
"""
OPTIONS = ["--scale", "0.001", "--until", "2020", "--workers", "1", "--trajectories", "2", "--samples", "16"]


def invoke(*options):
    return CliRunner().invoke(sensitivity, [*OPTIONS, "--repeats", "2", *map(str, options)])


def test_the_command_names_the_parameter_that_moves_the_firms(tmp_path):
    (tmp_path / "factors.toml").write_text(FACTORS)
    given = ("--factors", tmp_path / "factors.toml", "--output", "firms", "--out", tmp_path / "out", "--json")
    answer = invoke(*given)
    assert answer.exit_code == 0, answer.output
    last = json.loads(answer.stdout.splitlines()[-1])
    (firms,) = last["outputs"]
    strongest, other = firms["factors"]
    assert strongest["factor"] == "parameters.exit_base"
    assert strongest["mu_star"] > 0
    assert other["mu_star"] == 0.0  # starts in 2024
    assert strongest["st"] == pytest.approx(1.0, abs=0.4)
    assert other["st"] == 0.0
    assert 0 < firms["luck_share"]["share"] < 1
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "centre",
        "morris",
        "sobol",
        "sensitivity.json",
        "sensitivity.csv",
    }
    again = invoke(*given, "--resume")
    assert again.stdout.splitlines()[-1] == answer.stdout.splitlines()[-1]
    assert "add resume=True (--resume)" in str(invoke(*given).exception)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--output", "firm"), "did you mean 'firms'"),
        (("--output", "firms@2023Q1"), "outside the run"),
        (("--samples", "6"), "power of two: 4 or 8"),
        (("--parameters", "none"), "at least two factors"),
        (("--factors", "nowhere.toml"), "does not exist"),
        (("--scale", "-1"), "run.scale is -1"),
    ],
)
def test_bad_input_is_refused_before_anything_is_run(tmp_path, options, words):
    refused = invoke("--out", tmp_path / "out", *options)
    assert isinstance(refused.exception, InputError)
    assert words in str(refused.exception)
    assert not (tmp_path / "out").exists()
