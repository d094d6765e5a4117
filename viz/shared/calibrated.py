"""Results of the fit: reported and simulated figures, parameters, forecasts and their scores."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

from scenarios.errors import InputError

_VALIDATION, _FORECASTS, _SUMMARY = "validation.json", "forecasts.json", "calibration.json"


@dataclass(frozen=True, eq=False)
class Validation:
    """A validation with its forecasts.

    Attributes:
        results: targets, inside, facts, estimates and, with realised figures, score: as written by ``srdi validate``.
        forecasts: quantiles by quantity and date.
    """

    results: dict
    forecasts: dict


@cache
def packaged_validation() -> Validation:
    """The packaged validation."""
    return Validation(*(_read_packaged(name) for name in (_VALIDATION, _FORECASTS)))


@cache
def packaged_summary() -> dict:
    """The summary of the packaged fit (see `calibration.studies.study.calibrate`)."""
    return _read_packaged(_SUMMARY)


def read_validation(folder: Path) -> Validation:
    """The validation in a directory written by ``srdi validate``.

    Raises:
        InputError: the directory contains no validation, or a damaged one.
    """
    try:
        results, forecasts = (
            json.loads((folder / name).read_text(encoding="utf-8")) for name in (_VALIDATION, _FORECASTS)
        )
    except FileNotFoundError as error:
        raise InputError(f"{folder} contains no validation: {Path(error.filename).name} is missing") from None
    except (OSError, ValueError):
        raise InputError(f"the validation in {folder} is damaged") from None
    if not (
        isinstance(results, dict) and "targets" in results and isinstance(forecasts, dict) and "forecasts" in forecasts
    ):
        raise InputError(f"{folder} contains no results of srdi validate")
    return Validation(results, forecasts)


def _read_packaged(name: str) -> dict:
    return json.loads(files("calibration").joinpath(name).read_text(encoding="utf-8"))
