"""Realised figures, and the score of forecasts against them."""

from __future__ import annotations

import math
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from calibration.forecasting.forecasts import QUANTILES, Forecaster
from calibration.forecasting.naive import NAIVE, naive_forecasts
from calibration.forecasting.quantities import Asked, quantity_of
from scenarios.analysis.reported import CUT_OFF
from scenarios.errors import InputError, first_fault
from scenarios.files.loading import parse_toml, read_text

#: Largest log score of a single figure.
WORST_LOG_SCORE = 20.0


class Actual(BaseModel):
    """One realised figure: the rounding interval of a quantity at a date after the cut-off.

    Attributes:
        high: upper end; None if the figure is a floor ("over N").
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    quantity: str
    date: date
    low: float
    high: float | None = None
    source: str = Field(min_length=1)

    @model_validator(mode="after")
    def _consistent(self):
        if self.high is not None and self.low > self.high:
            raise ValueError(f"low is {self.low:g}, above high, {self.high:g}")
        if not self.date > CUT_OFF:
            raise ValueError(f"date is {self.date}; forecasts begin after {CUT_OFF}")
        share = self.as_quantity.is_share
        for key, value in (("low", self.low), ("high", self.high)):
            if value is not None and (value < 0.0 or (share and value > 1.0)):
                allowed = "is a share, between 0 and 1" if share else "cannot be below 0"
                raise ValueError(f"{key} is {value:g}; {self.quantity} {allowed}")
        return self

    @cached_property
    def as_quantity(self) -> Asked:
        """The quantity as it is read from the results of runs."""
        return quantity_of(self.quantity, self.date)

    @property
    def middle(self) -> float | None:
        """Middle of the rounding interval; None for a floor."""
        return None if self.high is None else (self.low + self.high) / 2.0


def read_actuals(path: str | Path, last: date) -> tuple[Actual, ...]:
    """Realised figures of a TOML file with one [[actual]] each.

    Args:
        last: end of the forecast; later figures are rejected.

    Raises:
        InputError: one sentence with the file, the figure, the key, the value and what is allowed.
    """
    rows = parse_toml(read_text(Path(path)), str(path)).get("actual")
    if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
        raise InputError(f"{path}: there is no [[actual]]")
    actuals: dict[tuple, Actual] = {}
    for number, row in enumerate(rows, start=1):
        where = f"{path}: actual {number}"
        actual = _actual(row, where, last)
        key = (actual.quantity, actual.as_quantity.quarter_end.date())
        if key in actuals:
            raise InputError(f"{where}: {key[0]} of the quarter that ends on {key[1]} is given twice; once is allowed")
        actuals[key] = actual
    return tuple(actuals.values())


def _actual(row: dict, where: str, last: date) -> Actual:
    try:
        actual = Actual.model_validate(row)
        if actual.as_quantity.quarter_end.date() > last:
            raise InputError(f"date is {actual.date}; the forecast ends on {last}")
        return actual
    except ValidationError as error:
        raise InputError(f"{where}: {first_fault(error, lambda path: list(Actual.model_fields))}") from None
    except InputError as error:
        raise InputError(f"{where}: {error}") from None


def score(forecaster: Forecaster, actuals: tuple[Actual, ...]) -> pd.DataFrame:
    """Each realised figure next to its forecast and two naive forecasts.

    Returns:
        Columns quantity, date, unit, q05 … q95, draws, low, high, source (realised); for the forecast that is shown
        (the model's, or its blend with the naive ones) inside_50, inside_90 (whether the realised interval overlaps the
        forecast's), crps_model (continuous ranked probability score, unit of the quantity) and error_model (median over
        the middle of the realised interval, minus 1). The naive forecasts have the same columns: with NAME last_value
        or linear_trend, NAME (median), inside_50_NAME, inside_90_NAME, crps_NAME and error_NAME. Without a forecast
        NaN, and None for inside_…; errors are NaN where the realised figure is 0. The interval of a floor has no upper
        end: its high, crps_… and error_… are NaN.
    """
    table = forecaster.quantiles([actual.as_quantity for actual in actuals])
    rows = []
    for actual, row in zip(actuals, table.to_dict("records"), strict=True):
        high = math.nan if actual.high is None else actual.high
        row |= {"low": actual.low, "high": high, "source": actual.source}
        scores = interval_scores(forecaster.shown(actual.as_quantity), actual.low, actual.high)
        row |= {"inside_50": scores["inside_50"], "inside_90": scores["inside_90"]}
        row |= {"crps_model": scores["crps"], "error_model": scores["error"]}
        naive = naive_forecasts(actual.as_quantity)
        for name in NAIVE:
            row[name] = getattr(naive, name)
            scores = interval_scores(naive.samples[name], actual.low, actual.high)
            row |= {f"{key}_{name}": value for key, value in scores.items()}
        rows.append(row)
    return pd.DataFrame(rows)


def interval_scores(sample: np.ndarray, low: float, high: float | None) -> dict[str, Any]:
    """inside_50, inside_90, crps and error of a sample, float64 (n,), which may contain NaN.

    Args:
        low, high: interval of the realised figure. With high None it is a floor: it is inside an interval that reaches
            above low, and has neither score nor error.
    """
    from scoringrules import crps_ensemble

    sample = sample[np.isfinite(sample)]
    if not len(sample):
        return {"inside_50": None, "inside_90": None, "crps": math.nan, "error": math.nan}
    q05, q25, q50, q75, q95 = np.quantile(sample, QUANTILES)
    top, middle = (math.inf, None) if high is None else (high, (low + high) / 2.0)
    return {
        "inside_50": bool(q25 <= top and low <= q75),
        "inside_90": bool(q05 <= top and low <= q95),
        "crps": math.nan if middle is None else float(crps_ensemble(middle, sample)),
        "error": float(q50) / middle - 1.0 if middle else math.nan,
    }


def density_scores(sample: np.ndarray, value: float) -> dict[str, float]:
    """log_score and pit of a sample, float64 (n,), at a realised value above 0; NaN for a point forecast.

    log_score is minus the log density of the log value, a kernel estimate, so it has no unit; it is at most
    `WORST_LOG_SCORE`, because far out the estimate is 0. pit is the share of the
    sample below the value: uniform over many figures if the spread of the forecasts is right.
    """
    from scoringrules import logs_ensemble

    sample = sample[np.isfinite(sample) & (sample > 0.0)]
    if len(np.unique(sample)) < 2:
        return {"log_score": math.nan, "pit": math.nan}
    with np.errstate(divide="ignore"):
        log_score = float(logs_ensemble(math.log(value), np.log(sample)))
    return {
        "log_score": min(log_score, WORST_LOG_SCORE),
        "pit": float((sample < value).mean() + (sample <= value).mean()) / 2.0,
    }


def score_summary(scored: pd.DataFrame) -> dict:
    """Summary over all realised figures, and separately over national and provincial figures.

    Returns:
        figures (their number); floors (those without an upper end); coverage_50, coverage_90 of the model over all
        figures; for model, last_value and linear_trend: coverage_50, coverage_90 and, without floors, relative_crps
        (mean of the score over the realised value) and absolute_error (mean absolute relative error), over the figures
        that all three forecast; compared: the number of those. national, provinces: the same keys over these figures
        alone, if any. What cannot be computed is None.
    """
    of_province = scored["quantity"].str.contains(".", regex=False)
    scopes = {"national": scored[~of_province], "provinces": scored[of_province]}
    return _summary(scored) | {name: _summary(rows) for name, rows in scopes.items() if len(rows)}


def _summary(scored: pd.DataFrame) -> dict:
    common = scored.dropna(subset=["inside_90", *(f"inside_90_{name}" for name in NAIVE)])
    middle = ((common["low"] + common["high"]) / 2.0).replace(0.0, math.nan)
    return {
        "figures": len(scored),
        "floors": int(scored["high"].isna().sum()),
        **_coverage(scored, ""),
        "compared": len(common),
        **{
            name: {
                **_coverage(common, suffix),
                "relative_crps": _mean(common[f"crps_{name}"] / middle),
                "absolute_error": _mean(common[f"error_{name}"].abs()),
            }
            for name, suffix in (("model", ""), *((name, f"_{name}") for name in NAIVE))
        },
    }


def _coverage(scored: pd.DataFrame, suffix: str) -> dict[str, float | None]:
    return {f"coverage_{level}": _mean(scored[f"inside_{level}{suffix}"]) for level in (50, 90)}


def _mean(column: pd.Series) -> float | None:
    """Mean of the known values; None if there are none."""
    known = column.dropna().to_numpy(dtype=np.float64)
    return float(known.mean()) if len(known) else None
