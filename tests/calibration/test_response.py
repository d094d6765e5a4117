"""Response of supported firms: the difference of each firm from itself without the lever."""

from __future__ import annotations

import json
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from conftest import ALL_LEVERS

from calibration.firms.displacement import _per_yuan, sales_per_yuan
from calibration.firms.response import (
    FIRST,
    OUTCOMES,
    YEARS,
    _mean_effect,
    _snapshot,
    policies,
    published,
    response,
    responses,
)
from scenarios.analysis.recipients import supported
from scenarios.cli import main
from sim.feedbacks import Feedbacks
from sim.levers import Levers
from sim.model import SRDIModel
from sim.policy import Policy, find_policy


def test_the_two_policies_differ_in_the_lever_alone():
    on, off = policies("matchmaking_sales")
    assert on.levers.matchmaking_sales.enabled
    assert on.levers.matchmaking_sales.start == FIRST
    assert not off.levers.matchmaking_sales.enabled
    assert on.model_copy(update={"levers": off.levers}) == off
    on, off = policies("open_innovation")
    assert off.levers.cluster_recognition.enabled, "it acts in recognised clusters only"


def test_every_lever_with_recipients_marks_some():
    model = SRDIModel(Policy(levers=ALL_LEVERS), scale=0.01, rng=1, until=2023)
    model.run_model()
    alive = model.firms.columns.employment > 0
    marked = {lever: supported(model, lever) for lever in Levers.model_fields}
    assert [lever for lever, firms in marked.items() if not firms.any()] == ["county_preference"]
    assert all(not firms[~alive].any() for firms in marked.values())


def test_a_lever_on_sales_raises_the_sales_of_those_it_supports_by_what_it_is_declared_to():
    changes = {"parameters": {"match_sales": 0.05, "match_linking": 0.0}, "model": Feedbacks.only()}
    base = find_policy("baseline").model_copy(update=changes)
    rows = response("matchmaking_sales", 0.005, 3, base).set_index(["outcome", "years"])
    assert rows.loc[("revenue", 0), "firms"] >= 20
    assert rows.loc[("revenue", 0), "effect"] == pytest.approx(0.05, abs=0.004)
    assert abs(rows.loc[("tfp", 0), "effect"]) < 0.003
    assert set(rows.index.unique("years")) == set(YEARS)


def test_research_is_what_was_reported_less_what_was_relabelled():
    """Public money adds to it and not to `rd_intensity`."""
    of_firms = {"age": 8, "employment": 20.0, "productivity": 0.1, "revenue": 1e7}
    research = {"rd_intensity": 0.01, "rd_last_year": 0.04, "relabelled": 0.25}
    columns = SimpleNamespace(**{name: np.array([value]) for name, value in (of_firms | research).items()})
    model = SimpleNamespace(moment=SimpleNamespace(index=10), firms=SimpleNamespace(columns=columns))
    assert _snapshot(model).research == pytest.approx([0.03 * 1e7])


def test_the_interval_of_a_mean_and_of_a_ratio():
    logs = np.stack([np.tile([0.1, 0.3], 50), np.ones(100)])
    found = _mean_effect(logs)
    assert found == pytest.approx({"effect": 0.2, "low": 0.2 - 1.96 * 0.01, "high": 0.2 + 1.96 * 0.01, "firms": 100})
    ratio = np.stack([np.tile([1.0, 3.0], 50), np.tile([10.0, 30.0], 50)])  # each firm gains a tenth of its own
    assert _mean_effect(ratio) == pytest.approx({"effect": 0.1, "low": 0.1, "high": 0.1, "firms": 100})
    assert np.isnan(_mean_effect(logs[:, :19])["effect"])


def test_published_and_modelled_intervals_meet_or_do_not(monkeypatch):
    effects = pd.DataFrame({"outcome": ["tfp"] * 3, "years": [0, 1, 4], "effect": 0.0, "low": -0.1, "high": 0.1})
    given = pd.DataFrame({"lever": "x", "outcome": "tfp", "years": [0, 1], "source": "s"})
    given = given.assign(published_low=[0.1, 0.2], published_high=[0.3, 0.4])
    monkeypatch.setattr("calibration.firms.response.response", lambda *_: effects)
    monkeypatch.setattr("calibration.firms.response.published", lambda: given)
    told = []
    rows = responses(["x", "x"], 0.01, 1, on_lever=lambda *done: told.append((*done[:2], len(done[2]))))
    assert told == [(0, 2, 0), (1, 2, 3), (2, 2, 6)]
    rows = responses(["x"], 0.01, 1)
    assert rows["inside"].tolist() == [True, False, None]
    assert rows["published"].tolist()[:2] == pytest.approx([0.2, 0.3])


def test_what_rivals_lose_is_missing_in_the_nations_sales():
    base = find_policy("baseline").model_copy(update={"parameters": {"match_sales": 0.05, "match_linking": 0.0}})
    asked = []
    rows = sales_per_yuan(
        ["matchmaking_sales", "governance_training"],
        0.005,
        [3],
        base,
        lambda *done: asked.append((*done[:2], len(done[2]))),
    )
    (row,) = rows.itertuples()
    assert row.lever == "matchmaking_sales"
    assert row.cost_yuan > 0.0
    assert row.gross > 2.0 * row.net > 0.0
    assert row.gross > row.niche > row.net
    assert asked == [(0, 1, 0), (1, 1, 1)]


def test_the_interval_of_sales_per_yuan_is_that_of_a_ratio_of_few_pairs():
    """By hand: ratio 60/30; residuals 2, -2, 0; s = sqrt(8 · 3/2); t of two degrees of freedom 4.303."""
    found = _per_yuan("net", np.array([[22.0, 10.0], [18.0, 10.0], [20.0, 10.0]]))
    width = 4.303 * np.sqrt(12.0) / 30.0
    assert found == pytest.approx({"net": 2.0, "net_low": 2.0 - width, "net_high": 2.0 + width}, rel=1e-3)
    alone = _per_yuan("net", np.array([[22.0, 11.0]]))
    assert alone["net"] == 2.0
    assert np.isnan([alone["net_low"], alone["net_high"]]).all()
    assert np.isnan(list(_per_yuan("net", np.array([[5.0, 0.0]])).values())).all()


def test_published_estimates_name_levers_and_outcomes_that_exist():
    rows = published()
    assert set(rows["lever"]) <= set(Levers.model_fields)
    assert set(rows["years"]) <= set(YEARS)
    assert (rows["published_low"] <= rows["published_high"]).all()
    assert rows["source"].str.len().gt(10).all()
    assert not rows.duplicated(["lever", "outcome", "years"]).any()


def test_the_command_prints_writes_and_refuses(tmp_path):
    out = tmp_path / "response.csv"
    words = ["response", "matchmaking_sales", "--scale", "0.002", "--replicates", "2", "--json", "--out", str(out)]
    result = CliRunner().invoke(main, words, catch_exceptions=False)
    found = json.loads(result.stdout.splitlines()[-1])
    rows = found["rows"]
    assert [row["lever"] for row in found["displacement"]] == ["matchmaking_sales"]
    assert {row["lever"] for row in rows} == {"matchmaking_sales"}
    assert [row["published_low"] for row in rows if (row["outcome"], row["years"]) == ("revenue", 1)] == [0.081]
    assert out.read_text(encoding="utf-8-sig").startswith("outcome,years,effect,low,high,firms,lever")
    sales = (tmp_path / "response-sales-per-yuan.csv").read_text(encoding="utf-8-sig")
    assert sales.startswith("lever,cost_yuan,gross,gross_low,gross_high,niche,")
    assert "Revenue year 1: +8.1 %" in result.stderr
    refused = CliRunner().invoke(main, ["response", "matchmaking_sale"])
    assert refused.exit_code == 2
    assert "did you mean 'matchmaking_sales'?" in refused.stderr
    assert np.isfinite([row["firms"] for row in rows]).all()


@pytest.mark.parametrize("stage", ["levers", "sales"])
def test_an_interrupt_keeps_the_levers_that_are_finished(tmp_path, monkeypatch, stage):
    effects = pd.DataFrame({"outcome": OUTCOMES, "years": 1, "effect": 0.5, "low": 0.4, "high": 0.6, "firms": 30})

    def respond(lever, *_):
        if (stage, lever) == ("levers", "joint_branding"):
            raise KeyboardInterrupt
        return effects

    def gain(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("calibration.firms.response.response", respond)
    monkeypatch.setattr("calibration.firms.displacement._national_gain", gain)
    out = tmp_path / "response.csv"
    words = ["response", "matchmaking_sales", "joint_branding", "--out", str(out), "--json"]
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 130, result.stderr
    count = 1 if stage == "levers" else 2
    assert f"interrupted after the effects of {count} and the sales per yuan of 0 levers" in result.stderr
    levers = ["matchmaking_sales", "joint_branding"][:count]
    assert all(lever in result.stderr for lever in levers)
    assert pd.read_csv(out)["lever"].unique().tolist() == levers
    assert [path.name for path in tmp_path.iterdir()] == [out.name]
    assert result.stdout == ""


def test_an_interrupt_before_the_first_lever_leaves_nothing(tmp_path, monkeypatch):
    def respond(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("calibration.firms.response.response", respond)
    result = CliRunner().invoke(main, ["response", "joint_branding", "--out", str(tmp_path / "response.csv")])
    assert result.exit_code == 130, result.stderr
    assert list(tmp_path.iterdir()) == []
