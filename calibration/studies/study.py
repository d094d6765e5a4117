"""A complete calibration: the fit, its diagnostics, the prediction of every figure, and the files written."""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from importlib.resources import as_file, files
from pathlib import Path

import numpy as np
import pandas as pd

from calibration.fitting.emulator import compare_with_polynomial
from calibration.fitting.fit import Fit, Settings, StageProgress, fit
from calibration.fitting.priors import read_priors
from calibration.fitting.targets import read_targets
from calibration.forecasting.prediction import CONTENDERS, REPEATS, inside_by_role, nearest_draw, predict, target_table
from calibration.studies import diagnostics
from calibration.studies.hindcasts import hindcast
from scenarios.analysis.reported import CUT_OFF
from scenarios.ensembles.jobs import model_digest
from scenarios.ensembles.parameter_draws import read_parameter_draws, values_table
from scenarios.records.storage import checksum, records, write_json, write_parquet
from sim.parameters import parameter_table

POSTERIOR, SUMMARY = "posterior.parquet", "calibration.json"
#: Runs with parameter draws that predict every figure.
PREDICTIVE = 200
#: Synthetic sets of figures made by the emulator and by the model.
ON_EMULATOR, ON_MODEL = 16, 12
_PACKAGES = ("srdi", "numpy", "scipy", "scikit-learn", "emcee")
#: The reference run: large enough that every mechanism acts.
REFERENCE_SCALE, REFERENCE_SEED = 0.004, 1


def calibrate(
    folder: Path, settings: Settings, workers: int, on_run: StageProgress = lambda stage, done, all_: None
) -> dict:
    """Fit the free parameters to the targets, and diagnose the fit.

    Written into `folder`: the runs (one library per wave, from which an interrupted study resumes),
    ``posterior.parquet`` (one column per parameter, one row per parameter draw) and ``calibration.json`` (the summary).

    Returns:
        The summary, as written to ``calibration.json``.
    """
    start_time = time.perf_counter()
    resumed = any(folder.glob("*.jsonl"))
    priors, targets = read_priors(), read_targets()
    fitted = fit(priors.only("free"), targets, folder, settings, workers=workers, on_run=on_run)
    fit_time = time.perf_counter()
    draws = fitted.priors.values(fitted.sample.cube)
    write_parquet(values_table(fitted.priors.names, draws), folder / POSTERIOR)
    outcomes = predict(
        fitted.priors.names,
        draws[:PREDICTIVE],
        scale=settings.scale,
        seed=settings.seed,
        folder=folder,
        workers=workers,
        on_run=lambda done, all_: on_run("predictive", done, all_),
    )
    default = nearest_draw(
        fitted.priors.names,
        draws[:PREDICTIVE],
        outcomes,
        targets,
        scale=settings.scale,
        seed=settings.seed,
        folder=folder,
        workers=workers,
        on_run=lambda done, all_: on_run("contenders", done, all_),
    )
    default_values = dict(zip(fitted.priors.names, map(float, draws[default]), strict=True))
    predicted = target_table(outcomes, settings.scale, settings.seed)
    checks = _diagnostics(fitted, folder, workers, on_run)
    end_time = time.perf_counter()
    summary = {
        "cut_off": CUT_OFF.isoformat(),
        "written": datetime.now(UTC).isoformat(timespec="seconds"),
        "settings": asdict(settings),
        "model": model_digest(fitted.priors.names),
        "bits": run_digest(default_values),
        "posterior": {"file": POSTERIOR, "checksum": checksum(folder / POSTERIOR), "draws": len(draws)},
        "default": {"draw": default + 1, "values": default_values},
        "versions": {name: version(name) for name in _PACKAGES},
        "runs": len(fitted.cube) + PREDICTIVE + CONTENDERS * REPEATS + ON_MODEL,
        # The time of a resumed study means nothing.
        "minutes": None if resumed else round((end_time - start_time) / 60.0, 1),
        "minutes_fit": None if resumed else round((fit_time - start_time) / 60.0, 1),
        "workers": workers,
        "sampler": {"autocorrelation": fitted.sample.autocorrelation, "acceptance": fitted.sample.acceptance},
        "targets": records(predicted),
        "inside": inside_by_role(predicted),
        "held": [
            {"parameter": name, "value": parameter_table()[name].value, "unit": parameter_table()[name].unit}
            for name in priors.only("held").names
        ],
        **checks,
    }
    write_json(summary, folder / SUMMARY)
    return summary


def run_digest(parameters: dict[str, float]) -> str:
    """SHA-256 of all tables of the reference run: the reported policy with these parameters."""
    from sim.model import SRDIModel
    from sim.policy import find_policy

    policy = find_policy("baseline").model_copy(update={"parameters": parameters})
    model = SRDIModel(policy, scale=REFERENCE_SCALE, rng=REFERENCE_SEED)
    model.run_model()
    digest = hashlib.sha256()
    for table, columns in model.tables().items():
        for name, values in columns.items():
            digest.update(f"{table}.{name}".encode())
            digest.update("\n".join(values).encode() if values.dtype == object else values.tobytes())
    model.close()
    return digest.hexdigest()


def packaged_calibration() -> tuple[dict, pd.DataFrame]:
    """Summary and parameter draws of the packaged calibration."""
    folder = files("calibration")
    with as_file(folder.joinpath(POSTERIOR)) as path:
        return json.loads(folder.joinpath(SUMMARY).read_text(encoding="utf-8")), read_posterior(path)


def read_posterior(path: Path) -> pd.DataFrame:
    """Parameter draws from the posterior: one column per parameter, one row per draw."""
    draws = read_parameter_draws(str(path))
    return pd.DataFrame(draws.values, columns=list(draws.names))


def _diagnostics(fitted: Fit, folder: Path, workers: int, on_run: StageProgress) -> dict:
    """The diagnostics as plain values."""
    parameters = diagnostics.parameter_summary(fitted)
    learned = (parameters["verdict"] == "learned").to_numpy()
    profiles = diagnostics.profiles(fitted, workers=workers)
    intervals = diagnostics.profile_intervals(profiles)
    information = diagnostics.information(fitted)
    emulator = diagnostics.coverage_on_emulator(
        fitted, ON_EMULATOR, workers, lambda done, all_: on_run("coverage on the emulator", done, all_)
    )
    model = diagnostics.coverage_on_model(
        fitted, ON_MODEL, folder, workers, lambda done, all_: on_run("coverage on the model", done, all_)
    )
    on_run("hindcasts", 0, 1)
    hindcasts = hindcast(fitted)
    on_run("hindcasts", 1, 1)
    left_out = diagnostics.leave_one_out(fitted, workers, lambda done, all_: on_run("leave one out", done, all_))
    return {
        "parameters": records(parameters.merge(intervals, on="parameter")),
        "profiles": records(profiles),
        "information": {
            "identified": information.identified,
            "eigenvalues": information.eigenvalues.tolist(),
            "directions": information.directions.tolist(),
        },
        "coverage": {"emulator": _coverage(emulator, learned), "model": _coverage(model, learned)},
        "left_out": records(left_out),
        "hindcast": records(hindcasts.national),
        "hindcast_provinces": records(hindcasts.provinces),
        "hindcast_scores": records(hindcasts.scores),
        "blend": {scope: blend.record() for scope, blend in hindcasts.blends.items()},
        "emulator": _emulator_rows(fitted, workers),
        "training_runs": fitted.emulator.points.shape[1],
    }


def _coverage(coverage: diagnostics.Coverage, learned: np.ndarray) -> dict:
    """A coverage as plain values, over all parameters and over the `learned` ones, bool (parameters,)."""
    return {
        "repeats": coverage.repeats,
        "coverage_50": coverage.of(0.5),
        "coverage_90": coverage.of(0.9),
        "coverage_50_learned": coverage.of(0.5, learned),
        "coverage_90_learned": coverage.of(0.9, learned),
        "ranks": coverage.ranks.round(4).tolist(),
    }


def _emulator_rows(fitted: Fit, workers: int) -> list[dict]:
    """Accuracy of the emulator, one row per figure."""
    emulator = fitted.emulator
    ratios = compare_with_polynomial(fitted.cube, fitted.outcomes, fitted.settings.seed, workers)
    return [
        {
            "id": id_,
            "explained": float(emulator.explained[index]),
            "residual": float(emulator.residual[index]),
            "noise": float(emulator.noise[index]),
            "error": float(emulator.error[index]),
            "discrepancy": float(fitted.targets.discrepancy[index]),
            "process_over_polynomial": float(ratios[index]),
        }
        for index, id_ in enumerate(fitted.targets.ids)
    ]
