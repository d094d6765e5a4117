"""The fit: likelihood, emulator, sampler, and a miniature fit of the model from end to end."""

from __future__ import annotations

import json
import tomllib
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import approx_fprime
from scipy.stats import multivariate_normal, norm
from sklearn.gaussian_process import GaussianProcessRegressor

from calibration.adopt import SOURCE, adopt, with_defaults
from calibration.fitting.emulator import compare_with_polynomial, first_kernel, fit_emulator, loss, misfit
from calibration.fitting.fit import Settings, fit
from calibration.fitting.posterior import ALIKE, Likelihood, best_point, latin_hypercube, sample
from calibration.fitting.priors import read_priors
from calibration.fitting.screening import screen
from calibration.fitting.simulator import Design, run_library, simulate
from calibration.fitting.targets import read_targets
from calibration.forecasting.prediction import nearest_draw
from calibration.forecasting.quantities import name_of, published_quantities
from calibration.reporting.document import with_results
from calibration.studies import diagnostics
from calibration.studies.hindcasts import hindcast
from calibration.studies.study import packaged_calibration
from scenarios.analysis.reported import reported_figures
from scenarios.ensembles.jobs import model_digest
from scenarios.ensembles.parameter_draws import read_parameter_draws
from scenarios.errors import InputError
from sim.parameters import parameter_table

LEARNED = ("reach_innovative_mid", "reach_srdi_mid")
CUBE = np.array([[0.0, 1.0], [0.0, 1.0]])


def surface(cube):
    """Two smooth outcomes of two coordinates."""
    x, y = cube[:, 0], cube[:, 1]
    return np.column_stack([np.sin(3.0 * x) + y, 2.0 * x * y - y])


@pytest.fixture(scope="module")
def emulator():
    cube = latin_hypercube(CUBE, 150, 1)
    noise = 0.05 * np.random.default_rng(2).normal(size=(150, 2))
    return fit_emulator(cube, surface(cube) + noise, 1)


def test_the_emulator_learns_the_surface_and_the_luck(emulator):
    points = np.random.default_rng(3).random((200, 2))
    missed = emulator(points) - surface(points)
    assert np.sqrt((missed**2).mean(axis=0)) == pytest.approx(emulator.error, rel=0.6)
    assert (np.abs(missed) < 0.1).all()
    assert emulator.noise == pytest.approx([0.05, 0.05], rel=0.25)


def test_a_process_beats_a_quadratic_where_outcomes_bend_and_not_where_they_are_quadratic():
    cube = latin_hypercube(CUBE, 80, 1)
    bent, quadratic = np.sin(6.0 * cube[:, 0]), (1.0 - cube[:, 1]) ** 2 + cube[:, 0] * cube[:, 1]
    outcomes = np.column_stack([bent, quadratic]) + 0.02 * np.random.default_rng(2).normal(size=(80, 2))
    outcomes[::20, 0] = np.nan  # runs that did not produce the target
    of_bent, of_quadratic = compare_with_polynomial(cube, outcomes, 1)
    assert of_bent < 0.2
    assert 0.8 < of_quadratic < 1.3


def test_the_likelihood_of_an_emulator_and_its_gradient_are_scikit_learns():
    rng = np.random.default_rng(3)
    cube, y = rng.uniform(size=(60, 4)), rng.normal(size=60)
    theta = first_kernel(4).theta + 0.3 * rng.normal(size=7)
    process = GaussianProcessRegressor(first_kernel(4), optimizer=None).fit(cube, y)
    likelihood, gradient = process.log_marginal_likelihood(theta, eval_gradient=True)
    value, slope = misfit(theta, cube, y)
    assert value == pytest.approx(-likelihood)
    assert slope == pytest.approx(-gradient)


def test_the_slope_of_the_loss_is_its_derivative():
    rng = np.random.default_rng(3)
    cube, y = rng.uniform(size=(60, 4)), rng.normal(size=60)
    theta = first_kernel(4).theta + 0.3 * rng.normal(size=7)
    _, slope = loss(theta, cube, y)
    assert slope == pytest.approx(approx_fprime(theta, lambda at: loss(at, cube, y)[0], 1e-6), rel=1e-3, abs=1e-3)


def test_noise_is_not_taken_for_structure():
    """Of twenty parameters one matters; on unseen points the error is far below the noise of a run."""
    rng = np.random.default_rng(4)
    cube = rng.uniform(size=(300, 20))
    truth = 1.0 + np.sin(3.0 * cube[:, :1])
    emulator = fit_emulator(cube[:200], (truth + 0.3 * rng.normal(size=truth.shape))[:200], 1)
    errors = emulator(cube[200:]) - truth[200:]
    assert np.sqrt(np.mean(errors**2)) < 0.12
    assert emulator.noise[0] == pytest.approx(0.3, rel=0.15)


@pytest.mark.slow
def test_an_emulator_does_not_depend_on_the_number_of_workers():
    cube = latin_hypercube(CUBE, 60, 1)
    here, elsewhere = (fit_emulator(cube, surface(cube), 1, workers=workers) for workers in (1, 2))
    for one, other in zip(vars(here).values(), vars(elsewhere).values(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_an_expectation_is_the_weighted_sum_of_kernels(emulator):
    """Also where the runs do not fill a block."""
    point = np.array([0.3, 0.7])
    apart = ((emulator.points.T[None] - point) / emulator.lengths[:, None, :]) ** 2
    kernels = np.exp(-0.5 * apart.sum(axis=2))
    smooth, linear = (emulator.weights * kernels).sum(axis=1), emulator.linear @ (point - 0.5)
    expected = emulator.middle + emulator.amplitude * (smooth + linear)
    assert emulator(point)[0] == pytest.approx(expected, rel=1e-6)


def test_slopes_are_those_of_the_surface(emulator):
    slopes = emulator.slopes(np.array([0.4, 0.6]))
    expected = [[3.0 * np.cos(1.2), 1.0], [1.2, 2.0 * 0.4 - 1.0]]
    assert slopes == pytest.approx(np.array(expected), abs=0.15)


def differences(function, point, step=1e-4):
    steps = step * np.eye(len(point))
    return (function(point + steps) - function(point - steps)).T / (2.0 * step)


def test_slopes_are_the_limits_of_differences(emulator):
    point = np.array([0.4, 0.6])
    assert emulator.slopes(point) == pytest.approx(differences(emulator, point), rel=1e-5)
    likelihood = likelihood_of(emulator, [0.9, -np.inf], [1.6, 0.2])
    alike = replace(likelihood, series=np.zeros(2, dtype=int))
    for each in (likelihood, alike):
        assert each.slope(point) == pytest.approx(differences(each, point), rel=1e-4)


def likelihood_of(emulator, low, high, discrepancy=0.1):
    low, high = np.array(low, dtype=float), np.array(high, dtype=float)
    return Likelihood(emulator, low, high, np.full(2, discrepancy), np.arange(2), np.ones(2, dtype=bool))


def test_the_likelihood_of_an_interval_is_its_probability(emulator):
    point = np.array([[0.3, 0.7]])
    expected, found = emulator(point)[0], likelihood_of(emulator, [0.9, -np.inf], [1.6, 0.2])
    chances = norm.cdf(([1.6, 0.2] - expected) / found.spread) - norm.cdf(([0.9, -np.inf] - expected) / found.spread)
    assert found(point)[0] == pytest.approx(np.log(chances).sum(), rel=1e-9)


def test_errors_of_one_series_are_alike(emulator):
    """Against the joint normal distribution: its density for numbers, its probability for intervals."""
    point = np.array([[0.3, 0.7], [0.8, 0.2]])
    alone = likelihood_of(emulator, [1.1, 0.1], [1.1, 0.1])
    series = replace(alone, series=np.zeros(2, dtype=int))
    joint = multivariate_normal(cov=series.covariance)
    expected = np.diff(joint.logpdf(emulator(point) - np.array([1.1, 0.1])))
    assert np.diff(series(point)) == pytest.approx(expected, rel=1e-6)
    assert np.diff(alone(point)) != pytest.approx(expected, rel=1e-2)

    low, high = np.array([1.0, 0.0]), np.array([1.2, 0.15])
    found = replace(series, low=low, high=high)(point[:1])[0]
    chance = joint.cdf(high - emulator(point[:1])[0], lower_limit=low - emulator(point[:1])[0])
    assert found == pytest.approx(np.log(chance), abs=1e-4)

    drawn = series.discrepancies(np.random.default_rng(1), 40_000)
    assert np.cov(drawn.T) == pytest.approx(0.01 * np.array([[1.0, ALIKE], [ALIKE, 1.0]]), rel=0.05)


@pytest.mark.parametrize("shift", [-60.0, 60.0])
def test_the_likelihood_is_finite_far_out_in_both_tails(emulator, shift):
    low, high = [1.0 + shift, shift], [1.1 + shift, 0.1 + shift]
    values = likelihood_of(emulator, low, high)(np.array([[0.2, 0.2], [0.8, 0.8]]))
    assert np.isfinite(values).all()
    # Further from the interval is less likely, however far out.
    nearer = surface(np.array([[0.2, 0.2], [0.8, 0.8]])).sum(axis=1) * np.sign(shift)
    assert np.argmax(values) == np.argmax(nearer)


def test_the_sampler_draws_what_it_should():
    """A normal likelihood over a wide box: mean, spread and correlation are known."""
    covariance = np.array([[0.004, 0.003], [0.003, 0.004]])
    precision = np.linalg.inv(covariance)

    def log_likelihood(cube):
        apart = cube - 0.5
        return -0.5 * np.einsum("ij,jk,ik->i", apart, precision, apart)

    found = sample(log_likelihood, CUBE, 4000, 1, 3000)
    assert found.cube.mean(axis=0) == pytest.approx([0.5, 0.5], abs=0.01)
    assert np.cov(found.cube.T) == pytest.approx(covariance, rel=0.15)
    assert found.acceptance > 0.2
    assert (sample(log_likelihood, CUBE, 4000, 1, 3000).cube == found.cube).all()


def test_without_figures_the_posterior_is_the_prior():
    found = sample(lambda cube: np.zeros(len(cube)), CUBE, 4000, 1, 2000)
    assert np.quantile(found.cube, [0.1, 0.5, 0.9], axis=0)[:, 0] == pytest.approx([0.1, 0.5, 0.9], abs=0.03)


def test_the_best_point_is_the_best(emulator):
    truth = np.array([[0.35, 0.55]])
    at = emulator(truth)[0]
    found, value = best_point(likelihood_of(emulator, at, at), CUBE, np.array([0.6, 0.4]))
    assert found == pytest.approx(truth[0], abs=0.02)
    assert value == pytest.approx(0.0, abs=1e-3)


# --- libraries of runs


def tiny_design(seeds=(1, 2)):
    values = np.array([[2021.0], [2022.0]])
    return Design.of(("reach_srdi_mid",), values, 0.001, np.array(seeds))


def test_a_library_goes_on_where_it_stopped(tmp_path):
    whole = run_library(tiny_design(), tmp_path / "whole.jsonl")
    text = (tmp_path / "whole.jsonl").read_text()
    # The last line was being written when the run was killed.
    (tmp_path / "cut.jsonl").write_text(text[:-40])
    progress = []
    again = run_library(tiny_design(), tmp_path / "cut.jsonl", on_run=lambda done, all_: progress.append((done, all_)))
    assert progress == [(1, 2), (2, 2)]
    np.testing.assert_array_equal(again, whole)
    assert (tmp_path / "cut.jsonl").read_text() == text


def test_a_library_of_other_runs_is_refused(tmp_path):
    run_library(tiny_design(), tmp_path / "runs.jsonl")
    with pytest.raises(InputError, match="another design"):
        run_library(tiny_design(seeds=(3, 4)), tmp_path / "runs.jsonl")


@pytest.mark.parametrize(
    "text",
    ["[]\n", "no library\n", "\n", "{HEAD}\n[]\n", '{HEAD}\n{"point": 9, "values": [1.0]}\n', '{HEAD}\n{"point": 0}\n'],
)
def test_what_is_no_library_is_refused(tmp_path, monkeypatch, text):
    design, path = tiny_design(), tmp_path / "runs.jsonl"
    head = json.dumps({"design": design.checksum, "points": 2, "scale": 0.001})
    path.write_text(text.replace("{HEAD}", head))
    monkeypatch.setattr("calibration.fitting.simulator.simulate", None)
    with pytest.raises(InputError, match="is damaged: it is not a library of runs"):
        run_library(design, path)
    assert path.read_text() == text.replace("{HEAD}", head)


def test_workers_change_nothing(tmp_path):
    alone = run_library(tiny_design(), tmp_path / "alone.jsonl", workers=1)
    np.testing.assert_array_equal(run_library(tiny_design(), tmp_path / "two.jsonl", workers=2), alone)


def test_the_screening_tells_which_parameter_moves_which_figure(tmp_path):
    targets = read_targets()
    wanted = targets.only(np.isin(targets.ids, ["srdi-2024-03", "innovative-2023-09"]))
    priors = replace(read_priors(), by_name={name: read_priors().by_name[name] for name in LEARNED})
    table = screen(priors, wanted, tmp_path, trajectories=2, scale=0.002, seed=1)
    assert table["innovative-2023-09"].idxmax() == "reach_innovative_mid"
    assert table["srdi-2024-03"].idxmax() == "reach_srdi_mid"
    assert (table["largest"] == table[["srdi-2024-03", "innovative-2023-09"]].max(axis=1)).all()


# --- a miniature fit

WATCHED = ("srdi-2022", "srdi-2024-03", "innovative-2023-09")


@pytest.fixture(scope="module")
def miniature(tmp_path_factory):
    """A fit of two parameters to three figures that a run with known parameters produced."""
    scale = 0.002
    truth = {"reach_innovative_mid": 2021.5, "reach_srdi_mid": 2021.4}
    figures = reported_figures()
    made = np.mean([simulate(truth, scale, seed) for seed in range(101, 141)], axis=0)
    known = tuple(
        figure.model_copy(update={"low": value * 0.995, "high": value * 1.005, "role": "fit", "discrepancy": 0.02})
        if figure.id in WATCHED
        else figure.model_copy(update={"role": "check"})
        for figure, value in zip(figures, made, strict=True)
    )
    priors = replace(read_priors(), by_name={name: read_priors().by_name[name] for name in LEARNED})
    settings = Settings(scale=scale, first=40, later=12, draws=800, steps=1600)
    folder = tmp_path_factory.mktemp("fit")
    return truth, folder, fit(priors, read_targets(figures=known), folder, settings)


def test_a_miniature_fit_recovers_known_parameters(miniature):
    truth, _, found = miniature
    draws = found.priors.values(found.sample.cube)
    low, high = np.quantile(draws, [0.02, 0.98], axis=0)
    for index, name in enumerate(LEARNED):
        assert low[index] < truth[name] < high[index], name
        width = np.ptp(found.priors.bounds[index])
        # The figure of innovative SMEs is of September 2023, when most of their growth is over.
        assert high[index] - low[index] < 0.6 * width, name
    table = diagnostics.parameter_summary(found).set_index("parameter")
    assert (table["verdict"] == "learned").all()


def test_a_scale_at_which_a_figure_does_not_come_out_is_refused(miniature, tmp_path):
    _, _, found = miniature

    def without_innovative(design, path, workers, on_run):
        values = np.ones((len(design.values), len(design.ids)))
        values[4:, design.ids.index("innovative-2023-09")] = np.nan
        return values

    with pytest.raises(InputError, match="only 4 of 40 runs produced figure innovative-2023-09"):
        fit(found.priors, found.targets, tmp_path, found.settings, simulate_runs=without_innovative)


@pytest.mark.slow
def test_a_repeated_fit_gives_the_same_numbers(miniature):
    _, folder, found = miniature
    again = fit(found.priors, found.targets, folder, found.settings)
    np.testing.assert_array_equal(again.sample.cube, found.sample.cube)


def test_the_figures_identify_both_parameters(miniature):
    _, _, found = miniature
    assert diagnostics.information(found).identified == 2
    profiles = diagnostics.profiles(found, points=9)
    pd.testing.assert_frame_equal(diagnostics.profiles(found, points=9, workers=2), profiles)
    assert profiles.groupby("parameter")["fall"].min().max() < 1.0
    intervals = diagnostics.profile_intervals(profiles).set_index("parameter")
    best = dict(zip(LEARNED, found.priors.values(found.best[None, :])[0], strict=True))
    for name in LEARNED:
        assert intervals.loc[name, "low"] <= best[name] + 0.3
        assert intervals.loc[name, "high"] >= best[name] - 0.3


@pytest.mark.slow
def test_intervals_cover_the_truth_as_often_as_they_say(miniature):
    _, _, found = miniature
    coverage = diagnostics.coverage_on_emulator(found, 40)
    # 80 ranks: three standard deviations of a share of one half and of nine tenths.
    assert coverage.of(0.5) == pytest.approx(0.5, abs=0.17)
    assert coverage.of(0.9) == pytest.approx(0.9, abs=0.1)


def test_too_narrow_intervals_are_seen(miniature):
    """A likelihood that takes the error in its figures for a tenth of what it is: the check must not pass it."""
    _, _, found = miniature
    noisy = replace(found, likelihood=replace(found.likelihood, discrepancy=found.likelihood.discrepancy * 10))
    truth = diagnostics._true_parameters(found, 12, 5)
    ranks = diagnostics._coverage(noisy, found.likelihood, truth, found.emulator(truth), 1, lambda done, all_: None)
    assert ranks.of(0.9) < 0.8


def test_a_figure_left_out_is_predicted_by_the_others(miniature):
    _, _, found = miniature
    table = diagnostics.leave_one_out(found).set_index("id")
    assert set(table.index) == set(WATCHED)
    # Two figures of one series: the other says much of each.
    assert table.loc["srdi-2022", "without_50"] == pytest.approx(table.loc["srdi-2022", "low"], rel=0.3)
    assert (table["without_95"] - table["without_05"] > 0).all()


def test_weights_and_chains_predict_a_figure_left_out_alike(miniature, monkeypatch):
    _, _, found = miniature
    monkeypatch.setattr(diagnostics, "WEIGHABLE", np.inf)
    weighted = diagnostics.leave_one_out(found).set_index("id")
    monkeypatch.setattr(diagnostics, "WEIGHABLE", -np.inf)
    sampled = diagnostics.leave_one_out(found).set_index("id")
    alike = weighted.index[weighted["pareto_k"] <= 0.7]
    assert len(alike) > 0
    fitted = found.targets.natural(np.quantile(found.emulator(found.sample.cube), [0.05, 0.95], axis=0))
    for index, figure in enumerate(found.targets.ids):
        # Without it, less is known of it.
        with_it = np.log(fitted[1, index] / fitted[0, index])
        assert np.log(weighted.loc[figure, "without_95"] / weighted.loc[figure, "without_05"]) > with_it
    for figure in alike:
        width = np.log(sampled.loc[figure, "without_95"] / sampled.loc[figure, "without_05"])
        apart = np.log(weighted.loc[figure, "without_50"] / sampled.loc[figure, "without_50"])
        assert abs(apart) < 0.3 * width


def test_a_hindcast_knows_nothing_of_later_figures(miniature):
    _, _, found = miniature
    table = hindcast(found).national
    # Innovative SMEs were never reported before 2023, and no fitted figure before the end of 2022: nothing to go on.
    assert table["id"].tolist() == ["srdi-2024-03"]
    row = table.iloc[0]
    assert row["origin"] == "2022-12-31"
    assert row["p05"] < row["p25"] < row["p50"] < row["p75"] < row["p95"]
    assert row["inside_90"] == (row["p05"] <= row["high"] and row["low"] <= row["p95"])
    # Another figure of 2024 changes no forecast, another one of 2022 does.
    for id_, changes in (("srdi-2024-03", False), ("srdi-2022", True)):
        moved = found.targets.figures[found.targets.ids.index(id_)]
        moved = moved.model_copy(update={"low": 1.5 * moved.low, "high": 1.5 * moved.high})
        figures = tuple(moved if figure.id == id_ else figure for figure in found.targets.figures)
        shift = np.log(1.5) * (np.array(found.targets.ids) == id_)
        targets = replace(
            found.targets, figures=figures, low=found.targets.low + shift, high=found.targets.high + shift
        )
        other = hindcast(replace(found, targets=targets)).national.iloc[0]
        assert (other["p50"] != row["p50"]) == changes, id_


# --- files


def test_every_target_was_known_at_the_cut_off_and_every_fit_has_its_doubt():
    targets = read_targets(("fit", "check"))
    assert len(targets.ids) > 50
    assert (targets.low <= targets.high).all()
    assert (read_targets().discrepancy > 0).all()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "there is no"),
        ('[parameter.rd_shfit]\ndistribution = "uniform"', "unknown parameter rd_shfit; did you mean 'rd_shift'"),
        (
            '[parameter.rd_shift]\ndistribution = "gamma"\nsource = "x"\nrole = "free"',
            "distribution is 'gamma'; allowed",
        ),
        ('[parameter.rd_shift]\ndistribution = "uniform"\nfrom = 1.0\nsource = "x"\nrole = "free"', "to is missing"),
        (
            '[parameter.rd_shift]\ndistribution = "uniform"\nfrom = 0\nto = 1\nsource = "x"\nrole = "free"\nmean = 1.0',
            "unknown key mean",
        ),
        (
            '[parameter.rd_shift]\ndistribution = "uniform"\nfrom = "a"\nto = 1.0\nsource = "x"\nrole = "free"',
            "from is 'a': input should be a valid number",
        ),
        (
            '[parameter.reach_srdi_max]\ndistribution = "uniform"\nfrom = 2.0\nto = 3.0\nsource = "x"\nrole = "free"',
            "allowed is a part of 0 to 1",
        ),
    ],
)
def test_a_fault_in_the_priors_is_named(text, words):
    with pytest.raises(InputError, match=words):
        read_priors(text)


def test_priors_fill_their_ranges():
    priors = read_priors()
    ends = priors.values(np.array([np.zeros(len(priors.names)), np.ones(len(priors.names))]))
    np.testing.assert_allclose(ends.T, priors.bounds, rtol=1e-6)
    halves = priors.values(np.full((1, len(priors.names)), 0.5))[0]
    assert ((ends[0] < halves) & (halves < ends[1])).all()


def test_the_packaged_calibration_is_whole():
    summary, draws = packaged_calibration()
    posterior = read_parameter_draws("posterior")
    assert posterior.checksum == summary["posterior"]["checksum"]
    assert list(draws.columns) == list(read_priors().only("free").names)
    assert [row["parameter"] for row in summary["parameters"]] == list(draws.columns)
    assert summary["model"] == model_digest(posterior.names), "python -m calibration.confirm, or a new fit"
    for row in summary["parameters"]:
        assert (row["verdict"] == "learned") == (row["contraction"] >= diagnostics.LEARNED)


def test_the_page_on_the_calibration_shows_the_packaged_one():
    page = (Path(__file__).parents[2] / "docs" / "calibration.md").read_text(encoding="utf-8")
    assert with_results(page) == page
    with pytest.raises(ValueError, match="the page has no"):
        with_results("a page without marks")


def test_defaults_are_the_draw_nearest_the_figures():
    summary, draws = packaged_calibration()
    number, values = summary["default"]["draw"], summary["default"]["values"]
    assert draws.iloc[number - 1].to_dict() == pytest.approx(values)
    for name, value in values.items():
        assert parameter_table()[name].value == pytest.approx(value, rel=1e-7), name


def test_the_nearest_draw_is_nearest_in_the_mean_of_its_runs(tmp_path, monkeypatch):
    targets = read_targets().only(np.isin(read_targets().ids, ["srdi-2024-03"]))
    values = np.array([[2020.5], [2021.0], [2021.5]])
    outcomes = np.ones((3, len(reported_figures())))
    # The first draw's one run was lucky; in the mean of more the last is nearest.
    outcomes[:, targets.columns[0]] = [124_000.0, 160_000.0, 122_000.0]
    means = {2020.5: 140_000.0, 2021.0: 160_000.0, 2021.5: 124_500.0}

    def runs(design, path, workers, on_run):
        return np.array([[means[value]] * len(reported_figures()) for value in design.values[:, 0]])

    monkeypatch.setattr("calibration.forecasting.prediction.run_library", runs)
    assert nearest_draw(("reach_srdi_mid",), values, outcomes, targets, scale=0.05, seed=1, folder=tmp_path) == 2


def test_packaged_forecasts_are_of_the_packaged_posterior():
    forecasts = json.loads(files("calibration").joinpath("forecasts.json").read_text(encoding="utf-8"))
    assert forecasts["posterior"] == read_parameter_draws("posterior").checksum
    found = {(row["quantity"], row["date"]) for row in forecasts["forecasts"]}
    asked = {(name_of(quantity), quantity.quarter_end.date().isoformat()) for quantity in published_quantities()}
    assert found == asked


def test_adopting_writes_defaults_and_copies_what_is_there(tmp_path):
    text = (Path(__file__).parents[2] / "sim" / "data" / "parameters.toml").read_text(encoding="utf-8")
    moved = with_defaults(text, {"reach_srdi_mid": 2021.23456, "giant_bar": 61.0})
    table = {name: row for section in tomllib.loads(moved).values() for name, row in section.items()}
    assert table["reach_srdi_mid"]["value"] == 2021.2346
    assert table["giant_bar"]["source"] == SOURCE
    assert table["giant_bar"]["range"] == [0, 100]
    assert len(moved.splitlines()) == len(text.splitlines())
    with pytest.raises(KeyError):
        with_defaults(text, {"giant_bra": 1.0})
    with pytest.raises(InputError, match="no results"):
        adopt(tmp_path, tmp_path)
    (tmp_path / "calibration").mkdir()
    (tmp_path / "posterior.parquet").write_bytes(b"draws")
    assert adopt(tmp_path, tmp_path) == ["posterior.parquet"]
    assert (tmp_path / "calibration" / "posterior.parquet").read_bytes() == b"draws"
    (tmp_path / "validation.json").write_text('{"forecasts": "somewhere/forecasts.json"}')
    adopt(tmp_path, tmp_path)
    assert json.loads((tmp_path / "calibration" / "validation.json").read_text()) == {"forecasts": "forecasts.json"}
