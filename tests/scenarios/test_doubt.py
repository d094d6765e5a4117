"""Shares of the doubt about an effect, and the value of knowing a strength, where both are known."""

from __future__ import annotations

import io

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from scenarios.analysis.doubt import levels, variance_shares
from scenarios.analysis.information import Candidate, information
from scenarios.analysis.metrics import choose_metrics
from scenarios.analysis.tornado import tornado
from scenarios.commands.effects_tables import information_in_words, print_information
from scenarios.files.labels import Label

(METRIC,) = choose_metrics(("srdi_smes",))


def crossed(rng, n, effect):
    """Pairs as `measure_effects` makes them (`ParameterDraws.cross`): effects, numbers of strengths and of the fit.

    Args:
        effect: function of the strength, the fitted parameter and luck, all standard normal.
    """
    strength, fitted, luck = rng.normal(size=n), rng.normal(size=n), rng.normal(size=2 * n)
    of_strength = np.tile(np.arange(n), 2)
    half = n // 2
    of_fitted = np.concatenate([np.arange(n), np.roll(np.arange(half), -1), np.arange(half, n)])
    return effect(strength[of_strength], fitted[of_fitted], luck), of_strength, of_fitted


def test_shares_by_hand():
    # Four draws, then the first two with each other's fitted parameters and the last two again.
    effects = np.array([1.0, 2.0, 6.0, 4.0, 2.0, 1.0, 5.0, 3.0])
    strengths, fitted = np.array([0, 1, 2, 3, 0, 1, 2, 3]), np.array([0, 1, 2, 3, 1, 0, 2, 3])
    x = effects - 3.0
    by_strengths = np.mean([x[0] * x[4], x[1] * x[5]])
    by_fitted = np.mean([x[1] * x[4], x[0] * x[5]])
    near = {(0, 4), (1, 5), (1, 4), (0, 5), (2, 6), (3, 7)}
    apart = np.mean([x[a] * x[b] for a in range(8) for b in range(a + 1, 8) if (a, b) not in near])
    variance = np.mean(x**2) - apart
    luck = 0.5 * (1.0 + 1.0) / 2.0 / variance  # 6 and 5, 4 and 3
    alone, fit_alone = (by_strengths - apart) / variance, (by_fitted - apart) / variance
    found = variance_shares(effects, strengths, fitted)
    assert found.luck.value == pytest.approx(luck)
    assert found.luck.error == pytest.approx(luck)  # the root of two over two pairs
    assert found.strength.value == pytest.approx(alone + 0.5 * (1.0 - luck - alone - fit_alone))
    assert found.strength.value + found.fitted.value + found.luck.value == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("effect", "shares"),
    [
        (lambda s, f, w: 5.0 + 3.0 * s + 2.0 * f + w, (9 / 14, 4 / 14, 1 / 14)),
        (lambda s, f, w: 100.0 + w, (0.0, 0.0, 1.0)),
        (lambda s, f, w: f, (0.0, 1.0, 0.0)),
        (lambda s, f, w: s + s * f, (0.75, 0.25, 0.0)),  # what both do together is divided
        (lambda s, f, w: s + s * w, (0.5, 0.0, 0.5)),  # what luck has a hand in is luck
    ],
)
def test_shares_of_a_known_effect_are_found_on_average(effect, shares):
    rng = np.random.default_rng(1)
    sums = []
    for _ in range(400):
        found = variance_shares(*crossed(rng, 120, effect))
        sums.append([found.strength.value, found.fitted.value, found.luck.value])
    assert np.mean(sums, axis=0) == pytest.approx(shares, abs=0.08)  # what lies outside 0 to 1 is moved in
    assert np.min(sums) >= 0.0
    assert np.sum(sums, axis=1) == pytest.approx(1.0)


@pytest.mark.parametrize("n", [8, 60])
def test_standard_errors_are_not_smaller_than_the_spread_of_repeated_studies(n):
    rng = np.random.default_rng(2)
    found = [variance_shares(*crossed(rng, n, lambda s, f, w: s + f + w)) for _ in range(500)]
    found = [one for one in found if one is not None]
    for part in ("strength", "fitted", "luck"):
        spread = np.std([getattr(one, part).value for one in found])
        stated = np.mean([getattr(one, part).error for one in found])
        assert 0.9 * spread < stated < 2.5 * spread, part


def test_a_share_of_nothing_is_rarely_called_clear():
    rng = np.random.default_rng(2)
    found = [variance_shares(*crossed(rng, 40, lambda s, f, w: f + w)).strength.clear for _ in range(500)]
    assert np.mean(found) < 0.12


def test_effects_that_do_not_vary_or_share_nothing_have_no_shares():
    same = np.array([0, 0, 1, 1])
    assert variance_shares(np.ones(4), same, np.array([0, 1, 2, 3])) is None
    assert variance_shares(np.arange(4.0), np.arange(4), np.arange(4)) is None


def test_equal_rows_have_one_number():
    assert levels(np.array([[1.0, 2.0], [3.0, 4.0], [1.0, 2.0]])).tolist() == [0, 1, 0]
    assert levels(np.empty((3, 0))).tolist() == [0, 0, 0]


# ---------------------------------------------------------------- value of information


def candidate(name, gains, strengths=(), priced=True, cost=1e9):
    return Candidate(name, strengths, 10.0 * gains, gains, np.full(len(gains), cost), priced)


def study(rng, n=60, noise=0.0, extra=()):
    """Two levers: what one gains is its strength, normal around 5; the other gains 5 whatever happens."""
    theta = rng.normal(5.0, 2.0, n)
    used = pd.DataFrame({"match_sales": np.tile(theta, 2)})
    luck = noise * rng.normal(size=(2, 2 * n))
    first = candidate("matchmaking_sales", used["match_sales"].to_numpy() + luck[0], ("match_sales",))
    second = candidate("credit_guarantees", np.full(2 * n, 5.0) + luck[1])
    labels = {"match_sales": Label("evidence", ("cai_szeidl_2018",))}
    return theta, information(METRIC, [first, second, *extra], used, used, labels)


def test_the_value_of_a_strength_is_what_choosing_by_it_adds():
    theta, found = study(np.random.default_rng(1), n=2000)
    (row,) = found.rows.itertuples()
    assert row.value == pytest.approx(np.maximum(theta, 5.0).mean() - max(theta.mean(), 5.0))
    assert row.value == pytest.approx(2.0 / np.sqrt(2.0 * np.pi), rel=0.1)
    assert row.clear
    assert row.switches == pytest.approx(0.5, abs=0.1)
    low, high = np.quantile(theta, (0.1, 0.9))
    assert (row.gain_low, row.gain_high) == pytest.approx((low, high))
    assert (row.effect_low, row.effect_high) == pytest.approx((10.0 * low, 10.0 * high))
    assert (row.label, row.studies) == ("evidence", "Cai Szeidl 2018")
    words = " ".join(information_in_words(found))
    assert "A study of match_sales (matchmaking_sales) would be worth making" in words


def test_a_strength_that_cannot_change_the_choice_is_worth_nothing():
    theta = np.random.default_rng(1).normal(5.0, 2.0, 30)
    used = pd.DataFrame({"match_sales": np.tile(theta, 2)})
    weak = candidate("matchmaking_sales", used["match_sales"].to_numpy(), ("match_sales",))
    found = information(METRIC, [weak, candidate("credit_guarantees", np.full(60, 50.0))], used, used, {})
    assert found.rows["value"].tolist() == [0.0]
    assert not found.rows["clear"].any()
    assert found.ranking["lever"].tolist() == ["credit_guarantees", "matchmaking_sales"]
    assert "No single strength" in " ".join(information_in_words(found))


def test_gains_without_any_effect_of_the_strength_seldom_seem_worth_a_study():
    rng = np.random.default_rng(3)
    clear = []
    for _ in range(60):
        used = pd.DataFrame({"match_sales": np.tile(rng.normal(size=8), 2)})
        levers = [candidate("matchmaking_sales", rng.normal(size=16), ("match_sales",))]
        levers.append(candidate("credit_guarantees", rng.normal(size=16)))
        clear.append(information(METRIC, levers, used, used, {}).rows["clear"].iloc[0])
    assert np.mean(clear) < 0.15


def test_among_many_strengths_without_effect_seldom_one_seems_worth_a_study():
    rng = np.random.default_rng(4)
    clear = []
    for _ in range(25):
        names = ["displacement", "staff_response", "knowledge_elasticity", "guarantee_default", "equity_signal"]
        used = pd.DataFrame(np.tile(rng.normal(size=(12, 5)), (2, 1)), columns=names)
        levers = [candidate(name, rng.normal(size=24)) for name in ("sme_fund", "incubation", "export_promotion")]
        clear.append(information(METRIC, levers, used, used, {}).rows["clear"].any())
    assert np.mean(clear) <= 0.2


def test_strengths_of_levers_that_were_not_run_are_left_out():
    rng = np.random.default_rng(1)
    used = pd.DataFrame({"branding_sales": np.tile(rng.normal(size=10), 2)})
    levers = [candidate(name, rng.normal(size=20)) for name in ("sme_fund", "incubation")]
    assert information(METRIC, levers, used, used, {}).rows.empty


def test_gains_are_per_yuan_and_levers_without_a_clear_cost_are_not_ranked():
    dear = candidate("export_promotion", np.full(120, 100.0), cost=50e9)
    free = candidate("innovation_release", np.full(120, 1e6), ("release_transfer",), priced=False)
    _, found = study(np.random.default_rng(1), extra=(dear, free))
    ranked = found.ranking.set_index("lever")["gain_per_billion_yuan"]
    assert ranked["export_promotion"] == pytest.approx(2.0)
    assert "innovation_release" not in ranked


def test_a_shared_parameter_moves_all_levers():
    rng = np.random.default_rng(1)
    theta = rng.normal(1.0, 0.2, 40)
    used = pd.DataFrame({"displacement": np.tile(theta, 2)})
    levers = [candidate(name, gain * np.tile(theta, 2)) for name, gain in (("sme_fund", 3.0), ("incubation", 2.0))]
    (row,) = information(METRIC, levers, used, used, {}).rows.itertuples()
    assert pd.isna(row.lever)
    assert row.value == pytest.approx(0.0, abs=1e-12)  # the order stays, whatever it is
    assert (row.gain_low, row.gain_high) == pytest.approx(tuple(3.0 * np.quantile(theta, (0.1, 0.9))))


def test_a_shared_parameter_is_printed_beside_those_of_levers():
    rng = np.random.default_rng(1)
    used = pd.DataFrame(
        {"displacement": np.tile(rng.normal(size=40), 2), "match_sales": np.tile(rng.normal(size=40), 2)}
    )
    own = candidate("matchmaking_sales", used["match_sales"].to_numpy(), ("match_sales",))
    other = candidate("credit_guarantees", used["displacement"].to_numpy())
    found = information(METRIC, [own, other], used, used, {})
    console = Console(width=250, record=True, file=io.StringIO())
    print_information(found, console)
    text = console.export_text()
    assert "several" in text
    assert "A study of displacement would be worth making" in text
    assert len(tornado(found).axes[0].patches) == 1  # of the lever alone


def test_too_few_draws_teach_nothing():
    used = pd.DataFrame({"match_sales": [1.0, 2.0, 3.0, 1.0, 2.0, 3.0]})
    assert information(METRIC, [candidate("matchmaking_sales", np.arange(6.0))], used, used, {}) is None


def test_the_table_and_the_chart_show_every_strength():
    _, found = study(np.random.default_rng(1), noise=1.0)
    console = Console(width=250, record=True, file=io.StringIO())
    print_information(found, console)
    text = console.export_text()
    assert "match_sales" in text
    assert "Best per yuan by today" in text
    chart = tornado(found)
    (axis,) = chart.axes
    assert [label.get_text() for label in axis.get_yticklabels()] == ["matchmaking_sales: match_sales"]
    row = found.rows.iloc[0]
    (bar,) = axis.patches
    assert (bar.get_x(), bar.get_x() + bar.get_width()) == pytest.approx((row["gain_low"], row["gain_high"]))
