"""The model's own error: how far a level may lie from the model's even at the best parameters.

On the log scale for quantities, on the log-odds scale for what lies between two bounds, a true level is

    g(truth) = g(model) + e,   e ~ N(0, σ²),   σ² = d² + D² h.

d is the discrepancy of the reported figures of the quantity (``calibration/targets.toml``), at their dates, linear in
between, and before the first and after the last that of the nearest; without such a figure `OTHER_DISCREPANCY`. h is
the number of years since the quarter of the cut-off, and D (`DRIFT`) how far policy and economy wander from the model
in a year. This is the error of the calibration page, of its figures (`calibration.forecasting.prediction`) and of its
forecasts (`calibration.forecasting.forecasts`).

A policy and the baseline share e: the model does not err in another direction because a lever was moved. So in a paired
difference e cancels to first order, and what is left of it is a factor (`effect_error`),

    truth' - truth = (model' - model) · exp(e),

which changes the size of an effect, never its sign. Whether a lever acts at all, and how strongly, is no part of it:
that is in the draws of strengths, or, where a strength is assumed, in no interval, and the label says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from functools import cache

import numpy as np
import pandas as pd

from scenarios.analysis.metrics import COST_PARTS, CUMULATIVE, CUMULATIVE_COST, GENUINE
from scenarios.analysis.reported import CUT_OFF, reported_figures

#: The end of the quarter of the cut-off, whose figures are known.
KNOWN = (pd.Timestamp(CUT_OFF) + pd.offsets.QuarterEnd(0)).date()
#: Standard deviation of the drift between a quantity and the model in the first year, log scale: about the
#: errors of the hindcasts (`calibration.studies.hindcasts`), 0.08 in the root mean square. SRDI SMEs: 0.13, and up to
#: 0.27 in an earlier fit, because provinces recognised far more firms in 2023 than before.
DRIFT, DRIFTS = 0.1, {"srdi_smes": 0.2}
#: Model error of quantities without a reported figure that states one.
OTHER_DISCREPANCY = 0.1
#: Certificates, whose places provinces decide; one that has no provincial figure errs like those that have.
CERTIFICATES = (
    *("innovative_smes", "srdi_smes", "little_giants"),
    *("little_giants_granted", "little_giants_renewed", "little_giants_lapsed"),
)
#: Units between two bounds. Of all others, values are above 0.
BOUNDS = {"share": (0.0, 1.0), "0-1": (0.0, 1.0), "level 1-4": (1.0, 4.0)}
#: An index has this value at the start by definition, so its error is one of its growth.
INDEX, INDEX_START = "start = 100", 100.0
#: Public money. What levers pay is set, in yuan, so effects on it are not scaled.
MONEY_PAID = frozenset({CUMULATIVE_COST, *COST_PARTS.values(), *CUMULATIVE.values()})


def with_error(values: np.ndarray, error: np.ndarray, share: bool) -> np.ndarray:
    """Values moved by an error on the log scale, on the log-odds scale for shares; 0 and 1 stay."""
    if not share:
        return values * np.exp(error)
    return values * np.exp(error) / (1.0 - values + values * np.exp(error))


def level_error(quantity: str, days: Sequence[date], *, province: bool = False) -> np.ndarray:
    """Standard deviation σ of the model's own error of a level: float64 (days,), log or log-odds scale.

    Args:
        quantity: a column of the national or province table, or a metric derived from one. province: the level is that
            of one province, not of the nation.
    """
    if quantity in GENUINE:
        # A stock times a share of it that no figure reports.
        stock = level_error(GENUINE[quantity][1], days, province=province)
        return np.hypot(stock, OTHER_DISCREPANCY)
    ordinals = np.array([day.toordinal() for day in days], dtype=np.float64)
    years = np.maximum(ordinals - KNOWN.toordinal(), 0.0) / 365.25
    known, discrepancies = _discrepancies(quantity, province)
    at_date = np.interp(ordinals, known, discrepancies)
    return np.hypot(at_date, DRIFTS.get(quantity, DRIFT) * np.sqrt(years))


def effect_error(quantity: str, unit: str, level: np.ndarray, sigma: np.ndarray) -> np.ndarray:
    """Standard deviation of the log of the factor by which an effect may differ from the model's, as `level`.

    Near a level p between two bounds a common shift e on the log-odds scale changes a difference by the factor
    1 + (1 - 2p) e to first order, so near the middle hardly at all.

    Args:
        unit: of the quantity. level: in that unit, without the policy. sigma: of `level_error`, of a shape that fits.
    """
    if quantity in MONEY_PAID:
        return np.zeros(np.broadcast_shapes(level.shape, sigma.shape))
    if unit not in BOUNDS:
        return np.broadcast_to(sigma, np.broadcast_shapes(level.shape, sigma.shape))
    low, high = BOUNDS[unit]
    return np.abs(1.0 - 2.0 * (level - low) / (high - low)) * sigma


@cache
def _discrepancies(quantity: str, province: bool) -> tuple[np.ndarray, np.ndarray]:
    """Dates (ordinals, ascending) and discrepancies that are known of a quantity; at least one of each."""
    figures = [f for f in reported_figures() if bool(f.province) == province and f.discrepancy > 0.0]
    own = {figure.date.toordinal(): figure.discrepancy for figure in figures if figure.quantity == quantity}
    if not own and province and quantity in CERTIFICATES:
        own = {KNOWN.toordinal(): max(figure.discrepancy for figure in figures)}
    own = own or {KNOWN.toordinal(): OTHER_DISCREPANCY}
    return np.array(sorted(own), dtype=np.float64), np.array([own[day] for day in sorted(own)])
