"""Rolling hindcasts, on a fit whose runs are a formula: reported figures moved by two parameters."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from calibration.fitting.fit import Settings, fit
from calibration.fitting.priors import read_priors
from calibration.fitting.targets import read_targets
from calibration.forecasting import ledger, lists, naive
from calibration.reporting import cells
from calibration.studies import hindcasts
from calibration.studies.hindcasts import HORIZON, ORIGINS, hindcast
from calibration.studies.study import packaged_calibration
from scenarios.analysis.model_error import DRIFT, DRIFTS
from scenarios.analysis.reported import reported_figures
from scenarios.records.storage import records

FREE = ("giant_bar", "reach_srdi_mid")
FITTED = ("little_giants_granted", "review_pass_rate", "srdi_smes", "little_giants")


def formula(design, path, workers, on_run):
    """Batches and stocks fall with the first parameter, SRDI SMEs with the second; runs have luck of 3 %."""
    bounds = {name: read_priors().by_name[name] for name in FREE}
    priors = replace(read_priors(), by_name=bounds)
    low, high = priors.bounds.T
    cube = (design.values - low) / (high - low)
    outcomes = np.ones((len(cube), len(reported_figures())))
    luck = np.random.default_rng(int(design.seeds[0])).normal(size=outcomes.shape)
    for column, figure in enumerate(reported_figures()):
        slope = cube[:, 1] if figure.quantity == "srdi_smes" else cube[:, 0]
        outcomes[:, column] = figure.middle * np.exp((0.5 - slope) * (0.1 if figure.is_share else 0.6))
    return outcomes * np.exp(0.03 * luck)


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    figures = tuple(
        figure if figure.role == "fit" and figure.quantity in FITTED else figure.model_copy(update={"role": "check"})
        for figure in reported_figures()
    )
    priors = replace(read_priors(), by_name={name: read_priors().by_name[name] for name in FREE})
    settings = Settings(scale=0.01, first=50, later=12, draws=100, steps=300)
    folder = tmp_path_factory.mktemp("fit")
    return fit(priors, read_targets(figures=figures), folder, settings, simulate_runs=formula)


@pytest.fixture(scope="module")
def found(fitted):
    return hindcast(fitted)


def test_every_hindcast_is_of_the_year_after_its_origin(found):
    days = {origin.isoformat(): (origin + HORIZON).isoformat() for origin in ORIGINS}
    for table in (found.national, found.provinces):
        assert set(table["origin"]) == set(days)
        assert (table["origin"] < table["date"]).all()
        assert (table["date"] <= table["origin"].map(days)).all()
    quantities = found.national.groupby("origin")["quantity"].agg(set)
    assert {"srdi_smes", "little_giants", "little_giants_granted"} <= quantities["2021-12-31"]
    assert {"srdi_smes", "little_giants", "little_giants_granted", "review_pass_rate"} <= quantities["2022-12-31"]
    # A pass rate was first reported in 2022, so there was no series to extend.
    assert "review_pass_rate" not in quantities["2021-12-31"]


def test_the_ledger_makes_the_stock_of_the_next_year(found):
    rows = found.national.set_index(["origin", "id"])
    granted, stock = (rows.loc["2021-12-31"].loc[name] for name in ("giants-batch-4", "giants-2022"))
    # 4,762, of which most of the first 248 pass, and the new batch.
    assert stock["p50"] - granted["p50"] == pytest.approx(4762 - 100, abs=60)
    assert rows.loc[("2022-12-31", "giants-2023"), "inside_90"]


def test_provinces_are_those_with_a_list_of_the_year(found):
    places = found.provinces.groupby("origin")["quantity"].agg(set)
    assert {"little_giants_granted.Hubei", "little_giants.Guangdong", "little_giants.east"} <= places["2021-12-31"]
    assert {"little_giants_granted.Jiangsu", "little_giants_granted.west", "little_giants.Shanghai"} <= (
        places["2022-12-31"]
    )
    rows = found.provinces.set_index(["origin", "quantity"])
    # 172 and 424 of Jiangsu in batches 3 and 4, then 795 of 3,671.
    jiangsu = rows.loc[("2022-12-31", "little_giants_granted.Jiangsu")]
    assert jiangsu["p50"] < 600 < jiangsu["p95"]
    assert jiangsu["error_last_share"] < 0


def test_scores_are_those_of_the_samples(found):
    for table, blend in ((found.national, found.blends["national"]), (found.provinces, found.blends["provinces"])):
        assert blend.figures == len(table)
        means = table[["crps", "crps_last_value", "crps_linear_trend"]].dropna().mean()
        inverse = (1 / means / (1 / means).sum()).tolist()
        assert list(blend.weights.values()) == pytest.approx(inverse)
        assert table["pit"].between(0.0, 1.0).all()
        # The score of a blend at one origin does not know the scores there.
        assert table["crps_blend"].notna().all()
        assert blend.score_blend == pytest.approx(table["crps_blend"].mean())
    scores = found.scores.set_index(["scope", "forecast"])
    assert scores.loc[("provinces", "last_share"), "figures"] == len(found.provinces)
    assert ("national", "last_share") not in scores.index
    assert scores.loc["national", "weight"].sum() == pytest.approx(1.0)
    rows = records(found.scores)
    json.dumps([rows, records(found.national), records(found.provinces)], allow_nan=False)
    assert len(cells.hindcast_scores(rows).rows) == len(rows)
    assert cells.hindcast(records(found.national)).rows[0][0] == "end of 2021"


def test_later_figures_change_no_forecast(fitted, found, monkeypatch):
    """What a forecast from the end of 2022 says is the same whatever was reported afterwards."""

    def moved(figure):
        if figure.date <= ORIGINS[-1] or figure.is_share:
            return figure
        return figure.model_copy(
            update={end: value and 1.1 * value for end, value in (("low", figure.low), ("high", figure.high))}
        )

    figures = tuple(map(moved, reported_figures()))
    for module in (lists, naive, hindcasts):
        monkeypatch.setattr(module, "reported_figures", lambda: figures)
    targets = replace(fitted.targets, figures=tuple(map(moved, fitted.targets.figures)))
    pairs = zip(targets.figures, fitted.targets.figures, strict=True)
    shift = np.array([math.log(new.middle / old.middle) for new, old in pairs])
    assert shift.any()
    targets = replace(targets, low=targets.low + shift, high=targets.high + shift)
    ledger.share_draws.cache_clear()
    other = hindcast(replace(fitted, targets=targets))
    ledger.share_draws.cache_clear()
    for before, after in ((found.national, other.national), (found.provinces, other.provinces)):
        assert before["id"].tolist() == after["id"].tolist()
        assert not np.array_equal(before["low"], after["low"])
        for level in ("05", "25", "50", "75", "95"):
            np.testing.assert_array_equal(before[f"p{level}"], after[f"p{level}"])
        for name in ("last_value", "linear_trend"):
            medians = [(1 + one[f"error_{name}"]) * (one["low"] + one["high"]) / 2 for one in (before, after)]
            np.testing.assert_allclose(*medians)


def test_one_origin_judges_no_blend(fitted):
    alone = hindcast(fitted, ORIGINS[1:])
    assert alone.blends["national"].score_blend is None
    assert not alone.blends["national"].better
    assert "crps_blend" not in alone.national


def test_losses_are_those_of_the_packaged_runs():
    """Little giants lost in 2022 beyond failed reviews, of the stock then: the medians of the fit's own runs."""
    median = {row["id"]: row["median"] for row in packaged_calibration()[0]["targets"]}
    failed = median["giants-renewed-2022"] * (1.0 / median["review-2022"] - 1.0)
    before, after = median["giants-2021"], median["giants-2022"]
    lost = before + median["giants-batch-4"] - failed - after
    assert 2.0 * lost / (before + after) == pytest.approx(hindcasts.LOSSES, abs=0.005)


def test_drift_is_about_the_error_of_the_packaged_hindcasts():
    """Root mean square of the errors after up to a year, of quantities without an error of their own in the ledger."""
    errors: dict[str, list[float]] = {"srdi_smes": [], "other": []}
    for row in packaged_calibration()[0]["hindcast"]:
        if row["quantity"] in ("srdi_smes", "little_giants", "rd_reported_yuan"):
            errors["srdi_smes" if row["quantity"] == "srdi_smes" else "other"].append(row["error"])
    missed = {name: math.sqrt(np.mean(np.square(found))) for name, found in errors.items()}
    assert 0.6 < missed["other"] / DRIFT < 1.4
    assert 0.6 < missed["srdi_smes"] / DRIFTS["srdi_smes"] < 1.4
