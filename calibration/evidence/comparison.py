"""Every row of a file beside the model: what was published, what the model gives, and whether both agree."""

from __future__ import annotations

import math

import numpy as np

from calibration.evidence.curves import Curve
from calibration.evidence.design import is_fitted
from calibration.evidence.rows import Estimate, baseline_value
from calibration.evidence.sampling import Draws
from calibration.evidence.trials import obstacle
from scenarios.ensembles.parameter_draws import ParameterDraws
from sim.parameters import parameter_table

#: Half the width of a 90 % interval in standard errors, and its quantiles.
NORMAL_90, INTERVAL = 1.645, (0.05, 0.5, 0.95)
#: An effect that is nearer to nothing than this counts as none where a study found none in words.
SMALL = 0.01
_TOO_FEW = "too few firms are reached at this scale, or they are no longer paid at this horizon"


def inside_by_use(rows: list[dict]) -> dict[str, dict[str, int]]:
    """How many of the compared rows the model meets, and how many there are, by use."""
    counts = {}
    for use in ("fit", "check", "sign"):
        compared = [row["inside"] for row in rows if row["use"] == use and row["inside"] is not None]
        counts[use] = {"inside": sum(compared), "of": len(compared)}
    return counts


def compared(row: Estimate, fitted: ParameterDraws, draws: Draws, curves: dict[str, Curve]) -> dict:
    """A row beside the model: keys as printed by ``srdi evidence --json``."""
    reason = obstacle(row)
    model = None if reason else _modelled(row, fitted, draws, curves.get(row.id))
    if model is None:
        reason = reason or _TOO_FEW
    low, middle, high = model or (None, None, None)
    published_low, published_high = _interval(row)
    return {
        "id": row.id,
        "lever": row.lever,
        "parameter": row.parameter,
        "study": row.study,
        "outcome": row.outcome,
        "horizon_years": row.horizon_years,
        "use": row.use,
        "fitted": model is not None and is_fitted(row, fitted.names),
        "published": row.estimate,
        "low": published_low,
        "high": published_high,
        "sign": row.sign,
        "model": middle,
        "model_low": low,
        "model_high": high,
        "inside": None if model is None else _meets(row, model),
        "compared": model is not None,
        "reason": reason,
        "note": row.note,
    }


def _interval(row: Estimate) -> tuple[float | None, float | None]:
    """90 % interval of a published estimate by the study's own error."""
    if row.estimate is None or row.se is None:
        return None, None
    return row.estimate - NORMAL_90 * row.se, row.estimate + NORMAL_90 * row.se


def _modelled(
    row: Estimate, fitted: ParameterDraws, draws: Draws, curve: Curve | None
) -> tuple[float, float, float] | None:
    """5, 50 and 95 % quantiles of the model's effect over the draws, or of the value itself; None if there is none."""
    if row.experiment == "direct" and curve is None:
        value = baseline_value(row.parameter)
        assert isinstance(value, int | float)
        return float(value), float(value), float(value)
    if curve is None:
        return None
    if curve.names and curve.names[0] in fitted.names:
        effects = fitted.values[:, [fitted.names.index(curve.names[0])]]
    elif all(name in draws.names for name in curve.names):
        effects = draws.columns(curve.names)
    else:  # a parameter that is compared and not drawn
        effects = np.array([[parameter_table()[name].value for name in curve.names]])
    low, middle, high = map(float, np.quantile(curve(effects), INTERVAL))
    noise = NORMAL_90 * curve.sampling
    return middle - math.hypot(middle - low, noise), middle, middle + math.hypot(high - middle, noise)


def _meets(row: Estimate, model: tuple[float, float, float]) -> bool:
    """Whether the intervals of study and model meet, or the signs agree where only a sign was read."""
    low, middle, high = model
    if row.sign is not None:
        return bool(low <= 0.0 <= high or abs(middle) < SMALL) if row.sign == 0 else bool(row.sign * middle > 0.0)
    published_low, published_high = _interval(row)
    assert published_low is not None
    assert published_high is not None
    meets = low <= published_high and high >= published_low
    if row.bound == "upper":
        return bool(low <= published_high)
    return bool(meets)
