"""SRDI SMEs by province: counts that are known, deviations from the model's shares, and shares that add up."""

from __future__ import annotations

import math
from datetime import date

import numpy as np
import pandas as pd
import pytest

from calibration.forecasting import lists, srdi_shares
from calibration.forecasting.forecasts import Forecaster
from calibration.forecasting.lists import KNOWN, known_counts
from calibration.forecasting.naive import naive_forecasts
from calibration.forecasting.quantities import quantity_of
from calibration.forecasting.srdi_shares import (
    COUNT_ERROR,
    SPREAD,
    closed,
    deviations,
    share_sample,
    simulated_shares,
    step_variance,
)
from sim.reference import province_names

END_2022, END_2030 = date(2022, 12, 31), date(2030, 12, 31)
PLACES = province_names()
GUANGDONG, HUNAN = PLACES.index("Guangdong"), PLACES.index("Hunan")


@pytest.fixture(scope="module")
def table():
    """Three runs with 1,000 SRDI SMEs in each province but Tibet, which has none."""
    quarters = pd.date_range("2018-12-31", "2030-12-31", freq="QE")
    index = pd.MultiIndex.from_product([range(3), quarters, PLACES], names=["replicate", "quarter", "province"])
    firms = np.where(index.get_level_values("province") == "Tibet", 0.0, 1000.0)
    return pd.DataFrame({"srdi_smes": firms}, index=index).reset_index()


@pytest.fixture(scope="module")
def simulated(table):
    return simulated_shares(table)


def test_shares_of_runs_add_up_and_no_province_is_without_firms(simulated):
    assert simulated.sum(axis=1).to_numpy() == pytest.approx(1.0)
    assert simulated["Hunan"].to_numpy() == pytest.approx(3001.0 / (30 * 3001.0 + 1.0))
    assert (simulated["Tibet"] > 0.0).all()


def test_a_count_informs_its_province_alone_and_fades(simulated):
    mean, variance = deviations(simulated, KNOWN)
    assert (mean[HUNAN], variance[HUNAN]) == (0.0, SPREAD**2)
    # 18,500 of 98,000 in the autumn of 2023, 30 provinces alike in the model.
    known = math.log(18_500 / 97_999.5 * 30)
    assert 0.8 * known < mean[GUANGDONG] < known
    assert variance[GUANGDONG] < 0.3 * SPREAD**2
    later, doubt = deviations(simulated, END_2030)
    assert 0.0 < later[GUANGDONG] < 0.5 * mean[GUANGDONG]
    assert variance[GUANGDONG] < doubt[GUANGDONG] < SPREAD**2


def test_the_deviation_returns_as_its_step_says(simulated):
    day, later = date(2024, 3, 31), date(2026, 3, 31)
    kept = math.exp(-step_variance(simulated) / (2.0 * SPREAD**2) * (later - day).days / 365.25)
    before, after = deviations(simulated, day)[0], deviations(simulated, later)[0]
    assert after == pytest.approx(kept * before)


def test_the_step_contains_the_changes_between_counts_but_not_their_error(monkeypatch, simulated):
    pairs = [lists.Count(date(2022, 1, 1), "Hunan", 1000, 1000), lists.Count(date(2023, 1, 1), "Hunan", 3000, 3000)]
    monkeypatch.setattr(srdi_shares, "known_counts", lambda last: tuple(c for c in pairs if c.date <= last))
    nation = (np.array([date(2020, 1, 1).toordinal(), date(2025, 1, 1).toordinal()], dtype=float), np.zeros(2))
    monkeypatch.setattr(srdi_shares, "_nation", lambda last: nation)
    squares = 2.0 * 0.3**2 + math.log(3.0) ** 2 - 2.0 * COUNT_ERROR**2
    assert step_variance(simulated) == pytest.approx(squares / (2.0 + 365 / 365.25))
    assert step_variance(simulated, END_2022) == pytest.approx(0.3**2)
    # Where the model's share trebles as well, the deviation has not changed.
    rising = simulated.copy()
    rising.loc[rising.index > pd.Timestamp("2022-06-30"), "Hunan"] *= 3.0
    assert step_variance(rising) == pytest.approx(2.0 * 0.3**2 / (2.0 + 365 / 365.25))


def test_nothing_reported_later_is_used(simulated, monkeypatch):
    now = share_sample(simulated, END_2022, 20, 1, END_2022)
    file = lists._file()
    kept = [row for row in file["count"] if row.get("reported", row["date"]) <= "2022-12-31"]
    assert 0 < len(kept) < len(file["count"])
    monkeypatch.setattr(lists, "_file", lambda: file | {"count": kept})
    np.testing.assert_array_equal(share_sample(simulated, END_2022, 20, 1, END_2022), now)
    # Reported a year after its day.
    assert "Guangdong" in {count.place for count in known_counts(END_2022)}
    assert "Guangdong" not in {count.place for count in known_counts(date(2021, 12, 31))}


def test_without_counts_shares_are_those_of_the_model_on_average(simulated, monkeypatch):
    monkeypatch.setattr(srdi_shares, "known_counts", lambda last: ())
    uneven = simulated * np.linspace(0.2, 3.0, len(PLACES))
    uneven = uneven.div(uneven.sum(axis=1), axis=0)
    mean = share_sample(uneven, END_2030, 20_000, 1).mean(axis=0)
    np.testing.assert_allclose(mean, uneven.loc[pd.Timestamp(END_2030)], rtol=0.08)


def test_shares_add_up_by_moving_what_is_least_known():
    logs = np.log([[0.5, 0.2, 0.2], [0.6, 0.3, 0.3]])
    shares = closed(logs, np.array([0.01, 0.5, 0.5]))
    assert shares.sum(axis=1) == pytest.approx(1.0)
    assert shares[0] == pytest.approx([0.5, 0.25, 0.25], abs=0.01)
    assert shares[1] == pytest.approx([0.6, 0.2, 0.2], abs=0.015)
    np.testing.assert_allclose(closed(np.log([[0.5, 0.3, 0.2]]), np.ones(3)), [[0.5, 0.3, 0.2]])


def test_forecasts_of_provinces_add_up_to_the_nations(table):
    national = table.groupby(["replicate", "quarter"], as_index=False)["srdi_smes"].sum()
    forecaster, day = Forecaster({"national": national, "province": table}, 1), date(2025, 12, 31)

    def sample(place):
        return forecaster.sample(quantity_of(f"srdi_smes{place}", day))

    assert np.sum([sample(f".{name}") for name in PLACES], axis=0) == pytest.approx(sample(""))
    regions = np.sum([sample(f".{name}") for name in ("east", "centre", "west", "northeast")], axis=0)
    assert regions == pytest.approx(sample(""))


def test_without_a_report_there_is_no_naive_forecast_of_a_place():
    assert math.isnan(naive_forecasts(quantity_of("srdi_smes.east", END_2030)).last_value)
    assert math.isnan(naive_forecasts(quantity_of("srdi_smes.Hunan", END_2030)).last_value)
    assert naive_forecasts(quantity_of("srdi_smes.Beijing", END_2030)).last_value == pytest.approx(6323)
    # Only in the ledger.
    assert naive_forecasts(quantity_of("srdi_smes.Zhejiang", END_2030)).last_value == pytest.approx(2125)
