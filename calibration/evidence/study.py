"""The whole study: runs, curves, draws, the comparison of every row with the model, and the files written."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import numpy as np

from calibration.evidence.agreement import CANDIDATES, in_agreement, learn_shifts, run_pairs, shifts_summary
from calibration.evidence.comparison import INTERVAL, compared, inside_by_use
from calibration.evidence.design import drawn_parameters, is_fitted, priors_of, studies_of_priors
from calibration.evidence.effects import Design, Settings, direct_curves
from calibration.evidence.likelihood import components, finding_of
from calibration.evidence.rows import Estimate, Evidence
from calibration.evidence.sampling import Draws, draw
from calibration.fitting.fit import StageProgress
from calibration.fitting.targets import read_targets
from scenarios.analysis.reported import CUT_OFF
from scenarios.ensembles.jobs import model_digest
from scenarios.ensembles.parameter_draws import (
    EVIDENCE,
    EVIDENCE_SUMMARY,
    PACKAGED,
    POSTERIOR,
    ParameterDraws,
    read_parameter_draws,
    values_table,
)
from scenarios.files.labels import Label
from scenarios.records.storage import checksum, write_json, write_parquet
from sim.parameters import parameter_table

DRAWS_FILE, SUMMARY_FILE = PACKAGED[EVIDENCE], EVIDENCE_SUMMARY
#: Information, in nats, that studies give at least of a parameter that counts as known from evidence.
LEARNED = 0.05
_PACKAGES = ("srdi", "numpy", "scipy")


def study(
    evidence: Evidence,
    folder: Path,
    settings: Settings,
    *,
    workers: int = 1,
    on_run: StageProgress = lambda stage, done, all_: None,
) -> dict:
    """Repeat the studies in the model, draw the parameters they speak to, and compare.

    Written into `folder`: the runs (files from which interrupted work resumes), ``evidence_posterior.parquet`` (draws
    of the fit to the reported figures with draws from the evidence beside them) and ``evidence.json`` (the summary).

    Returns:
        The summary.
    """
    begun = time.perf_counter()
    folder.mkdir(parents=True, exist_ok=True)
    fitted = read_parameter_draws(POSTERIOR)
    design = Design.of(evidence, fitted.names, settings)
    library = design.library(folder)
    resumed = library.path.exists()
    curves = design.curves(library, workers, lambda done, all_: on_run("pairs of runs", done, all_))
    curves |= direct_curves(evidence)
    used = [row for row in evidence.estimates if is_fitted(row, fitted.names) and row.id in curves]
    priors = priors_of(drawn_parameters(evidence, fitted.names), evidence)
    likelihoods = components(priors.names, [finding_of(row, curves[row.id]) for row in used])
    alone = draw(priors, likelihoods, CANDIDATES, settings.seed)
    first = replace(alone, values=alone.values[: settings.baselines])
    outcomes = run_pairs(first, fitted, settings, folder, workers, lambda done, all_: on_run("baselines", done, all_))
    shifts = learn_shifts(read_targets(), first, outcomes)
    draws, effective = in_agreement(alone, shifts, len(fitted), settings.seed)
    labels = _labels(used, studies_of_priors(evidence), fitted, draws)
    table = values_table((*fitted.names, *draws.names), np.column_stack([fitted.values, draws.values]), labels)
    write_parquet(table, folder / DRAWS_FILE)
    rows = [compared(row, fitted, draws, curves) for row in evidence.estimates]
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
        "agreement": shifts_summary(shifts, alone, draws, effective),
        "rows": rows,
        "none_found": [{"lever": gap.lever, "parameter": gap.parameter} for gap in evidence.gaps],
        "inside": inside_by_use(rows),
    }
    write_json(summary, folder / SUMMARY_FILE)
    return summary


def _labels(
    used: Sequence[Estimate], priors: Mapping[str, tuple[str, ...]], fitted: ParameterDraws, draws: Draws
) -> dict[str, Label]:
    """Label of each column of the draws: fitted, evidence with its studies, or assumed.

    Studies that say next to nothing of a parameter do not make it evidence; the studies behind its prior do.

    Args:
        used: rows in the likelihood. priors: studies on which priors rest, by parameter.
    """
    labels = {name: Label("fitted") for name in fitted.names}
    for name in draws.names:
        taught = [row.study for row in used if name in row.parameters and draws.learned[name] >= LEARNED]
        studies = tuple(dict.fromkeys([*priors.get(name, ()), *taught]))
        labels[name] = Label("evidence", studies) if studies else Label("assumed")
    return labels


def _parameters(draws: Draws, labels: dict[str, Label]) -> list[dict]:
    """Each drawn parameter with its label, its prior and its draws."""
    rows = []
    for name in draws.names:
        low, middle, high = np.quantile(draws.column(name), INTERVAL)
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
