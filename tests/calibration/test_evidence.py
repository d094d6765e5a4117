"""From estimates to draws: curves, likelihood, draws of the right width, recovery, and the study from end to end."""

from __future__ import annotations

import json
import math

import numpy as np
import pyarrow.parquet as pq
import pytest
from evidence_files import changed_row, whole_file
from scipy.stats import norm

from calibration.evidence import comparison
from calibration.evidence.curves import Curve, identity, learn
from calibration.evidence.design import Arm, arms_of, drawn_parameters, is_fitted, priors_of, studies_of_priors
from calibration.evidence.effects import Design, Settings
from calibration.evidence.likelihood import SHARED, Finding, Likelihood, components, finding_of
from calibration.evidence.pairs import run_trial
from calibration.evidence.rows import Evidence, parse_evidence, read_evidence
from calibration.evidence.sampling import Draws, draw
from calibration.evidence.study import _labels, study
from calibration.evidence.trials import Trial
from calibration.fitting.priors import Lognormal, Uniform, read_priors
from scenarios.ensembles.parameter_draws import read_parameter_draws
from scenarios.files.labels import Label
from scenarios.files.strengths import lever_strengths
from sim.parameters import parameter_table

EVIDENCE = read_evidence()
#: Two parameters of the model as made-up ones, with flat priors from 0 to 2 and from 0 to 1.
A, B = "staff_response", "dose_elasticity"
FLAT = priors_of((A, B), EVIDENCE)
ROWS = {row.id: row for row in EVIDENCE.estimates}
TAKEN = read_parameter_draws("posterior").names


# ---------------------------------------------------------------- curves


def made(names, function, points, noise=0.0, seed=1):
    """Curve learned from a function of parameters around 1."""
    rng = np.random.default_rng(seed)
    values = np.exp(rng.uniform(-2.0, 2.0, (points, len(names))))
    effects = np.column_stack([function(values) + noise * rng.normal(size=points), np.full(points, 0.01)])
    return learn(names, np.ones(len(names)), values, effects), values


def test_a_product_of_strengths_is_learned_without_error():
    curve, values = made(("a", "b"), lambda v: 0.3 + 0.2 * v[:, 0] * v[:, 1] - 0.1 * v[:, 1], 12)
    truth = 0.3 + 0.2 * values[:, 0] * values[:, 1] - 0.1 * values[:, 1]
    assert curve(values) == pytest.approx(truth, abs=1e-9)
    assert curve.error < 1e-8
    assert curve.sampling == pytest.approx(0.01)
    assert curve.spread == pytest.approx(0.01)


def test_the_error_of_a_curve_is_that_of_runs_left_out():
    curve, _ = made(("a",), lambda v: v[:, 0], 400, noise=0.5)
    assert curve.error == pytest.approx(0.5, rel=0.1)
    bent, _ = made(("a",), lambda v: 1.0 - np.exp(-v[:, 0]), 12)
    assert bent.error > 0.005, "what bends more than a quadratic shows in the error"


def test_curves_need_more_runs_than_terms_and_leave_out_those_without_firms():
    values = np.linspace(0.5, 2.0, 6)[:, None]
    effects = np.column_stack([values[:, 0], np.zeros(6)])
    effects[0] = np.nan
    assert learn(("a",), np.ones(1), values, effects)(np.array([[1.5]])) == pytest.approx([1.5])
    effects[:3] = np.nan
    assert learn(("a",), np.ones(1), values, effects) is None
    single = learn((), np.empty(0), np.empty((1, 0)), np.array([[0.2, 0.01]]))
    assert single(np.empty((3, 0))) == pytest.approx([0.2] * 3)
    assert learn((), np.empty(0), np.empty((1, 0)), np.array([[np.nan, np.nan]])) is None


def test_an_estimate_of_the_parameter_itself_has_the_identity():
    assert identity("research_wage_share", 0.35)(np.array([[0.2], [0.5]])) == pytest.approx([0.2, 0.5])


# ---------------------------------------------------------------- likelihood


def line(name: str, slope: float = 1.0) -> Curve:
    return Curve((name,), np.ones(1), np.array([0.0, slope, 0.0]), 0.0, 0.0)


def test_one_study_is_a_normal_with_transport_and_error_of_the_curve():
    curve = Curve(("a",), np.ones(1), np.array([0.0, 2.0, 0.0]), 0.03, 0.04)
    likelihood = Likelihood(("a",), (Finding("s", 1.0, 0.12, curve),))
    values = np.array([[0.4], [0.55]])
    by_hand = norm.logpdf(1.0, 2.0 * values[:, 0], math.hypot(0.12, 0.05))
    found = likelihood(values)
    assert found[1] - found[0] == pytest.approx(by_hand[1] - by_hand[0])
    row = ROWS["cai_szeidl_2018"]
    assert finding_of(row, curve).error == pytest.approx(math.hypot(0.0405, 0.5 * 0.081))
    null = ROWS["oh_2009_productivity"]
    assert finding_of(null, curve).error == null.se, "a study that found nothing has its standard error alone"


def test_rows_of_one_study_count_about_once():
    def width(studies_of):
        findings = [Finding(name, 1.0, 0.15, line(A)) for name in studies_of]
        draws = draw(FLAT, [Likelihood((A,), findings)], 2000, 1, 20_000)
        return draws.column(A).std()

    one, shared, apart = width(["s"]), width(["s"] * 3), width(["s", "t", "u"])
    assert shared == pytest.approx(0.15 * math.sqrt((1.0 + 2.0 * SHARED) / 3.0), rel=0.06)
    assert apart == pytest.approx(0.15 / math.sqrt(3.0), rel=0.06)
    assert apart < shared < one


def test_parameters_are_judged_together_if_rows_tie_them():
    both = Curve(("a", "b"), np.ones(2), np.zeros(6), 0.0, 0.0)
    findings = [Finding("s", 1.0, 0.3, both), Finding("t", 1.0, 0.3, line("b")), Finding("u", 1.0, 0.3, line("d"))]
    groups = components(("a", "b", "c", "d"), findings)
    assert [(group.names, len(group.findings)) for group in groups] == [(("a", "b"), 2), (("d",), 1)]


# ---------------------------------------------------------------- draws


def test_draws_have_the_posterior_known_in_closed_form():
    draws = draw(FLAT, [Likelihood((A,), (Finding("s", 1.0, 0.15, line(A)),))], 4000, 1)
    assert draws.column(A).mean() == pytest.approx(1.0, abs=0.01)
    assert draws.column(A).std() == pytest.approx(0.15, rel=0.03)
    assert draws.column(B).mean() == pytest.approx(0.5, abs=0.01), "of which no study speaks has its prior"
    assert draws.effective[A] == pytest.approx(1e5 * 2.0 * math.sqrt(math.pi) * 0.15 / 2.0, rel=0.02)
    assert draws.effective[B] == pytest.approx(1e5)
    # Of a flat prior over 2, a normal of sd 0.15: ln 2 - ln(0.15 sqrt(2 pi e)), a little less in bins of 0.1.
    assert draws.learned[A] == pytest.approx(
        math.log(2.0) - math.log(0.15 * math.sqrt(2.0 * math.pi * math.e)), abs=0.03
    )
    assert draws.learned[B] == pytest.approx(0.0, abs=1e-3)
    assert abs(np.corrcoef(draws.values.T)[0, 1]) < 0.05, "independent parameters are drawn independently"
    np.testing.assert_array_equal(draw(FLAT, [], 50, 3, 1000).values, draw(FLAT, [], 50, 3, 1000).values)


def test_a_product_that_is_known_leaves_its_parts_opposed():
    both = Curve((A, B), np.ones(2), np.array([0.0, 0.0, 0.0, 0.0, 1.0, 0.0]), 0.0, 0.0)
    draws = draw(FLAT, [Likelihood((A, B), (Finding("s", 0.4, 0.03, both),))], 2000, 1)
    assert (draws.column(A) * draws.column(B)).std() == pytest.approx(0.03, rel=0.1)
    assert np.corrcoef(draws.values.T)[0, 1] < -0.6


def recovered(seed: int) -> list[bool]:
    """Whether 90 % intervals hold the strengths that made the estimates of four studies and of one with two rows."""
    rng = np.random.default_rng(seed)
    names = ("training_governance", "digital_productivity")
    priors = priors_of(names, EVIDENCE)
    centre = np.array([parameter_table()[name].value for name in names])
    truth = priors.values(rng.random((1, 2)))
    curves = {
        "own": Curve(names[:1], centre[:1], np.array([0.0, 0.05, 0.0]), 0.002, 0.001),
        "product": Curve(names, centre, np.array([0.0, 0.0, 0.01, 0.0, 0.1, 0.0]), 0.002, 0.001),
        "other": Curve(names[1:], centre[1:], np.array([0.0, 0.04, -0.002]), 0.002, 0.001),
    }
    findings = []
    for study_id, kinds in (("s", ("own",)), ("t", ("own",)), ("u", ("product", "product")), ("v", ("other",))):
        shared, context = rng.normal(size=2)
        for kind in kinds:
            curve = curves[kind]
            effect = float(curve(truth[:, [names.index(name) for name in curve.names]])[0])
            error = 0.02 + 0.3 * abs(effect)
            own, other = rng.normal(size=2)
            seen = math.sqrt(SHARED) * shared + math.sqrt(1.0 - SHARED) * own
            away = math.sqrt(SHARED) * context + math.sqrt(1.0 - SHARED) * other
            estimate = effect + error * seen + 0.3 * effect * away + curve.spread * rng.normal()
            findings.append(Finding(study_id, estimate, math.hypot(error, 0.3 * abs(estimate)), curve))
    draws = draw(priors, components(names, findings), 1000, seed, 20_000)
    ends = np.quantile(draws.values, [0.05, 0.95], axis=0)
    return list((ends[0] <= truth[0]) & (truth[0] <= ends[1]))


def test_synthetic_studies_give_their_strengths_back():
    """Coverage of 90 % intervals over 100 repeats, both strengths: 85 to 95 %."""
    coverage = float(np.mean([recovered(seed) for seed in range(100)]))
    print(f"coverage of 90 % intervals {100 * coverage:.1f} %")
    assert 0.85 <= coverage <= 0.95


# ---------------------------------------------------------------- which parameters, which priors


def test_strengths_of_all_levers_are_drawn_and_nothing_the_fit_draws():
    drawn = drawn_parameters(EVIDENCE, TAKEN)
    assert set(drawn) >= {name for names in lever_strengths().values() for name in names}
    assert "dose_elasticity" in drawn
    assert not set(drawn) & set(TAKEN)
    assert not {"exit_base", "unlink_rate"} & set(drawn), "statistics of the baseline are compared, not fitted"
    assert not is_fitted(ROWS["saic_2013_rate"], TAKEN)
    assert not is_fitted(ROWS["fei_2018_multiplier"], TAKEN), "a setting is no parameter"
    assert is_fitted(ROWS["cai_szeidl_2018"], TAKEN)
    resting = studies_of_priors(EVIDENCE)
    assert resting["displacement"] == ("cai_szeidl_2022", "rotemberg_2019")
    assert set(resting) - set(TAKEN) <= set(drawn)
    assert "staff_response" not in resting, "its study is fitted"


def test_priors_are_wide_and_count_no_study_twice():
    priors = priors_of(("match_sales", "staff_response", "award_additionality"), EVIDENCE)
    assert priors.values(np.full((1, 3), 0.5))[0, 0] == pytest.approx(0.01)
    ends = priors.bounds[0] / 0.01
    assert ends == pytest.approx([math.exp(-2.0), math.exp(2.0)])
    assert isinstance(priors.by_name["match_sales"], Lognormal)
    assert isinstance(priors.by_name["staff_response"], Uniform)
    assert priors.bounds[1] == pytest.approx([0.0, 2.0])
    # Their studies are compared only, so what was written down of them holds.
    held = ("displacement", "governance_productivity")
    assert [priors_of(held, EVIDENCE).by_name[name] for name in held] == [read_priors().by_name[name] for name in held]
    assert priors.bounds[2][1] == parameter_table()["award_additionality"].high


def test_the_design_of_an_arm_has_two_runs_per_term_and_reaches_both_ends_of_one_parameter():
    trial = Trial("programme_once", "matchmaking_sales")
    alone = Arm(trial, (), ("match_sales",))
    assert alone.points == 6
    assert alone.cube(1)[[0, -1], 0] == pytest.approx([0.0, 1.0])
    assert Arm(trial, (), ("match_sales", "match_linking")).cube(1).shape == (12, 2)
    assert Arm(trial, (), ()).cube(1).shape == (1, 0)
    assert sum(arm.points for arm in arms_of(EVIDENCE, TAKEN)) < 400, "half an hour on two cores"


# ---------------------------------------------------------------- the study


#: A lever with an estimate, and a study of a lever that no run of this size reaches.
SMALL = whole_file(
    changed_row(horizon_years="0.25"),
    changed_row(id='"far_2020"', study='"far_2020"', horizon_years="20"),
    changed_row(id='"few_2020"', study='"few_2020"', lever='"little_giant_awards"', experiment='"award"'),
    changed_row(id='"up_2020"', study='"up_2020"', use='"sign"', sign="1", estimate=None, se=None, unit=None),
)


@pytest.fixture(scope="module")
def small() -> Evidence:
    """A file of four rows of its own."""
    return parse_evidence(SMALL, "mine.toml")


@pytest.fixture(scope="module")
def finished(small, tmp_path_factory):
    """Summary and folder of a study far too small to be of use, but whole."""
    folder = tmp_path_factory.mktemp("evidence")
    return study(small, folder, Settings(scale=0.002, seed=3, baselines=4)), folder


def test_a_study_writes_draws_that_runs_accept(finished):
    summary, folder = finished
    draws = read_parameter_draws(str(folder / "evidence_posterior.parquet"))
    fitted = read_parameter_draws("posterior")
    assert draws.names[: len(fitted.names)] == fitted.names
    np.testing.assert_array_equal(draws.values[:, : len(fitted.names)], fitted.values)
    assert len(draws) == len(fitted)
    assert draws.labels["match_sales"] == Label("evidence", ("mine_2020",))
    assert draws.labels["branding_sales"] == Label("assumed")
    assert draws.labels["rd_trend"] == Label("fitted")
    assert draws.checksum == summary["draws"]["checksum"]
    assert json.loads((folder / "evidence.json").read_text()) == summary
    assert pq.read_schema(folder / "evidence_posterior.parquet").field("match_sales").metadata[b"unit"] == b"log"


def test_a_study_compares_every_row_or_says_why_not(finished):
    summary, _ = finished
    rows = {row["id"]: row for row in summary["rows"]}
    mine = rows["mine_2020"]
    assert {"lever", "parameter", "study", "published", "low", "high", "model", "model_low", "model_high"} <= set(mine)
    assert mine["low"] == pytest.approx(0.05 - 1.645 * 0.02)
    assert mine["model_low"] < mine["model"] < mine["model_high"]
    assert mine["inside"] is True
    assert mine["fitted"] is True
    assert rows["far_2020"]["reason"] == "a horizon of 20 years; trials end after 10"
    assert rows["few_2020"]["reason"] == comparison._TOO_FEW
    assert rows["few_2020"]["inside"] is None
    assert rows["up_2020"]["inside"] is True
    assert rows["up_2020"]["published"] is None
    assert summary["inside"] == {
        "fit": {"inside": 1, "of": 1},
        "check": {"inside": 0, "of": 0},
        "sign": {"inside": 1, "of": 1},
    }


def test_what_a_study_says_moves_the_strength_towards_it(finished):
    summary, _ = finished
    rows = {row["parameter"]: row for row in summary["parameters"]}
    sales = rows["match_sales"]
    assert sales["label"] == "evidence"
    assert sales["studies"] == ["mine_2020"]
    assert sales["default"] == 0.01
    assert 0.015 < sales["median"] < 0.05, (
        "between the prior, 0.01, and the study, 0.05, whose error with transport is 0.025"
    )
    assert rows["branding_sales"]["median"] == pytest.approx(0.02, rel=0.05)
    assert rows["branding_sales"]["learned"] == pytest.approx(0.0, abs=1e-3)


def test_an_interrupted_study_goes_on_where_it_stopped(finished, small, tmp_path):
    summary, folder = finished
    (library,) = folder.glob("pairs-*.jsonl")
    lines = library.read_text().splitlines(keepends=True)
    (tmp_path / library.name).write_text("".join(lines[:4]) + lines[4][:20])
    told = []
    again = study(small, tmp_path, Settings(scale=0.002, seed=3, baselines=4), on_run=lambda *done: told.append(done))
    assert told[0] == ("pairs of runs", 3, summary["runs"])
    assert ("pairs of runs", summary["runs"], summary["runs"]) in told
    assert told[-1] == ("baselines", 8, 8)
    for key in ("rows", "parameters", "draws", "inside"):
        assert again[key] == summary[key], key
    assert again["minutes"] is None


def test_other_rows_or_settings_are_other_runs(small, finished):
    summary, folder = finished
    library = Design.of(small, TAKEN, Settings(scale=0.002, seed=3, baselines=4)).library(folder)
    assert library.path.exists()
    assert library.points == summary["runs"]
    fewer = Evidence(small.estimates[:1], small.gaps, small.currency, small.source)
    for evidence, seed in ((small, 3), (fewer, 2)):
        assert not Design.of(evidence, TAKEN, Settings(scale=0.002, seed=seed)).library(folder).path.exists()


def test_a_study_labels_only_parameters_that_its_rows_name():
    rows = [ROWS["falck_2010_research"], ROWS["lps_2011_productivity"]]
    names = ("commons_productivity", "commons_research", "commons_absorption", "match_sales")
    draws = Draws(names, np.zeros((1, 4)), {}, dict.fromkeys(names, 1.0) | {"commons_absorption": 0.01})
    labels = _labels(rows, {}, read_parameter_draws("posterior"), draws)
    assert labels["commons_productivity"] == Label("evidence", ("martin_mayer_mayneris_lps",))
    assert labels["commons_research"] == Label("evidence", ("falck",))
    assert labels["commons_absorption"] == Label("assumed"), "the study says next to nothing of it"
    assert labels["match_sales"] == Label("assumed"), "no study names it"


def test_studies_made_by_the_model_give_their_strength_back():
    """Ten strengths, each seen by a run with other random draws and an error: at least seven of ten intervals hold."""
    trial, row = Trial("programme_once", "matchmaking_sales"), ROWS["cai_szeidl_2018"]
    names, scale, error = ("match_sales",), 0.01, 0.01
    priors = priors_of(names, EVIDENCE)
    arm = Arm(trial, (row,), names)
    values = arm.values(priors, 1)
    effects = np.array([run_trial(trial, (row,), {names[0]: float(each[0])}, scale, 1)[0] for each in values])
    curve = learn(names, np.array([0.01]), values, effects)
    rng = np.random.default_rng(1)
    held = 0
    for repeat in range(10):
        truth = float(priors.values(rng.random((1, 1)))[0, 0])
        effect, _ = run_trial(trial, (row,), {names[0]: truth}, scale, 100 + repeat)[0]
        finding = Finding("s", effect + error * rng.normal(), error, curve)
        low, high = np.quantile(draw(priors, components(names, [finding]), 1000, repeat).values, [0.05, 0.95])
        held += low <= truth <= high
    print(f"{held} of 10 intervals hold the strength")
    assert held >= 7


@pytest.mark.parametrize(
    ("row", "model", "meets"),
    [
        ("cai_szeidl_2018", (0.01, 0.012, 0.015), True),
        ("cai_szeidl_2018", (0.001, 0.002, 0.003), False),
        ("wallsten_2000_employment", (-0.02, 0.05, 0.1), True),
        ("wallsten_2000_employment", (0.001, 0.002, 0.003), True),
        ("wallsten_2000_employment", (0.02, 0.03, 0.04), False),
        ("boeing_peters_2021_itt", (-0.9, -0.5, 0.1), True),
        ("boeing_peters_2021_itt", (-0.1, 0.0, 0.1), False),
        ("hjort_liberia_share", (0.0, 0.01, 0.02), True),
        ("hjort_liberia_share", (0.9, 0.95, 1.0), False),
    ],
)
def test_intervals_meet_signs_agree_and_limits_hold(row, model, meets):
    """Estimates meet if intervals do; a null in words if the interval holds 0 or is small; a limit from below."""
    assert comparison._meets(ROWS[row], model) is meets


def test_a_model_interval_holds_the_doubt_of_the_strength_and_of_the_runs(small):
    row = small.estimates[0]
    fitted = read_parameter_draws("posterior")
    draws = Draws(("match_sales",), np.linspace(0.0, 0.1, 1001)[:, None], {}, {})
    curve = Curve(("match_sales",), np.array([0.01]), np.array([0.0, 0.01, 0.0]), 0.0, 0.0)
    low, middle, high = comparison._modelled(row, fitted, draws, curve)
    assert (low, middle, high) == pytest.approx((0.005, 0.05, 0.095))
    noisy = Curve(curve.names, curve.centre, curve.weights, 0.0, 0.1)
    low, middle, high = comparison._modelled(row, fitted, draws, noisy)
    assert high - middle == pytest.approx(math.hypot(0.045, 0.1645))
