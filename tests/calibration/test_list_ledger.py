"""The ledger of little giants: what is known by list, the shares of provinces, and the arithmetic of batches."""

from __future__ import annotations

import copy
import math
from datetime import date

import numpy as np
import pandas as pd
import pytest

from calibration.forecasting import ledger, lists, naive
from calibration.forecasting.ledger import (
    Simulated,
    batch_sizes,
    change_variance,
    common_strictness,
    ledger_of,
    review,
    simulated_of,
)
from calibration.forecasting.lists import KNOWN, Listed, known_batches, known_lists, regions
from calibration.forecasting.naive import list_share, naive_forecasts
from calibration.forecasting.quantities import quantity_of
from calibration.forecasting.shares import fit_shares, shares_of
from scenarios.analysis.reported import reported_figures
from sim.reference import province_names

END_2021, END_2022 = date(2021, 12, 31), date(2022, 12, 31)
PROVINCES = len(province_names())


# --- lists


def test_lists_add_up_to_the_reported_stocks():
    batches = known_batches(END_2022)
    assert sum(batches[year].size for year in (2019, 2020, 2021)) == 4762
    assert batches[2019].review == (142, 155)
    # The 155 of the first batch that passed, and all of the others.
    assert 155 + sum(batches[year].size for year in (2020, 2021, 2022)) == 8997
    assert known_batches()[2020].kept == pytest.approx(1079 / 1584)
    assert [batch.kept for year, batch in known_batches().items() if year > 2020] == [1.0, 1.0, 1.0]


def test_regions_are_those_of_the_statistics_office():
    assert sorted(name for names in regions().values() for name in names) == sorted(province_names())
    table = {listed.place: listed.count for listed in known_lists() if listed.day == date(2021, 6, 30)}
    sums = {region: sum(table[name] for name in names) for region, names in regions().items()}
    assert sums == {"east": 990, "centre": 381, "west": 360, "northeast": 101}
    assert sum(sums.values()) == 1832
    for day, total in ((date(2021, 11, 23), 4762), (date(2022, 9, 30), 8997)):
        assert sum(listed.count for listed in known_lists() if listed.day == day) == total


def test_a_report_of_firms_in_force_leaves_out_those_that_failed():
    [guangdong] = [listed for listed in known_lists() if listed.day == date(2024, 1, 19)]
    assert guangdong.weights(KNOWN) == pytest.approx([148.5, 1079, 2930, 4328, 3671])
    [beijing] = [one for one in known_lists() if one.place == "Beijing" and one.years == (2019, 2020, 2021, 2022)]
    assert not beijing.in_force
    assert beijing.weights(KNOWN) == pytest.approx([248, 1584, 2930, 4328])


@pytest.fixture
def changed(monkeypatch):
    """Everything reported after the end of 2022 is a tenth larger."""
    file = copy.deepcopy(lists._file())
    for row in file["list"]:
        if row["date"] > "2022-12-31":
            for key in ("by_province", "by_region", "by_region_share"):
                for place, value in row.get(key, {}).items():
                    row[key][place] = [1.1 * each for each in value] if isinstance(value, list) else 1.1 * value
    figures = tuple(
        figure.model_copy(update={end: getattr(figure, end) and 1.1 * getattr(figure, end) for end in ("low", "high")})
        if figure.date > END_2022
        else figure
        for figure in reported_figures()
    )
    monkeypatch.setattr(lists, "_file", lambda: file)
    for module in (lists, naive):
        monkeypatch.setattr(module, "reported_figures", lambda: figures)


def test_nothing_reported_later_is_read(request):
    asked = [quantity_of(name, date(2023, 12, 31)) for name in ("srdi_smes", "little_giants", "little_giants.Jiangsu")]

    def read(last: date) -> list:
        found = fit_shares(last)
        known = [(one.place, one.day, one.low, one.high, one.weights(last).tolist()) for one in known_lists(last)]
        values = [naive_forecasts(one, last).samples["last_value"].tolist() for one in asked]
        return [known_batches(last), known, found.means.tolist(), found.weights.tolist(), values]

    before = {last: read(last) for last in (END_2021, END_2022, KNOWN)}
    request.getfixturevalue("changed")
    for last in (END_2021, END_2022):
        assert read(last) == before[last]
    assert read(KNOWN) != before[KNOWN]


# --- shares


def synthetic(seed: int, step: float, batches: int = 4) -> tuple[np.ndarray, np.ndarray, tuple[Listed, ...]]:
    """A random walk of log shares, sizes of the batches, and what would be reported of them."""
    rng = np.random.default_rng(seed)
    log_shares = rng.normal(size=(1, PROVINCES)) + step * np.cumsum(rng.normal(size=(batches, PROVINCES)), axis=0)
    shares = np.exp(log_shares) / np.exp(log_shares).sum(axis=1, keepdims=True)
    sizes = np.full(batches, 4000.0)
    firms = shares * sizes[:, None]
    years = tuple(range(2019, 2019 + batches))
    day = date(2022, 12, 31)

    def listed(place: str, provinces: tuple[int, ...], chosen: tuple[int, ...]) -> Listed:
        count = round(sum(firms[years.index(year), list(provinces)].sum() for year in chosen))
        return Listed(day, chosen, False, place, provinces, count, count)

    of_provinces = [listed(name, (index,), years[:2]) for index, name in enumerate(province_names())]
    some = [listed(province_names()[index], (index,), (years[-1],)) for index in range(0, PROVINCES, 4)]
    parts = [
        listed(region, tuple(province_names().index(name) for name in names), years[:3])
        for region, names in regions().items()
    ]
    return shares, sizes, (*of_provinces, *some, *parts)


def test_shares_are_recovered_from_lists():
    inside, known, steps = [], [], []
    for seed in range(4):
        truth, sizes, reports = synthetic(seed, 0.3)
        found = shares_of(tuple(range(2019, 2023)), sizes, reports, [np.full(len(r.years), 4000.0) for r in reports])
        draws = found.draws(60, 1, np.random.default_rng(seed))
        assert draws.sum(axis=2) == pytest.approx(1.0)
        low, high = np.quantile(draws[:, :4], [0.05, 0.95], axis=0)
        inside.append((low <= truth) & (truth <= high))
        # The last batch of the listed provinces is known to about the error of a list.
        listed = np.arange(0, PROVINCES, 4)
        known.append(np.median(draws[:, 3, listed], axis=0) / truth[3, listed])
        steps.append(np.exp(found.weights @ np.log(found.steps)))
    # 4 x 124 shares, correlated: a wide band around 0.9.
    assert 0.82 < np.mean(inside) < 0.97
    assert np.mean(steps) == pytest.approx(0.3, abs=0.1)
    assert np.median(np.abs(np.log(np.concatenate(known)))) < 0.05


def test_the_next_batch_starts_from_the_last():
    found = fit_shares()
    draws = found.draws(200, 3, np.random.default_rng(1))
    place = {name: province_names().index(name) for name in ("Jiangsu", "Tibet", "Beijing")}
    sizes = found.problem.sizes
    # 795 and 243 of 3,671 in the fifth batch, 596 of Beijing in the first four.
    assert np.median(draws[:, 4, place["Jiangsu"]]) * 3671 == pytest.approx(795, rel=0.03)
    assert np.median(draws[:, 4, place["Beijing"]]) * 3671 == pytest.approx(243, rel=0.03)
    four = draws[:, :4, place["Beijing"]] @ sizes[:4]
    assert np.median(four) == pytest.approx(596, rel=0.03)
    assert np.median(draws[:, 4, place["Tibet"]]) * 3671 < 5
    # The expected share stays, the doubt grows.
    later = draws[:, 4:, place["Jiangsu"]]
    assert later.mean(axis=0) == pytest.approx(later[:, 0].mean(), rel=0.2)
    assert (np.diff(np.log(later).std(axis=0)) > 0.0).all()


def test_the_share_of_a_place_is_that_of_its_last_lists():
    four = 248 + 1584 + 2930 + 4328
    # Shanghai's last report is of firms in force; Henan's of the first four batches.
    assert list_share("Henan") == pytest.approx(370 / four)
    assert list_share("Shanghai") == pytest.approx(689.5 / (148.5 + 1079 + 2930 + 4328 + 3671))
    assert list_share("Sichuan") == pytest.approx((74 + 133 + 109) / (1832 + 2930 + 3671))
    assert list_share("Jiangsu", END_2022) == pytest.approx(710 / four)
    assert list_share("Jiangsu", END_2021) == pytest.approx(285 / 4762)
    assert list_share("east", END_2021) == pytest.approx(2626 / 4762)
    assert list_share("Tibet") == 0.0
    assert math.isnan(list_share("Shanghai", date(2020, 12, 31)))


# --- batches


LOSS = 0.05
YEARS = tuple(range(2019, 2028))


def runs(draws: int = 1, granted: float = 4000.0) -> Simulated:
    """Runs whose batches and reviews are the known ones; later batches of the same size, 70 % pass."""
    survived = (1.0 - LOSS) ** 3
    known = {year: batch.size for year, batch in known_batches().items()}
    passed = {2022: 148.5 / 248 / survived, 2023: 1079 / 1584 / survived}
    return Simulated(
        years=YEARS,
        granted=np.tile([known.get(year, granted) for year in YEARS], (draws, 1)).astype(float),
        passed=np.tile([passed.get(year, math.nan if year < 2022 else 0.7) for year in YEARS], (draws, 1)),
        losses=np.full(draws, LOSS),
    )


@pytest.fixture
def certain(monkeypatch):
    """No error of strictness, size or share."""
    monkeypatch.setattr(ledger, "STRICTNESS", 1e-9)
    monkeypatch.setattr(ledger, "PROVINCE_STRICTNESS", 0.0)
    monkeypatch.setattr(ledger, "change_variance", lambda batches: 1e-18)
    monkeypatch.setattr(ledger, "FIRST_LEVEL", 1e-12)


def test_batches_worked_out_by_hand(certain):
    found = ledger_of(runs(), KNOWN, 2027, 1)
    kept = 0.7 * 0.95**3
    first = found.stocks[2023][2019].sum()
    assert 142 <= first <= 155

    def value(name: str, year: int, month: int = 12) -> float:
        return float(found.values(name, date(year, month, 28))[0])

    known = first + 1079 + 2930 + 4328 + 3671
    assert value("little_giants", 2023) == pytest.approx(known)
    # Before the lists of summer 2024 nothing changes.
    assert value("little_giants", 2024, 6) == pytest.approx(known)
    assert value("little_giants_granted", 2024, 6) == 0.0
    # 2024: the third batch is reviewed. 2025: the fourth, and the first again. 2026: the fifth and the second.
    stock = {2024: known - 2930 * (1 - kept) + 4000}
    stock[2025] = stock[2024] - (4328 + first) * (1 - kept) + 4000
    stock[2026] = stock[2025] - (3671 + 1079) * (1 - kept) + 4000
    # 2027: the batch of 2024, and what is left of the third.
    stock[2027] = stock[2026] - (4000 + 2930 * kept) * (1 - kept) + 4000
    for year, expected in stock.items():
        assert value("little_giants", year) == pytest.approx(expected), year
    assert value("little_giants_reviewed", 2025) == pytest.approx(4328 + first)
    assert value("little_giants_renewed", 2026) == pytest.approx((3671 + 1079) * kept)
    assert value("little_giants_lapsed", 2024) == pytest.approx(2930 * (1 - kept))
    assert value("review_pass_rate", 2027) == pytest.approx(kept)
    assert value("little_giants_granted_cumulative", 2025) == pytest.approx(248 + 1584 + 2930 + 4328 + 3671 + 8000)
    for name, year in (("little_giants", 2022), ("little_giants", 2028), ("review_pass_rate", 2023)):
        assert math.isnan(value(name, year)), (name, year)


def test_an_earlier_ledger_knows_no_later_batch(certain):
    found = ledger_of(runs(granted=1.0), END_2021, 2022, 1)
    assert set(found.granted) == {2019, 2020, 2021, 2022}
    assert found.values("little_giants", END_2021)[0] == pytest.approx(4762)
    # The run's batch of 2022 is the known one; without a known review, its own pass rate stands.
    assert found.values("little_giants", END_2022)[0] == pytest.approx(148.5 + 1584 + 2930 + 4328)


def test_provinces_add_up_to_the_nation():
    found = ledger_of(runs(60), KNOWN, 2027, 1)
    for name in ("little_giants", "little_giants_granted", "little_giants_renewed"):
        parts = [found.values(name, date(2026, 12, 31), (index,)) for index in range(PROVINCES)]
        assert np.sum(parts, axis=0) == pytest.approx(found.values(name, date(2026, 12, 31)), rel=1e-9)
    assert found.values("little_giants", date(2026, 12, 31)).std() > 500


def test_jiangsu_starts_from_its_lists():
    found = ledger_of(runs(60), KNOWN, 2024, 1)
    place = (province_names().index("Jiangsu"),)
    now = found.values("little_giants", date(2023, 12, 31), place)
    # 1,505 granted, less those of the first two batches (113) that failed.
    assert np.median(now) == pytest.approx(1505 - 113 * 0.32, rel=0.03)
    # At most the third batch (172) can go in 2024.
    assert found.values("little_giants", date(2024, 12, 31), place).min() > np.median(now) - 172


def test_a_review_keeps_what_the_nation_keeps():
    stock = np.random.default_rng(1).gamma(2.0, 50.0, size=(50, PROVINCES))
    kept = review(stock, np.full(50, 0.4), np.random.default_rng(2))
    assert (kept <= stock).all()
    assert kept.sum(axis=1) / stock.sum(axis=1) == pytest.approx(np.full(50, 1 / (1 + math.exp(-0.4))), rel=0.01)
    assert (kept / stock).std(axis=1).min() > 0.02


def test_known_reviews_inform_the_next():
    strict = runs(4000)
    lenient = Simulated(strict.years, strict.granted, strict.passed * 0.6, strict.losses)
    error = common_strictness(lenient, known_batches(), np.random.default_rng(1))
    kept = np.array([148.5 / 248, 1079 / 1584])
    deviation = np.mean(np.log(kept / (1 - kept)) - np.log(0.6 * kept / (1 - 0.6 * kept)))
    # Two reviews with the variance of the prior: two thirds of their mean, and a third of the variance.
    assert error.mean() == pytest.approx(2 / 3 * deviation, abs=0.02)
    assert error.std() == pytest.approx(0.5 / math.sqrt(3), rel=0.05)
    blind = common_strictness(lenient, known_batches(END_2021), np.random.default_rng(1))
    assert (blind.mean(), blind.std()) == pytest.approx((0.0, 0.5), abs=0.03)


def test_the_bar_has_wandered_as_far_as_the_known_batches_say():
    large = runs(4000)
    large = Simulated(large.years, large.granted * 1.3, large.passed, large.losses)
    sizes = batch_sizes(large, known_batches(), range(2024, 2028), np.random.default_rng(1))
    variance = change_variance(known_batches())
    assert variance == pytest.approx((2 * 0.09 + np.log(4328 / 2930) ** 2 + np.log(3671 / 4328) ** 2) / 4)
    bar, discretion = variance / 9, 4 * variance / 9
    level, doubt = 0.0, 0.2**2
    for _ in range(3):
        gain = doubt / (doubt + discretion)
        level, doubt = level + gain * (math.log(1 / 1.3) - level), (1 - gain) * doubt + bar
    logs = np.log(sizes / 5200)
    assert logs.mean(axis=0) == pytest.approx(np.full(4, level), abs=0.03)
    expected = [math.sqrt(doubt + step * bar + discretion) for step in range(4)]
    assert logs.std(axis=0) == pytest.approx(expected, rel=0.05)


def test_runs_give_yearly_flows():
    quarters = pd.date_range("2022-03-31", "2023-12-31", freq="QE")
    rows = [
        {
            "draw": draw,
            "replicate": draw,
            "quarter": quarter,
            "tier": tier,
            "stock": 100.0,
            "granted": 10.0 * (quarter.month == 9),
            "reviewed": 20.0 * (quarter.year == 2023) * (quarter.month == 9),
            "renewed": (10.0 + draw) * (quarter.year == 2023) * (quarter.month == 9),
            "revoked": 0.5,
            "closed": 0.25,
        }
        for draw in range(2)
        for quarter in quarters
        for tier in ("little_giant", "srdi")
    ]
    found = simulated_of({"tier": pd.DataFrame(rows)})
    assert found.years == (2022, 2023)
    assert found.granted.tolist() == [[10.0, 10.0], [10.0, 10.0]]
    assert np.isnan(found.passed[:, 0]).all()
    assert found.passed[:, 1].tolist() == [0.5, 0.55]
    # 3 of 100 a year.
    assert found.losses.tolist() == [0.03, 0.03]
    assert found.kept(2023) == pytest.approx(np.array([0.5, 0.55]) * 0.97**3)
