"""Realised figures, and the score of forecasts against them."""

from __future__ import annotations

import math
from datetime import date
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from calibration.forecasting.forecasts import QUANTILES, Forecaster, quantity_of
from calibration.forecasting.naive import NAIVE, naive_forecasts
from scenarios.analysis.reported import CUT_OFF, Quantity
from scenarios.errors import InputError, first_fault
from scenarios.files.loading import parse_toml, read_text


class Actual(BaseModel):
    """One realised figure: the rounding interval of a quantity at a date after the cut-off."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    quantity: str
    date: date
    low: float
    high: float
    source: str = Field(min_length=1)

    @model_validator(mode="after")
    def _consistent(self):
        if self.low > self.high:
            raise ValueError(f"low is {self.low:g}, above high, {self.high:g}")
        if not self.date > CUT_OFF:
            raise ValueError(f"date is {self.date}; forecasts begin after {CUT_OFF}")
        share = self.asked.is_share
        for key, value in (("low", self.low), ("high", self.high)):
            if value < 0.0 or (share and value > 1.0):
                allowed = "is a share, between 0 and 1" if share else "cannot be below 0"
                raise ValueError(f"{key} is {value:g}; {self.quantity} {allowed}")
        return self

    @cached_property
    def asked(self) -> Quantity:
        """What a run is asked for."""
        return quantity_of(self.quantity, self.date)

    @property
    def middle(self) -> float:
        """Middle of the rounding interval."""
        return (self.low + self.high) / 2.0


def read_actuals(path: str | Path, last: date) -> tuple[Actual, ...]:
    """Realised figures of a TOML file with one [[actual]] each.

    Args:
        last: end of the forecast; a later figure is refused.

    Raises:
        InputError: one sentence with the file, the figure, the key, what was found and what is allowed.
    """
    rows = parse_toml(read_text(Path(path)), str(path)).get("actual")
    if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
        raise InputError(f"{path}: there is no [[actual]]")
    found: dict[tuple, Actual] = {}
    for number, row in enumerate(rows, start=1):
        where = f"{path}: actual {number}"
        actual = _actual(row, where, last)
        key = (actual.quantity, actual.asked.quarter_end.date())
        if key in found:
            raise InputError(f"{where}: {key[0]} of the quarter that ends on {key[1]} is given twice; once is allowed")
        found[key] = actual
    return tuple(found.values())


def _actual(row: dict, where: str, last: date) -> Actual:
    try:
        actual = Actual.model_validate(row)
        if actual.asked.quarter_end.date() > last:
            raise InputError(f"date is {actual.date}; the forecast ends on {last}")
        return actual
    except ValidationError as error:
        raise InputError(f"{where}: {first_fault(error, lambda path: list(Actual.model_fields))}") from None
    except InputError as error:
        raise InputError(f"{where}: {error}") from None


def score(forecaster: Forecaster, actuals: tuple[Actual, ...]) -> pd.DataFrame:
    """Each realised figure beside its forecast and two naive ones.

    Returns:
        Columns quantity, date, unit, q05 … q95, draws, low, high, source (realised); of the model inside_50, inside_90
        (whether the realised interval meets the forecast's), crps_model (continuous ranked probability score, unit of
        the quantity) and error_model (median over middle of the realised interval, less 1); and the same of the naive
        forecasts: for NAME of last_value and linear_trend NAME (median), inside_50_NAME, inside_90_NAME, crps_NAME and
        error_NAME. NaN, and None of inside_…, where there is no forecast; NaN errors where the realised figure is 0.
    """
    table = forecaster.table([actual.asked for actual in actuals])
    rows = []
    for actual, row in zip(actuals, table.to_dict("records"), strict=True):
        row |= {"low": actual.low, "high": actual.high, "source": actual.source}
        judged = _judged(forecaster.draws(actual.asked), actual)
        row |= {"inside_50": judged["inside_50"], "inside_90": judged["inside_90"]}
        row |= {"crps_model": judged["crps"], "error_model": judged["error"]}
        naive = naive_forecasts(actual.asked)
        for name in NAIVE:
            row[name] = getattr(naive, name)
            row |= {f"{key}_{name}": value for key, value in _judged(naive.samples[name], actual).items()}
        rows.append(row)
    return pd.DataFrame(rows)


def _judged(sample: np.ndarray, actual: Actual) -> dict[str, bool | float | None]:
    """inside_50, inside_90, crps and error of a sample, float64 (n,), which may hold NaN."""
    from scoringrules import crps_ensemble

    sample = sample[np.isfinite(sample)]
    if not len(sample):
        return {"inside_50": None, "inside_90": None, "crps": math.nan, "error": math.nan}
    q05, q25, q50, q75, q95 = np.quantile(sample, QUANTILES)
    return {
        "inside_50": bool(q25 <= actual.high and actual.low <= q75),
        "inside_90": bool(q05 <= actual.high and actual.low <= q95),
        "crps": float(crps_ensemble(actual.middle, sample)),
        "error": float(q50) / actual.middle - 1.0 if actual.middle else math.nan,
    }


def score_summary(scored: pd.DataFrame) -> dict:
    """One line over all realised figures, and the same for the nation and for provinces.

    Returns:
        figures; coverage_50, coverage_90 of the model over all figures; and for model, last_value and linear_trend:
        coverage_50, coverage_90, relative_crps (mean of the score over the realised value) and absolute_error (mean of
        the absolute relative error), over the figures for which all three say something; compared: how many those are.
        national, provinces: the same keys over these figures alone, if there are any. What cannot be computed is None.
    """
    of_province = scored["quantity"].str.contains(".", regex=False)
    parts = {"national": scored[~of_province], "provinces": scored[of_province]}
    return _summary(scored) | {name: _summary(part) for name, part in parts.items() if len(part)}


def _summary(scored: pd.DataFrame) -> dict:
    together = scored.dropna(subset=[f"crps_{name}" for name in ("model", *NAIVE)])
    middle = ((together["low"] + together["high"]) / 2.0).replace(0.0, math.nan)
    return {
        "figures": len(scored),
        **_coverage(scored, ""),
        "compared": len(together),
        **{
            name: {
                **_coverage(together, suffix),
                "relative_crps": _mean(together[f"crps_{name}"] / middle),
                "absolute_error": _mean(together[f"error_{name}"].abs()),
            }
            for name, suffix in (("model", ""), *((name, f"_{name}") for name in NAIVE))
        },
    }


def _coverage(scored: pd.DataFrame, suffix: str) -> dict[str, float | None]:
    return {f"coverage_{level}": _mean(scored[f"inside_{level}{suffix}"]) for level in (50, 90)}


def _mean(column: pd.Series) -> float | None:
    """Mean of what there is; None if there is nothing."""
    known = column.dropna().to_numpy(dtype=np.float64)
    return float(known.mean()) if len(known) else None
