"""The whole study: runs, curves, draws, the comparison of every row with the model, and the files written."""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path

import numpy as np

from calibration.evidence.curves import Curve, identity, learn
from calibration.evidence.design import Arm, arms_of, drawn_parameters, is_fitted, priors_of, run_experiment
from calibration.evidence.likelihood import Likelihood, components, finding_of
from calibration.evidence.rows import Estimate, Evidence, baseline_value
from calibration.evidence.sampling import Draws, draw
from calibration.evidence.trials import obstacle
from calibration.fitting.fit import StageProgress
from calibration.fitting.library import Library, RunProgress
from calibration.fitting.simulator import model_digest
from scenarios.analysis.reported import CUT_OFF
from scenarios.ensembles.parameter_draws import POSTERIOR, ParameterDraws, read_parameter_draws, values_table
from scenarios.files.labels import Label
from scenarios.records.storage import checksum, write_json, write_parquet
from sim.parameters import parameter_table

DRAWS_FILE, SUMMARY_FILE = "evidence_posterior.parquet", "evidence.json"
#: Half the width of a 90 % interval in standard errors, and its quantiles.
NORMAL_90, INTERVAL = 1.645, (0.05, 0.95)
#: Information, in nats, that studies give at least of a parameter that counts as known from evidence.
LEARNED = 0.05
#: An effect that is nearer to nothing than this counts as none where a study found none in words.
SMALL = 0.01
_PACKAGES = ("srdi", "numpy", "scipy")


@dataclass(frozen=True)
class Settings:
    """Size and seed of the study.

    Attributes:
        scale: share of the population. seed: of all runs, which share their random draws, and of the draws.
    """

    scale: float = 0.05
    seed: int = 1


def study(
    evidence: Evidence,
    folder: Path,
    settings: Settings = Settings(),
    *,
    workers: int = 1,
    on_run: StageProgress = lambda stage, done, all_: None,
) -> dict:
    """Repeat the studies in the model, draw the parameters they speak to, and compare.

    Written into `folder`: the runs (a file from which interrupted work resumes), ``evidence_posterior.parquet`` (draws
    of the fit to the reported figures with draws from the evidence beside them) and ``evidence.json`` (the summary).

    Returns:
        The summary.
    """
    begun = time.perf_counter()
    folder.mkdir(parents=True, exist_ok=True)
    fitted = read_parameter_draws(POSTERIOR)
    arms = arms_of(evidence, fitted.names)
    library = _library(folder, arms, settings)
    resumed = library.path.exists()
    curves = _curves(arms, library, settings, workers, lambda done, all_: on_run("pairs of runs", done, all_))
    curves |= _direct_curves(evidence)
    names = drawn_parameters(evidence, fitted.names)
    priors = priors_of(names, evidence)
    likelihoods = _likelihoods(evidence, fitted, names, curves)
    draws = draw(priors, likelihoods, len(fitted), settings.seed)
    labels = _labels(evidence, fitted, draws, curves)
    table = values_table((*fitted.names, *draws.names), np.column_stack([fitted.values, draws.values]), labels)
    write_parquet(table, folder / DRAWS_FILE)
    rows = [_compared(row, fitted, draws, curves) for row in evidence.estimates]
    summary = {
        "cut_off": CUT_OFF.isoformat(),
        "written": datetime.now(UTC).isoformat(timespec="seconds"),
        "settings": asdict(settings),
        "source": evidence.source,
        "model": model_digest(fitted.names),
        "versions": {name: version(name) for name in _PACKAGES},
        "runs": library.points,
        # The time of a resumed study means nothing.
        "minutes": None if resumed else round((time.perf_counter() - begun) / 60.0, 1),
        "workers": workers,
        "draws": {"file": DRAWS_FILE, "checksum": checksum(folder / DRAWS_FILE), "draws": len(fitted)},
        "parameters": _parameters(draws, labels),
        "rows": rows,
        "none_found": [{"lever": gap.lever, "parameter": gap.parameter} for gap in evidence.gaps],
        "inside": inside_by_use(rows),
    }
    write_json(summary, folder / SUMMARY_FILE)
    return summary


def inside_by_use(rows: list[dict]) -> dict[str, dict[str, int]]:
    """How many of the compared rows the model meets, and how many there are, by use."""
    counts = {}
    for use in ("fit", "check", "sign"):
        compared = [row["inside"] for row in rows if row["use"] == use and row["inside"] is not None]
        counts[use] = {"inside": sum(compared), "of": len(compared)}
    return counts


# ---------------------------------------------------------------- runs


def _library(folder: Path, arms: tuple[Arm, ...], settings: Settings) -> Library:
    """The file of all runs of the study."""
    digest = hashlib.sha256(model_digest().encode())
    for package, name in _code():
        digest.update(files(package).joinpath(name).read_bytes())
    digest.update(json.dumps(asdict(settings)).encode())
    for arm in arms:
        rows = [row.model_dump(mode="json") for row in arm.rows]
        digest.update(json.dumps([arm.trial.name, arm.names, rows]).encode())
    lengths = tuple(2 * len(arm.rows) for arm in arms for _ in range(arm.points))
    return Library(folder / f"pairs-{digest.hexdigest()[:12]}.jsonl", digest.hexdigest(), lengths, settings.scale)


def _code() -> list[tuple[str, str]]:
    """Files whose code determines the runs, with the default values of parameters."""
    own = ("baseline", "design", "niches", "outcomes", "pairs", "trials")
    return [
        *(("calibration", f"evidence/{name}.py") for name in own),
        ("calibration", "firms/response.py"),
        ("sim", "data/parameters.toml"),
    ]


def _curves(
    arms: tuple[Arm, ...], library: Library, settings: Settings, workers: int, on_run: RunProgress
) -> dict[str, Curve]:
    """The curve of each row that is run, by id; rows of which too few runs gave an effect have none."""
    designs = [priors_of(arm.names, Evidence(arm.rows, (), {}, "")) for arm in arms]
    values = [
        priors.values(arm.cube(settings.seed)) if arm.names else np.empty((1, 0))
        for arm, priors in zip(arms, designs, strict=True)
    ]
    jobs = [
        (arm.trial, arm.rows, dict(zip(arm.names, map(float, point), strict=True)), settings.scale, settings.seed)
        for arm, points in zip(arms, values, strict=True)
        for point in points
    ]
    found = iter(library.run(run_experiment, jobs, workers, on_run))
    curves = {}
    for arm, points in zip(arms, values, strict=True):
        effects = np.array([next(found) for _ in points]).reshape(len(points), len(arm.rows), 2)
        centre = np.array([parameter_table()[name].value for name in arm.names])
        for index, row in enumerate(arm.rows):
            curve = learn(arm.names, np.where(centre > 0.0, centre, 1.0), points, effects[:, index])
            if curve is not None:
                curves[row.id] = curve
    return curves


def _direct_curves(evidence: Evidence) -> dict[str, Curve]:
    """Curves of the rows that give a parameter itself, by id."""
    table = parameter_table()
    return {
        row.id: identity(row.parameter, table[row.parameter].value or 1.0)
        for row in evidence.estimates
        if row.experiment == "direct" and not obstacle(row) and row.parameter in table
    }


def _likelihoods(
    evidence: Evidence, fitted: ParameterDraws, names: tuple[str, ...], curves: dict[str, Curve]
) -> list[Likelihood]:
    used = [row for row in evidence.estimates if is_fitted(row, fitted.names) and row.id in curves]
    return components(names, [finding_of(row, curves[row.id]) for row in used])


def _labels(evidence: Evidence, fitted: ParameterDraws, draws: Draws, curves: dict[str, Curve]) -> dict[str, Label]:
    """Label of each column of the draws: fitted, evidence with its studies, or assumed.

    Studies that say next to nothing of a parameter do not make it evidence.
    """
    studies: dict[str, dict[str, None]] = {name: {} for name in draws.names}
    for row in evidence.estimates:
        if is_fitted(row, fitted.names) and row.id in curves:
            for name in curves[row.id].names:
                studies[name][row.study] = None
    labels = {name: Label("fitted") for name in fitted.names}
    for name, found in studies.items():
        taught = bool(found) and draws.learned[name] >= LEARNED
        labels[name] = Label("evidence", tuple(found)) if taught else Label("assumed")
    return labels


# ---------------------------------------------------------------- the comparison


def _parameters(draws: Draws, labels: dict[str, Label]) -> list[dict]:
    """Each drawn parameter with its label, its prior and its draws."""
    rows = []
    for name in draws.names:
        low, middle, high = np.quantile(draws.column(name), (INTERVAL[0], 0.5, INTERVAL[1]))
        rows.append(
            {
                "parameter": name,
                "unit": parameter_table()[name].unit,
                "label": labels[name].word,
                "studies": list(labels[name].studies),
                "default": parameter_table()[name].value,
                "low": float(low),
                "median": float(middle),
                "high": float(high),
                "effective": draws.effective[name],
                "learned": draws.learned[name],
            }
        )
    return rows


def _compared(row: Estimate, fitted: ParameterDraws, draws: Draws, curves: dict[str, Curve]) -> dict:
    """A row beside the model: keys as printed by ``srdi evidence --json``."""
    reason = obstacle(row)
    model = None if reason else _modelled(row, fitted, draws, curves.get(row.id))
    if model is None:
        reason = reason or "too few firms are reached at this scale"
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
    low, middle, high = np.quantile(curve(effects), (INTERVAL[0], 0.5, INTERVAL[1]))
    middle = float(middle)
    return (
        middle - float(np.hypot(middle - low, NORMAL_90 * curve.sampling)),
        middle,
        middle + float(np.hypot(high - middle, NORMAL_90 * curve.sampling)),
    )


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
