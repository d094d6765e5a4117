"""Forecasts with their uncertainty; `naive` and `scores` hold what they are scored against and how.

A forecast is a sample: the values of a quantity at a date in runs with different parameter draws. Each value is moved
by a model error of its own, normal on the log scale (log-odds for shares) with variance d² + D² h + F²: d is the
quantity's discrepancy in ``targets.toml``, h the years after the cut-off, D (`DRIFT`) how far policy and economy
wander from the model in a year, and F (`DISCRETION`), of certificates alone, the discretion in a single year's batch.
The hindcast of `calibration.studies.diagnostics` uses the same error without F, and shows whether it is wide enough.

Provinces differ in how they recommend firms, which the model does not represent. The forecast of a province is
therefore adjusted by its reported lists: by the log ratio of its reported share of a list to the simulated share,
shrunk towards 0 as a normal mean with prior variance d² and an error of `LIST_ERROR` per list. The expected values of
all provinces still add up to the national forecast. A run at a small scale counts a province in large steps, with more
noise than the real country. The expected share of a province is therefore its share in all runs together, and the noise
around it is that of counting single firms (Poisson).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property

import numpy as np
import pandas as pd

from calibration.forecasting.naive import BY_PROVINCE, national_list_size
from scenarios.analysis.reported import CUT_OFF, REVIEW_PASS_RATE, Quantity, reported_figures, simulated_values
from scenarios.errors import InputError, nearest
from sim.records.outputs import NATIONAL
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
#: National columns that are flows: their figures are sums over the year. The unit of a count does not show this.
FLOWS = (
    *CERTIFICATES,
    *("births", "deaths"),
    *(column.name for column in NATIONAL if column.unit.endswith("per quarter")),
)
#: Standard deviation of the drift between a quantity and the model in the first year, log scale; assumed. A year's
#: batch is a quarter to a third of the stock of little giants, so its discretion moves the stock less than the batch.
DRIFT, DRIFTS = 0.1, {"little_giants": 0.06}
#: Standard deviation of a single year's flow, log scale: of the three batches after the pilots, 2,930, 4,357 and
#: 3,671, about a straight line of their logs.
DISCRETION = 0.23
#: Standard deviation of the log ratio of one province's figure to its lasting level. Assumed: lists of single years
#: follow quotas that change.
LIST_ERROR = 0.3
#: Model error of quantities without a reported figure that states one.
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


def published_quantities() -> list[Quantity]:
    """Quantities and dates of the published forecasts."""
    names = [*PUBLISHED, *(f"{BY_PROVINCE}.{province}" for province in province_names())]
    return [quantity_of(name, date(year, 12, 31)) for name in names for year in YEARS]


@dataclass(frozen=True)
class Forecaster:
    """Forecasts from the results of runs with parameter draws, one replicate per draw.

    Attributes:
        tables: national, tier and, for provinces, province. seed: of the model error.
    """

    tables: Mapping[str, pd.DataFrame]
    seed: int

    def sample(self, quantity: Quantity) -> np.ndarray:
        """Values of a quantity with model error, float64 (draws,); NaN where a run gives none."""
        if quantity.province:
            day = quantity.quarter_end.date()
            return self._province_sample(day)[:, province_names().index(quantity.province)]
        values = simulated_values(self.tables, quantity).to_numpy(dtype=np.float64)
        error = self._errors(name_of(quantity), len(values)) * model_error(quantity)
        return with_error(values, error, quantity.is_share)

    def quantiles(self, quantities: list[Quantity]) -> pd.DataFrame:
        """Quantiles of forecasts: columns quantity, date, unit, q05, q25, q50, q75, q95, draws."""
        units = {column.name: column.unit for column in NATIONAL} | {REVIEW_PASS_RATE: "share"}
        rows = []
        for quantity in quantities:
            values = self.sample(quantity)
            values = values[np.isfinite(values)]
            levels = np.quantile(values, QUANTILES) if len(values) else np.full(len(QUANTILES), np.nan)
            unit = units[quantity.quantity].removesuffix(" per quarter") + (" a year" if quantity.whole_year else "")
            rows.append(
                {
                    "quantity": name_of(quantity),
                    "date": quantity.quarter_end.date().isoformat(),
                    "unit": unit,
                    **{f"q{round(100 * level):02d}": float(v) for level, v in zip(QUANTILES, levels, strict=True)},
                    "draws": len(values),
                }
            )
        return pd.DataFrame(rows)

    @cached_property
    def province_levels(self) -> pd.DataFrame:
        """Each province's reported share of the lists relative to the simulated share.

        Returns:
            Index province; columns level (expected log of the reported share of a list over the simulated one), sd
            (its standard deviation) and figures (the number of reported figures used).
        """
        ratios: dict[str, list[float]] = {province: [] for province in province_names()}
        for figure in reported_figures():
            if figure.province and figure.middle > 0:
                whole = simulated_values(self.tables, figure.model_copy(update={"province": ""})).mean()
                share = simulated_values(self.tables, figure).mean() / whole if whole > 0 else 0.0
                if share > 0:
                    reported = figure.middle / national_list_size(figure)
                    ratios[figure.province].append(math.log(reported / share))
        prior = _province_discrepancy()
        rows = {}
        for province, logs in ratios.items():
            precision = prior**-2 + len(logs) * LIST_ERROR**-2
            level = sum(logs) * LIST_ERROR**-2 / precision
            rows[province] = {"level": level, "sd": precision**-0.5, "figures": len(logs)}
        return pd.DataFrame(rows).T

    @cached_property
    def _province_cache(self) -> dict[date, np.ndarray]:
        return {}

    def _province_sample(self, day: date) -> np.ndarray:
        """Values of all provinces at a quarter end, float64 (draws, provinces), whole firms.

        In every parameter draw, expected values add up to the national forecast. The noise around them is independent
        between provinces and dates; its generator is seeded by the quarter end.
        """
        if day not in self._province_cache:
            names = province_names()
            quantities = [Quantity(quantity=BY_PROVINCE, date=day, province=name) for name in names]
            columns = [simulated_values(self.tables, one).to_numpy(dtype=np.float64) for one in quantities]
            counts = np.column_stack(columns)
            # Parameter draws are exchangeable, and move the shares of provinces far less than the errors below.
            shares = counts.sum(axis=0) / max(counts.sum(), 1.0)
            nation = self.sample(Quantity(quantity=BY_PROVINCE, date=day))
            weights = np.tile(shares, (len(nation), 1))
            levels = self.province_levels
            for index, (name, one) in enumerate(zip(names, quantities, strict=True)):
                spread = model_error(one, discrepancy=levels.loc[name, "sd"])
                error = self._errors(name_of(one), len(nation)) * spread
                weights[:, index] *= np.exp(levels.loc[name, "level"] + error)
            total = np.maximum(weights.sum(axis=1), np.finfo(np.float64).tiny)
            # The words are part of the seed: other words would change the forecasts.
            rng = np.random.default_rng([self.seed, *f"luck of provinces, {day}".encode()])
            self._province_cache[day] = rng.poisson(weights * (nation / total)[:, None]).astype(np.float64)
        return self._province_cache[day]

    def _errors(self, name: str, count: int) -> np.ndarray:
        """Standard normal errors, float64 (count,), the same at all dates: the error drifts, it does not jump."""
        return np.random.default_rng([self.seed, *name.encode()]).normal(size=count)


def with_error(values: np.ndarray, error: np.ndarray, share: bool) -> np.ndarray:
    """Values moved by an error on the log scale, on the log-odds scale for shares; 0 and 1 stay."""
    if not share:
        return values * np.exp(error)
    return values * np.exp(error) / (1.0 - values + values * np.exp(error))


def model_error(quantity: Quantity, discrepancy: float | None = None) -> float:
    """Standard deviation of the model error of a forecast made at the cut-off, log or log-odds scale.

    Args:
        discrepancy: of the quantity; by default that of its reported figures.
    """
    flow = DISCRETION if quantity.whole_year and quantity.quantity in CERTIFICATES else 0.0
    return math.hypot(drift_error(quantity, discrepancy=discrepancy), flow)


def drift_error(quantity: Quantity, since: date = CUT_OFF, discrepancy: float | None = None) -> float:
    """Like `model_error`, for a forecast made at `since` and without the discretion of a single year's batch."""
    known = discrepancy_of(quantity) if discrepancy is None else discrepancy
    years = max((quantity.quarter_end.date() - since).days / 365.25, 0.0)
    return math.hypot(known, DRIFTS.get(quantity.quantity, DRIFT) * math.sqrt(years))


def discrepancy_of(quantity: Quantity) -> float:
    """Model error of a national quantity: the largest among its reported figures."""
    figures = [f for f in reported_figures() if f.quantity == quantity.quantity and not f.province]
    return max((figure.discrepancy for figure in figures), default=0.0) or OTHER_DISCREPANCY


def _province_discrepancy() -> float:
    return max(figure.discrepancy for figure in reported_figures() if figure.province)
