"""Make a calibration or a validation the one that comes with the package.

``python -m calibration.adopt DIR`` in a checkout copies what DIR holds of posterior, summary, validation and forecasts
into the package, writes the draw nearest the reported figures as the default values of the fitted parameters, and
renews the tables of ``docs/calibration.md``.
"""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import click

from calibration.reporting.document import written_into
from calibration.studies.study import POSTERIOR, SUMMARY
from calibration.studies.validation import FORECASTS, VALIDATION
from scenarios.commands.command import Script, echo
from scenarios.errors import InputError
from scenarios.records.storage import write_json

#: What a default value of a fitted parameter rests on.
SOURCE = "fitted: posterior draw nearest the reported figures, calibration/calibration.json"


def adopt(folder: Path, checkout: Path) -> list[str]:
    """Copy a folder's results into a checkout and renew what depends on them; the names of the files copied.

    Raises:
        InputError: the folder holds none of the files, or one that is damaged or of something else.
    """
    package = checkout / "calibration"
    names = [name for name in (POSTERIOR, SUMMARY, VALIDATION, FORECASTS) if (folder / name).exists()]
    if not names:
        raise InputError(f"{folder} holds no results of srdi calibrate or srdi validate")
    for name in (SUMMARY, VALIDATION, FORECASTS):
        if name in names:
            _check(folder / name)
    for name in names:
        shutil.copyfile(folder / name, package / name)
    if VALIDATION in names:
        # Beside it, wherever the package is.
        found = json.loads((package / VALIDATION).read_text(encoding="utf-8")) | {"forecasts": FORECASTS}
        write_json(found, package / VALIDATION)
    if SUMMARY in names:
        summary = json.loads((package / SUMMARY).read_text(encoding="utf-8"))
        path = checkout / "sim" / "data" / "parameters.toml"
        values = summary["default"]["values"]
        path.write_text(with_defaults(path.read_text(encoding="utf-8"), values), encoding="utf-8")
    if all((package / name).exists() for name in (SUMMARY, VALIDATION, FORECASTS)):
        page = checkout / "docs" / "calibration.md"
        page.write_text(written_into(page.read_text(encoding="utf-8")), encoding="utf-8")
    return names


def _check(path: Path) -> None:
    """Raise InputError if a file is not a table of JSON with what is taken from it."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        if path.name == SUMMARY:
            found = found["default"]["values"]
    except (OSError, ValueError, KeyError, TypeError):
        found = None
    if not isinstance(found, dict):
        raise InputError(f"{path} is damaged, or not of srdi calibrate or srdi validate")


def with_defaults(text: str, values: dict[str, float]) -> str:
    """The text of ``parameters.toml`` with new default values, one line a parameter, and their source.

    Raises:
        KeyError: a parameter that the text does not have.
    """
    for name, value in values.items():
        pattern = rf'(?m)^({re.escape(name)} = \{{ value = )[^,]+(,.*source = ")[^"]*("\s*\}})$'
        text, found = re.subn(pattern, rf"\g<1>{value:.8g}\g<2>{SOURCE}\g<3>", text)
        if not found:
            raise KeyError(name)
    return text


@click.command(cls=Script)
@click.argument("folder", type=click.Path(path_type=Path), metavar="DIR")
def main(folder: Path) -> None:
    """Make what DIR holds of srdi calibrate or srdi validate the calibration that comes with the package."""
    for name in adopt(folder, Path(__file__).resolve().parents[1]):
        echo(name)


if __name__ == "__main__":
    main()
