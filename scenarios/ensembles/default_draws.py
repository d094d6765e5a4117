"""Which parameter draws are used wherever doubt is shown: the one place that decides it.

They are the draws with published evidence on the strengths of levers, as long as the package has some that were made
for its fit and its model; otherwise those of the fit alone.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from scenarios.ensembles.jobs import model_digest
from scenarios.ensembles.parameter_draws import (
    EVIDENCE,
    EVIDENCE_SUMMARY,
    MEDIAN,
    POSTERIOR,
    ParameterDraws,
    packaged_file,
    read_parameter_draws,
)
from scenarios.errors import InputError
from scenarios.files.labels import Label


@dataclass(frozen=True)
class Choice:
    """The draws used where none are named.

    Attributes:
        name: of the draws. central: name of the single draw of central runs; ``default`` for the model's defaults.
        note: a sentence if these are not the draws with evidence, otherwise empty.
    """

    name: str
    central: str
    note: str = ""


def default_draws() -> Choice:
    """The draws with evidence and their median, or those of the fit and a sentence that says why."""
    fault = _fault()
    if not fault:
        return Choice(EVIDENCE, MEDIAN)
    note = (
        f"parameter draws are those of the fit alone (--params {POSTERIOR}), without doubt about the strengths of "
        f"levers, because {fault}; srdi evidence makes draws for --params, and calibration.adopt makes them the default"
    )
    return Choice(POSTERIOR, "default", note)


def default_labels() -> Mapping[str, Label]:
    """What the default draws rest on, by parameter (see `scenarios.files.labels`)."""
    return read_parameter_draws(default_draws().name).labels


def _fault() -> str:
    """Why the package's draws with evidence are not to be used; empty if they are."""
    try:
        draws = read_parameter_draws(EVIDENCE)
        summary = json.loads(packaged_file(EVIDENCE_SUMMARY).read_text(encoding="utf-8"))
        checksum, model = summary["draws"]["checksum"], summary["model"]
    except (InputError, OSError):
        return "the package has no draws with published evidence"
    except (ValueError, KeyError, TypeError):
        return f"the packaged {EVIDENCE_SUMMARY} is damaged"
    fitted = read_parameter_draws(POSTERIOR)
    if checksum != draws.checksum or not _extend(draws, fitted):
        return "the packaged draws with evidence belong to another fit"
    if model != model_digest(fitted.names):
        return "the model has changed since the packaged draws with evidence were made"
    return ""


def _extend(draws: ParameterDraws, fitted: ParameterDraws) -> bool:
    """Whether draws are those of the fit with further columns."""
    kept = draws.names[: len(fitted.names)]
    return kept == fitted.names and np.array_equal(draws.values[:, : len(kept)], fitted.values)
