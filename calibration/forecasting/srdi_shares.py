"""SRDI SMEs by province: the counts reported, moved on by the model; the nation is forecast by itself.

The log of a province's share differs from the model's by a deviation, for provinces differ in criteria and effort.
Deviations follow an Ornstein-Uhlenbeck process: `SPREAD` is their standard deviation, as in targets.toml, and
`step_variance` the variance of a yearly change. Counts reported until a day (`calibration/ledger.toml`) inform the
deviation of their province (Kalman filter); later it returns to the model's share. Shares add up to 1: each draw is
moved to the nearest one that does, in units of the standard deviations, so that a province with a recent count moves
little.
"""

from __future__ import annotations

import math
from datetime import date

import numpy as np
import pandas as pd

from calibration.forecasting.lists import KNOWN, SRDI, Count, known_counts
from scenarios.analysis.reported import reported_figures
from sim.reference import province_names

#: Standard deviation of the log of a share around the model's.
SPREAD = 0.75
#: Standard deviation of the log of a reported count: other days and editions; assumed.
COUNT_ERROR = 0.1
#: Standard deviation of the yearly change of a deviation, and the years of known change that it counts for; assumed.
STEP, STEP_YEARS = 0.3, 2.0
#: Rounds in which a draw is moved to shares that add up to 1.
ROUNDS = 8


def simulated_shares(province: pd.DataFrame) -> pd.DataFrame:
    """Shares of the provinces in the SRDI SMEs of all runs together: quarters (index, last day) by provinces.

    Args:
        province: the table of that name.
    """
    firms = province.groupby(["quarter", "province"], observed=True)[SRDI].sum().unstack("province", fill_value=0.0)
    # A province without any such firm in runs at a small scale has some.
    firms = firms.reindex(columns=list(province_names()), fill_value=0.0) + 1.0
    return firms.div(firms.sum(axis=1), axis=0)


def share_sample(simulated: pd.DataFrame, day: date, draws: int, seed: int, last: date = KNOWN) -> np.ndarray:
    """Draws of the shares of the provinces in all SRDI SMEs at a quarter end, float64 (draws, provinces).

    Args:
        simulated: shares by quarter and province (`simulated_shares`). seed: of the draws, the same at all days.
        last: day of the forecast.
    """
    mean, variance = deviations(simulated, day, last)
    normal = np.random.default_rng([seed, *b"srdi shares"]).normal(size=(draws, len(mean)))
    # Around the mean of a share, not its median: otherwise all draws together exceed 1, and large provinces pay for it.
    middle = np.log(_at(simulated, day)) + mean - 0.5 * variance
    return closed(middle + np.sqrt(variance) * normal, variance)


def deviations(simulated: pd.DataFrame, day: date, last: date = KNOWN) -> tuple[np.ndarray, np.ndarray]:
    """Mean and variance of the deviations of the provinces at a day, float64 (provinces,) each.

    Args:
        simulated: as for `share_sample`.
    """
    nation, counts = _nation(last), known_counts(last)
    reversion = step_variance(simulated, last) / (2.0 * SPREAD**2)
    means, variances = np.zeros(len(province_names())), np.full(len(province_names()), SPREAD**2)
    for place, name in enumerate(province_names()):
        mean, variance, then = 0.0, SPREAD**2, None
        for count in (*(each for each in counts if each.place == name), None):
            until = day if count is None else count.date
            if then is not None:
                kept = math.exp(-reversion * (until - then).days / 365.25)
                mean, variance = kept * mean, kept**2 * variance + (1.0 - kept**2) * SPREAD**2
            if count is not None:
                share = count.middle / _interpolated(nation, count.date)
                gain = variance / (variance + COUNT_ERROR**2)
                mean += gain * (math.log(share / _at(simulated, count.date)[place]) - mean)
                variance *= 1.0 - gain
                then = count.date
        means[place], variances[place] = mean, variance
    return means, variances


def step_variance(simulated: pd.DataFrame, last: date = KNOWN) -> float:
    """Yearly variance of the change of a deviation: the assumption with the changes between counts of one province.

    Args:
        simulated: as for `share_sample`.
    """
    nation, squares, years = _nation(last), 0.0, 0.0
    latest: dict[str, Count] = {}
    for count in known_counts(last):
        before = latest.get(count.place)
        if before is not None:
            ratio = count.middle / before.middle
            ratio *= _interpolated(nation, before.date) / _interpolated(nation, count.date)
            place = province_names().index(count.place)
            ratio *= _at(simulated, before.date)[place] / _at(simulated, count.date)[place]
            squares += max(math.log(ratio) ** 2 - 2.0 * COUNT_ERROR**2, 0.0)
            years += (count.date - before.date).days / 365.25
        latest[count.place] = count
    return (STEP_YEARS * STEP**2 + squares) / (STEP_YEARS + years)


def closed(logs: np.ndarray, variance: np.ndarray) -> np.ndarray:
    """Shares that add up to 1 and are nearest to given ones, float64 (draws, provinces).

    Args:
        logs: of the given shares, of the same shape. variance: of these logs, float64 (provinces,). The sum of squared
            moves over variances is least, to first order in each round.
    """
    logs = logs.copy()
    for _ in range(ROUNDS):
        shares = np.exp(logs)
        slope = variance * shares
        excess = shares.sum(axis=1) - 1.0
        # At most half a unit a round, so that far draws do not overshoot.
        logs -= np.clip(slope * (excess / (slope * shares).sum(axis=1))[:, None], -0.5, 0.5)
    shares = np.exp(logs)
    return shares / shares.sum(axis=1, keepdims=True)


def _at(simulated: pd.DataFrame, day: date) -> np.ndarray:
    """Simulated shares in the quarter of a day, float64 (provinces,)."""
    place = min(int(simulated.index.searchsorted(pd.Timestamp(day))), len(simulated) - 1)
    return simulated.to_numpy()[place]


def _nation(last: date) -> tuple[np.ndarray, np.ndarray]:
    """Days (ordinals, ascending) and logs of the national counts reported until a day, float64 (figures,) each."""
    own = [f for f in reported_figures() if f.quantity == SRDI and not f.province and f.date <= last]
    figures = sorted((f for f in own if None not in (f.low, f.high)), key=lambda figure: figure.date)
    return (
        np.array([figure.date.toordinal() for figure in figures], dtype=np.float64),
        np.log([figure.middle for figure in figures]),
    )


def _interpolated(nation: tuple[np.ndarray, np.ndarray], day: date) -> float:
    """National count at a day; that of the nearest figure before the first and after the last."""
    return math.exp(float(np.interp(day.toordinal(), *nation)))
