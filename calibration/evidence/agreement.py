"""Strengths that leave the baseline where the fit to the reported figures put it.

The fit draws its parameters with all strengths at their defaults φ₀; studies give draws of strengths φ. The levers
that exist already, and knowledge itself, act in the baseline too, so that φ from studies alone moves it off the
figures. So draws of φ are weighted by

    w(φ) = exp(−½ Δᵀ Σ⁻¹ Δ),    Δ = C (φ − φ₀),

with Δ the shift of the figures on the scale of the fit and Σ the covariance of the model's own error and of rounding.
This is the ratio of the fit's likelihoods with φ and with φ₀ where the baseline meets its figures. C is learned from
pairs of runs, with φ and with φ₀, that share the fit's draw and all random draws. The draws of the fit stay as they are
(a cut posterior: Plummer 2015), so that doubt about φ is rather too small than too large.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from sklearn.linear_model import RidgeCV

from calibration.evidence.effects import Settings
from calibration.evidence.sampling import Draws, effective_number, resample
from calibration.fitting.library import RunProgress
from calibration.fitting.posterior import own_covariance
from calibration.fitting.simulator import Design, run_library, seeds_from
from calibration.fitting.targets import Targets, read_targets
from scenarios.ensembles.parameter_draws import ParameterDraws
from sim.parameters import parameter_table

#: Draws from studies that are weighted; about one in a hundred leaves the baseline alone.
CANDIDATES = 200_000
#: First seed of the pairs, beyond those of fit and validation.
FIRST_SEED = 300_000
#: Penalties of the regression, of which cross-validation chooses; parameters are in standard deviations.
_PENALTIES = np.logspace(-1.0, 4.0, 21)


@dataclass(frozen=True)
class Shifts:
    """How strengths move the reported figures of the baseline.

    Attributes:
        targets: the figures of role fit. names: of the strengths. defaults: float64 (strengths,), φ₀.
        slopes: float64 (targets, strengths), C, by unit of the strength. pairs: of runs it was learned from.
    """

    targets: Targets
    names: tuple[str, ...]
    defaults: np.ndarray
    slopes: np.ndarray
    pairs: int

    def __call__(self, values: np.ndarray) -> np.ndarray:
        """Shift of each figure, float64 (draws, targets), by strengths (draws, strengths)."""
        return (values - self.defaults) @ self.slopes.T

    def log_weights(self, values: np.ndarray) -> np.ndarray:
        """Logarithm of w(φ), float64 (draws,)."""
        targets = self.targets
        covariance = own_covariance(targets.discrepancy, targets.series) + np.diag(targets.rounding**2)
        moved = self(values)
        return -0.5 * (moved * np.linalg.solve(covariance, moved.T).T).sum(axis=1)


def learn_shifts(targets: Targets, draws: Draws, outcomes: np.ndarray) -> Shifts:
    """Learn the slopes, by ridge regression without a constant: default strengths move nothing.

    Args:
        draws: strengths of the pairs. outcomes: float64 (2, pairs, targets), figures on the scale of the fit with
            these strengths and with the defaults. A figure that fewer than half of the pairs have is left alone.
    """
    defaults = np.array([parameter_table()[name].value for name in draws.names])
    spread = np.maximum(draws.values.std(axis=0), 1e-12)
    scaled, moved = (draws.values - defaults) / spread, outcomes[0] - outcomes[1]
    slopes = np.zeros((len(targets.ids), len(draws.names)))
    for figure, shift in enumerate(moved.T):
        there = np.isfinite(shift)
        if there.sum() > max(len(shift) // 2, 1):
            slopes[figure] = RidgeCV(_PENALTIES, fit_intercept=False).fit(scaled[there], shift[there]).coef_ / spread
    return Shifts(targets, draws.names, defaults, slopes, len(moved))


def run_pairs(
    draws: Draws, fitted: ParameterDraws, settings: Settings, folder: Path, workers: int, on_run: RunProgress
) -> np.ndarray:
    """Outcomes of the baseline with strengths and with the defaults: float64 (2, pairs, targets), as transformed.

    Pair i has draw i of the fit. The runs are kept in a file in `folder`, from which interrupted work resumes.
    """
    pairs, names = len(draws.values), (*fitted.names, *draws.names)
    defaults = [parameter_table()[name].value for name in draws.names]
    parameters = np.resize(fitted.values, (pairs, len(fitted.names)))
    values = np.concatenate(
        [np.column_stack([parameters, strengths]) for strengths in (draws.values, np.tile(defaults, (pairs, 1)))]
    )
    seeds = np.tile(seeds_from(FIRST_SEED + settings.seed, pairs), 2)
    design = Design.of(names, values, settings.scale, seeds)
    outcomes = run_library(design, design.library(folder, "baseline"), workers, on_run)
    return read_targets().transform(outcomes).reshape(2, pairs, -1)


def shifts_summary(shifts: Shifts, before: Draws, after: Draws, effective: float) -> dict:
    """What ``evidence.json`` says of it: mean shift of each figure before and after, in % (of shares: of the odds)."""
    means = [100.0 * np.expm1(shifts(draws.values).mean(axis=0)) for draws in (before, after)]
    figures = [
        {"figure": name, "before": float(first), "after": float(last)}
        for name, first, last in zip(shifts.targets.ids, *means, strict=True)
    ]
    return {"pairs": shifts.pairs, "draws": len(before.values), "effective": effective, "figures": figures}


def in_agreement(draws: Draws, shifts: Shifts, count: int, seed: int) -> tuple[Draws, float]:
    """Draws in proportion to w(φ), and how many of the draws before they stand for (Kish 1965)."""
    chosen, weights = resample(shifts.log_weights(draws.values), count, np.random.default_rng(seed))
    return replace(draws, values=draws.values[chosen]), effective_number(weights)
