"""The reported figures as targets of the fit: intervals on the log or log-odds scale, with their uncertainty."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scenarios.analysis.reported import ReportedFigure, reported_figures


@dataclass(frozen=True)
class Targets:
    """Figures of some roles, in file order.

    Attributes:
        figures: the figures. columns: int64 (targets,), their positions among all reported figures.
        share: bool (targets,), whether a figure is a share (log-odds scale) or a quantity (log scale).
        low, high: float64 (targets,), transformed ends of the rounding interval; infinite where one-sided.
        discrepancy: float64 (targets,), standard deviation of the model's own error on that scale.
    """

    figures: tuple[ReportedFigure, ...]
    columns: np.ndarray
    share: np.ndarray
    low: np.ndarray
    high: np.ndarray
    discrepancy: np.ndarray

    @property
    def ids(self) -> tuple[str, ...]:
        """Ids of the figures."""
        return tuple(figure.id for figure in self.figures)

    @property
    def uncertainty(self) -> np.ndarray:
        """Standard deviation of discrepancy and rounding together, on the transformed scale: float64 (targets,)."""
        return np.hypot(self.discrepancy, self.rounding)

    @property
    def rounding(self) -> np.ndarray:
        """Standard deviation of a value anywhere in its interval, 0 without two ends, float64 (targets,)."""
        return np.where(np.isfinite(self.high - self.low), self.high - self.low, 0.0) / np.sqrt(12.0)

    @property
    def series(self) -> np.ndarray:
        """Number of the quantity each figure is of, int64 (targets,): figures of one quantity are a series."""
        quantities = [figure.quantity for figure in self.figures]
        return np.array([quantities.index(quantity) for quantity in quantities], dtype=np.int64)

    def transform(self, outcomes: np.ndarray) -> np.ndarray:
        """Outcomes of all reported figures (…, figures) on the scale of these targets (…, targets); NaN for zero."""
        chosen = np.asarray(outcomes, dtype=np.float64)[..., self.columns]
        return transform(chosen, self.share)

    def natural(self, transformed: np.ndarray) -> np.ndarray:
        """The inverse of `transform` for these targets (…, targets)."""
        with np.errstate(over="ignore"):
            return np.where(self.share, 1.0 / (1.0 + np.exp(-transformed)), np.exp(transformed))

    def only(self, keep: np.ndarray) -> Targets:
        """The targets where `keep`, bool (targets,), is true."""
        figures = tuple(figure for figure, wanted in zip(self.figures, keep, strict=True) if wanted)
        arrays = (self.columns, self.share, self.low, self.high, self.discrepancy)
        return Targets(figures, *(array[keep] for array in arrays))


def transform(values: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Log of quantities and log-odds of shares (`share` true); NaN where that is not finite."""
    with np.errstate(divide="ignore", invalid="ignore"):
        transformed = np.where(share, np.log(values) - np.log1p(-values), np.log(values))
    return np.where(np.isfinite(transformed), transformed, np.nan)


def read_targets(roles: tuple[str, ...] = ("fit",), figures: tuple[ReportedFigure, ...] | None = None) -> Targets:
    """The reported figures of some roles, from the package or from `figures`."""
    figures = reported_figures() if figures is None else figures
    columns = np.array([index for index, figure in enumerate(figures) if figure.role in roles], dtype=np.int64)
    chosen = tuple(figures[index] for index in columns)
    share = np.array([figure.is_share for figure in chosen], dtype=bool)
    ends = {}
    for name, missing in (("low", -np.inf), ("high", np.inf)):
        bounds = np.array([np.nan if getattr(f, name) is None else getattr(f, name) for f in chosen], dtype=np.float64)
        ends[name] = np.where(np.isnan(bounds), missing, transform(bounds, share))
    discrepancy = np.array([figure.discrepancy for figure in chosen], dtype=np.float64)
    return Targets(chosen, columns, share, ends["low"], ends["high"], discrepancy)
