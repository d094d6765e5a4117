"""Validation: reported figures, stylised facts, econometrics on the model's own panel, forecasts and their score."""

from __future__ import annotations

import hashlib
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from calibration.firms.facts import measure_facts
from calibration.fitting.fit import StageProgress
from calibration.forecasting.blend import blends_of
from calibration.forecasting.forecasts import Forecaster
from calibration.forecasting.prediction import inside_by_role, predict, target_table
from calibration.forecasting.quantities import YEARS, published_quantities
from calibration.forecasting.scores import Actual, score, score_summary
from calibration.studies.study import packaged_calibration
from scenarios.analysis.reported import CUT_OFF
from scenarios.ensembles.jobs import model_digest
from scenarios.ensembles.parameter_draws import POSTERIOR, ParameterDraws, read_parameter_draws
from scenarios.records.storage import records, write_json

if TYPE_CHECKING:
    from calibration.firms.econometrics import Estimate

FORECASTS, VALIDATION = "forecasts.json", "validation.json"
#: Last year of the forecasts, and last day that can be scored.
UNTIL = max(YEARS)
LAST_DAY = date(UNTIL, 12, 31)
#: Firms of the panel, and share of the population and last year of the run, for econometrics.
PANEL_FIRMS, PANEL_SCALE, PANEL_UNTIL = 4_000, 0.05, 2024


def validate(
    folder: Path,
    *,
    draws: int,
    scale: float,
    seed: int,
    workers: int,
    actuals: tuple[Actual, ...] = (),
    on_run: StageProgress = lambda stage, done, all_: None,
) -> dict:
    """Compare the calibrated model with its references, and forecast.

    Written into `folder`: ``forecasts.json``, ``validation.json`` (the complete result) and the runs, which a second
    call with the same settings reuses.

    Args:
        draws: number of parameter draws, one run each. scale: share of the population of these runs and of those for
            the stylised facts. actuals: realised figures.

    Returns:
        The keys of ``srdi validate --json``, estimates (econometrics), and model_unchanged: whether the posterior was
        fitted to the current model.
    """
    posterior = read_parameter_draws(POSTERIOR)
    draws = min(draws, len(posterior))
    folder.mkdir(parents=True, exist_ok=True)
    outcomes = predict(
        posterior.names,
        posterior.values[:draws],
        scale=scale,
        seed=seed,
        folder=folder,
        workers=workers,
        on_run=lambda done, all_: on_run("targets", done, all_),
    )
    targets = target_table(outcomes, scale, seed)
    tables = _ensemble(folder, posterior, draws=draws, scale=scale, seed=seed, workers=workers, on_run=on_run)
    fitted = packaged_calibration()[0]
    forecaster = Forecaster(tables, seed, blends_of(fitted.get("blend")))
    write_json(
        {
            "cut_off": CUT_OFF.isoformat(),
            "scenario": "baseline",
            "posterior": posterior.checksum,
            "draws": draws,
            "scale": scale,
            "seed": seed,
            "blend": {scope: blend.record() for scope, blend in forecaster.blends.items()},
            "forecasts": records(forecaster.quantiles(published_quantities())),
        },
        folder / FORECASTS,
    )
    on_run("facts", 0, 2)
    facts = measure_facts(scale, seed)
    on_run("facts", 1, 2)
    estimates = panel_estimates(seed)
    on_run("facts", 2, 2)
    validation = {
        "targets": records(targets),
        "inside": inside_by_role(targets),
        "facts": [fact.record() for fact in facts],
        "estimates": [estimate.record() for estimate in estimates],
        "forecasts": str(folder / FORECASTS),
        "draws": draws,
        "scale": scale,
        "model_unchanged": fitted["model"] == model_digest(posterior.names),
    }
    if actuals:
        scored = score(forecaster, actuals)
        validation["score"] = score_summary(scored) | {"rows": records(scored)}
    write_json(validation, folder / VALIDATION)
    return validation


def panel_estimates(seed: int) -> list[Estimate]:
    """The regressions of published estimates on a panel of the model's firms."""
    from calibration.firms.econometrics import estimate
    from sim.model import SRDIModel
    from sim.policy import find_policy

    policy = find_policy("baseline")
    model = SRDIModel(policy, scale=PANEL_SCALE, rng=seed, until=PANEL_UNTIL, firms_panel=PANEL_FIRMS)
    try:
        model.run_model()
        return estimate(pd.DataFrame(model.tables()["firms"]))
    finally:
        model.close()


def _ensemble(
    folder: Path, posterior: ParameterDraws, *, draws: int, scale: float, seed: int, workers: int, on_run: StageProgress
) -> dict[str, pd.DataFrame]:
    """Tables of the baseline with parameter draws up to UNTIL, from the folder or from new runs."""
    from scenarios.ensembles.ensemble import run_ensemble
    from scenarios.files.loading import load_scenario
    from scenarios.records.layout import MANIFEST
    from scenarios.records.results import load_results

    out = folder / f"ensemble-{_digest(posterior, draws, scale, seed)}"
    if not (out / MANIFEST).exists():
        finished = iter(range(1, draws + 1))
        run_ensemble(
            [load_scenario("baseline")],
            out=out,
            replicates=draws,
            scale=scale,
            seed=seed,
            until=UNTIL,
            workers=workers,
            resume=True,
            draws=posterior,
            on_start=lambda runs: on_run("forecasts", 0, runs),
            on_run=lambda: on_run("forecasts", next(finished), draws),
        )
    results = load_results(out)
    return {name: results.table(name) for name in ("national", "province", "tier", "cluster")}


def _digest(posterior: ParameterDraws, draws: int, scale: float, seed: int) -> str:
    """Twelve characters that identify the runs of one model, posterior and settings."""
    return hashlib.sha256(
        f"{model_digest(posterior.names)} {posterior.checksum} {draws} {scale} {seed}".encode()
    ).hexdigest()[:12]
