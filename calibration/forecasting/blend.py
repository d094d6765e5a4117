"""The blend of the model's forecast with the naive ones: a linear pool with weights from the hindcasts.

The weight of a forecast is proportional to the inverse of its mean score (CRPS over the reported value). With some
ten to thirty hindcasts from two origins, weights that minimise the pool's score would follow chance and often be 0 or
1. Inverse scores need no search, change little when a figure is added, and keep every forecast in the pool. Whether
the pool is better than the model alone is judged with weights from the other origin only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd

from calibration.forecasting.naive import LEVELS

#: Name of the model's forecast among those that are blended.
MODEL = "model"


@dataclass(frozen=True)
class Blend:
    """Weights of the forecasts of one scope, the nation or its parts.

    Attributes:
        weights: by name of the forecast, adding up to 1. quantities: those hindcast, for which the weights hold.
        score_model, score_blend: mean relative CRPS in the hindcasts, the blend's with weights from other origins; None
            with a single origin.
        figures: the number of hindcasts.
    """

    weights: Mapping[str, float]
    quantities: tuple[str, ...]
    score_model: float | None
    score_blend: float | None
    figures: int

    @property
    def better(self) -> bool:
        """Whether the hindcasts say that the blend is better than the model alone."""
        if self.score_model is None or self.score_blend is None:
            return False
        return self.score_blend < self.score_model

    def record(self) -> dict:
        """The attributes and `better` as plain values."""
        return asdict(self) | {"quantities": list(self.quantities), "better": self.better}

    @classmethod
    def of_record(cls, record: Mapping) -> Blend:
        """The inverse of `record`."""
        kept = {key: record[key] for key in ("weights", "score_model", "score_blend", "figures")}
        return cls(quantities=tuple(record["quantities"]), **kept)


def inverse_score_weights(scores: pd.DataFrame) -> dict[str, float]:
    """Weights from scores, one row per hindcast and one column per forecast, over rows that all forecast."""
    means = scores.dropna().mean()
    inverse = 1.0 / means.clip(lower=1e-6)
    return {str(name): float(weight) for name, weight in (inverse / inverse.sum()).items()}


def pooled(samples: Mapping[str, np.ndarray], weights: Mapping[str, float]) -> np.ndarray:
    """Quantiles at `LEVELS` of the linear pool of samples, float64 (999,); forecasts without a value are left out.

    Args:
        samples: by name of the forecast, float64 (n,), which may contain NaN.
    """
    finite = {name: samples[name][np.isfinite(samples[name])] for name in weights}
    used = [name for name, values in finite.items() if len(values)]
    if not used:
        return np.full(len(LEVELS), np.nan)
    values = np.concatenate([finite[name] for name in used])
    shares = np.concatenate([np.full(len(finite[name]), weights[name] / len(finite[name])) for name in used])
    return np.quantile(values, LEVELS, weights=shares, method="inverted_cdf")


def blends_of(records: Mapping | None) -> dict[str, Blend]:
    """Blends by scope (national, provinces) from the summary of a fit; empty if it has none."""
    return {scope: Blend.of_record(record) for scope, record in (records or {}).items()}
