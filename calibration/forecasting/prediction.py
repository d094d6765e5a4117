"""The reported figures beside what runs with posterior draws say of them."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pandas as pd

from calibration.fitting.simulator import TESTING, Count, Design, run_library, seeds_from
from calibration.fitting.targets import Targets
from calibration.forecasting.forecasts import with_error
from scenarios.analysis.reported import ReportedFigure, reported_figures

#: Draws, of those predicted, that are run again to find the default one, and seeds each.
CONTENDERS, REPEATS = 12, 8
#: Half the width of the 95 % interval of a median, in ranks over the square root of the draws.
MEDIAN_RANKS = 0.98


def predict(
    names: tuple[str, ...],
    values: np.ndarray,
    *,
    scale: float,
    seed: int,
    folder: Path,
    workers: int = 1,
    on_run: Count = lambda done, all_: None,
) -> np.ndarray:
    """What runs say of all reported figures, one run a draw with its own luck: float64 (draws, figures).

    Args:
        names: parameters. values: float64 (draws, parameters). folder: of the library of the runs (see `run_library`).
    """
    design = Design.of(names, values, scale, seeds_from(seed + TESTING, len(values)))
    return run_library(design, design.library(folder, "predictive"), workers, on_run)


def nearest_draw(
    names: tuple[str, ...],
    values: np.ndarray,
    outcomes: np.ndarray,
    targets: Targets,
    *,
    scale: float,
    seed: int,
    folder: Path,
    workers: int = 1,
    on_run: Count = lambda done, all_: None,
) -> int:
    """The draw whose runs lie nearest the reported figures: what a single set of parameters is taken from.

    Marginal medians are no draw: with correlated parameters they can miss figures that every draw meets. The draws
    whose one run is nearest are run REPEATS times, and the one whose mean figures are nearest is taken. Distance is the
    sum of squares over doubt and the luck of such a mean.

    Args:
        names, values, outcomes: as `predict` takes and returns them. targets: to which the parameters were fitted.

    Returns:
        The row of `values`.
    """
    luck = np.nanstd(targets.transform(outcomes), axis=0)

    def distance(figures: np.ndarray, runs: int) -> np.ndarray:
        missed = np.clip(figures, targets.low, targets.high) - figures
        return np.nansum((missed / np.hypot(targets.doubt, luck / np.sqrt(runs))) ** 2, axis=1)

    chosen = np.argsort(distance(targets.transform(outcomes), 1), kind="stable")[:CONTENDERS]
    repeated = np.repeat(chosen, REPEATS)
    design = Design.of(names, values[repeated], scale, seeds_from(seed + 3 * TESTING, len(repeated)))
    again = targets.transform(run_library(design, design.library(folder, "contenders"), workers, on_run))
    means = np.nanmean(again.reshape(len(chosen), REPEATS, -1), axis=1)
    return int(chosen[np.argmin(distance(means, REPEATS))])


def target_table(
    outcomes: np.ndarray, scale: float, seed: int, figures: tuple[ReportedFigure, ...] | None = None
) -> pd.DataFrame:
    """Reported interval, simulated median and 90 % predictive interval of each figure.

    The predictive interval holds parameter doubt, the luck of a run at its scale and the model error. A run at a small
    scale counts a province in large steps: there the luck is that of counting firms one by one (Poisson) about the mean
    of all runs. A figure that is given is known to half a simulated firm.

    Args:
        outcomes: float64 (draws, figures). scale: share of the population of the runs.

    Returns:
        Columns id, label, quantity, date, role, mark, reported_low, reported_high (NaN where one-sided), median,
        median_low, median_high (95 % interval of the median of so many draws), p05, p95, within (the median itself
        lies in the reported interval) and inside: of role fit, whether the reported interval meets that of the
        median; of the others, whether it meets the predictive interval. Where no run says anything of a figure its
        numbers are NaN and it is neither.
    """
    figures = reported_figures() if figures is None else figures
    rng = np.random.default_rng(seed)
    rows = []
    for figure, values in zip(figures, outcomes.T, strict=True):
        found = _predicted(figure, values, rng)
        low = -np.inf if figure.low is None else figure.low
        high = np.inf if figure.high is None else figure.high
        if figure.role == "fit":
            nearest = found["median_low"], found["median_high"]
        else:
            grain = 0.5 / scale if figure.role == "given" else 0.0
            nearest = found["p05"] - grain, found["p95"] + grain
        rows.append(
            {
                "id": figure.id,
                "label": figure.label,
                "quantity": figure.quantity,
                "date": figure.date.isoformat(),
                "role": figure.role,
                "mark": figure.mark,
                "reported_low": np.nan if figure.low is None else figure.low,
                "reported_high": np.nan if figure.high is None else figure.high,
                **found,
                "within": bool(low <= found["median"] <= high),
                "inside": bool(nearest[0] <= high and low <= nearest[1]),
            }
        )
    return pd.DataFrame(rows)


def _predicted(figure: ReportedFigure, values: np.ndarray, rng: np.random.Generator) -> dict[str, float]:
    """median, median_low, median_high, p05 and p95 of `target_table`, from what runs (draws,) say of a figure."""
    error = rng.normal(size=len(values)) * figure.discrepancy
    said = np.isfinite(values)
    values, error = values[said], error[said]
    if not len(values):
        return dict.fromkeys(("median", "median_low", "median_high", "p05", "p95"), math.nan)
    predicted = with_error(values, error, figure.is_share)
    if figure.province:
        values = predicted = rng.poisson(values.mean() * np.exp(error))
    median_low, median_high = _median_interval(values)
    p05, p95 = np.quantile(predicted, [0.05, 0.95])
    return {
        "median": float(np.median(values)),
        "median_low": float(median_low),
        "median_high": float(median_high),
        "p05": float(p05),
        "p95": float(p95),
    }


def _median_interval(values: np.ndarray) -> np.ndarray:
    """95 % interval of the median of a sample, by ranks: float64 (2,)."""
    half = MEDIAN_RANKS * np.sqrt(len(values))
    ranks = np.clip(len(values) / 2.0 + np.array([-half, half]), 0, len(values) - 1).astype(int)
    return np.sort(values)[ranks]


def inside_by_role(table: pd.DataFrame) -> dict[str, dict[str, int]]:
    """By role: figures `inside`, figures whose median itself is `within` the reported interval, and how many `of`."""
    return {
        role: {"inside": int(rows["inside"].sum()), "within": int(rows["within"].sum()), "of": len(rows)}
        for role, rows in table.groupby("role", sort=False)
    }
