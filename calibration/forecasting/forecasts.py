"""Forecasts with their doubt; what they are scored against stands in `naive` and `scores` beside it.

A forecast is the sample of what runs with posterior draws say of a quantity at a date. Each draw is moved by
a model error of its own, normal on the log scale (log-odds for shares) with variance d² + D² h + F²: d is the
quantity's discrepancy in ``targets.toml``, h the years after the cut-off, D (`DRIFT`) how far policy and economy
wander from the model in a year, and F (`DISCRETION`), of certificates alone, the discretion in a single year's batch.
The same error, F apart, stands behind the hindcast of `calibration.studies.diagnostics`, where it can be seen to be
wide enough or not.

Provinces recommend firms by habits that the model does not have. What their reported lists show of that is taken
over: the log ratio of a province's reported share of a list to the simulated one, shrunk to 0 as a normal mean with
prior variance d² and an error of `LIST_ERROR` a list, moves its forecasts; what is expected of all provinces
together stays at the national forecast. A run at a small scale counts a province in large steps, with luck that the
country does not have: a province is expected to hold its share in all runs together, and luck is that of counting
firms one by one (Poisson).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property

import numpy as np
import pandas as pd

from calibration.forecasting.naive import BY_PROVINCE, listed_in_the_nation
from scenarios.analysis.reported import CUT_OFF, REVIEW_PASS_RATE, Quantity, reported_figures, simulated
from scenarios.errors import InputError, nearest
from sim.outputs import NATIONAL
from sim.reference import province_names

#: Year ends of the published forecasts.
YEARS = (2024, 2025, 2026, 2030)
#: National quantities of the published forecasts; `naive.BY_PROVINCE` is forecast by province too.
PUBLISHED = (
    "srdi_smes",
    "little_giants",
    "little_giants_granted",
    REVIEW_PASS_RATE,
    "manufacturing_share_of_little_giants",
    "county_share_of_little_giants",
)
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
#: Flows of certificates, which batches and reviews make.
CERTIFICATES = (
    "little_giants_granted",
    "little_giants_renewed",
    "little_giants_lapsed",
    "little_giants_reviewed",
    "applications",
)
#: National columns that are flows: a figure of them is that of the year so far. The unit of counts does not tell.
FLOWS = (
    *CERTIFICATES,
    *("births", "deaths"),
    *(column.name for column in NATIONAL if column.unit.endswith("per quarter")),
)
#: Standard deviation by which a quantity leaves the model in the first year, log scale; assumed. A year's batch is a
#: quarter to a third of the stock of little giants, so its discretion moves that stock by less than it moves the batch.
DRIFT, DRIFTS = 0.1, {"little_giants": 0.06}
#: Standard deviation of a single year's flow, log scale: of the three batches after the pilots, 2,930, 4,357 and
#: 3,671, about a straight line of their logs.
DISCRETION = 0.23
#: Standard deviation of the log ratio of one province's figure to its lasting level. Assumed: lists of single years
#: follow quotas that change.
LIST_ERROR = 0.3
#: Model error of quantities that no reported figure has one for.
OTHER_DISCREPANCY = 0.1


def quantity_of(name: str, day: date) -> Quantity:
    """The quantity called `name`: a national column, review_pass_rate, or little_giants.PROVINCE.

    Raises:
        InputError: an unknown name, with the nearest known one.
    """
    column, dot, province = name.partition(".")
    known = [
        *(column.name for column in NATIONAL[1:]),
        REVIEW_PASS_RATE,
        *(f"{BY_PROVINCE}.{p}" for p in province_names()),
    ]
    if name not in known:
        allowed = f"a national column, {REVIEW_PASS_RATE} or {BY_PROVINCE}.PROVINCE"
        raise InputError(f"unknown quantity {name!r}{nearest(name, known)} (allowed: {allowed}: {', '.join(known)})")
    return Quantity(quantity=column, date=day, whole_year=column in FLOWS, province=province if dot else "")


def name_of(quantity: Quantity) -> str:
    """The name that `quantity_of` reads."""
    return f"{quantity.quantity}.{quantity.province}" if quantity.province else quantity.quantity


def published() -> list[Quantity]:
    """Quantities and dates of the published forecasts."""
    names = [*PUBLISHED, *(f"{BY_PROVINCE}.{province}" for province in province_names())]
    return [quantity_of(name, date(year, 12, 31)) for name in names for year in YEARS]


@dataclass(frozen=True)
class Forecaster:
    """Forecasts from the results of runs with posterior draws, one replicate a draw.

    Attributes:
        tables: national, tier and, for provinces, province. seed: of the model error.
    """

    tables: Mapping[str, pd.DataFrame]
    seed: int

    def draws(self, quantity: Quantity) -> np.ndarray:
        """A sample of a quantity, float64 (draws,), model error included; NaN where a run says nothing of it."""
        if quantity.province:
            day = quantity.quarter_end.date()
            return self._of_provinces(day)[:, province_names().index(quantity.province)]
        values = simulated(self.tables, quantity).to_numpy(dtype=np.float64)
        error = self._errors(name_of(quantity), len(values)) * model_error(quantity)
        return with_error(values, error, quantity.is_share)

    def table(self, quantities: list[Quantity]) -> pd.DataFrame:
        """Quantiles of forecasts: columns quantity, date, unit, q05, q25, q50, q75, q95, draws."""
        units = {column.name: column.unit for column in NATIONAL} | {REVIEW_PASS_RATE: "share"}
        rows = []
        for quantity in quantities:
            draws = self.draws(quantity)
            draws = draws[np.isfinite(draws)]
            levels = np.quantile(draws, QUANTILES) if len(draws) else np.full(len(QUANTILES), np.nan)
            unit = units[quantity.quantity].removesuffix(" per quarter") + (" a year" if quantity.whole_year else "")
            rows.append(
                {
                    "quantity": name_of(quantity),
                    "date": quantity.quarter_end.date().isoformat(),
                    "unit": unit,
                    **{f"q{round(100 * level):02d}": float(v) for level, v in zip(QUANTILES, levels, strict=True)},
                    "draws": len(draws),
                }
            )
        return pd.DataFrame(rows)

    @cached_property
    def province_levels(self) -> pd.DataFrame:
        """What reported lists say of each province's share beside the model.

        Returns:
            Index province; columns level (expected log of the reported share of a list over the simulated one), sd
            (its standard deviation) and figures (how many it rests on).
        """
        ratios: dict[str, list[float]] = {province: [] for province in province_names()}
        for figure in reported_figures():
            if figure.province and figure.middle > 0:
                whole = simulated(self.tables, figure.model_copy(update={"province": ""})).mean()
                share = simulated(self.tables, figure).mean() / whole if whole > 0 else 0.0
                if share > 0:
                    reported = figure.middle / listed_in_the_nation(figure)
                    ratios[figure.province].append(math.log(reported / share))
        prior = _province_discrepancy()
        rows = {}
        for province, found in ratios.items():
            precision = prior**-2 + len(found) * LIST_ERROR**-2
            level = sum(found) * LIST_ERROR**-2 / precision
            rows[province] = {"level": level, "sd": precision**-0.5, "figures": len(found)}
        return pd.DataFrame(rows).T

    @cached_property
    def _province_cache(self) -> dict[date, np.ndarray]:
        return {}

    def _of_provinces(self, day: date) -> np.ndarray:
        """Draws of all provinces at a quarter end, float64 (draws, provinces), whole firms.

        Expected values add up to the national forecast, draw by draw; the luck around them is independent between
        provinces and dates, of a generator seeded by the quarter end.
        """
        if day not in self._province_cache:
            names = province_names()
            asked = [Quantity(quantity=BY_PROVINCE, date=day, province=name) for name in names]
            counts = np.column_stack([simulated(self.tables, one).to_numpy(dtype=np.float64) for one in asked])
            # Draws are exchangeable, and their parameters hardly move shares of provinces beside the errors below.
            shares = counts.sum(axis=0) / max(counts.sum(), 1.0)
            whole = self.draws(Quantity(quantity=BY_PROVINCE, date=day))
            weights = np.tile(shares, (len(whole), 1))
            levels = self.province_levels
            for place, (name, one) in enumerate(zip(names, asked, strict=True)):
                spread = model_error(one, discrepancy=levels.loc[name, "sd"])
                error = self._errors(name_of(one), len(whole)) * spread
                weights[:, place] *= np.exp(levels.loc[name, "level"] + error)
            together = np.maximum(weights.sum(axis=1), np.finfo(np.float64).tiny)
            luck = np.random.default_rng([self.seed, *f"luck of provinces, {day}".encode()])
            self._province_cache[day] = luck.poisson(weights * (whole / together)[:, None]).astype(np.float64)
        return self._province_cache[day]

    def _errors(self, name: str, count: int) -> np.ndarray:
        """Standard normal errors, float64 (count,): the same at all dates, since an error wanders and does not jump."""
        return np.random.default_rng([self.seed, *name.encode()]).normal(size=count)


def with_error(values: np.ndarray, error: np.ndarray, share: bool) -> np.ndarray:
    """Values moved by an error on the log scale, on the log-odds scale for shares; 0 and 1 stay."""
    if not share:
        return values * np.exp(error)
    return values * np.exp(error) / (1.0 - values + values * np.exp(error))


def model_error(quantity: Quantity, discrepancy: float | None = None) -> float:
    """Standard deviation of the model error of a forecast made at the cut-off, log or log-odds scale.

    Args:
        discrepancy: that of the quantity; by default that of its reported figures.
    """
    flow = DISCRETION if quantity.whole_year and quantity.quantity in CERTIFICATES else 0.0
    return math.hypot(wandering(quantity, discrepancy=discrepancy), flow)


def wandering(quantity: Quantity, since: date = CUT_OFF, discrepancy: float | None = None) -> float:
    """As `model_error`, of a forecast made at `since` and without the discretion of a single year's batch."""
    known = discrepancy_of(quantity) if discrepancy is None else discrepancy
    years = max((quantity.quarter_end.date() - since).days / 365.25, 0.0)
    return math.hypot(known, DRIFTS.get(quantity.quantity, DRIFT) * math.sqrt(years))


def discrepancy_of(quantity: Quantity) -> float:
    """Model error of a national quantity: the largest of the reported figures on it."""
    asked = [f for f in reported_figures() if f.quantity == quantity.quantity and not f.province]
    return max((figure.discrepancy for figure in asked), default=0.0) or OTHER_DISCREPANCY


def _province_discrepancy() -> float:
    return max(figure.discrepancy for figure in reported_figures() if figure.province)
