"""Make a calibration or a validation the one that comes with the package.

``python -m calibration.adopt DIR`` in a checkout copies what DIR holds of posterior, summary, validation and forecasts
into the package, writes the draw nearest the reported figures as the default values of the fitted parameters, and
renews the tables of ``docs/calibration.md``.
"""

from __future__ import annotations

import json
import re
import shutil
import sys
from pathlib import Path

from calibration.document import written_into
from calibration.study import POSTERIOR, SUMMARY
from calibration.validation import FORECASTS, VALIDATION
from scenarios.storage import write_json

#: What a default value of a fitted parameter rests on.
SOURCE = "fitted: posterior draw nearest the reported figures, calibration/calibration.json"


def adopt(folder: Path, checkout: Path) -> list[str]:
    """Copy a folder's results into a checkout and renew what depends on them; the names of the files copied.

    Raises:
        FileNotFoundError: the folder holds none of the files.
    """
    package = checkout / "calibration"
    names = [name for name in (POSTERIOR, SUMMARY, VALIDATION, FORECASTS) if (folder / name).exists()]
    if not names:
        raise FileNotFoundError(f"{folder} holds no results of srdi calibrate or srdi validate")
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


if __name__ == "__main__":
    print("\n".join(adopt(Path(sys.argv[1]), Path(__file__).resolve().parents[1])))
