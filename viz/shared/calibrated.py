"""What is known of the fit: reported against simulated figures, parameters, forecasts, and their score."""

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
        found: targets, inside, facts, estimates and, where realised figures were given, score: as ``srdi validate``
            writes them. forecasts: quantiles by quantity and date.
    """

    found: dict
    forecasts: dict


@cache
def packaged_validation() -> Validation:
    """The validation that comes with the package."""
    return Validation(*(_read_packaged(name) for name in (_VALIDATION, _FORECASTS)))


@cache
def packaged_summary() -> dict:
    """The summary of the fit that comes with the package (see `calibration.studies.study.calibrate`)."""
    return _read_packaged(_SUMMARY)


def read_validation(folder: Path) -> Validation:
    """The validation in a directory of ``srdi validate``.

    Raises:
        InputError: the directory does not hold one.
    """
    try:
        found, forecasts = (
            json.loads((folder / name).read_text(encoding="utf-8")) for name in (_VALIDATION, _FORECASTS)
        )
    except FileNotFoundError as error:
        raise InputError(f"{folder} holds no validation: {Path(error.filename).name} is missing") from None
    except (OSError, ValueError):
        raise InputError(f"{folder} holds a damaged validation") from None
    if not (
        isinstance(found, dict) and "targets" in found and isinstance(forecasts, dict) and "forecasts" in forecasts
    ):
        raise InputError(f"{folder} holds no validation of srdi validate")
    return Validation(found, forecasts)


def _read_packaged(name: str) -> dict:
    return json.loads(files("calibration").joinpath(name).read_text(encoding="utf-8"))
