"""A whole calibration: the fit, its diagnostics, its prediction of every figure, and what is written of it."""

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
from calibration.fitting.fit import Fit, Progress, Settings, fit
from calibration.fitting.priors import read_priors
from calibration.fitting.simulator import model_digest
from calibration.fitting.targets import read_targets
from calibration.forecasting.prediction import CONTENDERS, REPEATS, inside_by_role, nearest_draw, predict, target_table
from calibration.studies import diagnostics
from scenarios.analysis.reported import CUT_OFF
from scenarios.ensembles.draws import read_draws, values_table
from scenarios.records.storage import checksum, records, write_json, write_parquet
from sim.parameters import parameter_table

POSTERIOR, SUMMARY = "posterior.parquet", "calibration.json"
#: Runs with posterior draws by which every figure is predicted.
PREDICTIVE = 200
#: Synthetic sets of figures: made by the emulator, and by the model.
ON_EMULATOR, ON_MODEL = 100, 12
_PACKAGES = ("srdi", "numpy", "scipy", "scikit-learn", "emcee")
#: The reference run: large enough that every mechanism has something to do.
REFERENCE_SCALE, REFERENCE_SEED = 0.004, 1


def calibrate(
    folder: Path, settings: Settings, workers: int, on_run: Progress = lambda stage, done, all_: None
) -> dict:
    """Fit the package's free parameters to its targets and say how well that went.

    Written into `folder`: the runs (one library a wave, by which an interrupted study goes on), ``posterior.parquet``
    (one column a parameter, one row a draw) and ``calibration.json`` (everything below).

    Returns:
        The summary, as written to ``calibration.json``.
    """
    clock = time.perf_counter()
    begun_before = any(folder.glob("*.jsonl"))
    priors, targets = read_priors(), read_targets()
    found = fit(priors.only("free"), targets, folder, settings, workers=workers, on_run=on_run)
    fitted = time.perf_counter()
    draws = found.priors.values(found.sample.cube)
    outcomes = predict(
        found.priors.names,
        draws[:PREDICTIVE],
        scale=settings.scale,
        seed=settings.seed,
        folder=folder,
        workers=workers,
        on_run=lambda done, all_: on_run("predictive", done, all_),
    )
    default = nearest_draw(
        found.priors.names,
        draws[:PREDICTIVE],
        outcomes,
        targets,
        scale=settings.scale,
        seed=settings.seed,
        folder=folder,
        workers=workers,
        on_run=lambda done, all_: on_run("contenders", done, all_),
    )
    default_values = dict(zip(found.priors.names, map(float, draws[default]), strict=True))
    predicted = target_table(outcomes, settings.scale, settings.seed)
    checks = _checks(found, folder, workers, on_run)
    finished = time.perf_counter()
    write_parquet(values_table(found.priors.names, draws), folder / POSTERIOR)
    summary = {
        "cut_off": CUT_OFF.isoformat(),
        "written": datetime.now(UTC).isoformat(timespec="seconds"),
        "settings": asdict(settings),
        "model": model_digest(found.priors.names),
        "bits": run_bits(default_values),
        "posterior": {"file": POSTERIOR, "checksum": checksum(folder / POSTERIOR), "draws": len(draws)},
        "default": {"draw": default + 1, "values": default_values},
        "versions": {name: version(name) for name in _PACKAGES},
        "runs": len(found.cube) + PREDICTIVE + CONTENDERS * REPEATS + ON_MODEL,
        # Of a study that went on from finished runs the time says nothing.
        "minutes": None if begun_before else round((finished - clock) / 60.0, 1),
        "minutes_fit": None if begun_before else round((fitted - clock) / 60.0, 1),
        "workers": workers,
        "sampler": {"autocorrelation": found.sample.autocorrelation, "acceptance": found.sample.acceptance},
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


def run_bits(parameters: dict[str, float]) -> str:
    """SHA-256 of all tables of the reference run, the reported policy with these parameters."""
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


def packaged() -> tuple[dict, pd.DataFrame]:
    """Summary and posterior draws of the calibration that comes with the package."""
    folder = files("calibration")
    with as_file(folder.joinpath(POSTERIOR)) as path:
        return json.loads(folder.joinpath(SUMMARY).read_text(encoding="utf-8")), read_posterior(path)


def read_posterior(path: Path) -> pd.DataFrame:
    """Posterior draws: one column a parameter, one row a draw."""
    draws = read_draws(str(path))
    return pd.DataFrame(draws.values, columns=list(draws.names))


def _checks(found: Fit, folder: Path, workers: int, on_run: Progress) -> dict:
    """The diagnostics as plain values."""
    parameters = diagnostics.parameter_summary(found)
    learned = (parameters["verdict"] == "learned").to_numpy()
    profiles = diagnostics.profiles(found, workers=workers)
    intervals = diagnostics.profile_intervals(profiles)
    told = diagnostics.information(found)
    emulator = diagnostics.coverage_on_emulator(
        found, ON_EMULATOR, workers, lambda done, all_: on_run("coverage on the emulator", done, all_)
    )
    model = diagnostics.coverage_on_model(
        found, ON_MODEL, folder, workers, lambda done, all_: on_run("coverage on the model", done, all_)
    )
    left = diagnostics.leave_one_out(found, workers, lambda done, all_: on_run("leave one out", done, all_))
    return {
        "parameters": records(parameters.merge(intervals, on="parameter")),
        "profiles": records(profiles),
        "information": {
            "identified": told.identified,
            "eigenvalues": told.eigenvalues.tolist(),
            "directions": told.directions.tolist(),
        },
        "coverage": {"emulator": _coverage(emulator, learned), "model": _coverage(model, learned)},
        "left_out": records(left),
        "hindcast": records(diagnostics.hindcast(found)),
        "emulator": _emulated(found, workers),
        "training_runs": found.emulator.points.shape[1],
    }


def _coverage(coverage: diagnostics.Coverage, learned: np.ndarray) -> dict:
    """A coverage as plain values, over all parameters and over those `learned`, bool (parameters,)."""
    return {
        "repeats": coverage.repeats,
        "coverage_50": coverage.of(0.5),
        "coverage_90": coverage.of(0.9),
        "coverage_50_learned": coverage.of(0.5, learned),
        "coverage_90_learned": coverage.of(0.9, learned),
        "ranks": coverage.ranks.round(4).tolist(),
    }


def _emulated(found: Fit, workers: int) -> list[dict]:
    """How well the emulator knows each figure, one row each."""
    emulator = found.emulator
    against = compare_with_polynomial(found.cube, found.outcomes, found.settings.seed, workers)
    return [
        {
            "id": id_,
            "explained": float(emulator.explained[index]),
            "residual": float(emulator.residual[index]),
            "noise": float(emulator.noise[index]),
            "error": float(emulator.error[index]),
            "discrepancy": float(found.targets.discrepancy[index]),
            "process_over_polynomial": float(against[index]),
        }
        for index, id_ in enumerate(found.targets.ids)
    ]
