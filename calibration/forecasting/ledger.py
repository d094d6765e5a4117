"""Little giants by batch and province from the day of the forecast on: known lists first, simulated batches after.

The stock at the end of a year is the sum of the batches. A known batch starts with the firms of its list that are still
certified: its size, times the share kept if it has been reviewed, times the share of each province (`shares`). Later
batches have the size of the simulated ones, with two errors. At a review, every third year, a batch keeps the share of
firms that the run keeps, with an error of strictness. Nothing known is simulated again.

A certificate that ends without review, because the firm closes or is caught relabelling, leaves the count at the next
review. So do the reported stocks: 4,762 and 8,997 are exactly the sums of the lists, and 8,997 stayed for nine months.

* Strictness, on the log-odds scale: an error of all reviews and one of each review, both with standard deviation
  `STRICTNESS`. The known reviews inform the first. Pilot batches were reviewed under later rules, so two results say
  little of the next.
* Size, on the log scale: the bar wanders as a random walk, and every batch has a discretion of its own. The known
  batches after the two pilots tell how far the bar has wandered from the run so far (a local level, by the Kalman
  filter). The direction is not known at the cut-off, so the walk is symmetric.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache

import numpy as np
import pandas as pd
from scipy.special import expit, logit

from calibration.forecasting.lists import REVIEW_YEARS, Batch, Listed, known_batches
from calibration.forecasting.shares import fit_shares
from scenarios.analysis.reported import REVIEW_PASS_RATE
from sim.reference import province_names

#: Standard deviation of the error of all reviews and of that of each, log-odds; assumed.
STRICTNESS = 0.5
#: The same between the provinces in one review, around the national result; assumed.
PROVINCE_STRICTNESS = 0.3
#: Batches before this year were pilots of a size set from outside.
FIRST_RULED = 2021
#: Standard deviation of the yearly change of the log size of a batch, and the number of known changes that this
#: assumption counts for. Of its variance v, the bar takes 1/9, and the discretion of two years 4/9 each.
CHANGE, CHANGE_WEIGHT = 0.3, 2.0
#: Standard deviation of the log of a reported batch around the simulated one before any batch is known; assumed.
FIRST_LEVEL = 0.2
#: Last month of the quarter in which lists and reviews come out; the two pilots came at other times.
LIST_MONTH = 9
#: Quantities that the ledger forecasts, all of little giants.
QUANTITIES = (
    "little_giants",
    "little_giants_granted",
    "little_giants_granted_cumulative",
    "little_giants_reviewed",
    "little_giants_renewed",
    "little_giants_lapsed",
    REVIEW_PASS_RATE,
)
#: Bounds of a share whose log-odds are taken.
EDGE = 0.005


@dataclass(frozen=True, eq=False)
class Simulated:
    """What the ledger takes from runs with parameter draws.

    Attributes:
        years: of the columns, ascending.
        granted: float64 (draws, years), new certificates a year. passed: of the same shape, renewed over reviewed; NaN
            without a review.
        losses: float64 (draws,), share of the certificates that end without review in a year.
    """

    years: tuple[int, ...]
    granted: np.ndarray
    passed: np.ndarray
    losses: np.ndarray

    def kept(self, year: int) -> np.ndarray:
        """Share of the firms awarded or reviewed three years before that still hold the title, float64 (draws,)."""
        passed = self.passed[:, self.years.index(year)]
        # A run without a review at all takes the mean of the others.
        mean = np.nanmean(passed) if np.isfinite(passed).any() else math.nan
        passed = np.where(np.isfinite(passed), passed, mean)
        return np.clip(passed * (1.0 - self.losses) ** REVIEW_YEARS, EDGE, 1.0 - EDGE)


def simulated_of(tables: Mapping[str, pd.DataFrame]) -> Simulated:
    """The yearly grants, reviews and losses of little giants in the table tier, one row per run."""
    tier = tables["tier"]
    giants = tier[tier["tier"] == "little_giant"]
    run = [name for name in ("draw", "replicate") if name in giants]
    year = giants["quarter"].dt.year.rename("year")
    flows = giants.groupby([*run, year])[["granted", "reviewed", "renewed", "revoked", "closed"]].sum()
    stock = giants[giants["quarter"].dt.month == 12].groupby(run)["stock"].sum()
    lost = flows[["revoked", "closed"]].sum(axis=1).groupby(run).sum()
    passed = (flows["renewed"] / flows["reviewed"].replace(0.0, np.nan)).unstack("year")
    return Simulated(
        years=tuple(int(each) for each in passed.columns),
        granted=flows["granted"].unstack("year").to_numpy(dtype=np.float64),
        passed=passed.to_numpy(dtype=np.float64),
        losses=(lost / stock.replace(0.0, np.nan)).fillna(0.0).clip(0.0, 1.0).to_numpy(dtype=np.float64),
    )


@dataclass(frozen=True, eq=False)
class Ledger:
    """Little giants by year, batch and province.

    Attributes:
        last: day of the forecast. first: the year of the last known batch.
        granted: by year of the batch, float64 (draws, provinces), known and later ones.
        stocks: by year from `first` on, and by year of the batch, float64 (draws, provinces) at the end of the year.
        reviewed, renewed: by year after `first`, float64 (draws, provinces).
    """

    last: date
    first: int
    granted: Mapping[int, np.ndarray]
    stocks: Mapping[int, Mapping[int, np.ndarray]]
    reviewed: Mapping[int, np.ndarray]
    renewed: Mapping[int, np.ndarray]

    def values(self, quantity: str, day: date, provinces: tuple[int, ...] | None = None) -> np.ndarray:
        """Values of one of `QUANTITIES` at a quarter end, float64 (draws,); a flow is that of the year so far.

        Args:
            provinces: positions in `province_names`; None: all.
        """
        chosen = slice(None) if provinces is None else list(provinces)
        listed = day.month >= LIST_MONTH
        year = day.year if listed else day.year - 1
        if not self.first <= year or year not in self.stocks:
            return np.full(self._draws, math.nan)
        if quantity == "little_giants":
            return sum(firms[:, chosen].sum(axis=1) for firms in self.stocks[year].values())
        if quantity == "little_giants_granted_cumulative":
            return sum(firms[:, chosen].sum(axis=1) for when, firms in self.granted.items() if when <= year)
        if year == self.first and quantity != "little_giants_granted":
            return np.full(self._draws, math.nan)
        flows = (self.granted[year], self.reviewed.get(year), self.renewed.get(year))
        nothing = np.zeros(self._draws)
        granted, due, kept = (nothing if flow is None or not listed else flow[:, chosen].sum(axis=1) for flow in flows)
        if quantity == REVIEW_PASS_RATE:
            return np.divide(kept, due, out=np.full(len(due), math.nan), where=due > 0.0)
        return {
            "little_giants_granted": granted,
            "little_giants_reviewed": due,
            "little_giants_renewed": kept,
            "little_giants_lapsed": due - kept,
        }[quantity]

    def on_list(self, listed: Listed) -> np.ndarray:
        """Firms of a report on the batches up to one year, float64 (draws,)."""
        places, year = list(listed.provinces), max(listed.years)
        firms = self.stocks[year] if listed.in_force else self.granted
        return sum(firms[each][:, places].sum(axis=1) for each in listed.years)

    @property
    def _draws(self) -> int:
        return len(self.granted[self.first])


def ledger_of(simulated: Simulated, last: date, until: int, seed: int) -> Ledger:
    """The ledger known at a day, continued with runs.

    Args:
        until: last year; at most the last one simulated. seed: of the errors and of the draws of shares.
    """
    batches = known_batches(last)
    draws, first = len(simulated.granted), max(batches)
    rng = np.random.default_rng([seed, *b"ledger"])
    later = range(first + 1, until + 1)
    shares = share_draws(last, draws, len(later), seed)
    granted, stock = {}, {}
    for index, (year, batch) in enumerate(batches.items()):
        granted[year] = batch.size * shares[:, index]
        low, high = batch.review or (batch.size, batch.size)
        stock[year] = rng.uniform(low, high, size=(draws, 1)) * shares[:, index]
    sizes = batch_sizes(simulated, batches, later, rng)
    strictness = common_strictness(simulated, batches, rng)
    stocks, reviewed, renewed = {first: dict(stock)}, {}, {}
    for step, year in enumerate(later):
        due = [since for since in stock if (year - since) % REVIEW_YEARS == 0]
        nobody = np.zeros((draws, len(province_names())))
        reviewed[year] = sum((stock[since] for since in due), nobody)
        for since in due:
            odds = logit(simulated.kept(year)) + strictness + STRICTNESS * rng.normal(size=draws)
            stock[since] = review(stock[since], odds, rng)
        renewed[year] = sum((stock[since] for since in due), nobody)
        granted[year] = stock[year] = sizes[:, step, None] * shares[:, len(batches) + step]
        stocks[year] = dict(stock)
    return Ledger(last, first, granted, stocks, reviewed, renewed)


def review(stock: np.ndarray, odds: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Firms that keep the title at a review, float64 (draws, provinces).

    Args:
        stock: those due, of the same shape. odds: float64 (draws,), log-odds of the share kept in the whole country.
    """
    kept = stock * expit(odds[:, None] + PROVINCE_STRICTNESS * rng.normal(size=stock.shape))
    whole = expit(odds) * stock.sum(axis=1)
    return np.minimum(kept * (whole / np.maximum(kept.sum(axis=1), np.finfo(np.float64).tiny))[:, None], stock)


def common_strictness(simulated: Simulated, batches: Mapping[int, Batch], rng: np.random.Generator) -> np.ndarray:
    """Draws of the error of all reviews, log-odds, float64 (draws,): a normal mean, given the known reviews."""
    draws = len(simulated.granted)
    known = [
        float(np.mean(logit(batch.kept) - logit(simulated.kept(batch.year + REVIEW_YEARS))))
        for batch in batches.values()
        if batch.review and batch.year + REVIEW_YEARS in simulated.years
    ]
    known = [deviation for deviation in known if math.isfinite(deviation)]
    precision = (1 + len(known)) / STRICTNESS**2
    return sum(known) / STRICTNESS**2 / precision + rng.normal(size=draws) / math.sqrt(precision)


def batch_sizes(
    simulated: Simulated, batches: Mapping[int, Batch], later: range, rng: np.random.Generator
) -> np.ndarray:
    """Sizes of the later batches, float64 (draws, later)."""
    variance = change_variance(batches)
    bar, discretion = math.sqrt(variance / 9.0), math.sqrt(4.0 * variance / 9.0)
    draws = len(simulated.granted)
    with np.errstate(divide="ignore"):
        logs = np.log(simulated.granted)
    level, doubt = np.zeros(draws), FIRST_LEVEL**2
    for batch in batches.values():
        if batch.year < FIRST_RULED or batch.year not in simulated.years:
            continue
        deviation = math.log(batch.size) - logs[:, simulated.years.index(batch.year)]
        gain = doubt / (doubt + discretion**2)
        # A run without a batch says nothing of the level.
        level = np.where(np.isfinite(deviation), level + gain * (deviation - level), level)
        doubt = (1.0 - gain) * doubt + bar**2
    wandered = level + math.sqrt(doubt) * rng.normal(size=draws)
    sizes = np.full((draws, len(later)), math.nan)
    for step, year in enumerate(later):
        if step:
            wandered = wandered + bar * rng.normal(size=draws)
        error = wandered + discretion * rng.normal(size=draws)
        if year in simulated.years:
            sizes[:, step] = np.exp(logs[:, simulated.years.index(year)] + error)
    return sizes


def change_variance(batches: Mapping[int, Batch]) -> float:
    """Mean square of the yearly change of the log size of a batch: the assumption with the known changes."""
    logs = [math.log(batch.size) for batch in batches.values() if batch.year >= FIRST_RULED]
    changes = np.diff(logs)
    return float((CHANGE_WEIGHT * CHANGE**2 + np.sum(changes**2)) / (CHANGE_WEIGHT + len(changes)))


@cache
def share_draws(last: date, count: int, later: int, seed: int) -> np.ndarray:
    """Draws of the shares of provinces known at a day, and in later batches (see `Shares.draws`)."""
    return fit_shares(last).draws(count, later, np.random.default_rng([seed, *b"shares"]))
