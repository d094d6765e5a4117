"""The reported figures next to their values in runs with parameter draws."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pandas as pd

from calibration.fitting.simulator import TEST_SEEDS, Design, RunProgress, run_library, seeds_from
from calibration.fitting.targets import Targets
from scenarios.analysis.model_error import with_error
from scenarios.analysis.reported import ReportedFigure, reported_figures

#: Parameter draws that are run again to choose the default one, and seeds for each.
CONTENDERS, REPEATS = 12, 8
#: Half the width of the 95 % interval of a median, in ranks over the square root of the sample size.
MEDIAN_RANKS = 0.98


def predict(
    names: tuple[str, ...],
    values: np.ndarray,
    *,
    scale: float,
    seed: int,
    folder: Path,
    workers: int = 1,
    on_run: RunProgress = lambda done, all_: None,
) -> np.ndarray:
    """All reported figures in one run per parameter draw, each with its own seed: float64 (draws, figures).

    Args:
        names: parameters. values: float64 (draws, parameters). folder: of the library of the runs (see `run_library`).
    """
    design = Design.of(names, values, scale, seeds_from(seed + TEST_SEEDS, len(values)))
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
    on_run: RunProgress = lambda done, all_: None,
) -> int:
    """The parameter draw whose runs lie nearest the reported figures; its values become the defaults.

    Marginal medians would not do: with correlated parameters they can miss figures that every draw meets. The draws
    whose single run is nearest are run REPEATS times, and the draw whose mean figures are nearest is chosen. Distance
    is the sum of squared deviations over the variance of target uncertainty and of the simulation noise of such a mean.

    Args:
        names, values, outcomes: arguments and result of `predict`. targets: to which the parameters were fitted.

    Returns:
        The row of `values`.
    """
    noise = np.nanstd(targets.transform(outcomes), axis=0)

    def distance(figures: np.ndarray, runs: int) -> np.ndarray:
        deviation = np.clip(figures, targets.low, targets.high) - figures
        return np.nansum((deviation / np.hypot(targets.uncertainty, noise / np.sqrt(runs))) ** 2, axis=1)

    chosen = np.argsort(distance(targets.transform(outcomes), 1), kind="stable")[:CONTENDERS]
    repeated = np.repeat(chosen, REPEATS)
    design = Design.of(names, values[repeated], scale, seeds_from(seed + 3 * TEST_SEEDS, len(repeated)))
    again = targets.transform(run_library(design, design.library(folder, "contenders"), workers, on_run))
    means = np.nanmean(again.reshape(len(chosen), REPEATS, -1), axis=1)
    return int(chosen[np.argmin(distance(means, REPEATS))])


def target_table(
    outcomes: np.ndarray, scale: float, seed: int, figures: tuple[ReportedFigure, ...] | None = None
) -> pd.DataFrame:
    """Reported interval, simulated median and 90 % predictive interval of each figure.

    The predictive interval includes parameter uncertainty, the simulation noise of one run at its scale and the model
    error. A run at a small scale counts a province in large steps, so the noise of a province is that of counting
    single firms (Poisson) around the mean of all runs. For role given, the interval is widened by half a simulated
    firm.

    Args:
        outcomes: float64 (draws, figures). scale: share of the population of the runs.

    Returns:
        Columns id, label, quantity, date, role, mark, reported_low, reported_high (NaN where one-sided), median,
        median_low, median_high (95 % interval of the median), p05, p95, within (the median itself lies in the reported
        interval) and inside: for role fit, whether the reported interval overlaps that of the median; for the other
        roles, whether it overlaps the predictive interval. If no run gives a value of a figure, its numbers are NaN and
        both are false.
    """
    figures = reported_figures() if figures is None else figures
    rng = np.random.default_rng(seed)
    rows = []
    for figure, values in zip(figures, outcomes.T, strict=True):
        summary = _predictive_summary(figure, values, rng)
        low = -np.inf if figure.low is None else figure.low
        high = np.inf if figure.high is None else figure.high
        if figure.role == "fit":
            interval = summary["median_low"], summary["median_high"]
        else:
            grain = 0.5 / scale if figure.role == "given" else 0.0
            interval = summary["p05"] - grain, summary["p95"] + grain
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
                **summary,
                "within": bool(low <= summary["median"] <= high),
                "inside": bool(interval[0] <= high and low <= interval[1]),
            }
        )
    return pd.DataFrame(rows)


def _predictive_summary(figure: ReportedFigure, values: np.ndarray, rng: np.random.Generator) -> dict[str, float]:
    """median, median_low, median_high, p05 and p95 of `target_table`, from the values of a figure in runs (draws,)."""
    error = rng.normal(size=len(values)) * figure.discrepancy
    finite = np.isfinite(values)
    values, error = values[finite], error[finite]
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
    """By role: number of figures `inside`, of figures with the median `within` the reported interval, and `of` all."""
    return {
        role: {"inside": int(rows["inside"].sum()), "within": int(rows["within"].sum()), "of": len(rows)}
        for role, rows in table.groupby("role", sort=False)
    }
