"""Make a calibration, a validation or draws from evidence the packaged ones.

``python -m calibration.adopt DIR`` in a checkout copies the posterior, summary, validation, forecasts and results of
``srdi evidence`` in DIR, as far as present, into the package. It sets the defaults of the fitted parameters to the
parameter draw nearest the reported figures, and updates the tables in ``docs/calibration.md`` and the pages on
evidence. Without DIR it only writes the pages on evidence anew, after a change of their file.
"""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import click

from calibration.evidence.study import DRAWS_FILE, SUMMARY_FILE
from calibration.reporting.document import with_results
from calibration.reporting.evidence_page import write_pages
from calibration.studies.study import POSTERIOR, SUMMARY
from calibration.studies.validation import FORECASTS, VALIDATION
from scenarios.commands.command import Script, echo
from scenarios.errors import InputError
from scenarios.records.storage import write_json

#: Source of the default values of fitted parameters, as written into ``parameters.toml``.
SOURCE = "fitted: posterior draw nearest the reported figures, calibration/calibration.json"


def adopt(folder: Path, checkout: Path) -> list[str]:
    """Copy the results in a folder into a checkout, update what depends on them, and return the names of the files.

    Raises:
        InputError: the folder holds none of the files, or one that is damaged or from another command.
    """
    package = checkout / "calibration"
    known = (POSTERIOR, SUMMARY, VALIDATION, FORECASTS, DRAWS_FILE, SUMMARY_FILE)
    names = [name for name in known if (folder / name).exists()]
    if not names:
        raise InputError(f"{folder} holds no results of srdi calibrate, srdi validate or srdi evidence")
    for name in (SUMMARY, VALIDATION, FORECASTS, SUMMARY_FILE):
        if name in names:
            _check(folder / name)
    for name in names:
        shutil.copyfile(folder / name, package / name)
    if VALIDATION in names:
        # A relative path: the forecasts lie next to the validation, wherever the package is installed.
        validation = json.loads((package / VALIDATION).read_text(encoding="utf-8")) | {"forecasts": FORECASTS}
        write_json(validation, package / VALIDATION)
    if SUMMARY in names:
        summary = json.loads((package / SUMMARY).read_text(encoding="utf-8"))
        path = checkout / "sim" / "data" / "parameters.toml"
        values = summary["default"]["values"]
        path.write_text(with_defaults(path.read_text(encoding="utf-8"), values), encoding="utf-8")
    if all((package / name).exists() for name in (SUMMARY, VALIDATION, FORECASTS)):
        page = checkout / "docs" / "calibration.md"
        page.write_text(with_results(page.read_text(encoding="utf-8")), encoding="utf-8")
    if SUMMARY_FILE in names:
        write_pages(checkout / "docs")
    return names


def _check(path: Path) -> None:
    """Raise InputError if a file is not a JSON object with the keys that are needed."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if path.name == SUMMARY:
            content = content["default"]["values"]
    except (OSError, ValueError, KeyError, TypeError):
        content = None
    if not isinstance(content, dict):
        raise InputError(f"{path} is damaged, or was not written by srdi calibrate, srdi validate or srdi evidence")


def with_defaults(text: str, values: dict[str, float]) -> str:
    """The text of ``parameters.toml``, one line per parameter, with new default values and their source.

    Raises:
        KeyError: a parameter is not in the text.
    """
    for name, value in values.items():
        pattern = rf'(?m)^({re.escape(name)} = \{{ value = )[^,]+(,.*source = ")[^"]*("\s*\}})$'
        text, replaced = re.subn(pattern, rf"\g<1>{value:.8g}\g<2>{SOURCE}\g<3>", text)
        if not replaced:
            raise KeyError(name)
    return text


@click.command(cls=Script)
@click.argument("folder", type=click.Path(path_type=Path), metavar="[DIR]", required=False)
def main(folder: Path | None) -> None:
    """Make the results of srdi calibrate, validate or evidence in DIR the packaged ones.

    Without DIR, write the pages on evidence anew.
    """
    checkout = Path(__file__).resolve().parents[1]
    if folder is None:
        write_pages(checkout / "docs")
        return
    for name in adopt(folder, checkout):
        echo(name)


if __name__ == "__main__":
    main()
