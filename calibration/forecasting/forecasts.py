"""Forecasts with their uncertainty; `naive` and `scores` hold what they are scored against and how.

A forecast is a sample: the values of a quantity at a date in runs with different parameter draws. It starts from what
is known at the cut-off.

* Little giants, their batches and reviews, in the nation, its regions and provinces: the ledger (`ledger`).
* SRDI SMEs of regions and provinces: the national forecast times their shares (`srdi_shares`).
* A quantity with a reported figure: that figure times the simulated change since (on the log-odds scale for shares).
  The error of the change has the variance D² h, with h the years since the figure and D as in
  `scenarios.analysis.model_error`.
* Other quantities: the simulated value, with the variance d² + D² h given there.

Where the hindcasts say that it is better, the forecast shown is the blend of this sample with the naive forecasts
(`blend`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property

import numpy as np
import pandas as pd

from calibration.forecasting.blend import MODEL, Blend, pooled
from calibration.forecasting.ledger import QUANTITIES, Ledger, ledger_of, simulated_of
from calibration.forecasting.lists import KNOWN
from calibration.forecasting.naive import naive_forecasts
from calibration.forecasting.quantities import Asked, known_by, name_of, reported_as
from calibration.forecasting.srdi_shares import share_sample, simulated_shares
from scenarios.analysis.model_error import DRIFT, DRIFTS, OTHER_DISCREPANCY, with_error
from scenarios.analysis.reported import (
    CUT_OFF,
    GIANT_RATIOS,
    Quantity,
    ReportedFigure,
    reported_figures,
    simulated_values,
)
from sim.records.outputs import NATIONAL

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


@dataclass(frozen=True)
class Forecaster:
    """Forecasts from the results of runs with parameter draws, one replicate per draw.

    Attributes:
        tables: national and, for little giants, tier, for SRDI SMEs of provinces, province. seed: of the errors.
        blends: by scope, national or provinces; without one, the model's forecast is shown.
    """

    tables: Mapping[str, pd.DataFrame]
    seed: int
    blends: Mapping[str, Blend] = field(default_factory=dict)

    def sample(self, quantity: Asked) -> np.ndarray:
        """Values of a quantity from the model, with its errors, float64 (draws,); NaN where a run gives none."""
        if quantity.quantity in QUANTITIES:
            return self._ledger.values(quantity.quantity, quantity.quarter_end.date(), quantity.provinces)
        if quantity.place:
            nation = self.sample(quantity.model_copy(update={"province": "", "region": ""}))
            shares = share_sample(self._srdi_shares, quantity.quarter_end.date(), len(nation), self.seed)
            return nation * shares[:, list(quantity.provinces or ())].sum(axis=1)
        values = self._simulated(quantity)
        error = self._errors(name_of(quantity), len(values))
        figure = anchor(quantity)
        if figure is not None:
            then = self._simulated(figure)
            if len(then) == len(values):
                place = np.random.default_rng([self.seed, *f"figure {figure.id}".encode()]).random(len(values))
                return anchored(values, then, figure, place, error * drift(quantity, figure.date))
        return with_error(values, error * drift_error(quantity), quantity.is_share)

    def shown(self, quantity: Asked) -> np.ndarray:
        """The forecast that is shown, float64 (n,): the sample, or its blend with the naive forecasts."""
        return self._blended(quantity, self.sample(quantity))

    def _blended(self, quantity: Asked, sample: np.ndarray) -> np.ndarray:
        blend = self.blends.get("provinces" if quantity.place else "national")
        if blend is None or not blend.better or quantity.quantity not in blend.quantities:
            return sample
        if not np.isfinite(sample).any():
            return sample
        return pooled({MODEL: sample, **naive_forecasts(quantity).samples}, blend.weights)

    def quantiles(self, quantities: list[Asked]) -> pd.DataFrame:
        """Quantiles of forecasts: columns quantity, date, unit, q05, q25, q50, q75, q95, draws."""
        units = {column.name: column.unit for column in NATIONAL} | dict.fromkeys(GIANT_RATIOS, "share")
        rows = []
        for quantity in quantities:
            sample = self.sample(quantity)
            values = self._blended(quantity, sample)
            values = values[np.isfinite(values)]
            levels = np.quantile(values, QUANTILES) if len(values) else np.full(len(QUANTILES), np.nan)
            unit = units[quantity.quantity].removesuffix(" per quarter") + (" a year" if quantity.whole_year else "")
            rows.append(
                {
                    "quantity": name_of(quantity),
                    "date": quantity.quarter_end.date().isoformat(),
                    "unit": unit,
                    **{f"q{round(100 * level):02d}": float(v) for level, v in zip(QUANTILES, levels, strict=True)},
                    "draws": int(np.isfinite(sample).sum()),
                }
            )
        return pd.DataFrame(rows)

    @cached_property
    def _ledger(self) -> Ledger:
        simulated = simulated_of(self.tables)
        return ledger_of(simulated, KNOWN, simulated.years[-1], self.seed)

    @cached_property
    def _srdi_shares(self) -> pd.DataFrame:
        return simulated_shares(self.tables["province"])

    def _simulated(self, quantity: Quantity) -> np.ndarray:
        """Values of a national quantity in the runs, float64 (draws,)."""
        return simulated_values(self.tables, quantity).to_numpy(dtype=np.float64)

    def _errors(self, name: str, count: int) -> np.ndarray:
        """Standard normal errors, float64 (count,), the same at all dates: the error drifts, it does not jump."""
        return np.random.default_rng([self.seed, *name.encode()]).normal(size=count)


def anchor(
    quantity: Quantity, last: date = KNOWN, figures: tuple[ReportedFigure, ...] | None = None
) -> ReportedFigure | None:
    """The last figure of a national quantity reported up to a day, if it has two ends; None without any.

    Args:
        figures: among which it is sought; all reported ones by default.
    """
    series = (reported_as(quantity), quantity.whole_year, quantity.since_start)
    known = [
        figure
        for figure in (reported_figures() if figures is None else figures)
        if (figure.quantity, figure.whole_year, figure.since_start) == series
        and not figure.province
        and None not in (figure.low, figure.high)
        and known_by(figure, last)
    ]
    if not known:
        return None
    return max(known, key=lambda figure: figure.date).model_copy(update={"quantity": quantity.quantity})


def anchored(
    values: np.ndarray, then: np.ndarray, figure: ReportedFigure, place: np.ndarray, error: np.ndarray
) -> np.ndarray:
    """A reported figure moved by the simulated change since and an error, float64 (draws,).

    Args:
        values, then: simulated, at the date of the forecast and of the figure. place: uniform on 0 to 1, where in its
            rounding interval the figure lies. error: on the log or log-odds scale. All float64 (draws,).
    """
    low, high = (figure.middle if end is None else end for end in (figure.low, figure.high))
    start = low + (high - low) * place
    with np.errstate(divide="ignore", invalid="ignore"):
        if not figure.is_share:
            return np.where(then > 0.0, start * values / then, values) * np.exp(error)
        odds = start / (1.0 - start) * (values / (1.0 - values)) / (then / (1.0 - then))
        moved = np.where(np.isfinite(odds), odds / (1.0 + odds), values)
    return with_error(moved, error, share=True)


def drift(quantity: Quantity, since: date) -> float:
    """Standard deviation of the error of a simulated change since a day, log or log-odds scale."""
    years = max((quantity.quarter_end.date() - since).days / 365.25, 0.0)
    return DRIFTS.get(quantity.quantity, DRIFT) * math.sqrt(years)


def drift_error(quantity: Quantity, since: date = CUT_OFF) -> float:
    """Standard deviation of the error of a simulated value, with the model error of the quantity itself."""
    return math.hypot(discrepancy_of(quantity), drift(quantity, since))


def discrepancy_of(quantity: Quantity) -> float:
    """Model error of a national quantity: the largest among its reported figures."""
    figures = [f for f in reported_figures() if f.quantity == quantity.quantity and not f.province]
    return max((figure.discrepancy for figure in figures), default=0.0) or OTHER_DISCREPANCY
