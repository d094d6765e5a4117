"""Strengths that leave the baseline at its reported figures: slopes from pairs of runs, weights, draws."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from calibration.evidence.agreement import Shifts, in_agreement, learn_shifts, run_pairs, shifts_summary
from calibration.evidence.effects import Settings
from calibration.evidence.sampling import Draws
from calibration.fitting.targets import read_targets
from calibration.reporting.cells import agreement_in_words, largest_shifts
from scenarios.ensembles.parameter_draws import read_parameter_draws
from sim.parameters import parameter_table

TARGETS = read_targets()
NAMES = ("knowledge_elasticity", "match_sales")
DEFAULTS = np.array([parameter_table()[name].value for name in NAMES])


def normal_draws(count: int, spread: tuple[float, float], seed: int = 1) -> Draws:
    """Strengths around twice the defaults."""
    values = 2.0 * DEFAULTS + np.array(spread) * np.random.default_rng(seed).normal(size=(count, 2))
    return Draws(NAMES, values, {}, {})


def test_slopes_are_learned_from_differences_and_defaults_move_nothing():
    draws, rng = normal_draws(60, (0.1, 0.004)), np.random.default_rng(2)
    truth = rng.normal(size=(len(TARGETS.ids), 2)) / np.array([1.0, 0.04])
    without = rng.normal(size=(60, len(TARGETS.ids)))
    moved = (draws.values - DEFAULTS) @ truth.T
    outcomes = np.stack([without + moved + 1e-4 * rng.normal(size=moved.shape), without])
    outcomes[0, :40, 3] = np.nan
    shifts = learn_shifts(TARGETS, draws, outcomes)
    assert shifts.pairs == 60
    others = np.arange(len(TARGETS.ids)) != 3
    assert shifts(draws.values)[:, others] == pytest.approx(moved[:, others], abs=3e-3)
    assert not shifts.slopes[3].any(), "most runs do not have this figure"
    assert not shifts(DEFAULTS[None, :]).any()


def test_draws_have_the_posterior_known_in_closed_form():
    """Normal strengths with one figure that has an error of its own: the product of two normals."""
    one = TARGETS.only(np.array([name == "srdi-2022" for name in TARGETS.ids]))
    error = float(np.hypot(one.discrepancy, one.rounding)[0])
    slopes = np.array([[error / 0.05, 0.0]])
    shifts, before = Shifts(one, NAMES, DEFAULTS, slopes, 1), normal_draws(200_000, (0.1, 0.004))
    after, effective = in_agreement(before, shifts, 4000, 1)
    precision = 1.0 / 0.1**2 + 1.0 / 0.05**2
    middle = (2.0 * DEFAULTS[0] / 0.1**2 + DEFAULTS[0] / 0.05**2) / precision
    assert after.column(NAMES[0]).mean() == pytest.approx(middle, abs=0.003)
    assert after.column(NAMES[0]).std() == pytest.approx(precision**-0.5, rel=0.05)
    assert after.column(NAMES[1]).mean() == pytest.approx(2.0 * DEFAULTS[1], abs=0.0003), "moves nothing"
    assert 1_000 < effective < 100_000
    again, _ = in_agreement(before, shifts, 4000, 1)
    np.testing.assert_array_equal(after.values, again.values)


def test_figures_of_one_series_share_an_error():
    """Two dates moved alike count less than two figures of different quantities."""

    def weight(*ids: str) -> float:
        some = TARGETS.only(np.isin(TARGETS.ids, ids))
        some = replace(some, discrepancy=np.full(2, 0.03), low=np.zeros(2), high=np.zeros(2))
        return Shifts(some, NAMES, DEFAULTS, np.array([[1.0, 0.0]] * 2), 1).log_weights(
            DEFAULTS + np.array([[0.03, 0.0]])
        )[0]

    assert weight("srdi-2022", "rd-2022") == pytest.approx(-1.0)
    assert weight("rd-2021", "rd-2022") == pytest.approx(-1.0 / 1.5)


def test_pairs_share_everything_but_strengths(tmp_path):
    fitted = read_parameter_draws("posterior")
    values = np.array([DEFAULTS, DEFAULTS * [0.2, 1.0]])
    told = []
    settings = Settings(scale=0.002, seed=3)
    outcomes = run_pairs(Draws(NAMES, values, {}, {}), fitted, settings, tmp_path, 1, lambda *done: told.append(done))
    assert outcomes.shape == (2, 2, len(TARGETS.ids))
    np.testing.assert_array_equal(*outcomes[:, 0]), "defaults on both sides"
    assert (outcomes[0, 1] != outcomes[1, 1])[np.isfinite(outcomes[:, 1]).all(axis=0)].any()
    assert told[-1] == (4, 4)
    assert [path.name[:9] for path in tmp_path.iterdir()] == ["baseline-"]


def test_the_summary_says_by_how_much_figures_move():
    one = TARGETS.only(np.array([name == "srdi-2022" for name in TARGETS.ids]))
    shifts = Shifts(one, NAMES, DEFAULTS, np.array([[0.1, 0.0]]), 7)
    before = Draws(NAMES, DEFAULTS + np.array([[1.0, 0.0], [2.0, 0.0]]), {}, {})
    after = Draws(NAMES, DEFAULTS - np.array([[0.1, 0.0]]), {}, {})
    found = shifts_summary(shifts, before, after, 1.5)
    assert (found["pairs"], found["draws"], found["effective"]) == (7, 2, 1.5)
    assert found["figures"] == [
        {"figure": "srdi-2022", "before": pytest.approx(16.18, abs=0.01), "after": pytest.approx(-1.0, abs=0.01)}
    ]
    found["figures"].append({"figure": "other", "before": -3.0, "after": 0.2})
    assert largest_shifts(found) == {"before": "16.2 %", "after": "1.0 %", "figure": "SRDI SMEs, end of 2022"}
    said = agreement_in_words(found)[0].replace("\n", " ")
    assert "by up to 16.2 % on average (SRDI SMEs, end of 2022); those drawn move none by more than 1.0 %" in said
